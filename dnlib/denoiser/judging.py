"""Candidates judged without a clean image: by the change of the mean squared error, on equal tiles and draws of noise.

A filter f removes y - f(y) from the noisy picture y. How much of that is noise follows from how f answers to a little
more noise of the same kind (Stein's lemma, `filters.stein_risk`), and with it the share of what is removed that is best
taken off. For a filter that does not look at the pixel itself the share is sigma^2 / loss: chapter 01's way of mixing.
As the noise's variance is estimated, the share is that of more noise: with too little, a good denoiser leaves
noise behind, and up to twice too much does no harm (`Risk.with_noise`).
"""

import math
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from numbers import Integral, Real

import numpy as np
from tqdm import tqdm

from dnlib.denoiser.candidates import CANDIDATES, TOGETHER, Candidate, averaged
from dnlib.denoiser.sampling import TILE, without_single_channel
from dnlib.denoiser.strength import Strength, trust
from dnlib.filters import Filter, Risk, Setting, stein_risk, thin

SEED = 1_981_031_004  # no picture's own noise was drawn with it: equal noise would spoil the judge
STEP = 0.05  # how much noise is added to see what becomes of it, in shares of what there is
LEAST = 1e-4  # of the range: the standard deviation for which filters are set where there is no noise
SURE = 2.0  # standard errors by which a candidate has to lower the error
ALIKE = 0.1  # of the noise's variance: how far it may be off, being estimated; risks closer than this say nothing
ALIKE_SHARED = 0.5  # the same for what is taken off in the end where neighbours share their noise
RARE = 4.0  # standard deviations: a value that differs by more from its denoised one is no noise


@dataclass(frozen=True)
class Judged:
    """A candidate in one of its settings, its risk on the samples, and the share of it that is blended in, [C].

    more: the share is best for noise whose variance is this many times that estimated.
    answers: what it made of the images that it was shown, by their bytes.
    shift: a candidate judged on a quarter of the samples has its change raised by this, so that it can be compared with
    those judged on all.
    """

    candidate: Candidate
    number: int  # of its settings
    risk: Risk
    weight: np.ndarray
    more: float = 1 + ALIKE
    answers: dict[bytes, np.ndarray] = field(default_factory=dict, repr=False, compare=False)
    shift: float = 0.0

    @property
    def change(self) -> float:
        """By how much the blended share changes the mean squared error; below 0 if it does good."""
        return self.risk.change(self.weight) + self.shift

    @property
    def noise(self) -> np.ndarray:
        """The product of the noise, `more` of it, and what is removed, a mean for each channel [C]."""
        return -self.more * self.risk.overlap.sum(axis=0) / self.risk.count.sum(axis=0).clip(1)

    def with_more_noise(self, more: float) -> "Judged":
        """The same with the share that is best if the noise's variance is `more` times that estimated."""
        return replace(self, weight=self.risk.with_noise(more).best_weight, more=more)

    def setting(self, level: float, span: float = 1.0) -> Setting:
        """Its arguments for a noise level, in units of which the range [0, 1] is `span`."""
        setting = self.candidate.settings(level)[self.number]
        scaled = {name for name, one in setting.items() if isinstance(one, Real) and not isinstance(one, Integral)}
        return {name: value * span if name in scaled else value for name, value in setting.items()}

    def filter(self, deviation: np.ndarray, level: float, device: str) -> Filter:
        """The candidate as a filter, see `filter_of`; what it has already answered, it looks up."""
        filter = filter_of(self.candidate, self.number, deviation, level, device)
        longest = max(map(len, self.answers), default=0)

        def recalled(image: np.ndarray) -> np.ndarray:
            known = self.answers.get(image.tobytes()) if image.nbytes <= longest else None
            return filter(image) if known is None else known

        return recalled


def filter_of(candidate: Candidate, number: int, deviation: np.ndarray, level: float, device: str) -> Filter:
    """A candidate in one of its settings; deviation: of the noise of each value, `level` on average."""
    if members := candidate.members:
        filters = [one.filter(deviation, level, device) for one in members]
        return lambda image: averaged([one.candidate for one in members], [one(image) for one in filters], level)
    setting = candidate.settings(level)[number]
    if candidate.by_pixel:
        setting = setting | {"sigma": without_single_channel(np.atleast_3d(setting["sigma"] / level * deviation))}
    return partial(candidate.filter, **setting, **({"device": device} if candidate.weights else {}))


@dataclass(frozen=True)
class Sample:
    """A piece of the picture on which candidates are judged: [H, W] or [H, W, C], all in [0, 1].

    deviation: of the noise of every value. draw: more of such noise.
    """

    tile: np.ndarray
    deviation: np.ndarray
    draw: np.ndarray

    @classmethod
    def of(cls, tile: np.ndarray, strength: Strength, rng: np.random.Generator) -> "Sample":
        deviation, draw = np.sqrt(strength.variance(tile)), strength.draw(tile, rng)
        # its variance is what it should be, not only on average over draws
        wanted, drawn = ((one**2).mean(axis=(0, 1)) for one in (deviation, draw))
        scale = np.sqrt(wanted / np.where(drawn > 0, drawn, 1))  # of a constant tile there is nothing to draw
        return cls(tile, deviation, (draw * scale).astype(np.float32))

    def middles(self) -> list["Sample"]:
        """The middle quarter of every TILE x TILE pixels of it; all of it where it is smaller than that."""
        side, high, wide = TILE // 2, *(range(TILE // 4, size - TILE // 2 + 1, TILE) for size in self.tile.shape[:2])
        if not (high and wide):
            return [self]
        places = [np.s_[top : top + side, left : left + side] for top in high for left in wide]
        maps = self.tile, self.deviation, self.draw
        return [Sample(*(np.ascontiguousarray(one[place]) for one in maps)) for place in places]


@dataclass(frozen=True)
class Judge:
    """What candidates are judged by: sample tiles [H, W] or [H, W, C] in [0, 1], and what noise they have.

    harmless: blend in no more than does good, of what is certain to be noise; else all. device: of networks.
    """

    tiles: list[np.ndarray]
    strength: Strength
    harmless: bool
    device: str

    @cached_property
    def level(self) -> float:
        """The standard deviation of the noise on the tiles."""
        return max(float(np.sqrt(np.mean([self.strength.variance(tile).mean() for tile in self.tiles]))), LEAST)

    @cached_property
    def certain(self) -> float:
        """The share of the noise's variance that is sure not to be texture."""
        return trust(self.level, self.strength) if self.harmless else 1.0

    @cached_property
    def samples(self) -> list[Sample]:
        """The tiles, each with a draw of noise that is the same for all candidates."""
        rng = np.random.default_rng(SEED)
        return [Sample.of(tile, self.strength, rng) for tile in self.tiles]

    def all(self, names: list[str], *, progress: bool, most_seconds: float = math.inf) -> dict[str, Judged]:
        """Judge candidates by name, each in its best setting. Those without a finite risk are left out.

        A quarter of the tiles shows which are worse than the best for certain; only the others are judged on all.
        Where the best filter and the best network are hardly apart, their mean becomes one more candidate. Without
        `harmless` the names were asked for, and the mean of all of them becomes one more.

        most_seconds: the mean of two is not tried if together they take longer for a megapixel of one channel. Raises
        ValueError where no risk is finite.
        """
        settings = {name: range(len(CANDIDATES[name].settings(self.level))) for name in names}
        several = sum(map(len, settings.values())) > 1
        quarter = [middle for sample in self.samples for middle in sample.middles()] if several else self.samples
        cut = sum(one.tile.size for one in quarter) < sum(one.tile.size for one in self.samples)
        judged = {}
        for name in (bar := tqdm(names, desc="calibrating", disable=not progress, leave=False)):
            bar.set_postfix_str(name)
            found = [self.one(CANDIDATES[name], number, quarter) for number in settings[name]]
            if finite := [one for one in found if math.isfinite(one.change)]:
                judged[name] = min(finite, key=lambda one: one.change)
        if not judged:
            raise ValueError(f"no result of {', '.join(names)} is a finite number on this image; try another filter")
        if cut:
            judged = self._on_all(judged)
        together = self._hardly_apart(judged, most_seconds) if self.harmless else list(judged)
        return judged | (self.mean({name: judged[name] for name in together}) if len(together) > 1 else {})

    def mean(self, several: dict[str, Judged]) -> dict[str, Judged]:
        """The mean of several candidates as one, by their names."""
        members = tuple(several.values())
        seconds = sum(one.candidate.seconds for one in members)
        reaches = [one.candidate.reach for one in members]
        reach = None if None in reaches else max(reaches)
        mean = self.one(Candidate(None, lambda level: [{}], seconds, reach=reach, members=members))
        for one in members:
            one.answers.clear()  # the mean has its own
        return {TOGETHER.join(several): mean}

    def one(self, candidate: Candidate, number: int = 0, samples: list[Sample] | None = None) -> Judged:
        """A candidate in one of its settings, judged on samples, all if none are given."""
        answers, risks = {}, []
        for sample in self.samples if samples is None else samples:
            filter = filter_of(candidate, number, sample.deviation, self.level, self.device)
            answer = self._remembered(filter, answers)
            risks.append(stein_risk(answer, sample.tile, [sample.draw], strength=STEP))
        risk = sum(risks[1:], risks[0]).with_noise(self.certain)
        judged = Judged(candidate, number, risk, np.ones(risk.count.shape[1]), answers=answers)
        return judged.with_more_noise(1 + ALIKE) if self.harmless else judged

    def _remembered(self, filter: Filter, answers: dict[bytes, np.ndarray]) -> Filter:
        """The filter, which keeps its answers in `answers`; if harmless, it removes only what can be noise."""

        def remembered(image: np.ndarray) -> np.ndarray:
            estimate = answers[image.tobytes()] = filter(image)
            return image - noise_in(image - estimate, estimate, self.strength) if self.harmless else estimate

        return remembered

    def _on_all(self, judged: dict[str, Judged]) -> dict[str, Judged]:
        """Judge those on all samples that may be the best; the others keep their distance from the best."""
        best = min(judged, key=lambda name: judged[name].change)
        near = [name for name, one in judged.items() if not (self.harmless and self.is_worse(one, judged[best]))]
        again = {name: self.one(judged[name].candidate, judged[name].number) for name in near}
        shift = again[best].change - judged[best].change
        return {name: again[name] if name in again else replace(one, shift=shift) for name, one in judged.items()}

    def is_worse(self, one: Judged, best: Judged) -> bool:
        """Whether one is worse for certain: by more than chance explains, and the error of an estimated covariance."""
        return falls(one, best) and (self.strength.white or one.change - best.change >= ALIKE * self.level**2)

    def _hardly_apart(self, judged: dict[str, Judged], most_seconds: float) -> list[str]:
        """The best filter and the best network, where nobody can say which of the two is better; else none.

        They err in different ways, and the mean of two is never worse than both, and mostly better than either.
        """
        best = []
        for learned in (False, True):
            names = [name for name, one in judged.items() if bool(one.candidate.weights) == learned and not one.shift]
            best += [min(names, key=lambda name: judged[name].change)] if names else []
        first, *others = sorted((judged[name] for name in best), key=lambda one: one.change)
        affordable = sum(judged[name].candidate.seconds for name in best) <= most_seconds
        apart = any(one.change - first.change >= ALIKE * self.level**2 or self.is_worse(one, first) for one in others)
        return best if affordable and not apart else []


def falls(before: Judged, after: Judged) -> bool:
    """Whether a risk is lower for certain than another on the same pixels and draws."""
    first, second, apart = before.risk, after.risk, np.zeros_like(before.risk.noise)
    overlap = after.weight * second.overlap - before.weight * first.overlap
    power = after.weight**2 * second.power - before.weight**2 * first.power
    difference = Risk(overlap, power, apart, first.count)
    return difference.change() < -SURE * difference.error()


def judge_counts(name: str, tiles: list[np.ndarray], low: float, span: float) -> dict[str, Judged]:
    """A candidate for photon counts in its best setting: the one in which half of the photons best predict the rest.

    tiles: [H, W] in [0, 1], where 0 stands for `low` photons and 1 for `low + span`.
    """
    candidate, rng, found = CANDIDATES[name], np.random.default_rng(SEED), []
    halves = [thin(np.rint(tile * span + low), 0.5, rng) for tile in tiles]
    level = max(float(np.sqrt(np.mean([first.mean() for first, _ in halves]))), LEAST)
    half = np.mean([second.mean() for _, second in halves])  # the variance of what is predicted
    for number, setting in enumerate(candidate.settings(level)):
        loss = np.mean([np.mean((candidate.filter(first, **setting) - second) ** 2) for first, second in halves])
        sums = np.array([-half, 4 * (loss - half), 2 * half]) / span**2  # of all photons, twice as many
        risk = Risk(*sums.reshape(3, 1, 1), np.ones((1, 1)))
        found.append(Judged(candidate, number, risk, np.ones(1)))
    return {name: min(found, key=lambda one: one.change)}


def noise_in(removed: np.ndarray, estimate: np.ndarray, strength: Strength) -> np.ndarray:
    """What was removed, limited to RARE standard deviations: whatever differs by more is no noise."""
    limit = RARE * np.sqrt(strength.variance(estimate))
    return np.clip(removed, -limit, limit)
