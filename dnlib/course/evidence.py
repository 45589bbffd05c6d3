"""The evidence for a claim at one length of training: its checked values by place and seed, and what they say."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np

from dnlib.course import jobs
from dnlib.course.claims import Claim
from dnlib.course.margins import LEVEL, Margin, measure

Verdict = Literal["held", "did not hold", "undecided", "not tested"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True)
class Entry:
    """One checked value for each seed: a number, a score for each image, or a text or boolean.

    place: what the stars of the claim's value stood for; where records were run with several settings, these too.
    """

    claim: Claim
    place: str
    values: dict[int, Any]  # by seed
    scenes: dict[str, str]  # of the images

    @cached_property
    def table(self) -> np.ndarray:
        """[seeds], or [seeds, images] if each seed was judged on the same images."""
        values = list(self.values.values())
        if self.images:
            return np.array([[value[image] for image in self.images] for value in values])
        return np.array([np.mean(list(value.values())) if isinstance(value, dict) else value for value in values])

    @cached_property
    def images(self) -> list[str]:
        """The images that every seed was judged on; none if the values are not scores of images."""
        first, *others = self.values.values()
        same = isinstance(first, dict) and all(isinstance(o, dict) and o.keys() == first.keys() for o in others)
        if same and (unknown := sorted(first.keys() - self.scenes.keys())):
            raise ValueError(
                f"claim {self.claim.id}: no record names the scene of {unknown[0]}; images of one scene are one sample"
            )
        return list(first) if same else []

    @cached_property
    def margins(self) -> list[Margin]:
        """The margin to the bound; two where the claim has two bounds."""
        if self.claim.sample == "images" and not self.images:
            raise ValueError(
                f"claim {self.claim.id} compares images, and a record of it keeps no score for each; "
                f"run the chapter again: dnlib run {jobs.number(self.claim.chapter)}"
            )
        return [self._measured(side) for side in self.claim.margins(self.table)]

    @property
    def margin(self) -> Margin | None:
        """The smaller of the margins; None for a value that is counted, run by run."""
        return None if self.claim.is_counted else min(self.margins, key=lambda margin: margin.mean)

    @property
    def room(self) -> float:
        """How far the nearest of its numbers lies on the right side of the bound; 0 where the claim says `equals`."""
        return 0.0 if self.claim.kind == "equals" else float(np.min(self.claim.margins(self.table)))

    @cached_property
    def mean(self) -> Margin:
        """The mean of the value itself, with its error."""
        return self._measured(self.table)

    def _measured(self, table: np.ndarray) -> Margin:
        """The mean of a table over seeds and scenes, with its error.

        One seed does not tell how trainings scatter: then there is no error, unless images are the sample.
        """
        margin = measure(table, [self.scenes[image] for image in self.images] or None)
        return margin if len(self.values) > 1 or self.claim.sample == "images" else Margin(margin.mean, {})

    @property
    def superior(self) -> float:
        """P(A > B): in how many of all runs and images the first row lies above the second."""
        return float(np.mean(self.table > 0) + np.mean(self.table == 0) / 2)

    @property
    def scatter(self) -> str:
        """Whether seeds or scenes make most of the interval of its margin, and how many of them would decide it."""
        margin = self.margin
        share = "most" if len(margin.parts) > 1 else "all"
        enough = f"about {margin.needed} would" if margin.needed else "a thousand would not"
        said = f"{share} of its width comes from {margin.widest}"
        return f"{said}, of which {enough} decide the claim if mean and scatter stay"

    def probabilities(self) -> tuple[float, float]:
        """Two p-values: of a value so good if the truth is not above the bound, of one so bad if it is not below."""
        if self.claim.is_counted:
            right, runs = sum(self._right), len(self._right)
            chance = float(right not in (0, runs)) if self.claim.sample == "nothing" else _of_coins(right, runs)
            return (chance, 1.0) if right > runs / 2 else (1.0, chance)
        held = max(m.probability if m.mean > 0 or m.error == 0 == m.mean else 1.0 for m in self.margins)
        failed = min(m.probability if m.mean < 0 else 1.0 for m in self.margins)
        return held, failed

    @cached_property
    def _right(self) -> list[bool]:
        """Whether each seed's value is as claimed."""
        if self.claim.kind == "equals":
            return [value == self.claim.bound for value in self.values.values()]
        return list(np.min(self.claim.margins(self.table), axis=0) >= 0)

    @property
    def agreement(self) -> str:
        """The larger party among the seeds, those as claimed or the others: "3 of 5 seeds"."""
        right, runs = sum(self._right), len(self._right)
        return f"{max(right, runs - right)} of {_count(runs, 'seed')}"

    @property
    def certainty(self) -> float:
        """The margin divided by half its interval: above 1 the claim held, below -1 it did not, between it is open."""
        if self.claim.is_counted:
            held, failed = self.probabilities()
            return 2 * ((held < LEVEL) - (failed < LEVEL)) or float(np.mean(self._right)) - 0.5
        return min(m.mean / half if (half := m.half_interval()) else np.copysign(np.inf, m.mean) for m in self.margins)

    @property
    def text(self) -> str:
        """Mean and 95 % interval with unit, or the values."""
        if self.claim.is_counted:
            return f"{', '.join(sorted({_short(value) for value in self.values.values()}))} {self.claim.unit}".strip()
        spread = f" ± {self.mean.half_interval():.2g}" if self.mean.error else ""  # all seeds may give one number
        return f"{self.mean.mean:.4g}{spread} {self.claim.unit}"

    @property
    def extent(self) -> str:
        """What it was measured on: "3 seeds", "1 seed x 24 images" or "3 seeds x 54 images of 8 scenes"."""
        seeds = _count(len(self.values), "seed")
        if not self.images:
            return seeds
        scenes = len({self.scenes[image] for image in self.images})
        of = f" of {_count(scenes, 'scene')}" if scenes < len(self.images) else ""
        return f"{seeds} x {_count(len(self.images), 'image')}{of}"


@dataclass(frozen=True)
class Evidence:
    """All entries of a claim at one length of training; None for a claim that does not depend on it."""

    length: float | None
    entries: tuple[Entry, ...]

    @property
    def seeds(self) -> int:
        """How many the entry with most of them has."""
        return max(len(entry.values) for entry in self.entries)

    @cached_property
    def probabilities(self) -> tuple[float, float]:
        """The p-values of all entries together. To hold, each must hold; to fail, one is enough (Bonferroni)."""
        held, failed = zip(*(entry.probabilities() for entry in self.entries), strict=True)
        return max(held), min(1.0, len(failed) * min(failed))

    @property
    def verdict(self) -> Verdict:
        """What the entries say together."""
        held, failed = self.probabilities
        return "held" if held < LEVEL else "did not hold" if failed < LEVEL else "undecided"

    @cached_property
    def weakest(self) -> Entry:
        """The entry that speaks most against the claim."""
        return min(self.entries, key=lambda entry: (entry.certainty, entry.margin.mean if entry.margin else entry.room))

    @property
    def of_which(self) -> str:
        """Which of several entries is the weakest, in words."""
        if len(self.entries) == 1:
            return ""
        if self.weakest.claim.kind == "equals" and len({entry.certainty for entry in self.entries}) == 1:
            return f", each of {len(self.entries)}"
        return f", {self.weakest.place}, the least sure of {len(self.entries)}"


def _of_coins(heads: int, throws: int) -> float:
    """How probable so many heads, or as few, are of fair coins, both ways: the sign test."""
    from scipy.stats import binomtest

    return float(binomtest(heads, throws).pvalue)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + "s" * (number != 1)
