"""How a picture goes through, piece by piece: frames one after the other, large ones in tiles, in the memory of one.

1. `glances`: a first look at every piece finds what holds something, and the samples; `images.parts_of` takes these
   apart into what is denoised by itself. `limits`: black and white of each part, 0 and 1 in all that follows.
2. `before`: rows or columns that are too bright are levelled, impulses replaced.
3. `sampling`, `strength`: tiles of the samples, and what noise they have; `drawn`: or none at all.
4. `candidates`: classical filters and networks (`learned`), each in a few settings for such noise.
5. `judging`: each is shown the tiles with a little more of this noise; how it answers gives its risk (Stein), and with
   it the share of what it removes that does good. `adapting`, `detail`: the best network, trained further
   on the rest, or on shots of one scene: `lessons`, `burst`.
6. `choosing`: the least risk, or the picture as it is; every piece is blended with what the chosen one makes of it.
7. `uncertainty`: how far off the result may be, if asked for.
8. `caveats`: what a user should know of it; `choice` tells all of that in numbers.
9. `whole`: arrays in and out; `files`, `written`, `destinations`, `shots`: files; `page`, `panels`: a page to see it.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from dnlib.denoiser.adapting import check_adaptable, check_parts
from dnlib.denoiser.before import NOTHING, before_of
from dnlib.denoiser.burst import Burst
from dnlib.denoiser.candidates import CANDIDATES, TOGETHER
from dnlib.denoiser.caveats import with_notes
from dnlib.denoiser.choice import DRAWS, Choice
from dnlib.denoiser.choosing import Chosen, choose
from dnlib.denoiser.glances import Glance, kept_of, limits_of, look_at, pieces_of, samples_of, together
from dnlib.denoiser.limits import (
    check_counts,
    check_kept,
    check_values,
    fitting,
    told_range,
    type_name,
    without_hot_pixels,
)
from dnlib.denoiser.uncertainty import kind_of, spread
from dnlib.images import Part, Picture, Range, Tile, one_of, parts_of, tiles_of
from dnlib.noise import unlike_noise

PATIENCE, FOR_A_MEGAPIXEL = 60.0, 1.1  # seconds, and for every million values: enough for any network
DTYPES = ("uint8", "uint16", "float32", "float64")  # that can be asked for


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
        result = colours.astype(self.kind)
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


def plan(
    picture: Picture,
    *,
    filter: str = "auto",
    device: str = "auto",
    range: tuple[float, float] | None = None,
    dtype: str | None = None,
    patience: float | None = None,
    uncertainty: bool = False,
    adapt: float | None = None,
    burst: bool = False,
    progress: bool = False,
) -> Plan:
    """Look at a picture and choose how to denoise it; arguments as of `denoise`."""
    check_request(filter=filter, device=device, range=range, dtype=dtype, adapt=adapt, burst=burst)
    kind = picture.pixels.dtype if dtype is None else np.dtype(dtype)
    told = None if range is None else told_range(range)
    glances, missing, kept = look_at(picture, progress)
    check_kept(kept, missing, kind)
    holding = [one for one in glances if one.varying.any()] or glances  # what varies may do so between pieces
    samples = samples_of(holding)
    shots = Burst(picture, samples, sorted({one.number for one in holding})) if burst else None
    in_colour = any(CANDIDATES[name].channels == 3 for name in filter.split(TOGETHER) if name in CANDIDATES)
    unlike = None if in_colour else unlike_noise
    parts, notes = parts_of(together(picture, samples), unlike=unlike, samples=True)
    check_counts(parts, kind)
    if adapt is not None:
        check_parts(parts)
    asked = {"filter": filter, "device": device, "progress": progress, "adapt": adapt, "burst": shots}
    tasks = []
    for part, values in zip(parts, limits_of(picture, parts, holding, samples), strict=True):
        task, said = _task_for(part, values, told, kind, picture, samples, len(glances), patience, **asked)
        tasks.append(task)
        notes += said
    black = picture.count - len({one.number for one in holding})
    notes += [f"{black} of {picture.count} frames are constant and left alone"] if black else []
    return Plan(picture, kind, tasks, tuple(dict.fromkeys(notes)), holding[0].number, uncertainty)


def _task_for(
    part: Part,
    values: tuple[float, float, int],
    told: Range | None,
    kind: np.dtype,
    picture: Picture,
    samples: list[Glance],
    pieces: int,
    patience: float | None,
    *,
    filter: str,
    **asked,
) -> tuple[Task, list[str]]:
    """What is to be done to a part of a picture, and what is to be said of it.

    values: the smallest and the largest, and the step between them. told: black and white, if a user named them.
    pieces: how many the whole picture has. asked: device, progress, adapt and burst, as `choose` takes them.
    """
    low, high, step = values
    check_values(part, kind, low, high)
    limits = without_hot_pixels(part, low, high) if told is None else fitting(told, part)
    prepares = filter == "auto" and not part.counts
    size = pieces * part.pixels[0].size
    chosen = choose(
        part,
        limits,
        filter,
        told=told is not None,
        written=step if np.issubdtype(kind, np.integer) else 0,
        before=before_of(part, picture, [one.number for one in samples], limits) if prepares else NOTHING,
        size=size,
        patience=patience_for(size) if patience is None else patience,
        in_tiles=pieces > picture.count,
        **asked,
    )
    choice, said = with_notes(part, chosen, kind, step)
    return Task(part, replace(chosen, choice=choice), min(low, limits.low), max(high, limits.high), step, size), said


def patience_for(size: int) -> float:
    """The seconds that a candidate may take for so many values, if nobody says."""
    return max(PATIENCE, FOR_A_MEGAPIXEL * size / 1e6)


def check_request(
    *,
    filter: str = "auto",
    device: str = "auto",
    range: tuple[float, float] | None = None,
    dtype: str | None = None,
    adapt: float | None = None,
    burst: bool = False,
    here: bool = True,
    **_,
) -> None:
    """Raises ValueError for options that suit no picture. here: see `training.choose_device`."""
    for name in (names := str(filter).split(TOGETHER)):
        one_of(name, CANDIDATES if names[1:] else ("auto", *CANDIDATES), "the filter")
    if str(device) not in ("auto", "cpu"):  # which are everywhere
        from dnlib.training import choose_device  # and with it torch, which takes seconds

        choose_device(device, here=here)
    if burst and adapt is None:
        raise ValueError("--burst (burst=) says from what --adapt TIME (adapt=) learns, and goes with it")
    if adapt is not None:
        check_adaptable(filter, adapt)
    if dtype is not None:
        one_of(type_name(dtype), DTYPES, "the type written")
    if range is not None:
        told_range(range)


def as_type(values: np.ndarray, kind: np.dtype, low: float, high: float, step: int) -> np.ndarray:
    """Values in the type that is written: integers are rounded to multiples of `step` and kept in [low, high]."""
    if np.issubdtype(kind, np.integer):
        limits = np.iinfo(kind)
        values = np.clip(np.clip(step * np.rint(values / step), low, high), limits.min, limits.max)
    return values.astype(kind)
