"""Reading and writing pictures, and the one conversion between arrays and tensors.

Classical filters work on NumPy arrays as scikit-image has them: [H, W] or [H, W, C].
Networks and noise models work on float32 tensors [N, C, H, W]. Values lie in [0, 1];
noisy values may leave that interval and are never clipped.
"""

import contextlib
import io
import os
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

PHOTOS = ("camera", "astronaut", "coffee", "chelsea", "brick", "grass", "gravel", "moon", "coins", "rocket")
"""Photographs inside scikit-image's wheel: available without a network."""

WRITABLE = ".png, .jpg, .jpeg, .tif, .tiff and .npy"
READABLE = f".bmp, {WRITABLE}"


def photo(name: str, *, gray: bool = False) -> np.ndarray:
    """A bundled photograph as float32 in [0, 1]: [H, W], or [H, W, 3] for a colour one.

    Raises ValueError for a name that is not in PHOTOS.
    """
    from skimage import color, data

    if name not in PHOTOS:
        raise ValueError(f"no bundled photograph is called {name!r}; there are: {', '.join(PHOTOS)}")
    pixels = getattr(data, name)()
    if gray and pixels.ndim == 3:
        return color.rgb2gray(pixels).astype(np.float32)
    return to_unit(pixels)


def to_unit(pixels: np.ndarray) -> np.ndarray:
    """Integers of any width to float32 in [0, 1]; floats are taken as they are."""
    pixels = np.asarray(pixels)
    scale = np.iinfo(pixels.dtype).max if np.issubdtype(pixels.dtype, np.integer) else 1
    return pixels.astype(np.float32) / np.float32(scale)


def to_tensor(image: np.ndarray) -> "Tensor":
    """[H, W] or [H, W, C] array to a float32 tensor [1, C, H, W]. Integers are scaled to [0, 1]."""
    import torch

    image = to_unit(image)
    if image.ndim not in (2, 3):
        raise ValueError(f"an image has shape [H, W] or [H, W, C]; this array has shape {list(image.shape)}")
    planes = image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(planes))[None]


def to_image(tensor: "Tensor") -> np.ndarray:
    """The inverse of `to_tensor`: [1, C, H, W] to a float32 array [H, W] (C = 1) or [H, W, C]."""
    if tensor.ndim != 4 or tensor.shape[0] != 1:
        raise ValueError(f"one image is a tensor [1, C, H, W]; this one has shape {list(tensor.shape)}")
    planes = tensor[0].detach().cpu().numpy()
    return planes[0].copy() if len(planes) == 1 else np.ascontiguousarray(planes.transpose(1, 2, 0))


@dataclass(frozen=True)
class Picture:
    """An image in memory: its pixels as stored, and what must survive a round trip through a file.

    pixels: [..., H, W] or [..., H, W, C] with C in 1..4; leading axes are a stack.
    channels: whether the last axis holds colours (C = 2 and 4: the last one is alpha).
    """

    pixels: np.ndarray
    channels: bool
    icc_profile: bytes | None = None

    @classmethod
    def of(cls, pixels: np.ndarray, channels: bool | None = None) -> "Picture":
        """Wrap an array; `channels=None` takes a last axis of 1 to 4 entries for colours.

        Raises ValueError for anything that cannot be denoised: fewer than two dimensions,
        emptiness, NaN, infinities, types that are not real numbers, images under 8x8.
        """
        pixels = np.asarray(pixels)
        shape = list(pixels.shape)
        if pixels.dtype == bool or not (
            np.issubdtype(pixels.dtype, np.integer) or np.issubdtype(pixels.dtype, np.floating)
        ):
            raise ValueError(
                f"the image has type {pixels.dtype}; integers and real floating-point numbers are accepted"
            )
        if channels is None:
            channels = pixels.ndim >= 3 and pixels.shape[-1] <= 4
        if pixels.ndim < 2 + channels or (channels and not 1 <= shape[-1] <= 4):
            raise ValueError(
                f"the image has shape {shape}; [H, W], [H, W, C] with C from 1 to 4, and stacks of these are accepted"
            )
        height, width = shape[-3:-1] if channels else shape[-2:]
        if pixels.size == 0 or height < 8 or width < 8:
            raise ValueError(f"the image has shape {shape}; at least 8x8 pixels are needed")
        if not np.isfinite(pixels).all():
            bad = np.size(pixels) - np.count_nonzero(np.isfinite(pixels))
            raise ValueError(f"the image holds {bad} NaN or infinite values; replace them before denoising")
        return cls(pixels, bool(channels))

    @property
    def colours(self) -> np.ndarray:
        """The pixels without alpha, always with a channel axis: [..., H, W, 1 or 3]."""
        if not self.channels:
            return self.pixels[..., None]
        return self.pixels[..., : self.pixels.shape[-1] - self.has_alpha]

    @property
    def has_alpha(self) -> bool:
        return self.channels and self.pixels.shape[-1] in (2, 4)

    @property
    def is_stack(self) -> bool:
        return self.pixels.ndim > 2 + self.channels

    def with_colours(self, colours: np.ndarray) -> "Picture":
        """The same picture with new colours; alpha, layout and profile are kept."""
        if not self.channels:
            return replace(self, pixels=colours[..., 0])
        if self.has_alpha:
            colours = np.concatenate([colours, self.pixels[..., -1:]], axis=-1)
        return replace(self, pixels=colours)


def read(path: str | os.PathLike) -> Picture:
    """Read a PNG, JPEG, BMP, TIFF or .npy file (8 or 16 bit, float, gray or RGB, alpha, stacks).

    Raises FileNotFoundError, or ValueError with one line for files that are not such an image.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
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
        reason = str(error).split("\n")[0]
        raise ValueError(f"{path} cannot be read as a {path.suffix} image; it may be truncated ({reason})") from error
    try:
        return replace(Picture.of(pixels, channels), icc_profile=profile)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _read_npy(path: Path):
    return np.load(path, allow_pickle=False), None, None


def _read_tiff(path: Path):
    import tifffile

    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        pixels, axes = series.asarray(), series.axes
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
    if path.exists() and not overwrite:
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
