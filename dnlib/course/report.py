"""Records and claims made into one HTML page, one Markdown table, and the README's tables."""

import base64
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import nbformat
from jinja2 import ChoiceLoader, Environment, PackageLoader

from dnlib.course import claims, records, verdicts
from dnlib.course.records import Record
from dnlib.course.verdicts import Judgement
from dnlib.images import ROOT, atomic
from dnlib.zoo import provenance

PUBLISHED = ROOT / "results"

_pages = Environment(
    loader=ChoiceLoader([PackageLoader("dnlib.course"), PackageLoader("dnlib.denoiser")]),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)


def write(folder: Path, names: Sequence[str] | None = None) -> list[Judgement]:
    """Judge all claims by the records in `folder`, write report.html and claims.md there, return the judgements.

    names: only the records of these runs, by default all.
    """
    found = records.read_all(folder / "records", names)
    judgements = verdicts.judge(claims.load_claims(), found)
    notebooks = ROOT / "notebooks" if folder == PUBLISHED else folder / "notebooks"
    page = _pages.get_template("course.html").render(
        judgements=judgements,
        counts=Counter(judgement.verdict for judgement in judgements),
        records=found,
        figures=_figures(notebooks, "key-figure"),
    )
    _store(folder / "report.html", page)
    _store(folder / "claims.md", markdown(judgements))
    return judgements


def markdown(judgements: Sequence[Judgement]) -> str:
    """The table of claims."""
    lines = ["| verdict | claim | source says | measured here |", "|---|---|---|---|"]
    for judgement in judgements:
        claim = judgement.claim
        said = f"{claim.statement} ({claim.source})"
        measured = "; ".join(filter(None, [judgement.measured, judgement.by_length]))
        row = (judgement.verdict, said, claim.published or "–", measured)
        lines.append("| " + " | ".join(text.replace("|", "\\|") for text in row) + " |")
    return "\n".join(lines) + "\n"


def check_publishable(profile: str) -> None:
    """Raises ValueError for runs that prove nothing: of the profile smoke, or of code that no commit holds."""
    if profile == "smoke":
        raise ValueError("records of the profile smoke test the code and no claim; --publish takes laptop or paper")
    if provenance.commit().endswith("+"):
        raise ValueError(
            "published records name a commit, and files in dnlib, notebooks or data/weights differ from it; commit them"
        )


def publish(folder: Path, names: Sequence[str]) -> None:
    """Make the records of a run the committed ones in results/, and bring the README's tables up to date."""
    for name in names:
        records.write(records.read(folder / "records" / f"{name}.json"), records.COMMITTED / f"{name}.json")
    for picture in _figures(folder / "notebooks", "readme-figure")[:1]:
        with atomic(PUBLISHED / "strip.png") as temporary:
            temporary.write_bytes(base64.b64decode(picture["png"]))
    refresh()


def refresh() -> None:
    """Make the committed report and the README's tables anew from the committed records and claims."""
    write(PUBLISHED)
    _store(ROOT / "README.md", refreshed_readme())


def refreshed_readme() -> str:
    """The README with its generated parts, between <!-- NAME --> and <!-- end -->, made from committed records."""
    found = records.read_all(records.COMMITTED)
    parts = {
        "chapters": _chapter_table(found),
        "claims": markdown(verdicts.judge(claims.load_claims(), found)),
    }
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, content in parts.items():
        pattern = rf"(<!-- {name}[^>]*-->\n).*?(<!-- end -->)"
        text = re.sub(pattern, lambda match, content=content: match[1] + content + match[2], text, flags=re.DOTALL)
    return text


def _chapter_table(records: Sequence[Record]) -> str:
    """One row per chapter: its question, and the minutes of its default run, the fastest if there are several."""
    from dnlib.course import jobs, parameters

    lines = ["| chapter | question | minutes | memory |", "|---|---|---|---|"]
    for path in jobs.chapters():
        declared = parameters.declared(path)
        defaults = {name: declared[name].default for name in declared.keys() - set(parameters.COMMON)}
        runs = [r for r in records if (r.chapter, r.profile, r.parameters) == (path.stem, "laptop", defaults)]
        minutes = f"{min(r.seconds for r in runs) / 60:.1f}" if runs else "–"
        memory = f"{max(r.peak_memory_mb for r in runs) / 1000:.1f} GB" if runs else "–"
        lines.append(f"| [{path.stem}](notebooks/{path.name}) | {question(path)} | {minutes} | {memory} |")
    return "\n".join(lines) + "\n"


def question(notebook: Path) -> str:
    """The question a chapter answers: the bold line under its title."""
    first = nbformat.read(notebook, as_version=4).cells[0].source
    return re.search(r"\*\*(.+?)\*\*", first, flags=re.DOTALL)[1].replace("\n", " ")


def _figures(folder: Path, tag: str) -> list[dict[str, str]]:
    """The picture of each executed chapter's cell with a tag."""
    figures = {}
    for path in sorted(folder.glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if tag not in cell.metadata.get("tags", []):
                continue
            for output in cell.get("outputs", []):
                if "image/png" in output.get("data", {}):
                    alt = output.metadata.get("image/png", {}).get("alt", "") or output.metadata.get("alt", "")
                    chapter = path.stem.split("-")[0]
                    png = output.data["image/png"].replace("\n", "")
                    figures.setdefault(chapter, {"chapter": chapter, "png": png, "alt": alt})
    return list(figures.values())


def _store(path: Path, text: str) -> None:
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
