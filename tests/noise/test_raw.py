import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from dnlib.images import arrays
from dnlib.noise import camera, raw
from dnlib.noise.camera import Camera
from dnlib.noise.correlation import correlation_map
from dnlib.noise.likelihoods import Sensor

every_pattern = pytest.mark.parametrize("pattern", raw.PATTERNS)


def colours(pattern, height, width):
    """Which of R, G, B each pixel of a frame sees, read off the pattern's own letters: [H, W]."""
    corner = np.array(list(pattern)).reshape(2, 2)
    return np.tile(corner, (height // 2, width // 2))


@every_pattern
@settings(max_examples=8)
@given(half=st.tuples(st.integers(1, 9), st.integers(1, 9)), count=st.integers(1, 3))
def test_unpacking_undoes_packing_to_the_bit(pattern, half, count):
    frame = torch.rand(count, 1, 2 * half[0], 2 * half[1])
    planes = raw.pack(frame, pattern)
    assert planes.shape == (count, 4, *half)
    assert torch.equal(raw.unpack(planes, pattern), frame)
    assert torch.equal(raw.pack(raw.unpack(planes, pattern), pattern), planes)


@every_pattern
def test_each_plane_has_one_colour_in_the_same_order(pattern):
    frame = torch.arange(24.0).reshape(1, 1, 4, 6)
    seen, values = colours(pattern, 4, 6), frame[0, 0].numpy()
    red, green_with_red, green_with_blue, blue = raw.pack(frame, pattern)[0].numpy()
    assert red.ravel().tolist() == values[seen == "R"].tolist()
    assert blue.ravel().tolist() == values[seen == "B"].tolist()
    for green, other in ((green_with_red, "R"), (green_with_blue, "B")):
        rows = (seen == other).any(axis=1)[:, None]
        assert green.ravel().tolist() == values[(seen == "G") & rows].tolist()


def test_the_camera_s_mosaic_is_rggb():
    light = torch.tensor([1.0, 2.0, 3.0])[None, :, None, None].expand(1, 3, 6, 8)
    assert raw.pack(camera.mosaic(light))[0, :, 0, 0].tolist() == [1, 2, 2, 3]


@every_pattern
def test_the_four_planes_of_a_place_are_its_2x2_pixels(pattern):
    frame = torch.rand(1, 1, 8, 10)
    block = raw.pack(frame, pattern)[0, :, 2, 3].sort().values
    assert torch.equal(block, frame[0, 0, 4:6, 6:8].flatten().sort().values)


def test_noise_is_independent_in_raw_light_and_shared_in_the_picture():
    model, generator = Camera(3200), torch.Generator().manual_seed(0)
    light = model.expose(torch.full((1, 3, 192, 192), 0.5))
    noisy = Sensor(3200).sample(light, generator).image
    in_planes = correlation_map(arrays.to_image(raw.pack(noisy - light)), 3)
    in_planes[3, 3] = 0
    assert np.abs(in_planes).max() < 0.025
    in_picture = correlation_map(arrays.to_image(model.develop(noisy) - model.develop(light)), 3)
    assert min(in_picture[3, 4], in_picture[4, 3]) > 0.3


def test_the_camera_s_noise_is_the_sensor_s_developed():
    model, clean = Camera(1600), arrays.to_tensor(arrays.photo("astronaut")[:64, :64])
    light = model.expose(clean)
    noisy = Sensor(1600).sample(light, torch.Generator().manual_seed(3)).image
    expected = clean + model.develop(noisy) - model.develop(light)
    assert torch.equal(model.sample(clean, torch.Generator().manual_seed(3)).image, expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: raw.pack(torch.rand(1, 1, 7, 8)), "even and at least 2; 7x8 was given: cut off the last row"),
        (lambda: raw.pack(torch.rand(1, 1, 8, 5)), "8x5 was given"),
        (lambda: raw.pack(torch.rand(1, 1, 0, 4)), "0x4 was given"),
        (lambda: raw.pack(torch.rand(1, 3, 8, 8)), r"a mosaic is \[N, 1, H, W\]; shape \[1, 3, 8, 8\]"),
        (lambda: raw.pack(torch.rand(8, 8)), r"shape \[8, 8\]"),
        (lambda: raw.pack(torch.rand(1, 1, 8, 8), "RGBG"), "RGGB, BGGR, GRBG or GBRG; 'RGBG' was given"),
        (lambda: raw.pack(torch.rand(1, 1, 8, 8), "rggb"), "'rggb' was given"),
        (lambda: raw.unpack(torch.rand(1, 4, 8, 8), "XTRANS"), "'XTRANS' was given"),
        (lambda: raw.unpack(torch.rand(1, 3, 8, 8)), r"\[N, 4, H/2, W/2\]"),
        (lambda: Sensor(0), "iso is a number > 0"),
        (lambda: Sensor().sample(torch.zeros(1, 4, 8, 8, dtype=torch.uint8)), "float tensor"),
    ],
)
def test_bad_input_is_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()
