import warnings

import numpy as np
import pytest
import torch

from dnlib.images import Picture, arrays, check_burst, read, read_burst, set_in_motion, write

PHOTO = arrays.photo("astronaut")


@pytest.fixture
def folder(tmp_path, rng):
    for t in range(12):
        write(tmp_path / f"{t:02d}.png", Picture.of(rng.integers(0, 255, (20, 24, 3), dtype=np.uint8)))
    (tmp_path / "notes.txt").write_text("not an image")
    return tmp_path


def test_a_burst_is_read_in_order(folder):
    burst = read_burst(folder, frames=5, first=1, step=2)
    assert burst.shape == (5, 3, 20, 24) and burst.dtype == torch.float32
    assert torch.equal(burst[2:3], arrays.to_tensor(read(folder / "05.png").pixels))


def test_a_photograph_is_set_in_motion():
    still = set_in_motion(PHOTO, frames=3, shape=(100, 120), shift=0, rotation=0, zoom=0, moving=False)
    assert torch.allclose(still[0], still[1], atol=1e-6) and torch.allclose(still[1], still[2], atol=1e-6)
    middle = arrays.to_tensor(PHOTO[206:306, 196:316])
    assert (still[1] - middle[0]).abs().mean() < 0.02
    moved = set_in_motion(PHOTO, frames=5, shape=(100, 120), seed=3)
    assert moved.shape == (5, 3, 100, 120) and moved.min() >= 0 and moved.max() <= 1
    steps = (moved[1:] - moved[:-1]).abs().mean(dim=(1, 2, 3))
    assert (steps > 0.01).all()
    gray = set_in_motion(PHOTO[..., 0], frames=3, shape=(64, 64))
    assert gray.shape == (3, 1, 64, 64)


def test_the_disc_carries_its_picture_along():
    still, moved = (
        set_in_motion(PHOTO, frames=3, shape=(120, 160), shift=shift, rotation=0, zoom=0) for shift in (0, 2)
    )
    rows, columns = slice(34, 50), slice(72, 88)
    assert torch.allclose(still[0, :, rows, columns], moved[2, :, rows, 75:91], atol=1e-4)
    assert not torch.allclose(still[0, :, 90:, :40], moved[2, :, 90:, :40], atol=1e-2)


def test_frames_are_taken_in_the_order_of_their_numbers(tmp_path, rng):
    frames = rng.integers(0, 255, (11, 20, 24), dtype=np.uint8)
    for number, pixels in enumerate(frames):
        write(tmp_path / f"frame_{number}.png", Picture.of(pixels))
    burst = read_burst(tmp_path, frames=11)
    np.testing.assert_array_equal(burst[:, 0].numpy(), frames / np.float32(255))


def test_integers_are_set_in_motion_like_the_floats_they_stand_for():
    options = {"frames": 3, "shape": (32, 32), "moving": False}
    bytes_ = np.rint(255 * PHOTO).astype(np.uint8)
    assert torch.equal(set_in_motion(bytes_, **options), set_in_motion(bytes_ / np.float32(255), **options))


def test_a_cut_is_noticed_and_named():
    burst = set_in_motion(PHOTO, frames=7, shape=(64, 80), shift=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_burst(burst)
    burst[4:] = set_in_motion(arrays.photo("coffee"), frames=7, shape=(64, 80), shift=1)[4:]
    with pytest.warns(UserWarning, match="a cut before frame 4"):
        check_burst(burst)


@pytest.mark.parametrize(("factor", "told"), [(1.3, True), (0.85, True), (1.02, False)])
def test_frames_in_another_light_are_told(factor, told):
    burst = 0.6 * set_in_motion(PHOTO, frames=5, shape=(96, 128), shift=0.3, rotation=0, zoom=0)
    burst[[0, 4]] *= factor
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_burst(burst)
    said = [str(one.message) for one in caught if "light" in str(one.message)]
    assert bool(said) == told
    for message in said:
        assert "than frame 2, the middle one: frame 0 " in message and ", frame 4 " in message
        assert "frame 1" not in message
        assert float(message.split("frame 0 ")[1].split()[0]) == pytest.approx(factor, abs=0.03)


@pytest.mark.parametrize("speed", [3, 30])
def test_motion_is_no_other_light(speed):
    burst = set_in_motion(PHOTO, frames=7, shape=(96, 128), shift=speed, seed=8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_burst(burst)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda folder: read_burst(folder, frames=6), ValueError, "odd number of frames.*6"),
        (lambda folder: read_burst(folder, frames=1), ValueError, "at least 3"),
        (lambda folder: read_burst(folder, frames=7, step=5), FileNotFoundError, "need 31 images; .* has 12"),
        (lambda folder: set_in_motion(PHOTO, frames=4), ValueError, "odd number"),
        (lambda folder: set_in_motion(PHOTO[:100, :100]), ValueError, "do not fit into a photograph of 100x100"),
        (lambda _: check_burst(torch.rand(3, 8, 8)), ValueError, r"\[M, C, H, W\]"),
        (lambda _: check_burst(torch.zeros(3, 1, 8, 8)), ValueError, "frame 0 and frame 1, the middle one, are equal"),
        (lambda _: check_burst(torch.full((3, 1, 8, 8), torch.nan)), ValueError, "frame 0 has pixels that are NaN"),
        (lambda _: check_burst(torch.zeros(3, 1, 8, 8, dtype=torch.uint8)), ValueError, "float tensor.*uint8"),
        (lambda folder: set_in_motion(PHOTO > 0.5, frames=3), ValueError, "the pixels are bool"),
        (lambda folder: set_in_motion((255 * PHOTO).astype(int), frames=3), ValueError, "the pixels are int64"),
    ],
)
def test_bad_input_is_told(folder, call, error, message):
    with pytest.raises(error, match=message):
        call(folder)


def test_frames_of_different_sizes_are_named(folder):
    write(folder / "03.png", Picture.of(np.zeros((9, 9, 3), np.uint8)), overwrite=True)
    with pytest.raises(ValueError, match=r"one shape .*03\.png has \[3, 9, 9\]"):
        read_burst(folder)


def test_clipped_frames_are_told():
    burst = torch.rand(3, 3, 20, 20, generator=torch.Generator().manual_seed(0))
    with pytest.warns(UserWarning, match=r"\d+% of the burst's values are black or white"):
        check_burst((3 * burst - 1).clamp(0, 1))
    assert check_burst(3 * burst - 1) is not None  # beyond black and white: nothing was cut off


def test_a_stack_is_a_burst(tmp_path, rng):
    pixels = rng.random((5, 20, 24)).astype(np.float32)
    write(tmp_path / "shots.tif", Picture.of(pixels, axes="TYX"))
    for place in (tmp_path, tmp_path / "shots.tif"):
        np.testing.assert_array_equal(read_burst(place, frames=5)[:, 0].numpy(), pixels)
