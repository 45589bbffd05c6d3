"""How a benchmark measures, and where its numbers go.

That is runs/benchmarks, or with --publish the committed results beside this file.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dnlib.images import atomic
from dnlib.zoo import provenance

HERE = Path(__file__).resolve().parent


def timed(function: Callable[[], Any], repeats: int = 1) -> tuple[float, Any]:
    """Seconds of a function, the median of `repeats` calls, and what the last one gave."""
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        found = function()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds), found


def apart(*arguments: str, **environment: str) -> Any:
    """What the script that runs prints as JSON in a process of its own, with these arguments and environment."""
    command = [sys.executable, sys.modules["__main__"].__file__, *arguments]
    told = {"capture_output": True, "text": True, "check": True, "timeout": 900, "env": {**os.environ, **environment}}
    return json.loads(subprocess.run(command, **told).stdout)


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
    """Write one JSON file: what was asked, what came out, on which machine, with which versions and which commit."""
    folder().mkdir(parents=True, exist_ok=True)
    commit = provenance.commit(*provenance.PARTS, "benchmarks/*.py")
    where = {"machine": provenance.machine(), "versions": provenance.versions(), "commit": commit}
    outcome = {"question": question(), **outcome, **where}
    with atomic(folder() / f"{name}.json") as temporary:
        temporary.write_text(json.dumps(outcome, indent=1) + "\n")
