"""What a file says about its pixels, kept where the format written can hold it and named where it cannot."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

NAMES = {
    "icc_profile": "colour profile",
    "exif": "EXIF",
    "xmp": "XMP",
    "resolution": "resolution",
    "density": "resolution without a unit",
    "tags": "TIFF tags (georeference, IPTC, camera, author, names)",
    "ome": "OME-XML",
    "imagej": "ImageJ metadata",
    "sizes": "pixel size",
    "attributes": "zarr attributes",
}
JPEG = {"icc_profile", "exif", "xmp", "resolution"}
TIFF = {"icc_profile", "xmp", "resolution", "density", "tags", "ome", "imagej", "sizes"}
KEPT = {
    ".png": {"icc_profile", "exif", "xmp", "resolution"},
    ".jpg": JPEG,
    ".jpeg": JPEG,
    ".tif": TIFF,
    ".tiff": TIFF,
    ".npy": set(),
    ".zarr": {"sizes", "attributes"},
}
"""What `write` keeps of these in a file of each ending."""
TEXTS = {".jpg": "Comment", ".jpeg": "Comment", ".tif": "Description", ".tiff": "Description"}
"""The one text that a file of an ending has a place for; a PNG has one for all."""
ORIENTATION_TAG = 274  # of TIFF and EXIF


class Size(NamedTuple):
    """How long a step along an axis is, in a unit as OME-Zarr calls it ("micrometer"), and where its first pixel is."""

    letter: str
    length: float = 1.0
    unit: str | None = None
    origin: float = 0.0


@dataclass(frozen=True)
class Metadata:
    """What a file says about its pixels; empty where it says nothing.

    Attributes
    ----------
    icc_profile
        What the colours mean.
    exif
        As JPEG has it; pictures are upright, so its orientation is 1.
    resolution
        Pixels per inch, in x and y.
    density
        The same per a unit that is not said, of a TIFF.
    xmp
        The XML of Adobe.
    chunks
        Of a PNG, as they are stored: what its values mean (gAMA, cHRM, sRGB).
    texts
        By their names; of a JPEG its comment, of a TIFF its description.
    tags
        Of a TIFF, as tifffile writes them: code, type, count, value, once.
    ome, imagej
        The XML of an OME-TIFF, and what tifffile reads of ImageJ's.
    sizes, attributes
        Of a zarr: the size of a pixel, and the attributes of "group", "ome" and "array", and its "name".
    place
        Where the array lies in its group; "": it is by itself; None: it is of no zarr.
    jpeg
        The whole file, of a JPEG: what nobody changes can be written without another loss.
    unread
        The names of what else a file says.

    Examples
    --------
    >>> Metadata(texts=(("Title", "a picture"),)).lost("a.tif")
    ['text "Title"']
    """

    icc_profile: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    resolution: tuple[float, float] | None = None
    density: tuple[float, float] | None = None
    chunks: tuple[tuple[str, bytes], ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple, ...] = ()
    ome: str | None = None
    imagej: dict | None = None
    sizes: tuple[Size, ...] = ()
    attributes: dict = field(default_factory=dict)
    place: str | None = None
    jpeg: bytes | None = field(default=None, repr=False)
    unread: tuple[str, ...] = ()

    def lost(self, path: str | Path) -> list[str]:
        """The names of what a file of this ending cannot hold."""
        suffix = Path(path).suffix.lower()
        lost = [text for name, text in NAMES.items() if getattr(self, name) and name not in KEPT[suffix]]
        if suffix != ".png":
            lost += [name for name, _ in self.chunks]
            lost += [f'text "{key}"' for key, _ in self.texts if key != TEXTS.get(suffix)]
        return [*lost, *self.unread]


def upright_xmp(xmp: bytes | None) -> bytes | None:
    """What Adobe's XML says of a picture, once this is turned upright."""
    return xmp and re.sub(rb"(tiff:Orientation(?:=[\"']|>))[2-8]", rb"\g<1>1", xmp)
