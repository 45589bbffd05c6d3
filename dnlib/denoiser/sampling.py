"""Sample tiles of a picture, on which candidates are judged, and the noise on them."""

import math
import warnings
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from skimage.restoration import estimate_sigma

from dnlib.filters import channel_axis

TILE, TILES = 128, 4  # up to four tiles of 128x128 pixels
GRID, SMALL = 64, 24  # cells along the longer side when a rectangle is sought; pixels it must be high and wide
MARGIN = 8  # pixels around sample tiles that are not learnt from: neighbours may share their noise
DIRECTED = 2.2  # times more across than along: photographs without noise stay below 1.7


class Place(NamedTuple):
    """Where a sample tile lies: the number of its frame, its rows and its columns."""

    frame: int
    rows: slice
    columns: slice


def sample_tiles(frames: list[np.ndarray], inside: list[np.ndarray], share: float = 1.0) -> list[np.ndarray]:
    """The sample tiles of frames [H, W, C], as [H, W, C] or [H, W]."""
    return tiles_at(frames, sample_places(frames, inside, share))


def tiles_at(frames: list[np.ndarray], places: list[Place]) -> list[np.ndarray]:
    """The tiles that lie there, as [H, W, C] or [H, W]."""
    return [without_single_channel(frames[place.frame][place.rows, place.columns]) for place in places]


def share_that_counts(inside: list[np.ndarray], places: list[Place]) -> float:
    """Of the pixels of the sample tiles, those that count: few where no piece of these is large enough for a tile."""
    return float(np.mean([inside[place.frame][place.rows, place.columns].mean() for place in places]))


def sample_places(
    frames: list[np.ndarray], inside: list[np.ndarray], share: float = 1.0, alike: bool = False
) -> list[Place]:
    """Where up to TILES tiles of equal size lie, spread evenly over frames [H, W, C] and over each.

    A single small frame is one tile, and so is judged whole, unless they may take up a share only.
    Where `inside` is False pixels do not count: tiles come from the largest rectangle without such, common to all.
    share: of all pixels, that they take up at most, if there is more than one. alike: at the same places of every
    frame, of which they take up this share.
    """
    if alike:
        places = sample_places(frames[:1], [np.all(inside, axis=0)], share)
        count = min(TILES, len(places) * len(frames))
        return [places[k % len(places)]._replace(frame=k * len(frames) // count) for k in range(count)]
    rows, columns = largest_rectangle(np.all(inside, axis=0))
    height, width = rows.stop - rows.start, columns.stop - columns.start
    if len(frames) == 1 and share == 1 and height * width <= TILES * TILE**2:
        return [Place(0, rows, columns)]
    th, tw = min(TILE, height), min(TILE, width)
    corners = [(rows.start + top, columns.start + left) for top in _starts(height, th) for left in _starts(width, tw)]
    most = max(1, int(share * len(frames) * height * width / (th * tw)))
    count = min(TILES, most, len(corners) * len(frames))
    places = []
    for k in range(count):
        number = (2 * k + 1) * len(corners) // (2 * count) if len(corners) >= count else k % len(corners)
        top, left = corners[number]
        places.append(Place(k * len(frames) // count, slice(top, top + th), slice(left, left + tw)))
    return places


def _starts(length: int, side: int) -> list[int]:
    """Where up to three tiles begin that span a length evenly, with no more overlap than half a side."""
    return np.linspace(0, length - side, min(3, math.ceil(length / side - 0.5))).round().astype(int).tolist()


def largest_rectangle(inside: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of a large rectangle of a mask [H, W] in which all are True, found in steps of its grid.

    Where all are small the whole image is taken.

    Examples
    --------
    >>> mask = np.zeros((64, 64), bool)
    >>> mask[16:60] = True
    >>> largest_rectangle(mask)
    (slice(16, 60, None), slice(0, 64, None))
    """
    step = max(1, max(inside.shape) // GRID)
    rows, columns = (np.arange(0, size - step + 1, step) for size in inside.shape)
    cells = np.logical_and.reduceat(np.logical_and.reduceat(inside, rows, axis=0), columns, axis=1)
    heights, best = np.zeros(cells.shape[1], int), (0, 0, 0, 0, 0)
    for row, line in enumerate(cells):
        heights = np.where(line, heights + 1, 0)
        for height in np.unique(heights[heights > 0]):
            edges = np.flatnonzero(np.diff(np.r_[False, heights >= height, False]))
            longest = np.argmax(edges[1::2] - edges[::2])
            left, right = edges[2 * longest], edges[2 * longest + 1]
            best = max(best, (height * (right - left), row + 1 - height, row + 1, left, right))
    _, top, bottom, left, right = best
    borders = [np.append(starts, size) for starts, size in zip((rows, columns), inside.shape, strict=True)]
    found = slice(int(borders[0][top]), int(borders[0][bottom])), slice(int(borders[1][left]), int(borders[1][right]))
    if min(part.stop - part.start for part in found) < min(SMALL, *inside.shape):
        return slice(0, inside.shape[0]), slice(0, inside.shape[1])
    return found


def free_rectangles(inside: np.ndarray, places: Iterable[Place], least: int) -> list[tuple[slice, slice]]:
    """Rectangles of a frame that hold neither sample tiles nor pixels that do not count [H, W]; maybe none.

    least: pixels that they are high and wide.
    """
    free, found = inside.copy(), []
    for place in places:
        free[tuple(slice(max(0, one.start - MARGIN), one.stop + MARGIN) for one in place[1:])] = False
    while free[rectangle := largest_rectangle(free)].all() and min(free[rectangle].shape) >= least:
        found.append(rectangle)
        free[rectangle] = False
    return found


def between(frames: list[np.ndarray], inside: list[np.ndarray], places: list[Place], least: int) -> list[np.ndarray]:
    """The rectangles of frames [H, W, C] without sample tiles, at least so high and wide."""
    return [
        frame[rectangle]
        for number, (frame, counting) in enumerate(zip(frames, inside, strict=True))
        for rectangle in free_rectangles(counting, [one for one in places if one.frame == number], least)
    ]


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


def direction_of_noise(tiles: list[np.ndarray]) -> str:
    """Along what neighbours share the noise: "rows", "columns", or "" where neither stands out.

    Then the finest wavelets that look across hold more than those that look along, as no photograph does. tiles: float
    images [H, W] or [H, W, C].

    Examples
    --------
    >>> import numpy as np
    >>> noise = np.random.default_rng(0).normal(0, 1, (64, 64))
    >>> direction_of_noise([noise]), direction_of_noise([noise + np.roll(noise, 1, 1) + np.roll(noise, 2, 1)])
    ('', 'rows')
    """
    import pywt

    bands = [pywt.dwtn(tile, "db2", axes=(0, 1)) for tile in tiles]
    along_columns, along_rows = (np.mean([np.median(np.abs(band[key])) for band in bands]) for key in ("ad", "da"))
    if max(along_rows, along_columns) < DIRECTED * min(along_rows, along_columns) or along_rows == along_columns:
        return ""
    return "rows" if along_rows > along_columns else "columns"
