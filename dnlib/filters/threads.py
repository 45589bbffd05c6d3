"""The same function of many things at once: NumPy, SciPy and scikit-image mostly let other threads run meanwhile."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

Thing, Found = TypeVar("Thing"), TypeVar("Found")


def cores() -> int:
    """How many processors this process may use: OMP_NUM_THREADS, or all that the system gives it."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isdecimal() and int(told) > 0:
        return int(told)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_threads(function: Callable[[Thing], Found], things: Iterable[Thing]) -> Iterator[Found]:
    """What `map` gives, in its order, from threads, one for each processor.

    Each call has a copy of the caller's context (`contextvars`), and with it NumPy's handling of errors.
    """
    with ThreadPoolExecutor(cores()) as pool:
        waiting = [pool.submit(copy_context().run, function, thing) for thing in things]
        try:
            yield from (one.result() for one in waiting)
        finally:
            pool.shutdown(cancel_futures=True)
