"""Image files written: whole or not at all, in a format that keeps type, alpha, axes and metadata."""

import contextlib
import errno
import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from dnlib.images.checks import one_of
from dnlib.images.files import HOLDS
from dnlib.images.pictures import Picture
from dnlib.images.raster import write_jpeg, write_png
from dnlib.images.tiff import write_tiff
from dnlib.images.zarrs import holds_zarr, package, write_zarr

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # of a disk, a share of it, a file


def check_destination(
    path: str | os.PathLike, picture: Picture | None = None, *, dtype: str | None = None, overwrite: bool = False
) -> Path:
    """Refuse a destination that could not be written, before any work is done.

    Parameters
    ----------
    path
        Where something is to be written.
    picture
        What is to be written, if known: not every format can hold every picture without changing its type.
    dtype
        The type of its values when it is written; None: as they are.
    overwrite
        Whether a file that is there may be replaced.

    Returns
    -------
    pathlib.Path
        The path.

    Raises
    ------
    FileExistsError
        If a file is there that may not be replaced, or what is no file.
    NotADirectoryError, PermissionError
        If there is no folder to write into, or it cannot be written.
    ValueError
        If the format cannot hold the picture, or the disk has no room for it.

    Examples
    --------
    >>> check_destination("a.jpg", Picture.of(np.zeros((64, 64), np.uint16)))
    Traceback (most recent call last):
    ValueError: .jpg holds single 8-bit images without alpha, this image has uint16 values; write .tif or .npy
    """
    path = Path(path)
    if path.suffix.lower() == ".zarr":
        if path.exists() and not holds_zarr(path):
            raise FileExistsError(f"{path} is {'a folder' if path.is_dir() else 'a file'}, and no zarr; name another")
    elif path.exists() and not path.is_file():
        raise FileExistsError(f"{path} is {'a folder' if path.is_dir() else 'no file'}; name a file")
    if os.path.lexists(path) and not overwrite:
        raise FileExistsError(f"{path} exists; --force (overwrite=True) replaces it")
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise NotADirectoryError(f"there is no folder {folder} to write {path.name} into")
    check_writable(folder)
    if picture is not None:
        kind = np.dtype(dtype or picture.pixels.dtype)
        _check_format(path, picture, kind)
        _check_space(path, folder, picture.pixels.size * kind.itemsize)
    return path


def check_writable(folder: Path) -> None:
    """Refuse a folder into which nothing can be written, by trying.

    Parameters
    ----------
    folder : pathlib.Path
        That is there.

    Raises
    ------
    PermissionError
        If it cannot be written.

    Examples
    --------
    >>> check_writable(Path("no/such/folder"))
    Traceback (most recent call last):
    PermissionError: nothing can be written into the folder no/such/folder
    """
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise PermissionError(f"nothing can be written into the folder {folder}") from error


def _check_space(path: Path, folder: Path, size: int) -> None:
    """Whether a disk has room, without compression."""
    free = shutil.disk_usage(folder).free
    if path.suffix.lower() not in (".jpg", ".jpeg") and size > free:
        raise ValueError(
            f"{path} takes {size / 1e9:.3g} GB and its disk has {free / 1e9:.3g} GB left; make room, or write elsewhere"
        )


def _check_format(path: Path, picture: Picture, kind: np.dtype) -> None:
    suffix = one_of(path.suffix.lower(), HOLDS, f"the ending of {path}")
    if suffix == ".npy":
        return
    if suffix in (".tif", ".tiff", ".zarr"):
        if suffix == ".zarr":
            package()
        if kind.itemsize > 8:
            raise ValueError(f"{suffix} holds at most 64 bits a value, this image has {kind}; write .npy")
        return
    alpha = f" with {picture.alpha} alpha" if picture.alpha else ""
    samples = picture.pixels.shape[-1] if picture.channels else 1
    stack = "a stack or channels of " if picture.is_stack or samples - bool(picture.alpha) not in (1, 3) else ""
    if kind not in HOLDS[suffix] or stack or (alpha and (suffix != ".png" or picture.alpha == "associated")):
        limits = "single 8- and 16-bit images" if suffix == ".png" else "single 8-bit images without alpha"
        raise ValueError(f"{suffix} holds {limits}, this image has {stack}{kind} values{alpha}; write .tif or .npy")


def write(
    path: str | os.PathLike,
    picture: Picture,
    *,
    overwrite: bool = False,
    frames: Iterable[np.ndarray] | None = None,
) -> list[str]:
    """Write a picture, whole or not at all.

    Parameters
    ----------
    path
        Its ending names the format: .png, .jpg, .jpeg, .tif, .tiff, .npy or .zarr (a folder).
    picture
        What to write, with all that its metadata say and the format can hold. What was read from a JPEG, and is as it
        was, becomes a copy of that file.
    overwrite
        Replace what is there; its permissions are kept, and a link leads to the new file.
    frames
        The pixels of all frames of a `Stack`, one after the other, which may be made while they are written; the
        picture then gives their shape and type.

    Returns
    -------
    list of str
        The names of what the format could not hold: "colour profile", "EXIF", "resolution" ...

    Raises
    ------
    FileExistsError, NotADirectoryError, PermissionError, ValueError
        As `check_destination`.
    OSError
        If the disk is full; then nothing is left of the file.

    Examples
    --------
    >>> import tempfile
    >>> from dnlib.images import read
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lost = write(f"{folder}/image.tif", Picture.of(np.zeros((5, 64, 48), np.float32)))
    ...     read(f"{folder}/image.tif").is_stack
    True
    """
    path = check_destination(path, picture, overwrite=overwrite)
    suffix = path.suffix.lower()
    with (atomic_folder if suffix == ".zarr" else atomic)(path) as temporary:
        return WRITERS[suffix](temporary, picture, frames)


def _write_npy(path: Path, picture: Picture, frames: Iterable[np.ndarray] | None) -> list[str]:
    pixels = picture.pixels
    in_turn = picture.axes.startswith(picture.frame_axes)
    if frames is not None and not in_turn:
        pixels = np.empty(pixels.shape, pixels.dtype)
        for number, frame in enumerate(frames):
            pixels[picture.place(number)] = frame
    with open(path, "wb") as file:
        if frames is None or not in_turn:
            np.save(file, pixels, allow_pickle=False)
        else:
            said = {"descr": np.lib.format.dtype_to_descr(pixels.dtype), "fortran_order": False, "shape": pixels.shape}
            np.lib.format.write_array_header_1_0(file, said)
            for frame in frames:
                file.write(np.ascontiguousarray(frame).data)
    return picture.metadata.lost(path)


WRITERS = {
    ".png": write_png,
    ".jpg": write_jpeg,
    ".jpeg": write_jpeg,
    ".tif": write_tiff,
    ".tiff": write_tiff,
    ".npy": _write_npy,
    ".zarr": write_zarr,
}
"""What writes a picture, or the frames of one, and names what is lost."""


@contextlib.contextmanager
def _told_if_full(path: str | os.PathLike) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise OSError(f"{path} was not written: the disk is full; make room, or write elsewhere") from error


@contextlib.contextmanager
def atomic(path: str | os.PathLike) -> Iterator[Path]:
    """A temporary file that takes the place of another at the end, or vanishes on an error.

    A file that is replaced keeps its permissions; where `path` is a link, what it leads to is replaced.

    Parameters
    ----------
    path
        The file to write. Its folder must be there.

    Yields
    ------
    pathlib.Path
        An empty file in the same folder, with the same ending.

    Raises
    ------
    OSError
        If the disk is full, in one line.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic(f"{folder}/notes.txt") as temporary:
    ...         length = temporary.write_text("whole, or not at all")
    ...     [path.name for path in Path(folder).iterdir()]
    ['notes.txt']
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{secrets.token_hex(6)}{Path(path).suffix}")
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
    with _told_if_full(path):
        temporary.touch(0o666 if mode is None else mode | stat.S_IWUSR, exist_ok=False)
        try:
            yield temporary
            if mode is not None:
                temporary.chmod(mode)
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: str | os.PathLike) -> Iterator[Path]:
    """As `atomic`, for a folder: it takes the place of another at the end, or vanishes on an error.

    Parameters
    ----------
    path
        The folder to make. The one that it will lie in must be there.

    Yields
    ------
    pathlib.Path
        An empty folder beside it.

    Raises
    ------
    OSError
        If the disk is full, in one line.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     with atomic_folder(f"{place}/notes") as folder:
    ...         length = (folder / "first.txt").write_text("whole, or not at all")
    ...     [path.name for path in Path(place).rglob("*")]
    ['notes', 'first.txt']
    """
    target = Path(os.path.realpath(path))
    temporary, old = (target.with_name(f".{secrets.token_hex(6)}{Path(path).suffix}") for _ in range(2))
    with _told_if_full(path):
        temporary.mkdir()
        try:
            yield temporary
            if target.exists():
                temporary.chmod(stat.S_IMODE(target.stat().st_mode))
                os.rename(target, old)
            os.rename(temporary, target)
        finally:
            if old.exists() and not target.exists():
                os.rename(old, target)
            for one in (temporary, old):
                _take_away(one)


def _take_away(folder: Path) -> None:
    """Delete a folder, also where a chunk is still being written into it."""
    for _ in range(20):
        if not folder.exists():
            return
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.02)
