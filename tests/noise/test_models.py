import numpy as np
import pytest
import torch
from hypothesis import example, given, settings, strategies as st

from dnlib.noise import CorrelatedGaussian, Gaussian, Impulse, Noise, Poisson, Sensor
from dnlib.noise.camera import Camera

GRAY = torch.full((2, 3, 200, 200), 0.5)


def draw(model, clean=GRAY, seed=0):
    return model.sample(clean, torch.Generator().manual_seed(seed))


def test_gaussian_noise_has_the_stated_strength_and_is_not_clipped():
    noisy = draw(Gaussian(50), torch.zeros_like(GRAY))
    assert noisy.image.std() * 255 == pytest.approx(50, rel=0.01)
    assert noisy.image.min() < 0
    assert (noisy.parameter * 255).tolist() == pytest.approx([50, 50])


def test_poisson_variance_is_signal_over_rate():
    for level in (0.1, 0.9):
        noise = draw(Poisson(30), torch.full_like(GRAY, level)).image - level
        assert noise.var() == pytest.approx(level / 30, rel=0.02)
        assert noise.mean() == pytest.approx(0, abs=0.002)


def test_impulse_noise_replaces_whole_pixels_at_the_stated_rate():
    changed = draw(Impulse(0.3)).image != GRAY
    assert (changed.all(dim=1) == changed.any(dim=1)).all()
    assert changed.float().mean() == pytest.approx(0.3, abs=0.01)


def covariance(noise, dy, dx):
    h, w = noise.shape[-2:]
    return (noise[..., : h - dy, : w - dx] * noise[..., dy:, dx:]).mean().item()


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_box_noise_has_the_triangle_autocorrelation(k):
    noise = draw(CorrelatedGaussian(25, kernel=k)).image - 0.5
    for dy, dx in [(0, 0), (0, 1), (1, 0), (1, 2), (2, 2), (k, 0), (0, k + 1)]:
        expected = max(0, 1 - dy / k) * max(0, 1 - dx / k)
        assert covariance(noise, dy, dx) * (255 / 25) ** 2 == pytest.approx(expected, abs=0.03)


def test_any_kernel_keeps_the_strength_and_the_channels_apart():
    noise = draw(CorrelatedGaussian(25, kernel=np.ones((1, 15)))).image - 0.5
    assert noise.std() * 255 == pytest.approx(25, rel=0.05)
    assert abs((noise[:, 0] * noise[:, 1]).mean()) < 0.001


def test_channels_can_share_noise():
    noise = draw(CorrelatedGaussian(25, 3, between=0.6)).image - 0.5
    assert noise.std() * 255 == pytest.approx(25, rel=0.02)
    assert (noise[:, 0] * noise[:, 1]).mean() * (255 / 25) ** 2 == pytest.approx(0.6, abs=0.03)
    assert covariance(noise, 0, 1) * (255 / 25) ** 2 == pytest.approx(2 / 3, abs=0.03)
    with pytest.raises(ValueError, match=r"between channels lies in \[0, 1\]; 1.5"):
        CorrelatedGaussian(25, 3, between=1.5)


@pytest.mark.parametrize(
    ("model", "written"),
    [
        (Gaussian(25), 25),
        (CorrelatedGaussian(25), 25),
        (Poisson(30), 30),
        (Impulse(0.5), 0.5),
        (Sensor(3200), 3200),
        (Camera(3200), 3200),
    ],
)
def test_a_strength_is_read_in_the_unit_it_was_written_in(model, written):
    drawn = draw(model).parameter
    assert model.to_paper(drawn).tolist() == pytest.approx([written] * 2)
    assert model.to_internal(float(written)) == pytest.approx(drawn[0].item())
    assert model.to_paper(model.to_internal(np.float64(written))) == pytest.approx(written)
    assert model.to_internal(torch.tensor(float(written))).item() == pytest.approx(model.bounds[0])


@pytest.mark.parametrize("model", [Gaussian, Poisson, CorrelatedGaussian])
def test_a_range_draws_one_parameter_per_image(model):
    noisy = draw(model((5, 50)), GRAY[:1, :, :8, :8].expand(64, 3, 8, 8))
    scale = 1 if model is Poisson else 255
    assert noisy.parameter.shape == (64,) and len(noisy.parameter.unique()) == 64
    assert noisy.parameter.min() * scale >= 5 and noisy.parameter.max() * scale <= 50


@pytest.mark.parametrize("model", [Gaussian(25), Poisson(30), Sensor(3200), Impulse(0.5), CorrelatedGaussian(25)])
def test_equal_seeds_give_equal_noise(model):
    assert torch.equal(draw(model, seed=3).image, draw(model, seed=3).image)
    assert not torch.equal(draw(model, seed=3).image, draw(model, seed=4).image)


@pytest.mark.parametrize("model", [Gaussian, Poisson, Sensor, Impulse, CorrelatedGaussian])
@pytest.mark.parametrize(
    "strength", [0, -1, float("nan"), float("inf"), (5, 2), (-1, 5), (0, 0), (), (5,), (1, 2, 3), True, "25", None, 1j]
)
def test_impossible_strengths_are_refused(model, strength):
    with pytest.raises(ValueError, match="> 0"):
        model(strength)


def test_a_range_may_start_at_no_noise_but_not_at_no_photons():
    assert draw(Gaussian((0, 5))).parameter.max() <= 5 / 255
    with pytest.raises(ValueError, match="lambda is > 0"):
        Poisson((0, 5))


@pytest.mark.parametrize(
    "kernel",
    [
        0,
        -2,
        True,
        1.5,
        "box",
        None,
        [[1], [1, 2]],
        1j * np.ones((2, 2)),
        np.zeros((3, 3)),
        np.ones(3),
        np.full((2, 2), np.nan),
    ],
)
def test_impossible_kernels_are_refused(kernel):
    with pytest.raises(ValueError, match="kernel"):
        CorrelatedGaussian(25, kernel)


MODELS = [Gaussian((5, 50)), Poisson(30), Sensor(3200), Impulse(0.5), CorrelatedGaussian(25, between=0.5), Camera(3200)]
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)


@every_model
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_noise_keeps_the_kind_of_float(model, dtype):
    clean = torch.linspace(0.1, 0.9, 3 * 20 * 16).view(1, 3, 20, 16)
    noisy = draw(model, clean.to(dtype))
    assert noisy.image.dtype == dtype and noisy.parameter.dtype == torch.float32
    if dtype != torch.float64:  # drawn in single precision, then rounded
        assert torch.equal(noisy.image, draw(model, clean.to(dtype).float()).image.to(dtype))


def test_noise_on_float64_has_its_precision():
    clean = torch.full((1, 1, 400, 400), 0.5, dtype=torch.float64)
    noise = draw(CorrelatedGaussian(25, 3), clean).image - 0.5
    assert noise.std().item() * 255 == pytest.approx(25, rel=0.02)
    assert not torch.equal(noise, noise.float().double())


@every_model
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.bool, torch.complex64])
def test_what_is_no_float_is_refused_by_name(model, dtype):
    with pytest.raises(ValueError, match=rf"{dtype} of shape \[1, 3, 8, 8\] was given"):
        draw(model, torch.ones((1, 3, 8, 8)).to(dtype))
    with pytest.raises(ValueError, match=r"a tensor; ndarray was given: images\.to_tensor"):
        draw(model, np.ones((1, 3, 8, 8)))


@every_model
@given(shape=st.lists(st.integers(0, 5), min_size=0, max_size=5))
@settings(max_examples=25)
@example(shape=[1, 3, 1, 1])
def test_any_shape_is_drawn_or_refused_in_words(model, shape):
    clean = torch.rand(shape)
    try:
        noisy = draw(model, clean)
    except ValueError as error:
        assert str(list(shape)) in str(error) and (len(shape) != 4 or 0 in shape or isinstance(model, Camera))
    else:
        assert noisy.image.shape == clean.shape and noisy.parameter.shape == (shape[0],)


@given(
    strength=st.one_of(
        st.none(), st.booleans(), st.text(), st.floats(), st.integers(), st.lists(st.floats(), max_size=3)
    )
)
def test_any_strength_is_taken_or_refused_in_words(strength):
    try:
        low, high = Gaussian(strength).strength
    except ValueError as error:
        assert "sigma is a number > 0" in str(error)
    else:
        assert 0 <= low <= high < float("inf")


def test_a_model_of_one_s_own_says_only_what_it_does():
    class Dimmed(Noise):
        paper_units = 255

        def corrupt(self, clean, parameter, generator):
            return clean - parameter[:, None, None, None]

    noisy = draw(Dimmed("depth", 51), GRAY.half())
    assert noisy.image.dtype == torch.float16 and noisy.image.unique().item() == pytest.approx(0.3, abs=1e-3)
    assert noisy.parameter.tolist() == pytest.approx([0.2, 0.2])
    with pytest.raises(ValueError, match="depth is a number > 0"):
        Dimmed("depth", 0)


def test_wrong_inputs_are_refused():
    with pytest.raises(ValueError, match="at most 1"):
        Impulse(1.5)
    for value, found in ((-1.0, "-1"), (float("nan"), "nan"), (float("inf"), "inf")):
        with pytest.raises(ValueError, match=f"finite clean image >= 0; {found} was given"):
            draw(Poisson(30), torch.full((1, 1, 5, 5), value))
