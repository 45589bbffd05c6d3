"""Zarrs read and written, whole or not at all; axes and pixel size through TIFF and back."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tifffile

from dnlib.images import ROOT, Picture, Stack, check_destination, image_files, opened, read, read_burst, write

zarr = pytest.importorskip("zarr", minversion="3", reason='needs pip install "dnlib[zarr]"')


def pixels_of(rng, axes):
    lengths = {"T": 2, "C": 3, "Z": 4, "Q": 5, "Y": 20, "X": 24, "S": 3}
    return rng.integers(0, 4000, [lengths[letter] for letter in axes]).astype(np.uint16)


def ome_zarr(path, pixels, names, *, version="0.5", **said):
    """An OME-Zarr as other programs write it, with two levels."""
    form = 3 if version == "0.5" else 2
    types = {"t": "time", "c": "channel"}
    axes = [{"name": name, "type": types.get(name, "space")} for name in names]
    for axis in axes:
        axis |= {"unit": "micrometer"} if axis["type"] == "space" else {"unit": "second"} if axis["name"] == "t" else {}
    scale = [{"t": 2.0, "z": 0.5, "y": 0.25, "x": 0.25}.get(name, 1.0) for name in names]
    levels = [{"path": str(n), "coordinateTransformations": [{"type": "scale", "scale": scale}]} for n in range(2)]
    ome = {"multiscales": [{"version": version, "name": "cells", "axes": axes, "datasets": levels}], **said}
    attributes = {"ome": {"version": version, **ome}} if version == "0.5" else ome
    group = zarr.create_group(path, zarr_format=form, attributes={**attributes, "operator": "Ada"})
    chunks = (*[1] * (pixels.ndim - 2), 16, 16)
    for level, values in enumerate((pixels, pixels[..., ::2, ::2])):
        group.create_array(str(level), data=values, chunks=chunks)
    return path


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("axes", ["YX", "TYX", "CYX", "ZYX", "TCZYX"])
def test_an_ome_zarr_keeps_pixels_axes_sizes_and_attributes(tmp_path, rng, axes, version):
    pixels = pixels_of(rng, axes)
    ome_zarr(tmp_path / "a.zarr", pixels, axes.lower(), version=version, omero={"channels": [{"color": "FF0000"}]})
    picture = read(tmp_path / "a.zarr")
    assert picture.axes == axes and "smaller copies" in picture.notes[0]
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert write(tmp_path / "b.zarr", picture) == []
    group = zarr.open_group(tmp_path / "b.zarr", mode="r")
    said = group.attrs["ome"]
    before = zarr.open_group(tmp_path / "a.zarr", mode="r").attrs
    before = before.get("ome", before)
    assert group.attrs["operator"] == "Ada" and said["omero"] == before["omero"] and said["version"] == "0.5"
    (levels,) = said["multiscales"]
    assert levels["axes"] == before["multiscales"][0]["axes"] and levels["name"] == "cells"
    assert levels["datasets"] == before["multiscales"][0]["datasets"][:1]
    assert group["0"].metadata.dimension_names == tuple(axes.lower())
    np.testing.assert_array_equal(group["0"][...], pixels)
    assert read(tmp_path / "b.zarr").metadata == picture.metadata


def test_scale_and_translation_of_all_levels_are_taken_together(tmp_path, rng):
    ome_zarr(tmp_path / "a.zarr", pixels_of(rng, "ZYX"), "zyx")
    file = tmp_path / "a.zarr" / "zarr.json"
    said = json.loads(file.read_text())
    levels = said["attributes"]["ome"]["multiscales"][0]
    levels["datasets"][0]["coordinateTransformations"].append({"type": "translation", "translation": [1, 2, 3]})
    levels["coordinateTransformations"] = [{"type": "scale", "scale": [2, 2, 2]}]
    file.write_text(json.dumps(said))
    sizes = read(tmp_path / "a.zarr").metadata.sizes
    assert [one[:2] + one[3:] for one in sizes] == [("Z", 1.0, 2.0), ("Y", 0.5, 4.0), ("X", 0.5, 6.0)]
    write(tmp_path / "b.zarr", read(tmp_path / "a.zarr"))
    assert read(tmp_path / "b.zarr").metadata.sizes == sizes
    assert write(tmp_path / "c.tif", read(tmp_path / "a.zarr")) == ["zarr attributes", "position"]


@pytest.mark.parametrize("form", [2, 3])
@pytest.mark.parametrize(
    ("names", "axes"),
    [(["time", "y", "x"], "TYX"), (["angle", "y", "x"], "QYX"), (["y", "x", "s"], "YXS"), (None, "QYX")],
)
def test_an_array_stays_an_array(tmp_path, rng, form, names, axes):
    pixels = pixels_of(rng, axes.replace("T", "Q"))
    options = {"dimension_names": names} if form == 3 else {}
    attributes = {"k": 1, **({"_ARRAY_DIMENSIONS": names} if form == 2 and names else {})}
    array = zarr.create_array(
        tmp_path / "a.zarr", data=pixels, zarr_format=form, chunks=(5, 16, 3), attributes=attributes, **options
    )
    picture = read(tmp_path / "a.zarr")
    assert picture.axes == axes
    write(tmp_path / "b.zarr", picture)
    again = zarr.open_array(tmp_path / "b.zarr", mode="r")
    np.testing.assert_array_equal(again[...], array[...])
    assert dict(again.attrs) == {"k": 1} and read(tmp_path / "b.zarr").axes == axes


def test_a_group_with_one_array_keeps_its_name_and_one_with_more_says_them(tmp_path, rng):
    pixels = pixels_of(rng, "TYX")
    zarr.create_group(tmp_path / "a.zarr").create_array("raw", data=pixels, dimension_names=["t", "y", "x"])
    write(tmp_path / "b.zarr", read(tmp_path / "a.zarr"))
    np.testing.assert_array_equal(zarr.open_group(tmp_path / "b.zarr", mode="r")["raw"][...], pixels)
    zarr.open_group(tmp_path / "a.zarr").create_array("mask", data=pixels)
    with pytest.raises(ValueError, match=r"2 arrays or groups \(mask, raw\); name a folder inside"):
        read(tmp_path / "a.zarr")
    np.testing.assert_array_equal(read(tmp_path / "a.zarr" / "raw").pixels, pixels)


def test_axes_can_be_told_and_guesses_are_refused(tmp_path, rng):
    zarr.create_array(tmp_path / "a.zarr", data=pixels_of(rng, "CYX"))
    with pytest.raises(ValueError, match="say --axes CYX"):
        read(tmp_path / "a.zarr")
    assert read(tmp_path / "a.zarr", axes="CYX").separate


@pytest.mark.parametrize("axes", ["TYX", "CYX", "TCYX", "TZCYX", "YX"])
@pytest.mark.parametrize("kind", ["imagej", "ome"])
def test_sizes_go_from_tiff_to_zarr_and_back(tmp_path, rng, axes, kind):
    pixels = pixels_of(rng, axes)
    if kind == "imagej":
        said = {"unit": "um", "spacing": 2.0, "finterval": 3.0}
        tifffile.imwrite(tmp_path / "a.tif", pixels, imagej=True, resolution=(4, 4), metadata={"axes": axes, **said})
    else:
        said = {"PhysicalSizeX": 250.0, "PhysicalSizeXUnit": "nm", "PhysicalSizeZ": 2.0, "TimeIncrement": 3.0}
        tifffile.imwrite(tmp_path / "a.tif", pixels, ome=True, metadata={"axes": axes, **said})
    lost = write(tmp_path / "a.zarr", read(tmp_path / "a.tif"))
    assert lost == ["ImageJ metadata" if kind == "imagej" else "OME-XML"]
    middle = read(tmp_path / "a.zarr")
    assert middle.axes == "".join(sorted(axes, key="TCZYX".find))
    sizes = {one.letter: one[1:3] for one in middle.metadata.sizes}
    assert sizes["X"] == ((0.25, "micrometer") if kind == "imagej" else (250.0, "nanometer"))
    assert sizes.get("T", (3.0, "second")) == (3.0, "second") and sizes.get("Z", (2.0, "micrometer"))[0] == 2.0
    assert write(tmp_path / "b.tif", middle) == []
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        assert file.is_ome and f'PhysicalSizeX="{sizes["X"][0]}"' in file.ome_metadata
    write(tmp_path / "b.zarr", read(tmp_path / "b.tif"))
    back = read(tmp_path / "b.zarr")
    assert set(back.metadata.sizes) == set(middle.metadata.sizes)
    np.testing.assert_array_equal(back.pixels, middle.pixels)


def test_what_ome_zarr_cannot_hold_becomes_an_array_that_names_its_axes(tmp_path, rng):
    tifffile.imwrite(tmp_path / "a.tif", pixels_of(rng, "TYXS").astype(np.uint8), photometric="rgb")
    assert write(tmp_path / "a.zarr", read(tmp_path / "a.tif", axes="TYXS")) == []
    array = zarr.open_array(tmp_path / "a.zarr", mode="r")
    assert array.metadata.dimension_names == ("t", "y", "x", "s") and array.chunks == (1, 20, 24, 3)
    assert not read(tmp_path / "a.zarr").separate


def test_large_frames_are_written_in_tiles(tmp_path):
    write(tmp_path / "a.zarr", Picture.of(np.zeros((3, 1500, 1030), np.uint8), axes="CYX"))
    assert zarr.open_group(tmp_path / "a.zarr", mode="r")["0"].chunks == (1, 1024, 1024)


@pytest.mark.parametrize(("axes", "stack"), [("TYX", True), ("TCZYX", True), ("CTYX", True), ("CYX", False)])
def test_a_frame_of_a_stack_is_that_of_the_whole(tmp_path, rng, axes, stack):
    zarr.create_array(tmp_path / "a.zarr", data=pixels_of(rng, axes), dimension_names=axes.lower())
    whole = read(tmp_path / "a.zarr")
    with opened(tmp_path / "a.zarr") as picture:
        assert isinstance(picture, Stack) == stack and picture.count == whole.count
        for number in range(whole.count):
            np.testing.assert_array_equal(picture.frame(number).colours, whole.frame(number).colours)


def test_a_zarr_is_a_burst(tmp_path, rng):
    pixels = rng.random((3, 20, 24)).astype(np.float32)
    write(tmp_path / "a.zarr", Picture.of(pixels, axes="TYX"))
    for place in (tmp_path, tmp_path / "a.zarr"):
        np.testing.assert_array_equal(read_burst(place, frames=3)[:, 0].numpy(), pixels)


def small(path, rng):
    write(path, Picture.of(pixels_of(rng, "TYX"), axes="TYX"))
    return path


def test_a_cut_chunk_is_refused(tmp_path, rng):
    path = small(tmp_path / "a.zarr", rng)
    chunk = path / "0" / "c" / "1" / "0" / "0"
    for size in (0, 1, 20, chunk.stat().st_size - 1):
        chunk.write_bytes(chunk.read_bytes()[:size] if size else b"")
        with pytest.raises(ValueError, match=r"a\.zarr cannot be read as a \.zarr image: [^\n]+$"):
            read(path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"zarr_format": 3, "node_type": "array"}'])
@pytest.mark.parametrize("name", ["zarr.json", "0/zarr.json"])
def test_broken_json_is_refused(tmp_path, rng, text, name):
    path = small(tmp_path / "a.zarr", rng)
    (path / name).write_text(text)
    with pytest.raises(ValueError, match=r"a\.zarr cannot be read as a \.zarr image: [^\n]+$"):
        read(path)


def with_levels(path, **entries):
    """A small zarr after OME has said something else of its levels."""
    said = json.loads((path / "zarr.json").read_text())
    said["attributes"]["ome"]["multiscales"][0] |= entries
    (path / "zarr.json").write_text(json.dumps(said))
    return path


@pytest.mark.parametrize("levels", [[], [{"path": "7"}], [{"path": "../../a.zarr/0"}]])
def test_ome_metadata_that_do_not_fit_are_refused(tmp_path, rng, levels):
    path = with_levels(small(tmp_path / "a.zarr", rng), datasets=levels)
    with pytest.raises(ValueError, match=r"a\.zarr cannot be read as a \.zarr image: [^\n]+$"):
        read(path)


def test_where_ome_names_no_axes_the_array_does(tmp_path, rng):
    assert read(with_levels(small(tmp_path / "a.zarr", rng), axes=[])).axes == "TYX"


PICKLE = {"id": "pickle", "protocol": 5}


@pytest.mark.parametrize(
    "entries", [{"filters": [PICKLE]}, {"compressor": PICKLE}, {"filters": [PICKLE], "dtype": "|O"}]
)
def test_no_pickle_is_loaded(tmp_path, rng, entries):
    zarr.create_array(tmp_path / "a.zarr", data=pixels_of(rng, "YX"), zarr_format=2)
    said = json.loads((tmp_path / "a.zarr" / ".zarray").read_text()) | entries
    (tmp_path / "a.zarr" / ".zarray").write_text(json.dumps(said))
    with pytest.raises(ValueError, match=r"a\.zarr cannot be read as a \.zarr image: .*pickle"):
        read(tmp_path / "a.zarr")


def test_nor_with_a_zarr_that_would_load_it(tmp_path, rng, monkeypatch):
    """As of today it refuses pickles by itself; dnlib does not rely on it."""
    array = zarr.create_array(tmp_path / "a.zarr", data=pixels_of(rng, "YX"), zarr_format=2)
    monkeypatch.setattr(type(array.metadata), "to_dict", lambda self: {"filters": [PICKLE]})
    with pytest.raises(ValueError, match=r"a\.zarr cannot be read as a \.zarr image: its values are pickled"):
        read(tmp_path / "a.zarr")


def test_what_is_no_zarr_is_named(tmp_path):
    (tmp_path / "empty.zarr").mkdir()
    with pytest.raises(FileNotFoundError, match=r"empty\.zarr holds no zarr"):
        read(tmp_path / "empty.zarr")
    (tmp_path / "a.zarr.zip").write_bytes(b"PK\3\4")
    with pytest.raises(ValueError, match="is a packed archive"):
        read(tmp_path / "a.zarr.zip")
    (tmp_path / "b.zarr").write_bytes(b"PK\3\4")
    with pytest.raises(ValueError, match="it is a packed archive"):
        read(tmp_path / "b.zarr")


def test_only_a_zarr_is_overwritten_and_only_when_the_new_one_is_whole(tmp_path, rng):
    picture = Picture.of(pixels_of(rng, "TYX"), axes="TYX")
    path = small(tmp_path / "a.zarr", rng)
    before = read(path).pixels
    with pytest.raises(FileExistsError, match="--force"):
        write(path, picture)

    def frames():
        yield picture.frame(0).pixels
        raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        write(path, picture, overwrite=True, frames=frames())
    assert list(tmp_path.iterdir()) == [path]
    np.testing.assert_array_equal(read(path).pixels, before)
    write(path, picture, overwrite=True)
    assert list(tmp_path.iterdir()) == [path]
    np.testing.assert_array_equal(read(path).pixels, picture.pixels)
    (tmp_path / "folder.zarr").mkdir()
    (tmp_path / "file.zarr").touch()
    for name in ("folder.zarr", "file.zarr"):
        with pytest.raises(FileExistsError, match="and no zarr"):
            check_destination(tmp_path / name, overwrite=True)


def test_zarrs_in_a_folder_are_found_and_not_looked_into(tmp_path, rng):
    small(tmp_path / "b_2.zarr", rng)
    (small(tmp_path / "b_10.zarr", rng) / "preview.png").touch()
    assert [path.name for path in image_files(tmp_path, deep=True)] == ["b_2.zarr", "b_10.zarr"]


def test_without_the_package_one_line_says_what_to_install(tmp_path, rng):
    small(tmp_path / "a.zarr", rng)
    program = """
import sys
sys.modules["zarr"] = None
import numpy as np
from dnlib.images import Picture, read, write
for call in (lambda: read("a.zarr"), lambda: write("b.zarr", Picture.of(np.zeros((9, 9))))):
    try:
        call()
    except ValueError as error:
        print(error)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, env=environment
    )
    assert found.stdout.count('pip install "dnlib[zarr]"') == 2 and found.stdout.count("\n") == 2, found.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]


@pytest.mark.parametrize("alpha", ["associated", "unassociated"])
@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_alpha_stays_alpha(tmp_path, rng, alpha, kind):
    pixels = rng.integers(0, 255, (5, 20, 24, 4)).astype(kind)
    write(tmp_path / "a.zarr", Picture.of(pixels, axes="TYXS", alpha=alpha))
    assert read(tmp_path / "a.zarr").alpha == alpha
    with opened(tmp_path / "a.zarr") as stack:
        assert isinstance(stack, Stack) and stack.frame(2).alpha == alpha
