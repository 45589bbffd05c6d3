"""Records: one JSON file per run of a chapter, what was measured and everything one needs to know to believe it."""

import hashlib
import json
import math
import re
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_origin, get_type_hints

import numpy as np

from dnlib.course.margins import measure
from dnlib.images import atomic, check_entries, shipped

COMMITTED = shipped("results") / "records"


@dataclass(frozen=True)
class Record:
    """One run of one chapter, and all that one needs to know to believe it.

    Attributes
    ----------
    chapter, profile, seed, device, parameters
        What was run.
    datasets : dict
        A hash of each dataset that was used.
    scenes : dict
        The scene of each image that was loaded: images of one scene are one sample.
    measured : dict
        Numbers, booleans and texts, in dictionaries and lists. A score for each image is a dictionary by its name.
    versions, commit, machine : dict, str, str
        Versions of the packages; the commit of the code, with a + where files differ from it; the processor.
    seconds, peak_memory_mb : float, int
        What it cost.
    precision, threads : str, int
        Of trainings: in which numbers, and on how many cores.
    finished : str
        When, in UTC.
    sha256 : str
        A hash of all the rest, by which an edited record is recognised; "" before it is written.
    """

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
    scenes: dict[str, str] = field(default_factory=dict)
    precision: str = ""
    threads: int = 0
    sha256: str = ""

    @property
    def name(self) -> str:
        """Chapter, profile and seed."""
        return run_name(self.chapter, self.profile, self.seed)


def run_name(chapter: str, profile: str, seed: int, overrides: dict[str, Any] | None = None) -> str:
    """The stem of a run's notebook and record: chapter, profile, seed and what differs from the defaults.

    What no file's name can hold becomes _, and a hash tells such names apart.

    Examples
    --------
    >>> run_name("01_donut_vs_classic", "laptop", 2, {"image": "my photo.png"})
    '01_donut_vs_classic-laptop-s2-image=my_photo.png-c32f4a02'
    """
    parts = [chapter, profile, f"s{seed}", *(f"{name}={value}" for name, value in sorted((overrides or {}).items()))]
    name = "-".join(parts)
    stem = re.sub(r"[^\w.=-]+", "_", name)
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()
    return stem if stem == name else f"{stem}-{digest[:8]}"


def write(record: Record, path: Path) -> None:
    """Write a record with its hash as JSON; all or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = asdict(record)
    whole["sha256"] = _digest(whole)
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def read(path: Path) -> Record:
    """Raises ValueError, naming the file, for something that is not a record, or is not as it was written."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
        record, digest = Record(**content), _digest(content)
    except (OSError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not a record ({error})") from error
    check_entries(f"{path} is not a record", vars(record), kinds(Record))
    if record.sha256 != digest:
        raise ValueError(f"{path} was edited after it was written, or is of an older dnlib; run its chapter again")
    return record


def kinds(form: type) -> dict[str, type]:
    """The type of each attribute of a dataclass, without its parameters: dict for dict[str, Any].

    Examples
    --------
    >>> kinds(Record)["measured"], kinds(Record)["seed"]
    (<class 'dict'>, <class 'int'>)
    """
    return {name: get_origin(hint) or hint for name, hint in get_type_hints(form).items()}


def _digest(content: dict[str, Any]) -> str:
    """SHA-256 of all that a record says but its hash."""
    rest = {name: value for name, value in content.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, allow_nan=False).encode()).hexdigest()


def _refuse(constant: str) -> None:
    raise ValueError(f"it holds {constant}")


def read_all(folder: Path, names: Sequence[str] | None = None) -> dict[str, Record]:
    """The records in a folder by the names of their files without ending, in order: all, or those of the runs named.

    What is not a record as it was written is left out, with a warning that names it.

    Examples
    --------
    >>> read_all(Path("no such folder"))
    {}
    """
    found = {}
    for path in sorted(folder.glob("[!.]*.json")):
        if names is None or path.stem in names:
            try:
                found[path.stem] = read(path)
            except ValueError as error:
                warnings.warn(f"left out: {error}", stacklevel=2)
    return found


def committed(chapter: str, **parameters: Any) -> list[Record]:
    """The committed records of a chapter whose parameters include these.

    Examples
    --------
    >>> committed("01_donut_vs_classic", noise_std=1e9)
    []
    """
    return [
        record
        for record in read_all(COMMITTED).values()
        if record.chapter == chapter and record.parameters.items() >= parameters.items()
    ]


def plain(value: Any, place: str = "the value") -> Any:
    """NumPy and torch numbers to what JSON can hold, with six significant digits.

    value: numbers, booleans, texts, and dictionaries, lists and arrays of them. place: where it stands, for the error:
    ValueError for NaN and infinity, which JSON cannot hold, TypeError for anything else.

    Examples
    --------
    >>> plain({"psnr": np.float32(30.1), "photos": ["cat"]})
    {'psnr': 30.1, 'photos': ['cat']}
    >>> plain({"cat": float("inf")}, "psnr")
    Traceback (most recent call last):
    ValueError: psnr.cat is inf; a record holds finite numbers only
    """
    if isinstance(value, dict):
        return {str(key): plain(item, f"{place}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(item, f"{place}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, str | int | np.integer):
        return value if isinstance(value, str) else int(value)
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{place} is {number}; a record holds finite numbers only")
    return float(f"{number:.6g}")


def half_interval(numbers: Sequence[float]) -> float:
    """Half the width of Student's 95 % interval for the mean.

    Examples
    --------
    >>> round(half_interval([0.0, 1.0, 2.0]), 2)
    2.48
    """
    return measure(np.asarray(numbers)).half_interval()
