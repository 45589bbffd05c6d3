"""Offsets of whole rows or columns taken off: noise of sensors that read line by line."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from dnlib.filters.classical import floats

SHADING = 5.0  # rows: what varies more slowly belongs to the picture


def without_lines(image: np.ndarray, along: str = "rows") -> np.ndarray:
    """An image without the offsets of its rows, or columns.

    Two rows of a picture differ little, by their median over the whole row, so that their offsets do. Summed up these
    differences are the offsets and the shading of the picture; the latter, which varies slowly, is left in.

    Parameters
    ----------
    image : array [H, W] or [H, W, C]
        Floats; every colour has offsets of its own.
    along : {"rows", "columns"}
        What the offsets belong to.

    Returns
    -------
    array of the image's shape

    Raises
    ------
    ValueError
        For another direction, and what is no finite image.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> clean = np.add.outer(np.arange(64.0), np.arange(64.0)) / 128
    >>> noisy = clean + rng.normal(0, 0.1, (64, 1))
    >>> bool(np.std(without_lines(noisy) - clean) < 0.4 * np.std(noisy - clean))
    True
    """
    if along not in ("rows", "columns"):
        raise ValueError(f"offsets belong to rows or columns; {along!r} was given")
    image = floats(image)
    planes = image if along == "rows" else image.swapaxes(0, 1)
    steps = np.median(np.diff(planes, axis=0), axis=1, keepdims=True)
    sums = np.concatenate([np.zeros_like(steps[:1]), np.cumsum(steps, axis=0)])
    result = planes - (sums - gaussian_filter1d(sums, SHADING, axis=0))
    return result if along == "rows" else result.swapaxes(0, 1)
