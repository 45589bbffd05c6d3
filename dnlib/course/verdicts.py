"""Verdicts: what records say about claims. Held, did not hold, undecided, or not tested.

A claim is a margin, measured minus bound. It held if the margin's 95 % interval lies above zero, did not hold if it
lies below, and is undecided if it holds zero. A claim about every entry held if it held for each (each is tested at
5 %), and did not hold if it failed for one (at 5 % over the number of entries, Bonferroni). One seed decides nothing,
unless the images are the sample, or there is nothing to sample.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from typing import Any, Literal

import numpy as np

from dnlib.course import profiles
from dnlib.course.claims import Claim
from dnlib.course.margins import LEVEL, Margin, measure
from dnlib.course.records import Record

Verdict = Literal["held", "did not hold", "undecided", "not tested"]
VERDICTS: tuple[Verdict, ...] = ("held", "did not hold", "undecided", "not tested")


@dataclass(frozen=True)
class Entry:
    """One checked value, over seeds: a number, a score for each image, or a text or boolean.

    place: what the stars of the claim's value stood for, and how the record was run if others were run otherwise.
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
        """Those that every seed was judged on; none if there are other numbers than scores of images."""
        first, *others = self.values.values()
        same = isinstance(first, dict) and all(isinstance(o, dict) and o.keys() == first.keys() for o in others)
        if same and (unknown := sorted(first.keys() - self.scenes.keys())):
            raise ValueError(
                f"claim {self.claim.id}: no record names the scene of {unknown[0]}; images of one scene are one sample"
            )
        return list(first) if same else []

    @cached_property
    def margins(self) -> list[Margin]:
        """The margin, or those to both bounds."""
        if self.claim.sample == "images" and not self.images:
            raise ValueError(
                f"claim {self.claim.id} compares images, and a record of it keeps no score for each; "
                f"run the chapter again: dnlib run {self.claim.chapter[:2]}"
            )
        scenes = [self.scenes[image] for image in self.images] or None
        return [measure(side, scenes) for side in self.claim.margins(self.table)]

    @cached_property
    def mean(self) -> Margin:
        """Of the value itself."""
        return measure(self.table, [self.scenes[image] for image in self.images] or None)

    @property
    def superior(self) -> float:
        """P(A > B): in how many of all runs and images the first row lies above the second."""
        return float(np.mean(self.table > 0) + np.mean(self.table == 0) / 2)

    def probabilities(self) -> tuple[float, float]:
        """How probable the value would be if it were no better, and no worse, than its bound: what speaks against."""
        if self.claim.is_counted:
            return self._counted()
        held = max(m.probability if m.mean > 0 or m.error == 0 == m.mean else 1.0 for m in self.margins)
        failed = min(m.probability if m.mean < 0 else 1.0 for m in self.margins)
        return held, failed

    def _counted(self) -> tuple[float, float]:
        """All seeds agree, or it is open; a single one says something only about what has nothing to sample."""
        if self.claim.kind == "equals":
            right = [value == self.claim.bound for value in self.values.values()]
        else:
            right = list(np.min(self.claim.margins(self.table), axis=0) >= 0)
        enough = self.claim.sample == "nothing" or len(right) > 1
        return (0.0 if enough and all(right) else 1.0), (0.0 if enough and not any(right) else 1.0)

    @property
    def certainty(self) -> float:
        """Margins over half their interval: from 1 on it held, between 1 and -1 it is open, below it did not hold."""
        if self.claim.is_counted:
            held, failed = self.probabilities()
            return 2 * (failed - held)
        return min(m.mean / half if (half := m.half_interval()) else np.copysign(np.inf, m.mean) for m in self.margins)

    @property
    def text(self) -> str:
        """Mean and 95 % interval with unit, or the values, and over how many seeds or images."""
        if self.claim.is_counted:
            return f"{', '.join(sorted({_short(value) for value in self.values.values()}))} {self.claim.unit}".strip()
        spread = f" ± {self.mean.half_interval():.2g}" if self.mean.is_known else ""
        return f"{self.mean.mean:.4g}{spread} {self.claim.unit}"

    @property
    def extent(self) -> str:
        """3 seeds, or 1 seed x 24 images, or 3 seeds x 54 images of 8 scenes."""
        seeds = _count(len(self.values), "seed")
        if not self.images:
            return seeds
        scenes = len({self.scenes[image] for image in self.images})
        of = f" of {_count(scenes, 'scene')}" if scenes < len(self.images) else ""
        return f"{seeds} x {_count(len(self.images), 'image')}{of}"


@dataclass(frozen=True)
class Stage:
    """A claim at one length of training."""

    length: float | None
    entries: tuple[Entry, ...]

    @cached_property
    def probabilities(self) -> tuple[float, float]:
        """Against and for: every entry must hold, and one that fails is enough."""
        held, failed = zip(*(entry.probabilities() for entry in self.entries), strict=True)
        return max(held), min(1.0, len(failed) * min(failed))

    @property
    def verdict(self) -> Verdict:
        """Of the entries together."""
        held, failed = self.probabilities
        return "held" if held < LEVEL else "did not hold" if failed < LEVEL else "undecided"

    @property
    def weakest(self) -> Entry:
        """The entry that speaks most against the claim."""
        return min(self.entries, key=lambda entry: entry.certainty)


@dataclass(frozen=True)
class Judgement:
    """A claim's verdict over a set of records.

    Attributes
    ----------
    stages : tuple of Stage
        The claim at each length of training, shortest first; one, where length is no matter; none without a record.
    adjusted : str
        The verdict after Benjamini and Hochberg's correction for all claims that were judged together.
    """

    claim: Claim
    stages: tuple[Stage, ...]
    records: tuple[Record, ...] = field(default=(), repr=False)
    adjusted: Verdict = "not tested"

    @property
    def verdict(self) -> Verdict:
        """At the greatest length of training."""
        return self.stages[-1].verdict if self.stages else "not tested"

    @property
    def margin(self) -> Margin | None:
        """The smallest, of the entry that decides; none for what is not a number over a sample."""
        if not self.stages or self.claim.is_counted:
            return None
        return min(self.stages[-1].weakest.margins, key=lambda margin: margin.mean)

    @property
    def measured(self) -> str:
        """The number that decides, with its 95 % interval: of the weakest entry if there are several."""
        if not self.stages:
            return "–"
        entries, weakest = self.stages[-1].entries, self.stages[-1].weakest
        where = f", {weakest.place}, the least sure of {len(entries)}" if len(entries) > 1 else ""
        return f"{weakest.text} ({weakest.extent}{where})"

    @property
    def by_length(self) -> str:
        """Undecided at 600 steps, held from 9600 on; nothing if there is one length."""
        if len(self.stages) < 2:
            return ""
        alike = [(verdict, list(stages)) for verdict, stages in groupby(self.stages, lambda stage: stage.verdict)]
        *earlier, (verdict, (first, *more)) = alike
        parts = [
            f"{verdict} at {', '.join(f'{stage.length:g}' for stage in stages)} steps" for verdict, stages in earlier
        ]
        return ", ".join([*parts, f"{verdict} from {first.length:g} on" if more else f"{verdict} at {first.length:g}"])

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of the records that decide."""
        return tuple(sorted({seed for stage in self.stages[-1:] for entry in stage.entries for seed in entry.values}))

    @property
    def number(self) -> str:
        """The number that decides, without how often it was measured."""
        return self.stages[-1].weakest.text if self.stages else "–"

    @property
    def reason(self) -> str:
        """Why it is undecided."""
        if self.verdict != "undecided":
            return ""
        entry = self.stages[-1].weakest
        if entry.claim.is_counted:
            return "one seed decides nothing" if len(entry.values) < 2 else "seeds disagree"
        return "the 95 % interval of its margin holds zero" if entry.margins[0].is_known else "one seed decides nothing"

    def line(self, this_run: str = "–") -> str:
        """What a chapter prints: the committed verdict, and beside it the number of this very run."""
        here = f"; this run {this_run}" if this_run != "–" else ""
        lengths = f" ({self.by_length})" if self.by_length else ""
        return f"{self.verdict.upper():<12} {self.claim.statement}{lengths} [{self.measured}{here}]"


def judge(claims: Sequence[Claim], records: Sequence[Record]) -> list[Judgement]:
    """Decide every claim over the records that test it, each alone and all together.

    Raises
    ------
    ValueError
        For two records of one run that disagree, rows that were not judged on the same images, an image without a
        scene, a margin that is no number.

    Examples
    --------
    >>> claim = Claim("gain", "01_x", "A paper", "It gains.", "gain", {"at_least": 0.3}, unit="dB")
    >>> judge([claim], [])[0].verdict
    'not tested'
    """
    return _adjusted([_judged(claim, [record for record in records if claim.applies_to(record)]) for claim in claims])


def _judged(claim: Claim, records: Sequence[Record]) -> Judgement:
    found = [(record, claim.found_in(record)) for record in records]
    found = [(record, values) for record, values in found if values]
    lengths: dict[float | None, list] = {}
    for record, values in found:
        lengths.setdefault(_length(claim, record), []).append((record, values))
    stages = [
        Stage(length, tuple(_entries(claim, lengths[length]))) for length in sorted(lengths, key=lambda n: n or 0.0)
    ]
    return Judgement(claim, tuple(stages), tuple(record for record, _ in found))


def _length(claim: Claim, record: Record) -> float | None:
    if not claim.length:
        return None
    own = profiles.sizes(record.chapter, record.profile)
    length = record.parameters.get(claim.length) or own.get(claim.length, own.get("steps"))  # 0 takes the profile's
    if not isinstance(length, int | float):
        raise ValueError(f"claim {claim.id}: {claim.length} is no length of training in {record.name}")
    return float(length)


def _entries(claim: Claim, found: Sequence[tuple[Record, dict[str, Any]]]) -> Iterable[Entry]:
    """The values of one place and setting together, by seed."""
    entries: dict[str, Entry] = {}
    differing = _differing([record for record, _ in found], claim.length)
    for record, values in found:
        for place, value in values.items():
            key = ", ".join(filter(None, [place, *(f"{name} = {_setting(record)[name]}" for name in differing)]))
            entry = entries.setdefault(key, Entry(claim, key, {}, {}))
            if entry.values.setdefault(record.seed, value) != value:
                raise ValueError(f"claim {claim.id}: two records of {record.name} disagree; remove one")
            entry.scenes.update(record.scenes)
    return entries.values()


def _setting(record: Record) -> dict[str, Any]:
    return {"profile": record.profile, **record.parameters}


def _differing(records: Sequence[Record], length: str) -> list[str]:
    """The settings in which records differ, other than the length."""
    first = _setting(records[0])
    return [name for name in first if name != length and any(_setting(r).get(name) != first[name] for r in records)]


def _adjusted(judgements: Sequence[Judgement]) -> list[Judgement]:
    """Several claims are judged at once: the verdicts that a false discovery rate of 5 % leaves."""
    from scipy.stats import false_discovery_control

    family = [index for index, judgement in enumerate(judgements) if judgement.margin]
    chances = [min(judgements[index].stages[-1].probabilities) for index in family]
    adjusted = dict(zip(family, false_discovery_control(chances) if family else [], strict=True))
    return [
        replace(j, adjusted="undecided" if adjusted.get(index, 0.0) >= LEVEL and j.stages else j.verdict)
        for index, j in enumerate(judgements)
    ]


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + "s" * (number != 1)
