"""How long does the noise correlation map of a photograph take, against loops over its lags?

1. 3 megapixels in colour, 21x21 lags, pooled: `correlation_map`, one `numpy.corrcoef` per lag, and the best loop over
   lags we could write with tensors (half of the lags, the others by symmetry; views, no copies), error against a sum in
   float64.
2. 12 megapixels: seconds and peak memory beyond the image, in a process of its own.
3. The student report measured 320 frames of 12 megapixels: what they would take, from ten measured frames.
"""

import json
import resource
import sys
import time

import numpy as np
import torch
from outcome import apart, heading, store, timed

from dnlib.noise import correlation_map, lag_sums

REACH, REPEATS, FRAMES = 10, 3, 10
SMALL, LARGE = (1536, 2048, 3), (3000, 4000, 3)


def noise(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Correlated a little, as a camera's."""
    white = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
    white[:, 1:] += 0.5 * white[:, :-1]
    return white / 255


def overlap(values, dy: int, dx: int):
    h, w = values.shape[:2]
    x = values[max(0, -dy) : h - max(0, dy), max(0, -dx) : w - max(0, dx)]
    y = values[max(0, dy) : h - max(0, -dy), max(0, dx) : w - max(0, -dx)]
    return x, y


def by_corrcoef(values: np.ndarray) -> np.ndarray:
    lags = range(-REACH, REACH + 1)
    pairs = ((overlap(values, dy, dx)) for dy in lags for dx in lags)
    return np.reshape([np.corrcoef(x.ravel(), y.ravel())[0, 1] for x, y in pairs], (len(lags), len(lags)))


def by_tensors(values: np.ndarray) -> np.ndarray:
    """Sums of products of views, [C, H, W], for half of the lags; means and variances once for the whole image."""
    planes = torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)))
    planes = planes - planes.mean()
    scale, (_, h, w) = float(planes.square().mean()), planes.shape
    found = np.ones((2 * REACH + 1, 2 * REACH + 1))
    for dy in range(REACH + 1):
        for dx in range(-REACH, REACH + 1):
            if dy == 0 and dx <= 0:
                continue
            x = planes[:, : h - dy, max(0, -dx) : w - max(0, dx)]
            y = planes[:, dy:, max(0, dx) : w - max(0, -dx)]
            value = float((x * y).mean()) / scale
            found[REACH + dy, REACH + dx] = found[REACH - dy, REACH - dx] = value
    return found


def large() -> dict[str, float]:
    values = noise(LARGE)
    seconds, _ = timed(lambda: correlation_map(values, REACH))
    return {"seconds": seconds, "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def frames() -> float:
    """Seconds for the maps of FRAMES frames of 12 megapixels, summed, without drawing them."""
    seconds, total = 0.0, None
    for seed in range(FRAMES):
        values = noise(LARGE, seed)
        started = time.perf_counter()
        sums = lag_sums(values, REACH)
        total = sums if total is None else total + sums
        seconds += time.perf_counter() - started
    return seconds


def main():
    values = noise(SMALL)
    correlation_map(values, REACH)
    ours, found = timed(lambda: correlation_map(values, REACH), REPEATS)
    tensors, by_loop = timed(lambda: by_tensors(values), REPEATS)
    exact = by_corrcoef(values.astype(np.float64))
    numpy, _ = timed(lambda: by_corrcoef(values))
    seconds = {"ours": ours, "tensors": tensors, "corrcoef": numpy}
    ratios = {name: seconds[name] / ours for name in ("tensors", "corrcoef")}
    error = {"ours": float(np.abs(found - exact).max()), "tensors": float(np.abs(by_loop - exact).max())}
    whole, ten = apart("--large"), frames()
    store(
        "correlation",
        seconds=seconds,
        ratios=ratios,
        error=error,
        large=whole,
        frames={"measured": FRAMES, "seconds": ten, "minutes_for_320": 320 / FRAMES * ten / 60},
    )
    print(heading())
    for name, taken in seconds.items():
        print(f"  3 megapixels, {name:9} {taken:8.3f} s  ({taken / ours:6.1f} times ours)")
    print(f"  error {error['ours']:.1e}, of the loop with tensors {error['tensors']:.1e}")
    print(f"  12 megapixels: {whole['seconds']:.2f} s, {whole['peak_memory_mb']:.0f} MB at the peak, all in all")
    print(f"  320 frames of 12 megapixels: {320 / FRAMES * ten / 60:.1f} minutes, from {FRAMES} measured")
    if ratios["corrcoef"] < 150 or ratios["tensors"] < 5 or error["ours"] > 1e-6:
        sys.exit("  missed: 150 times numpy.corrcoef, 5 times the loop with tensors and an error of 1e-6 were expected")


if __name__ == "__main__":
    if sys.argv[1:] == ["--large"]:
        print(json.dumps(large()))
    else:
        main()
