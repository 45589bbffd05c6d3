"""At the edge of what there is: huge and tiny values, nothing to sample, long and thin, what stays as it is."""

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import median_filter

import dnlib
from dnlib.denoiser import denoise_file, files
from dnlib.denoiser.destinations import destinations
from dnlib.denoiser.files import denoise_files
from dnlib.images import Picture, write


@pytest.mark.parametrize("scale", [1e-50, 1e-20, 1e40, 1e52])
def test_values_beyond_single_precision_are_denoised_like_others(rng, scale):
    noisy = rng.normal(100, 10, (32, 32))
    expected = dnlib.denoise(noisy, filter="median")
    found, choice = dnlib.denoise(scale * noisy, filter="median", return_choice=True)
    np.testing.assert_allclose(found / scale, expected, rtol=1e-5)
    assert np.ptp(found) > 0 and not [note for note in choice.notes if "share the noise" in note]


def test_where_tiles_are_constant_but_for_a_square_the_picture_stays_as_it_is():
    square = np.zeros((300, 300), np.uint8)
    square[140:160, 140:160] = 200
    np.testing.assert_array_equal(dnlib.denoise(square), square)


def test_a_colour_that_is_constant_in_some_frames_hinders_no_other(rng):
    stack = np.clip(rng.normal(100, 10, (2, 64, 64, 3)), 0, 255).round().astype(np.uint8)
    stack[0, ..., 2] = 0
    found = dnlib.denoise(stack, axes="TYXS", filter="median")
    assert not found[0, ..., 2].any() and found[0, ..., 0].std() < 7


def test_what_varies_between_tiles_alone_is_a_picture_too():
    halves = np.zeros((16, 2048), np.uint8)
    halves[:, 1024:] = 200
    found, choice = dnlib.denoise(halves, return_choice=True)
    np.testing.assert_array_equal(found, halves)
    assert not [note for note in choice.notes if "frames are constant" in note]


def test_of_one_picture_no_constant_frames_are_told(rng):
    noisy = rng.normal(100, 10, (64, 3300))
    noisy[:, :450], noisy[:, 450:900] = 0, 1
    _, choice = dnlib.denoise(noisy, filter="median", return_choice=True)
    assert not [note for note in choice.notes if "frames" in note]


def test_what_stays_as_it_is_must_fit_into_the_type_written(rng):
    missing = rng.normal(100, 10, (64, 64)).astype(np.float32)
    missing[20:40, 20:40] = -9999
    with pytest.raises(ValueError, match=r"uint8 cannot hold -9999, which stays as it is.*--dtype float32"):
        dnlib.denoise(missing, filter="median", dtype="uint8")
    stack = np.stack([np.full((64, 64), 300), rng.normal(100, 10, (64, 64))]).astype(np.float32)
    with pytest.raises(ValueError, match="uint8 cannot hold 300, which stays"):
        dnlib.denoise(stack, axes="TYX", filter="median", dtype="uint8")


def test_transparency_must_fit_into_the_type_written(rng, tmp_path):
    pixels = rng.integers(50, 200, (64, 64, 4)).astype(np.uint16)
    pixels[..., 3] = 40000
    write(tmp_path / "a.tif", Picture.of(pixels, axes="YXS", alpha="unassociated"))
    with pytest.raises(ValueError, match="uint8 cannot hold 40000"):
        denoise_file(tmp_path / "a.tif", tmp_path / "b.tif", filter="median", dtype="uint8")
    assert not (tmp_path / "b.tif").exists()


def test_a_filter_that_is_named_is_applied_as_it_is_to_photon_counts(rng):
    counts = rng.poisson(0.2, (64, 64))
    found = dnlib.denoise(counts, filter="median", dtype="float32")
    assert set(np.unique(found)) <= {0, 1} and found.mean() == pytest.approx(median_filter(counts, 3).mean(), abs=0.02)


def test_a_network_for_colours_takes_equal_ones_if_it_is_named(rng):
    gray = np.clip(rng.normal(100, 10, (64, 64, 1)), 0, 255).round().astype(np.uint8)
    assert dnlib.denoise(np.repeat(gray, 3, axis=2), filter="photographs_network").shape == (64, 64, 3)


@pytest.mark.parametrize("shape", [(8, 8001), (3000, 8)])
def test_long_and_thin_pictures_have_a_page_too(rng, tmp_path, shape):
    write(tmp_path / "a.tif", Picture.of(rng.normal(100, 10, shape).round().astype(np.uint8)))
    denoise_file(tmp_path / "a.tif", tmp_path / "b.tif", report=tmp_path / "c.html", filter="median")
    assert (tmp_path / "c.html").is_file()


def test_a_cluster_is_told_where_everything_lies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", np.eye(8))
    told = {}
    monkeypatch.setattr(files, "_spread", lambda work, pairs, address: told.update(work.keywords) or iter(()))
    list(denoise_files([Path("a.npy")], Path("b.npy"), report=Path("r.html"), cluster="tcp://host:1"))
    assert told["beside"] == {"report": tmp_path / "r.html", "uncertainty": None}


def test_files_named_twice_are_denoised_once_and_none_is_refused(tmp_path):
    (tmp_path / "shots").mkdir()
    image, out = tmp_path / "shots" / "a.png", tmp_path / "out"
    for file in (image, tmp_path / "notes.txt"):
        file.write_bytes(b"")
    for images in ([image, image], [image, tmp_path / "shots"]):
        assert destinations(images, out) == ([(image, out / "a.png")], True)
    with pytest.raises(ValueError, match="no file was given"):
        destinations([], out)
    with pytest.raises(FileExistsError, match=r"notes\.txt is no folder"):
        destinations([image, image], tmp_path / "notes.txt")
