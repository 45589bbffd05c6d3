"""Runs the chapters: headless, resumable, alone or on a Dask cluster.

An output folder holds

    notebooks/NAME.ipynb         executed chapters (NAME.failed.ipynb where one failed)
    records/NAME.json            what they measured
    report.html, claims.md, verdicts.json   written by `report`
"""

import contextlib
import hashlib
import math
import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat

from dnlib.course import jobs, records, stored
from dnlib.course.jobs import Job, Outcome, Progress
from dnlib.images import ROOT, SHIPPED, datasets
from dnlib.zoo import cluster as clusters, provenance

_turn = threading.Lock()
_SPINS = "2000"  # threads that wait longer in a loop slow down to a crawl as soon as another program needs a core


@contextlib.contextmanager
def reserved(out: Path) -> Iterator[None]:
    """Hold an output folder for one runner. Raises ValueError if another one holds it or it cannot be written."""
    from filelock import FileLock, Timeout

    try:
        for name in ("notebooks", "records"):
            (out / name).mkdir(parents=True, exist_ok=True)
        lock = FileLock(out / ".lock", timeout=0)
        lock.acquire()
    except Timeout:
        raise ValueError(f"another run is writing into {out}; wait for it or name another folder with --out") from None
    except OSError as error:
        raise ValueError(
            f"nothing can be written into {out} ({error.strerror}); name another folder with --out"
        ) from error
    try:
        yield
    finally:
        lock.release()


def run(
    planned: Sequence[Job],
    *,
    resume: bool = False,
    observe: Callable[[Progress], None] = lambda progress: None,
    cluster: str | None = None,
) -> Iterator[Outcome]:
    """Run jobs one after the other, or on a Dask cluster, as `zoo.cluster.spread` takes it.

    A chapter that fails does not stop the others. resume: skip what succeeded before with the same
    parameters, code and data. On a cluster the longest begin first; its workers must see the same
    checkout and output folder, and run chapters side by side if they are processes of one thread each.
    """
    done = [job for job in planned if resume and is_done(job)]
    yield from (Outcome(job, "unchanged") for job in done)
    remaining = [job for job in planned if job not in done]
    if cluster is None:
        for job in remaining:
            yield execute(job, observe)
        return
    here = [name for name, dataset in datasets.registry().items() if dataset.is_present]
    for job, outcome in clusters.spread(_execute_alone, _longest_first(remaining), cluster, needs=here):
        if isinstance(outcome, Exception):  # of the worker, not of the chapter: the others go on
            outcome = Outcome(job, "failed", error=f"it could not be run on {cluster}: {outcome}")
        yield outcome


def _longest_first(planned: Sequence[Job]) -> list[Job]:
    """In the order of their committed records' seconds, unknown ones first: no long chapter runs alone at the end."""
    taken = [f"{job.chapter}-laptop-s0" for job in planned]
    seconds = {record.chapter: record.seconds for record in records.read_all(records.COMMITTED, taken).values()}
    return sorted(planned, key=lambda job: -seconds.get(job.chapter, math.inf))


def _execute_alone(job: Job) -> Outcome:
    """Papermill can run one notebook at a time per process: other threads of a worker wait their turn."""
    with _turn:
        clusters.say(f"{job.name} ...")
        return execute(job)


@contextlib.contextmanager
def _kernel(**variables: str) -> Iterator[dict[str, Any]]:
    """How to start a kernel: this environment's Python with these variables, and no last words on Ctrl-C.

    It talks through sockets in a folder of its own, because network ports of parallel runs can collide.
    """
    from jupyter_client.manager import AsyncKernelManager
    from traitlets.config import Config

    class QuietKernel(AsyncKernelManager):
        async def start_kernel(self, **options):
            options |= {"env": {"GOMP_SPINCOUNT": _SPINS} | os.environ | variables, "stderr": subprocess.DEVNULL}
            await super().start_kernel(**options)

    with tempfile.TemporaryDirectory(prefix="dnlib-") as folder:
        sockets = {} if os.name == "nt" else {"transport": "ipc", "ip": f"{folder}/kernel"}
        config = Config({"KernelManager": sockets})
        yield {"kernel_name": "python3", "kernel_manager_class": QuietKernel, "config": config}


def execute(job: Job, observe: Callable[[Progress], None] = lambda progress: None) -> Outcome:
    """Run one chapter in a kernel of its own, in the notebooks' folder; the result appears only when it is whole."""
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    source, stamp = jobs.NOTEBOOKS / f"{job.chapter}.ipynb", fingerprint(job)
    partial, partial_record = job.notebook.with_suffix(".partial.ipynb"), job.record.with_suffix(".partial")
    progress = Progress(job, len(nbformat.read(source, as_version=4).cells))
    try:
        _execute(source, partial, partial_record, progress, observe)
        _stamp(partial, stamp)
        if partial_record.exists():
            os.replace(partial_record, job.record)
        os.replace(partial, job.notebook)  # last: by its stamp `is_done` knows that all is there
        job.failed_notebook.unlink(missing_ok=True)
        return Outcome(job, "ok", progress.seconds, progress.verdicts)
    except (PapermillExecutionError, DeadKernelError) as error:
        if partial.exists():
            os.replace(partial, job.failed_notebook)
        return Outcome(job, "failed", progress.seconds, progress.verdicts, progress.cell, _reason(error))
    finally:
        partial.unlink(missing_ok=True)
        partial_record.unlink(missing_ok=True)


def _execute(source: Path, result: Path, record: Path, progress: Progress, observe: Callable[[Progress], None]) -> None:
    """Run a chapter cell by cell, and keep count of them; result, record: files that it writes."""
    import papermill

    def before(cell, cell_index: int) -> None:
        progress.cell = cell_index  # from 0, with the parameters that papermill put in: from 1 in the chapter
        observe(progress)

    def after(cell, cell_index: int, execute_reply) -> None:
        progress.verdicts += _verdicts(cell)

    job = progress.job
    variables = {"DNLIB_HEADLESS": "1", "DNLIB_PROFILE": job.profile, "DNLIB_RECORD": str(record)}
    with _kernel(**variables) as options:
        papermill.execute_notebook(
            source,
            result,
            parameters=job.parameters,
            cwd=jobs.NOTEBOOKS,
            progress_bar=False,
            on_cell_start=before,
            on_cell_executed=after,
            **options,
        )


def _reason(error: Exception) -> str:
    """The chapter's own exception in one line, or that its kernel died."""
    name, text = getattr(error, "ename", ""), getattr(error, "evalue", "")
    if not name:
        return "the kernel died, perhaps for lack of memory"
    return f"{name}: {text.splitlines()[0]}" if text else name


def _verdicts(cell) -> list[str]:
    text = "".join(output.get("text", "") for output in cell.get("outputs", []) if output.output_type == "stream")
    return re.findall(r"^(?:PASS|FAIL|HELD|DID NOT HOLD|UNDECIDED|NOT TESTED) .*$", text, flags=re.MULTILINE)


def execute_in_place(notebook: Path) -> None:
    """Execute a chapter with its default parameters and store the outputs in the file, as it is committed.

    Raises ValueError if it fails, naming the cell.
    """
    with tempfile.TemporaryDirectory() as folder:
        (job,) = jobs.plan([notebook.stem], out=Path(folder))
        with reserved(job.out):
            outcome = execute(job)
        if outcome.status == "failed":
            again = f"`dnlib run {jobs.number(notebook)}` keeps the notebook as far as it came"
            raise ValueError(f"{notebook.name} failed in cell {outcome.cell}: {outcome.error}; {again}")
        stored.adopt(job.notebook, notebook)


def is_done(job: Job) -> bool:
    """Whether this job succeeded before with the same parameters, code and data."""
    if not (job.notebook.is_file() and job.record.is_file()):
        return False
    try:
        stamp = nbformat.read(job.notebook, as_version=4).metadata.get("dnlib", {}).get("fingerprint")
        record = records.read(job.record)
        return stamp == fingerprint(job) and record.datasets == {
            name: datasets.fingerprint(name) for name in record.datasets
        }
    except Exception:  # unreadable remains of an earlier run: run it again
        return False


def fingerprint(job: Job) -> str:
    """One hash over all that a chapter's numbers follow from.

    Its source and parameters, the library, trained weights and cards, the files it is given, which datasets are here.
    """
    digest = hashlib.sha256()
    for cell in nbformat.read(jobs.NOTEBOOKS / f"{job.chapter}.ipynb", as_version=4).cells:
        digest.update(cell.source.encode())
    given = [jobs.NOTEBOOKS / value for value in job.overrides.values() if isinstance(value, str) and value]
    trained = (path for place in ("weights", "trainings") for path in sorted((SHIPPED / place).glob("*")))
    for path in (*sorted((ROOT / "dnlib").rglob("*.py*")), *trained, *given):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(path.name.encode() + path.read_bytes())
    present = [name for name, dataset in datasets.registry().items() if dataset.is_present]
    digest.update(repr((sorted(job.parameters.items()), present, provenance.versions())).encode())
    return digest.hexdigest()


def _stamp(path: Path, fingerprint: str) -> None:
    document = nbformat.read(path, as_version=4)
    document.metadata["dnlib"] = {"fingerprint": fingerprint}
    document.metadata.pop("widgets", None)
    nbformat.write(document, path)
