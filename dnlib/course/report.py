"""Records and claims made into one HTML page, one Markdown table, a file of verdicts, and the README's tables."""

import base64
import functools
import io
import json
import os
import re
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

import nbformat
from jinja2 import ChoiceLoader, Environment, PackageLoader
from PIL import Image

from dnlib.course import claims, curves, forest, jobs, moves, pictures, records, stored, tables, verdicts
from dnlib.course.evidence import VERDICTS
from dnlib.course.jobs import Job
from dnlib.course.records import Record
from dnlib.course.verdicts import Judgement
from dnlib.images import ROOT, atomic, shipped
from dnlib.zoo import available, provenance, read_card

PUBLISHED = ROOT / "results"
TIMES = shipped("benchmarks") / "results" / "course.json"

_pages = Environment(
    loader=ChoiceLoader([PackageLoader("dnlib.course"), PackageLoader("dnlib.denoiser")]),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)


def write(folder: Path, names: Sequence[str] | None = None) -> list[Judgement]:
    """Judge all claims by the records in `folder`; write report.html, claims.md and verdicts.json there.

    names: only the records of these runs, by default all.
    """
    found = records.read_all(folder / "records", names)
    judgements = verdicts.judge(claims.load_claims(), found.values())
    stems = {record.sha256: stem for stem, record in found.items()}
    executed = ROOT / "notebooks" if folder == PUBLISHED else folder / "notebooks"
    notebooks = _links(folder, executed)
    texts = {
        "report.html": _page(judgements, notebooks, stems, found.values(), _figures(executed, "key-figure")),
        "claims.md": tables.ledger(judgements, notebooks, stems),
        moves.NAME: moves.written(judgements, stems),
    }
    for name, text in texts.items():
        _store(folder / name, text)
    return judgements


def _page(
    judgements: Sequence[Judgement],
    notebooks: dict[str, str],
    stems: dict[str, str],
    found: Collection[Record],
    figures: list[dict[str, str]],
) -> str:
    works = tables.by_work(judgements)
    return _pages.get_template("course.html").render(
        VERDICTS=VERDICTS,
        WORKS=claims.WORKS,
        TITLE=jobs.TITLE,
        works={name: Counter(j.verdict for j in group) for name, group in works.items()},
        counts=Counter(j.verdict for j in judgements),
        moved=tables.moved(judgements),
        judgements=judgements,
        stems=stems,
        in_words=forest.in_words,
        number=_number,
        chapters=sorted({j.claim.chapter for j in judgements}),
        place=functools.partial(tables.place, notebooks=notebooks),
        forests={name: forest.draw(f"forest-of-{group[0].claim.work}", name, group) for name, group in works.items()},
        lengths=[(j.claim, picture) for j in judgements if (picture := curves.of_lengths(j))],
        cards=curves.of_cards({name: read_card(name) for name in available()}),
        records=found,
        figures=figures,
    )


def _number(text: str) -> str:
    """The first number of a text, by which a column is sorted, or nothing."""
    found = re.search(r"-?\d+(\.\d+)?(e-?\d+)?", text)
    return found[0] if found else ""


def _links(folder: Path, notebooks: Path) -> dict[str, str]:
    """The executed notebook of each chapter, the first if there are several, seen from the page."""
    paths = [path for path in sorted(notebooks.glob("*.ipynb"), reverse=True) if ".failed" not in path.suffixes]
    return {path.stem.split("-")[0]: Path(os.path.relpath(path, folder)).as_posix() for path in paths}


def check_publishable(planned: Sequence[Job]) -> None:
    """Raises ValueError for runs that prove nothing: smoke where no claim asks for it, or code that no commit holds."""
    for job in planned:
        tested = [claim for claim in claims.load_claims(chapter=job.chapter) if job.profile in claim.profiles]
        if job.profile == "smoke" and not any(claim.where.items() & job.overrides.items() for claim in tested):
            raise ValueError(
                "a run of the profile smoke without the settings of a claim tests the code alone; --publish takes "
                "laptop or paper"
            )
    if provenance.commit().endswith("+"):
        raise ValueError(
            "published records name a commit, and files in dnlib, notebooks, data/weights or data/trainings differ "
            "from it; commit them"
        )


def publish(folder: Path, published: Sequence[Job]) -> None:
    """Make the records of a run the committed ones, its outputs those of the chapters, and refresh what shows them."""
    for job in published:
        records.write(records.read(job.record), records.COMMITTED / job.record.name)
        if (job.profile, job.seed, job.overrides) == ("laptop", 0, {}):
            stored.adopt(job.notebook, jobs.NOTEBOOKS / f"{job.chapter}.ipynb")
    for picture in _figures(folder / "notebooks", "readme-figure")[:1]:
        content = base64.b64decode(picture["address"].partition(",")[2])
        with atomic(PUBLISHED / "strip.png") as temporary:
            Image.open(io.BytesIO(content)).save(temporary)  # a large one is a JPEG in the notebook
    refresh()


def refresh() -> None:
    """Make anew what shows committed numbers: verdicts and minutes in chapters, the report, the README's tables."""
    judgements = write(PUBLISHED)
    runs = _timed()
    for chapter in jobs.chapters():
        judged = [j for j in judgements if j.claim.chapter == chapter.stem]
        stored.refresh(chapter, judged, tables.time(runs, chapter.stem))
    _store(ROOT / "README.md", refreshed_readme(judgements))


def refreshed_readme(judgements: Sequence[Judgement]) -> str:
    """The README with its generated parts, between <!-- NAME --> and <!-- end -->, made anew."""
    parts = {
        "chapters": tables.chapters(_timed()),
        "verdicts": tables.counts(judgements),
        "headlines": tables.headlines(judgements),
    }
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, content in parts.items():
        pattern = rf"(<!-- {name}[^>]*-->\n).*?(<!-- end -->)"
        text = re.sub(pattern, lambda match, content=content: match[1] + content + match[2], text, flags=re.DOTALL)
    return text


def _timed() -> dict[str, dict]:
    return json.loads(TIMES.read_text(encoding="utf-8"))["runs"]


def _figures(folder: Path, tag: str) -> list[dict[str, str]]:
    """The picture of each executed chapter's cell with a tag."""
    figures = {}
    for path in sorted(folder.glob("[!.]*.ipynb")):
        chapter = path.stem.split("-")[0]
        cells = [cell for cell in nbformat.read(path, as_version=4).cells if tag in cell.metadata.get("tags", [])]
        for output in [output for cell in cells for output in cell.get("outputs", [])]:
            if kind := pictures.kind_of(output.get("data", {})):
                address = f"data:{kind};base64,{output.data[kind]}".replace("\n", "")
                alt = output.metadata.get(kind, {}).get("alt", "")
                figures.setdefault(chapter, {"chapter": chapter, "address": address, "alt": alt})
    return list(figures.values())


def _store(path: Path, text: str) -> None:
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
