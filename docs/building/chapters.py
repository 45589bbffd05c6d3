"""Chapters as pages: the committed notebook with its stored outputs, pictures as files, views as sliders."""

import base64
import html
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat

from building import sliders
from building.links import Links
from dnlib.course import jobs, pictures


@dataclass(frozen=True)
class Figure:
    """A picture that a chapter shows: where, its alternative text, and its file beside the page."""

    chapter: str
    number: int
    alt: str
    file: str
    is_key: bool

    @property
    def anchor(self) -> str:
        return f"figure-{jobs.number(self.chapter)}-{self.number}"

    @property
    def thumbnail(self) -> str:
        return str(Path(self.file).with_suffix(".webp"))


def write(notebook: Path, folder: Path, beside: Path, links: Links, states: Path) -> list[Figure]:
    """Write a chapter and its pictures into a folder.

    Parameters
    ----------
    notebook : pathlib.Path
        As it is committed, with outputs.
    folder : pathlib.Path
        Of the pages of chapters; pictures go into `pictures` below it.
    beside : pathlib.Path
        Where the built pages of chapters will stand, for pictures that Sphinx does not see.
    links : Links
        Rewrites those of its text.
    states : pathlib.Path
        Where the pictures of its interactive views lie.

    Raises
    ------
    ValueError
        If it is no notebook, a cell was never run, no cell has an output, or a picture has no alternative text.
    """
    document = _read(notebook)
    figures: list[Figure] = []
    for cell in document.cells:
        if cell.cell_type == "markdown":
            cell.source = links.rewritten(cell.source, f"notebooks/{notebook.name}")
            continue
        if cell.execution_count is None:
            raise ValueError(f"{notebook.name} holds a cell without outputs; `make notebooks` runs it: {_first(cell)}")
        for output in cell.outputs:
            if pictures.kind_of(output.get("data", {})):
                figures.append(_figure(notebook.stem, len(figures) + 1, cell, output, folder / "pictures"))
        _show_sliders(cell, beside / "pictures", states)
    if not any(cell.get("outputs") for cell in document.cells):
        raise ValueError(f"{notebook.name} holds no outputs; `make notebooks` runs it")
    title, rest = document.cells[0].source.split("\n", 1)
    document.cells[0].source = f"{title}\n\n{_to_run(notebook, links.home)}\n\n{rest}"
    nbformat.write(document, folder / notebook.name)
    return figures


def _read(notebook: Path) -> nbformat.NotebookNode:
    try:
        return nbformat.read(notebook, as_version=4)
    except Exception as error:  # JSON that is cut off, or that is something else: nbformat raises what comes
        raise ValueError(f"{notebook.name} cannot be read as a notebook: {str(error).splitlines()[0][:80]}") from None


def _figure(chapter: str, number: int, cell, output, folder: Path) -> Figure:
    """Put a picture into a file, and Markdown that shows it into the output's place."""
    kind = pictures.kind_of(output.data)
    alt = output.metadata.get(kind, {}).get("alt", "")
    if not alt:
        raise ValueError(f"a picture of {chapter} has no alternative text, in the cell that begins {_first(cell)}")
    file = f"{jobs.number(chapter)}-{number}.{kind.removeprefix('image/')}"
    figure = Figure(chapter, number, alt, file, "key-figure" in cell.metadata.get("tags", []))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / figure.file).write_bytes(base64.b64decode(output.data[kind]))
    shown = f"```{{image}} pictures/{figure.file}\n:name: {figure.anchor}\n:alt: {alt}\n```\n"
    output.data = nbformat.from_dict({"text/markdown": shown, "text/plain": alt})
    output.metadata = nbformat.from_dict({})
    return figure


def _show_sliders(cell, folder: Path, states: Path) -> None:
    """Put the states of an interactive view where the notebook prints that it is one."""
    found = re.search(r"widgets\.explore\(\s*(\w+)", cell.source)
    if not found or not (states / found[1] / "states.json").is_file():
        return
    markup = sliders.copied(states / found[1], folder)
    for k, output in enumerate(cell.outputs):
        if output.get("text", "").startswith("(interactive:"):
            shown = {"text/html": markup, "text/plain": output.text}
            cell.outputs[k] = nbformat.v4.new_output("display_data", nbformat.from_dict(shown))


def _to_run(notebook: Path, home: str) -> str:
    """How a reader runs the chapter: in a browser where the repository is hosted, or on their machine."""
    size = notebook.stat().st_size / 1e6
    offers = [f'<a class="offer" href="{notebook.name}" download>Download the notebook ({size:.1f} MB)</a>']
    if home:
        address = f"https://mybinder.org/v2/git/{html.escape(home, quote=True).replace('/', '%2F').replace(':', '%3A')}"
        offers.insert(0, f'<a class="offer" href="{address}/main?labpath=notebooks/{notebook.name}">Run this</a>')
    return f'<p class="offers">{" ".join(offers)} <span>or, in a checkout: <code>make lab</code></span></p>'


def _first(cell) -> str:
    return repr(cell.source[:40])
