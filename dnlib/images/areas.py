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
        same = np.ones(frame.shape[:2], bool)
        for channel in np.moveaxis(frame, -1, 0):
            largest, smallest = (extreme(channel, SIDE) for extreme in (ndimage.maximum_filter, ndimage.minimum_filter))
            same &= largest == smallest
        area[...] = ndimage.maximum_filter(same, SIDE)
    return areas


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
