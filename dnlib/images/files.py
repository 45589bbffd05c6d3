"""Image files found and read: type, range, alpha, stacks and colour profile survive."""

import io
import os
import re
import warnings
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from dnlib.images.checks import one_of
from dnlib.images.pictures import Picture

HOLDS = {
    ".png": ("uint8", "uint16"),
    ".jpg": ("uint8",),
    ".jpeg": ("uint8",),
    ".tif": None,
    ".tiff": None,
    ".npy": None,
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
    shown = (path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))
    return sorted((path for path in shown if path.is_file()), key=_natural)


def _natural(path: Path) -> tuple:
    """Digits count as numbers; names that differ in leading zeros only stay in the order of their letters."""
    parts = [re.split(r"(\d+)", part) for part in path.parts]
    numbers = [[int(word) if odd % 2 else word for odd, word in enumerate(words)] for words in parts]
    return numbers[:-1], numbers[-1], path


def read(path: str | os.PathLike) -> Picture:
    """Read a PNG, JPEG, BMP, TIFF or .npy file.

    Pixels and colour profile are kept; resolution, axis names and other descriptions are not. No pickle is loaded.

    Parameters
    ----------
    path
        Its ending says what it is. 8 or 16 bits, or floats; gray or RGB, with or without alpha; stacks.

    Returns
    -------
    Picture
        The pixels as stored; a photograph of a phone is turned upright.

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
    if not path.is_file():
        state = "a folder" if path.is_dir() else "not there"
        raise FileNotFoundError(f"{path.absolute()} is {state}; name an image file")
    suffix = one_of(path.suffix.lower(), ENDINGS, f"the ending of {path}")
    reader = {".npy": _read_npy, ".tif": _read_tiff, ".tiff": _read_tiff}.get(suffix, _read_pillow)
    try:
        pixels, channels, profile = reader(path)
    except MemoryError:
        raise
    except Exception as error:  # each codec has exceptions of its own for broken files
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ValueError(f"{path} cannot be read as a {path.suffix} image: {reason}") from error
    try:
        return replace(Picture.of(pixels, channels), icc_profile=profile)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _read_npy(path: Path):
    return np.load(path, allow_pickle=False), None, None


def _read_tiff(path: Path):
    import tifffile

    with tifffile.TiffFile(path) as file:
        photometric = file.pages[0].photometric.name
        if photometric not in ("MINISBLACK", "RGB", "YCBCR"):
            raise ValueError(f"its colours are stored as {photometric}; MINISBLACK (gray) and RGB are accepted")
        shapes = {(series.shape, series.axes, series.dtype) for series in file.series}
        if len(shapes) > 1:
            raise ValueError(f"it holds {len(file.series)} images of different shape or type; split it into files")
        pixels, axes = np.stack([series.asarray() for series in file.series]), "I" + file.series[0].axes
        if len(pixels) == 1:
            pixels, axes = pixels[0], axes[1:]
        profile = file.pages[0].tags.get("InterColorProfile")
    if "S" in axes and not axes.endswith("S"):  # colours stored plane after plane
        pixels = np.moveaxis(pixels, axes.index("S"), -1)
    return pixels, "S" in axes, profile.value if profile else None


def _read_pillow(path: Path):
    import imagecodecs
    from PIL import Image, ImageOps

    data = path.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        picture = Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "BMP"))
        if picture.format == "PNG" and getattr(picture, "n_frames", 1) > 1:
            raise ValueError(
                f"it is an animation of {picture.n_frames} frames; save them as a TIFF stack or one by one"
            )
        profile = picture.info.get("icc_profile")
        if picture.format == "PNG" and data[24] == 16:  # Pillow would cut 16-bit colours down to 8
            return imagecodecs.png_decode(data), None, profile
        picture = ImageOps.exif_transpose(picture)
    if picture.mode == "P":
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    if picture.mode == "1":
        picture = picture.convert("L")
    if picture.mode not in ("L", "LA", "RGB", "RGBA"):
        raise ValueError(f"its colour mode is {picture.mode}; gray and RGB are accepted, with or without alpha")
    pixels = np.asarray(picture)
    return pixels, pixels.ndim == 3, profile
