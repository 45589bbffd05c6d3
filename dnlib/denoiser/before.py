"""What is done before anything is filtered: rows levelled, impulses replaced."""

from dataclasses import dataclass, replace

import numpy as np

from dnlib.denoiser.lines import FULL, SMALLEST, levelled, levelled_part, lines_of
from dnlib.images import Part, Picture
from dnlib.noise import Impulses, impulses_in


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
