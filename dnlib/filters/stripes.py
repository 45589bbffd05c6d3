"""Offsets of whole rows or columns taken off: noise of sensors that read line by line."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from dnlib.filters.classical import checked_mask, floats
from dnlib.images import one_of

SHADING = 5.0  # rows: what varies more slowly belongs to the picture
DRAWN = 4.0  # standard deviations: steps from row to row that are larger belong to the picture, as edges and lines
AT_ONCE = 2**20  # values that are looked at together, so that memory stays bounded


def without_lines(image: np.ndarray, along: str = "rows") -> np.ndarray:
    """An image without the offsets of its rows, or columns.

    Neighbouring rows of a picture are alike, so that the median of their differences is that of their offsets. Summed
    up from row to row, these medians give the offsets together with the shading of the picture, which varies slowly and
    is left in. A horizon, or the lines between tiles, are left in as well: where a few rows differ by far more than all
    others, that is no noise.

    Parameters
    ----------
    image : array [H, W] or [H, W, C]
        Floats; every colour has offsets of its own.
    along : {"rows", "columns"}
        What the offsets belong to.

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
    image = floats(image)
    return image - line_offsets(image, along)


def line_offsets(image: np.ndarray, along: str = "rows", inside: np.ndarray | None = None) -> np.ndarray:
    """What `without_lines` takes off, in the memory of a few rows, however large the image is.

    Parameters
    ----------
    image : array [H, W] or [H, W, C]
        Of any real type.
    along : {"rows", "columns"}
        What the offsets belong to.
    inside : array [H, W], optional
        False where pixels do not count.

    Returns
    -------
    array
        [H, 1] or [H, 1, C] for rows, [1, W] or [1, W, C] for columns; float64.

    Raises
    ------
    ValueError
        For another direction, and for what is no mask [H, W] that is somewhere True.

    Examples
    --------
    >>> offsets = np.random.default_rng(0).normal(0, 1, (64, 1))
    >>> found = line_offsets(np.zeros((64, 9)) + offsets)
    >>> found.shape, bool(np.corrcoef(found, offsets, rowvar=False)[0, 1] > 0.9)
    ((64, 1), True)
    """
    one_of(along, ("rows", "columns"), "what the offsets belong to")
    rows = image if along == "rows" else image.swapaxes(0, 1)
    if inside is not None:
        inside = checked_mask(inside, image if image.ndim == 2 else image[..., 0])
    mask = None if inside is None or inside.all() else inside if along == "rows" else inside.T
    at_once = max(1, AT_ONCE // rows[0].size)
    steps = [_steps(rows, mask, slice(top, top + at_once + 1)) for top in range(0, len(rows) - 1, at_once)]
    steps = np.concatenate([np.zeros_like(rows[:1, :1], float), *steps])
    spread = np.median(np.abs(steps), axis=0) / 0.6745
    sums = np.cumsum(np.where(np.abs(steps) > DRAWN * spread, 0, steps), axis=0)
    offsets = sums - gaussian_filter1d(sums, SHADING, axis=0)
    return offsets if along == "rows" else offsets.swapaxes(0, 1)


def _steps(rows: np.ndarray, mask: np.ndarray | None, few: slice) -> np.ndarray:
    """By how much each row differs from the one above, [N - 1, 1] or [N - 1, 1, C]; 0 where nothing counts."""
    differences = np.diff(rows[few].astype(np.float64), axis=0)
    if mask is None:
        return np.median(differences, axis=1, keepdims=True)
    counting = mask[few][1:] & mask[few][:-1]
    differences[~counting] = np.nan
    empty = ~counting.any(axis=1)
    differences[empty] = 0
    return np.nanmedian(differences, axis=1, keepdims=True)
