"""Verdicts as a file, verdicts.json, and what moved between two of them, with the reason."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dnlib.course import records
from dnlib.course.verdicts import Judgement
from dnlib.images import check_entries, one_of

FORM = 1
NAME = "verdicts.json"
CLAIM = {"verdict": str, "measured": str, "bound": str, "records": dict}
RECORD = {"sha256": str, "commit": str, "datasets": dict}
ABSENT = {"verdict": "–", "measured": "–", "bound": "", "records": {}}


@dataclass(frozen=True)
class Move:
    """A claim whose verdict moved; before, after: verdict and measured number.

    why: one or more of these words. "claim": its bound changed, or it is new or gone. "data": the hash of a dataset
    changed. "code": the commit of a record changed. "record": other seeds or settings, or other numbers from the same
    code and data. "rule": none of these, so that what is compared, or how it is judged, must have changed.
    """

    claim: str
    before: tuple[str, str]
    after: tuple[str, str]
    why: str


def written(judgements: Sequence[Judgement], stems: dict[str, str]) -> str:
    """The text of verdicts.json. Each claim has its verdict, also adjusted, its number, interval, bound and records.

    stems: the name of each record's file without its ending, by the record's hash.
    """
    content = {"form": FORM, "claims": {judgement.claim.id: _entry(judgement, stems) for judgement in judgements}}
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _entry(judgement: Judgement, stems: dict[str, str]) -> dict[str, Any]:
    known = judgement.margin and judgement.margin.is_known
    return {
        "verdict": judgement.verdict,
        "adjusted": judgement.adjusted,
        "measured": judgement.measured,
        "interval": records.plain(judgement.weakest.mean.interval) if known else None,
        "bound": judgement.claim.bound_in_words,
        "records": {
            stems[record.sha256]: {"sha256": record.sha256, "commit": record.commit, "datasets": record.datasets}
            for record in judgement.records
        },
    }


def read(path: Path) -> dict[str, dict[str, Any]]:
    """The claims of a verdicts.json, or of a folder that holds one.

    Raises ValueError for a file that is not there, is no JSON, or is of another form.

    Examples
    --------
    >>> read(Path("nowhere"))
    Traceback (most recent call last):
    ValueError: nowhere holds no verdicts to compare with (it is not there); `dnlib report FOLDER` writes verdicts.json
    """
    path = path / NAME if path.is_dir() else path
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        _check(content)
    except (OSError, ValueError, RecursionError) as error:
        why = "it is not there" if isinstance(error, FileNotFoundError) else error
        raise ValueError(
            f"{path} holds no verdicts to compare with ({why}); `dnlib report FOLDER` writes {NAME}"
        ) from error
    return content["claims"]


def _check(content: Any) -> None:
    """Raises ValueError unless all that is compared is there."""
    check_entries("not of this form", content, {"form": int, "claims": dict})
    one_of(content["form"], [FORM], "the form")
    for name, claim in content["claims"].items():
        check_entries(name, claim, CLAIM)
        for record in claim["records"].values():
            check_entries(f"{name}, a record", record, RECORD)


def between(old: dict[str, dict[str, Any]], new: dict[str, dict[str, Any]]) -> list[Move]:
    """The claims whose verdict moved, in the order of the new ones; those that are gone last.

    Examples
    --------
    >>> one = {"verdict": "held", "measured": "1 dB", "bound": "at least 0 dB", "records": {}}
    >>> between({"gain": one}, {"gain": one | {"verdict": "undecided", "bound": "at least 2 dB"}})
    [Move(claim='gain', before=('held', '1 dB'), after=('undecided', '1 dB'), why='claim')]
    """
    pairs = {name: (old.get(name, ABSENT), new.get(name, ABSENT)) for name in {**new, **old}}
    return [
        Move(name, *((one["verdict"], one["measured"]) for one in pair), _why(*pair))
        for name, pair in pairs.items()
        if pair[0]["verdict"] != pair[1]["verdict"]
    ]


def _why(old: dict[str, Any], new: dict[str, Any]) -> str:
    if ABSENT in (old, new):
        return "claim"
    before, after = old["records"], new["records"]
    pairs = [(before[name], after[name]) for name in before.keys() & after.keys()]
    changed = [{key for key in RECORD if one[key] != other[key]} for one, other in pairs]
    reasons = {
        "claim": old["bound"] != new["bound"],
        "data": any("datasets" in keys for keys in changed),
        "code": any("commit" in keys for keys in changed),
        "record": before.keys() != after.keys() or {"sha256"} in changed,
    }
    return ", ".join(name for name, holds in reasons.items() if holds) or "rule"
