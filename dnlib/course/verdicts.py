"""Verdicts: what records say about claims. Held, did not hold, undecided, or not tested.

A claim is a margin, measured minus bound. It held if the margin's 95 % interval lies above zero, did not hold if it
lies below, and is undecided if it contains zero. A claim about every entry held if it held for each (each is tested at
5 %), and did not hold if it failed for one (at 5 % over the number of entries, Bonferroni). One seed decides nothing,
unless the images are the sample, or there is nothing to sample. What is true or false in each run is counted: it held
if more runs are as claimed than of fair coins would be, from six of six on.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from dnlib.course import profiles
from dnlib.course.claims import Claim
from dnlib.course.evidence import Entry, Evidence, Verdict
from dnlib.course.margins import LEVEL, Margin
from dnlib.course.records import Record


@dataclass(frozen=True)
class Judgement:
    """A claim's verdict over a set of records.

    Attributes
    ----------
    evidence : tuple of Evidence
        One for each length of training, the shortest first; a single one if the claim does not depend on length; none
        without a record.
    records : tuple of Record
        The records that the verdict rests on.
    adjusted : str
        The verdict after Benjamini and Hochberg's correction for all claims that were judged together.
    """

    claim: Claim
    evidence: tuple[Evidence, ...]
    records: tuple[Record, ...] = field(default=(), repr=False)
    adjusted: Verdict = "not tested"

    @property
    def decisive(self) -> Evidence | None:
        """The longest training that was run with several seeds; if there is none, the longest with one seed."""
        several = [one for one in self.evidence if self.claim.sample == "images" or one.seeds > 1]
        return (several or self.evidence or (None,))[-1]

    @property
    def verdict(self) -> Verdict:
        """The verdict at the length of training that decides."""
        return self.decisive.verdict if self.decisive else "not tested"

    @property
    def weakest(self) -> Entry | None:
        """The entry that decides: the one that is least sure to hold."""
        return self.decisive.weakest if self.decisive else None

    @property
    def margin(self) -> Margin | None:
        """The margin of the entry that decides; None for a value that is counted, run by run."""
        return self.weakest.margin if self.weakest else None

    @property
    def certainty(self) -> float | None:
        """The margin in half widths of its 95 % interval; None without one."""
        return self.weakest.certainty if self.margin and self.margin.is_known else None

    @property
    def number(self) -> str:
        """The number that decides, with its 95 % interval."""
        return self.weakest.text if self.weakest else "–"

    @property
    def measured(self) -> str:
        """That number, on what it was measured, and which of several entries it is."""
        if not self.weakest:
            return "–"
        return f"{self.number} ({self.weakest.extent}{self.decisive.of_which})"

    @property
    def named(self) -> str:
        """That number, and which entry it is if several differ."""
        different = {entry.text for entry in self.decisive.entries} if self.decisive else ()
        return f"{self.number}, {self.weakest.place}" if len(different) > 1 else self.number

    @property
    def superior(self) -> str:
        """P(A > B), where two rows are compared by a number over a sample."""
        return f"P(A > B) = {self.weakest.superior:.2f}" if self.margin and self.claim.compares else ""

    @property
    def by_length(self) -> str:
        """Verdicts by length, as "undecided at 600 steps, held from 9600 on"; "" if there is one length."""
        if len(self.evidence) < 2:
            return ""
        alike = [(verdict, list(found)) for verdict, found in groupby(self.evidence, lambda found: found.verdict)]
        *earlier, (verdict, (first, *more)) = alike
        parts = [f"{before} at {', '.join(f'{one.length:g}' for one in found)} steps" for before, found in earlier]
        return ", ".join([*parts, f"{verdict} from {first.length:g} on" if more else f"{verdict} at {first.length:g}"])

    @property
    def protocol(self) -> str:
        """How it was measured: profile, settings that the claim asks for, data. Without a record, what a run needs."""
        if not self.records:
            return f"needs {self.claim.conditions}"
        profiles = sorted({record.profile for record in self.records})
        data = sorted({name for record in self.records for name in record.datasets})
        told = ", ".join(profiles), ", ".join(self.claim.settings), f"data: {', '.join(data)}" if data else ""
        return "; ".join(filter(None, told))

    @property
    def reason(self) -> str:
        """Why it is undecided."""
        if self.verdict != "undecided":
            return ""
        if self.margin and self.margin.error:
            if self.certainty <= -1:
                return "it fails, but one of several entries may do so by chance"
            return f"the 95 % interval of its margin contains zero; {self.weakest.scatter}"
        if self.claim.sample == "images":
            return "one scene decides nothing"
        if len(self.weakest.values) == 1:
            return "one seed decides nothing"
        return f"{self.weakest.agreement} agree, as coins might; six of six would decide"

    def line(self, this_run: str = "–") -> str:
        """What a chapter prints: the committed verdict, and beside it the number of this very run."""
        here = f"; this run {this_run}" if this_run != "–" else ""
        lengths = f" ({self.by_length})" if self.by_length else ""
        return f"{self.verdict.upper():<12} {self.claim.statement}{lengths} [{self.measured}{here}]"


def judge(claims: Iterable[Claim], records: Collection[Record]) -> list[Judgement]:
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
    return _adjusted([_judged(claim, records) for claim in claims])


def _judged(claim: Claim, records: Iterable[Record]) -> Judgement:
    tests = [(record, claim.found_in(record)) for record in records if claim.applies_to(record)]
    tests = [(record, values) for record, values in tests if values]
    lengths: dict[float | None, list[tuple[Record, dict[str, Any]]]] = {}
    for record, values in tests:
        lengths.setdefault(_length(claim, record), []).append((record, values))
    evidence = tuple(Evidence(length, _entries(claim, lengths[length])) for length in sorted(lengths))
    return Judgement(claim, evidence, tuple(record for record, _ in tests))


def _length(claim: Claim, record: Record) -> float | None:
    if not claim.length:
        return None
    own = profiles.sizes(record.chapter, record.profile)
    length = record.parameters.get(claim.length) or own.get(claim.length, own.get("steps"))  # 0 takes the profile's
    if not isinstance(length, int | float):
        raise ValueError(f"claim {claim.id}: {claim.length} is no length of training in {record.name}")
    return float(length)


def _entries(claim: Claim, tests: Sequence[tuple[Record, dict[str, Any]]]) -> tuple[Entry, ...]:
    """The values of one place together, by seed; runs that differ in a setting other than the length stand apart."""
    settings = [{"profile": record.profile, **record.parameters} for record, _ in tests]
    names = dict.fromkeys(name for setting in settings for name in setting if name != claim.length)
    said = {name: [setting.get(name, "not said") for setting in settings] for name in names}
    entries: dict[str, Entry] = {}
    for number, (record, values) in enumerate(tests):
        apart = [f"{name} = {told[number]}" for name, told in said.items() if any(one != told[0] for one in told)]
        for place, value in values.items():
            key = ", ".join(filter(None, [place, *apart]))
            entry = entries.setdefault(key, Entry(claim, key, {}, {}))
            if entry.values.setdefault(record.seed, value) != value:
                raise ValueError(f"claim {claim.id}: two records of {record.name} disagree; remove one")
            entry.scenes.update(record.scenes)
    return tuple(entries.values())


def _adjusted(judgements: Sequence[Judgement]) -> list[Judgement]:
    """Several claims are judged at once: the verdicts that a false discovery rate of 5 % leaves.

    Facts, which have no chance in them, take no part.
    """
    from scipy.stats import false_discovery_control

    family = [index for index, one in enumerate(judgements) if one.evidence and one.claim.sample != "nothing"]
    chances = [min(judgements[index].decisive.probabilities) for index in family]
    adjusted = dict(zip(family, false_discovery_control(chances) if family else [], strict=True))
    return [
        replace(judgement, adjusted="undecided" if adjusted.get(index, 0.0) >= LEVEL else judgement.verdict)
        for index, judgement in enumerate(judgements)
    ]
