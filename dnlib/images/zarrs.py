"""Zarr folders, with the package zarr.

Read: an array, a group that holds one, or an OME-Zarr in its full resolution. Written: OME-Zarr 0.5 if it can hold the
axes, else an array that names them.
"""

import contextlib
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from dnlib.images.axes import distinct
from dnlib.images.contents import Content, without_values
from dnlib.images.metadata import Metadata, Size
from dnlib.images.pictures import Picture
from dnlib.images.sizes import sizes_of

MARKS = ("zarr.json", ".zarray", ".zgroup")
"""Files of which every zarr holds one: format 3, and arrays and groups of format 2."""
WORDS = {"time": "T", "channel": "C", "channels": "C", "band": "C"}
SKIPPED = ("OME", "labels")  # groups inside a group that hold no picture
TILE = 1024  # pixels that a chunk of a large frame is high and wide
OME_ORDER = "T?[^TZYXS]?Z?YX"  # one axis for time, one for channels or anything else, two or three for space
TYPES = {"T": "time", "C": "channel", "Z": "space", "Y": "space", "X": "space"}
OME_PARTS = ("omero", "bioformats2raw.layout", "series")  # that OME-Zarr 0.4 has beside everything else


def package():
    """The package zarr, which not everybody has."""
    try:
        import zarr
    except ImportError:
        zarr = None
    if zarr is None or int(zarr.__version__.split(".")[0]) < 3:
        raise ValueError('a .zarr takes the package zarr, version 3: pip install "dnlib[zarr]"')
    return zarr


def is_zarr(path: Path) -> bool:
    """Whether a folder is one picture: by its name, or by what it holds.

    Examples
    --------
    >>> is_zarr(Path("no/such.zarr"))
    False
    """
    return path.is_dir() and (path.suffix.lower() == ".zarr" or holds_zarr(path))


def holds_zarr(folder: Path) -> bool:
    """Whether a folder is marked as a zarr."""
    return any((folder / name).is_file() for name in MARKS)


def open_zarr(path: Path, _files: contextlib.ExitStack) -> Content:
    """What a zarr holds; its pixels are read part by part."""
    array, group, place = _found(package().open(store=path, mode="r", use_consolidated=False))
    _check_codecs(array)
    attributes = {} if group is None else dict(group.attrs)
    ome, rest = _taken_apart(attributes)
    levels = ome.pop("multiscales", [{}])[0]
    names = [axis["name"] if isinstance(axis, dict) else axis for axis in levels.get("axes", [])]
    if not names and "datasets" in levels and array.ndim == 5:
        names = list("tczyx")  # as all are before OME-Zarr 0.3
    # the names of its axes: of format 3, or as xarray writes them into format 2
    names_of_array = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS") or ()
    axes = letters_of(names or names_of_array, array.ndim)
    own = dict(array.attrs)
    own.pop("_ARRAY_DIMENSIONS", None)
    alpha = own.pop("alpha") if own.get("alpha") in ("associated", "unassociated") else None
    said = {"group": rest, "ome": ome, "array": own}
    if levels.get("name"):
        said["name"] = levels["name"]
    metadata = Metadata(
        sizes=_sizes(levels, axes) if names and axes else (),
        attributes={key: value for key, value in said.items() if value},
        place=place,
    )
    notes = []
    if smaller := len(levels.get("datasets", [])[1:]):
        notes.append(f"its full resolution is read; the smaller copies of it ({smaller}) are left out")
    if group is not None and "labels" in group:
        notes.append("its labels are left out")
    pixels = without_values(array.shape, array.dtype)
    return Content(pixels, axes, alpha, metadata=metadata, notes=tuple(notes), part=array.__getitem__)


def _found(node) -> tuple[object, object | None, str]:
    """The array to read, the group it lies in or None, and where: its first level if it says so, else what there is."""
    inside = hasattr(node, "members")
    group, place = (node, "") if inside else (None, "")
    while hasattr(node, "members"):
        levels = _taken_apart(dict(node.attrs))[0].get("multiscales")
        if levels:
            path = levels[0]["datasets"][0]["path"]
            return node[path], node, path
        members = {name: one for name, one in node.members() if name not in SKIPPED}
        if len(members) != 1:
            some = ", ".join(sorted(members)[:10]) or "none"
            raise ValueError(f"it holds {len(members)} arrays or groups ({some}); name a folder inside it that is one")
        ((name, node),) = members.items()
        if hasattr(node, "members"):
            group, place = node, ""
        else:
            place = name
    return node, group, place


def _taken_apart(attributes: dict) -> tuple[dict, dict]:
    """What OME says in the attributes of a group, of version 0.5 or older, and the others."""
    rest = dict(attributes)
    if isinstance(rest.get("ome"), dict):
        ome = dict(rest.pop("ome"))
        ome.pop("version", None)
        return ome, rest
    return {key: rest.pop(key) for key in ("multiscales", *OME_PARTS) if key in rest}, rest


def _check_codecs(array) -> None:
    """No pickle is loaded."""
    said = array.metadata.to_dict()
    packed = json.dumps([said.get(key) for key in ("filters", "compressor", "codecs")], default=str)
    if "pickle" in packed:
        raise ValueError("its values are pickled, which could run a program; save them as numbers")


def letters_of(names: Sequence[str | None], count: int) -> str | None:
    """A letter for every axis, by their names; None: these do not say which are height and width.

    Examples
    --------
    >>> letters_of(["time", "c", "y", "x"], 4), letters_of(["angle", "y", "x"], 3), letters_of(["lat", "lon"], 2)
    ('TCYX', 'QYX', None)
    """
    words = [str(name or "").lower() for name in names]
    known = [WORDS.get(word, word.upper() if len(word) == 1 and word.isalpha() else "") for word in words]
    if len(known) != count or not {"Y", "X"} <= set(known):
        return None
    return distinct(known)


def _sizes(levels: dict, axes: str) -> tuple[Size, ...]:
    """What the first level says of the size of a pixel, of axes that have one."""
    scale, origin = [1.0] * len(axes), [0.0] * len(axes)
    for step in (
        *levels["datasets"][0].get("coordinateTransformations", ()),
        *levels.get("coordinateTransformations", ()),
    ):
        for place, value in enumerate(step.get("scale", ())):
            scale[place], origin[place] = scale[place] * value, origin[place] * value
        for place, value in enumerate(step.get("translation", ())):
            origin[place] += value
    units = [axis.get("unit") if isinstance(axis, dict) else None for axis in levels.get("axes", ())]
    units += [None] * (len(axes) - len(units))
    found = (Size(letter, *rest) for letter, *rest in zip(axes, scale, units, origin, strict=True))
    return tuple(one for one in found if one[1:] != (1.0, None, 0.0))


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
        attributes={**said.get("array", {}), **({"alpha": picture.alpha} if picture.alpha else {})},
    )
    turned = [picture.axes_of_frame.index(letter) for letter in order if letter in picture.axes_of_frame]
    if frames is None:
        frames = (picture.frame(number).pixels for number in range(picture.count))
    for number, frame in enumerate(frames):
        at = dict(zip(picture.axes, picture.place(number), strict=True))
        array[tuple(at[letter] for letter in order)] = np.transpose(frame, turned)
    return picture.metadata.lost(folder) + (["pixel size"] if sizes and not axes else [])


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
