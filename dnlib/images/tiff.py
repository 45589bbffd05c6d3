"""TIFF files read and written with tifffile: axes, alpha, no-data value, resolution, OME, ImageJ and georeference."""

import contextlib
import logging
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from dnlib.images.axes import distinct, in_order, upright
from dnlib.images.contents import Content, part_reader, without_values
from dnlib.images.metadata import ORIENTATION_TAG, Metadata, upright_xmp
from dnlib.images.pictures import Picture
from dnlib.images.sizes import for_ome_xml

KEPT_TAGS = (
    *(269, 271, 272, 285, 306, 315, 316, 318, 319, 33432, 33723),
    *(33550, 33922, 34264, 34735, 34736, 34737, 42112, 42113),
)  # fmt: skip
"""Names of document and page, maker, model, date, author, computer, white point, primaries, copyright, IPTC; scale, tie
points, transformation and keys of GeoTIFF; GDAL's."""
LAYOUT_TAGS = {
    *range(254, 267), 270, 273, 274, *range(277, 285), 288, 289, 292, 293, 296, 297, 305, 317, 320, *range(322, 326),
    330, *range(338, 342), 347, *range(512, 522), *range(529, 533), 32997, 34675, 50674, 50838, 50839,
}  # fmt: skip
"""How pixels lie in the file, and what is read or made anew."""
NO_DATA_TAG, XMP_TAG = 42113, 700
IMAGEJ_COUNTS = ("ImageJ", "images", "channels", "slices", "frames", "hyperstack", "resolution", "axes")  # made anew
SAMPLES = {"associated": "assocalpha", "unassociated": "unassalpha"}


def open_tiff(path: Path, files: contextlib.ExitStack) -> Content:
    """What a TIFF holds, upright; a plain stack of planes is read part by part, until `files` close."""
    import tifffile

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # what it would log is found out and said here
    file = files.enter_context(tifffile.TiffFile(path))
    page, series = file.pages[0], file.series[0]
    if part := _part_reader(path, file):
        return _content(file, without_values(series.shape, series.dtype), distinct(series.axes), [], part)
    pixels, axes, notes = _pixels(file)
    pixels = _in_rgb(pixels, page, axes)
    orientation = int(page.tags.valueof(ORIENTATION_TAG, 1))
    pixels = upright(pixels, axes, orientation)
    if file.is_ome and orientation >= 5:
        notes.append("it is turned upright; its OME-XML, which has height for width, is left out")
    return _content(file, pixels, axes, notes)


def _content(file, pixels: np.ndarray, axes: str, notes: list[str], part: Callable | None = None) -> Content:
    """Pixels with what the first page says about them. Where there are notes, the OME-XML speaks of other ones."""
    page, metadata, images = file.pages[0], _metadata(file, file.pages[0]), _images(file)
    if notes:
        metadata = replace(metadata, ome=None)
    if smaller := len(images[0].levels) + len(file.series) // len(images) - 2:
        notes = [*notes, f"its full resolution is read; the smaller copies of it ({smaller}) are left out"]
    # tifffile stores four frames, named so, as if one were alpha
    extra = page.extrasamples if axes.endswith("S") else ()
    kind = {1: "associated", 2: "unassociated"}.get(int(extra[-1])) if extra else None
    no_data = _number(page.tags.valueof(NO_DATA_TAG))
    return Content(pixels, axes, kind or "", no_data, metadata, tuple(notes), part)


def _part_reader(path: Path, file) -> Callable[[tuple[int | slice, ...]], np.ndarray] | None:
    """What reads parts of a stack of planes of gray or RGB; None: it is no such stack."""
    (series, *further), page = _images(file), file.pages[0]
    usual = page.photometric.name in ("MINISBLACK", "RGB") and page.tags.valueof(ORIENTATION_TAG, 1) == 1
    usual = usual and page.dtype.kind != "b"
    if not usual or further or series.ndim < 3 or page.axes not in ("YX", "YXS") or "S" in series.axes[:-1]:
        return None
    if series.dataoffset is not None:
        return part_reader(path, series.dtype.newbyteorder(file.byteorder), series.dataoffset, series.shape)
    pages, stacked = series.pages, series.shape[: -len(page.shape)]
    if series.shape != (*stacked, *page.shape) or len(pages) != math.prod(stacked):
        return None
    if any(one is None or one.parent is not file for one in pages):
        return None
    numbers = np.arange(len(pages)).reshape(stacked)

    def part(place: tuple[int | slice, ...]) -> np.ndarray:
        if not place:
            return series.asarray()
        chosen = numbers[place[: numbers.ndim]]
        planes = np.stack([pages[int(number)].asarray() for number in chosen.flat])
        return planes.reshape(*chosen.shape, *page.shape)[(..., *place[numbers.ndim :])]

    return part


def _images(file) -> list:
    """The series of a file, without the copies in SubIFDs that tifffile takes for no levels of a pyramid."""
    first = file.series[0]
    smaller = [one.keyframe.is_subifd and one.dtype == first.dtype and one.size < first.size for one in file.series]
    return [one for one, copy in zip(file.series, smaller, strict=True) if not copy]


def _pixels(file) -> tuple[np.ndarray, str, list[str]]:
    """What this file holds, the letters of its axes, and what is to be said about it; colours stand last."""
    images = _images(file)
    if len({(series.shape, series.axes, series.dtype) for series in images}) > 1:
        raise ValueError(f"it holds {len(images)} images of different shape or type; split it into files")
    series, notes = images[0], []
    apart = series.pages if series.dataoffset is None else []  # else they lie in this file, one after the other
    own = [page for page in apart if page is not None and page.parent is file]
    if len(own) < len(apart):
        pixels, axes = np.stack([page.asarray() for page in own]), "I" + own[0].axes
        notes = [f"it holds {len(own)} of the {len(apart)} planes of its OME set, whose OME-XML is left out"]
    else:
        pixels, axes = np.stack([one.asarray() for one in images]), "I" + series.axes
    if len(pixels) == 1:
        pixels, axes = pixels[0], axes[1:]
    if "S" in axes and not axes.endswith("S"):  # colours stored plane after plane
        pixels = np.moveaxis(pixels, axes.index("S"), -1)
        axes = axes.replace("S", "") + "S"
    return pixels, distinct(axes), notes  # tifffile calls all unknown axes Q


def _in_rgb(pixels: np.ndarray, page, axes: str) -> np.ndarray:
    """Gray or RGB; YCbCr that tifffile has not converted is, and other colour models are refused."""
    photometric = page.photometric.name
    if photometric == "CFA":
        raise ValueError("it is the mosaic of a sensor; dnlib.noise.pack takes it apart into its colours")
    if pixels.dtype.kind == "b" and photometric in ("MINISBLACK", "MINISWHITE"):  # of one bit, as Pillow reads it
        return np.where(pixels == (photometric == "MINISBLACK"), np.uint8(255), np.uint8(0))
    if photometric not in ("MINISBLACK", "RGB", "YCBCR"):
        raise ValueError(f"its colours are stored as {photometric}; MINISBLACK (gray) and RGB are accepted")
    if photometric != "YCBCR" or page.compression.name in ("JPEG", "OJPEG", "ALT_JPEG"):
        return pixels
    if pixels.dtype != np.uint8 or axes != "YXS" or pixels.shape[-1] != 3:
        raise ValueError("its colours are stored as YCbCr of another kind than 8 bits and one frame; convert it to RGB")
    from PIL import Image

    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels), "YCbCr").convert("RGB"))


def _number(text: object) -> float | None:
    """GDAL's no-data value, which is a text."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def _metadata(file, page) -> Metadata:
    tags = [page.tags[code] for code in KEPT_TAGS if code in page.tags]
    ratios = [page.tags.valueof(code, (1, 1)) for code in (282, 283)]
    per_unit = tuple(many / units if units else 0.0 for many, units in ratios)
    inch = {2: 1.0, 3: 2.54}.get(int(page.tags.valueof(296, 2)))
    known = 282 in page.tags and all(per_unit)
    xmp = page.tags.valueof(XMP_TAG)
    plain = not (file.is_ome or file.is_imagej or page.description == page.shaped_description) and page.description
    return Metadata(
        icc_profile=page.tags.valueof(34675),
        xmp=upright_xmp(xmp.encode() if isinstance(xmp, str) else xmp),
        resolution=(inch * per_unit[0], inch * per_unit[1]) if known and inch else None,
        density=per_unit if known and not inch and not file.is_imagej and per_unit != (1, 1) else None,
        texts=(("Description", page.description),) if plain else (),
        tags=tuple(_kept(tag) for tag in tags),
        ome=file.ome_metadata,
        imagej={**file.imagej_metadata, "resolution": per_unit} if file.is_imagej else None,
        unread=_unread(file, page),
    )


def _kept(tag) -> tuple:
    """A tag as tifffile writes it: texts as UTF-8, of any length; bytes as bytes."""
    if isinstance(tag.value, str):
        return tag.code, 2, 0, tag.value.encode(), True
    if isinstance(tag.value, bytes):
        return tag.code, 7, len(tag.value), tag.value, True
    return tag.code, int(tag.dtype), tag.count, tag.value, True


def _unread(file, page) -> tuple[str, ...]:
    """The names of what else the first page says, and of what three of those after it say otherwise."""
    names = [tag.name.removesuffix("Tag") for tag in page.tags if tag.code not in {*LAYOUT_TAGS, *KEPT_TAGS, XMP_TAG}]
    several = len(file.pages) > 1 and file.series[0].kind in ("generic", "uniform")
    for other in [file.pages[k] for k in (1, len(file.pages) // 2, -1)] if several else []:
        own = (tag for tag in other.tags if tag.code in (270, XMP_TAG, *KEPT_TAGS))
        names += [f"{tag.name} of pages after the first" for tag in own if tag.value != page.tags.valueof(tag.code)]
    return tuple(dict.fromkeys(names))


def write_tiff(path: Path, picture: Picture, frames: Iterable[np.ndarray] | None = None) -> list[str]:
    """Write a TIFF: as ImageJ or OME had it where the pixels still allow it. Returns what it could not hold.

    frames: of a stack, which are written one after the other.
    """
    import tifffile

    pixels, axes = _in_file_order(picture, by_frames=frames is not None)
    metadata, samples, lost = picture.metadata, axes[-1] in "SC", picture.metadata.lost(path)
    colour = axes[-1] == "S" and pixels.shape[-1] - bool(picture.alpha) == 3
    options = {
        "photometric": "rgb" if colour else "minisblack",
        "planarconfig": "contig" if samples else None,
        "extrasamples": [SAMPLES[picture.alpha]] if picture.alpha else None,
        "iccprofile": metadata.icc_profile,
        "extratags": [*metadata.tags, *([(XMP_TAG, 1, len(metadata.xmp), metadata.xmp, True)] if metadata.xmp else [])],
    }
    data = pixels
    if frames is not None:
        shape = pixels.shape[-3:] if samples else pixels.shape[-2:]
        data = (plane for frame in frames for plane in np.ascontiguousarray(frame).reshape(-1, *shape))
        options |= {"shape": pixels.shape, "dtype": pixels.dtype}
    if metadata.imagej and _fits_imagej(pixels, axes):
        options |= _imagej_options(picture, pixels, axes)
    else:
        described, unsaid = _ome_or_plain_options(picture, pixels, axes)
        options |= described
        lost += unsaid
    tifffile.imwrite(path, data, **options)
    return lost


def _in_file_order(picture: Picture, by_frames: bool) -> tuple[np.ndarray, str]:
    """Pixels and axes in the order of the file: frames first if they come one by one; a single sample has no axis."""
    pixels, axes = picture.pixels, picture.axes
    order = axes if re.fullmatch("[^YXS]*YX[SC]?", axes) else in_order(axes)
    if by_frames:
        order = picture.frame_axes + picture.axes_of_frame
    pixels = np.transpose(pixels, [axes.index(letter) for letter in order])
    return (pixels[..., 0], order[:-1]) if order[-1] in "SC" and pixels.shape[-1] == 1 else (pixels, order)


def _imagej_options(picture: Picture, pixels: np.ndarray, axes: str) -> dict[str, object]:
    """What tifffile is told of a file of ImageJ's own kind."""
    said = picture.metadata.imagej
    own = {key: value for key, value in said.items() if key not in IMAGEJ_COUNTS}
    options = {"imagej": True, "resolution": said["resolution"], "metadata": {"axes": axes, **own}}
    if axes[-1] == "S" and pixels.shape[-1] == 4 and not picture.alpha:
        options["extrasamples"] = ["unspecified"]  # else tifffile calls the fourth alpha
    return options


def _ome_or_plain_options(picture: Picture, pixels: np.ndarray, axes: str) -> tuple[dict[str, object], list[str]]:
    """What tifffile is told of an OME or a plain TIFF, and the names of what neither can say."""
    metadata, options = picture.metadata, {"compression": "deflate", "bigtiff": pixels.nbytes > 4e9}
    lost = ["ImageJ metadata"] if metadata.imagej else []
    if metadata.ome:
        options |= {"description": _ome_for(metadata.ome, pixels.dtype).encode(), "metadata": None}
    else:
        options["description"] = dict(metadata.texts).get("Description", "").encode() or None
        named = {"axes": axes.replace("C", "S") if axes[-1] in "SC" else axes}
        sized, unsaid = for_ome_xml(metadata.sizes, str(pixels.dtype))
        lost += unsaid
        options |= {"metadata": {**named, **sized} if picture.is_stack or sized else None, "ome": bool(sized)}
    if metadata.resolution:
        options |= {"resolution": metadata.resolution, "resolutionunit": "INCH"}
    elif metadata.density:
        options |= {"resolution": metadata.density, "resolutionunit": "NONE"}
    return options, lost


def _fits_imagej(pixels: np.ndarray, axes: str) -> bool:
    """Whether ImageJ's own kind of TIFF can hold this."""
    ordered = axes == "".join(sorted(axes, key="TZCYXS".find)) and set(axes) <= set("TZCYXS") and axes[-1] != "C"
    if axes[-1] == "S":  # its colours are RGB, with or without a fourth
        return ordered and pixels.dtype == np.uint8 and pixels.shape[-1] in (3, 4) and pixels.nbytes < 4e9
    return ordered and pixels.dtype in ("uint8", "uint16", "float32") and pixels.nbytes < 4e9


def _ome_for(xml: str, kind: np.dtype) -> str:
    """OME-XML for one file that holds all planes in order, of this type."""
    name = {"float32": "float", "float64": "double"}.get(str(kind), str(kind))
    xml = re.sub(r'(<(?:\w+:)?Pixels\b[^>]*?\sType=")[^"]+', rf"\g<1>{name}", xml)
    xml = re.sub(r"<((?:\w+:)?TiffData)\b[^>]*?(?:/>|>.*?</\1>)", r"<\1/>", xml, count=1, flags=re.DOTALL)
    return re.sub(r"<((?:\w+:)?TiffData)\b[^>]+?(?:/>|>.*?</\1>)\s*", "", xml, flags=re.DOTALL)
