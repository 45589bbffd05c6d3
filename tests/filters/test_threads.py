import os
import threading

import numpy as np
import pytest

from dnlib.filters import calibrate, invariant, median
from dnlib.filters.threads import cores, in_threads


def test_things_are_done_side_by_side_and_come_back_in_order(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    together = threading.Barrier(4, timeout=30)  # nobody passes before all four have come

    def waited(thing):
        together.wait()
        return thing

    assert list(in_threads(waited, range(8))) == list(range(8))


def test_an_error_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        list(in_threads(lambda thing: 1 / thing, [1, 0, 2]))


def test_what_numpy_does_about_errors_holds_in_every_thread():
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        list(in_threads(lambda thing: np.float64(1) / thing, [1, 0]))


@pytest.mark.parametrize(("told", "found"), [("1", 1), ("3", 3)])
def test_a_process_that_is_told_its_share_of_the_processors_takes_no_more(monkeypatch, told, found):
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert cores() == found


@pytest.mark.parametrize("told", ["", "0", "2,1"])
def test_otherwise_it_takes_what_the_system_gives_it(monkeypatch, told):
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(5), raising=False)
    assert cores() == 5


def test_the_number_of_threads_changes_nothing(monkeypatch, rng):
    image, settings = rng.random((20, 21)), [{"radius": radius} for radius in (1, 2, 3)]
    found = []
    for number in ("1", "3"):
        monkeypatch.setenv("OMP_NUM_THREADS", number)
        found.append((calibrate(median, image, settings).losses, invariant(median, image, radius=2)))
    assert found[0][0] == found[1][0]
    np.testing.assert_array_equal(found[0][1], found[1][1])
