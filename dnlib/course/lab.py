"""The course in JupyterLab: a start page, and the server that shows it."""

import json
import socket
import statistics
from pathlib import Path

import nbformat

from dnlib.course import jobs, records, report, tables
from dnlib.images import ROOT, atomic, datasets, home
from dnlib.training import computes_in_bfloat16

START = "START.ipynb"  # JupyterLab shows a notebook's text as text, a Markdown file as its source

_OWN = f"""# {jobs.TITLE}

**A picture of your own**: click on the two lines below, then on ▶ above, then on *Choose a noisy picture*. What comes
of it is shown here, and lies in the folder `denoised`. Nothing leaves this machine. In a terminal the same is
`dnlib denoise noisy.png -o denoised.png --report report.html`; chapter 12 goes through it in steps.
"""
_CODE = "from dnlib.course import widgets\n\nwidgets.own_picture()"
_PAGE = """## The chapters

A click on a chapter opens it. *Run*, *Run All Cells* runs it. {minutes}

{chapters}

## Data

{data}
"""


def start_page(folder: Path, runs: Path = ROOT / "runs") -> str:
    """What the start page says of the course: its chapters, their minutes here, what is done, which data is missing.

    In Markdown, with links relative to `folder`, which holds the chapters to open; records of this machine lie in
    `runs`. Raises FileNotFoundError if the folder holds no chapter.
    """
    known = {path.name for path in jobs.chapters()}
    chapters = [path for path in sorted(folder.glob("*.ipynb")) if path.name in known]
    if not chapters:
        raise FileNotFoundError(f"{folder} holds no chapter of the course; `dnlib course copy NEW_FOLDER` makes a copy")
    done = _done(runs)
    timed = _timed()
    ratios = [done[name].seconds / timed[name] for name in done if name in timed]
    speed = statistics.median(ratios) if ratios else 1
    said = (
        "Minutes are those of the last run on this machine; *about* is reckoned from the chapters that ran here."
        if done
        else "Minutes marked *about* were timed on one core of another machine; no chapter has run here yet."
    )
    rows = [_row(path, done, timed, speed) for path in chapters]
    table = tables.table(("chapter", "what it asks", "minutes", "done"), rows)
    return _PAGE.format(minutes=said, chapters=table, data=_data())


def _done(runs: Path) -> dict[str, records.Record]:
    """The last run of each chapter on this machine in the size of a laptop."""
    found = [record for folder in runs.glob("*/records") for record in records.read_all(folder).values()]
    found.sort(key=lambda record: record.finished)
    return {record.chapter: record for record in found if record.profile == "laptop"}


def _timed() -> dict[str, float]:
    """Seconds of each chapter: by the benchmark, on a processor with bfloat16 units or without, as this one is.

    Of a chapter that the benchmark does not have, those of its quickest committed run.
    """
    shipped = [record for record in records.read_all(records.COMMITTED).values() if record.profile == "laptop"]
    quickest = {run.chapter: run.seconds for run in sorted(shipped, key=lambda run: -run.seconds)}
    runs = json.loads(report.TIMES.read_text(encoding="utf-8"))["runs"]
    kind = "with" if computes_in_bfloat16("cpu") else "without"
    run = runs.get(kind) or next(iter(runs.values()))
    return quickest | {name: cost["seconds"] for name, cost in run["chapters"].items()}


def _row(path: Path, done: dict[str, records.Record], timed: dict[str, float], speed: float) -> tuple[str, ...]:
    """A chapter's line of the table."""
    name = path.stem
    if name in done:
        minutes, date = f"{done[name].seconds / 60:.1f}", done[name].finished[:10]
    else:
        minutes, date = (f"about {speed * timed[name] / 60:.1f}" if name in timed else "–"), "–"
    return f"[{name}]({path.name})", tables.question(path), minutes, date


def _data() -> str:
    """Which datasets are here, and the commands that fetch the others."""
    known = datasets.registry().values()
    missing = [dataset for dataset in known if not dataset.is_present]
    here = ", ".join(dataset.name for dataset in known if dataset.is_present) or "none"
    if not missing:
        return f"All datasets are in `{home()}`."
    rows = [(one.title, f"{one.bytes / 1e6:.0f} MB", f"`dnlib data {one.name}`") for one in missing]
    told = f"In `{home()}`: {here}. Every chapter runs without the others, on pictures that come with the course.\n\n"
    return told + tables.table(("not here", "size", "fetched by"), rows)


def open_lab(folder: Path, port: int = 8888, *, browser: bool = True) -> None:
    """Write the start page into a folder of chapters, and open it in JupyterLab until that is closed.

    port: of this machine. browser: whether to open one; else the address is only said. Raises FileNotFoundError if the
    folder holds no chapter, OSError if another program uses the port.
    """
    page = start_page(folder)
    with socket.socket() as free:
        if free.connect_ex(("127.0.0.1", port)) == 0:
            raise OSError(
                f"port {port} is in use, perhaps by another JupyterLab; close that, or take another: "
                f"dnlib lab --port {port + 1}"
            )
    text, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
    document = nbformat.v4.new_notebook(cells=[text(_OWN), code(_CODE), text(page)], metadata=kernel)
    with atomic(folder / START) as temporary:
        nbformat.write(document, temporary)
    from jupyterlab.labapp import LabApp

    fixed = [f"--ServerApp.root_dir={folder.resolve()}", f"--port={port}", "--ServerApp.port_retries=0"]
    told = [] if browser else ["--no-browser"]
    LabApp.launch_instance([*fixed, f"--LabApp.default_url=/lab/tree/{START}", *told])
