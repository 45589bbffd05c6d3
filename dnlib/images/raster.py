"""PNG, JPEG and BMP files, with what they say about their pixels: read with Pillow, 16 bits with imagecodecs."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dnlib.images.metadata import Metadata, Stored
from dnlib.images.pictures import Picture
from dnlib.images.tiff import ORIENTATION_TAG, upright

HEAD = 33  # bytes of a PNG before the first chunk that is not its header


def read_raster(path: Path) -> Stored:
    """What a PNG, JPEG or BMP holds, upright."""
    return _decoded(path.read_bytes())


def _decoded(data: bytes) -> Stored:
    import imagecodecs
    from PIL import Image, ImageOps, UnidentifiedImageError

    with _any_size():
        try:
            picture = Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "BMP"))
        except UnidentifiedImageError as error:
            raise ValueError("its head is broken; fetch or save it again") from error
    if picture.format == "PNG" and getattr(picture, "n_frames", 1) > 1:
        raise ValueError(f"it is an animation of {picture.n_frames} frames; save them as a TIFF stack or one by one")
    deep, exif = picture.format == "PNG" and data[24] == 16, picture.getexif()
    orientation = exif.get(ORIENTATION_TAG, 1)
    if deep:  # Pillow would cut 16-bit colours down to 8
        pixels = imagecodecs.png_decode(data)
        pixels = upright(pixels, "YXS"[: pixels.ndim], orientation)
    else:
        pixels = np.asarray(_plain(picture if orientation == 1 else ImageOps.exif_transpose(picture)))
    alpha = "unassociated" if pixels.shape[2:] in ((2,), (4,)) else ""
    return Stored(pixels, "YXS"[: pixels.ndim], alpha, metadata=_metadata(picture, exif, data))


@contextlib.contextmanager
def _any_size() -> Iterator[None]:
    """A user who names a picture of more than 179 megapixels wants it read: it is no "decompression bomb"."""
    from PIL import Image

    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _plain(picture):
    """A Pillow image as gray or RGB; transparency of any kind becomes alpha."""
    clear = "transparency" in picture.info
    wanted = {"P": "RGBA" if clear else "RGB", "1": "L", "L": "LA" if clear else "L", "RGB": "RGBA" if clear else "RGB"}
    mode = wanted.get(picture.mode, picture.mode)
    if mode not in ("L", "LA", "RGB", "RGBA"):
        raise ValueError(f"its colour mode is {picture.mode}; gray and RGB are accepted, with or without alpha")
    return picture if mode == picture.mode else picture.convert(mode)


def _metadata(picture, exif, data: bytes) -> Metadata:
    exif.pop(ORIENTATION_TAG, None)
    texts = {key: value for key, value in getattr(picture, "text", {}).items() if isinstance(value, str)}
    return Metadata(
        icc_profile=picture.info.get("icc_profile"),
        exif=exif.tobytes() if len(exif) else None,
        resolution=tuple(map(float, picture.info["dpi"])) if "dpi" in picture.info else None,
        gamma=picture.info.get("gamma"),
        texts=tuple(texts.items()),
        jpeg=None if picture.format in ("PNG", "BMP") else data,
    )


def write_raster(path: Path, suffix: str, picture: Picture) -> None:
    """Write a PNG or JPEG with all that it can hold."""
    from PIL import Image

    pixels = np.ascontiguousarray(picture.pixels)
    if pixels.ndim == 3 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    metadata = picture.metadata
    options = {"icc_profile": metadata.icc_profile}
    if metadata.exif:
        options["exif"] = metadata.exif
    if metadata.resolution:
        options["dpi"] = metadata.resolution
    if suffix != ".png":
        Image.fromarray(pixels).save(path, "JPEG", qtables=_quantization(metadata.jpeg), subsampling=0, **options)
        return
    options["pnginfo"] = _chunks(metadata)
    if pixels.dtype == np.uint8:
        Image.fromarray(pixels).save(path, "PNG", **options)
        return
    import imagecodecs

    small, encoded = io.BytesIO(), imagecodecs.png_encode(pixels)
    Image.new("L", (1, 1)).save(small, "PNG", **options)
    said = small.getvalue()  # its chunks between header and pixels
    path.write_bytes(encoded[:HEAD] + said[HEAD : said.index(b"IDAT") - 4] + encoded[HEAD:])


def is_source(picture: Picture) -> bool:
    """Whether the JPEG that was read holds just this."""
    if not picture.metadata.jpeg:
        return False
    stored = _decoded(picture.metadata.jpeg)
    return stored.metadata == picture.metadata and np.array_equal(stored.pixels, picture.pixels)


def _quantization(source: bytes | None) -> list[list[int]]:
    """The steps of quality 95, and those of the JPEG that was read where they are finer."""
    from PIL import Image

    fine = io.BytesIO()
    Image.new("RGB", (8, 8)).save(fine, "JPEG", quality=95)
    with _any_size():
        tables = [Image.open(io.BytesIO(data)).quantization for data in (fine.getvalue(), source or fine.getvalue())]
    return [list(map(min, table, tables[1].get(number, table))) for number, table in tables[0].items()]


def _chunks(metadata: Metadata):
    """What Pillow takes as `pnginfo`."""
    from PIL.PngImagePlugin import PngInfo

    chunks = PngInfo()
    if metadata.gamma:
        chunks.add(b"gAMA", round(100_000 * metadata.gamma).to_bytes(4, "big"))
    for key, value in metadata.texts:
        chunks.add_itxt(key, value)
    return chunks
