"""Sums over all pairs of pixels a lag apart, for all lags at once, exactly and in little memory.

Sum_i a_i b_(i + lag) is a correlation, which the FFT computes for all lags in one go. Images are taken in strips of
rows, so that memory does not grow with them.
"""

import numpy as np
from scipy import fft

STRIP = 200  # rows transformed at a time


def as_planes(noise: np.ndarray, reach: int) -> np.ndarray:
    """Noise [H, W] or [H, W, C] as planes [C, H, W] of float32 or wider; refused if not finite or too small."""
    noise = np.asarray(noise)
    if noise.ndim not in (2, 3) or not np.issubdtype(noise.dtype, np.floating):
        raise ValueError(
            f"noise is a float array [H, W] or [H, W, C]; {noise.dtype} of shape {list(noise.shape)} was given"
        )
    if not 0 <= reach < min(noise.shape[:2]):
        raise ValueError(
            f"lags up to {reach} pixels do not fit into an image of {noise.shape[0]}x{noise.shape[1]}; "
            f"the reach is at least 0 and at most {min(noise.shape[:2]) - 1}"
        )
    if not np.isfinite(noise).all():
        raise ValueError("the noise has values that are NaN or infinite")
    noise = noise.astype(np.result_type(noise.dtype, np.float32), copy=False)
    return np.ascontiguousarray(noise[None] if noise.ndim == 2 else noise.transpose(2, 0, 1))


def lag_products(a: np.ndarray, b: np.ndarray, reach: int) -> np.ndarray:
    """Sum_i a_i b_(i + lag), summed over all planes [C, H, W] as well: [K, K] with K = 2 reach + 1.

    Strips overlap by `reach` rows, so that each pair of rows meets in one; pairs within an overlap meet in two strips,
    and are subtracted once. All strips share one inverse transform.
    """
    height, width = a.shape[1:]
    starts, lags = range(0, max(1, height - reach), STRIP), np.arange(-reach, reach + 1)
    total = np.zeros((len(lags), len(lags)))
    for rows, sign, tops in ((STRIP + reach, 1, starts), (reach, -1, starts[1:] if reach else ())):
        shape = [fft.next_fast_len(n, real=True) for n in (min(rows, height) + reach, width + reach)]
        power = np.zeros((shape[0], shape[1] // 2 + 1), np.result_type(a.dtype, np.complex64))
        for top in tops:
            first = fft.rfft2(a[:, top : top + rows], shape, workers=-1)
            second = first if b is a else fft.rfft2(b[:, top : top + rows], shape, workers=-1)
            power += (first.conj() * second).sum(axis=0)
        if len(tops):
            total += sign * fft.irfft2(power, shape, workers=-1)[lags[:, None], lags]
    return total


def sums_with_partner(plane: np.ndarray, reach: int) -> np.ndarray:
    """Sum of a plane over the pixels whose partner, a lag away, lies in the image: [K, K].

    At lag d the rows with a partner are 0 ... H - 1 - d, or -d ... H - 1 for d < 0, and columns likewise. The sum is
    that of all pixels, less rows and columns without a partner, plus the corners that were thus subtracted twice.
    """
    lags = range(-reach, reach + 1)
    by_row, by_column = (plane.sum(axis=axis, dtype=np.float64) for axis in (1, 0))
    rows, columns = (np.array([_without_partner(sums, lag).sum() for lag in lags]) for sums in (by_row, by_column))
    bands = [_without_partner(plane, dy).sum(axis=0, dtype=np.float64) for dy in lags]
    corners = np.array([[_without_partner(band, dx).sum() for dx in lags] for band in bands])
    return plane.sum(dtype=np.float64) - rows[:, None] - columns + corners


def _without_partner(values: np.ndarray, lag: int) -> np.ndarray:
    """The rows that have no partner so many rows away: the last ones, or the first if the lag is negative."""
    return values[len(values) - lag :] if lag >= 0 else values[:-lag]
