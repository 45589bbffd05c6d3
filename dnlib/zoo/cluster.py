"""Work spread over the workers of a Dask cluster: chapters, trainings and files alike."""

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from dnlib.images import datasets
from dnlib.zoo import provenance

if TYPE_CHECKING:
    from distributed import Client, Future

PATIENCE = 10  # seconds in which a scheduler and a first worker have to answer
TOPIC = "dnlib"  # of the lines that workers say
DEATHS = 10  # so many workers may die with a job, whether it ran in them or only waited; then it is given up
DEAF = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"  # to Ctrl-C, for whoever started a worker ends it


def spread(
    work: Callable[[Any], Any],
    jobs: Sequence[Any],
    address: str,
    *,
    needs: Sequence[str] = (),
    report: Callable[[str], None] = print,
) -> Iterator[tuple[Any, Any]]:
    """Do the work of each job on a cluster, as many at a time as there are workers.

    If a worker is killed, its job and those that waited in it go to another one. A job is given up after ten such
    deaths; with a scheduler of one's own, after as many as that allows.

    Parameters
    ----------
    work : callable
        Of an importable module. It is given a job and returns something that can be pickled.
    jobs : sequence
        What can be pickled, too.
    address : str
        Of a scheduler that runs, such as ``tcp://host:8786``; or "local:4", which starts four processes here that share
        the cores, and ends them.
    needs : sequence of str
        Datasets that every worker must have.
    report : callable
        What is told the lines that the work says by `say`.

    Yields
    ------
    tuple
        Job and what its work returned, or the exception that it raised, as they end: one stops no other.

    Raises
    ------
    ValueError
        Before any work: if no scheduler answers or it has no worker, and for a worker with another dnlib, torch or
        commit, or without a dataset. Later: when the scheduler is gone.

    Examples
    --------
    >>> list(spread(abs, [-1], "local:none"))
    Traceback (most recent call last):
    ValueError: a cluster is the address of a scheduler, tcp://host:8786, or local:4; 'local:none' was given
    """
    from distributed import as_completed

    with _connected(address) as client:
        _check_workers(client, address, needs)
        client.subscribe_topic(TOPIC, lambda event: report(event[1]))
        futures = {client.submit(work, job, pure=False): job for job in jobs}
        for future in as_completed(futures):
            yield futures[future], _outcome(future, address)


def say(line: str) -> None:
    """Tell whoever called `spread`; or print, where this process is no worker."""
    from distributed import get_worker

    try:
        get_worker().log_event(TOPIC, line)
    except ValueError:
        print(line)


@contextlib.contextmanager
def _connected(address: str) -> Iterator["Client"]:
    import dask
    from distributed import Client, LocalCluster

    with contextlib.ExitStack() as opened:
        if not (count := re.fullmatch(r"local:([1-9]\d*)", address)) and not re.fullmatch(r"\w+://.+", address):
            raise ValueError(
                f"a cluster is the address of a scheduler, tcp://host:8786, or local:4; {address!r} was given"
            )
        if count:
            each = {"OMP_NUM_THREADS": str(max(1, provenance.usable_cores() // int(count[1])))}
            told = {
                "distributed.scheduler.allowed-failures": DEATHS,
                "distributed.nanny.pre-spawn-environ": each,
                "distributed.worker.preload": [DEAF],
            }
            with dask.config.set(told):  # Dask's own environ gives memory back at once, which makes training slow
                cluster = opened.enter_context(
                    LocalCluster(n_workers=int(count[1]), threads_per_worker=1, dashboard_address=None)
                )
        try:
            client = opened.enter_context(Client(cluster if count else address, timeout=PATIENCE))
            client.wait_for_workers(1, timeout=PATIENCE)
        except OSError as error:
            raise ValueError(
                f"no Dask scheduler with a worker answers at {address} within {PATIENCE} s ({error})"
            ) from error
        yield client


def _check_workers(client: "Client", address: str, needs: Sequence[str]) -> None:
    """Every worker computes with what computes here."""
    here, _ = _what_is_here(())
    for worker, answer in client.run(_what_is_here, needs, on_error="return").items():
        if isinstance(answer, Exception):
            raise ValueError(f"the worker {worker} of {address} has no dnlib that answers ({answer})") from answer
        there, missing = answer
        for what, found in here.items():
            if there[what] != found:
                raise ValueError(
                    f"the worker {worker} of {address} has {what} {there[what]}, here it is {found}; a cluster's "
                    "workers run the code of one checkout in one environment"
                )
        if missing:
            raise ValueError(
                f"the worker {worker} of {address} has no {', '.join(missing)}; fetch what is missing by "
                f"`dnlib data {missing[0]}`, or set DNLIB_DATA there"
            )


def _what_is_here(needs: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The versions and the commit that decide the numbers, and the datasets that are missing."""
    versions = provenance.versions()
    code = {"dnlib": versions["dnlib"], "torch": versions["torch"], "commit": provenance.commit()}
    return code, [name for name in needs if not datasets.find(name).is_present]


def _outcome(future: "Future", address: str) -> Any:
    """What the work returned or raised."""
    from distributed import CancelledError
    from distributed.comm import CommClosedError

    try:
        if future.status in ("finished", "error"):
            return future.exception() or future.result()
    except (CancelledError, CommClosedError):
        pass
    raise ValueError(
        f"the scheduler at {address} is gone; what was finished is kept, and the same command does the rest"
    )
