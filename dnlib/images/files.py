"""Image files found and read, by what they are and not by what they are called."""

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from dnlib.images.checks import one_of, refused
from dnlib.images.metadata import Stored
from dnlib.images.pictures import Picture
from dnlib.images.raster import read_raster
from dnlib.images.tiff import read_tiff
from dnlib.images.zarr_reading import holds_zarr, is_zarr, package, read_zarr

HOLDS = {
    ".png": ("uint8", "uint16"),
    ".jpg": ("uint8",),
    ".jpeg": ("uint8",),
    ".tif": None,
    ".tiff": None,
    ".npy": None,
    ".zarr": None,
}
"""Endings of files that can be written, and the types of pixels they hold; None: any, stacks and alpha too."""
ENDINGS = (".bmp", *HOLDS)
"""Endings of files that can be read."""


def image_files(folder: str | os.PathLike, *, deep: bool = False) -> list[Path]:
    """The image files of a folder in natural order: frame_2 before frame_10.

    Parameters
    ----------
    folder
        Where they lie.
    deep
        Also those in folders inside it, folder by folder.

    Returns
    -------
    list of pathlib.Path
        Files with one of the endings that `read` takes, in capitals or not, and nothing hidden; none if the folder is
        not there.

    Examples
    --------
    >>> image_files("no/such/folder")
    []
    """
    return listed(Path(folder), ENDINGS, deep=deep)


def listed(folder: Path, endings: Iterable[str], *, deep: bool) -> list[Path]:
    """As `image_files`, for any endings."""
    found = (path for path in folder.glob("**/*" if deep else "*") if path.suffix.lower() in endings)
    return naturally(path for path in found if _shown(path.relative_to(folder)) and (path.is_file() or is_zarr(path)))


def _shown(path: Path) -> bool:
    """Whether nothing of a path is hidden, and it leads into no zarr."""
    inside_zarr = any(part.lower().endswith(".zarr") for part in path.parts[:-1])
    return not inside_zarr and not any(part.startswith(".") for part in path.parts)


def naturally(paths: Iterable[Path]) -> list[Path]:
    """Paths in natural order.

    Examples
    --------
    >>> [path.name for path in naturally([Path("frame_10.png"), Path("frame_2.png")])]
    ['frame_2.png', 'frame_10.png']
    """
    return sorted(paths, key=_natural)


def _natural(path: Path) -> tuple:
    """Digits count as numbers; names that differ in leading zeros only stay in the order of their letters."""
    parts = [re.split(r"(\d+)", part) for part in path.parts]
    numbers = [[int(word) if odd % 2 else word for odd, word in enumerate(words)] for words in parts]
    return numbers[:-1], numbers[-1], path


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
    path = Path(path)
    check_there(path)
    kind = kind_of(path)
    with refusing(path):
        if kind not in KINDS:
            raise ValueError(f"it is {kind}; {', '.join(KINDS)} are accepted")
        stored = KINDS[kind][1](path)
    with named(path):
        picture = layout_of(stored, axes, channels).masked(stored.no_data, ignore_nan)
    return replace(picture, metadata=stored.metadata).told(*notes_on(path, stored))


def check_there(path: Path) -> None:
    """Refuse what is no file, or has no ending of an image."""
    if is_zarr(path):
        if not holds_zarr(path):
            raise FileNotFoundError(f"{path} holds no zarr: there is no zarr.json, .zarray or .zgroup in it")
        package()
        return
    if path.is_file() and path.suffix.lower() == ".zip":
        raise ValueError(f"{path} is a packed archive, in which no picture is looked for; unpack it first")
    if not path.is_file():
        state = "a folder" if path.is_dir() else "not there"
        raise FileNotFoundError(f"{path.absolute()} is {state}; name an image file")
    one_of(path.suffix.lower(), ENDINGS, f"the ending of {path}")


@contextlib.contextmanager
def refusing(path: Path) -> Iterator[None]:
    """Whatever goes wrong with a file, in one line; each codec has exceptions of its own for broken files."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        told = isinstance(error, (ValueError, OSError, RuntimeError)) and str(error)
        reason = str(error).splitlines()[0] if told else "its parts do not fit together; fetch or save it again"
        raise ValueError(f"{path} cannot be read as a {path.suffix.lower() or '.zarr'} image: {reason}") from error


@contextlib.contextmanager
def named(path: Path) -> Iterator[None]:
    """What is refused of a file that was read, with its name."""
    try:
        yield
    except ValueError as error:
        if str(path) in str(error) or not refused(error):
            raise
        raise ValueError(f"{path}: {error}") from error


def layout_of(stored: Stored, axes: str | None, channels: bool | None) -> Picture:
    """The picture that was stored, its values not yet looked at."""
    found, alpha = stored.axes, stored.alpha
    if axes and not axes.upper().endswith("S"):
        alpha = ""
    if channels and found and found.endswith("S"):
        found, alpha = found if stored.pixels.shape[-1] == 3 else found.replace("S", "C"), ""
    return Picture.laid_out(stored.pixels, None if found else channels, axes=axes or found, alpha=alpha)


def notes_on(path: Path, stored: Stored) -> tuple[str, ...]:
    """What was found on reading, and whether the file is what it is called."""
    kind = kind_of(path)
    misnamed = path.is_file() and path.suffix.lower() not in KINDS[kind][0]
    return (*stored.notes, *([f"{path.name} is {kind} in spite of its name"] if misnamed else []))


def kind_of(path: Path) -> str:
    """What a file is by its first bytes, in words: "a PNG", "a WebP picture", "an empty file"."""
    if path.is_dir():
        return "a zarr"
    with open(path, "rb") as file:
        start = file.read(512)
    text = start.lstrip().lower()
    found = (
        (not start, "an empty file"),
        (start.startswith(b"\x89PNG"), "a PNG"),
        (start.startswith(b"\xff\xd8\xff"), "a JPEG"),
        (start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), "a TIFF"),
        (start.startswith(b"\x93NUMPY"), "a .npy"),
        (start.startswith(b"BM") and path.suffix.lower() == ".bmp", "a BMP"),
        (start.startswith(b"GIF8"), "a GIF picture"),
        (start.startswith(b"RIFF") and start[8:12] == b"WEBP", "a WebP picture"),
        (start[4:8] == b"ftyp", "a HEIC, AVIF or video file"),
        (start.startswith(b"version https://git-lfs"), "a pointer of Git LFS (`git lfs pull` fetches the file)"),
        (text.startswith((b"<!doctype html", b"<html")), "a web page"),
        (start.startswith((b"PK\3\4", b"\x1f\x8b")), "a packed archive"),
        (start.startswith(b"%PDF"), "a PDF"),
        (start.startswith(b"\x89HDF"), "an HDF5 file"),
        (start.startswith(b"SIMPLE  ="), "a FITS file"),
    )
    return next((kind for true, kind in found if true), "no image known here")


def _read_npy(path: Path) -> Stored:
    return Stored(np.load(path, allow_pickle=False))


KINDS = {
    "a PNG": ((".png",), read_raster),
    "a JPEG": ((".jpg", ".jpeg"), read_raster),
    "a BMP": ((".bmp",), read_raster),
    "a TIFF": ((".tif", ".tiff"), read_tiff),
    "a .npy": ((".npy",), _read_npy),
    "a zarr": ((".zarr",), read_zarr),
}
"""What can be read: the endings that say so, and the reader."""
