"""Memory that networks free is kept for their next layers, as long as they run."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

TRIM_THRESHOLD, MMAP_MAX = -1, -4  # of malloc.h
_depth = 0


@contextmanager
def kept() -> Iterator[None]:
    """While it lasts, the C library (glibc) keeps what is freed; in the end all of it goes back to the system.

    Otherwise every large block goes back at once and comes anew as pages to be zeroed, which takes up to half of the
    time of a layer. Elsewhere than under glibc nothing happens.
    """
    global _depth
    library = _glibc()
    if library is None:
        yield
        return
    if _depth == 0:
        library.mallopt(TRIM_THRESHOLD, 2**31 - 1)
        library.mallopt(MMAP_MAX, 0)
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
        if _depth == 0:
            library.mallopt(TRIM_THRESHOLD, 2**17)  # the defaults
            library.mallopt(MMAP_MAX, 2**16)
            library.malloc_trim(0)


@cache
def _glibc() -> ctypes.CDLL | None:
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
