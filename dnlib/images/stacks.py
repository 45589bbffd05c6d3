"""Stacks read from disk frame by frame: TIFF and .npy files whose frames follow each other, and zarrs."""

import contextlib
import math
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dnlib.images.axes import MOST_SAMPLES
from dnlib.images.files import check_there, kind_of, layout_of, named, notes_on, read, refusing
from dnlib.images.metadata import Stored
from dnlib.images.pictures import Picture
from dnlib.images.planes import plane_reader, without_values
from dnlib.images.tiff import open_tiff
from dnlib.images.zarr_reading import open_zarr

FRAMES_FIRST = "[^YXSC]+(C?YX|YX[SC])"  # axes of stacks whose frames follow each other


@dataclass(frozen=True)
class Stack(Picture):
    """A picture whose frames are read when they are asked for.

    Attributes
    ----------
    pixels
        Of the whole stack's shape and type, without values and memory of their own.
    read_frame
        Gives the pixels of one frame, as they are stored.
    no_data
        The value of pixels where nothing was measured; None: found frame by frame.
    ignore_nan
        Leave NaN alone instead of refusing it.
    """

    read_frame: Callable[[int], np.ndarray] | None = None
    no_data: float | None = None
    ignore_nan: bool = False

    def frame(self, number: int) -> Picture:
        """One of the frames as a picture, read now."""
        axes = "".join(letter for letter in self.axes if letter not in self.frame_axes)
        frame = Picture(self.read_frame(number), axes, self.alpha)
        return frame.masked(self.no_data, self.ignore_nan, name=f"frame {number}")


@contextlib.contextmanager
def opened(
    path: str | os.PathLike, *, axes: str | None = None, channels: bool | None = None, ignore_nan: bool = False
) -> Iterator[Picture]:
    """A file as `read` gives it, or as a `Stack` where its frames can be read one by one.

    Parameters
    ----------
    path, axes, channels, ignore_nan
        As `read` has them.

    Yields
    ------
    Picture
        A `Stack` is read while the context lasts.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read`; what is wrong with a frame of a stack is found when it is read. What is refused while the context
        lasts names the file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/stack.npy", np.zeros((5, 64, 48), np.uint16))
    ...     with opened(f"{folder}/stack.npy") as stack:
    ...         stack.count, stack.frame(3).pixels.shape
    (5, (64, 48))
    """
    path = Path(path)
    check_there(path)
    with named(path), contextlib.ExitStack() as files:
        stack = None
        if found := _found(path, files):
            layout = layout_of(found[0], axes, channels)
            if read_frame := _reader(path, layout, *found):
                said = {"metadata": found[0].metadata, "notes": (*layout.notes, *notes_on(path, found[0]))}
                reading = {"read_frame": read_frame, "no_data": found[0].no_data, "ignore_nan": ignore_nan}
                stack = Stack(layout.pixels, layout.axes, layout.alpha, **said, **reading)
        yield stack or read(path, axes=axes, channels=channels, ignore_nan=ignore_nan)


def _found(path: Path, files: contextlib.ExitStack) -> tuple[Stored, Callable[[int], np.ndarray] | Any] | None:
    """What a file holds, and what reads its planes or the array of a zarr; None: it is to be read at once."""
    kind = kind_of(path)
    if kind == "a .npy":
        with refusing(path):
            return _open_npy(path)
    if kind == "a TIFF":
        with refusing(path):
            return open_tiff(path, files)
    if kind == "a zarr":
        with refusing(path):
            stored, array = open_zarr(path)
            unsure = stored.alpha is None and "S" in (stored.axes or "S")
            return None if unsure and _alpha_by_values(array.shape, array.dtype) else (stored, array)
    return None


def _reader(
    path: Path, layout: Picture, stored: Stored, source: Callable[[int], np.ndarray] | Any
) -> Callable[[int], np.ndarray] | None:
    """What reads the n-th frame; None: frames do not lie so that one could be read by itself."""
    if not stored.plane:  # of a zarr any part can be read
        frame_axes = "".join(letter for letter in layout.axes if letter not in layout.frame_axes)
        if not layout.frame_axes or not re.fullmatch("C?YX|YX[SC]", frame_axes):
            return None

        def read_frame(number: int) -> np.ndarray:
            with refusing(path):
                return source[layout.place(number)].astype(layout.pixels.dtype, copy=False)

        return read_frame
    if not re.fullmatch(FRAMES_FIRST, layout.axes):
        return None
    shape = layout.pixels.shape[len(layout.frame_axes) :]
    planes = math.prod(shape) // math.prod(stored.plane)
    if planes * math.prod(stored.plane) != math.prod(shape):
        return None

    def read_planes(number: int) -> np.ndarray:
        with refusing(path):
            pixels = [source(planes * number + one) for one in range(planes)]
            frame = pixels[0] if planes == 1 else np.stack(pixels)
            return frame.reshape(shape).astype(layout.pixels.dtype, copy=False)

    return read_planes


def _open_npy(path: Path) -> tuple[Stored, Callable[[int], np.ndarray]] | None:
    try:
        whole = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError:  # cut off, or of objects: who reads it whole says so
        return None
    shape, kind = whole.shape, whole.dtype
    if not whole.flags.c_contiguous or len(shape) < 3 or whole.size == 0 or _alpha_by_values(shape, kind):
        return None
    plane = shape[-3:] if shape[-1] <= MOST_SAMPLES else shape[-2:]
    return Stored(without_values(shape, kind), plane=plane), plane_reader(path, kind, whole.offset, plane)


def _alpha_by_values(shape: tuple[int, ...], kind: np.dtype) -> bool:
    """Whether the values say if the last sample is alpha, so that all have to be seen."""
    return kind == np.uint16 and shape[-1:] in ((2,), (4,))
