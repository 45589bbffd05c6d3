"""The panels of a page: the whole frame, reduced, and a detail at true pixels, written into the page itself."""

import base64
import io
from dataclasses import dataclass

import numpy as np

LONGEST, DETAIL = 1000, 160  # pixels of the longer side of a whole picture, and of each side of a detail
WIDE, NARROW = 480, 320  # pixels of the screen that a detail fills, where there is room and on a phone
CELL = 16  # pixels, on whose grid details lie
DRAWN = 4  # standard deviations of the noise, at which what was removed is black or white


@dataclass(frozen=True)
class Frame:
    """A frame [H, W] or [H, W, 3] before and after, in one unit; noise: the standard deviation of what it had.

    inside: [H, W], False where nothing was measured. uncertainty: [H, W] or None.
    """

    before: np.ndarray
    after: np.ndarray
    inside: np.ndarray
    noise: float
    uncertainty: np.ndarray | None = None


@dataclass(frozen=True)
class Panel:
    """One part of a frame, drawn.

    before, after, removed, uncertainty: images, as addresses that hold them. black, white: the values drawn so.
    limit: what was removed where `removed` is white. most: the uncertainty that is brightest.
    rows, columns: the part. reduced: by how many times it is smaller than these.
    """

    before: str
    after: str
    removed: str
    black: float
    white: float
    limit: float
    rows: slice
    columns: slice
    reduced: int
    uncertainty: str = ""
    most: float = 0.0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the images, in pixels."""
        return tuple((one.stop - one.start) // self.reduced for one in (self.columns, self.rows))

    @property
    def zoom(self) -> tuple[int, int]:
        """How many pixels of the screen one pixel fills on each side, where there is room and on a phone."""
        return max(1, WIDE // max(self.size)), max(1, NARROW // max(self.size))

    @property
    def exact(self) -> bool:
        """Whether it is shown pixel by pixel, with nothing lost."""
        return max(self.size) <= DETAIL


def panels_of(frame: Frame) -> list[Panel]:
    """The whole of a frame and, if it is large, the detail from which most was removed."""
    height, width = frame.inside.shape
    limits = _black_and_white(frame)
    whole = _panel(frame, slice(0, height), slice(0, width), *limits)
    return [whole] if whole.exact else [whole, _panel(frame, *_where_most_was_removed(frame), *limits)]


def in_colour(unit: np.ndarray) -> np.ndarray:
    """Values of any shape in [0, 1] as colours [..., 3], from dark to bright."""
    from matplotlib import colormaps

    return colormaps["viridis"](unit)[..., :3]


def _panel(frame: Frame, rows: slice, columns: slice, black: float, white: float) -> Panel:
    reduced = -(-max(rows.stop - rows.start, columns.stop - columns.start) // LONGEST)
    inside = frame.inside[rows, columns]
    noisy, clean = (
        _reduced(np.where(_like(inside, image), image[rows, columns], 0), reduced)
        for image in (frame.before, frame.after)
    )
    counts, limit = _reduced(inside, reduced) == 1, DRAWN * frame.noise / reduced or 1.0
    pictures = [(noisy - black) / (white - black), (clean - black) / (white - black), 0.5 + (noisy - clean) / limit / 2]
    drawn = [_address(np.where(_like(counts, picture), picture, 0.5)) for picture in pictures]
    uncertainty, most = "", 0.0
    if frame.uncertainty is not None:
        deviation = np.where(counts, _reduced(frame.uncertainty[rows, columns], reduced), 0)
        most = float(np.percentile(deviation, 99.9)) or 1.0
        uncertainty = _address(in_colour(deviation / most))
    return Panel(*drawn, black, white, limit, rows, columns, reduced, uncertainty, most)


def _black_and_white(frame: Frame) -> tuple[float, float]:
    """The values between which nearly all of a frame lie, by a sample of them."""
    step = max(1, max(frame.inside.shape) // LONGEST)
    inside = frame.inside[::step, ::step]
    values = frame.before[::step, ::step][inside if inside.any() else ...]
    black, white = (float(limit) for limit in np.percentile(values, (0.1, 99.9)))
    return black, white if white > black else black + 1


def _where_most_was_removed(frame: Frame) -> tuple[slice, slice]:
    """Rows and columns of the detail whose removed values have the largest squares; the middle if none were removed."""
    height, width = (min(DETAIL, side) for side in frame.inside.shape)
    last_top, last_left = frame.inside.shape[0] - height, frame.inside.shape[1] - width
    tops, lefts = (np.r_[last // 2, 0:last:CELL, last] for last in (last_top, last_left))
    sums = np.zeros((len(frame.inside) + 1, len(lefts)))  # of the rows so far, for all places from left to right
    for row, (noisy, clean, inside) in enumerate(zip(frame.before, frame.after, frame.inside, strict=True)):
        removed = np.where(_like(inside, noisy), np.subtract(noisy, clean, dtype=float), 0)
        squares = np.r_[0, np.cumsum(np.square(removed).reshape(len(inside), -1).sum(axis=1))]
        sums[row + 1] = sums[row] + squares[lefts + width] - squares[lefts]
    most = sums[tops + height] - sums[tops]
    top, left = (
        int(places[k]) for places, k in zip((tops, lefts), np.unravel_index(most.argmax(), most.shape), strict=True)
    )
    return slice(top, top + height), slice(left, left + width)


def _reduced(image: np.ndarray, factor: int) -> np.ndarray:
    """The means of squares of factor x factor pixels; of a side that is shorter all of it."""
    across, along = (min(factor, side) for side in image.shape[:2])
    height, width = image.shape[0] // across, image.shape[1] // along
    squares = image[: height * across, : width * along].reshape(height, across, width, along, *image.shape[2:])
    return squares.mean(axis=(1, 3), dtype=np.float64)


def _like(mask: np.ndarray, image: np.ndarray) -> np.ndarray:
    """A mask with an axis more if the image has one for colours."""
    return mask[..., None] if image.ndim > mask.ndim else mask


def _address(unit: np.ndarray) -> str:
    """[H, W] or [H, W, 3] in [0, 1] as an address: what is shown pixel by pixel loses nothing, the rest is JPEG."""
    from PIL import Image

    picture, written = Image.fromarray(np.rint(np.clip(unit, 0, 1) * 255).astype(np.uint8)), io.BytesIO()
    kind, options = ("png", {}) if max(picture.size) <= DETAIL else ("jpeg", {"quality": 80, "subsampling": 0})
    picture.save(written, kind, **options)
    return address_of(kind, written.getvalue())


def address_of(kind: str, image: bytes) -> str:
    """An address that holds an image of a kind, as "png"."""
    return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"
