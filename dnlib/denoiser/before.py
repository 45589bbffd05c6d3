"""What is done before anything is filtered: rows or columns that are too bright or dark levelled, impulses replaced."""

from dataclasses import dataclass, replace

import numpy as np

from dnlib.denoiser.sampling import noise_level
from dnlib.filters import line_offsets, without_lines
from dnlib.images import Part, Picture, Range
from dnlib.noise import Impulses, impulses_in, line_noise

SMALLEST, FULL = 64, 0.9  # rows and columns, and the share of pixels that have to count
LINES = 128  # rows and columns, of which fewer do not tell noise of whole lines from what is in the picture
STRIP, MULTIPLE = 512, 32  # rows or columns of a large frame that are looked at, in full length; where they begin


@dataclass(frozen=True)
class Before:
    """Rows or columns that are levelled, and impulses that are replaced by the median of what is around.

    Impulses are told from noise on values in [0, 1], which are black and white of `range`.
    """

    lines: tuple[str, ...] = ()
    impulses: Impulses | None = None
    range: Range | None = None

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
        pixels = part.pixels
        for along in self.lines:
            pixels = np.stack([without_lines(frame, along) for frame in pixels])
        return replace(part, pixels=np.stack([self._replaced(one) for one in pixels]) if self.impulses else pixels)

    def offsets(self, part: Part, frame: Picture) -> list[np.ndarray]:
        """What the rows, or columns, of a part of a frame are too bright by, each [H, W, C] as the part has them."""
        pixels, inside = frame.colours[part.source[1:]], frame.inside[part.source[1:3]]
        return [np.broadcast_to(line_offsets(pixels, along, inside), pixels.shape) for along in self.lines]

    def of(self, pixels: np.ndarray, offsets: list[np.ndarray], corner: tuple[int, int]) -> np.ndarray:
        """Pixels [h, w, C] of a frame that has these offsets, in which they begin at this row and column."""
        place = tuple(slice(start, start + size) for start, size in zip(corner, pixels.shape[:2], strict=True))
        for one in offsets:
            pixels = pixels - one[place]
        return self._replaced(pixels)

    def _replaced(self, pixels: np.ndarray) -> np.ndarray:
        if self.impulses is None:
            return pixels
        low, span = self.range.low, self.range.high - self.range.low
        return low + span * self.impulses.replaced((pixels.astype(np.float64) - low) / span)


NOTHING = Before()


def before_of(part: Part, frame: Picture, range: Range) -> Before:
    """What is to be done to a part, by a whole frame and by the first of its samples; range: its black and white."""
    lines, first = lines_of(part, frame), part.holding[0]
    pixels, inside = Before(lines).prepared(part).pixels[first], part.inside[first]
    if min(inside.shape) < SMALLEST or inside.mean() < FULL:
        return Before(lines)
    unit = (pixels.astype(np.float64) - range.low) / (range.high - range.low)
    return Before(lines, impulses_in(unit, inside), range)


def lines_of(part: Part, frame: Picture) -> tuple[str, ...]:
    """Along what whole lines of a part of a frame are too bright or too dark by noise: "rows", "columns"."""
    starts = [max(0, size - STRIP) // 2 // MULTIPLE * MULTIPLE for size in frame.inside.shape]
    rows, columns = (slice(start, start + STRIP) for start in starts)  # in the middle
    strips = {"rows": (rows, slice(None)), "columns": (slice(None), columns)}
    return tuple(along for along, strip in strips.items() if along in _lines_in(part, frame, strip))


def _lines_in(part: Part, frame: Picture, strip: tuple[slice, slice]) -> dict[str, float]:
    part = part.at(frame.colours[strip][None], frame.inside[strip][None])
    pixels, inside = part.pixels[0].astype(np.float64), part.inside[0]
    if min(inside.shape) < LINES or inside.mean() < FULL:
        return {}
    return line_noise(pixels, np.array(noise_level([pixels]) ** 2))
