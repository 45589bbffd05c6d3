"""Shots of one scene, to learn from them: the frames of a picture, less what its sample tiles lie on in any shot."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dnlib.denoiser.before import Before
from dnlib.denoiser.glances import Glance
from dnlib.denoiser.lessons import SIDE, Shots
from dnlib.denoiser.sampling import Place, free_rectangles
from dnlib.images import Part, Picture, Range, check_burst

if TYPE_CHECKING:
    from torch import Tensor

SHOTS, MIDDLES = 5, 3  # that a target is pieced together for and from; for how many of all shots it is done
ROOM = 320  # pixels to a side of what is learnt from: the search in it takes seconds
AREAS = 2  # of these in a shot


@dataclass(frozen=True)
class Burst:
    """The frames of a picture, shots of one scene one after the other, and which pieces of them are samples.

    numbers: of the frames that are not constant; the others show nothing.
    """

    picture: Picture
    samples: Sequence[Glance]
    numbers: Sequence[int]

    def lessons(self, part: Part, before: Before, limits: Range, places: Sequence[Place]) -> Shots:
        """What can be learnt from the shots of a part, without what its sample tiles lie on in any of them.

        limits: black and white of the part. places: of these tiles, in the samples that hold something. Raises
        ValueError for shots that nothing can be learnt from.
        """
        held_out = [_in_frame(self.samples[part.holding[one.frame]], one) for one in places]
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            groups = [
                self._of([self.numbers[k] for k in shots], part, before, limits, held_out)
                for shots in shots_of(len(self.numbers))
            ]
        return Shots(
            [one for group in groups for one in group], tuple(dict.fromkeys(str(one.message) for one in caught))
        )

    def _of(
        self, shots: Sequence[int], part: Part, before: Before, limits: Range, held_out: list[Place]
    ) -> "list[Tensor]":
        import torch

        frames = [self.picture.frame(number) for number in shots]
        counting = [part.at(frame.colours[None], frame.inside[None]).inside[0] for frame in frames]
        free = free_rectangles(np.all(counting, axis=0), held_out, SIDE)[:AREAS]
        areas = [tuple(slice(one.start, min(one.stop, one.start + ROOM)) for one in rectangle) for rectangle in free]
        offsets = [before.offsets(part, frame) for frame in frames]
        found = []
        for area in areas:
            corner, pixels = tuple(one.start for one in area), []
            for frame, own in zip(frames, offsets, strict=True):
                seen = part.at(frame.colours[area][None], frame.inside[area][None]).pixels[0]
                pixels.append(limits.to_unit(before.applied(seen, own, corner)).transpose(2, 0, 1))
            found.append(torch.from_numpy(np.stack(pixels).astype(np.float32)))
        if found:  # the largest area tells what there is to tell; the others would tell it in other numbers
            names = getattr(self.picture, "names", ())  # of files
            check_burst(found[0], names=[names[number] if names else f"shot {number + 1}" for number in shots])
        return found


def shots_of(count: int) -> list[range]:
    """Which of so many shots are taken together: neighbours, an odd number of them, around up to MIDDLES of all.

    Raises ValueError for fewer than three.

    Examples
    --------
    >>> shots_of(3), shots_of(9)
    ([range(0, 3)], [range(0, 5), range(2, 7), range(4, 9)])
    """
    if count < 3:
        raise ValueError(
            "--burst (burst=) takes three shots of one scene or more, which are not constant; "
            f"{count} {'was' if count == 1 else 'were'} given"
        )
    together = min(SHOTS, (count - 1) // 2 * 2 + 1)
    starts = dict.fromkeys(np.linspace(0, count - together, MIDDLES).astype(int).tolist())
    return [range(start, start + together) for start in starts]


def _in_frame(sample: Glance, place: Place) -> Place:
    """Where a sample tile lies in the whole frame."""
    seen = zip(sample.tile.seen, place[1:], strict=True)
    return Place(0, *(slice(piece.start + one.start, piece.start + one.stop) for piece, one in seen))
