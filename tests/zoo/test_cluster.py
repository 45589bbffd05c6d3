"""Work spread over a Dask cluster: every job once, one failure stops no other, unfit workers are named beforehand."""

import operator
import os
import random
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from distributed import LocalCluster

from dnlib.zoo import cluster, provenance
from dnlib.zoo.cluster import spread

pytestmark = pytest.mark.filterwarnings("ignore")  # Dask's own


@pytest.fixture
def address():
    """Of a scheduler in this process, with one worker."""
    quiet = {"processes": False, "dashboard_address": None, "protocol": "inproc://"}
    with LocalCluster(n_workers=1, threads_per_worker=1, **quiet) as local:
        yield local.scheduler_address


def reciprocal(number):
    cluster.say(f"asked for 1/{number}")
    return 1 / number


def test_every_job_is_done_and_a_failure_stops_no_other(address):
    said = []
    done = dict(spread(reciprocal, [2, 0, 4], address, report=said.append))
    assert (done[2], done[4]) == (0.5, 0.25) and isinstance(done[0], ZeroDivisionError)
    assert set(said) <= {"asked for 1/2", "asked for 1/0", "asked for 1/4"}


def dying_twice(folder):
    """Kill the process that works, at a random moment, the first two times."""
    turn = len(os.listdir(folder))
    if turn < 2:
        (Path(folder) / str(turn)).touch()
        time.sleep(random.random() / 4)
        os.kill(os.getpid(), signal.SIGKILL)
    deaf = signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    return os.getpid(), os.environ["OMP_NUM_THREADS"], "MALLOC_TRIM_THRESHOLD_" in os.environ, deaf


def test_processes_of_this_machine_share_its_cores_and_are_replaced_however_often_they_are_killed(tmp_path):
    folders = [tmp_path / str(number) for number in range(5)]  # ten deaths
    for folder in folders:
        folder.mkdir()
    done = list(spread(dying_twice, [str(folder) for folder in folders], "local:2"))
    assert sorted(folder for folder, _ in done) == [str(folder) for folder in folders]  # each once
    processes, threads, give_memory_back, deaf = zip(*(answer for _, answer in done), strict=True)
    assert os.getpid() not in processes and set(threads) == {str(max(1, provenance.usable_cores() // 2))}
    assert not any(give_memory_back)  # as Dask has it: each step would ask for its memory anew
    assert all(deaf)  # to Ctrl-C, which reaches all processes of a terminal, and which this one answers


@pytest.mark.parametrize(
    ("there", "message"),
    [
        (({"torch": "1.0"}, []), "has torch 1.0, here it is"),
        (({"commit": "0123456789ab"}, []), "has commit 0123456789ab, here it is"),
        (({}, ["bsds500"]), "has no bsds500; fetch what is missing by `dnlib data bsds500`"),
    ],
)
def test_a_worker_that_would_compute_something_else_is_named_before_any_work(address, monkeypatch, there, message):
    here, _ = cluster._what_is_here(())
    monkeypatch.setattr(cluster, "_what_is_here", lambda needs: (here | there[0], there[1]) if needs else (here, []))
    with pytest.raises(ValueError, match=message):
        next(spread(reciprocal, [1], address, needs=["bsds500"]))


def test_a_worker_without_dnlib_is_named_before_any_work(address, monkeypatch):
    here = cluster._what_is_here(())

    def answer(needs):
        if needs:  # asked of the worker
            raise ModuleNotFoundError("No module named 'dnlib'")
        return here

    monkeypatch.setattr(cluster, "_what_is_here", answer)
    with pytest.raises(ValueError, match=r"the worker .* has no dnlib that answers \(No module named 'dnlib'\)"):
        next(spread(reciprocal, [1], address, needs=["bsds500"]))


@pytest.mark.parametrize("wrong", ["", "local", "local:0", "local:-1", "host:8786", "tcp://"])
def test_what_is_no_address_is_refused(wrong):
    with pytest.raises(ValueError, match=f"'{wrong}' was given"):
        next(spread(reciprocal, [1], wrong))


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 0.2)
    with pytest.raises(ValueError, match="no Dask scheduler with a worker answers at tcp://localhost:9"):
        next(spread(reciprocal, [1], "tcp://localhost:9"))


def test_a_scheduler_that_goes_away_is_named():
    """It runs in a process of its own, with its worker."""
    options = "n_workers=1, processes=False, dashboard_address=None, protocol='tcp://'"
    code = f"import distributed as d; print(d.LocalCluster({options}).scheduler_address, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, text=True) as other:
        done = spread(operator.call, [os.getppid, partial(time.sleep, 30)], other.stdout.readline().strip())
        assert next(done) == (os.getppid, os.getpid())
        other.kill()
        with pytest.raises(ValueError, match="is gone; what was finished is kept"):
            next(done)
