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


def lag_products(planes: np.ndarray, pairs: list[tuple[int, int]], reach: int) -> np.ndarray:
    """Sum_i a_i b_(i + lag) for each pair (a, b) of planes: [P, K, K] with K = 2 reach + 1.

    Strips overlap by `reach` rows, so that each pair of rows meets in one; pairs within an overlap meet in two strips,
    and are subtracted once. All strips share one inverse transform.
    """
    _, height, width = planes.shape
    starts = range(0, max(1, height - reach), STRIP)
    total = np.zeros((len(pairs), 2 * reach + 1, 2 * reach + 1))
    for rows, sign, tops in ((STRIP + reach, 1, starts), (reach, -1, starts[1:] if reach else ())):
        shape = [fft.next_fast_len(n, real=True) for n in (min(rows, height) + reach, width + reach)]
        power = np.zeros((len(pairs), shape[0], shape[1] // 2 + 1), np.result_type(planes.dtype, np.complex64))
        for top in tops:
            spectra = fft.rfft2(planes[:, top : top + rows], shape, workers=-1)
            for place, (a, b) in enumerate(pairs):
                power[place] += spectra[a].conj() * spectra[b]
        if len(tops):
            circular = fft.irfft2(power, shape, workers=-1)
            lags = np.arange(-reach, reach + 1)
            total += sign * circular[:, lags[:, None], lags]
    return total


def sums_with_partner(planes: np.ndarray, reach: int) -> np.ndarray:
    """Sum of each plane over the pixels whose partner, a lag away, lies in the image: [C, K, K].

    At lag d the rows with a partner are 0 ... H - 1 - d, or -d ... H - 1 for d < 0, and columns likewise. The sum is
    that of all pixels, less rows and columns without a partner, plus the corners that were thus subtracted twice.
    """
    height, lags = planes.shape[1], np.arange(-reach, reach + 1)
    whole = planes.sum(axis=(1, 2), dtype=np.float64)[:, None, None]
    rows = _without_partner(planes.sum(axis=2, dtype=np.float64), lags)
    columns = _without_partner(planes.sum(axis=1, dtype=np.float64), lags)
    corners = np.empty((len(planes), len(lags), len(lags)))
    for i, dy in enumerate(lags):
        lonely = planes[:, height - dy :] if dy >= 0 else planes[:, :-dy]
        corners[:, i] = _without_partner(lonely.sum(axis=1, dtype=np.float64), lags)
    return whole - rows[:, :, None] - columns[:, None, :] + corners


def _without_partner(profile: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """Sums of the entries of a profile [C, n] that have no partner at each lag: [C, K]."""
    size = profile.shape[1]
    return np.stack([(profile[:, size - d :] if d >= 0 else profile[:, :-d]).sum(axis=1) for d in lags], axis=1)
