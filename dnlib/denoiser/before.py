"""What is done before anything is filtered: rows or columns that are too bright or dark levelled, impulses replaced."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from dnlib.denoiser.sampling import noise_level
from dnlib.filters import line_offsets, without_lines
from dnlib.images import Part, Picture, Range, middle
from dnlib.noise import MIDDLE, Impulses, impulses_in, line_noise

SMALLEST, FULL = 64, 0.9  # rows and columns, and the share of pixels that have to count
LINES = 128  # rows and columns, of which fewer do not tell noise of whole lines from what is in the picture
BOTH = "rows", "columns"
STRIP, MULTIPLE = 512, 32  # rows or columns of a large frame that are looked at, in full length; where they begin


@dataclass(frozen=True)
class Before:
    """Rows or columns that are levelled, and impulses that are replaced by the median of what is around.

    lines: along what, by the number of each sample that holds something; of a frame it is seen when it is read.
    Impulses are told from noise on values in [0, 1], which are black and white of `range`, and looked for everywhere.
    """

    lines: dict[int, tuple[str, ...]] = field(default_factory=dict)
    impulses: Impulses | None = None
    range: Range | None = None

    @property
    def along(self) -> tuple[str, ...]:
        """Along what lines are levelled in any of the samples."""
        return tuple(along for along in BOTH if any(along in one for one in self.lines.values()))

    @property
    def done(self) -> tuple[str, ...]:
        """In a few words for each."""
        replaced = (f"{self.impulses.share:.1%} impulses replaced",) if self.impulses else ()
        return (*(f"{along} levelled" for along in self.along), *replaced)

    @property
    def notes(self) -> list[str]:
        """In sentences."""
        some = {along: not all(along in one for one in self.lines.values()) for along in self.along}
        notes = [
            f"whole {along} share an offset{' in some frames' * some[along]}, which is taken off" for along in some
        ]
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
        if not self.done:  # of large samples there is no second copy
            return part
        frames = list(part.pixels)
        for number, lines in self.lines.items():
            for along in lines:
                frames[number] = without_lines(frames[number], along)
        return replace(part, pixels=np.stack([self._replaced(one) for one in frames]))

    def offsets(self, part: Part, frame: Picture) -> list[np.ndarray]:
        """What the rows, or columns, of a part of a frame are too bright by, each [H, W, C] as the part has them."""
        pixels, inside = frame.colours[part.source[1:]], frame.inside[part.source[1:3]]
        lines = lines_of(part, frame, self.along)
        return [np.broadcast_to(line_offsets(pixels, along, inside), pixels.shape) for along in lines]

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


def before_of(part: Part, picture: Picture, numbers: list[int], range: Range) -> Before:
    """What is to be done to a part, by its samples and the whole frames that they are of.

    numbers: of these frames, one for each sample. range: black and white of the part.
    """
    seen = {number: lines_of(part, picture.frame(number)) for number in {numbers[k] for k in part.holding}}
    before = Before({k: seen[numbers[k]] for k in part.holding})
    return replace(before, impulses=next(filter(None, _impulses(before.prepared(part), range)), None), range=range)


def _impulses(part: Part, range: Range) -> Iterator[Impulses | None]:
    """Those of each sample; of all but the first its middle is looked at."""
    for k in part.holding:
        pixels, inside = part.pixels[k], part.inside[k]
        if k != part.holding[0]:
            pixels, inside = middle(pixels, MIDDLE), middle(inside, MIDDLE)
        if min(inside.shape) >= SMALLEST and inside.mean() >= FULL:
            yield impulses_in((pixels.astype(np.float64) - range.low) / (range.high - range.low), inside)


def lines_of(part: Part, frame: Picture, among: tuple[str, ...] = BOTH) -> tuple[str, ...]:
    """Along what, of these, whole lines of a part of a frame are too bright or too dark by noise."""
    starts = [max(0, size - STRIP) // 2 // MULTIPLE * MULTIPLE for size in frame.inside.shape]
    rows, columns = (slice(start, start + STRIP) for start in starts)  # in the middle
    strips = {"rows": (rows, slice(None)), "columns": (slice(None), columns)}
    return tuple(along for along in among if along in _lines_in(part, frame, strips[along]))


def _lines_in(part: Part, frame: Picture, strip: tuple[slice, slice]) -> dict[str, float]:
    part = part.at(frame.colours[strip][None], frame.inside[strip][None])
    rows, columns = (np.flatnonzero(part.inside[0].any(axis=axis)) for axis in (1, 0))
    if min(len(rows), len(columns)) < LINES:
        return {}
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)  # borders may be missing
    pixels, inside = part.pixels[0][box].astype(np.float64), part.inside[0][box]
    if inside.mean() < FULL:
        return {}
    return line_noise(pixels, np.array(noise_level([pixels]) ** 2))
