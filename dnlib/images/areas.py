"""Where an image has nothing to denoise: constant areas; and missing pixels filled, so that filters do not see them."""

import numpy as np
from scipy import ndimage

SIDE = 9  # pixels of one value, this many high and wide, are a constant area


def constant_areas(frames: np.ndarray) -> np.ndarray:
    """Black borders, saturated skies, padding: where all pixels of a square are equal, in every channel.

    Parameters
    ----------
    frames
        [F, H, W, C], of any real type.

    Returns
    -------
    numpy.ndarray
        bool [F, H, W].

    Examples
    --------
    >>> frame = np.random.default_rng(0).random((1, 32, 32, 1))
    >>> frame[:, :10] = 0
    >>> int(constant_areas(frame).sum()) == 10 * 32
    True
    """
    areas = np.zeros(frames.shape[:3], bool)
    for frame, area in zip(frames, areas, strict=True):
        padded = np.pad(frame, [(SIDE // 2, SIDE // 2)] * 2 + [(0, 0)], mode="symmetric")
        level = _eight((padded[:, 1:] == padded[:, :-1]).all(axis=-1), axis=1)  # 9 equal pixels in a row
        upright = _eight((padded[1:, : level.shape[1]] == padded[:-1, : level.shape[1]]).all(axis=-1), axis=0)
        same = upright & _eight(level[1:], axis=0) & level[: len(upright)]
        area[...] = ndimage.maximum_filter(same, SIDE) if same.any() else False
    return areas


def _eight(mask: np.ndarray, axis: int) -> np.ndarray:
    """Where a mask is True, and in the seven places that follow along an axis."""
    mask = np.moveaxis(mask, axis, 0)
    for shift in (1, 2, 4):
        mask = mask[:-shift] & mask[shift:]
    return np.moveaxis(mask, 0, axis)


def filled(frames: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Frames [F, H, W, C] whose missing pixels have the values of the nearest ones that count.

    Parameters
    ----------
    frames
        Of any real type.
    inside
        [F, H, W], False where pixels are missing; a frame without any other is left as it is.

    Examples
    --------
    >>> filled(np.array([[[[7.0], [np.nan], [3.0]]]]), np.array([[[True, False, True]]])).ravel().tolist()
    [7.0, 7.0, 3.0]
    """
    if inside.all():
        return frames
    result = frames.copy()
    for frame, counts in zip(result, inside, strict=True):
        if counts.any() and not counts.all():
            nearest = ndimage.distance_transform_edt(~counts, return_distances=False, return_indices=True)
            frame[...] = frame[tuple(nearest)]
    return result
