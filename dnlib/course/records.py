"""Records and claims.

A *record* is one JSON file per run of a chapter: what was measured, and everything one needs to
know to believe it. A *claim* is an entry of `results/claims.yaml`: a statement of a source, and the
check over records that decides it. A claim that does not hold is shown as such.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml

from dnlib.images import ROOT, atomic

CLAIMS = ROOT / "results" / "claims.yaml"
COMMITTED = ROOT / "results" / "records"

Verdict = Literal["held", "did not hold", "not tested"]


@dataclass(frozen=True)
class Record:
    """One run of one chapter. measured: nested dicts of numbers, booleans, strings and lists."""

    chapter: str
    profile: str
    seed: int
    device: str
    parameters: dict[str, Any]
    datasets: dict[str, str]
    measured: dict[str, Any]
    versions: dict[str, str]
    commit: str
    machine: str
    seconds: float
    peak_memory_mb: int
    finished: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))


def run_name(chapter: str, profile: str, seed: int, overrides: dict[str, Any] | None = None) -> str:
    """The stem of a run's notebook and record: chapter, profile, seed and what differs from the defaults."""
    parts = [chapter, profile, f"s{seed}", *(f"{name}={value}" for name, value in sorted((overrides or {}).items()))]
    return re.sub(r"[^\w.=-]+", "_", "-".join(parts))


def write(record: Record, path: Path) -> None:
    """Write a record as JSON; all or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path) as temporary:
        temporary.write_text(
            json.dumps(asdict(record), indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
        )


def read(path: Path) -> Record:
    """Raises ValueError, naming the file, for something that is not a record."""
    try:
        return Record(**json.loads(path.read_text(encoding="utf-8")))
    except (TypeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not a record ({error})") from error


def read_all(folder: Path, names: Sequence[str] | None = None) -> list[Record]:
    """The records in a folder in order of file names: all, or those of the runs named."""
    return [read(path) for path in sorted(folder.glob("*.json")) if names is None or path.stem in names]


def committed(chapter: str, **parameters: Any) -> list[Record]:
    """The committed records of a chapter whose parameters include these."""
    records = [record for record in read_all(COMMITTED) if record.chapter == chapter]
    return [record for record in records if record.parameters.items() >= parameters.items()]


@dataclass(frozen=True)
class Claim:
    """One statement of a source and the check that decides it.

    value: the path of the checked number in a record's `measured`, dots between levels and * for
    "every entry" ("photos.*.gap_ratio").   check: exactly one of equals, at_least, at_most, between.
    where: parameters that a record must have.   needs: a dataset that must be present.
    profiles: where the check means something.
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
    """The claims in the order of the file, of one chapter or all. Raises ValueError for a malformed one."""
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
    """Decide every claim: it held if its check holds in every record it applies to, for every entry."""
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
    """All (place, value) that a path with * reaches; the place names what the stars stood for."""
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


def plain(value: Any) -> Any:
    """NumPy and torch numbers to what JSON can hold. Raises TypeError for anything else, ValueError for NaN and inf."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, str | int | np.integer):
        return value if isinstance(value, str) else int(value)
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"a measured value is {number}; a record of it would mean nothing")
    return float(f"{number:.6g}")


def half_interval(numbers: Sequence[float]) -> float:
    """Half the width of Student's 95 % interval for the mean."""
    from scipy.stats import sem, t

    return float(t.ppf(0.975, len(numbers) - 1) * sem(numbers))
