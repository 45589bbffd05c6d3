"""Where a benchmark's numbers go: runs/benchmarks, or with --publish the committed results beside this file."""

import json
import sys
from pathlib import Path

from dnlib.images import atomic
from dnlib.zoo import provenance

HERE = Path(__file__).resolve().parent


def folder() -> Path:
    return HERE / "results" if "--publish" in sys.argv[1:] else HERE.parent / "runs" / "benchmarks"


def stored(name: str) -> dict:
    """What `store` wrote last, to go on with; nothing if there is none."""
    path = folder() / f"{name}.json"
    return json.loads(path.read_text()) if path.is_file() else {}


def question() -> str:
    """What the script that runs asks: the first line of its text."""
    return sys.modules["__main__"].__doc__.split("\n")[0]


def heading() -> str:
    """The question and the machine, a line each."""
    return f"{question()}\n  {provenance.machine()}"


def store(name: str, **outcome) -> None:
    """Write one JSON file: what was asked, what came out, on which machine and with which versions."""
    folder().mkdir(parents=True, exist_ok=True)
    outcome = {"question": question(), **outcome, "machine": provenance.machine(), "versions": provenance.versions()}
    with atomic(folder() / f"{name}.json") as temporary:
        temporary.write_text(json.dumps(outcome, indent=1) + "\n")
