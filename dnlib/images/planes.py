"""Planes that follow each other in a file, read one at a time."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np


def without_values(shape: tuple[int, ...], kind: np.dtype) -> np.ndarray:
    """An array of any size that takes no memory."""
    return np.broadcast_to(np.zeros((), kind), shape)


def plane_reader(path: Path, kind: np.dtype, start: int, shape: tuple[int, ...]) -> Callable[[int], np.ndarray]:
    """What reads the n-th plane of a file in which planes follow each other, uncompressed."""
    size = math.prod(shape)

    def read_plane(number: int) -> np.ndarray:
        values = np.fromfile(path, kind, size, offset=start + number * size * kind.itemsize)
        if len(values) < size:
            raise ValueError(f"it ends within plane {number}; fetch or save it again")
        return values.reshape(shape)

    return read_plane
