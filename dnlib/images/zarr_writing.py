"""Zarr folders written with the package zarr: OME-Zarr 0.5 if it can hold the axes, else an array that names them."""

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from dnlib.images.metadata import Size
from dnlib.images.pictures import Picture
from dnlib.images.sizes import sizes_of
from dnlib.images.zarr_reading import package

TILE = 1024  # pixels that a chunk of a large frame is high and wide
OME_ORDER = "T?[^TZYXS]?Z?YX"  # one axis for time, one for channels or anything else, two or three for space
TYPES = {"T": "time", "C": "channel", "Z": "space", "Y": "space", "X": "space"}


def write_zarr(folder: Path, picture: Picture, frames: Iterable[np.ndarray] | None = None) -> list[str]:
    """Write a zarr into an empty folder, frame by frame; what it cannot hold is given back.

    An array that came as one stays one; all others become OME-Zarr where it can hold their axes.
    """
    said, place, sizes = picture.metadata.attributes, picture.metadata.place, sizes_of(picture.metadata)
    axes = ome_axes(picture.axes) if place != "" else None
    place = (place or "0") if axes else (place or "")
    if axes:
        attributes = {**said.get("group", {}), "ome": _ome(axes, place, sizes, said)}
        package().create_group(store=folder, attributes=attributes)
    order = axes or picture.axes
    lengths = dict(zip(picture.axes, picture.pixels.shape, strict=True))
    array = package().create_array(
        store=folder,
        name=place or None,
        shape=[lengths[letter] for letter in order],
        chunks=[min(lengths[letter], {"Y": TILE, "X": TILE, "S": lengths[letter]}.get(letter, 1)) for letter in order],
        dtype=picture.pixels.dtype,
        dimension_names=order.lower(),
        attributes={**said.get("array", {}), **({"alpha": picture.alpha} if picture.has_alpha else {})},
    )
    own = [letter for letter in picture.axes if letter not in picture.frame_axes]
    turned = [own.index(letter) for letter in order if letter in own]
    if frames is None:
        frames = (picture.frame(number).pixels for number in range(picture.count))
    for number, frame in enumerate(frames):
        at = dict(zip(picture.axes, picture.place(number), strict=True))
        array[tuple(at[letter] for letter in order)] = np.transpose(frame, turned)
    return ["pixel size"] if sizes and not axes else []


def ome_axes(axes: str) -> str | None:
    """The axes in the order that OME-Zarr asks for, or None if it cannot hold them.

    Examples
    --------
    >>> ome_axes("ZCYX"), ome_axes("TYX"), ome_axes("YXS"), ome_axes("TCQYX")
    ('CZYX', 'TYX', None, None)
    """
    order = "".join(sorted(axes, key=lambda letter: {"T": 0, "Z": 2, "Y": 3, "X": 4}.get(letter, 1)))
    return order if re.fullmatch(OME_ORDER, order) else None


def _ome(axes: str, place: str, sizes: tuple[Size, ...], said: dict) -> dict:
    """What OME-Zarr 0.5 says of a group with one level."""
    known = {one.letter: one for one in sizes}
    found = [known.get(letter, Size(letter)) for letter in axes]
    named = [
        {"name": one.letter.lower()}
        | ({"type": TYPES[one.letter]} if one.letter in TYPES else {})
        | ({"unit": one.unit} if one.unit else {})
        for one in found
    ]
    steps = [{"type": "scale", "scale": [one.length for one in found]}]
    if any(one.origin for one in found):
        steps.append({"type": "translation", "translation": [one.origin for one in found]})
    level = {"path": place, "coordinateTransformations": steps}
    name = {"name": said["name"]} if "name" in said else {}
    return {"version": "0.5", "multiscales": [{**name, "axes": named, "datasets": [level]}], **said.get("ome", {})}
