"""Choose between classical filters and networks without ground truth, and do no harm.

Every candidate is judged by how much it lowers the mean squared error (`dnlib.denoiser.judging`), and no more is taken
off than that asks for: where every candidate would do harm the picture stays as it is. A filter that is asked for by
name is applied as it is.
"""

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from dnlib.denoiser.adapting import HELD_OUT, adapted_best, lessons_for
from dnlib.denoiser.before import NOTHING, Before
from dnlib.denoiser.candidates import CANDIDATES, TOGETHER, UNCHANGED
from dnlib.denoiser.choice import Choice
from dnlib.denoiser.judging import ALIKE_SHARED, LEAST, SURE, Judge, Judged, judge_counts, noise_in
from dnlib.denoiser.lessons import Lessons
from dnlib.denoiser.sampling import sample_places, share_that_counts, tiles_at, without_single_channel
from dnlib.denoiser.strength import DOUBT, FEW, Strength, WhiteNoise, in_doubt, strength_of, taken_for_noise
from dnlib.filters import lowest_of
from dnlib.images import Part, Range, range_in_use
from dnlib.noise import ISOLATED, STAND_OUT, isolated_pixels

if TYPE_CHECKING:
    from dnlib.denoiser.burst import Burst

FOR_PHOTOGRAPHS = "photographs_network"  # has an opinion of its own on what is noise
MOST = 0.5  # share of the pixels judged on: where fewer count, or fewer are neither black nor white, they say little
FOR_COUNTS = "total_variation"  # it keeps means; with few photons, the risks of filters scatter more than they differ


@dataclass(frozen=True)
class Chosen:
    """A choice for a part of a picture, and all that it takes to denoise its frames one by one.

    judged: the candidate; None where the picture is left as it is. range: black and white of the part.
    strength: its noise, on values in [0, 1]. level: the standard deviation of that noise on the sample tiles.
    harmless: no more is taken off than does good. counts: the values are counts of photons.
    in_tiles: `apply` is given tiles of frames, and treats all alike. before: what is to be done before `apply`.
    """

    choice: Choice
    judged: Judged | None
    strength: Strength
    level: float
    range: Range
    harmless: bool
    counts: bool
    in_tiles: bool
    device: str
    before: Before = NOTHING

    @property
    def span(self) -> float:
        """What [0, 1] is in the part's units."""
        return self.range.high - self.range.low

    @property
    def reach(self) -> int | None:
        """How many pixels on each side a value depends on; None: only whole frames may be given."""
        if self.judged is None:
            return self.before.reach
        reach = self.judged.candidate.reach
        return None if reach is None else reach + self.before.reach

    def apply(self, frame: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """A frame [H, W, C] denoised, and the standard deviation of every value or None, in the part's units.

        inside: [H, W], False where pixels do not count.
        """
        frame = frame.astype(np.float64)
        if self.judged is None:
            return frame, None
        unit = self.range.to_unit(frame)
        deviation = np.sqrt(self.strength.variance(unit)).astype(np.float32)
        level = self.level
        if not self.in_tiles:
            level = max(math.sqrt(np.mean(np.square(deviation), where=inside[..., None], dtype=np.float64)), LEAST)
        candidate, uncertainty = self.judged.candidate, None
        if candidate.deviation:
            estimate, uncertainty = candidate.deviation(unit, **self.judged.setting(level), device=self.device)
            uncertainty = uncertainty * self.span
        else:
            filter = self.judged.filter(deviation, level, self.device)
            estimate = filter(without_single_channel(unit)).reshape(unit.shape)
        removed = np.subtract(unit, estimate, out=unit)
        if self.harmless:
            removed = noise_in(removed, estimate, self.strength)
            removed *= self._weight(removed, inside, level)
        denoised = np.multiply(removed, self.span, dtype=np.float64)  # which may be beyond float32
        np.subtract(frame, denoised, out=denoised)
        return (_with_mean_of(frame, denoised, inside) if self.choice.how == "counted" else denoised), uncertainty

    def _weight(self, removed: np.ndarray, inside: np.ndarray, level: float) -> np.ndarray:
        """The share [C] of what is removed [H, W, C] that is taken off a frame, which may have more or less noise."""
        if self.in_tiles:
            return self.judged.weight.astype(np.float32)
        power = np.mean(np.square(removed), axis=(0, 1), where=inside[..., None], dtype=np.float64)
        return lowest_of(self.judged.noise * (level / self.level) ** 2, power).astype(np.float32)


def choose(
    part: Part,
    range: Range,
    filter: str,
    device: str,
    progress: bool,
    *,
    told: bool,
    written: float,
    before: Before,
    size: int,
    patience: float,
    in_tiles: bool,
    adapt: float | None,
    burst: "Burst | None",
) -> Chosen:
    """Judge the candidates on sample tiles of a part, by its sample frames.

    filter, device, progress, patience, adapt: see `denoise`. range: black and white of the part, which all candidates
    see as 0 and 1. told: whether a user named it. written: the step between values that are written; 0 for floats.
    before: what is done before anything is filtered. size: how many values the part has in the whole picture.
    in_tiles: whether frames are denoised in tiles. burst: the shots that `adapt` learns from, if the frames are shots.
    """
    prepared, masks = before.prepared(part), [part.inside[k] for k in part.holding]
    frames = [range.to_unit(prepared.pixels[k]) for k in part.holding]
    places = sample_places(frames, masks, HELD_OUT if adapt else 1.0, alike=burst is not None)
    tiles = tiles_at(frames, places)
    strength = _strength_of(part, frames[0], tiles, range, told, written)
    harmless, span = filter == "auto" and not part.counts, range.high - range.low
    judge = _advised(Judge(tiles, strength, harmless, device), part.pixels.shape[-1])
    if part.counts and filter == "auto":
        judged, untried, notes = judge_counts(FOR_COUNTS, tiles, range.low, span), {}, []
    else:
        names, untried, notes = _names(filter, part.pixels.shape[-1], strength.white, size, patience)
        shots = burst and partial(burst.lessons, part, before, range)
        lessons = lessons_for(names, frames, masks, places, shots) if adapt and judge.certain > 0 else None
        judged, said = _judge_and_adapt(judge, names, patience / size * 1e6, lessons, adapt, span, progress)
        notes += said
    name = _best_of(judged)
    if harmless and not strength.white:
        judged[name] = judged[name].with_more_noise(1 + ALIKE_SHARED)
    best = judged[name]
    if harmless:
        name = UNCHANGED if -best.change <= SURE * best.risk.error(best.weight) else name
        notes += _doubts(name, before, judge, share_that_counts(masks, places))
    how = "judged" if harmless else "counted" if filter == "auto" else "asked for"
    rest = {"beforehand": before.done, "notes": tuple(notes), "noise_found": strength.found, "untried": untried}
    choice = _in_units(name, judged, best, judge.level, span, how=how, **rest)
    kept = None if name == UNCHANGED else best
    return Chosen(choice, kept, judge.strength, judge.level, range, harmless, part.counts, in_tiles, device, before)


def _in_units(name: str, judged: dict[str, Judged], best: Judged, level: float, span: float, **said) -> Choice:
    """The choice in units of the picture, in which black and white lie `span` apart; level: of the noise, in [0, 1]."""
    risks = {other: float(span**2 * (level**2 + one.change)) for other, one in judged.items()}
    risks[UNCHANGED] = span**2 * level**2
    setting = {} if name == UNCHANGED else best.setting(level, span)
    said |= {"weights": tuple(best.weight.tolist()), "risk_error": float(span**2 * best.risk.error(best.weight))}
    return Choice(name, setting, risks[name], level * span, risks, **said)


def _strength_of(
    part: Part, frame: np.ndarray, tiles: list[np.ndarray], range: Range, told: bool, written: float
) -> Strength:
    """The noise of a part. frame: the first of its frames that holds something; it and the tiles are in [0, 1]."""
    values = part.pixels[part.inside]
    if part.counts:
        return WhiteNoise(math.sqrt(values.mean()) / (range.high - range.low))
    used = range
    if np.issubdtype(values.dtype, np.integer) and not told:
        used = range_in_use(values[(range.low <= values) & (values <= range.high)])
    return strength_of(frame, part.inside[part.holding[0]], used, range, tiles, written)


def _advised(judge: Judge, channels: int) -> Judge:
    """The judge; in doubt whether it sees noise or texture, it first asks a network for photographs, if that fits."""
    network, doubted = CANDIDATES.get(FOR_PHOTOGRAPHS), judge.harmless and in_doubt(judge.level, judge.strength)
    if not doubted or network is None or network.unfit(channels, judge.strength.white):
        return judge
    agreed = taken_for_noise(partial(network.filter, device=judge.device), judge.tiles, judge.strength)
    return replace(judge, strength=replace(judge.strength, agreed=agreed))


def _names(
    filter: str, channels: int, white: bool, size: int, patience: float
) -> tuple[list[str], dict[str, str], list[str]]:
    """The candidates to judge, why each of the others is not, and a note on those that would take too long.

    Judged are those that were asked for; else all that fit the picture and take no longer than `patience`.
    """
    if filter != "auto":
        names = filter.split(TOGETHER)
        if taken := {CANDIDATES[name].channels for name in names} - {None, channels}:
            said = f"{min(taken)} colours" if min(taken) > 1 else "1 channel"
            raise ValueError(f"{filter} was trained on images of {said}; this one has {channels} channel(s)")
        return names, {}, []
    untried = {name: why for name, one in CANDIDATES.items() if (why := one.unfit(channels, white))}
    seconds = {name: one.seconds * size / 1e6 for name, one in CANDIDATES.items() if name not in untried}
    names = [name for name in seconds if seconds[name] <= patience] or [min(seconds, key=seconds.get)]
    slow = [name for name in seconds if name not in names]
    better = {other: name for name in names for other in CANDIDATES[name].instead_of if other in names}
    names = [name for name in names if name not in better]
    untried |= {other: f"{name} is tried instead" for other, name in better.items()}
    if not slow:
        return names, untried, []
    minutes = math.ceil(max(seconds[name] for name in slow) / 60)
    time = f"{minutes} minute{'s' * (minutes > 1)}"
    untried |= dict.fromkeys(slow, f"it may take {time}: --patience {minutes}m")
    return names, untried, [f"not tried, for they may take {time}: {', '.join(slow)}; --patience {minutes}m"]


def _judge_and_adapt(
    judge: Judge,
    names: list[str],
    most_seconds: float,
    lessons: Lessons | None,
    adapt: float | None,
    span: float,
    progress: bool,
) -> tuple[dict[str, Judged], list[str]]:
    """The candidates judged, the best network trained further among them if there are lessons; and notes on that."""
    judged = judge.all(names, progress=progress, most_seconds=most_seconds)
    if not lessons:
        return judged, []
    further, note = adapted_best(judged, lessons, judge, adapt, span, progress)
    return judged | further, [*lessons.notes, note]


def _best_of(judged: dict[str, Judged]) -> str:
    """The candidate of least risk; for one of two that are hardly apart, their mean."""
    best = min(judged, key=lambda name: judged[name].change)
    return next((name for name in judged if TOGETHER in name and best in name.split(TOGETHER)), best)


def _doubts(name: str, before: Before, judge: Judge, counting: float) -> list[str]:
    """Why a picture is left as it is, and what is kept of it that might be noise, in sentences.

    counting: the share of the pixels judged on that count.
    """
    if counting < MOST and judge.strength.levels >= FEW:  # of few values most lie in constant areas
        left = ": returned unchanged; --filter NAME filters it anyway" if name == UNCHANGED else ""
        return [
            f"of the pixels looked at {counting:.0%} count, in pieces too small to judge by; how strong the noise is, "
            f"and what is left of it, may be far from what is said{left}"
        ]
    doubts = [_why_unchanged(judge)] if name == UNCHANGED and not before.done else []
    if np.mean([isolated_pixels(tile, np.ones(tile.shape[:2], bool)) for tile in judge.tiles]) > ISOLATED:
        doubts.append(STAND_OUT)
    return doubts


def _why_unchanged(judge: Judge) -> str:
    """Why a picture is left as it is, in a sentence."""
    if judge.level <= DOUBT:
        return "hardly any noise here: returned unchanged"
    anyway = "returned unchanged; --filter NAME filters it anyway"
    if judge.strength.drawn:
        return f"it looks drawn, not taken, and no noise is seen: {anyway}"
    if judge.certain == 0 and judge.strength.levels < FEW:
        return f"it has {judge.strength.levels} values only: noise cannot be told from dither there: {anyway}"
    if judge.certain == 0 and judge.strength.clipped > MOST:
        return f"{judge.strength.clipped:.0%} of the pixels are black or white: what they were is not in it: {anyway}"
    if judge.certain == 0:
        return f"the noise cannot be told from fine texture, shading or rounding: {anyway}"
    return "no candidate lowers the error for certain: returned unchanged"


def _with_mean_of(frame: np.ndarray, denoised: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Photon rates, none below 0, scaled to the frame's mean: filters for even noise lose some of the photons."""
    denoised = np.maximum(denoised, 0)
    return denoised * frame[inside].mean() / max(denoised[inside].mean(), 1e-12)
