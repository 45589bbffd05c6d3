"""What files say about their pixels survives, or is named."""

from dataclasses import replace

import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from dnlib.images import opened, read, write
from dnlib.images.axes import upright


@pytest.fixture
def rgb(rng):
    return rng.integers(0, 255, (20, 24, 3)).astype(np.uint8)


def chunks_of(path):
    data, place, found = path.read_bytes(), 8, {}
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        found[data[place + 4 : place + 8].decode()] = data[place + 8 : place + 8 + size]
        place += 12 + size
    return found


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_png_keeps_profile_gamma_resolution_texts_and_exif(tmp_path, rgb, dtype):
    info, exif = PngInfo(), Image.Exif()
    info.add(b"gAMA", (45455).to_bytes(4, "big"))
    info.add_text("Author", "Ada")
    exif[271] = "a maker"
    Image.fromarray(rgb).save(
        tmp_path / "a.png", pnginfo=info, dpi=(300, 300), icc_profile=b"profile", exif=exif.tobytes()
    )
    picture = read(tmp_path / "a.png")
    picture = picture.with_colours(picture.colours.astype(dtype))
    assert write(tmp_path / "b.png", picture) == []
    found = chunks_of(tmp_path / "b.png")
    assert found["gAMA"] == (45455).to_bytes(4, "big") and {"iCCP", "eXIf"} <= set(found) and b"Ada" in found["tEXt"]
    assert found["pHYs"][:4] == round(300 / 0.0254).to_bytes(4, "big")
    np.testing.assert_array_equal(read(tmp_path / "b.png").pixels, rgb)
    assert write(tmp_path / "c.npy", picture) == ["colour profile", "EXIF", "resolution", "gAMA", 'text "Author"']


@pytest.mark.parametrize("mode", ["RGB", "L", "1"])
def test_transparency_by_a_key_becomes_alpha(tmp_path, rgb, mode):
    pixels, key = {"RGB": (rgb, (9, 9, 9)), "L": (rgb[..., 0], 9), "1": (rgb[..., 0] > 99, 1)}[mode]
    pixels[3, 4] = key
    Image.fromarray(pixels).save(tmp_path / "a.png", transparency=key)
    picture = read(tmp_path / "a.png")
    assert picture.alpha == "unassociated" and picture.pixels[3, 4, -1] == 0 and not picture.inside[3, 4]


def test_every_orientation_is_turned_upright_as_pillow_does(tmp_path, rgb):
    from PIL import ImageOps

    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[274] = orientation
        image = Image.fromarray(rgb)
        image.getexif()[274] = orientation
        expected = np.asarray(ImageOps.exif_transpose(image))
        np.testing.assert_array_equal(upright(rgb, "YXS", orientation), expected)
        tifffile.imwrite(tmp_path / "a.tif", rgb, extratags=[(274, 3, 1, orientation, True)])
        Image.fromarray(rgb).save(tmp_path / "a.png", exif=exif)
        for name in ("a.tif", "a.png"):
            np.testing.assert_array_equal(read(tmp_path / name).pixels, expected)
            assert not read(tmp_path / name).metadata.exif


def test_a_geotiff_keeps_its_place_and_no_data_value(tmp_path, rng):
    pixels = rng.normal(200, 10, (20, 24)).astype(np.float32)
    pixels[:5] = -3.4028234663852886e38
    tags = [(33550, 12, 3, (30.0, 30.0, 0.0), True), (33922, 12, 6, (0.0, 0, 0, 5e5, 4e6, 0), True)]
    tags += [(42113, 2, 0, "-3.4028234663852886e+38", True)]
    tifffile.imwrite(tmp_path / "a.tif", pixels, extratags=tags)
    picture = read(tmp_path / "a.tif")
    assert not picture.inside[:5].any() and picture.inside[5:].all() and not picture.notes
    write(tmp_path / "b.tif", picture)
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        assert file.pages[0].tags[33550].value == (30.0, 30.0, 0.0) and file.pages[0].tags[33922].value[3] == 5e5
        assert file.pages[0].tags[42113].value.startswith("-3.40282346")


@pytest.mark.parametrize("axes", ["CYX", "TCYX", "ZYX"])
def test_imagej_and_ome_keep_axes_and_pixel_size(tmp_path, rng, axes):
    pixels = rng.integers(0, 4000, (2, 3, 20, 24)[4 - len(axes) :]).astype(np.uint16)
    said = {"axes": axes, "unit": "um", "spacing": 2.0}
    tifffile.imwrite(tmp_path / "i.tif", pixels, imagej=True, resolution=(4, 4), metadata=said)
    tifffile.imwrite(tmp_path / "o.ome.tif", pixels, metadata={"axes": axes, "PhysicalSizeX": 0.25})
    for name in ("i.tif", "o.ome.tif"):
        picture = read(tmp_path / name)
        assert picture.axes == axes and picture.separate == ("C" in axes)
        assert write(tmp_path / f"out_{name}", picture) == []
        with tifffile.TiffFile(tmp_path / f"out_{name}") as file:
            assert file.series[0].axes == axes
            np.testing.assert_array_equal(file.asarray(), pixels)
            if name == "i.tif":
                assert file.imagej_metadata["unit"] == "um" and file.imagej_metadata["spacing"] == 2.0
                assert file.pages[0].tags[282].value == (4, 1)
            else:
                assert 'PhysicalSizeX="0.25"' in file.ome_metadata
    floats = picture.with_colours(picture.colours.astype(np.float32))
    write(tmp_path / "f.ome.tif", floats)
    with tifffile.TiffFile(tmp_path / "f.ome.tif") as file:
        assert file.is_ome and file.series[0].axes == axes and file.asarray().dtype == np.float32


def test_of_an_ome_set_only_what_the_file_holds_is_read(tmp_path, rng):
    pixels = rng.integers(0, 4000, (2, 20, 24)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels[:1], metadata={"axes": "CYX"})
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as file:
        other = '<TiffData FirstC="1" IFD="0" PlaneCount="1"><UUID FileName="b.ome.tif">urn:uuid:b</UUID></TiffData>'
        xml = file.ome_metadata.replace('SizeC="1"', 'SizeC="2"').replace("</Pixels>", f"{other}</Pixels>")
    tifffile.imwrite(tmp_path / "set.ome.tif", pixels[0], description=xml, metadata=None)
    picture = read(tmp_path / "set.ome.tif")
    assert picture.pixels.shape == (20, 24) and "1 of the 2 planes" in picture.notes[0] and not picture.metadata.ome


def test_the_last_of_four_frames_is_no_alpha_however_they_are_stored(tmp_path):
    """Not told otherwise, tifffile stores them as colours with alpha, and their axes beside."""
    frames = np.random.default_rng(0).integers(0, 2**16, (4, 24, 32)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", frames, photometric="rgb", planarconfig="separate", metadata={"axes": "TYX"})
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.series[0].axes == "TYX" and file.pages[0].extrasamples
    with opened(tmp_path / "a.tif") as in_turn:
        for picture in (read(tmp_path / "a.tif"), in_turn):
            assert (picture.axes, picture.alpha, picture.count) == ("TYX", "", 4)
            np.testing.assert_array_equal(picture.frame(3).colours[..., 0], frames[3])


@pytest.mark.parametrize(("kind", "alpha"), [("assocalpha", "associated"), ("unassalpha", "unassociated")])
def test_alpha_stays_of_its_kind_and_unspecified_samples_are_channels(tmp_path, rng, kind, alpha):
    pixels = rng.integers(0, 255, (20, 24, 4)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", extrasamples=[kind])
    picture = read(tmp_path / "a.tif")
    assert picture.alpha == alpha and picture.colours.shape[-1] == 3
    assert read(tmp_path / "a.tif", channels=True).colours.shape[-1] == 4
    write(tmp_path / "b.tif", picture)
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        assert file.pages[0].extrasamples[0].name == kind.upper()
    if alpha == "associated":
        with pytest.raises(ValueError, match="with associated alpha"):
            write(tmp_path / "b.png", picture)


@pytest.mark.parametrize("count", [2, 4, 5])
def test_samples_that_are_not_alpha_are_channels(tmp_path, rng, count):
    pixels = rng.integers(0, 60000, (20, 24, count)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack", planarconfig="contig")
    picture = read(tmp_path / "a.tif")
    assert picture.separate and picture.colours.shape[-1] == count
    write(tmp_path / "b.tif", picture)
    again = read(tmp_path / "b.tif")
    assert again.colours.shape[-1] == count and not again.alpha
    np.testing.assert_array_equal(again.pixels, pixels)


def test_ycbcr_becomes_rgb(tmp_path):
    colours = np.tile(np.uint8([145, 106, 74]), (16, 16, 1))
    stored = np.asarray(Image.fromarray(colours).convert("YCbCr"))
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="ycbcr", extratags=[(530, 3, 2, (1, 1), True)])
    assert np.abs(read(tmp_path / "a.tif").pixels.astype(int) - colours).max() <= 2


@pytest.mark.parametrize(("kind", "count"), [("uint16", 3), ("float32", 3), ("uint8", 2), ("uint8", 5)])
def test_samples_that_imagej_cannot_hold_are_written_as_plain_tiff(tmp_path, rng, kind, count):
    pixels = rng.integers(0, 255, (2, 20, 24, count)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels[..., 0], imagej=True, metadata={"axes": "TYX"})
    imagej = read(tmp_path / "a.tif").metadata
    options = {"photometric": "minisblack", "planarconfig": "contig"}
    tifffile.imwrite(tmp_path / "b.tif", pixels.astype(kind), metadata={"axes": "TYXS"}, **options)
    picture = replace(read(tmp_path / "b.tif"), metadata=imagej)
    write(tmp_path / "c.tif", picture)
    np.testing.assert_array_equal(read(tmp_path / "c.tif").pixels, pixels)


def test_imagej_files_of_four_channels_get_no_alpha(tmp_path, rng):
    pixels = rng.integers(0, 255, (20, 24, 4)).astype(np.uint8)
    options = {"imagej": True, "photometric": "rgb", "extrasamples": ["unspecified"]}
    tifffile.imwrite(tmp_path / "a.tif", pixels, metadata={"axes": "YXS"}, **options)
    write(tmp_path / "b.tif", read(tmp_path / "a.tif"))
    again = read(tmp_path / "b.tif")
    assert not again.alpha and again.metadata.imagej and (again.pixels == pixels).all()


def smooth(rng):
    y, x = np.mgrid[:64, :64]
    return np.stack([90 + x, 150 - y, 80 + x // 2 + y // 2], -1).astype(np.uint8) + rng.integers(
        0, 9, (64, 64, 1), "u1"
    )


@pytest.mark.parametrize("quality", [98, 50])
def test_a_jpeg_that_is_as_it_was_is_copied_and_a_changed_one_loses_no_more_than_it_must(tmp_path, rng, quality):
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(smooth(rng)).save(tmp_path / "a.jpg", quality=quality, exif=exif)
    picture = read(tmp_path / "a.jpg")
    assert write(tmp_path / "b.jpg", picture) == []
    assert (tmp_path / "b.jpg").read_bytes() == (tmp_path / "a.jpg").read_bytes()
    write(tmp_path / "said.jpg", replace(picture, metadata=replace(picture.metadata, icc_profile=b"profile")))
    assert Image.open(tmp_path / "said.jpg").info["icc_profile"] == b"profile"
    write(tmp_path / "c.jpg", picture.with_colours(picture.colours // 2))
    Image.fromarray(picture.pixels).save(tmp_path / "fine.jpg", quality=95)
    finest = [Image.open(tmp_path / name).quantization for name in ("fine.jpg", "a.jpg")]
    assert Image.open(tmp_path / "c.jpg").quantization == finest[quality == 98]
    Image.fromarray(picture.pixels[..., 0]).save(tmp_path / "gray.jpg", quality=98)
    gray = read(tmp_path / "gray.jpg")
    write(tmp_path / "d.jpg", gray.with_colours(gray.colours // 2))
    assert Image.open(tmp_path / "d.jpg").quantization[0] == Image.open(tmp_path / "gray.jpg").quantization[0]


@pytest.mark.parametrize("comment", ["zwei Grüße".encode(), "zwei Grüße".encode("latin-1")])
def test_xmp_and_comment_of_a_jpeg_go_into_jpeg_and_png_and_what_else_it_says_is_named(tmp_path, rgb, comment):
    Image.fromarray(rgb).save(tmp_path / "a.jpg", xmp=b"<x:xmpmeta/>", comment=comment)
    data = (tmp_path / "a.jpg").read_bytes()
    said = b"Photoshop 3.0\0" + b"8BIM\4\4\0\0\0\0\0\0"
    (tmp_path / "a.jpg").write_bytes(data[:2] + b"\xff\xed" + (len(said) + 2).to_bytes(2, "big") + said + data[2:])
    picture = read(tmp_path / "a.jpg")
    changed = picture.with_colours(255 - picture.colours)
    assert write(tmp_path / "b.jpg", changed) == write(tmp_path / "b.png", changed) == ["APP13 (Photoshop 3.0)"]
    with Image.open(tmp_path / "b.jpg") as jpeg, Image.open(tmp_path / "b.png") as png:
        assert jpeg.info["xmp"] == b"<x:xmpmeta/>" and jpeg.info["comment"].decode() == "zwei Grüße"
        assert png.text == {"Comment": "zwei Grüße", "XML:com.adobe.xmp": "<x:xmpmeta/>"}
    write(tmp_path / "c.jpg", read(tmp_path / "b.png"))
    assert Image.open(tmp_path / "c.jpg").info["xmp"] == b"<x:xmpmeta/>"
    assert write(tmp_path / "b.npy", picture) == ["XMP", 'text "Comment"', "APP13 (Photoshop 3.0)"]


def test_what_is_too_long_for_a_jpeg_is_named(tmp_path, rgb):
    info = PngInfo()
    info.add_text("Comment", "a" * 70_000)
    info.add_text("Title", "a picture")
    Image.fromarray(rgb).save(tmp_path / "a.png", pnginfo=info)
    assert write(tmp_path / "b.jpg", read(tmp_path / "a.png")) == ['text "Title"', "comment (too long for a JPEG)"]
    assert write(tmp_path / "b.tif", read(tmp_path / "a.png")) == ['text "Comment"', 'text "Title"']


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_what_was_turned_upright_is_not_turned_again_by_its_xmp(tmp_path, rgb, suffix):
    Image.fromarray(rgb).save(tmp_path / "a.jpg", xmp=b'<x:xmpmeta tiff:Orientation="6"/>')
    picture = read(tmp_path / "a.jpg")
    assert picture.pixels.shape == (24, 20, 3)
    write(tmp_path / f"b{suffix}", picture.with_colours(255 - picture.colours))
    assert read(tmp_path / f"b{suffix}").pixels.shape == (24, 20, 3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_png_keeps_its_primaries_and_the_languages_of_its_texts_and_what_else_it_says_is_named(tmp_path, rgb, dtype):
    said = {"gAMA": (45455).to_bytes(4, "big"), "cHRM": bytes(range(32)), "sRGB": bytes(1)}
    others = {"sBIT": b"\5\5\5", "tIME": bytes(7), "bKGD": bytes(6)}
    info = PngInfo()
    for name, data in (said | others).items():
        info.add(name.encode(), data)
    info.add_itxt("Title", "ein Bild", "de", "Titel")
    Image.fromarray(rgb).save(tmp_path / "a.png", pnginfo=info)
    picture = read(tmp_path / "a.png")
    picture = picture.with_colours(picture.colours.astype(dtype))
    assert sorted(write(tmp_path / "b.png", picture)) == sorted(others)
    found = chunks_of(tmp_path / "b.png")
    assert {name: found[name] for name in said} == said and not set(others) & set(found)
    assert found["iTXt"] == b"Title\0\0\0de\0Titel\0ein Bild"
    assert set(write(tmp_path / "b.tif", picture)) == {*said, *others, 'text "Title"'}


def test_pixels_that_are_no_squares_are_named(tmp_path, rgb):
    Image.fromarray(rgb).save(tmp_path / "a.jpg")
    data = (tmp_path / "a.jpg").read_bytes()
    assert read(tmp_path / "a.jpg").metadata.lost("b.png") == []
    (tmp_path / "a.jpg").write_bytes(data[:13] + bytes([0, 0, 2, 0, 1]) + data[18:])  # twice as many in x
    assert read(tmp_path / "a.jpg").metadata.lost("b.png") == ["aspect ratio of the pixels"]


SAID = [
    (33723, 4, 3, (1, 2, 3), True), (318, 5, 2, (3127, 10000, 3290, 10000), True),
    (269, 2, 0, "Größe".encode(), True), (315, 2, 0, "Zoë".encode(), True), (301, 3, 256, tuple(range(256)), True),
]  # fmt: skip


@pytest.mark.parametrize(("stack", "kind"), [(False, 1), (False, 2), (True, 1)])
def test_a_tiff_keeps_xmp_iptc_names_and_white_point_and_names_what_it_does_not_keep(tmp_path, rng, stack, kind):
    pages = rng.integers(0, 255, (3, 20, 24)).astype(np.uint8)[: 3 if stack else 1]
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for number, page in enumerate(pages):
            tags = [*SAID, (285, 2, 0, f"page {number}", True), (700, kind, 12, b"<x:xmpmeta/>", True)]
            options = {"resolution": (1234, 617), "resolutionunit": "NONE", "description": "hello wörld".encode()}
            file.write(page, metadata=None, extratags=tags, **options)
    picture = read(tmp_path / "a.tif")
    unread = ["TransferFunction"] + ["PageName of pages after the first"] * stack
    assert write(tmp_path / "b.tif", picture) == unread
    with tifffile.TiffFile(tmp_path / "a.tif") as before, tifffile.TiffFile(tmp_path / "b.tif") as after:
        assert after.pages[0].tags[700].value == b"<x:xmpmeta/>"
        for code in (33723, 318, 269, 315, 285, 282, 283, 296):
            assert after.pages[0].tags[code].value == before.pages[0].tags[code].value, code
        assert after.pages[0].description == "hello wörld"
    lost = [
        "XMP",
        "resolution without a unit",
        "TIFF tags (georeference, IPTC, camera, author, names)",
        'text "Description"',
        *unread,
    ]
    assert write(tmp_path / "b.npy", picture) == lost
    assert stack or "XMP" not in write(tmp_path / "b.png", picture)


def test_a_tiff_whose_resolution_makes_no_sense_has_none(tmp_path, rgb):
    tifffile.imwrite(tmp_path / "a.tif", rgb, resolution=((0, 1), (0, 1)), resolutionunit="INCH")
    write(tmp_path / "b.tif", read(tmp_path / "a.tif"))
    assert read(tmp_path / "b.tif").metadata.resolution is None


def test_imagej_metadata_that_a_type_cannot_have_are_named(tmp_path, rng):
    pixels = rng.integers(0, 255, (2, 20, 24)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pixels, imagej=True, resolution=(4, 4), metadata={"axes": "TYX", "unit": "um"})
    picture = read(tmp_path / "a.tif")
    assert write(tmp_path / "b.tif", picture) == []
    assert write(tmp_path / "b.tif", picture.with_colours(picture.colours.astype(float)), overwrite=True) == [
        "ImageJ metadata"
    ]


@pytest.mark.parametrize("name", ["a.ome.tif", "a.tif"])
def test_of_a_pyramid_the_full_resolution_is_read_and_this_is_said(tmp_path, rng, name):
    pixels = rng.integers(0, 255, (3, 64, 80)).astype(np.uint8)[: 3 if "ome" in name else 1]
    with tifffile.TiffWriter(tmp_path / name) as file:
        subifds, said = (1, {"axes": "TYX"}) if "ome" in name else (None, None)
        file.write(pixels, subifds=subifds, metadata=said, photometric="minisblack")
        file.write(pixels[:, ::2, ::2], subfiletype=1, metadata=said, photometric="minisblack")
    with opened(tmp_path / name) as one_by_one:
        for picture in (one_by_one, read(tmp_path / name)):
            assert picture.pixels.shape == pixels.squeeze().shape and bool(picture.metadata.ome) == ("ome" in name)
            assert picture.notes == ("its full resolution is read; the smaller copies of it (1) are left out",)


@pytest.mark.parametrize("marked", [0, 1])
@pytest.mark.parametrize("steps", [(2, 4), (8,)])
@pytest.mark.parametrize("shape", [(1, 64, 80), (3, 64, 80), (1, 64, 80, 3)])
def test_smaller_copies_in_subifds_are_left_out_and_this_is_said(tmp_path, rng, shape, steps, marked):
    pixels = rng.integers(0, 255, shape).astype(np.uint8)
    options = {"photometric": "rgb" if len(shape) == 4 else "minisblack", "subfiletype": marked}
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(pixels, subifds=len(steps), photometric=options["photometric"])
        for step in steps:
            file.write(pixels[:, ::step, ::step], **options)
    with opened(tmp_path / "a.tif") as one_by_one:
        assert one_by_one.count == len(pixels) and np.array_equal(one_by_one.frame(0).pixels.squeeze(), pixels[0])
    picture = read(tmp_path / "a.tif")
    assert picture.notes == (f"its full resolution is read; the smaller copies of it ({len(steps)}) are left out",)
    assert write(tmp_path / "b.tif", picture) == [] and picture.notes == one_by_one.notes
    assert np.array_equal(picture.pixels.squeeze(), pixels.squeeze())


def test_bytes_after_the_end_of_a_png_are_nothing_it_says(tmp_path):
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes() + bytes(40) + b"and more")
    assert read(tmp_path / "a.png").metadata.unread == ()


def test_16_bits_are_written_whole_whatever_a_text_says(tmp_path):
    said = PngInfo()
    said.add_text("Comment", "about IDAT chunks")
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(tmp_path / "a.png", pnginfo=said)
    picture = read(tmp_path / "a.png")
    deep = replace(picture, pixels=257 * picture.pixels.astype(np.uint16))
    write(tmp_path / "b.png", deep)
    again = read(tmp_path / "b.png")
    assert np.array_equal(again.pixels, deep.pixels) and ("Comment", "about IDAT chunks") in again.metadata.texts


def test_further_pictures_of_a_jpeg_are_named_where_they_are_left_out(tmp_path, rgb):
    picture = Image.fromarray(rgb)
    picture.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[picture])
    assert any("further pictures" in one for one in write(tmp_path / "b.png", read(tmp_path / "a.jpg")))
