"""Runs the chapters: headless, parameters checked, resumable, alone or on a Dask cluster.

An output folder holds

    notebooks/NAME.ipynb         executed chapters (NAME.failed.ipynb where one failed)
    records/NAME.json            what they measured
    report.html, claims.md       written by `report`
"""

import contextlib
import hashlib
import os
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nbformat

from dnlib.course import profiles, records
from dnlib.course.parameters import COMMON, CourseError, typed
from dnlib.images import ROOT, atomic, datasets
from dnlib.zoo import provenance

NOTEBOOKS = ROOT / "notebooks"

_turn = threading.Lock()


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


@dataclass(frozen=True)
class Progress:
    """What the runner reports after every cell: which job, how far, and the verdicts so far."""

    job: Job
    cell: int
    cells: int
    seconds: float
    verdicts: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """How a job ended. cell: number of the failing cell, counted from 1 over all cells of the chapter."""

    job: Job
    status: Literal["ok", "failed", "unchanged"]
    seconds: float = 0.0
    verdicts: tuple[str, ...] = ()
    cell: int | None = None
    error: str = ""


def chapters() -> list[Path]:
    """The notebooks in reading order."""
    return sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))


def select(names: Sequence[str] = ()) -> list[Path]:
    """Chapters by number ("01"), by name ("01_donut_vs_classic") or by file; all if none is named.

    Raises CourseError for an unknown one.
    """
    known = {path.stem: path for path in chapters()}
    chosen = []
    for name in names:
        stem = Path(name).name.removesuffix(".ipynb")
        found = [path for key, path in known.items() if stem in (key, key[:2], str(int(key[:2])), key[3:])]
        if not found:
            raise CourseError(f"there is no chapter {name!r}; there are: {', '.join(known)}")
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
    profiles.sizes("", profile)
    notebooks = select(names)
    if not notebooks:
        raise CourseError(f"there are no chapters in {NOTEBOOKS}")
    out = Path(out or ROOT / "runs" / profile).resolve()
    for name in set(overrides or {}) & set(COMMON):
        raise CourseError(f"{name} has an option of its own: --{name}")
    if any(seed < 0 for seed in seeds):
        raise CourseError(f"a seed is a whole number >= 0; {min(seeds)} was given")
    return [
        Job(path.stem, profile, seed, device, typed(path, overrides or {}), out) for seed in seeds for path in notebooks
    ]


@contextlib.contextmanager
def reserved(out: Path) -> Iterator[None]:
    """Hold an output folder for one runner. Raises CourseError if another one holds it or it cannot be written."""
    from filelock import FileLock, Timeout

    try:
        for name in ("notebooks", "records"):
            (out / name).mkdir(parents=True, exist_ok=True)
        lock = FileLock(out / ".lock", timeout=0)
        lock.acquire()
    except Timeout:
        raise CourseError(f"another run is writing into {out}; wait for it or name another folder with --out") from None
    except OSError as error:
        raise CourseError(
            f"nothing can be written into {out} ({error.strerror}); name another folder with --out"
        ) from error
    try:
        yield
    finally:
        lock.release()


def run(
    jobs: Sequence[Job],
    *,
    resume: bool = False,
    observe: Callable[[Progress], None] = lambda progress: None,
    cluster: str | None = None,
) -> Iterator[Outcome]:
    """Run jobs one after the other, or on the Dask cluster whose scheduler has the address `cluster`.

    A chapter that fails does not stop the others. resume: skip what succeeded before with the same
    parameters, code and data. The cluster's workers must see the same checkout and output folder,
    and run chapters side by side if they are processes of one thread each.
    """
    done = [job for job in jobs if resume and is_done(job)]
    yield from (Outcome(job, "unchanged") for job in done)
    remaining = [job for job in jobs if job not in done]
    if cluster is None:
        for job in remaining:
            yield execute(job, observe)
        return
    from distributed import Client, as_completed

    with Client(cluster, timeout="10s") as client:
        futures = [client.submit(_execute_alone, job, pure=False) for job in remaining]
        for future in as_completed(futures):
            yield future.result()


def _execute_alone(job: Job) -> Outcome:
    """Papermill can run one notebook at a time per process: other threads of a worker wait their turn."""
    with _turn:
        return execute(job)


def execute(job: Job, observe: Callable[[Progress], None] = lambda progress: None) -> Outcome:
    """Run one chapter in a kernel of its own, in the notebooks' folder; the result appears only when it is whole."""
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    source, stamp = NOTEBOOKS / f"{job.chapter}.ipynb", fingerprint(job)
    partial, partial_record = job.notebook.with_suffix(".partial.ipynb"), job.record.with_suffix(".partial")
    started, verdicts, cell_now = time.perf_counter(), [], 0
    cells = len(nbformat.read(source, as_version=4).cells) + 1  # papermill adds the parameters given

    def before(cell, cell_index):
        nonlocal cell_now
        cell_now = cell_index  # from 0 with the parameters that papermill put in: from 1 in the chapter
        observe(Progress(job, cell_index + 1, cells, time.perf_counter() - started, tuple(verdicts)))

    def after(cell, cell_index, execute_reply):
        verdicts.extend(_verdicts(cell))

    def outcome(status, **details):
        return Outcome(job, status, time.perf_counter() - started, tuple(verdicts), **details)

    try:
        with _kernel(DNLIB_HEADLESS="1", DNLIB_PROFILE=job.profile, DNLIB_RECORD=str(partial_record)) as kernel:
            papermill.execute_notebook(
                source,
                partial,
                parameters=job.parameters,
                cwd=NOTEBOOKS,
                progress_bar=False,
                on_cell_start=before,
                on_cell_executed=after,
                **kernel,
            )
    except (PapermillExecutionError, DeadKernelError) as error:
        if partial.exists():
            os.replace(partial, job.failed_notebook)
        job.record.unlink(missing_ok=True)
        return outcome("failed", cell=cell_now, error=_reason(error))
    else:
        _stamp(partial, stamp)
        os.replace(partial, job.notebook)
        if partial_record.exists():
            os.replace(partial_record, job.record)
        job.failed_notebook.unlink(missing_ok=True)
        return outcome("ok")
    finally:
        partial.unlink(missing_ok=True)
        partial_record.unlink(missing_ok=True)


def _reason(error: Exception) -> str:
    """The chapter's own exception in one line, or that its kernel died."""
    name, text = getattr(error, "ename", ""), getattr(error, "evalue", "")
    if not name:
        return "the kernel died, perhaps for lack of memory"
    return f"{name}: {text.splitlines()[0]}" if text else name


@contextlib.contextmanager
def _kernel(**variables: str) -> Iterator[dict[str, Any]]:
    """How to start a kernel: this environment's Python with these variables, and no last words on Ctrl-C.

    It talks through sockets in a folder of its own, because network ports of parallel runs can collide.
    """
    from jupyter_client.manager import AsyncKernelManager
    from traitlets.config import Config

    class QuietKernel(AsyncKernelManager):
        async def start_kernel(self, **options):
            options |= {"env": os.environ | variables, "stderr": subprocess.DEVNULL}
            await super().start_kernel(**options)

    with tempfile.TemporaryDirectory(prefix="dnlib-") as folder:
        sockets = {} if os.name == "nt" else {"transport": "ipc", "ip": f"{folder}/kernel"}
        config = Config({"KernelManager": sockets})
        yield {"kernel_name": "python3", "kernel_manager_class": QuietKernel, "config": config}


def _verdicts(cell) -> list[str]:
    text = "".join(output.get("text", "") for output in cell.get("outputs", []) if output.output_type == "stream")
    return re.findall(r"^(?:PASS|FAIL|HELD|DID NOT HOLD) .*$", text, flags=re.MULTILINE)


def execute_in_place(notebook: Path) -> None:
    """Execute a chapter with its default parameters and store the outputs in the file, as it is committed."""
    from nbclient import NotebookClient

    document = nbformat.read(notebook, as_version=4)
    with _kernel(DNLIB_HEADLESS="1", DNLIB_PROFILE="", DNLIB_RECORD="") as kernel:
        NotebookClient(
            document,
            record_timing=False,
            resources={"metadata": {"path": str(notebook.parent)}},
            **kernel,
        ).execute()
    document.metadata.pop("widgets", None)
    document.metadata.language_info = {"name": "python"}
    with atomic(notebook) as temporary:
        nbformat.write(document, temporary)


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
    """One hash over the chapter's source, the library, the parameters and which datasets are present."""
    digest = hashlib.sha256()
    for cell in nbformat.read(NOTEBOOKS / f"{job.chapter}.ipynb", as_version=4).cells:
        digest.update(cell.source.encode())
    for path in sorted((ROOT / "dnlib").rglob("*.py")):
        digest.update(path.read_bytes())
    digest.update(repr(sorted(job.parameters.items())).encode())
    for value in job.overrides.values():
        if isinstance(value, str) and value and (NOTEBOOKS / value).is_file():
            digest.update((NOTEBOOKS / value).read_bytes())
    digest.update(repr([name for name, dataset in datasets.registry().items() if dataset.is_present]).encode())
    digest.update(repr(provenance.versions()).encode())
    return digest.hexdigest()


def _stamp(path: Path, fingerprint: str) -> None:
    document = nbformat.read(path, as_version=4)
    document.metadata["dnlib"] = {"fingerprint": fingerprint}
    document.metadata.pop("widgets", None)
    nbformat.write(document, path)
