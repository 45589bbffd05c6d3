"""A plan carried out: frame by frame, tile by tile and part by part, in the memory of one frame."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from dnlib.denoiser.choice import DRAWS, Choice
from dnlib.denoiser.choosing import Chosen
from dnlib.denoiser.glances import kept_of, pieces_of
from dnlib.denoiser.uncertainty import kind_of, spread
from dnlib.images import Part, Picture, Tile, tiles_of


@dataclass(frozen=True)
class Task:
    """A part of a picture and what was chosen for it.

    low, high, step: integers that are written lie between the first two, at multiples of the third. size: how many
    values the part has in the whole picture.
    """

    part: Part
    chosen: Chosen
    low: float
    high: float
    step: int
    size: int

    @property
    def seconds(self) -> float:
        """How long it may take on two cores of a laptop."""
        judged = self.chosen.judged
        return 0.0 if judged is None else judged.candidate.seconds * self.size / 1e6

    @property
    def stride(self) -> int:
        """How many pixels of the picture lie between neighbours of the part: 2 for one colour of a mosaic, else 1."""
        return self.part.source[1].step or 1

    def tiles(self, shape: tuple[int, int]) -> list[Tile]:
        """The tiles in which a frame [H, W] is denoised."""
        if self.chosen.reach is None:
            return tiles_of(shape, side=max(shape), margin=0)
        return pieces_of(shape, self.chosen.reach, self.stride)

    def corner(self, tile: Tile) -> tuple[int, int]:
        """The row and column of the part at which a tile begins."""
        return tile.seen[0].start // self.stride, tile.seen[1].start // self.stride


@dataclass(frozen=True)
class Plan:
    """How a picture is denoised.

    picture: in memory, or read from disk frame by frame. kind: the type that is written. tasks: what is done to each
    frame. notes: what a user is told. shown: the number of the frame that a page shows. uncertain: whether the standard
    deviation of every value is wanted.
    """

    picture: Picture
    kind: np.dtype
    tasks: list[Task]
    notes: tuple[str, ...]
    shown: int
    uncertain: bool = False

    @property
    def choice(self) -> Choice:
        """What was chosen for the first part; `Choice.parts` has the others."""
        choices = [self._choice_of(task.chosen) for task in self.tasks]
        several = len(self.tasks) > 1 or self.tasks[0].part.name
        parts = {task.part.name: one for task, one in zip(self.tasks, choices, strict=True)} if several else {}
        return replace(choices[0], parts=parts, notes=self.notes)

    def _at_work(self) -> str:
        """What the progress bar says; work of two minutes and more has its length in it."""
        draws = 1 + DRAWS * self.uncertain
        minutes = math.ceil(draws * sum(task.seconds for task in self.tasks) / 60)
        return "denoising" if minutes < 2 else f"denoising, about {minutes} minutes on two cores of a laptop"

    def _choice_of(self, chosen: Chosen) -> Choice:
        """The choice, with the kind of its uncertainty if there is one."""
        kind = kind_of(chosen)
        return replace(chosen.choice, uncertainty_kind=kind if self.uncertain or kind == "posterior" else "")

    def frames(self, progress: bool) -> Iterator[tuple[Picture, np.ndarray | None]]:
        """Every frame denoised, and the standard deviation of its values [H, W, C] or None."""
        shape = self.picture.colours.shape[-3:-1]
        total = self.picture.count * sum(len(task.tiles(shape)) for task in self.tasks)
        with tqdm(total=total, desc=self._at_work(), disable=not progress, leave=False, unit="piece") as bar:
            for number in range(self.picture.count):
                yield self._frame(self.picture.frame(number), bar)

    def pixels(self, progress: bool, shown: list[Picture], deviations: np.ndarray | None) -> Iterator[np.ndarray]:
        """The pixels of every frame denoised; the frame shown is put into a list, deviations into [N, H, W, C]."""
        for number, (frame, deviation) in enumerate(self.frames(progress)):
            if number == self.shown:
                shown.append(frame)
            if deviations is not None:
                deviations[number] = deviation
            yield frame.pixels

    def whole(self, progress: bool) -> tuple[Picture, np.ndarray | None]:
        """The picture denoised, and the standard deviation of its values [..., H, W, C] or None."""
        shape = self.picture.colours.shape
        if self.picture.count == 1:  # of a large frame there is no second copy
            frame, uncertainty = next(self.frames(progress))
            colours = frame.colours
        else:
            colours = np.empty((self.picture.count, *shape[-3:]), self.kind)
            uncertainty = np.empty(colours.shape, np.float32) if self.choice.doubt else None
            for number, (frame, deviation) in enumerate(self.frames(progress)):
                colours[number] = frame.colours
                if uncertainty is not None:
                    uncertainty[number] = deviation
        uncertainty = None if uncertainty is None else uncertainty.reshape(shape)
        return self.picture.with_colours(colours.reshape(shape)), uncertainty

    def _frame(self, frame: Picture, bar: tqdm) -> tuple[Picture, np.ndarray | None]:
        colours, inside = frame.colours, frame.inside
        result = as_type(colours, self.kind, -np.inf, np.inf, 1)
        deviations = np.zeros(colours.shape, np.float32) if self.choice.doubt else None
        for task in self.tasks:
            chosen, before = task.chosen, task.chosen.before
            offsets = before.offsets(task.part, frame)
            for tile in task.tiles(inside.shape):
                part = task.part.at(colours[tile.seen][None], inside[tile.seen][None])
                bar.update()
                if not part.holding:
                    continue
                pixels = before.applied(part.pixels[0], offsets, task.corner(tile))
                restored, deviation = chosen.apply(pixels, part.inside[0])
                if self.uncertain and deviation is None:
                    deviation = spread(chosen, restored, part.inside[0])
                written = as_type(restored, self.kind, task.low, task.high, task.step)
                _put(result, written, tile, part)
                if deviations is not None:
                    _put(deviations, deviation, tile, part)
        if frame.alpha == "associated":
            np.minimum(result, frame.pixels[..., -1:].astype(self.kind), out=result)
        return frame.with_colours(result), deviations


def _put(frame: np.ndarray, values: np.ndarray, tile: Tile, part: Part) -> None:
    """Write a part's values [h, w, c] of a tile into a frame [H, W, C], where they count and are kept."""
    target, place = frame[tile.seen], part.target[1:]
    used = part.inside[0] & kept_of(tile)[part.source[1:3]]
    target[place] = np.where(used[..., None], values, target[place])


def as_type(values: np.ndarray, kind: np.dtype, low: float, high: float, step: int) -> np.ndarray:
    """Values in the type that is written: integers are rounded to multiples of `step` and kept in [low, high]."""
    if np.issubdtype(kind, np.integer):
        limits = np.iinfo(kind)
        values = np.clip(np.clip(step * np.rint(values / step), low, high), limits.min, limits.max)
    return values.astype(kind)
