"""PNG, JPEG and BMP files, with what they say about their pixels: read with Pillow, 16 bits with imagecodecs."""

import contextlib
import io
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dnlib.images.contents import Content
from dnlib.images.metadata import Metadata
from dnlib.images.pictures import Picture
from dnlib.images.tiff import ORIENTATION_TAG, upright, upright_xmp

HEAD = 33  # bytes of a PNG before the first chunk that is not its header
XMP = "XML:com.adobe.xmp"  # what a PNG calls it
SEGMENT = 65_000  # bytes that a JPEG can say at once
MEANING = ("gAMA", "cHRM", "sRGB")
CHUNKS = ("IHDR", "PLTE", "tRNS", "IDAT", "IEND", "iCCP", "pHYs", "eXIf", "tEXt", "zTXt", "iTXt")
"""The parts of a PNG that say what its values mean, and those that Pillow reads."""
APPS = (b"JFIF", b"Exif\0", b"http://ns.adobe.com/xap/", b"ICC_PROFILE", b"Adobe\0")
"""How the parts of a JPEG begin that are read, or are made anew."""


def open_raster(path: Path, _files: contextlib.ExitStack) -> Content:
    """What a PNG, JPEG or BMP holds, upright."""
    return _decoded(path.read_bytes())


def _decoded(data: bytes) -> Content:
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
    return Content(pixels, "YXS"[: pixels.ndim], alpha, metadata=_metadata(picture, exif, data))


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
    parts = getattr(picture, "applist", [])  # of a JPEG
    if comments := [part for name, part in parts if name == "COM"]:
        texts["Comment"] = "\n".join(map(_text, comments))
    chunks = list(_chunks_of(data)) if picture.format == "PNG" else []
    others = [name for name, _ in chunks if name not in (*CHUNKS, *MEANING)]
    others += [
        f"{name} ({_text(part.split(bytes(1))[0][:40])})"
        for name, part in parts
        if name != "COM" and not part.startswith(APPS)
    ]
    sides = picture.info.get("aspect") or (picture.info.get("jfif_unit") == 0 and picture.info["jfif_density"])
    if sides and sides[0] != sides[1]:
        others.append("aspect ratio of the pixels")
    return Metadata(
        icc_profile=picture.info.get("icc_profile"),
        exif=exif.tobytes() if len(exif) else None,
        xmp=upright_xmp(texts.pop(XMP, "").encode() or picture.info.get("xmp")),
        resolution=tuple(map(float, picture.info["dpi"])) if "dpi" in picture.info else None,
        chunks=tuple((name, chunk) for name, chunk in chunks if name in MEANING),
        texts=tuple(texts.items()),
        jpeg=None if picture.format in ("PNG", "BMP") else data,
        unread=tuple(dict.fromkeys(others)),
    )


def _chunks_of(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The parts of a PNG up to its end, and their names."""
    place, name = 8, ""
    while place < len(data) and name != "IEND":
        end = place + 8 + int.from_bytes(data[place : place + 4], "big")
        name = data[place + 4 : place + 8].decode("latin-1")
        yield name, data[place + 8 : end]
        place = end + 4  # past its sum


def _text(said: bytes) -> str:
    """What a JPEG says in an encoding that it does not name."""
    try:
        return said.decode()
    except UnicodeDecodeError:
        return said.decode("latin-1")


def write_raster(path: Path, suffix: str, picture: Picture) -> list[str]:
    """Write a PNG or JPEG with all that it can hold; what is too long for a JPEG is given back."""
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
        options |= {"xmp": metadata.xmp, "comment": dict(metadata.texts).get("Comment", "").encode()}
        long = [name for name in ("exif", "xmp", "comment") if len(options.get(name) or b"") > SEGMENT]
        options = {name: value for name, value in options.items() if name not in long}
        Image.fromarray(pixels).save(path, "JPEG", qtables=_quantization(metadata.jpeg), subsampling=0, **options)
        return [f"{name} (too long for a JPEG)" for name in long]
    options["pnginfo"] = _chunks(metadata)
    if pixels.dtype == np.uint8:
        Image.fromarray(pixels).save(path, "PNG", **options)
        return []
    import imagecodecs

    small, encoded = io.BytesIO(), imagecodecs.png_encode(pixels)
    Image.new("L", (1, 1)).save(small, "PNG", **options)
    said = small.getvalue()  # its chunks between header and pixels
    names = itertools.takewhile(lambda one: one[0] != "IDAT", _chunks_of(said))
    pixels_from = 8 + sum(12 + len(chunk) for _, chunk in names)
    path.write_bytes(encoded[:HEAD] + said[HEAD:pixels_from] + encoded[HEAD:])
    return []


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
    for name, chunk in metadata.chunks:
        chunks.add(name.encode(), chunk)
    for key, value in metadata.texts:
        chunks.add_text(key, value)  # and with it its language
    if metadata.xmp:
        chunks.add_itxt(XMP, metadata.xmp)
    return chunks
