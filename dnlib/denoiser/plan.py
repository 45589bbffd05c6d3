"""A picture worked through piece by piece: its frames one after the other, and large frames in tiles.

A first look at every piece finds what holds something; the candidates are judged on a few of these; then every piece is
denoised by itself. Memory stays that of a frame and its result, however many there are.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from dnlib.denoiser.candidates import BLIND_SPOT
from dnlib.denoiser.choice import Choice
from dnlib.denoiser.chosen import Chosen, choose
from dnlib.denoiser.sampling import direction_of_noise, sample_tiles
from dnlib.images import Part, Picture, Tile, parts_of, step_of, tiles_of
from dnlib.noise import unlike_noise

SIDE = 1024  # pixels that a tile of a large frame is high and wide
SAMPLES = 8  # pieces on which candidates are judged
LOOK = 8  # pixels on each side that a constant area is found by
MULTIPLE = 32  # pixels after which wavelets repeat
SHARED = 4.5  # a loss above so many times the noise's variance: filters do not predict what is noisy
COARSE = 1.0  # noise below so many steps was the dither of the values


class Glance(NamedTuple):
    """What a first look at a piece shows: which colours vary [C] where it counts, and whether they are unequal."""

    number: int
    tile: Tile
    varying: np.ndarray
    unequal: bool


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
        margin = max(self.chosen.reach, LOOK) * self.stride
        return tiles_of(shape, side=SIDE, margin=margin, multiple=MULTIPLE * self.stride)


@dataclass(frozen=True)
class Plan:
    """How a picture is denoised.

    picture: of any kind, read from disk frame by frame or not. kind: the type written. tasks: what is done to a frame.
    notes: what is to be said.
    """

    picture: Picture
    kind: np.dtype
    tasks: list[Task]
    notes: tuple[str, ...]
    shown: int

    @property
    def choice(self) -> Choice:
        """That of the first part, with those of the others."""
        first = self.tasks[0].chosen.choice
        several = len(self.tasks) > 1 or self.tasks[0].part.name
        parts = {task.part.name: task.chosen.choice for task in self.tasks} if several else {}
        return replace(first, parts=parts, notes=self.notes)

    def frames(self, progress: bool) -> Iterator[tuple[Picture, np.ndarray | None]]:
        """Every frame denoised, and the standard deviation of its values [H, W, C] or None."""
        shape = self.picture.colours.shape[-3:-1]
        total = self.picture.count * sum(len(task.tiles(shape)) for task in self.tasks)
        with tqdm(total=total, desc="denoising", disable=not progress, leave=False, unit="piece") as bar:
            for number in range(self.picture.count):
                yield self._frame(self.picture.frame(number), bar)

    def pixels(self, progress: bool, shown: list[Picture], deviations: list | None) -> Iterator[np.ndarray]:
        """The pixels of every frame denoised; the frame shown and, if asked for, deviations are put into lists."""
        for number, (frame, deviation) in enumerate(self.frames(progress)):
            if number == self.shown:
                shown.append(frame)
            if deviations is not None:
                deviations.append(np.zeros(frame.colours.shape, np.float32) if deviation is None else deviation)
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
            for tile in task.tiles(inside.shape):
                part = task.part.at(colours[tile.seen][None], inside[tile.seen][None])
                bar.update()
                if not part.holding:
                    continue
                restored, deviation = task.chosen.apply(part.pixels[0], part.inside[0])
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
    used = part.inside[0] & _kept(tile)[part.source[1:3]]
    target[place] = np.where(used[..., None], values, target[place])


def plan(
    picture: Picture,
    *,
    filter: str,
    device: str,
    range: tuple[float, float] | None,
    dtype: np.dtype | None,
    progress: bool,
) -> Plan:
    """Look at a picture and choose how to denoise it; arguments as of `denoise`."""
    kind = picture.pixels.dtype if dtype is None else dtype
    glances, missing = _look(picture, progress)
    if missing and np.issubdtype(kind, np.integer):
        raise ValueError(f"{kind} cannot hold NaN; give --dtype float32 (dtype='float32')")
    holding = [one for one in glances if one.varying.any()]
    samples = _samples(holding) or glances[:SAMPLES]
    parts, notes = parts_of(_together(picture, samples), unlike=None if filter == BLIND_SPOT else unlike_noise)
    _check_counts(parts, kind)
    tasks = []
    for part, (low, high, step) in zip(parts, _limits(picture, parts, holding, samples), strict=True):
        low, high = (low, high) if range is None else range
        whole = len(glances) == picture.count
        chosen = choose(part, filter, device, (low, high), progress, in_tiles=not whole)
        tasks.append(Task(part, chosen, low, high, step))
        notes = [*notes, *_remarks(tasks[-1], kind)]
    black = picture.count - len({one.number for one in holding})
    notes += [f"{black} of {picture.count} frames are constant and left alone"] if black else []
    return Plan(picture, kind, tasks, tuple(dict.fromkeys(notes)), holding[0].number)


def _look(picture: Picture, progress: bool) -> tuple[list[Glance], bool]:
    """A first look at every piece, and whether values are missing."""
    glances, missing = [], False
    for number in tqdm(range(picture.count), desc="looking", disable=not progress, leave=False, unit="frame"):
        frame = picture.frame(number)
        colours, inside = frame.colours, frame.inside
        missing |= colours.dtype.kind == "f" and bool(np.isnan(colours.min()))
        for tile in tiles_of(inside.shape, side=SIDE, margin=LOOK, multiple=MULTIPLE):
            values = colours[tile.kept][inside[tile.kept]]
            varying = values.min(axis=0) < values.max(axis=0) if len(values) else np.zeros(colours.shape[-1], bool)
            glances.append(Glance(number, tile, varying, bool((values != values[:, :1]).any())))
    return glances, missing


def _samples(holding: list[Glance]) -> list[Glance]:
    """Pieces spread evenly, and more where these do not show all that there is: a colour that varies, unequal ones."""
    count = min(SAMPLES, len(holding))
    samples = [holding[k * len(holding) // count] for k in range(count)]
    for shows in (lambda one: one.varying, lambda one: np.array([one.unequal])):
        seen = np.any([shows(one) for one in samples], axis=0) if samples else np.array([])
        for one in holding:
            if (shows(one) & ~seen).any():
                samples.append(one)
                seen = seen | shows(one)
    return samples


def _together(picture: Picture, samples: list[Glance]) -> Picture:
    """Pieces as the frames of one picture; tiles are cut to one size."""
    sizes = [[part.stop - part.start for part in one.tile.seen] for one in samples]
    height, width = np.min(sizes, axis=0)
    cuts = [
        (slice(rows.start, rows.start + height), slice(columns.start, columns.start + width))
        for rows, columns in (one.tile.seen for one in samples)
    ]
    frames = [picture.frame(one.number) for one in samples]
    colours = np.stack([frame.colours[cut] for frame, cut in zip(frames, cuts, strict=True)])
    inside = np.stack([frame.inside[cut] for frame, cut in zip(frames, cuts, strict=True)])
    return Picture(colours, "QYXC" if picture.separate else "QYXS", valid=inside)


def _limits(
    picture: Picture, parts: list[Part], holding: list[Glance], samples: list[Glance]
) -> list[tuple[float, float, int]]:
    """The smallest and largest value of every part, and the step of its values."""
    pieces = [[part.pixels[part.inside]] for part in parts]
    found = [[_limits_of(values) for values in piece] for piece in pieces]
    if len(holding) > len(samples) or len({one.number for one in holding}) < len(holding):
        for one in holding:
            frame = picture.frame(one.number)
            colours, inside = frame.colours[one.tile.seen], frame.inside[one.tile.seen]
            for part, limits in zip(parts, found, strict=True):
                piece = part.at(colours[None], inside[None])
                values = piece.pixels[0][piece.inside[0] & _kept(one.tile)[part.source[1:3]]]
                limits += [_limits_of(values)] if len(values) else []
    lows, highs, steps = zip(*(zip(*limits, strict=True) for limits in found), strict=True)
    return [(min(low), max(high), min(step)) for low, high, step in zip(lows, highs, steps, strict=True)]


def _limits_of(values: np.ndarray) -> tuple[float, float, int]:
    step = step_of(values) if np.issubdtype(values.dtype, np.integer) else 1
    return values.min().item(), values.max().item(), step


def _kept(tile: Tile) -> np.ndarray:
    """Which of the pixels seen are kept: bool [h, w]."""
    kept = np.zeros([part.stop - part.start for part in tile.seen], bool)
    kept[tile.inner] = True
    return kept


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
    part, choice, step, found = task.part, task.chosen.choice, task.step, []
    tiles = sample_tiles(list(part.pixels[part.holding].astype(np.float32)), list(part.inside[part.holding]))
    if along := direction_of_noise(tiles):
        found.append(
            f"neighbours share the noise along {along}: little of it is removed (`dnlib noise` says what helps)"
        )
    elif choice.noise > 0 and choice.loss > SHARED * choice.noise**2:
        found.append("what is removed is hardly noise: there is little, or neighbours share it (`dnlib noise` tells)")
    if np.issubdtype(kind, np.integer) and choice.noise < COARSE * step:
        found.append(
            f"the noise, {choice.noise:.2g}, is finer than the steps of {step} that are written: smooth areas may show "
            "contours; --dtype float32 has none"
        )
    return found


def as_type(values: np.ndarray, kind: np.dtype, low: float, high: float, step: int) -> np.ndarray:
    """Of the type written; integers are rounded to steps and kept within the input's own range."""
    if np.issubdtype(kind, np.integer):
        limits = np.iinfo(kind)
        values = np.clip(np.clip(step * np.rint(values / step), low, high), limits.min, limits.max)
    return values.astype(kind)
