"""Choose between classical filters and networks without ground truth, and do no harm.

Every candidate is judged by how much it lowers the mean squared error (`dnlib.denoiser.judging`), and no more is taken
off than that asks for: where every candidate would do harm the picture stays as it is. A filter that is asked for by
name is applied as it is.
"""

import math
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from dnlib.denoiser.adapting import adapted_best, lessons_for
from dnlib.denoiser.before import NOTHING, Before
from dnlib.denoiser.candidates import CANDIDATES, UNCHANGED
from dnlib.denoiser.judging import LEAST, SURE, Judged, filter_of, judge_all, judge_counts, noise_in
from dnlib.denoiser.sampling import sample_tiles, without_single_channel
from dnlib.denoiser.strength import DOUBT, Strength, White, strength_of, trust
from dnlib.filters import Setting, lowest_of
from dnlib.images import Part, Range, range_in_use
from dnlib.noise import Inspection, isolated_pixels

FOR_COUNTS = "total_variation"  # of few photons: risks of filters differ less than they scatter, and it keeps means
DRAWS = 4  # of fresh noise, for the uncertainty of a result (`dnlib.denoiser.uncertainty`)
DOUBTS = {
    "": "",
    "posterior": "as the network states it",
    "spread": f"the spread over {DRAWS} fresh draws of the noise, its scale calibrated on photographs",
    "noise": "that of the noise, which was left in",
}
ISOLATED = 1e-3  # share of the pixels that stand out alone, above which they are told of


@dataclass(frozen=True)
class Choice:
    """What was chosen and how good it is, as far as one can know; all in units of the input image.

    Attributes
    ----------
    filter : str
        A name in `CANDIDATES`, the same with "_adapted", or "unchanged".
    setting : dict
        The arguments of the filter.
    risk : float
        The estimated mean squared error of the result.
    noise : float
        Estimated standard deviation of the noise.
    risks : dict
        The same for each candidate in its best setting, and for "unchanged".
    weights : tuple of float
        Which share of what the filter removes was removed, for each channel.
    uncertainty : ndarray or None
        The standard deviation of every value, where it was asked for or the blind spot denoised.
    uncertainty_kind : {"", "posterior", "spread", "noise"}
        What it is: what the blind spot states; the spread over fresh draws of the noise; the noise's own, where the
        picture is left as it is.
    parts : dict
        The choices for all channels, by their names, where each is denoised by itself; the rest is that of the first.
    beforehand : tuple of str
        What was done before the filter, as "rows levelled".
    notes : tuple of str
        What a user should know of the result, in sentences.
    noise_found : Inspection or str
        What noise was found; or in a sentence why none could be inspected.
    untried : dict
        Why the other candidates were not tried, by their names.
    how : {"judged", "counted", "asked for"}
        Whether candidates were judged by their risk, by halves of the photons, or one was asked for by its name.

    Examples
    --------
    >>> Choice("median", {"radius": 2}, 0.01, 0.5, {"median": 0.01}).summary
    'median (radius 2): noise of standard deviation 0.5, about 0.1 is left'
    """

    filter: str
    setting: Setting
    risk: float
    noise: float
    risks: dict[str, float]
    weights: tuple[float, ...] = (1.0,)
    uncertainty: np.ndarray | None = None
    uncertainty_kind: str = ""
    parts: "dict[str, Choice]" = field(default_factory=dict)
    beforehand: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    noise_found: Inspection | str = ""
    untried: dict[str, str] = field(default_factory=dict)
    how: str = "judged"

    @property
    def doubt(self) -> str:
        """What the uncertainty is made from, in words; "" where there is none."""
        kinds = dict.fromkeys(one.uncertainty_kind for one in (self.parts or {"": self}).values())
        return "; ".join(DOUBTS[kind] for kind in kinds)

    @property
    def summary(self) -> str:
        """All of it in one line."""
        if self.parts:
            return "; ".join(f"{name}: {replace(choice, parts={}).summary}" for name, choice in self.parts.items())
        done = ", ".join(self.beforehand)
        if self.filter == UNCHANGED:
            rest = f"{done}, otherwise left as it is" if done else "left as it is"
            return f"{rest}, with noise of standard deviation {self.noise:.4g} at most"
        setting = ", ".join(f"{name} {value:.4g}" for name, value in self.setting.items())
        share = min(self.weights)
        taken = "" if share > 0.995 else f", {share:.0%} of what it removes"
        left = f"about {math.sqrt(self.risk):.2g}" if self.risk > 0 else "next to nothing"
        return (
            f"{f'{done}, then ' if done else ''}{self.filter}{f' ({setting})' if setting else ''}{taken}: "
            f"noise of standard deviation {self.noise:.4g}, {left} is left"
        )


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
            estimate = filter(without_single_channel(unit)).reshape(unit.shape)
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
    range: tuple[float, float] | None,
    progress: bool,
    *,
    before: Before = NOTHING,
    size: int | None = None,
    patience: float = math.inf,
    in_tiles: bool = False,
    adapt: float | None = None,
) -> Chosen:
    """Judge the candidates on sample tiles of a part.

    Parameters
    ----------
    part : Part
        Its sample frames.
    filter, device, range, progress, patience, adapt
        As `denoise` has them.
    before : Before
        What is done before anything is filtered.
    size : int, optional
        How many values there are in all, if these are samples.
    in_tiles : bool
        Whether frames come in tiles.
    """
    values = part.pixels[part.inside]
    low, high = (float(values.min()), float(values.max())) if range is None else range
    _check_range(low, high, values.dtype)
    span, harmless = high - low, filter == "auto" and not part.counts
    frames, tiles, strength = _looked_at(part, before, low, span)
    level = max(float(np.sqrt(np.mean([strength.variance(tile).mean() for tile in tiles]))), LEAST)
    notes, untried = [], {}
    if part.counts and filter == "auto":
        judged = judge_counts(FOR_COUNTS, tiles, low, span)
    else:
        size = part.pixels.size if size is None else size
        names, untried, notes = _names(filter, part.pixels.shape[-1], strength.white, size, patience)
        noisy = not harmless or trust(level, strength) > 0
        lessons = lessons_for(names, frames, [part.inside[k] for k in part.holding]) if adapt and noisy else []
        judge = partial(judge_all, tiles=tiles, strength=strength, level=level, device=device, harmless=harmless)
        judged = judge(names, progress=progress)
        if lessons:
            further, note = adapted_best(judged, lessons, strength, judge, adapt, device, span, progress)
            judged, notes = judged | further, [*notes, note]
    name = min(judged, key=lambda name: judged[name].change)
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


def _looked_at(
    part: Part, before: Before, low: float, span: float
) -> tuple[list[np.ndarray], list[np.ndarray], Strength]:
    """Frames of a part, prepared, in [0, 1], which are `low` and `low + span`; sample tiles; what noise it is."""
    values, prepared = part.pixels[part.inside], before.prepared(part)
    frames = [((prepared.pixels[k].astype(np.float64) - low) / span).astype(np.float32) for k in part.holding]
    tiles = sample_tiles(frames, [part.inside[k] for k in part.holding])
    if part.counts:
        return frames, tiles, White(math.sqrt(values.mean()) / span)
    used = range_in_use(values) if np.issubdtype(values.dtype, np.integer) else Range.told(low, low + span)
    return frames, tiles, strength_of(frames[0], part.inside[part.holding[0]], used, low, span, tiles)


def _names(
    filter: str, channels: int, white: bool, size: int, patience: float
) -> tuple[list[str], dict[str, str], list[str]]:
    """The candidates to judge, why not the others, and what is to be said of those that take too long.

    They are what was asked for, or all that fit the picture and take no longer than `patience`.
    """
    if filter != "auto":
        if CANDIDATES[filter].colours and channels != 3:
            raise ValueError(f"{filter} was trained on images of 3 colours; this one has {channels} channel(s)")
        return [filter], {}, []
    untried = {name: why for name, one in CANDIDATES.items() if (why := one.unfit(channels, white))}
    seconds = {name: one.seconds * size / 1e6 for name, one in CANDIDATES.items() if name not in untried}
    names = [name for name in seconds if seconds[name] <= patience] or [min(seconds, key=seconds.get)]
    slow = [name for name in seconds if name not in names]
    if not slow:
        return names, untried, []
    minutes = math.ceil(max(seconds[name] for name in slow) / 60)
    untried |= dict.fromkeys(slow, f"it may take {minutes} minutes: --patience {minutes}m")
    return names, untried, [f"not tried, for they may take {minutes} minutes: {', '.join(slow)}; --patience {minutes}m"]


def _doubts(name: str, before: Before, tiles: list[np.ndarray], strength: Strength, level: float) -> list[str]:
    """Why a picture is left as it is, and what is kept of it that might be noise, in sentences."""
    doubts = [_why_unchanged(level, strength)] if name == UNCHANGED and not before.done else []
    if np.mean([isolated_pixels(tile, np.sqrt(strength.variance(tile))).mean() for tile in tiles]) > ISOLATED:
        doubts.append(
            "single pixels stand out by more than this noise can: they are kept, for whether they are noise, or stars, "
            "dust and fine print, cannot be told; --filter median takes them for noise"
        )
    return doubts


def _why_unchanged(level: float, strength: Strength) -> str:
    """Why a picture is left as it is, in a sentence."""
    if level <= DOUBT:
        return "hardly any noise here: returned unchanged"
    if trust(level, strength) == 0:
        return (
            "texture as fine as this noise cannot be told from it: returned unchanged; --filter NAME filters it anyway"
        )
    return "no candidate lowers the error for certain: returned unchanged"


def _check_range(low: float, high: float, kind: np.dtype) -> None:
    exact = 2**53 if np.issubdtype(kind, np.integer) else 1e150
    if max(-low, high) > exact:
        raise ValueError(f"the values range from {low:g} to {high:g}; at most {exact:g} can be handled without loss")


def _root_mean_square(values: np.ndarray, inside: np.ndarray) -> float:
    return math.sqrt(np.mean(np.square(values), where=inside[..., None], dtype=np.float64))


def _with_mean_of(frame: np.ndarray, denoised: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Rates of photons, none below 0: filters for noise that is as strong everywhere lose some."""
    denoised = np.maximum(denoised, 0)
    return denoised * frame[inside].mean() / max(denoised[inside].mean(), 1e-12)
