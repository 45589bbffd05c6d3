"""Claims: statements of a source, each with the check over records that decides it (`verdicts`).

They stand in `results/claims.yaml`. A claim that does not hold is shown as such.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from dnlib.course import jobs
from dnlib.course.profiles import PROFILES
from dnlib.course.records import COMMITTED, Record, kinds, read_all
from dnlib.images import check_entries, datasets, one_of, shipped

CLAIMS = shipped("results") / "claims.yaml"
CHECKS = ("equals", "at_least", "at_most", "between")
WORKS = {
    "review": "Review of Noise2Self",
    "talk": "Laine et al.'s talk",
    "patch-craft": "Patch-Craft's questions and answers",
    "report": "Student report on camera noise",
    "others": "Other papers, and our own checks",
}
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C, ten times as fast; for a file of our own alone
SAMPLES = ("seeds", "images", "nothing")


@dataclass(frozen=True)
class Claim:
    """One statement of a source and the check that decides it.

    Attributes
    ----------
    id, chapter, source, statement, published, unit : str
        A name of its own, who tests it, who says what, with which number, and the number's unit.
    section : str
        The chapter's heading under which the number is computed, word for word.
    work : str
        Which of the course's sources it belongs to: a key of `WORKS`.
    value : str
        Where the checked number stands in a record's `measured`: dots between levels, * for every entry. "A - B" is the
        difference of two places; one under `exchanges`, or with `above` in its name, is such a difference already. A
        place with a score for each image compares rows image by image.
    check : dict
        One of equals, at_least, at_most and between, with its bound.
    sample : str
        Over what the number would scatter if everything was done again: "seeds" where something is drawn or trained,
        "images" where shipped weights are judged on a dataset, "nothing" for a fact that one run decides.
    where : dict
        Parameters that a record must have.
    length : str
        The parameter that says how long was trained; the claim is judged at each length, and the longest of several
        seeds decides.
    needs : str
        A dataset that must be present.
    profiles : list of str
        In which the check means something.
    headline : str
        Its few words in the README, for those few claims that stand there.

    Examples
    --------
    >>> import numpy as np
    >>> claim = Claim("gain", "01_x", "A paper", "It gains.", "photos.*.gain", {"at_least": 0.3}, unit="dB")
    >>> claim.margins(0.5), claim.margins(np.array([0.1, 0.4]))
    ([0.2], [array([-0.2,  0.1])])
    """

    id: str
    chapter: str
    source: str
    statement: str
    value: str
    check: dict[str, Any]
    section: str = ""
    work: str = "others"
    published: str = ""
    unit: str = ""
    sample: str = "seeds"
    where: dict[str, Any] = field(default_factory=dict)
    length: str = ""
    needs: str = ""
    profiles: list[str] = field(default_factory=lambda: ["laptop", "paper"])
    headline: str = ""

    def __post_init__(self):
        check_entries(f"claim {self.id}", vars(self), kinds(Claim))
        if empty := [name for name in ("id", "value", "profiles") if not getattr(self, name)]:
            raise ValueError(
                f"claim {self.id}: {', '.join(empty)} is empty; name what is checked, and in which profiles"
            )
        if len(self.check) != 1 or not self.check.keys() <= set(CHECKS):
            raise ValueError(f"claim {self.id}: the check is one of {', '.join(CHECKS)}; {self.check} was given")
        one_of(self.work, WORKS, f"claim {self.id}: the work")
        one_of(self.sample, SAMPLES, f"claim {self.id}: the sample")
        for profile in self.profiles:
            one_of(profile, PROFILES, f"claim {self.id}: a profile")
        if self.kind != "equals" and not (self.unit.strip() and _is_bound(self.kind, self.bound)):
            raise ValueError(
                f"claim {self.id}: a number is checked against a bound in a unit: a finite number, for between two in "
                f"order, and a unit; {self.check} and {self.unit!r} were given"
            )

    @property
    def kind(self) -> str:
        """Which check it is: one of `CHECKS`."""
        return next(iter(self.check))

    @property
    def bound(self) -> Any:
        """What the check compares with."""
        return self.check[self.kind]

    @property
    def is_counted(self) -> bool:
        """Whether runs are counted, because each holds or does not; else its number has an interval."""
        return self.kind == "equals" or self.sample == "nothing"

    @property
    def compares(self) -> bool:
        """Whether its number is the difference of two rows: zero where they are level."""
        return " - " in self.value or not {"exchanges", "above"}.isdisjoint(re.split(r"[._]", self.value))

    @property
    def settings(self) -> list[str]:
        """What a run must be told, in words."""
        return [f"{name} = {value}" for name, value in self.where.items() if value != ""]

    @property
    def conditions(self) -> str:
        """Under which a run tests it, in words."""
        data = [f"dataset {self.needs}"] if self.needs else []
        return ", ".join([f"profile {' or '.join(self.profiles)}", *self.settings, *data])

    @property
    def bound_in_words(self) -> str:
        """What would hold: "at least 0.3 dB"."""
        numbers = self.bound if isinstance(self.bound, list) else [self.bound]
        return f"{self.kind.replace('_', ' ')} {' and '.join(str(number) for number in numbers)} {self.unit}".strip()

    def margins(self, value: Any) -> list[Any]:
        """How far numbers, one or an array, lie on the right side of the bound; for `between`, of each of its two."""
        low, high = self.bound if self.kind == "between" else (self.bound, self.bound)
        above, below = [value - low], [high - value]
        return {"at_least": above, "at_most": below, "between": above + below}[self.kind]

    def applies_to(self, record: Record) -> bool:
        """Whether a record tests it."""
        return (
            record.chapter == self.chapter
            and record.profile in self.profiles
            and all(record.parameters.get(name) == value for name, value in self.where.items())
        )

    def found_in(self, record: Record) -> dict[str, Any]:
        """The checked values of a record by place, the place names what the stars stood for.

        Raises ValueError for rows that were not judged on the same images, and for what is compared and no number.
        """
        first, _, second = self.value.partition(" - ")
        found, others = (dict(lookup(record.measured, place)) for place in (first, second))
        for value in (*found.values(), *others.values()) if second or self.kind != "equals" else ():
            if not all(map(_is_number, value.values() if isinstance(value, dict) else [value])):
                raise ValueError(
                    f"claim {self.id}: {self.value} is a number, or one for each image; {record.name} holds {value!r}; "
                    f"run the chapter again or correct the claim"
                )
        if not second:
            return found
        return {
            place: self._difference(value, others.get(place, others.get("")))
            for place, value in found.items()
            if place in others or "" in others
        }

    def _difference(self, value: Any, other: Any) -> Any:
        if not isinstance(value, dict) and not isinstance(other, dict):
            return value - other
        if not (isinstance(value, dict) and isinstance(other, dict) and value.keys() == other.keys()):
            raise ValueError(f"claim {self.id}: rows are compared image by image, and these have other images")
        return {image: value[image] - other[image] for image in value}


def _is_number(value: Any) -> bool:
    """Whether it can be computed with: finite, and not true or false."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _is_bound(kind: str, bound: Any) -> bool:
    numbers = bound if kind == "between" and isinstance(bound, list) and len(bound) == 2 else [bound]
    if not all(map(_is_number, numbers)):
        return False
    return len(numbers) == 1 + (kind == "between") and numbers == sorted(numbers)


def load_claims(path: Path = CLAIMS, chapter: str | None = None) -> list[Claim]:
    """The claims in the order of the file, of one chapter or all.

    Raises ValueError for an entry that is not a claim, an unknown chapter or dataset, a section or a value that its
    chapter does not have, or an id that is used twice.

    Examples
    --------
    >>> {claim.chapter for claim in load_claims(chapter="01_donut_vs_classic")}
    {'01_donut_vs_classic'}
    """
    try:
        claims = [Claim(**entry) for entry in yaml.load(path.read_text(encoding="utf-8"), LOADER) or []]
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    except TypeError as error:
        raise ValueError(f"{path} holds an entry that is not a claim ({error})") from error
    chapters, known = [chapter.stem for chapter in jobs.chapters()], ["", *datasets.registry()]
    for claim in claims:
        one_of(claim.chapter, chapters, f"claim {claim.id}: the chapter")
        one_of(claim.needs, known, f"claim {claim.id}: the dataset that it needs")
        if claim.section:
            one_of(claim.section, _headings(claim.chapter), f"claim {claim.id}: the section")
        _check_value(claim)
    ids = [claim.id for claim in claims]
    twice = {name for name in ids if ids.count(name) > 1}
    if twice:
        raise ValueError(f"{path}: the ids {', '.join(sorted(twice))} are used twice")
    return [claim for claim in claims if chapter in (None, claim.chapter)]


def _check_value(claim: Claim) -> None:
    """Raises ValueError for a value whose names are neither in the committed records of its chapter nor in its code.

    Otherwise a claim with a mistyped name would read as not tested. It is enough that some of the records have a name,
    for profiles differ. Where no committed run has measured the value yet, any name in the chapter's code will do.
    """
    recorded = _measured(claim.chapter)
    for place in claim.value.split(" - ") if recorded else ():
        found, above = recorded, ""
        for name in place.split("."):
            names = _names(found) if found else _names(recorded, deep=True)
            if name not in names and not (names if name == "*" else _mentions(claim.chapter, name)):
                among = f", but {', '.join(sorted(names)) or 'a value without names'}" if found else ""
                raise ValueError(
                    f"claim {claim.id}: the value is {claim.value!r}, and {claim.chapter} measures no {name!r}"
                    f"{above and f' in {above[1:]}'}{among}; correct the name, or have the chapter record it"
                )
            found = [one[key] for one in found if isinstance(one, dict) for key in one if name in ("*", key)]
            above += f".{name}"


@cache
def _measured(chapter: str) -> list[Any]:
    """What each committed record of a chapter measured."""
    names = [path.stem for path in COMMITTED.glob(f"{chapter}-*.json")]
    return [record.measured for record in read_all(COMMITTED, names).values()]


def _names(found: list[Any], deep: bool = False) -> set[str]:
    """The keys of the dictionaries; with deep also those of the dictionaries inside them."""
    tables = [one for one in found if isinstance(one, dict)]
    inner = [value for one in tables for value in one.values()]
    return {key for one in tables for key in one} | (_names(inner, deep) if deep and inner else set())


@cache
def _mentions(chapter: str, name: str) -> bool:
    """Whether a chapter's code has a word."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", _sources(chapter, "code")) is not None


@cache
def _headings(chapter: str) -> list[str]:
    return re.findall(r"^#+ +(.+?) *$", _sources(chapter, "markdown"), re.MULTILINE)


def _sources(chapter: str, kind: str) -> str:
    """All of a chapter's cells of a kind."""
    cells = json.loads((jobs.NOTEBOOKS / f"{chapter}.ipynb").read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == kind)


def lookup(measured: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every value that a path with * reaches, as (place, value); the place says what the stars stood for.

    Examples
    --------
    >>> list(lookup({"psnr": {"cat": 30.1, "moon": 33.2}}, "psnr.*"))
    [('cat', 30.1), ('moon', 33.2)]
    """
    head, _, rest = path.partition(".")
    for key, inner in measured.items() if isinstance(measured, dict) else ():
        if head in ("*", key):
            star = [key] if head == "*" else []
            for place, value in lookup(inner, rest) if rest else [("", inner)]:
                yield ", ".join(filter(None, [*star, place])), value
