"""The physical size of a pixel, in the words of OME-Zarr, and as OME-XML and ImageJ have it."""

import re

from dnlib.images.metadata import Metadata, Size

UNITS = {
    "pm": "picometer", "Å": "angstrom", "nm": "nanometer", "µm": "micrometer", "mm": "millimeter",
    "cm": "centimeter", "m": "meter", "km": "kilometer", "in": "inch", "ft": "foot",
    "ns": "nanosecond", "µs": "microsecond", "ms": "millisecond", "s": "second", "min": "minute", "h": "hour",
    "d": "day",
}  # fmt: skip
"""Of OME-XML, and what OME-Zarr calls them."""
OTHERS = {"micron": "µm", "microns": "µm", "um": "µm", "\\u00B5m": "µm", "μm": "µm", "inch": "in", "sec": "s"}
"""What else ImageJ and old files write."""
OME_KINDS = ("int8", "int16", "int32", "uint8", "uint16", "uint32", "float32", "float64")
XML_NAMES = {"X": "PhysicalSizeX", "Y": "PhysicalSizeY", "Z": "PhysicalSizeZ", "T": "TimeIncrement"}


def sizes_of(metadata: Metadata) -> tuple[Size, ...]:
    """The size of a pixel along every axis of which a file says it: a zarr, an OME-TIFF or ImageJ.

    Examples
    --------
    >>> sizes_of(Metadata(ome='<Pixels PhysicalSizeX="0.25" PhysicalSizeXUnit="nm">'))
    (Size(letter='X', length=0.25, unit='nanometer', origin=0.0),)
    """
    if metadata.sizes:
        return metadata.sizes
    return _of_xml(metadata.ome) if metadata.ome else _of_imagej(metadata.imagej) if metadata.imagej else ()


def _of_xml(xml: str) -> tuple[Size, ...]:
    pixels = next(iter(re.findall(r"<(?:\w+:)?Pixels\b[^>]*>", xml)), "")
    said = dict(re.findall(r'\s(\w+)="([^"]*)"', pixels))
    found = []
    for letter, name in XML_NAMES.items():
        unit = said.get(f"{name}Unit", "s" if letter == "T" else "µm")
        found.append((letter, said.get(name), unit))
    return _known(found)


def _of_imagej(said: dict) -> tuple[Size, ...]:
    unit = said.get("unit") or "pixel"
    per_unit = said.get("resolution", (0, 0))
    sides = [(letter, 1 / many if many else None, unit) for letter, many in zip("XY", per_unit, strict=True)]
    return _known([*sides, ("Z", said.get("spacing"), unit), ("T", said.get("finterval"), said.get("tunit", "s"))])


def _known(found: list[tuple[str, object, str]]) -> tuple[Size, ...]:
    """Those that say a length above zero in a unit that is known."""
    sizes = []
    for letter, length, unit in found:
        unit = UNITS.get(OTHERS.get(unit, unit))
        try:
            length = float(length)
        except (TypeError, ValueError):
            continue
        if unit and 0 < length < float("inf"):
            sizes.append(Size(letter, length, unit))
    return tuple(sizes)


def for_ome_xml(sizes: tuple[Size, ...], kind: str) -> tuple[dict[str, object], list[str]]:
    """What tifffile is told of the sizes, for pixels of this type, and the names of what OME-XML cannot say."""
    symbols = {word: symbol for symbol, word in UNITS.items()}
    said = {}
    for one in sizes if kind in OME_KINDS else ():
        if one.letter in XML_NAMES and one.unit in symbols:
            name = XML_NAMES[one.letter]
            said |= {name: one.length, f"{name}Unit": symbols[one.unit]}
    lost = ["pixel size"] if 2 * len(sizes) > len(said) else []
    return said, lost + (["position"] if any(one.origin for one in sizes) else [])
