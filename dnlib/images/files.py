"""Reading and writing image files: type, range, alpha, stacks and colour profile survive; all or nothing."""

import contextlib
import io
import os
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from dnlib.images.pictures import Picture

WRITABLE = ".png, .jpg, .jpeg, .tif, .tiff and .npy"
READABLE = f".bmp, {WRITABLE}"


def read(path: str | os.PathLike) -> Picture:
    """Read a PNG, JPEG, BMP, TIFF or .npy file (8 or 16 bit, float, gray or RGB, alpha, stacks).

    Pixels and colour profile are kept; resolution, axis names and other descriptions are not.

    Raises FileNotFoundError, or ValueError with one line for files that are not such an image.
    """
    path = Path(path)
    if not path.is_file():
        state = "a folder" if path.is_dir() else "not there"
        raise FileNotFoundError(f"{path.absolute()} is {state}; name an image file")
    readers = {
        ".npy": _read_npy,
        ".tif": _read_tiff,
        ".tiff": _read_tiff,
        ".png": _read_pillow,
        ".jpg": _read_pillow,
        ".jpeg": _read_pillow,
        ".bmp": _read_pillow,
    }
    if path.suffix.lower() not in readers:
        raise ValueError(f"{path} has the ending {path.suffix!r}; {READABLE} files are accepted")
    try:
        pixels, channels, profile = readers[path.suffix.lower()](path)
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


def check_destination(path: str | os.PathLike, picture: Picture | None = None, *, overwrite: bool = False) -> Path:
    """Refuse a destination that could not be written, before any work is done.

    Raises FileExistsError, NotADirectoryError, PermissionError, or ValueError where the
    format cannot hold the picture without changing its type.
    """
    path = Path(path)
    if path.is_dir():
        raise FileExistsError(f"{path} is a folder; name a file")
    if os.path.lexists(path) and not overwrite:
        raise FileExistsError(f"{path} exists; --force (overwrite=True) replaces it")
    if not path.parent.is_dir():
        raise NotADirectoryError(f"there is no folder {path.parent} to write {path.name} into")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise PermissionError(f"nothing can be written into the folder {path.parent}") from error
    if picture is not None:
        _check_format(path, picture)
    return path


def _check_format(path: Path, picture: Picture) -> None:
    suffix, kind = path.suffix.lower(), picture.pixels.dtype
    if suffix in (".tif", ".tiff", ".npy"):
        return
    holds = {".png": ("uint8", "uint16"), ".jpg": ("uint8",), ".jpeg": ("uint8",)}.get(suffix)
    if holds is None:
        raise ValueError(f"{path} has the ending {suffix!r}; {WRITABLE} files can be written")
    if kind not in holds or picture.is_stack or (picture.has_alpha and suffix != ".png"):
        what = f"{'a stack of ' if picture.is_stack else ''}{kind} values{' with alpha' if picture.has_alpha else ''}"
        limits = "8- and 16-bit single images" if suffix == ".png" else "8-bit single images without alpha"
        raise ValueError(f"{suffix} holds {limits}, this image has {what}; write .tif or .npy")


def write(path: str | os.PathLike, picture: Picture, *, overwrite: bool = False) -> None:
    """Write a picture in the format that the ending names; all or nothing. Errors as `check_destination`."""
    path = check_destination(path, picture, overwrite=overwrite)
    suffix = path.suffix.lower()
    with atomic(path) as temporary:
        if suffix == ".npy":
            with open(temporary, "wb") as file:
                np.save(file, picture.pixels, allow_pickle=False)
        elif suffix in (".tif", ".tiff"):
            _write_tiff(temporary, picture)
        elif picture.pixels.dtype == np.uint16:
            import imagecodecs

            temporary.write_bytes(imagecodecs.png_encode(np.ascontiguousarray(picture.pixels)))
        else:
            from PIL import Image

            pixels = picture.pixels[..., 0] if picture.channels and picture.pixels.shape[-1] == 1 else picture.pixels
            settings = {} if suffix == ".png" else {"quality": 95, "subsampling": 0}
            Image.fromarray(np.ascontiguousarray(pixels)).save(
                temporary, "PNG" if suffix == ".png" else "JPEG", icc_profile=picture.icc_profile, **settings
            )


def _write_tiff(path: Path, picture: Picture) -> None:
    import tifffile

    pixels = picture.pixels
    colour = picture.channels and pixels.shape[-1] >= 3
    if picture.channels and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    extra = {"extrasamples": ["unassalpha"]} if picture.has_alpha else {}
    tifffile.imwrite(
        path,
        pixels,
        photometric="rgb" if colour else "minisblack",
        planarconfig="contig" if picture.has_alpha or colour else None,
        compression="deflate",
        iccprofile=picture.icc_profile,
        **extra,
    )


@contextlib.contextmanager
def atomic(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary file beside `path` that takes its name at the end, or vanishes on an error."""
    path = Path(path)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
