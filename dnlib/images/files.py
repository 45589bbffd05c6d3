"""Image files: found in folders, and told by what they are and not by what they are called."""

import glob
import os
import re
from collections.abc import Iterable
from pathlib import Path

from dnlib.images.checks import one_of
from dnlib.images.zarrs import holds_zarr, is_zarr

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


def files_of(names: Iterable[Path]) -> list[Path]:
    """The files that names stand for: files, folders and patterns such as shots/*.png, each file once.

    Parameters
    ----------
    names : iterable of pathlib.Path
        Of a folder its image files are meant, in natural order, and so of a pattern that is no file itself.

    Returns
    -------
    list of pathlib.Path
        A name that is neither a folder nor a pattern as it is, even if no file is there.

    Raises
    ------
    ValueError, FileNotFoundError
        For a folder without images, and a pattern without files.

    Examples
    --------
    >>> [file.name for file in files_of([Path("b.png"), Path("a.png"), Path("b.png")])]
    ['b.png', 'a.png']
    """
    return list(dict.fromkeys(file for name in names for file in _expanded(name)))


def _expanded(name: Path) -> list[Path]:
    """The files that one name stands for."""
    if name.is_dir() and not is_zarr(name):
        if not (files := image_files(name)):
            deeper = image_files(name, deep=True)
            inside = f"; folders in it are not searched: name {deeper[0].parent}" if deeper else ""
            raise ValueError(f"the folder {name} holds no image file ({', '.join(ENDINGS)}){inside}")
        return files
    if name.exists() or not glob.has_magic(str(name)):
        return [name]
    paths = map(Path, glob.glob(str(name)))
    if not (files := naturally(path for path in paths if path.is_file() or is_zarr(path))):
        raise FileNotFoundError(f"no file is called like {name}")
    return files


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


def check_there(path: Path) -> None:
    """Refuse what is no file, or has no ending of an image."""
    if is_zarr(path):
        if not holds_zarr(path):
            raise FileNotFoundError(f"{path} holds no zarr: there is no zarr.json, .zarray or .zgroup in it")
        return
    if path.is_file() and path.suffix.lower() == ".zip":
        raise ValueError(f"{path} is a packed archive, in which no picture is looked for; unpack it first")
    if not path.is_file():
        state = "a folder" if path.is_dir() else "not there"
        raise FileNotFoundError(f"{path.absolute()} is {state}; name an image file")
    one_of(path.suffix.lower(), ENDINGS, f"the ending of {path}")


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
