"""Before anything is filtered, rows or columns with an offset of their own are levelled, and impulses replaced."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from dnlib.denoiser.sampling import noise_level
from dnlib.filters import line_offsets, without_lines
from dnlib.images import Part, Picture, Range, middle
from dnlib.noise import MIDDLE, Impulses, impulses_in, line_noise

SMALLEST = 64  # rows and columns that a sample needs for impulses to be looked for
FULL = 0.9  # share of the pixels that have to count
LINES = 128  # rows and columns: fewer do not tell noise of whole lines from what is in the picture
BOTH = "rows", "columns"
STRIP = 512  # rows of a large frame that are looked at, in their full length; columns likewise
MULTIPLE = 32  # such a strip begins at a multiple of it


@dataclass(frozen=True)
class Before:
    """Rows or columns that are levelled, and impulses that are replaced by the median of what is around.

    lines: for each sample that holds something, by its number, which of "rows" and "columns" have offsets. Every frame
    is asked again when it is read, for they may differ from frame to frame.
    impulses: None where there are none. They are known by their values in `range`, whose black is 0 and white 1.
    """

    lines: dict[int, tuple[str, ...]] = field(default_factory=dict)
    impulses: Impulses | None = None
    range: Range | None = None

    @property
    def along(self) -> tuple[str, ...]:
        """Which of "rows" and "columns" have offsets in any of the samples."""
        return tuple(along for along in BOTH if any(along in one for one in self.lines.values()))

    @property
    def done(self) -> tuple[str, ...]:
        """What is done, each step in a few words."""
        replaced = (f"{self.impulses.share:.1%} impulses replaced",) if self.impulses else ()
        return (*(f"{along} levelled" for along in self.along), *replaced)

    @property
    def notes(self) -> list[str]:
        """What is done, in sentences."""
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
        """How many pixels on each side a value depends on; offsets of whole rows are not counted."""
        return self.impulses.reach if self.impulses else 0

    def prepared(self, part: Part) -> Part:
        """The part with all of this done to its sample frames, each by itself."""
        if not self.done:  # of large samples there is no second copy
            return part
        frames = list(part.pixels)
        for number, lines in self.lines.items():
            for along in lines:
                frames[number] = without_lines(frames[number], along)
        return replace(part, pixels=np.stack([self._replaced(one) for one in frames]))

    def offsets(self, part: Part, frame: Picture) -> list[np.ndarray]:
        """By how much the rows, then the columns, of a part of a frame are too bright, each as [H, W, C]."""
        pixels, inside = frame.colours[part.source[1:]], frame.inside[part.source[1:3]]
        lines = lines_of(part, frame, self.along)
        return [np.broadcast_to(line_offsets(pixels, along, inside), pixels.shape) for along in lines]

    def applied(self, pixels: np.ndarray, offsets: list[np.ndarray], corner: tuple[int, int]) -> np.ndarray:
        """Pixels [h, w, C] with all of this done. offsets: of their frame. corner: the row and column they begin at."""
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
    """What is to be done to a part: its samples show impulses, and the frames that they come from show offsets.

    numbers: of these frames, one for each sample. range: black and white of the part.
    """
    seen = {number: lines_of(part, picture.frame(number)) for number in {numbers[k] for k in part.holding}}
    before = Before({k: seen[numbers[k]] for k in part.holding})
    return replace(before, impulses=next(filter(None, _impulses(before.prepared(part), range)), None), range=range)


def _impulses(part: Part, range: Range) -> Iterator[Impulses | None]:
    """The impulses of each sample; of all samples but the first, only the middle is looked at."""
    for k in part.holding:
        pixels, inside = part.pixels[k], part.inside[k]
        if k != part.holding[0]:
            pixels, inside = middle(pixels, MIDDLE), middle(inside, MIDDLE)
        if min(inside.shape) >= SMALLEST and inside.mean() >= FULL:
            yield impulses_in((pixels.astype(np.float64) - range.low) / (range.high - range.low), inside)


def lines_of(part: Part, frame: Picture, among: tuple[str, ...] = BOTH) -> tuple[str, ...]:
    """Which of "rows" and "columns" of a part of a frame have noise that a whole line shares."""
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
