"""Claims: statements of a source, each with the check over records that decides it.

They stand in `results/claims.yaml`. A claim that does not hold is shown as such.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml

from dnlib.course.records import Record, half_interval
from dnlib.images import ROOT

CLAIMS = ROOT / "results" / "claims.yaml"

Verdict = Literal["held", "did not hold", "not tested"]


@dataclass(frozen=True)
class Claim:
    """One statement of a source and the check that decides it.

    Attributes
    ----------
    id, chapter, source, statement, published, unit : str
        A name of its own, who tests it, who says what, and with which number.
    value : str
        Where the checked number stands in a record's `measured`: dots between levels, * for every entry.
    check : dict
        One of equals, at_least, at_most and between, with its bound.
    where : dict
        Parameters that a record must have.
    needs : str
        A dataset that must be present.
    profiles : tuple of str
        In which the check means something.

    Examples
    --------
    >>> claim = Claim("gain", "01_x", "A paper", "It gains.", "photos.*.gain", {"at_least": 0.3}, unit="dB")
    >>> claim.holds_for(0.5), claim.holds_for(0.1)
    (True, False)
    """

    id: str
    chapter: str
    source: str
    statement: str
    value: str
    check: dict[str, Any]
    published: str = ""
    unit: str = ""
    where: dict[str, Any] = field(default_factory=dict)
    needs: str = ""
    profiles: tuple[str, ...] = ("laptop", "paper")

    def __post_init__(self):
        if len(self.check) != 1 or not self.check.keys() <= _CHECKS.keys():
            raise ValueError(f"claim {self.id}: the check is one of {', '.join(_CHECKS)}; {self.check} was given")

    @property
    def conditions(self) -> str:
        """Under which a run tests it, in words."""
        settings = [f"{name} = {value}" for name, value in self.where.items() if value != ""]
        return ", ".join(
            [f"profile {' or '.join(self.profiles)}", *settings, *([f"dataset {self.needs}"] if self.needs else [])]
        )

    def holds_for(self, value: Any) -> bool:
        ((kind, bound),) = self.check.items()
        return bool(_CHECKS[kind](value, bound))

    def applies_to(self, record: Record) -> bool:
        return (
            record.chapter == self.chapter
            and record.profile in self.profiles
            and all(record.parameters.get(name) == value for name, value in self.where.items())
        )


_CHECKS = {
    "equals": lambda value, bound: value == bound,
    "at_least": lambda value, bound: value >= bound,
    "at_most": lambda value, bound: value <= bound,
    "between": lambda value, bound: bound[0] <= value <= bound[1],
}


@dataclass(frozen=True)
class Judgement:
    """A claim's verdict over a set of records."""

    claim: Claim
    verdict: Verdict
    values: tuple[float, ...]  # the checked values, one per record and entry
    seeds: tuple[int, ...]
    failures: tuple[str, ...]  # where it did not hold

    @property
    def measured(self) -> str:
        """The measured number: one value, or mean and 95 % interval over seeds, or the range over entries."""
        numbers = [value for value in self.values if isinstance(value, int | float) and not isinstance(value, bool)]
        if not self.values:
            return "–"
        if not numbers:
            return ", ".join(sorted({str(value) for value in self.values}))
        if len(numbers) == 1:
            text = f"{numbers[0]:.4g}"
        elif len(self.seeds) == len(numbers):
            text = f"{np.mean(numbers):.4g} ± {half_interval(numbers):.2g}"
        elif min(numbers) == max(numbers):
            text = f"{numbers[0]:.4g}"
        else:
            text = f"{np.mean(numbers):.4g} ({min(numbers):.4g} to {max(numbers):.4g})"
        return f"{text} {self.claim.unit}".strip()

    @property
    def line(self) -> str:
        failed = f"; not for {', '.join(self.failures)}" if self.failures else ""
        return f"{self.verdict.upper():<12} {self.claim.statement} [measured: {self.measured}{failed}]"


def load_claims(path: Path = CLAIMS, chapter: str | None = None) -> list[Claim]:
    """The claims in the order of the file, of one chapter or all.

    Raises
    ------
    ValueError
        For an entry that is not a claim, or an id that is used twice.

    Examples
    --------
    >>> {claim.chapter for claim in load_claims(chapter="01_donut_vs_classic")}
    {'01_donut_vs_classic'}
    """
    entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    try:
        claims = [Claim(**{**entry, "profiles": tuple(entry.get("profiles", Claim.profiles))}) for entry in entries]
    except TypeError as error:
        raise ValueError(f"{path} holds an entry that is not a claim ({error})") from error
    ids = [claim.id for claim in claims]
    twice = {name for name in ids if ids.count(name) > 1}
    if twice:
        raise ValueError(f"{path}: the ids {', '.join(sorted(twice))} are used twice")
    return [claim for claim in claims if chapter in (None, claim.chapter)]


def judge(claims: Sequence[Claim], records: Sequence[Record]) -> list[Judgement]:
    """Decide every claim: it held if its check holds in every record it applies to, for every entry.

    Examples
    --------
    >>> claim = Claim("gain", "01_x", "A paper", "It gains.", "gain", {"at_least": 0.3})
    >>> judge([claim], [])[0].verdict
    'not tested'
    """
    judgements = []
    for claim in claims:
        fitting = [record for record in records if claim.applies_to(record)]
        found = [(record, place, value) for record in fitting for place, value in lookup(record.measured, claim.value)]
        failures = tuple(
            ", ".join(filter(None, [place, f"seed {record.seed}" if len(fitting) > 1 else ""]))
            for record, place, value in found
            if not claim.holds_for(value)
        )
        verdict = "not tested" if not found else "did not hold" if failures else "held"
        seeds = tuple(sorted({record.seed for record, _, _ in found}))
        judgements.append(
            Judgement(claim, verdict, tuple(value for _, _, value in found), seeds, tuple(filter(None, failures)))
        )
    return judgements


def lookup(measured: Any, path: str) -> Iterator[tuple[str, Any]]:
    """All (place, value) that a path with * reaches; the place names what the stars stood for.

    Examples
    --------
    >>> list(lookup({"psnr": {"cat": 30.1, "moon": 33.2}}, "psnr.*"))
    [('cat', 30.1), ('moon', 33.2)]
    """
    head, _, rest = path.partition(".")
    if not isinstance(measured, dict):
        return
    keys = list(measured) if head == "*" else [head] if head in measured else []
    for key in keys:
        name = key if head == "*" else ""
        if not rest:
            yield name, measured[key]
            continue
        for place, value in lookup(measured[key], rest):
            yield ", ".join(filter(None, [name, place])), value
