"""Is the denoiser as good as BM3D on any reader's picture, does it choose well, and does it ever do harm?

One row per set of pictures: white noise on Kodak24 (colour), Set12 and BSD68 (gray), whole pictures or their middles;
photographs of phones and cameras, microscopes, and Kodak24 through a simulated camera, 256x256 pixels of each. The
denoiser is told nothing. Beside it, on the same pixels: each of its candidates asked for by name (not on whole pictures
of Kodak24), and BM3D (colour BM3D for colours; free for non-commercial use only), told the true sigma where that is
known, else scikit-image's estimate. Seconds are those of one processor core; --untimed leaves them out, for when other
work goes on beside.

The pictures with even numbers are those on which the denoiser was developed; when networks were first refined by
similar patches, up to five odd ones of most sets were looked at, too.

    python benchmarks/any_picture.py --publish                  every set that is here
    python benchmarks/any_picture.py polyu "kodak24, sigma 25"  these alone; other sets keep their rows
    python benchmarks/any_picture.py --untimed "bsd68_gray, sigma 15"

A ceiling is printed beside: what the released network of TM-BSN (CVPR 2026, 1.0 M parameters, distilled on the phone
scenes of SIDD-Medium) reached on the middle 224x224 pixels of these sets, when it was run once, not by this benchmark.
"""

import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from outcome import heading, store, stored
from skimage.restoration import estimate_sigma
from tqdm import tqdm

import dnlib
from dnlib.denoiser import CANDIDATES
from dnlib.images import datasets, middle, to_image, to_tensor, to_unit
from dnlib.noise import Camera, Gaussian, Noise
from dnlib.training import draw_noisy, psnr
from dnlib.zoo import provenance

SIDE = 256  # pixels
CLOSE, HARM = 0.3, 0.1  # dB
SECONDS = {"seconds", "bm3d_seconds"}
CEILING = {"sidd_textured": 38.6, "sidd_val_crops": 36.5, "polyu": 39.7}  # dB, of TM-BSN's student


@dataclass(frozen=True)
class Case:
    """A noisy picture in [0, 1] or beyond, the clean one, and the sigma to tell BM3D, None where it is unknown."""

    noisy: np.ndarray
    clean: np.ndarray
    sigma: float | None = None
    candidates: bool = True  # whether they are asked for by name


def drawn(
    name: str, noise: Noise, sigma: float | None = None, whole: bool = False, candidates: bool = True
) -> Iterator[Case]:
    """Clean pictures with noise drawn for them; a camera's is clipped."""
    for number, example in enumerate(datasets.load(name)):
        clean = to_tensor(to_unit(example.clean) if whole else middle(to_unit(example.clean), SIDE))
        noisy = draw_noisy(clean, noise, 0, number).image
        yield Case(to_image(noisy if sigma else noisy.clip(0, 1)), to_image(clean), sigma, candidates)


def photographed(name: str, count: int) -> Iterator[Case]:
    """Noisy pictures that have a clean version; count of them, evenly."""
    pairs = [example for example in datasets.load(name) if example.clean is not None]
    for pair in pairs[:: max(1, len(pairs) // count)][:count]:
        noisy, clean = (middle(np.asarray(image), SIDE) for image in (pair.noisy, pair.clean))
        white = 255 if noisy.dtype == np.uint8 else max(float(np.ptp(clean)), 1)
        yield Case(noisy / np.float32(white), clean / np.float32(white))


SETS: dict[str, Callable[[], Iterator[Case]]] = {
    **{f"kodak24, sigma {s}": partial(drawn, "kodak24", Gaussian(s), s / 255) for s in (15, 25, 50)},
    **{
        f"kodak24, whole, sigma {s}": partial(drawn, "kodak24", Gaussian(s), s / 255, whole=True, candidates=False)
        for s in (15, 25, 50)
    },
    **{f"set12, sigma {s}": partial(drawn, "set12", Gaussian(s), s / 255, whole=True) for s in (15, 25, 50)},
    **{f"bsd68_gray, sigma {s}": partial(drawn, "bsd68_gray", Gaussian(s), s / 255) for s in (15, 25, 50)},
    "kodak24, camera at ISO 1600": partial(drawn, "kodak24", Camera(1600)),
    "kodak24, camera at ISO 3200, JPEG": partial(drawn, "kodak24", Camera(3200, jpeg=90)),
    "sidd_textured": partial(photographed, "sidd_textured", 12),
    "sidd_val_crops": partial(photographed, "sidd_val_crops", 16),
    "polyu": partial(photographed, "polyu", 16),
    "fmd": partial(photographed, "fmd", 8),
    "fluorescence": partial(photographed, "fluorescence", 6),
}


def bm3d(case: Case) -> np.ndarray:
    """Colour BM3D for colours."""
    from bm3d import bm3d as gray, bm3d_rgb

    colour = case.noisy.ndim == 3
    sigma = case.sigma or estimate_sigma(case.noisy, channel_axis=-1 if colour else None, average_sigmas=True)
    return (bm3d_rgb if colour else gray)(case.noisy, sigma)


def timed(function: Callable, *arguments):
    """What a function returns, and its processor seconds."""
    started = time.process_time()
    found = function(*arguments)
    return found, time.process_time() - started


def row(case: Case, rivals: bool) -> dict:
    """What becomes of one picture, in dB."""

    def score(image: np.ndarray) -> float:
        return round(psnr(image, case.clean), 3)

    (denoised, choice), seconds = timed(partial(dnlib.denoise, return_choice=True), case.noisy)
    found = {"noisy": score(case.noisy), "dnlib": score(denoised), "filter": choice.filter, "seconds": seconds}
    if case.candidates:
        names = [name for name in choice.risks if name in CANDIDATES]
        found["by_name"] = {name: score(dnlib.denoise(case.noisy, filter=name)) for name in names}
    if rivals:
        estimate, seconds = timed(bm3d, case)
        found |= {"bm3d": score(estimate), "bm3d_seconds": seconds}
    return found


def summary(rows: list[dict]) -> dict:
    """Of one set: means, the worst picture, and how the choice compares with the best that can be asked for by name."""
    gains = np.array([row["dnlib"] - row["noisy"] for row in rows])
    found = {
        "pictures": len(rows),
        "noisy": float(np.mean([row["noisy"] for row in rows])),
        "dnlib": float(np.mean([row["dnlib"] for row in rows])),
        "gain": float(gains.mean()),
        "worst_gain": float(gains.min()),
        "harmed": int((gains < -HARM).sum()),
    }
    if "by_name" in rows[0]:
        lacks = np.array([max(*row["by_name"].values(), row["noisy"]) - row["dnlib"] for row in rows])
        found |= {"close_to_best": float((lacks < CLOSE).mean()), "below_best": float(lacks.mean())}
    if "bm3d" in rows[0]:
        found["bm3d"] = float(np.mean([row["bm3d"] for row in rows]))
    for seconds in SECONDS & rows[0].keys():
        found[seconds] = float(np.median([row[seconds] for row in rows]))
    return {key: round(value, 3) for key, value in found.items()}


def main():
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    wanted = [name for name in sys.argv[1:] if not name.startswith("-")] or list(SETS)
    if unknown := set(wanted) - set(SETS):
        sys.exit(f"there is no set called {', '.join(sorted(unknown))}; there are {', '.join(SETS)}")
    try:
        import bm3d as _  # noqa: F401

        rivals = True
    except ImportError:
        print("bm3d is not installed: it takes no part")
        rivals = False
    print(heading())
    for name in wanted:
        if not datasets.find(name.split(",")[0]).is_present:
            print(f"  {name}: not here")
            continue
        rows = [row(case, rivals) for case in tqdm(SETS[name](), desc=name, disable=not sys.stderr.isatty())]
        if "--untimed" in sys.argv:
            rows = [{key: value for key, value in one.items() if key not in SECONDS} for one in rows]
        halves = {"even": rows[::2], "odd": rows[1::2]}
        found = summary(rows) | {"held_back": summary(halves["odd"])} | {"commit": provenance.commit(), "rows": rows}
        table = stored("any_picture").get("sets", {}) | {name: found}
        store("any_picture", side=SIDE, close_db=CLOSE, harm_db=HARM, ceiling=CEILING, sets=table)
        ceiling = f", ceiling {CEILING[name]} dB" if name in CEILING else ""
        print(f"  {name}: {json.dumps(summary(rows))}{ceiling}", flush=True)


if __name__ == "__main__":
    main()
