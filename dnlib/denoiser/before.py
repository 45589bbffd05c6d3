"""What is done before anything is filtered: rows or columns that are too bright or dark levelled, impulses replaced."""

from dataclasses import dataclass, replace

import numpy as np

from dnlib.denoiser.sampling import noise_level
from dnlib.filters import line_offsets, without_lines
from dnlib.images import Part, Picture
from dnlib.noise import Impulses, impulses_in, line_noise

SMALLEST, FULL = 64, 0.9  # rows and columns, and the share of pixels that have to count
LINES = 128  # rows and columns, of which fewer do not tell noise of whole lines from what is in the picture
STRIP, MULTIPLE = 512, 32  # rows or columns of a large frame that are looked at, in full length; where they begin


@dataclass(frozen=True)
class Before:
    """Rows or columns that are levelled, and impulses that are replaced by the median of what is around.

    Impulses are told from noise on values in [0, 1], which are `low` and `low + span`.
    """

    lines: tuple[str, ...] = ()
    impulses: Impulses | None = None
    low: float = 0.0
    span: float = 1.0

    @property
    def done(self) -> tuple[str, ...]:
        """In a few words for each."""
        replaced = (f"{self.impulses.share:.1%} impulses replaced",) if self.impulses else ()
        return (*(f"{along} levelled" for along in self.lines), *replaced)

    @property
    def notes(self) -> list[str]:
        """In sentences."""
        notes = [f"whole {along} share an offset, which is taken off" for along in self.lines]
        if self.impulses:
            notes.append(
                f"{self.impulses.share:.1%} of the values are far too bright or too dark, alone and at random: "
                "impulses, each replaced by the median of its neighbours"
            )
        return notes

    @property
    def reach(self) -> int:
        """How many pixels on each side a value depends on, but for offsets of whole rows."""
        return self.impulses.reach if self.impulses else 0

    def prepared(self, part: Part) -> Part:
        """A part with sample frames of which each is levelled by itself."""
        part = levelled_part(part, self.lines)
        return replace(part, pixels=np.stack([self._replaced(one) for one in part.pixels])) if self.impulses else part

    def of(self, pixels: np.ndarray, offsets: list[np.ndarray], corner: tuple[int, int]) -> np.ndarray:
        """Pixels [h, w, C] of a frame that has these offsets, in which they begin at this row and column."""
        return self._replaced(levelled(pixels, offsets, corner))

    def _replaced(self, pixels: np.ndarray) -> np.ndarray:
        if self.impulses is None:
            return pixels
        return self.low + self.span * self.impulses.replaced((pixels.astype(np.float64) - self.low) / self.span)


NOTHING = Before()


def before_of(part: Part, frame: Picture, low: float, high: float) -> Before:
    """What is to be done to a part, by a whole frame and by the first of its samples."""
    lines, span = lines_of(part, frame), high - low
    first = part.holding[0]
    pixels, inside = levelled_part(part, lines).pixels[first], part.inside[first]
    if span <= 0 or min(inside.shape) < SMALLEST or inside.mean() < FULL:
        return Before(lines)
    return Before(lines, impulses_in((pixels.astype(np.float64) - low) / span, inside), low, span)


def lines_of(part: Part, frame: Picture) -> tuple[str, ...]:
    """Along what whole lines of a part of a frame are too bright or too dark by noise: "rows", "columns"."""
    found = [_lines_in(part, frame, strip) for strip in _strips(frame.inside.shape)]
    return tuple(along for along, seen in zip(("rows", "columns"), found, strict=True) if along in seen)


def _strips(shape: tuple[int, int]) -> list[tuple[slice, slice]]:
    """Rows in the middle of a frame [H, W], and columns."""
    starts = [max(0, size - STRIP) // 2 // MULTIPLE * MULTIPLE for size in shape]
    rows, columns = (slice(start, start + STRIP) for start in starts)
    return [(rows, slice(None)), (slice(None), columns)]


def _lines_in(part: Part, frame: Picture, strip: tuple[slice, slice]) -> dict[str, float]:
    part = part.at(frame.colours[strip][None], frame.inside[strip][None])
    pixels, inside = part.pixels[0].astype(np.float64), part.inside[0]
    if min(inside.shape) < LINES or inside.mean() < FULL:
        return {}
    return line_noise(pixels, np.array(noise_level([pixels]) ** 2))


def offsets_of(part: Part, frame: Picture, lines: tuple[str, ...]) -> list[np.ndarray]:
    """What the rows of a part of a frame are too bright by, [h, 1, C], or the columns, [1, w, C]."""
    pixels, inside = frame.colours[part.source[1:]], frame.inside[part.source[1:3]]
    return [line_offsets(pixels, along, inside) for along in lines]


def levelled(pixels: np.ndarray, offsets: list[np.ndarray], corner: tuple[int, int]) -> np.ndarray:
    """Pixels [h, w, C] without the offsets of the frame in which they begin at this row and column."""
    for one in offsets:
        place = [
            slice(start, start + size) if length > 1 else slice(None)
            for start, size, length in zip(corner, pixels.shape, one.shape[:2], strict=False)
        ]
        pixels = pixels - one[tuple(place)]
    return pixels


def levelled_part(part: Part, lines: tuple[str, ...]) -> Part:
    """A part each of whose frames is levelled by itself; itself without lines."""
    pixels = part.pixels
    for along in lines:
        pixels = np.stack([without_lines(frame, along) for frame in pixels])
    return replace(part, pixels=pixels)
