import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from dnlib.images import arrays
from dnlib.noise import camera, read_noise
from dnlib.noise.camera import Camera, demosaic, mosaic
from dnlib.noise.correlation import correlation_map
from dnlib.noise.likelihoods import Sensor

NOTHING = {"demosaic": None, "balance": False, "matrix": False, "gamma": False, "eight_bit": False}
PHOTO = arrays.to_tensor(arrays.photo("astronaut")[:256, :256])


def gray(side=256, value=0.5):
    return torch.full((1, 3, side, side), value)


def noise_of(model, clean, seed=0):
    return model.sample(clean, torch.Generator().manual_seed(seed)).image - clean


@pytest.mark.parametrize("kind", ["malvar", "bilinear", "soft"])
def test_demosaicking_keeps_what_was_seen_and_plain_areas(kind):
    light = torch.rand(2, 3, 17, 12)
    raw = mosaic(light)
    found = demosaic(raw, kind)
    assert torch.equal(mosaic(found), raw)
    plain = torch.tensor([0.2, 0.5, 0.7])[None, :, None, None].expand(1, 3, 11, 10)
    if kind == "bilinear":
        assert torch.allclose(demosaic(mosaic(plain), kind), plain, atol=1e-6)
    assert torch.allclose(demosaic(mosaic(gray(9)), kind), gray(9), atol=1e-6)


@pytest.mark.parametrize("kind", ["malvar", "bilinear", "soft"])
def test_a_gray_ramp_comes_back(kind):
    rows, columns = torch.meshgrid(torch.arange(20.0), torch.arange(22.0), indexing="ij")
    ramp = ((3 * rows + columns) / 100)[None, None].expand(1, 3, 20, 22)
    assert torch.allclose(demosaic(mosaic(ramp), kind)[..., 2:-2, 2:-2], ramp[..., 2:-2, 2:-2], atol=1e-6)


def test_malvar_is_sharper_than_bilinear():
    errors = [((demosaic(mosaic(PHOTO), kind) - PHOTO) ** 2).mean() for kind in ("malvar", "bilinear")]
    assert errors[0] < 0.7 * errors[1]


def test_what_is_developed_is_what_was_exposed():
    model = Camera(demosaic=None, eight_bit=False)
    assert torch.allclose(model.develop(model.expose(PHOTO)), PHOTO, atol=1e-4)


@pytest.mark.parametrize("value", [0.1, 0.8])
def test_the_sensor_s_noise_has_the_variance_of_its_light(value):
    model = Camera(1600, **NOTHING)
    light, iso = gray(value=value), torch.tensor([1600.0])
    noise = noise_of(model, light)
    assert noise.var().item() == pytest.approx(Sensor().variance(light, iso).mean().item(), rel=0.02)
    assert abs(noise.mean()) < 4 * noise.std() / noise.numel() ** 0.5
    far = correlation_map(arrays.to_image(noise), 3)
    far[3, 3] = 0
    assert np.abs(far).max() < 0.01


def colours_correlated(noise):
    return np.corrcoef(noise.reshape(-1, 3).T)


def test_demosaicking_makes_neighbours_share_their_noise():
    noise = arrays.to_image(noise_of(Camera(1600, **NOTHING | {"demosaic": "bilinear"}), gray()))
    assert correlation_map(noise[..., 0], 2)[2, 3] > 0.4 and correlation_map(noise[..., 2], 2)[3, 2] > 0.4
    assert abs(colours_correlated(noise)[0, 2]) < 0.05  # red and blue come from different pixels
    mixed = noise_of(Camera(1600, **NOTHING | {"demosaic": "bilinear", "matrix": True}), gray())
    assert colours_correlated(arrays.to_image(mixed))[0, 1] < -0.1


def test_mean_is_kept_until_gamma_and_clipping_bend_it():
    dark = gray(value=0.02)
    straight = noise_of(Camera(3200, gamma=False, eight_bit=False), dark)
    assert abs(straight.mean()) < 5 * straight.std() / (straight.numel() / 20) ** 0.5
    assert noise_of(Camera(3200), dark).mean() > 0.01


def test_jpeg_spreads_noise_further():
    plain, packed = (arrays.to_image(noise_of(Camera(1600, jpeg=quality), gray())) for quality in (None, 50))
    assert np.abs(correlation_map(packed, 8)[8, 11:]).max() > 2 * np.abs(correlation_map(plain, 8)[8, 11:]).max()


def test_without_noise_nothing_changes():
    model = Camera(1e-6)
    assert torch.allclose(model.sample(PHOTO).image, PHOTO, atol=1 / 255 + 1e-6)


def test_iso_may_be_drawn_per_image():
    drawn = Camera((100, 3200)).sample(gray(16).repeat(8, 1, 1, 1), torch.Generator().manual_seed(0))
    assert drawn.parameter.shape == (8,) and len(set(drawn.parameter.tolist())) == 8
    assert "(100, 3200)" in repr(Camera((100, 3200))) and "malvar" in repr(Camera())
    assert repr(Camera(jpeg=np.int64(90))) == repr(Camera(jpeg=90))


@given(st.integers(3, 20), st.integers(3, 20))
@settings(max_examples=20)
def test_any_size_is_photographed(height, width):
    clean = torch.rand(1, 3, height, width)
    noisy = Camera(800, jpeg=90).sample(clean, torch.Generator().manual_seed(0)).image
    assert noisy.shape == clean.shape and noisy.isfinite().all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Camera(0), "iso is a number > 0"),
        (lambda: Camera(demosaic="nearest"), "malvar, bilinear, soft or None; 'nearest'"),
        (lambda: Camera(jpeg=99), "from 1 to 95"),
        (lambda: Camera(jpeg=90, eight_bit=False), "needs eight_bit"),
        (lambda: Camera(jpeg=True), "from 1 to 95 .*; True was given"),
        (lambda: Camera(gamma="no"), "gamma can be True or False; 'no'"),
        (lambda: Camera().sample(torch.rand(1, 1, 8, 8)), r"colour pictures \[N, 3, H, W\]"),
        (lambda: Camera(black=64), "divide a level in counts by the largest count"),
        (lambda: Camera(black=-0.1), r"in \[0, 1\)"),
        (lambda: read_noise("Camera(1600, black='x')"), r"in \[0, 1\), .*; 'x' was given"),
        (lambda: Camera(black=False), r"in \[0, 1\), .*; False was given"),
        (lambda: demosaic(torch.rand(1, 1, 2, 8)), "at least 3"),
        (lambda: camera.demosaic(torch.rand(1, 3, 8, 8)), r"a mosaic is \[N, 1, H, W\]"),
    ],
)
def test_bad_input_is_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("kind", ["malvar", "bilinear", "soft"])
def test_demosaicking_keeps_the_kind_of_float(dtype, kind):
    raw = torch.rand(1, 1, 9, 8).to(dtype)
    found = demosaic(raw, kind)
    assert found.dtype == dtype and torch.equal(mosaic(found), raw)
    if dtype != torch.float64:
        assert torch.equal(found, demosaic(raw.float(), kind).to(dtype))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.bool, torch.complex64])
def test_what_is_no_float_is_refused_by_name(dtype):
    picture, model = torch.ones((1, 3, 8, 8)).to(dtype), Camera(1600)
    for call in (model.sample, model.expose, lambda picture: model.develop(mosaic(picture)), demosaic):
        with pytest.raises(ValueError, match=rf"a float tensor \[N, C, H, W\] .*; {dtype} of shape"):
            call(picture)
    assert mosaic(picture).dtype == dtype  # which moves values and computes none


def test_without_a_black_level_the_dark_is_too_bright_and_with_one_it_is_not():
    dark = gray(64, 0.005)
    model = {black: Camera(3200, **NOTHING, black=black) for black in (None, 0.0, 0.1)}
    noise = {black: noise_of(camera, dark) for black, camera in model.items()}
    assert noise[0.0].mean() > 0.002 and (dark + noise[0.0]).min() >= -1e-6  # half a Gaussian's mean is left
    assert torch.allclose(noise[0.1], noise[None], atol=1e-6)  # that far below black nothing is lost
    bright = gray(64, 0.7)
    assert torch.equal(noise_of(model[0.0], bright), noise_of(model[None], bright))
    assert "black=0.1" in repr(model[0.1]) and "black" not in repr(model[None])
