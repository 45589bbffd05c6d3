"""A runner killed at ten moments and after each of its renames: what is recorded is what an undisturbed run records."""

import os
import subprocess
import sys

import pytest
from samples import GOOD

from dnlib.course import records
from dnlib.images import ROOT

KILLED = """
import os, random, signal, sys, time
from pathlib import Path
import nbformat, papermill
from dnlib.course import jobs, records, runner

folder = Path(sys.argv[1])
jobs.NOTEBOOKS, rename = folder / "notebooks", os.replace

def start(name, code, fatal=0):
    \"\"\"Run what is left to run in a process of its own, which kills itself after its fatal-th rename.

    code: of the chapters, a number, which they record.
    \"\"\"
    if child := os.fork():
        return child
    renamed = 0

    def replace(*paths):
        nonlocal renamed
        rename(*paths)
        renamed += 1
        if renamed == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def instantly(source, target, parameters, **_):  # in the place of a kernel
        nbformat.write(nbformat.read(source, as_version=4), target)
        time.sleep(0.02)
        kept = {"chapter": source.stem, "profile": "smoke", "seed": 0, "device": "cpu", "commit": "", "machine": ""}
        kept |= {"parameters": parameters, "datasets": {}, "versions": {}, "seconds": 1.0, "peak_memory_mb": 1}
        path = target.parent.parent / "records" / target.name.replace(".partial.ipynb", ".partial")
        records.write(records.Record(**kept, measured={"code": code}), path)

    os.replace, papermill.execute_notebook, runner.fingerprint = replace, instantly, lambda job: f"{job.name} {code}"
    with runner.reserved(folder / name):
        list(runner.run(jobs.plan(profile="smoke", out=folder / name), resume=True))
    os._exit(0)

def ended(child):
    return os.waitpid(child, 0)[1]

began = time.perf_counter()
assert ended(start("straight", 2)) == 0
took, moments, killed = time.perf_counter() - began, random.Random(0), 0
for _ in range(10):
    victim = start("resumed", 2)
    time.sleep(moments.uniform(0, took / 2))
    os.kill(victim, signal.SIGKILL)
    killed += ended(victim) == signal.SIGKILL
assert killed > 0, "each time all was done before the signal came"
assert ended(start("resumed", 2)) == 0
fatal = 1
while ended(start(f"rename {fatal}", 1)) == 0 and ended(start(f"rename {fatal}", 2, fatal)) == signal.SIGKILL:
    assert ended(start(f"rename {fatal}", 2)) == 0  # over what older code had left
    fatal += 1
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """The folders of all runs, by name."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook
    from samples import PARAMETERS

    folder = tmp_path_factory.mktemp("killed")
    (folder / "notebooks").mkdir()
    for name in ("01_first", "02_second"):
        cells = [new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}), new_code_cell(GOOD)]
        nbformat.write(new_notebook(cells=cells), folder / "notebooks" / f"{name}.ipynb")
    subprocess.run([sys.executable, "-c", KILLED, folder], cwd=ROOT, check=True, timeout=120)
    return {path.name: path for path in folder.iterdir() if path.name != "notebooks"}


def left(out):
    """What a run leaves: its files, and what each record measured."""
    found = {path.relative_to(out).as_posix() for path in out.glob("*/*")}
    return found, {path.stem: records.read(path).measured for path in (out / "records").glob("*.json")}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_a_runner_killed_at_ten_moments_leaves_what_an_undisturbed_one_leaves(killed):
    assert left(killed["resumed"]) == left(killed["straight"])
    assert len(left(killed["straight"])[1]) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_killed_after_any_rename_no_record_of_older_code_is_taken_for_a_new_one(killed):
    renames = {name: out for name, out in killed.items() if name.startswith("rename")}
    assert len(renames) > 4  # a notebook and a record of two chapters, and one run that was not killed
    assert [name for name, out in renames.items() if left(out) != left(killed["straight"])] == []
