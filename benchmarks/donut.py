"""How much faster is a donut in one pass than scikit-image's J-invariant calibration with all masks?

Both calibrate the median over radii 1 to 6 on the same noisy 512x512 image with the same inner filter,
in turn, in one process and one thread.
"""

import os
import sys
import time

import numpy as np
from outcome import heading, store
from skimage.restoration import calibrate_denoiser

from dnlib.filters import calibrate, donut_median, median
from dnlib.images import arrays

RADII, REPEATS, TARGET = range(1, 7), 3, 12
os.environ["OMP_NUM_THREADS"] = "1"  # calibrate would try radii on all cores


def one_pass(noisy: np.ndarray) -> int:
    return calibrate(donut_median, noisy, [{"radius": radius} for radius in RADII], blind=True).best["radius"]


def all_masks(noisy: np.ndarray) -> int:
    _, (settings, losses) = calibrate_denoiser(
        noisy, median, {"radius": list(RADII)}, approximate_loss=False, extra_output=True
    )
    return settings[int(np.argmin(losses))]["radius"]


def main():
    clean = arrays.photo("camera")
    noisy = clean + 0.1 * np.random.default_rng(0).standard_normal(clean.shape).astype(np.float32)
    seconds, chosen = {"donut, one pass": [], "scikit-image, all masks": []}, {}
    for _ in range(REPEATS):
        for name, method in zip(seconds, (one_pass, all_masks), strict=True):
            started = time.perf_counter()
            chosen[name] = method(noisy)
            seconds[name].append(time.perf_counter() - started)
    ours, theirs = (float(np.median(times)) for times in seconds.values())
    ratio = round(theirs / ours, 1)
    store("donut", seconds=seconds, ratio=ratio, radius=chosen)
    print(heading())
    for name, times in seconds.items():
        print(f"  {name:25} {np.median(times):7.2f} s  (radius {chosen[name]})")
    print(f"  ratio {ratio}, {REPEATS} runs each in turn")
    if len(set(chosen.values())) != 1 or ratio < TARGET:
        sys.exit(f"  missed: the same radius and a ratio of {TARGET} or more were expected")


if __name__ == "__main__":
    main()
