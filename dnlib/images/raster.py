"""PNG, JPEG and BMP files, with what they say about their pixels: read with Pillow, 16 bits with imagecodecs."""

import contextlib
import io
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dnlib.images.axes import upright
from dnlib.images.contents import Content
from dnlib.images.metadata import ORIENTATION_TAG, Metadata, upright_xmp
from dnlib.images.pictures import Picture

HEAD = 33  # bytes of a PNG before the first chunk that is not its header
XMP = "XML:com.adobe.xmp"  # what a PNG calls it
SEGMENT = 65_000  # bytes that a JPEG can say at once
MEANING = ("gAMA", "cHRM", "sRGB")
CHUNKS = ("IHDR", "PLTE", "tRNS", "IDAT", "IEND", "iCCP", "pHYs", "eXIf", "tEXt", "zTXt", "iTXt")
"""The parts of a PNG that say what its values mean, and those that Pillow reads."""
APPS = (b"JFIF", b"Exif\0", b"http://ns.adobe.com/xap/", b"ICC_PROFILE", b"Adobe\0")
"""How the parts of a JPEG begin that are read, or are made anew."""

FURTHER = "the file's further pictures (APP2 MPF), such as previews and maps of brightness"


def open_raster(path: Path, _files: contextlib.ExitStack) -> Content:
    """What a PNG, JPEG or BMP holds, upright."""
    return _decoded(path.read_bytes())


def _decoded(data: bytes) -> Content:
    import imagecodecs
    from PIL import Image, UnidentifiedImageError

    with _any_size():
        try:
            picture = Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "BMP"))
        except UnidentifiedImageError as error:
            raise ValueError("its head is broken; fetch or save it again") from error
    if picture.format == "PNG" and getattr(picture, "n_frames", 1) > 1:
        raise ValueError(f"it is an animation of {picture.n_frames} frames; save them as a TIFF stack or one by one")
    deep = picture.format == "PNG" and data[24] == 16  # Pillow would cut 16-bit colours down to 8
    pixels, exif = imagecodecs.png_decode(data) if deep else np.asarray(_plain(picture)), picture.getexif()
    axes, alpha = "YXS"[: pixels.ndim], "unassociated" if pixels.shape[2:] in ((2,), (4,)) else ""
    pixels = upright(pixels, axes, exif.get(ORIENTATION_TAG, 1))
    return Content(pixels, axes, alpha, metadata=_metadata(picture, exif, data))


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
    mode = {"P": "RGB", "1": "L"}.get(picture.mode, picture.mode)
    if mode in ("L", "RGB") and "transparency" in picture.info:
        mode += "A"
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
        FURTHER if part.startswith(b"MPF") else f"{name} ({_text(part.split(bytes(1))[0][:40])})"
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


def write_jpeg(path: Path, picture: Picture, _frames: object = None) -> list[str]:
    """Write a JPEG with all that it can hold, and name the rest; what was read from one and is as it was is a copy."""
    from PIL import Image

    metadata = picture.metadata
    if metadata.jpeg:
        source = _decoded(metadata.jpeg)
        if source.metadata == metadata and np.array_equal(source.pixels, picture.pixels):
            path.write_bytes(metadata.jpeg)
            return []
    options = _options(metadata)
    options |= {"xmp": metadata.xmp, "comment": dict(metadata.texts).get("Comment", "").encode()}
    long = [name for name in ("exif", "xmp", "comment") if len(options.get(name) or b"") > SEGMENT]
    options = {name: value for name, value in options.items() if name not in long}
    image = Image.fromarray(_gray_or_colours(picture))
    image.save(path, "JPEG", qtables=_quantization(metadata.jpeg), subsampling=0, **options)
    return metadata.lost(path) + [f"{name} (too long for a JPEG)" for name in long]


def write_png(path: Path, picture: Picture, _frames: object = None) -> list[str]:
    """Write a PNG with all that it can hold, and name the rest; Pillow would cut 16-bit colours down to 8."""
    import imagecodecs
    from PIL import Image

    small, encoded = io.BytesIO(), imagecodecs.png_encode(_gray_or_colours(picture))
    Image.new("L", (1, 1)).save(small, "PNG", pnginfo=_png_info(picture.metadata), **_options(picture.metadata))
    said = small.getvalue()  # its chunks between header and pixels
    names = itertools.takewhile(lambda one: one[0] != "IDAT", _chunks_of(said))
    pixels_from = 8 + sum(12 + len(chunk) for _, chunk in names)
    path.write_bytes(encoded[:HEAD] + said[HEAD:pixels_from] + encoded[HEAD:])
    return picture.metadata.lost(path)


def _gray_or_colours(picture: Picture) -> np.ndarray:
    """The pixels [H, W] or [H, W, C], C more than 1."""
    pixels = picture.pixels[..., 0] if picture.pixels.shape[2:] == (1,) else picture.pixels
    return np.ascontiguousarray(pixels)


def _options(metadata: Metadata) -> dict[str, object]:
    """What Pillow is told of a PNG as of a JPEG."""
    said = {"icc_profile": metadata.icc_profile, "exif": metadata.exif, "dpi": metadata.resolution}
    return {name: value for name, value in said.items() if value}


def _quantization(source: bytes | None) -> list[list[int]]:
    """The steps of quality 95, and those of the JPEG that was read where they are finer."""
    from PIL import Image

    fine = io.BytesIO()
    Image.new("RGB", (8, 8)).save(fine, "JPEG", quality=95)
    with _any_size():
        tables = [Image.open(io.BytesIO(data)).quantization for data in (fine.getvalue(), source or fine.getvalue())]
    return [list(map(min, table, tables[1].get(number, table))) for number, table in tables[0].items()]


def _png_info(metadata: Metadata):
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
