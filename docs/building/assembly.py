"""The sources of the site, in a folder laid out as the repository is, so that links between pages hold."""

import json
import re
import shutil
import tomllib
from collections.abc import Iterable
from pathlib import Path

from jinja2 import Environment, PackageLoader
from PIL import Image

from building import cards, chapters, charts, reference
from building.chapters import Figure
from building.links import Links, for_pages
from dnlib.course import jobs, report, tables
from dnlib.images import ROOT

STATES = ROOT / "results" / "states"
GUIDES = ("your-own-pictures", "train-your-own", "command-line", "reproduce", "verdicts", "papers", "glossary")
ALONE = ("results/report.html", "benchmarks/results", "results/records", "LICENSE", "CITATION.cff")
_THUMBNAIL = (320, 200)

_templates = Environment(loader=PackageLoader("building"), trim_blocks=True, lstrip_blocks=True, autoescape=True)


def home() -> str:
    """Where the repository is hosted, from pyproject.toml; "" if nobody has said so."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return settings["tool"]["dnlib"]["home"].rstrip("/")


def assemble(folder: Path) -> tuple[Path, Path]:
    """Write everything that Sphinx reads.

    Returns
    -------
    pages : pathlib.Path
        The sources: the repository's Markdown and notebooks, and pages made of cards, benchmarks and docstrings.
    beside : pathlib.Path
        Files that stand on the site as they are, each at its path in the repository.
    """
    pages, beside = folder / "pages", folder / "beside"
    for old in (pages, beside):
        shutil.rmtree(old, ignore_errors=True)
        old.mkdir(parents=True)
    links = Links(ROOT, _named(), home())
    figures = _chapters(pages, beside, links)
    for figure in figures:
        _thumbnail(pages / "notebooks" / "pictures" / figure.file, beside / "results" / "thumbnails" / figure.thumbnail)
    _write(pages, "notebooks/index.md", _templates.get_template("chapters.jinja").render(chapters=jobs.chapters()))
    _write(pages, "index.md", _front(links, figures))
    for source, name in links.pages.items():
        if source.endswith(".md") and source != "README.md":
            _write(pages, name, links.rewritten((ROOT / source).read_text(encoding="utf-8"), source))
    _made(pages, links, figures)
    for path in (*ALONE, *links.files, *(f"notebooks/{path.name}" for path in jobs.chapters())):
        _copy(path, beside)
    ledger = beside / "results" / "report.html"
    ledger.write_text(for_pages(ledger.read_text(encoding="utf-8")), encoding="utf-8")
    for path in links.pictures:
        _copy(path, pages)
    return pages, beside


def _named() -> dict[str, str]:
    """The files of the repository that are pages, and their names on the site."""
    own = {"README.md": "index.md", "CONTRIBUTING.md": "CONTRIBUTING.md", "results/claims.md": "results/claims.md"}
    guides = {f"docs/{name}.md": f"docs/{name}.md" for name in GUIDES}
    notebooks = {f"notebooks/{path.name}": f"notebooks/{path.name}" for path in jobs.chapters()}
    return own | guides | notebooks


def _chapters(pages: Path, beside: Path, links: Links) -> list[Figure]:
    folder = pages / "notebooks"
    folder.mkdir()
    written = (chapters.write(path, folder, beside / "notebooks", links, STATES) for path in jobs.chapters())
    return [figure for figures in written for figure in figures]


def _front(links: Links, figures: Iterable[Figure]) -> str:
    """The README, with pictures of the chapters where it has a table, and what the site holds."""
    readme = links.rewritten((ROOT / "README.md").read_text(encoding="utf-8"), "README.md")
    keys = {figure.chapter: figure for figure in reversed(list(figures)) if figure.is_key}
    shown = _templates.get_template("cards.jinja").render(chapters=map(_about, jobs.chapters()), figures=keys)
    readme = re.sub(r"^Minutes and memory.*?<!-- end -->", lambda found: shown, readme, flags=re.DOTALL | re.MULTILINE)
    return readme + _templates.get_template("contents.jinja").render()


def _about(notebook: Path) -> dict[str, str]:
    """Name, title and question of a chapter, from its first cell, and its measured time."""
    import nbformat

    first = nbformat.read(notebook, as_version=4).cells[0].source
    timed = json.loads(report.TIMES.read_text(encoding="utf-8"))["runs"]
    said = {"title": first.splitlines()[0][2:], "question": tables.question(notebook)}
    return {"name": notebook.stem, **said, "time": tables.time(timed, notebook.stem)}


def _made(pages: Path, links: Links, figures: list[Figure]) -> None:
    """Pages that no file of the repository holds."""
    for name, text in cards.pages().items():
        _write(pages, f"cards/{name}.md", text)
    _write(pages, "results/index.md", _templates.get_template("results.jinja").render())
    _write(pages, "docs/index.md", _templates.get_template("guides.jinja").render(guides=GUIDES))
    links.pages["results/benchmarks.md"] = "results/benchmarks.md"
    benchmarks = charts.page(ROOT / "benchmarks" / "results")
    _write(pages, "results/benchmarks.md", links.rewritten(benchmarks, "results/benchmarks.md"))
    titles = {path.stem: _about(path)["title"] for path in jobs.chapters()}
    _write(pages, "results/figures.md", _templates.get_template("figures.jinja").render(figures=figures, titles=titles))
    _write(pages, "reference/index.md", _templates.get_template("reference.jinja").render(rooms=reference.ROOMS))
    for room in reference.ROOMS:
        _write(pages, f"reference/{room}.rst", reference.page(room))


def _thumbnail(picture: Path, small: Path) -> None:
    small.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(picture) as image:
        image = image.convert("RGB")
        image.thumbnail(_THUMBNAIL)
        image.save(small, quality=60)


def _write(pages: Path, name: str, text: str) -> None:
    path = pages / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _copy(path: str, to: Path) -> None:
    source, target = ROOT / path, to / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copy(source, target)
