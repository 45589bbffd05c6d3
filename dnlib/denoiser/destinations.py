"""Which file is written where, refused before any work where something would be lost."""

import os
from collections.abc import Sequence
from pathlib import Path

from dnlib.images import ENDINGS, check_destination, check_writable, files_of, is_zarr


def destinations(images: Sequence[Path], output: Path) -> tuple[list[tuple[Path, Path]], bool]:
    """Which file is written where, and whether that is into a folder.

    Raises ValueError or OSError where something would be written over what is read, or twice to one place.

    Examples
    --------
    >>> destinations([Path("b.png")], Path("out.tif"))[1], destinations([Path("b.png"), Path("c.png")], Path("out"))[1]
    (False, True)
    """
    if not images:
        raise ValueError("no file was given to denoise")
    files = files_of(images)
    many = len(images) > 1 or files != list(images)
    if not many:
        pairs = [(files[0], output)]
    else:
        check_folder(output, images)
        pairs = [(file, output / _written_as(file).name) for file in files]
    read = {file.resolve() for file in files}
    written = {}
    for file, target in pairs:
        if target.resolve() in read:
            raise ValueError(f"{target} is one of the files that are read; name another place for the result")
        if around := read.intersection(target.resolve().parents):
            raise ValueError(f"{target} lies in {around.pop()}, which is read; name a place outside it")
        if is_zarr(target) and any(file.is_relative_to(target.resolve()) for file in read):
            raise ValueError(f"{target} holds what is read; name another place for the result")
        place = os.path.normcase(target)
        if place in written:
            raise ValueError(f"{written[place]} and {file} would both become {target}; denoise them into two folders")
        written[place] = file
    return pairs, many


def _written_as(file: Path) -> Path:
    """The name that a file keeps; BMP, which is not written, becomes PNG."""
    return file.with_suffix(".png") if file.suffix.lower() == ".bmp" else file


def beside_of(image: Path, folders: dict[str, Path | None]) -> dict[str, Path | None]:
    """The page and the deviations of one of several pictures, by its full name, in the folders of such.

    Examples
    --------
    >>> [path.name for path in beside_of(Path("a.png"), {"report": Path("out"), "uncertainty": Path("out")}).values()]
    ['a.png.html', 'a.png.tif']
    """
    endings = {"report": ".html", "uncertainty": ".tif"}
    return {what: folder and folder / f"{image.name}{endings[what]}" for what, folder in folders.items()}


def check_apart(pairs: Sequence[tuple[Path, Path]], folders: dict[str, Path | None]) -> None:
    """Raises ValueError for folders in which a page or deviations would take the place of a picture or a result."""
    taken = {path.resolve() for pair in pairs for path in pair}
    for image, _ in pairs:
        for what, path in beside_of(image, folders).items():
            if path and path.resolve() in taken:
                raise ValueError(f"{path} is a file that is read, or a result; name another folder for --{what}")


def check_folder(output: Path, images: Sequence[Path]) -> None:
    """Raises ValueError or OSError for what cannot be the folder of something for each of several pictures."""
    if output.exists() and (not output.is_dir() or is_zarr(output)):
        raise FileExistsError(f"{output} is no folder, and what there is for each of several pictures goes into one")
    if not output.exists() and output.suffix.lower() in (*ENDINGS, ".htm", ".html"):
        raise ValueError(f"what there is for each of several pictures goes into a folder; {output} would be a file")
    if not output.resolve().parent.is_dir():
        raise NotADirectoryError(f"there is no folder {output.resolve().parent} to make {output.name} in")
    check_writable(output.resolve() if output.exists() else output.resolve().parent)
    for folder in images:
        if folder.is_dir() and not is_zarr(folder) and output.resolve().is_relative_to(folder.resolve()):
            raise ValueError(f"{output} lies in the folder {folder} that is read; name a folder outside it")


def check_beside(image: Path, output: Path, report: Path | None, uncertainty: Path | None, overwrite: bool) -> None:
    """Whether what is written next to the result can be."""
    for what, path, endings in (
        ("the report is an HTML page", report, (".html", ".htm")),
        ("the uncertainty is a .npy or .tif file", uncertainty, (".npy", ".tif", ".tiff")),
    ):
        if path is None:
            continue
        taken, own = {image.resolve(), output.resolve()}, path.resolve()
        if path.suffix.lower() not in endings or taken.intersection((own, *own.parents)):
            raise ValueError(f"{what} of its own, with the ending {' or '.join(endings)}; {path} was given")
        check_destination(path, overwrite=overwrite)
