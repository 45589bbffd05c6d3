"""What there is to run: chapters by name, and one job for each chapter and seed, checked before anything runs."""

import re
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from dnlib.course import records
from dnlib.course.parameters import COMMON, typed
from dnlib.course.profiles import PROFILES
from dnlib.images import ROOT, atomic_folder, one_of, shipped

TITLE = "Denoising images when no clean image exists"  # of the course: on its site, its start page and its report
NOTEBOOKS = shipped("notebooks")


@dataclass(frozen=True)
class Job:
    """One chapter to run with one set of parameters into one folder."""

    chapter: str
    profile: str
    seed: int
    device: str
    overrides: dict[str, Any]
    out: Path

    @property
    def name(self) -> str:
        return records.run_name(self.chapter, self.profile, self.seed, self.overrides)

    @property
    def notebook(self) -> Path:
        return self.out / "notebooks" / f"{self.name}.ipynb"

    @property
    def failed_notebook(self) -> Path:
        return self.notebook.with_suffix(".failed.ipynb")

    @property
    def record(self) -> Path:
        return self.out / "records" / f"{self.name}.json"

    @property
    def parameters(self) -> dict[str, Any]:
        return {"profile": self.profile, "seed": self.seed, "device": self.device, **self.overrides}


@dataclass
class Progress:
    """How far a job is, as the runner reports before every cell.

    cell: its number, from 1 in the chapter. verdicts: the lines so far.
    """

    job: Job
    cells: int
    cell: int = 0
    verdicts: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.started


@dataclass(frozen=True)
class Outcome:
    """How a job ended. cell: number of the failing cell, from 1 in the chapter."""

    job: Job
    status: Literal["ok", "failed", "unchanged"]
    seconds: float = 0.0
    verdicts: Sequence[str] = ()
    cell: int | None = None
    error: str = ""


def chapters() -> list[Path]:
    """The notebooks in reading order: 00_start_here, ..., 03a_masks, 03b_..., 04_..."""
    return sorted(NOTEBOOKS.glob("[0-9][0-9]*_*.ipynb"))


def number(chapter: str | Path) -> str:
    """What comes before a chapter's name: "00" to "12", "03a" and "03b" where one number has two chapters.

    Examples
    --------
    >>> number("03a_masks"), number(Path("notebooks/04_blind_spot_bayes.ipynb"))
    ('03a', '04')
    """
    return Path(chapter).name.partition("_")[0]


def select(names: Sequence[str] = ()) -> list[Path]:
    """Chapters by number ("01", "1", "03a", "03" for both), by name ("01_donut_vs_classic") or by file.

    All if none is named. Raises ValueError for an unknown one.
    """
    known = {path.stem: path for path in chapters()}
    chosen = []
    for name in names:
        stem = Path(name).name.removesuffix(".ipynb")
        wanted = f"0{stem}" if re.fullmatch("[0-9][a-z]?", stem) else stem
        found = [path for key, path in known.items() if wanted in (key, number(key), key[:2], key.partition("_")[2])]
        if not found:
            raise ValueError(f"there is no chapter {name!r}; there are: {', '.join(known)}")
        chosen += found
    return sorted(set(chosen)) if names else list(known.values())


def plan(
    names: Sequence[str] = (),
    *,
    profile: str = "laptop",
    seeds: Sequence[int] = (0,),
    device: str = "auto",
    overrides: dict[str, Any] | None = None,
    out: Path | None = None,
) -> list[Job]:
    """The jobs for some chapters and seeds. Everything is checked here, before anything runs."""
    one_of(profile, PROFILES, "the profile")
    notebooks = select(names)
    if not notebooks:
        raise ValueError(f"there are no chapters in {NOTEBOOKS}")
    out = Path(out or ROOT / "runs" / profile).resolve()
    for name in set(overrides or {}) & set(COMMON):
        raise ValueError(f"{name} has an option of its own: --{name}")
    if any(seed < 0 for seed in seeds):
        raise ValueError(f"a seed is a whole number >= 0; {min(seeds)} was given")
    return [
        Job(path.stem, profile, seed, device, typed(path, overrides or {}), out)
        for seed in dict.fromkeys(seeds)
        for path in notebooks
    ]


def copy(folder: Path) -> list[Path]:
    """Copy all chapters into a new folder, whole or not at all; the originals stay as they are.

    Raises FileExistsError if the folder is there: work in it would be lost.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     copied = copy(Path(place) / "course")
    ...     copied[0].name, len(copied) == len(chapters())
    ('00_start_here.ipynb', True)
    """
    if folder.exists():
        raise FileExistsError(f"{folder} is there already, perhaps with work in it; name a folder that is not")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with atomic_folder(folder) as made:
        for chapter in chapters():
            shutil.copy(chapter, made)
    return sorted(folder.glob("*.ipynb"))
