"""Image files read, at once or frame by frame, by what they are and not by what they are called."""

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from dnlib.images.checks import refused
from dnlib.images.contents import Content, part_reader, without_values
from dnlib.images.files import check_there, kind_of
from dnlib.images.pictures import Picture
from dnlib.images.raster import open_raster
from dnlib.images.tiff import open_tiff
from dnlib.images.zarrs import open_zarr


@dataclass(frozen=True)
class Stack(Picture):
    """A picture whose frames are read when they are asked for.

    Attributes
    ----------
    pixels
        Of the whole stack's shape and type, without values and memory of their own.
    read_frame
        Reads one of the frames.
    names
        What messages call the frames, where each is a file of its own.
    """

    read_frame: Callable[[int], Picture] | None = None
    names: tuple[str, ...] = ()

    def frame(self, number: int) -> Picture:
        """One of the frames as a picture, read now."""
        return self.read_frame(number)


def read(
    path: str | os.PathLike, *, axes: str | None = None, channels: bool | None = None, ignore_nan: bool = False
) -> Picture:
    """Read a PNG, JPEG, BMP, TIFF or .npy file, or a .zarr folder.

    What the file says about its pixels is kept. No pickle is loaded.

    Parameters
    ----------
    path
        8 or 16 bits, wider integers, or floats; gray, RGB or channels, with or without alpha; stacks.
    axes
        A letter for each axis, as `Picture.of` takes them; None: as the file says.
    channels
        True: every sample is a channel, none is alpha.
    ignore_nan
        Leave NaN alone instead of refusing it.

    Returns
    -------
    Picture
        The pixels as stored, upright.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        In one line, for files that are not such an image: broken, of another colour model, animated.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/image.npy", np.zeros((64, 48, 3), np.uint16))
    ...     read(f"{folder}/image.npy").pixels.shape
    (64, 48, 3)
    """
    with _content_of(Path(path)) as content:
        return _at_once(Path(path), content, axes, channels, ignore_nan)


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
    with _content_of(Path(path)) as content:
        how = axes, channels, ignore_nan
        yield _by_frames(Path(path), content, *how) or _at_once(Path(path), content, *how)


@contextlib.contextmanager
def _content_of(path: Path) -> Iterator[Content]:
    """What a file holds, and what is to be said of its name; whatever is refused from here on names the file."""
    check_there(path)
    kind = kind_of(path)
    with contextlib.ExitStack() as files:
        with _in_one_line(path):
            if kind not in KINDS:
                raise ValueError(
                    f"it is {kind}; PNG, JPEG, BMP, TIFF, .npy and .zarr are read: convert, fetch or save it again"
                )
            endings, open_content = KINDS[kind]
            content = open_content(path, files)
        if path.is_file() and path.suffix.lower() not in endings:
            content = content._replace(notes=(*content.notes, f"{path.name} is {kind} in spite of its name"))
        try:
            yield content
        except ValueError as error:
            if str(path) in str(error) or not refused(error):
                raise
            raise ValueError(f"{path}: {error}") from error


@contextlib.contextmanager
def _in_one_line(path: Path) -> Iterator[None]:
    """Whatever goes wrong with a file, in one line; each codec has exceptions of its own for broken files."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        told = isinstance(error, (ValueError, OSError, RuntimeError)) and str(error)
        reason = str(error).splitlines()[0] if told else "its parts do not fit together; fetch or save it again"
        raise ValueError(f"{path} cannot be read as a {path.suffix.lower() or '.zarr'} image: {reason}") from error


def _at_once(path: Path, content: Content, axes: str | None, channels: bool | None, ignore_nan: bool) -> Picture:
    if content.part:
        _laid_out(content, axes, channels)  # what is no picture is refused before it is read
        with _in_one_line(path):
            content = content._replace(pixels=content.part(()))
    return _laid_out(content, axes, channels).masked(content.no_data, ignore_nan)


def _by_frames(path: Path, content: Content, axes: str | None, channels: bool | None, ignore_nan: bool) -> Stack | None:
    """None if frames do not lie so that one could be read by itself, or if all values say whether there is alpha."""
    shape, kind = content.pixels.shape, content.pixels.dtype
    unsure = content.alpha is None and "S" in (content.axes or "S") and kind == np.uint16 and shape[-1:] in ((2,), (4,))
    if unsure or not content.part:
        return None
    layout = _laid_out(content, axes, channels)
    in_turn = path.is_dir() or layout.axes.startswith(layout.frame_axes)  # of a zarr any part can be read
    if not (layout.frame_axes and in_turn and re.fullmatch("C?YX|YX[SC]", layout.axes_of_frame)):
        return None

    def read_frame(number: int) -> Picture:
        with _in_one_line(path):
            pixels = content.part(layout.place(number)).astype(layout.pixels.dtype, copy=False)
        frame = Picture(pixels, layout.axes_of_frame, layout.alpha)
        return frame.masked(content.no_data, ignore_nan, name=f"frame {number}")

    said = {"metadata": layout.metadata, "notes": layout.notes}
    return Stack(layout.pixels, layout.axes, layout.alpha, **said, read_frame=read_frame)


def _laid_out(content: Content, axes: str | None, channels: bool | None) -> Picture:
    """The picture that a file holds, its values not yet looked at."""
    found, alpha = content.axes, content.alpha
    if axes and not axes.upper().endswith("S"):
        alpha = ""
    if channels and found and found.endswith("S"):
        found, alpha = found if content.pixels.shape[-1] == 3 else found.replace("S", "C"), ""
    picture = Picture.laid_out(content.pixels, None if found else channels, axes=axes or found, alpha=alpha)
    return replace(picture, metadata=content.metadata, notes=(*picture.notes, *content.notes))


def _open_npy(path: Path, _files: contextlib.ExitStack) -> Content:
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError:  # cut off, or of objects: who reads it whole says so
        return Content(np.load(path, allow_pickle=False))
    if not mapped.flags.c_contiguous:
        return Content(np.array(mapped))
    part = part_reader(path, mapped.dtype, mapped.offset, mapped.shape)
    return Content(without_values(mapped.shape, mapped.dtype), part=part)


KINDS = {
    "a PNG": ((".png",), open_raster),
    "a JPEG": ((".jpg", ".jpeg"), open_raster),
    "a BMP": ((".bmp",), open_raster),
    "a TIFF": ((".tif", ".tiff"), open_tiff),
    "a .npy": ((".npy",), _open_npy),
    "a zarr": ((".zarr",), open_zarr),
}
"""What can be read: the endings that say so, and what opens it; files that are read later are closed by the caller."""
