"""What a reader found in a file, and what reads its pixels part by part."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dnlib.images.metadata import Metadata


class Content(NamedTuple):
    """What a file holds; `Picture.of` has the words.

    part: what reads the pixels at a place, an index for each axis, or all of them at the place (). `pixels` then has
    their shape and type alone. None: `pixels` has the values.
    """

    pixels: np.ndarray
    axes: str | None = None
    alpha: str | None = None
    no_data: float | None = None
    metadata: Metadata = Metadata()
    notes: tuple[str, ...] = ()
    part: Callable[[tuple[int | slice, ...]], np.ndarray] | None = None


def without_values(shape: tuple[int, ...], kind: np.dtype) -> np.ndarray:
    """An array of any size that takes no memory."""
    return np.broadcast_to(np.zeros((), kind), shape)


def part_reader(
    path: Path, kind: np.dtype, start: int, shape: tuple[int, ...]
) -> Callable[[tuple[int | slice, ...]], np.ndarray]:
    """What reads parts of an array that lies in a file in one piece, at places that are numbers in the first axes."""

    def part(place: tuple[int | slice, ...]) -> np.ndarray:
        first = tuple(one for one in place if not isinstance(one, slice))
        number = int(np.ravel_multi_index(first, shape[: len(first)])) if first else 0
        rest = shape[len(first) :]
        size = math.prod(rest)
        values = np.fromfile(path, kind, size, offset=start + number * size * kind.itemsize)
        if len(values) < size:
            raise ValueError("it ends before its last pixel; fetch or save it again")
        return values.reshape(rest)

    return part
