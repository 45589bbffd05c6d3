"""What a file says about its pixels, kept where the format written can hold it and named where it cannot."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple

import numpy as np

NAMES = {
    "icc_profile": "colour profile",
    "exif": "EXIF",
    "resolution": "resolution",
    "gamma": "gamma",
    "texts": "texts",
    "tags": "TIFF tags (georeference, camera, author)",
    "ome": "OME-XML",
    "imagej": "ImageJ metadata",
}
HELD = {
    ".png": {"icc_profile", "exif", "resolution", "gamma", "texts"},
    ".jpg": {"icc_profile", "exif", "resolution"},
    ".jpeg": {"icc_profile", "exif", "resolution"},
    ".tif": {"icc_profile", "resolution", "tags", "ome", "imagej", "texts"},
    ".tiff": {"icc_profile", "resolution", "tags", "ome", "imagej", "texts"},
    ".npy": set(),
}
"""What `write` puts into a file of each ending."""


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
    gamma
        Of a PNG.
    texts
        By their names; of a TIFF its description.
    tags
        Of a TIFF, as tifffile writes them: code, type, count, value, once.
    ome, imagej
        The XML of an OME-TIFF, and what tifffile reads of ImageJ's.

    Examples
    --------
    >>> Metadata(gamma=0.45).lost("a.tif")
    ['gamma']
    """

    icc_profile: bytes | None = None
    exif: bytes | None = None
    resolution: tuple[float, float] | None = None
    gamma: float | None = None
    texts: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple, ...] = ()
    ome: str | None = None
    imagej: dict | None = None

    def lost(self, path: str | Path) -> list[str]:
        """The names of what a file of this ending cannot hold."""
        held = HELD[Path(path).suffix.lower()]
        return [NAMES[field.name] for field in fields(self) if getattr(self, field.name) and field.name not in held]


class Stored(NamedTuple):
    """What a reader found in a file; `Picture.of` has the words."""

    pixels: np.ndarray
    axes: str | None = None
    alpha: str | None = None
    no_data: float | None = None
    metadata: Metadata = Metadata()
    notes: tuple[str, ...] = ()
    plane: tuple[int, ...] = ()  # the shape of what is read at once, where that is not a frame
