"""Which frames of two files are compared, and whether these lie where they should."""

import numpy as np
import pytest

from dnlib.images import Picture, arrays, write
from dnlib.noise import inspect_files

LEVELS = 0.02, 0.04, 0.08


@pytest.fixture
def stacks(rng):
    """Three frames with more noise in each, and the same without any; the first clean one is constant."""
    tops = np.array([0.3, 0.5, 0.7])
    clean = 0.3 + np.linspace(0, 1, 64)[:, None] * (tops - 0.3)[:, None, None] * np.ones((1, 1, 64))
    return clean + rng.normal(0, 1, clean.shape) * np.reshape(LEVELS, (3, 1, 1)), clean


def written(folder, noisy, clean):
    for name, frames in (("noisy", noisy), ("clean", clean)):
        write(folder / f"{name}.tif", Picture.of(frames.astype(np.float32), axes="TYX"[-frames.ndim :]), overwrite=True)
    return folder / "noisy.tif", folder / "clean.tif"


def test_of_two_stacks_the_same_frame_is_measured_and_named(tmp_path, stacks):
    found, notes = inspect_files(*written(tmp_path, *stacks))
    assert found[""].level == pytest.approx(255 * LEVELS[1], rel=0.05) and notes == ["frame 1 of 3 is measured"]


def test_of_two_stacks_that_both_vary_from_the_start_the_first_frame_is_measured(tmp_path, stacks):
    found, notes = inspect_files(*written(tmp_path, *(frames[1:] for frames in stacks)))
    assert found[""].level == pytest.approx(255 * LEVELS[1], rel=0.05) and notes == []


def test_a_stack_may_have_one_clean_image_and_no_stack_of_another_length(tmp_path, stacks):
    noisy, clean = stacks
    found, _ = inspect_files(*written(tmp_path, noisy, clean[0]))
    assert found[""].level == pytest.approx(255 * LEVELS[0], rel=0.05)
    with pytest.raises(ValueError, match="one of 3 frames and one of 2 were given"):
        inspect_files(*written(tmp_path, noisy, clean[1:]))


@pytest.mark.parametrize("swapped", [False, True])
def test_images_of_two_types_that_lie_apart_are_told_of(tmp_path, swapped, rng):
    clean = arrays.photo("camera")[100:228, 200:328]
    noisy = np.roll(clean, 2, axis=1) + rng.normal(0, 0.02, clean.shape)
    as_bytes, as_floats = (np.rint(255 * image.clip(0, 1)).astype(np.uint8) for image in (noisy, clean))
    as_bytes, as_floats = (as_bytes, clean) if not swapped else (noisy, as_floats)
    for name, image in (("noisy", as_bytes), ("clean", as_floats)):
        write(tmp_path / f"{name}.tif", Picture.of(image.astype(np.float32) if image.dtype.kind == "f" else image))
    assert "2 right of the clean one" in inspect_files(tmp_path / "noisy.tif", tmp_path / "clean.tif")[1][0]


@pytest.mark.parametrize("name", ["camera", "grass"])
@pytest.mark.parametrize("sigma", [5, 20])
def test_a_second_shot_is_not_called_clean_and_its_noise_is_taken_out(tmp_path, rng, name, sigma):
    clean = 30 + 0.7 * 255 * arrays.photo(name)[100:300, 100:300]
    shots = [clean + sigma * rng.standard_normal(clean.shape) for _ in range(2)]
    for words, image in zip(("first", "second", "clean"), (*shots, clean), strict=True):
        write(tmp_path / f"{words}.png", Picture.of(np.rint(image.clip(0, 255)).astype(np.uint8)))
    for second in ("second", "clean"):
        found, notes = inspect_files(tmp_path / "first.png", tmp_path / f"{second}.png")
        told = any("as noisy as the first" in note for note in notes)
        assert told == ("between two shots" in found[""].sentence) == ("clean image" not in found[""].sentence)
        if second == "clean" or (name, sigma) != ("grass", 5):  # texture hides how weak noise is in one image
            assert told == (second == "second")
            assert found[""].level == pytest.approx(sigma, rel=0.05)
