"""How well is the noise of real pictures estimated from one image, set by set?

Level and correlation with the next pixel, against what the noisy and the clean image tell, for pictures that the
estimate was developed on and for such that were held back: other cameras of PolyU, the other scenes of SIDD, every
second of the rest. The clean images of PolyU and of the fluorescence set are not exact: edges are a little displaced,
gain and offset differ, lighting drifts. There only the flatter half of the pixels counts, a line is fitted to each
channel, and what is left is taken off a Gaussian average of 16 pixels.

In some pictures smooth places differ in their noise by more than chance, and `dnlib noise` says that the level is a
rough one. How often it is right is counted without these, too.
"""

import os
import re

import numpy as np
from outcome import heading, store
from scipy.ndimage import gaussian_filter

from dnlib.images import arrays, datasets
from dnlib.noise import Camera, CorrelatedGaussian, Gaussian, correlation_map, inspect_image
from dnlib.noise.measure import ranges_of_pair
from dnlib.training import draw_noisy

SETS = ("polyu", "sidd_textured", "sidd_val_crops", "fmd", "fluorescence", "kodak24")
INEXACT = ("polyu", "fluorescence")
DEVELOPED = {"polyu": r"Canon.*", "sidd_val_crops": r"00([0-2]\d|3[01])|x0010.*"}  # else every second picture
MODELS = [Gaussian(5), Gaussian(25), CorrelatedGaussian(25, 3), Camera(400), Camera(1600)]
DRIFT, SIDE, MOST = 16, 512, 16  # pixels; pixels; pictures of each half


def pictures(name: str) -> dict[str, list]:
    """Noisy and clean images of both halves of a set, at most MOST of each, spread over it."""
    halves = {"developed on": [], "held back": []}
    for index, example in enumerate(datasets.load(name)):
        noisy, clean = example.noisy, example.clean
        if name == "kodak24":
            model, clean = MODELS[index // 2 % len(MODELS)], arrays.to_unit(clean)
            noisy = arrays.to_image(draw_noisy(arrays.to_tensor(clean), model, 0, index).image)
            if isinstance(model, Camera):
                noisy = np.rint(255 * noisy.clip(0, 1)).astype(np.uint8)
        pattern = DEVELOPED.get(name)
        ours = bool(re.fullmatch(pattern, example.name)) if pattern else index % 2 == 0
        halves["developed on" if ours else "held back"].append((noisy[:SIDE, :SIDE], clean[:SIDE, :SIDE]))
    return {half: pairs[:: -(-len(pairs) // MOST)] for half, pairs in halves.items()}


def truth_of(noisy: np.ndarray, clean: np.ndarray, exact: bool) -> tuple[np.ndarray, np.ndarray]:
    """The noise [H, W, C] of two images in [0, 1], and where it counts."""
    if exact:
        return noisy - clean, ((clean > 0) & (clean < 1)).all(axis=2)
    slopes = np.hypot(*np.gradient(gaussian_filter(clean.mean(axis=2), 1)))
    inside, noise = slopes <= np.median(slopes), np.empty_like(noisy)
    for colour in range(noisy.shape[2]):
        line = np.polyfit(clean[inside][:, colour], noisy[inside][:, colour], 1)
        noise[..., colour] = noisy[..., colour] - np.polyval(line, clean[..., colour])
    weights = inside[..., None].astype(float)
    average, share = (gaussian_filter(values, (DRIFT, DRIFT, 0)) for values in (noise * weights, weights))
    return noise - average / np.maximum(share, 1e-6), inside


def judged(noisy: np.ndarray, clean: np.ndarray, exact: bool) -> tuple[float, float, bool] | None:
    """Level estimated over level measured on the same pixels, how far correlations are apart, and whether it is called
    a rough one; None if refused."""
    ranges = ranges_of_pair(noisy, clean)
    images = [one.to_unit(image) for one, image in zip(ranges, (noisy, clean), strict=True)]
    noise, inside = truth_of(*(image.reshape(*image.shape[:2], -1).astype(float) for image in images), exact)
    measured = correlation_map(noise, 1, valid=inside)
    try:
        found = inspect_image(noisy, range=ranges[0])
    except ValueError:
        return None
    estimated = found.variance(noisy).reshape(noise.shape)[inside].mean() / (ranges[0].high - ranges[0].low) ** 2
    apart = np.abs(np.subtract(found.lag_1, (measured[1, 2], measured[2, 1]))).max()
    return float(np.sqrt(estimated / np.square(noise[inside]).mean())), float(apart), found.rough


def is_right(ratios: np.ndarray) -> np.ndarray:
    return np.abs(ratios - 1) < 0.15


def row_of(judgements: list) -> dict:
    done = [one for one in judgements if one]
    ratios, apart, rough = np.array(done).reshape(-1, 3).T
    return {
        "pictures": len(judgements),
        "level_within_15_percent": float(is_right(ratios).sum() / len(judgements)),
        "lag_1_within_0.1": float(np.sum(apart < 0.1) / len(judgements)),
        "refused": len(judgements) - len(done),
        "median_ratio": float(np.median(ratios)),
        "ratios": ratios.tolist(),
        "lag_1_apart": apart.tolist(),
        "rough": rough.astype(bool).tolist(),
    }


def counted(row: dict, rough: bool) -> str:
    """Of the pictures whose level is called a rough one, or is not, how many levels are right."""
    right = is_right(np.array(row["ratios"])[np.array(row["rough"]) == rough])
    return f"{right.sum()} of {right.size}"


def main():
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    found = {}
    print(heading())
    print(f"  {'':34} pictures  level within 15 %  lag 1 within 0.1  refused  median  right where sure  where rough")
    for name in SETS:
        for half, pairs in pictures(name).items():
            judgements = [judged(noisy, clean, name not in INEXACT) for noisy, clean in pairs]
            row = found.setdefault(name, {})[half] = row_of(judgements)
            print(
                f"  {name + ', ' + half:34} {row['pictures']:8}  {row['level_within_15_percent']:17.0%}"
                f"  {row['lag_1_within_0.1']:16.0%}  {row['refused']:7}  {row['median_ratio']:6.2f}"
                f"  {counted(row, rough=False):>16}  {counted(row, rough=True):>11}",
                flush=True,
            )
    store("one_image", found=found)


if __name__ == "__main__":
    main()
