"""How well is the noise of a photograph estimated from the noisy image alone?

All of Kodak24, whole: white noise of four strengths, and a simulated camera at four ISO levels, stored in 8 bits. The
estimate is compared with what is measured against the clean image: the level, and the correlation with the next pixel.
"""

import os
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context

import numpy as np
from outcome import heading, store

from dnlib.images import arrays, datasets
from dnlib.noise import Camera, CorrelatedGaussian, Gaussian, inspect_image, inspect_pair
from dnlib.training import draw_noisy

MODELS = [Gaussian(5), Gaussian(15), Gaussian(25), Gaussian(50), CorrelatedGaussian(25, 3)]
MODELS += [Camera(iso) for iso in (200, 800, 1600, 3200)]


def name_of(model) -> str:
    return f"camera, ISO {model.strength[0]:g}" if isinstance(model, Camera) else repr(model)


def apart(model, index: int) -> tuple[float, float, float]:
    """Level estimated over level measured, less one; correlations apart; seconds of the estimate."""
    clean = arrays.to_unit(datasets.load("kodak24")[index].clean)
    noisy = arrays.to_image(draw_noisy(arrays.to_tensor(clean), model, 0, index).image)
    if isinstance(model, Camera):
        noisy = np.rint(255 * noisy.clip(0, 1)).astype(np.uint8)
    measured, started = inspect_pair(noisy, clean, reach=1), time.perf_counter()
    try:
        estimated = inspect_image(noisy)
    except ValueError:  # nothing to estimate from: counted as wrong altogether
        return 1.0, 1.0, time.perf_counter() - started
    seconds = time.perf_counter() - started
    off = float(np.abs(np.subtract(estimated.lag_1, measured.lag_1)).max())
    return estimated.level / measured.level - 1, off, seconds


def main():
    found, every = {}, []
    print(heading())
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # one photograph per core
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for model in MODELS:
            off, lag_1, seconds = zip(*pool.map(apart, repeat(model), range(24)), strict=True)
            every += seconds
            row = found[name_of(model)] = {
                "level_within_10_percent": float(np.mean(np.abs(off) < 0.1)),
                "median_off": float(np.median(off)),
                "lag_1_within_0.1": float(np.mean(np.array(lag_1) < 0.1)),
                "off": off,
                "lag_1_apart": lag_1,
            }
            print(
                f"  {name_of(model):26} level within 10 %: {row['level_within_10_percent']:4.0%} "
                f"(median {row['median_off']:+.1%}), correlation within 0.1: {row['lag_1_within_0.1']:4.0%}",
                flush=True,
            )
    print(f"  {np.median(every):.2f} s per photograph on one core")
    store("inspection", found=found, seconds_per_image=float(np.median(every)))


if __name__ == "__main__":
    main()
