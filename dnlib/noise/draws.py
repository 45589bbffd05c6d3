"""Fresh noise with a given variance, correlation between neighbours, and correlation between colours.

White noise is given the wanted power spectrum, which is the Fourier transform of the correlation map (Wiener and
Khinchin), then its colours are mixed by a square root of their correlation. Noise cannot have every map or matrix that
is estimated: where powers or eigenvalues are negative, they are set to zero, which gives the nearest one that it can
have, and the variance is brought back to 1.
"""

import numpy as np
from scipy import fft

FINE = 64  # frequencies to a side, at least, among which negative powers are looked for


def draw_standard(shape: tuple[int, int, int], correlation: np.ndarray, colours: np.ndarray, rng) -> np.ndarray:
    """Noise [H, W, C] of float32 with variance 1 everywhere.

    correlation: the map [K, K]; colours: the correlations between colours [C, C]; rng: a NumPy generator.
    """
    height, width, channels = shape
    reach = len(correlation) // 2
    padded = [fft.next_fast_len(size + reach, real=True) for size in (height, width)]  # opposite borders share nothing
    white = rng.standard_normal((channels, *padded), dtype=np.float32)
    amplitude = np.sqrt(possible_powers(correlation, padded)).astype(np.float32)
    drawn = fft.irfft2(fft.rfft2(white) * amplitude, padded)[:, :height, :width]
    return np.tensordot(drawn, root_of(colours).astype(np.float32), axes=(0, 1))


def possible_powers(correlation: np.ndarray, size: list[int]) -> np.ndarray:
    """The power spectrum, as `rfft2` orders it, of noise of variance 1 whose correlation is nearest to this map."""
    powers = _powers(correlation, size).clip(min=0)
    return (powers / powers.mean())[:, : size[1] // 2 + 1]


def impossible_share(correlation: np.ndarray, colours: np.ndarray) -> float:
    """The share of the power that is set to zero, of a map [K, K] or of colours [C, C], whichever is larger."""
    size = max(FINE, 4 * len(correlation))
    found = _powers(correlation, [size, size]), np.linalg.eigvalsh(colours)
    return max(float((-values).clip(min=0).sum() / np.abs(values).sum()) for values in found)


def _powers(correlation: np.ndarray, size: list[int]) -> np.ndarray:
    """The Fourier transform of a map, of this size; some of it is negative where no noise has that map."""
    lags = np.arange(len(correlation)) - len(correlation) // 2
    placed = np.zeros(size)
    np.add.at(placed, (lags[:, None] % size[0], lags % size[1]), correlation)
    return fft.fft2(placed).real


def root_of(colours: np.ndarray) -> np.ndarray:
    """A matrix R [C, C] with R R^T the correlation matrix nearest to this one."""
    values, vectors = np.linalg.eigh(colours)
    root = vectors * np.sqrt(values.clip(min=0))
    return root / np.sqrt((root**2).sum(axis=1, keepdims=True))
