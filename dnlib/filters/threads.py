"""The same function of many things at once: NumPy, SciPy and scikit-image let other threads run while they compute."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Thing, Found = TypeVar("Thing"), TypeVar("Found")


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_threads(
    function: Callable[[Thing], Found], things: Iterable[Thing], threads: int | None = None
) -> Iterator[Found]:
    """What `map` gives, in its order, from as many threads as there are processors."""
    with ThreadPoolExecutor(threads or cores()) as pool:
        yield from pool.map(function, things)
