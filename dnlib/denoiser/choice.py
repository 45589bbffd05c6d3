"""Choose between classical filters and networks without ground truth, and do no harm.

Every candidate is judged by how much it lowers the mean squared error (`filters.stein_risk`), and no more is taken off
than that asks for: where every candidate would do harm the picture stays as it is. A filter that is asked for by name is
applied as it is.
"""

import math
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from tqdm.auto import tqdm

from dnlib.denoiser.candidates import CANDIDATES, UNCHANGED, Candidate
from dnlib.denoiser.sampling import sample_tiles, without_single_channel
from dnlib.denoiser.strength import Strength, White, strength_of, trust
from dnlib.filters import Filter, Risk, Setting, stein_risk
from dnlib.images import Part

FOR_COUNTS = "total_variation"  # of few photons: losses of filters differ less than they scatter, and it keeps means
SURE = 2.0  # standard errors by which a candidate has to lower the error
RARE = 4.0  # standard deviations: what differs more from its denoised value is no noise
STEP = 0.05  # how much noise is added to see what becomes of it, in shares of what there is
LEAST = 1e-4  # of the range: the standard deviation for which filters are set where there is no noise


@dataclass(frozen=True)
class Choice:
    """What was chosen and how good it is, as far as one can know; all in units of the input image.

    Attributes
    ----------
    filter : str
        A name in `CANDIDATES`, or "unchanged".
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
        The standard deviation of every value, where the blind spot denoised.
    parts : dict
        The choices for all channels, by their names, where each is denoised by itself; the rest is that of the first.
    notes : tuple of str
        What a user should know of the result, in sentences.

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
    parts: "dict[str, Choice]" = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """All of it in one line."""
        if self.parts:
            return "; ".join(f"{name}: {replace(choice, parts={}).summary}" for name, choice in self.parts.items())
        if self.filter == UNCHANGED:
            return f"left as it is: of noise of standard deviation {self.noise:.4g} nothing can be removed for certain"
        setting = ", ".join(f"{name} {value:.4g}" for name, value in self.setting.items())
        share = min(self.weights)
        taken = "" if share > 0.995 else f", {share:.0%} of what it removes"
        return (
            f"{self.filter}{f' ({setting})' if setting else ''}{taken}: noise of standard deviation {self.noise:.4g}, "
            f"about {math.sqrt(max(self.risk, 0)):.2g} is left"
        )


@dataclass(frozen=True)
class Judged:
    """A candidate in one of its settings, its risk on the sample tiles, and the share of it that is blended in, [C]."""

    candidate: Candidate
    number: int  # of its settings
    risk: Risk
    weight: np.ndarray

    @property
    def change(self) -> float:
        """Of the mean squared error, by what is blended in; below 0 if it does good."""
        return self.risk.change(self.weight)


@dataclass(frozen=True)
class Chosen:
    """A choice, with which frames can be denoised one by one.

    judged: None where the picture is left as it is. strength: of noise in [0, 1], which is `low` and `low + span` in the
    part's units. level: its standard deviation on the sample tiles. harmless: take off no more than is good.
    """

    choice: Choice
    judged: Judged | None
    strength: Strength
    level: float
    low: float
    span: float
    harmless: bool
    device: str

    def apply(self, frame: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """A frame [H, W, C] denoised, and the standard deviation of every value or None, in the part's units.

        inside: [H, W], False where pixels do not count.
        """
        if self.judged is None:
            return frame.astype(np.float32), None
        unit = ((frame.astype(np.float64) - self.low) / self.span).astype(np.float32)
        variance = self.strength.variance(unit)
        level = float(np.sqrt(variance[inside].mean()))
        candidate = self.judged.candidate
        setting = candidate.settings(max(level, LEAST))[self.judged.number]
        deviation = None
        if candidate.deviation:
            estimate, deviation = candidate.deviation(unit, **setting, device=self.device)
            deviation = deviation * self.span
        else:
            filter = _filter_of(candidate, setting, np.sqrt(variance), level, self.device)
            estimate = filter(without_single_channel(unit)).reshape(unit.shape)
        removed = unit - estimate
        if self.harmless:
            limit = RARE * np.sqrt(variance)
            removed = self._weights(removed[inside], level) * np.clip(removed, -limit, limit)
        return (unit - removed) * self.span + self.low, deviation

    def _weights(self, removed: np.ndarray, level: float) -> np.ndarray:
        """The share of what is removed [P, C] that is taken off a frame, which may hold more or less noise than tiles."""
        power = (removed.astype(np.float64) ** 2).mean(axis=0)
        risk = self.judged.risk
        noise = -risk.overlap.sum(axis=0) / risk.count.sum(axis=0).clip(1) * (level / self.level) ** 2
        return np.clip(np.divide(noise, power, out=np.zeros_like(power), where=power > 0), 0, 1).astype(np.float32)


def choose(
    part: Part, filter: str, device: str, range: tuple[float, float] | None, progress: bool, patience: float = math.inf
) -> Chosen:
    """Judge the candidates on sample tiles of a part.

    Parameters
    ----------
    part : Part
        Of a picture.
    filter, device, range, progress, patience
        As `denoise` has them.
    """
    values = part.pixels[part.inside]
    low, high = (float(values.min()), float(values.max())) if range is None else range
    _check_range(low, high, values.dtype)
    span = high - low
    frames = [((part.pixels[k].astype(np.float64) - low) / span).astype(np.float32) for k in part.holding]
    tiles = sample_tiles(frames, [part.inside[k] for k in part.holding])
    known = White(math.sqrt(values.mean()) / span) if part.counts else None
    strength = known or strength_of(part, tiles, low, span)
    level = max(float(np.sqrt(np.mean([strength.variance(tile).mean() for tile in tiles]))), LEAST)
    harmless = filter == "auto" and not part.counts
    names = [FOR_COUNTS] if part.counts and filter == "auto" else _names(filter, part, strength.white, patience)
    judged = _judge_all(names, tiles, strength, level, device, harmless, progress)
    name = min(judged, key=lambda name: judged[name].change)
    best = judged[name]
    if harmless and -best.change <= SURE * best.risk.error(best.weight):
        name = UNCHANGED
    risks = {name: float(span**2 * (level**2 + one.change)) for name, one in judged.items()}
    choice = Choice(
        name,
        {} if name == UNCHANGED else _in_image_units(best, level, span),
        (risks | {UNCHANGED: span**2 * level**2})[name],
        level * span,
        risks | {UNCHANGED: span**2 * level**2},
        tuple(best.weight.tolist()),
    )
    return Chosen(choice, None if name == UNCHANGED else best, strength, level, low, span, harmless, device)


def _names(filter: str, part: Part, white: bool, patience: float) -> list[str]:
    """The candidates to judge: what was asked for, or all that fit the picture and take no longer than `patience`."""
    channels = part.pixels.shape[-1]
    if filter != "auto":
        if CANDIDATES[filter].colours and channels != 3:
            raise ValueError(f"{filter} was trained on images of 3 colours; this one has {channels} channel(s)")
        return [filter]
    millions = part.pixels.size / 1e6
    return [
        name
        for name, one in CANDIDATES.items()
        if one.noise in ("any", "white" if white else "shared")
        and one.seconds * millions <= patience
        and (not one.colours or (channels == 3 and one.is_there()))
    ]


def _check_range(low: float, high: float, kind: np.dtype) -> None:
    exact = 2**53 if np.issubdtype(kind, np.integer) else 1e150
    if max(-low, high) > exact:
        raise ValueError(f"the values range from {low:g} to {high:g}; at most {exact:g} can be handled without loss")


def _judge_all(
    names: list[str],
    tiles: list[np.ndarray],
    strength: Strength,
    level: float,
    device: str,
    harmless: bool,
    progress: bool,
) -> dict[str, Judged]:
    """Candidates with a gain that is a finite number, each in its best setting; there is at least one."""
    rng = np.random.default_rng(0)
    deviations = [np.sqrt(strength.variance(tile)) for tile in tiles]
    draws = [_as_strong(strength.draw(tile, rng), deviation) for tile, deviation in zip(tiles, deviations, strict=True)]
    certain = trust(level, strength) if harmless else 1.0
    judged = {}
    for name in (bar := tqdm(names, desc="calibrating", disable=not progress, leave=False)):
        bar.set_postfix_str(name)
        candidate = CANDIDATES[name]
        found = []
        for number, setting in enumerate(candidate.settings(level)):
            risks = [
                stein_risk(_filter_of(candidate, setting, deviation, level, device), tile, [z], strength=STEP)
                for tile, z, deviation in zip(tiles, draws, deviations, strict=True)
            ]
            risk = sum(risks[1:], risks[0]).with_noise(certain)
            found.append(Judged(candidate, number, risk, risk.best_weight if harmless else np.ones(risk.count.shape[1])))
        finite = [one for one in found if math.isfinite(one.change)]
        if finite:
            judged[name] = min(finite, key=lambda one: one.change)
    if not judged:
        raise ValueError(f"no result of {', '.join(names)} is a finite number on this image; try another filter")
    return judged


def _as_strong(draw: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """A draw scaled so that its variance is what it should be, not only on average over draws."""
    return (draw * np.sqrt((deviation**2).mean(axis=(0, 1)) / (draw**2).mean(axis=(0, 1)))).astype(np.float32)


def _filter_of(candidate: Candidate, setting: Setting, deviation: np.ndarray, level: float, device: str) -> Filter:
    """A candidate with its arguments; deviation: of the noise of each value, `level` on average."""
    if candidate.by_pixel:
        setting = setting | {"sigma": without_single_channel(np.atleast_3d(setting["sigma"] / level * deviation))}
    return partial(candidate.filter, **setting, **({"device": device} if candidate.colours else {}))


def _in_image_units(judged: Judged, level: float, span: float) -> Setting:
    candidate = judged.candidate
    setting = candidate.settings(level)[judged.number]
    return {name: value * span if name in candidate.in_image_units else value for name, value in setting.items()}
