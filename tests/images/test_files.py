import os
from dataclasses import replace

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings, strategies as st
from PIL import Image

from dnlib.images import (
    Picture,
    Stack,
    atomic,
    check_destination,
    image_files,
    opened,
    read,
    without_values,
    write,
    writing,
)
from dnlib.images.files import files_of
from dnlib.images.metadata import Metadata
from dnlib.images.tiff import write_tiff

quietly = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])


sides = st.integers(8, 20)


def pixels_of(dtype, shape):
    elements = {"min_value": -1e3, "max_value": 1e3} if np.dtype(dtype).kind == "f" else {}
    return hnp.arrays(dtype, shape, elements=elements or None)


FORMATS = [
    (".png", "uint8", None), (".png", "uint8", 2), (".png", "uint8", 3), (".png", "uint8", 4),
    (".png", "uint16", None), (".png", "uint16", 3), (".png", "uint16", 4),
    (".tif", "uint8", 3), (".tif", "uint8", 4), (".tif", "uint16", None), (".tif", "uint16", 3),
    (".tif", "float32", None), (".tif", "float32", 3), (".npy", "float64", 3), (".npy", "int16", None),
]  # fmt: skip


@pytest.mark.parametrize(("suffix", "dtype", "channels"), FORMATS)
@given(data=st.data())
@quietly
def test_files_give_back_what_was_written(tmp_path, suffix, dtype, channels, data):
    shape = (data.draw(sides), data.draw(sides), *([channels] if channels else []))
    pixels = data.draw(pixels_of(dtype, shape))
    alpha = "unassociated" if channels in (2, 4) else ""
    write(tmp_path / f"a{suffix}", Picture.of(pixels, alpha=alpha), overwrite=True)
    back = read(tmp_path / f"a{suffix}")
    assert back.pixels.dtype == pixels.dtype and back.channels == bool(channels)
    np.testing.assert_array_equal(back.pixels, pixels)


@pytest.mark.parametrize("shape", [(3, 9, 10), (5, 9, 10), (4, 9, 10, 3), (3, 9, 10, 4), (2, 3, 9, 10)])
def test_stacks_survive_a_tiff(tmp_path, rng, shape):
    channels = shape[-1] <= 4
    picture = Picture.of(rng.integers(0, 2**16, shape).astype(np.uint16), channels)
    write(tmp_path / "stack.tif", picture)
    back = read(tmp_path / "stack.tif")
    assert back.channels == channels
    np.testing.assert_array_equal(back.pixels, picture.pixels)


def test_a_jpeg_keeps_its_colour_profile_and_is_turned_upright(tmp_path, rng):
    exif = Image.Exif()
    exif[0x0112] = 6  # "rotate by 90 degrees to view"
    pixels = rng.integers(0, 255, (16, 24, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "phone.jpg", exif=exif, icc_profile=b"profile")
    picture = read(tmp_path / "phone.jpg")
    assert picture.pixels.shape == (24, 16, 3)
    write(tmp_path / "out.jpg", picture)
    assert Image.open(tmp_path / "out.jpg").info["icc_profile"] == b"profile"


def test_palette_and_bilevel_pictures_are_read(tmp_path, rng):
    Image.fromarray(rng.integers(0, 255, (16, 16, 3)).astype(np.uint8)).quantize(8).save(tmp_path / "p.png")
    Image.fromarray(rng.integers(0, 2, (16, 16)).astype(bool)).save(tmp_path / "b.png")
    assert read(tmp_path / "p.png").pixels.shape == (16, 16, 3)
    assert read(tmp_path / "b.png").pixels.dtype == np.uint8


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
@pytest.mark.parametrize("pages", [1, 3])
def test_tiffs_of_one_bit_are_read_as_a_png_of_one_bit_is(tmp_path, rng, photometric, pages):
    drawn = rng.random((pages, 16, 24)) < 0.4
    tifffile.imwrite(tmp_path / "a.tif", drawn == (photometric == "minisblack"), photometric=photometric)
    for number, page in enumerate(drawn):
        Image.fromarray(page).save(tmp_path / "a.png")
        with opened(tmp_path / "a.tif") as stack:
            found, png = stack.frame(number).pixels, read(tmp_path / "a.png").pixels
        np.testing.assert_array_equal(found, png)
        assert found.dtype == png.dtype


@pytest.mark.parametrize("name", ["text.png", "text.jpg", "text.tif", "text.npy"])
def test_a_text_file_with_a_picture_ending_is_refused(tmp_path, name):
    (tmp_path / name).write_text("this is not a picture")
    with pytest.raises(ValueError, match=f"{name} cannot be read"):
        read(tmp_path / name)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".npy"])
def test_truncated_files_are_refused(tmp_path, rng, suffix):
    path = tmp_path / f"whole{suffix}"
    write(path, Picture.of(rng.integers(0, 255, (64, 64, 3)).astype(np.uint8)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match="cannot be read"):
        read(path)


def test_pictures_above_the_limit_of_pillow_are_read_and_written(tmp_path, monkeypatch):
    """Above twice the limit Pillow refuses to open them; 100 stands for its 89 megapixels, which would take long."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    pixels = np.linspace(0, 255, 16 * 24 * 3).reshape(16, 24, 3)
    for name, kind in (("a.png", np.uint8), ("b.png", np.uint16), ("c.jpg", np.uint8)):
        write(tmp_path / name, Picture.of(pixels.astype(kind)))
        before = read(tmp_path / name)
        assert before.pixels.shape == pixels.shape and before.pixels.dtype == kind
        write(tmp_path / name, replace(before, pixels=255 - before.pixels), overwrite=True)
        assert np.abs(read(tmp_path / name).pixels + before.pixels.astype(float) - 255).max() < 5
    assert Image.MAX_IMAGE_PIXELS == 100
    with pytest.raises(Image.DecompressionBombError):
        Image.open(tmp_path / "a.png")


@pytest.mark.parametrize(("frames", "large"), [(4, False), (5, True)])
@pytest.mark.parametrize("kept", [None, {"resolution": (1.0, 1.0)}])
def test_what_an_ordinary_tiff_cannot_hold_becomes_a_bigtiff(tmp_path, monkeypatch, frames, large, kept):
    """Its places are 32 bits: with 4 GB and more a file would end in the middle."""
    written = {}
    monkeypatch.setattr(tifffile, "imwrite", lambda path, data, **options: written.update(options))
    layout = Picture.of(without_values((frames, 30_000, 30_000), np.dtype(np.uint8)), axes="TYX")
    lost = write_tiff(tmp_path / "a.tif", replace(layout, metadata=Metadata(imagej=kept)), iter(()))
    assert written["shape"] == layout.pixels.shape
    assert written.get("bigtiff", False) is large
    assert written.get("imagej", False) is (kept is not None and not large)
    assert lost == (["ImageJ metadata"] if kept and large else [])


def test_pickles_are_never_loaded(tmp_path):
    np.save(tmp_path / "object.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="cannot be read"):
        read(tmp_path / "object.npy")


def test_missing_files_and_unknown_endings_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.png is not there"):
        read(tmp_path / "nothing.png")
    (tmp_path / "a.gif").write_bytes(b"")
    with pytest.raises(ValueError, match=r"\.png, .*'\.gif' was given"):
        read(tmp_path / "a.gif")


BAD_DESTINATIONS = [
    ("a.jpg", np.zeros((9, 9), np.uint16), "uint16"), ("a.png", np.zeros((9, 9), np.float32), "float32"),
    ("a.jpg", np.zeros((9, 9, 4), np.uint8), "alpha"), ("a.png", np.zeros((5, 9, 9), np.uint8), "stack"),
    ("a.bmp", np.zeros((9, 9), np.uint8), r"\.bmp"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "pixels", "message"), BAD_DESTINATIONS)
def test_formats_that_would_change_the_picture_are_refused(tmp_path, name, pixels, message):
    with pytest.raises(ValueError, match=message):
        write(tmp_path / name, Picture.of(pixels))
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten_or_left_half_written(tmp_path, monkeypatch):
    picture = Picture.of(np.zeros((9, 9), np.uint8))
    path = tmp_path / "a.png"
    path.write_text("precious")
    with pytest.raises(FileExistsError, match="--force"):
        write(path, picture)
    monkeypatch.setattr(Image.Image, "save", lambda *a, **k: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write(path, picture, overwrite=True)
    assert path.read_text() == "precious" and list(tmp_path.iterdir()) == [path]
    with pytest.raises(NotADirectoryError, match="no folder"):
        write(tmp_path / "nowhere" / "a.png", picture)
    with pytest.raises(FileExistsError, match="folder"):
        write(tmp_path, picture)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_what_is_replaced_keeps_its_permissions(tmp_path, mode):
    path = tmp_path / "a.png"
    path.touch()
    path.chmod(mode)
    with atomic(path) as temporary:
        assert temporary.stat().st_mode & 0o777 == mode | 0o200  # nobody else may look before it is whole
    assert path.stat().st_mode & 0o777 == mode
    write(path, Picture.of(np.zeros((9, 9), np.uint8)), overwrite=True)
    assert path.stat().st_mode & 0o777 == mode and read(path).pixels.shape == (9, 9)


def test_what_is_new_has_the_permissions_that_the_user_gives_new_files(tmp_path):
    before = os.umask(0o027)
    try:
        write(tmp_path / "a.png", Picture.of(np.zeros((9, 9), np.uint8)))
    finally:
        os.umask(before)
    assert (tmp_path / "a.png").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("there", [True, False])
def test_links_are_written_through(tmp_path, there):
    (tmp_path / "store").mkdir()
    path, target = tmp_path / "a.png", tmp_path / "store" / "content"
    path.symlink_to("store/content")
    if there:
        target.write_text("old")
    with pytest.raises(FileExistsError, match="--force"):
        write(path, Picture.of(np.zeros((9, 9), np.uint8)))
    write(path, Picture.of(np.zeros((9, 9), np.uint8)), overwrite=True)
    assert path.is_symlink() and not target.is_symlink() and read(path).pixels.shape == (9, 9)
    assert list((tmp_path / "store").iterdir()) == [target] and target.read_bytes().startswith(b"\x89PNG")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_is_no_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(FileExistsError, match="is no file"):
        check_destination(tmp_path / "pipe.png", overwrite=True)


def test_a_link_into_no_folder_is_refused(tmp_path):
    (tmp_path / "lost.png").symlink_to(tmp_path / "nowhere" / "a.png")
    with pytest.raises(NotADirectoryError, match="nowhere"):
        check_destination(tmp_path / "lost.png", overwrite=True)


def test_files_are_listed_in_natural_order(tmp_path):
    for name in ("a10.png", "a2.png", "a02.png", "B.NPY", ".hidden.png", "notes.txt", "c/1.tif", "c/.d/1.tif"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in image_files(tmp_path)] == ["B.NPY", "a02.png", "a2.png", "a10.png"]
    assert image_files(tmp_path, deep=True)[4:] == [tmp_path / "c" / "1.tif"]


@given(st.sets(st.from_regex(r"[a-c0-9²٣]{1,6}", fullmatch=True), max_size=6))
@quietly
def test_any_names_can_be_ordered(tmp_path_factory, names):
    folder = tmp_path_factory.mktemp("names")
    for name in names:
        (folder / f"{name}.png").touch()
    assert {path.stem for path in image_files(folder)} == names


def test_an_unwritable_folder_is_named(tmp_path, monkeypatch):
    def refuse(**_):
        raise PermissionError("denied")  # also where the tests run as root, who may write everywhere

    monkeypatch.setattr(writing.tempfile, "TemporaryFile", refuse)
    with pytest.raises(PermissionError, match="nothing can be written"):
        check_destination(tmp_path / "a.png")


def test_tiff_pages_are_a_stack_and_unequal_ones_are_refused(tmp_path, rng):
    pages = rng.integers(0, 255, (2, 16, 20)).astype(np.uint8)
    with tifffile.TiffWriter(tmp_path / "pages.tif") as file:
        for page in pages:
            file.write(page, metadata=None)
    np.testing.assert_array_equal(read(tmp_path / "pages.tif").pixels, pages)
    with tifffile.TiffWriter(tmp_path / "sizes.tif") as file:
        file.write(pages[0])
        file.write(pages[0, :9])
    with pytest.raises(ValueError, match="2 images of different shape"):
        read(tmp_path / "sizes.tif")


@pytest.mark.parametrize("axes", ["TYX", "TCYX", "TYXS", "CYXS", "CTYX", "CYX", "YXS"])
@pytest.mark.parametrize("name", ["a.tif", "packed.tif", "a.npy"])
def test_a_frame_of_a_stack_is_that_of_the_whole(tmp_path, rng, axes, name):
    pixels = rng.random([{"T": 4, "C": 2, "S": 3, "Y": 20, "X": 24}[letter] for letter in axes], np.float32)
    if name == "a.npy":
        np.save(tmp_path / name, pixels)
    else:
        options = {"photometric": "rgb" if "S" in axes else "minisblack", "metadata": {"axes": axes}}
        tifffile.imwrite(tmp_path / name, pixels, compression="deflate" if "packed" in name else None, **options)
    whole = read(tmp_path / name, axes=axes)
    np.testing.assert_array_equal(whole.pixels, pixels)
    with opened(tmp_path / name, axes=axes) as picture:
        frames_come_first = axes in ("TYX", "TCYX", "TYXS", "CYXS")
        assert isinstance(picture, Stack) == frames_come_first and picture.count == whole.count
        for number in range(whole.count):
            np.testing.assert_array_equal(picture.frame(number).pixels, whole.frame(number).pixels)


def test_a_stack_shows_what_its_picture_shows(tmp_path, rng):
    frames = rng.integers(0, 255, (5, 20, 24)).astype(np.uint8)
    frames[0] = 7
    np.save(tmp_path / "a.npy", frames)
    with opened(tmp_path / "a.npy") as stack:
        assert stack.shown == 1
        np.testing.assert_array_equal(stack.first, frames[1])
        assert stack.first_inside.shape == (20, 24)


def test_colours_in_planes_have_the_axes_that_are_told_at_once_and_frame_by_frame(tmp_path, rng):
    planes = rng.integers(0, 255, (3, 20, 24)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", planes, photometric="minisblack", metadata={"axes": "SYX"})
    with opened(tmp_path / "a.tif", axes="YXC") as picture:
        np.testing.assert_array_equal(picture.pixels, read(tmp_path / "a.tif", axes="YXC").pixels)
        np.testing.assert_array_equal(picture.colours, np.moveaxis(planes, 0, -1))


@pytest.mark.parametrize(("photometric", "channels"), [("miniswhite", None), ("separated", 4)])
def test_tiff_colour_models_that_would_be_misread_are_refused(tmp_path, photometric, channels):
    pixels = np.zeros((16, 16, *([channels] if channels else [])), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric=photometric)
    with pytest.raises(ValueError, match=photometric.upper()):
        read(tmp_path / "a.tif")


def test_a_jpeg_for_printing_is_refused(tmp_path):
    Image.new("CMYK", (16, 16)).save(tmp_path / "a.jpg")
    with pytest.raises(ValueError, match=r"a\.jpg cannot be read.*: its colour mode is CMYK; gray and RGB are"):
        read(tmp_path / "a.jpg")


def test_animations_are_refused_rather_than_cut_to_their_first_frame(tmp_path, rng):
    frames = [Image.fromarray(rng.integers(0, 255, (16, 16)).astype(np.uint8)) for _ in range(3)]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    with pytest.raises(ValueError, match="3 frames"):
        read(tmp_path / "a.png")


@pytest.mark.parametrize("axes", ["YXC", "YXT"])
def test_told_axes_without_samples_have_no_alpha(tmp_path, rng, axes):
    Image.fromarray(rng.integers(0, 255, (16, 20, 4)).astype(np.uint8)).save(tmp_path / "a.png")
    picture = read(tmp_path / "a.png", axes=axes)
    assert not picture.alpha and (picture.count, picture.colours.shape[-1]) == ((1, 4) if axes == "YXC" else (4, 1))
    write(tmp_path / "b.tif", picture)
    assert read(tmp_path / "b.tif").pixels.size == picture.pixels.size
    assert read(tmp_path / "a.png", axes="yxs").alpha


def test_a_folder_of_folders_is_refused_and_one_that_holds_images_is_named(tmp_path):
    (tmp_path / "days" / "monday").mkdir(parents=True)
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "days" / "monday" / "a.png")
    with pytest.raises(ValueError, match=r"holds no image file .*: name .*monday$"):
        files_of([tmp_path / "days"])
