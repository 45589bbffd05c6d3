"""Sample tiles of a picture, on which candidates are judged, and the noise on them."""

import warnings

import numpy as np
from skimage.restoration import estimate_sigma

from dnlib.filters import channel_axis

TILE, TILES = 256, 4  # up to four tiles of 256x256 pixels


def sample_tiles(frames: list[np.ndarray]) -> list[np.ndarray]:
    """Up to TILES tiles of equal size, spread evenly over frames [H, W, C] and over each."""
    height, width = frames[0].shape[:2]
    th, tw = min(TILE, height), min(TILE, width)
    tops = sorted({0, (height - th) // 2, height - th})
    lefts = sorted({0, (width - tw) // 2, width - tw})
    places = [(top, left) for top in tops for left in lefts]
    count = min(TILES, len(places) * len(frames))
    tiles = []
    for k in range(count):
        frame = frames[k * len(frames) // count]
        top, left = places[k * len(places) // count if len(places) >= count else k % len(places)]
        tiles.append(without_single_channel(frame[top : top + th, left : left + tw]))
    return tiles


def without_single_channel(frame: np.ndarray) -> np.ndarray:
    """Filters take gray images as [H, W]."""
    return np.ascontiguousarray(frame[..., 0] if frame.shape[-1] == 1 else frame)


def noise_level(tiles: list[np.ndarray]) -> float:
    """Standard deviation of the noise, estimated from the finest wavelets, as the mean over tiles and colours.

    Parameters
    ----------
    tiles : list of ndarray
        Float images [H, W] or [H, W, C], whose units are those of the result.

    Examples
    --------
    >>> import numpy as np
    >>> noise_level([np.random.default_rng(0).normal(0, 3, (64, 64))]).__round__()
    3
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a colour without any detail: no noise in it
        levels = [estimate_sigma(tile, channel_axis=channel_axis(tile)) for tile in tiles]
    return float(np.nan_to_num(np.array(levels)).mean())
