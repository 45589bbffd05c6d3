"""Verdicts: what records say about claims. Held, did not hold, undecided, or not tested.

A claim is a margin, measured minus bound. It held if the margin's 95 % interval lies above zero, did not hold if it
lies below, and is undecided if it contains zero. A claim about every entry held if it held for each (each is tested at
5 %), and did not hold if it failed for one (at 5 % over the number of entries, Bonferroni). One seed decides nothing,
unless the images are the sample, or there is nothing to sample.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from dnlib.course import profiles
from dnlib.course.claims import Claim
from dnlib.course.evidence import Entry, Stage, Verdict
from dnlib.course.margins import LEVEL, Margin
from dnlib.course.records import Record


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
        weakest = self.stages[-1].weakest
        return f"{weakest.text} ({weakest.extent}{self.stages[-1].of_which})"

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
    def protocol(self) -> str:
        """Under what it was measured: profile, settings that the claim asks for, data; or what a run would need."""
        if not self.records:
            return f"needs {self.claim.conditions}"
        profiles = sorted({record.profile for record in self.records})
        settings = [f"{name} = {value}" for name, value in self.claim.where.items() if value != ""]
        data = sorted({name for record in self.records for name in record.datasets})
        return ", ".join([*profiles, *settings, *data])

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
        is_known = entry.margins[0].is_known
        return "the 95 % interval of its margin contains zero" if is_known else "one seed decides nothing"

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
            key = ", ".join(filter(None, [place, *(f"{name} = {_said(_setting(record), name)}" for name in differing)]))
            entry = entries.setdefault(key, Entry(claim, key, {}, {}))
            if entry.values.setdefault(record.seed, value) != value:
                raise ValueError(f"claim {claim.id}: two records of {record.name} disagree; remove one")
            entry.scenes.update(record.scenes)
    return entries.values()


def _setting(record: Record) -> dict[str, Any]:
    return {"profile": record.profile, **record.parameters}


def _differing(records: Sequence[Record], length: str) -> list[str]:
    """The settings in which records differ, other than the length."""
    settings = [_setting(record) for record in records]
    names = dict.fromkeys(name for setting in settings for name in setting if name != length)
    return [name for name in names if any(_said(setting, name) != _said(settings[0], name) for setting in settings)]


def _said(setting: dict[str, Any], name: str) -> Any:
    return setting.get(name, "not said")


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
