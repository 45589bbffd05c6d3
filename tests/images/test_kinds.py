"""Axes, ranges, missing values and areas without noise: found, told, or refused where they would be a guess."""

import numpy as np
import pytest
import tifffile
from hypothesis import given, strategies as st
from PIL import Image

from dnlib.images import (
    Picture,
    Range,
    check_destination,
    constant_areas,
    filled,
    opened,
    parts_of,
    range_in_use,
    read,
    step_of,
)
from dnlib.images.axes import axes_of, frames_back, frames_last
from dnlib.images.parts import are_counts, looks_like_mosaic


@given(st.permutations("TZYXC"), st.integers(2, 5))
def test_any_order_of_axes_comes_back(letters, count):
    axes = "".join(letters[:count]) if {"Y", "X"} <= set(letters[:count]) else "YX"
    pixels = np.random.default_rng(0).random(tuple(range(3, 3 + len(axes))))
    moved = frames_last(pixels, axes)
    assert moved.shape[-3:-1] == (pixels.shape[axes.index("Y")], pixels.shape[axes.index("X")])
    np.testing.assert_array_equal(frames_back(moved, axes), pixels)


@pytest.mark.parametrize("shape", [(3, 64, 64), (2, 3, 96, 96), (64, 64, 31), (128, 100, 5)])
def test_shapes_that_can_be_read_in_two_ways_ask_for_axes(shape):
    with pytest.raises(ValueError, match=r"--axes .*YX"):
        axes_of(shape)
    assert axes_of(shape, "TCYX"[-len(shape) :]) == "TCYX"[-len(shape) :]


@pytest.mark.parametrize("axes", ["CY", "CCYX", "CYZ", "C?YX", "YX"])
def test_axes_that_do_not_fit_are_refused(axes):
    with pytest.raises(ValueError, match="axes are a letter for each axis"):
        axes_of((3, 64, 64), axes)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_the_bits_in_use_are_found(bits):
    pixels = np.array([1, 2**bits - 1], np.uint16)
    assert range_in_use(pixels).high == 2**bits - 1
    assert str(range_in_use(pixels)) == f"of {2**bits - 1}"
    shifted = pixels << (16 - bits)
    assert range_in_use(shifted).high == 65536 - step_of(shifted) and step_of(shifted) == 2 ** (16 - bits)


@given(st.floats(1e-9, 1e9), st.floats(-10, 10))
def test_floats_have_a_range_of_their_own_or_0_to_1(factor, offset):
    pixels = factor * (np.linspace(0, 1, 100) + offset)
    found = range_in_use(pixels)
    assert (found.low, found.high) in ((0, 1), (pixels.min(), pixels.max()))
    with pytest.raises(ValueError, match="from black up to white"):
        Range.told(1, 1)
    for endless in ((0, np.inf), (-np.inf, 255), (np.nan, 1)):
        with pytest.raises(ValueError, match="from black up to white"):
            Range.told(*endless)


@pytest.mark.parametrize("value", [-9999, -32768, -3.4028234663852886e38])
def test_evident_no_data_is_left_alone_and_named(rng, value):
    pixels = rng.normal(200, 10, (20, 24)).astype(np.float32)
    pixels[2:5, 2:9] = value
    picture = Picture.of(pixels)
    np.testing.assert_array_equal(picture.inside, pixels != np.float32(value))
    assert "taken for missing" in picture.notes[0]
    assert Picture.of(np.where(picture.inside, pixels, 150).astype(np.float32)).inside.all()


@pytest.mark.parametrize("said", ["-9999", "65535", "nan", "1e20", "240.5"])
def test_a_no_data_value_that_no_pixel_can_have_takes_part_in_nothing(tmp_path, rng, said):
    """Wrapped around, -9999 would be 241: pixels of that value were left as they are."""
    pixels = rng.integers(0, 256, (40, 40)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, extratags=[(42113, 2, 0, said, True)])
    picture = read(tmp_path / "a.tif")
    assert picture.inside.all() and f"{float(said):g} stands for no data, which uint8 cannot hold" in picture.notes[0]


def test_nan_may_be_what_a_file_says_of_missing_pixels(tmp_path, rng):
    pixels = np.where(np.eye(20) > 0, np.nan, rng.random((20, 20))).astype(np.float32)
    tifffile.imwrite(tmp_path / "a.tif", pixels, extratags=[(42113, 2, 0, "nan", True)])
    np.testing.assert_array_equal(read(tmp_path / "a.tif").inside, np.eye(20) == 0)


def test_masks_and_nan_take_part_in_nothing(rng):
    pixels = rng.normal(0, 1, (20, 24))
    masked = np.ma.masked_where(pixels > 1, pixels)
    np.testing.assert_array_equal(Picture.of(masked).inside, pixels <= 1)
    holed = np.where(pixels > 1, np.nan, pixels)
    with pytest.raises(ValueError, match=r"NaN or infinite values; .*--ignore-nan"):
        Picture.of(holed)
    np.testing.assert_array_equal(Picture.of(holed, ignore_nan=True).inside, pixels <= 1)
    with pytest.raises(ValueError, match="no pixel of the image was measured"):
        Picture.of(np.full((9, 9), np.nan), ignore_nan=True)


def test_missing_pixels_are_filled_from_the_nearest(rng):
    frames, inside = rng.random((2, 12, 12, 3)), rng.random((2, 12, 12)) < 0.8
    result = filled(np.where(inside[..., None], frames, np.nan), inside)
    assert np.isfinite(result).all()
    np.testing.assert_array_equal(result[inside], frames[inside])


def test_constant_areas_are_found_and_noise_is_not(rng):
    frame = rng.integers(0, 255, (1, 60, 70, 3))
    assert not constant_areas(frame).any()
    frame[:, :20], frame[:, 40:, 60:] = 0, 255
    expected = np.zeros((1, 60, 70), bool)
    expected[:, :20], expected[:, 40:, 60:] = True, True
    np.testing.assert_array_equal(constant_areas(frame), expected)


@pytest.mark.parametrize("rate", [0.02, 0.3, 2.0])
def test_photon_counts_are_recognised(rng, rate):
    counts = rng.poisson(rate * (1 + np.sin(np.arange(64) / 9))[:, None] * np.ones((64, 64)))
    assert parts_of(Picture.of(counts.astype(np.uint8)))[0][0].counts
    assert not are_counts((counts > 0).repeat(8, 0).repeat(8, 1)[..., None].reshape(-1, 1))


def test_a_mosaic_is_recognised_and_rows_columns_or_texture_are_not(rng):
    smooth = np.add.outer(np.arange(64.0), np.arange(64.0))
    noise = rng.normal(0, 3, (64, 64))
    assert looks_like_mosaic((smooth * np.tile([[1, 0.8], [0.8, 0.6]], (32, 32)) + noise)[None])
    for other in (noise, smooth + noise, noise + 20 * rng.normal(0, 1, 64), noise + 20 * (np.arange(64) % 2)):
        assert not looks_like_mosaic(other[None])
    parts, notes = parts_of(Picture.of(smooth * np.tile([[1, 0.8], [0.8, 0.6]], (32, 32)) + noise))
    assert len(parts) == 4 and "mosaic" in notes[0]


WRONG = [
    (b"", "an empty file"), (b"<!DOCTYPE html><html>", "a web page"), (b"GIF89a....", "a GIF picture"),
    (b"RIFF....WEBPVP8 ", "a WebP picture"), (b"....ftypheic", "a HEIC"), (b"%PDF-1.4", "a PDF"),
    (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"), (b"PK\3\4....", "a packed archive"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "message"), WRONG)
@pytest.mark.parametrize("ending", [".png", ".jpg", ".tif", ".npy"])
def test_what_is_no_image_is_named(tmp_path, content, message, ending):
    (tmp_path / f"a{ending}").write_bytes(content)
    with pytest.raises(ValueError, match=f"it is .*{message}"):
        read(tmp_path / f"a{ending}")


def test_a_wrong_ending_is_read_and_said(tmp_path, rng):
    pixels = rng.integers(0, 255, (16, 16)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.TIF")
    picture = read(tmp_path / "a.TIF")
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert picture.notes == ("a.TIF is a PNG in spite of its name",)


def test_a_broken_head_is_told_without_a_word_of_python(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    with pytest.raises(ValueError, match=r"a\.png cannot be read") as error:
        read(tmp_path / "a.png")
    assert "BytesIO" not in str(error.value)


def test_numbers_that_tiff_has_not_are_refused_before_any_work(tmp_path):
    if np.dtype(np.longdouble).itemsize > 8:
        with pytest.raises(ValueError, match="at most 64 bits"):
            check_destination(tmp_path / "a.tif", Picture.of(np.eye(9, dtype=np.longdouble)))


def test_a_tiff_whose_last_pages_tags_are_cut_off_is_read_alike_at_once_and_frame_by_frame(tmp_path, rng):
    """The values lie in one piece before the tags: none of them is missing."""
    stored = rng.integers(0, 255, (3, 18, 18)).astype(np.uint8)
    path = tmp_path / "cut.tif"
    tifffile.imwrite(path, stored, photometric="minisblack")
    whole = path.read_bytes()
    for missing in (1, 20, 100):
        path.write_bytes(whole[:-missing])
        with opened(path) as stack:
            frames = np.stack([stack.frame(number).pixels for number in range(stack.count)])
        np.testing.assert_array_equal(frames, stored)
        np.testing.assert_array_equal(read(path).pixels, stored)


def test_signed_values_whose_differences_do_not_fit_their_type_vary_and_are_measured(rng):
    pixels = np.where(rng.random((20, 24, 3)) < 0.5, -30000, 30000).astype(np.int16)
    pixels[0, 0] = -32768
    picture = Picture.of(np.stack([0 * pixels, pixels]), axes="TYXS")
    assert picture.shown == 1 and picture.inside.all() and picture.notes == ()
    (part,), notes = parts_of(Picture.of(pixels, axes="YXS"), unlike=lambda *_: False)
    assert part.pixels.shape[-1] == 3 and notes == []
