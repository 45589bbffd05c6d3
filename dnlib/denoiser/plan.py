"""A picture worked through piece by piece: its frames one after the other, and large frames in tiles.

A first look at every piece finds what holds something; the candidates are judged on a few of these; then every piece is
denoised by itself. Memory stays that of a frame and its result, however many there are.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from dnlib.denoiser.adapting import check_adaptable, check_parts
from dnlib.denoiser.before import NOTHING, before_of, offsets_of
from dnlib.denoiser.candidates import BLIND_SPOT, CANDIDATES, TOGETHER, UNCHANGED
from dnlib.denoiser.choice import Choice
from dnlib.denoiser.choosing import Chosen, choose
from dnlib.denoiser.glances import kept_of, limits_of, look_at, pieces_of, samples_of, together
from dnlib.denoiser.limits import check_values, fitting, name_of, told_range, without_hot_pixels
from dnlib.denoiser.sampling import direction_of_noise, sample_tiles
from dnlib.denoiser.uncertainty import kind_of, spread
from dnlib.images import Part, Picture, Tile, one_of, parts_of, tiles_of
from dnlib.noise import other_noise, unlike_noise

PATIENCE = 60.0  # seconds
DTYPES = ("uint8", "uint16", "float32", "float64")  # that can be asked for
COARSE = 1.0  # noise below so many steps was the dither of the values


@dataclass(frozen=True)
class Task:
    """A part, what was chosen for it, and the values written: within low and high, in steps."""

    part: Part
    chosen: Chosen
    low: float
    high: float
    step: int

    @property
    def stride(self) -> int:
        """Pixels of the picture from one of the part to the next: 2 for a place of a mosaic."""
        return self.part.source[1].step or 1

    def tiles(self, shape: tuple[int, int]) -> list[Tile]:
        """Those in which a frame is denoised."""
        if self.chosen.reach is None:
            return tiles_of(shape, side=max(shape), margin=0)
        return pieces_of(shape, self.chosen.reach, self.stride)

    def corner(self, tile: Tile) -> tuple[int, int]:
        """Where the part's own rows and columns of a tile begin."""
        return tile.seen[0].start // self.stride, tile.seen[1].start // self.stride


@dataclass(frozen=True)
class Plan:
    """How a picture is denoised.

    picture: of any kind, read from disk frame by frame or not. kind: the type written. tasks: what is done to a frame.
    notes: what is to be said. shown: the frame for a page. uncertain: whether the deviation of every value is wanted.
    """

    picture: Picture
    kind: np.dtype
    tasks: list[Task]
    notes: tuple[str, ...]
    shown: int
    uncertain: bool = False

    @property
    def choice(self) -> Choice:
        """That of the first part, with those of the others."""
        choices = [self._told(task.chosen) for task in self.tasks]
        several = len(self.tasks) > 1 or self.tasks[0].part.name
        parts = {task.part.name: one for task, one in zip(self.tasks, choices, strict=True)} if several else {}
        return replace(choices[0], parts=parts, notes=self.notes)

    def _told(self, chosen: Chosen) -> Choice:
        """What was chosen, and what its uncertainty is if there is one."""
        kind = kind_of(chosen)
        return replace(chosen.choice, uncertainty_kind=kind if self.uncertain or kind == "posterior" else "")

    def frames(self, progress: bool) -> Iterator[tuple[Picture, np.ndarray | None]]:
        """Every frame denoised, and the standard deviation of its values [H, W, C] or None."""
        shape = self.picture.colours.shape[-3:-1]
        total = self.picture.count * sum(len(task.tiles(shape)) for task in self.tasks)
        with tqdm(total=total, desc="denoising", disable=not progress, leave=False, unit="piece") as bar:
            for number in range(self.picture.count):
                yield self._frame(self.picture.frame(number), bar)

    def pixels(self, progress: bool, shown: list[Picture], deviations: np.ndarray | None) -> Iterator[np.ndarray]:
        """The pixels of every frame denoised; the frame shown is put into a list, deviations into [N, H, W, C]."""
        for number, (frame, deviation) in enumerate(self.frames(progress)):
            if number == self.shown:
                shown.append(frame)
            if deviations is not None:
                deviations[number] = 0 if deviation is None else deviation
            yield frame.pixels

    def whole(self, progress: bool) -> tuple[Picture, np.ndarray | None]:
        """The picture denoised, and the standard deviation of its values [..., H, W, C] or None."""
        shape = self.picture.colours.shape
        if self.picture.count == 1:  # of a large frame there is no second copy
            frame, deviation = next(self.frames(progress))
            uncertainty = None if deviation is None else deviation.reshape(shape)
            return self.picture.with_colours(frame.colours.reshape(shape)), uncertainty
        colours, uncertainty = np.empty((self.picture.count, *shape[-3:]), self.kind), None
        for number, (frame, deviation) in enumerate(self.frames(progress)):
            colours[number] = frame.colours
            if deviation is not None:
                uncertainty = np.zeros(colours.shape, np.float32) if uncertainty is None else uncertainty
                uncertainty[number] = deviation
        return (
            self.picture.with_colours(colours.reshape(shape)),
            None if uncertainty is None else uncertainty.reshape(shape),
        )

    def _frame(self, frame: Picture, bar: tqdm) -> tuple[Picture, np.ndarray | None]:
        colours, inside = frame.colours, frame.inside
        result, deviations = colours.astype(self.kind), None
        for task in self.tasks:
            offsets = offsets_of(task.part, frame, task.chosen.before.lines)
            for tile in task.tiles(inside.shape):
                part = task.part.at(colours[tile.seen][None], inside[tile.seen][None])
                bar.update()
                if not part.holding:
                    continue
                pixels = task.chosen.before.of(part.pixels[0], offsets, task.corner(tile))
                restored, deviation = task.chosen.apply(pixels, part.inside[0])
                if self.uncertain and deviation is None:
                    deviation = spread(task.chosen, restored, part.inside[0])
                written = as_type(restored, self.kind, task.low, task.high, task.step)
                _put(result, written, tile, part)
                if deviation is not None:
                    deviations = np.zeros(colours.shape, np.float32) if deviations is None else deviations
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
    patience: float = PATIENCE,
    uncertainty: bool = False,
    adapt: float | None = None,
    progress: bool = False,
) -> Plan:
    """Look at a picture and choose how to denoise it; arguments as of `denoise`."""
    for name in (names := str(filter).split(TOGETHER)):
        one_of(name, CANDIDATES if names[1:] else ("auto", *CANDIDATES), "the filter")
    check_adaptable(filter, adapt)
    kind = picture.pixels.dtype if dtype is None else np.dtype(one_of(name_of(dtype), DTYPES, "the type written"))
    told = None if range is None else told_range(range)
    glances, missing = look_at(picture, progress)
    if missing and np.issubdtype(kind, np.integer):
        raise ValueError(f"{kind} cannot hold NaN; give --dtype float32 (dtype='float32')")
    holding = [one for one in glances if one.varying.any()]
    samples = samples_of(holding or glances)
    parts, notes = parts_of(together(picture, samples), unlike=None if filter == BLIND_SPOT else unlike_noise)
    _check_counts(parts, kind)
    check_parts(parts, adapt)
    tasks = []
    for part, (low, high, step) in zip(parts, limits_of(picture, parts, holding, samples), strict=True):
        check_values(part, kind, low, high)
        black, white = without_hot_pixels(part, low, high) if told is None else fitting(told, part)
        whole = len(glances) == picture.count
        size = picture.count * len(glances) // len({one.number for one in glances}) * part.pixels[0].size
        first = picture.frame(samples[part.holding[0]].number)
        before = before_of(part, first, black, white) if filter == "auto" and not part.counts else NOTHING
        said = {"before": before, "told": told, "size": size, "patience": patience, "in_tiles": not whole}
        chosen = choose(part, filter, device, (black, white), progress, adapt=adapt, **said)
        tasks.append(Task(part, chosen, min(low, black), max(high, white), step))
        notes = [*notes, *_remarks(tasks[-1], kind)]
    black = picture.count - len({one.number for one in holding})
    notes += [f"{black} of {picture.count} frames are constant and left alone"] if black else []
    return Plan(picture, kind, tasks, tuple(dict.fromkeys(notes)), holding[0].number, uncertainty)


def _check_counts(parts: list[Part], kind: np.dtype) -> None:
    """Rates of photons are no whole numbers."""
    if np.issubdtype(kind, np.integer) and any(part.counts for part in parts):
        mean = next(part.pixels[part.inside].mean() for part in parts if part.counts)
        raise ValueError(
            f"the image holds photon counts, {mean:.2g} a pixel on average: rounded to whole numbers, their rate would "
            "be lost; give --dtype float32 (dtype='float32')"
        )


def _remarks(task: Task, kind: np.dtype) -> list[str]:
    """What a user should know of a result, in sentences."""
    part, choice, step, found = task.part, task.chosen.choice, task.step, list(task.chosen.choice.notes)
    part = task.chosen.before.prepared(part)
    found += task.chosen.before.notes
    tiles = sample_tiles(list(part.pixels[part.holding].astype(np.float32)), list(part.inside[part.holding]))
    if choice.filter != UNCHANGED and (along := direction_of_noise(tiles)):
        found.append(
            f"neighbours share the noise along {along}: some of it may be left (`dnlib noise` says what helps)"
        )
    if choice.filter != UNCHANGED and np.issubdtype(kind, np.integer) and choice.noise < COARSE * step:
        found.append(
            f"the noise, {choice.noise:.2g}, is finer than the steps of {step} that are written: smooth areas may show "
            "contours; --dtype float32 has none"
        )
    return found + _others(part, task.chosen)


def _others(part: Part, chosen: Chosen) -> list[str]:
    """What noise the first frame has besides that for which candidates were judged."""
    frame = part.holding[0]
    image = ((part.pixels[frame] - chosen.low) / chosen.span).astype(np.float32)
    variance, inside = chosen.strength.variance(image), part.inside[frame]

    def in_its_units(level: float) -> str:
        return f"{chosen.span * level:.3g}"

    return other_noise(image, variance, inside, in_its_units, lines=not chosen.before.lines, single=False)


def as_type(values: np.ndarray, kind: np.dtype, low: float, high: float, step: int) -> np.ndarray:
    """Of the type written; integers are rounded to steps and kept within the input's own range."""
    if np.issubdtype(kind, np.integer):
        limits = np.iinfo(kind)
        values = np.clip(np.clip(step * np.rint(values / step), low, high), limits.min, limits.max)
    return values.astype(kind)
