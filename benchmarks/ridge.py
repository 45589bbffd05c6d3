"""How good and how fast is ridge regression over groups of similar patches, without training?

White noise: the crops of `denoise.py` (sigma 25, level estimated), Set12 with known level. Real noise, by the cascade
with the level of `inspect_image`: textured phone crops, the half on which its factors were tried and the half held
back, every fourth of the validation crops, every twelfth of PolyU. Microscopes: the level by brightness, of
`inspect_image`. In dB, protocol float for white noise and clamped for real noise; seconds per 256x256 pixels.
"""

import time
from collections.abc import Callable

import numpy as np
from denoise import SIGMA, photographs
from outcome import heading, store
from skimage.restoration import estimate_sigma

from dnlib.filters import ridge, ridge_cascade
from dnlib.images import datasets, to_unit
from dnlib.noise import inspect_image
from dnlib.training import psnr

Pairs = list[tuple[np.ndarray, np.ndarray]]


def with_noise(clean: list[np.ndarray], sigma: float) -> Pairs:
    rng = np.random.default_rng(0)
    return [(x + sigma / 255 * rng.standard_normal(x.shape).astype(np.float32), x) for x in clean]


def stored(name: str) -> Pairs:
    return [(to_unit(e.noisy), to_unit(e.clean)) for e in datasets.load(name)]


def with_estimated_level(noisy: np.ndarray) -> np.ndarray:
    return ridge(noisy, estimate_sigma(noisy, channel_axis=-1, average_sigmas=True))


def cascade(noisy: np.ndarray) -> np.ndarray:
    return ridge_cascade(noisy, inspect_image(noisy).level / 255)


def by_brightness(noisy: np.ndarray) -> np.ndarray:
    """With the standard deviation that each pixel's brightness has in the image, the brightness from a first pass."""
    found = inspect_image(noisy)
    smooth = ridge(noisy, found.level / 255)
    return ridge(noisy, np.interp(smooth, found.brightness, found.deviation) / 255)


def cases() -> dict[str, tuple[Pairs, Callable[[np.ndarray], np.ndarray], str]]:
    name, crops = photographs()
    found = {f"{name}, 256x256, sigma {SIGMA}, estimated": (with_noise(crops, SIGMA), with_estimated_level, "float")}
    gray = [to_unit(e.clean) for e in datasets.load("set12")]
    for sigma in (15, 25, 50):
        found[f"set12, sigma {sigma}"] = (with_noise(gray, sigma), lambda y, s=sigma: ridge(y, s / 255), "float")
    textured = stored("sidd_textured")
    found |= {
        "sidd_textured, tried on": (textured[::2], cascade, "clamped"),
        "sidd_textured, held back": (textured[1::2], cascade, "clamped"),
        "sidd_val_crops, every fourth": (stored("sidd_val_crops")[::4], cascade, "clamped"),
        "polyu, every twelfth": (stored("polyu")[::12], cascade, "clamped"),
        "fmd": (stored("fmd"), by_brightness, "clamped"),
    }
    return found


def main():
    ridge(np.random.default_rng(0).random((16, 16)), 0.1)  # compile
    rows = {}
    print(heading())
    for name, (pairs, method, protocol) in cases().items():
        wall, used = time.perf_counter(), time.process_time()
        estimates = [method(noisy) for noisy, _ in pairs]
        wall, used = time.perf_counter() - wall, time.process_time() - used
        tiles = sum(clean[..., 0].size if clean.ndim == 3 else clean.size for _, clean in pairs) / 256**2
        before = np.mean([psnr(noisy, clean, protocol) for noisy, clean in pairs])
        after = np.mean([psnr(x, clean, protocol) for x, (_, clean) in zip(estimates, pairs, strict=True)])
        rows[name] = {
            "images": len(pairs),
            "protocol": protocol,
            "noisy": round(float(before), 2),
            "ridge": round(float(after), 2),
            "seconds": round(wall / tiles, 2),
            "processor_seconds": round(used / tiles, 2),
        }
        print(f"  {name:40} {before:6.2f} to {after:6.2f} dB, {wall / tiles:5.2f} s, {used / tiles:5.2f} s of cores")
        store("ridge", rows=rows)


if __name__ == "__main__":
    main()
