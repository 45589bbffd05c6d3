"""Choose between classical filters and networks without ground truth, and do no harm.

Every candidate is judged by how much it lowers the mean squared error (`dnlib.denoiser.judging`), and no more is taken
off than that asks for: where every candidate would do harm the picture stays as it is. A filter that is asked for by
name is applied as it is.
"""

import math
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from dnlib.denoiser.adapting import HELD_OUT, adapted_best, lessons_for
from dnlib.denoiser.before import NOTHING, Before
from dnlib.denoiser.candidates import CANDIDATES, TOGETHER, UNCHANGED
from dnlib.denoiser.choice import Choice
from dnlib.denoiser.judging import (
    ALIKE_SHARED,
    LEAST,
    SURE,
    Judged,
    filter_of,
    judge_all,
    judge_counts,
    noise_in,
    recalled,
)
from dnlib.denoiser.sampling import sample_tiles, without_single_channel
from dnlib.denoiser.strength import DOUBT, Strength, White, in_doubt, strength_of, taken_for_noise, trust
from dnlib.filters import lowest_of
from dnlib.images import Part, Range, range_in_use, step_of
from dnlib.noise import ISOLATED, STAND_OUT, isolated_pixels

FOR_PHOTOGRAPHS = "photographs_network"  # has an opinion of its own on what is noise
FOR_COUNTS = "total_variation"  # of few photons: risks of filters differ less than they scatter, and it keeps means


@dataclass(frozen=True)
class Chosen:
    """A choice, with which frames can be denoised one by one.

    judged: None where the picture is left as it is. strength: of noise in [0, 1], which is `low` and `low + span` in
    the part's units. level: its standard deviation on the sample tiles. harmless: take off no more than does good.
    in_tiles: frames come in tiles, which must not differ in how they are treated.
    before: what is done first, by whoever calls `apply`.
    """

    choice: Choice
    judged: Judged | None
    strength: Strength
    level: float
    low: float
    span: float
    harmless: bool
    counts: bool
    in_tiles: bool
    device: str
    before: Before = NOTHING

    @property
    def reach(self) -> int | None:
        """How many pixels on each side a value depends on; None: only whole frames may be given."""
        if self.judged is None:
            return self.before.reach
        candidate = self.judged.candidate
        reach = candidate.reach(candidate.settings(self.level)[self.judged.number])
        return None if reach is None else reach + self.before.reach

    def apply(self, frame: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """A frame [H, W, C] denoised, and the standard deviation of every value or None, in the part's units.

        inside: [H, W], False where pixels do not count.
        """
        frame = frame.astype(np.float64)
        if self.judged is None:
            return frame, None
        unit = ((frame - self.low) / self.span).astype(np.float32)
        deviation = np.sqrt(self.strength.variance(unit)).astype(np.float32)
        level = self.level if self.in_tiles else max(_root_mean_square(deviation, inside), LEAST)
        candidate = self.judged.candidate
        setting, uncertainty = candidate.settings(level)[self.judged.number], None
        if candidate.deviation:
            estimate, uncertainty = candidate.deviation(unit, **setting, device=self.device)
            uncertainty = uncertainty * self.span
        else:
            filter = filter_of(candidate, setting, deviation, level, self.device)
            estimate = recalled(filter, self.judged.answers)(without_single_channel(unit)).reshape(unit.shape)
        removed = np.subtract(unit, estimate, out=unit)
        if self.harmless:
            removed = noise_in(removed, estimate, self.strength)
            removed *= self._weight(removed, inside, level)
        denoised = frame - self.span * removed
        return (_with_mean_of(frame, denoised, inside) if self.counts else denoised), uncertainty

    def _weight(self, removed: np.ndarray, inside: np.ndarray, level: float) -> np.ndarray:
        """The share [C] of what is removed [H, W, C] that is taken off a frame, which may have more or less noise."""
        if self.in_tiles:
            return self.judged.weight.astype(np.float32)
        power = np.mean(np.square(removed), axis=(0, 1), where=inside[..., None], dtype=np.float64)
        return lowest_of(self.judged.noise * (level / self.level) ** 2, power).astype(np.float32)


def choose(
    part: Part,
    filter: str,
    device: str,
    range: tuple[float, float],
    progress: bool,
    *,
    before: Before = NOTHING,
    size: int | None = None,
    patience: float = math.inf,
    in_tiles: bool = False,
    adapt: float | None = None,
    told: Range | None = None,
) -> Chosen:
    """Judge the candidates on sample tiles of a part, by its sample frames.

    filter, device, range, progress, patience, adapt: as `denoise` has them. before: what is done before anything is
    filtered. size: how many values there are in all, if these are samples. in_tiles: whether frames come in tiles.
    told: the range, if a user named it.
    """
    low, high = range
    span, harmless = high - low, filter == "auto" and not part.counts
    frames, tiles, strength = _looked_at(part, before, low, span, HELD_OUT if adapt else 1.0, told)
    level = max(float(np.sqrt(np.mean([strength.variance(tile).mean() for tile in tiles]))), LEAST)
    if harmless and _could_agree(part, level, strength):
        network = partial(CANDIDATES[FOR_PHOTOGRAPHS].filter, device=device)
        strength = replace(strength, agreed=taken_for_noise(network, tiles, strength))
    notes, untried = [], {}
    if part.counts and filter == "auto":
        judged = judge_counts(FOR_COUNTS, tiles, low, span)
    else:
        size = part.pixels.size if size is None else size
        names, untried, notes = _names(filter, part.pixels.shape[-1], strength.white, size, patience)
        noisy = not harmless or trust(level, strength) > 0
        lessons = lessons_for(names, frames, [part.inside[k] for k in part.holding]) if adapt and noisy else []
        judge = partial(judge_all, tiles=tiles, strength=strength, level=level, device=device, harmless=harmless)
        judged = judge(names, progress=progress, most_seconds=patience / size * 1e6)
        if lessons:
            further, note = adapted_best(judged, lessons, strength, judge, adapt, device, span, progress)
            judged, notes = judged | further, [*notes, note]
    name = _best_of(judged)
    if harmless and not strength.white:
        judged[name] = judged[name].with_more_noise(1 + ALIKE_SHARED)
    best = judged[name]
    if harmless:
        name = UNCHANGED if -best.change <= SURE * best.risk.error(best.weight) else name
        notes += _doubts(name, before, tiles, strength, level)
    risks = {name: float(span**2 * (level**2 + one.change)) for name, one in judged.items()}
    risks[UNCHANGED] = span**2 * level**2
    setting = {} if name == UNCHANGED else best.setting(level, span)
    choice = Choice(
        name,
        setting,
        risks[name],
        level * span,
        risks,
        weights=tuple(best.weight.tolist()),
        beforehand=before.done,
        notes=tuple(notes),
        noise_found=strength.found,
        untried=untried,
        how="judged" if harmless else "counted" if filter == "auto" else "asked for",
    )
    kept = None if name == UNCHANGED else best
    return Chosen(choice, kept, strength, level, low, span, harmless, part.counts, in_tiles, device, before)


def _could_agree(part: Part, level: float, strength: Strength) -> bool:
    """Whether noise is in doubt, and a network is there that could dispel that."""
    network = CANDIDATES.get(FOR_PHOTOGRAPHS)
    fits = network is not None and not network.unfit(part.pixels.shape[-1], strength.white)
    return fits and in_doubt(level, strength)


def _looked_at(
    part: Part, before: Before, low: float, span: float, share: float, told: Range | None
) -> tuple[list[np.ndarray], list[np.ndarray], Strength]:
    """Frames of a part in [0, 1], which are `low` and `low + span`; sample tiles; what noise it is.

    share: of the part, that sample tiles take up at most.
    """
    values, prepared = part.pixels[part.inside], before.prepared(part)
    frames = [((prepared.pixels[k].astype(np.float64) - low) / span).astype(np.float32) for k in part.holding]
    tiles = sample_tiles(frames, [part.inside[k] for k in part.holding], share)
    if part.counts:
        return frames, tiles, White(math.sqrt(values.mean()) / span)
    integers = np.issubdtype(values.dtype, np.integer)
    usual = values[(low <= values) & (values <= low + span)]
    used = told or (range_in_use(usual) if integers else Range.told(low, low + span))
    step = step_of(usual) if integers else 0.0
    return frames, tiles, strength_of(frames[0], part.inside[part.holding[0]], used, low, span, tiles, step)


def _names(
    filter: str, channels: int, white: bool, size: int, patience: float
) -> tuple[list[str], dict[str, str], list[str]]:
    """The candidates to judge, why not the others, and what is to be said of those that take too long.

    They are what was asked for, or all that fit the picture and take no longer than `patience`.
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
    for better in [name for name in names if CANDIDATES[name].instead_of]:
        spared = [name for name in CANDIDATES[better].instead_of if name in names]
        names = [name for name in names if name not in spared]
        untried |= dict.fromkeys(spared, f"{better} is tried instead")
    if not slow:
        return names, untried, []
    minutes = math.ceil(max(seconds[name] for name in slow) / 60)
    time = f"{minutes} minute{'s' * (minutes > 1)}"
    untried |= dict.fromkeys(slow, f"it may take {time}: --patience {minutes}m")
    return names, untried, [f"not tried, for they may take {time}: {', '.join(slow)}; --patience {minutes}m"]


def _best_of(judged: dict[str, Judged]) -> str:
    """The candidate of least risk; for one of two that are hardly apart, their mean."""
    best = min(judged, key=lambda name: judged[name].change)
    return next((name for name in judged if TOGETHER in name and best in name.split(TOGETHER)), best)


def _doubts(name: str, before: Before, tiles: list[np.ndarray], strength: Strength, level: float) -> list[str]:
    """Why a picture is left as it is, and what is kept of it that might be noise, in sentences."""
    doubts = [_why_unchanged(level, strength)] if name == UNCHANGED and not before.done else []
    if np.mean([isolated_pixels(tile, np.ones(tile.shape[:2], bool)) for tile in tiles]) > ISOLATED:
        doubts.append(STAND_OUT)
    return doubts


def _why_unchanged(level: float, strength: Strength) -> str:
    """Why a picture is left as it is, in a sentence."""
    if level <= DOUBT:
        return "hardly any noise here: returned unchanged"
    if strength.drawn:
        return "it looks drawn, not taken, and no noise is seen: returned unchanged; --filter NAME filters it anyway"
    if trust(level, strength) == 0:
        return (
            "noise cannot be told from what is in the picture, texture as fine, shading or rounding: returned "
            "unchanged; --filter NAME filters it anyway"
        )
    return "no candidate lowers the error for certain: returned unchanged"


def _root_mean_square(values: np.ndarray, inside: np.ndarray) -> float:
    return math.sqrt(np.mean(np.square(values), where=inside[..., None], dtype=np.float64))


def _with_mean_of(frame: np.ndarray, denoised: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Rates of photons, none below 0: filters for noise that is as strong everywhere lose some."""
    denoised = np.maximum(denoised, 0)
    return denoised * frame[inside].mean() / max(denoised[inside].mean(), 1e-12)
