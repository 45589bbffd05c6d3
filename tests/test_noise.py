import numpy as np
import pytest
import torch

from dnlib.noise import CorrelatedGaussian, Gaussian, Impulse, Poisson

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


@pytest.mark.parametrize("model", [Gaussian, Poisson, CorrelatedGaussian])
def test_a_range_draws_one_parameter_per_image(model):
    noisy = draw(model((5, 50)), GRAY[:1, :, :8, :8].expand(64, 3, 8, 8))
    scale = 1 if model is Poisson else 255
    assert noisy.parameter.shape == (64,) and len(noisy.parameter.unique()) == 64
    assert noisy.parameter.min() * scale >= 5 and noisy.parameter.max() * scale <= 50


@pytest.mark.parametrize("model", [Gaussian(25), Poisson(30), Impulse(0.5), CorrelatedGaussian(25)])
def test_equal_seeds_give_equal_noise(model):
    assert torch.equal(draw(model, seed=3).image, draw(model, seed=3).image)
    assert not torch.equal(draw(model, seed=3).image, draw(model, seed=4).image)


@pytest.mark.parametrize("model", [Gaussian, Poisson, Impulse, CorrelatedGaussian])
@pytest.mark.parametrize("strength", [0, -1, float("nan"), float("inf"), (5, 2), (-1, 5), (0, 0)])
def test_impossible_strengths_are_refused(model, strength):
    with pytest.raises(ValueError, match="> 0"):
        model(strength)


def test_a_range_may_start_at_no_noise_but_not_at_no_photons():
    assert draw(Gaussian((0, 5))).parameter.max() <= 5 / 255
    with pytest.raises(ValueError, match="lambda is > 0"):
        Poisson((0, 5))


@pytest.mark.parametrize(
    "model", [Gaussian(25), Gaussian((0, 50)), Poisson(30), Impulse(0.5), CorrelatedGaussian(5, 2)]
)
def test_the_repr_says_what_is_drawn(model):
    assert torch.equal(draw(eval(repr(model))).image, draw(model).image)


@pytest.mark.parametrize("kernel", [0, -2, np.zeros((3, 3)), np.ones(3), np.full((2, 2), np.nan)])
def test_impossible_kernels_are_refused(kernel):
    with pytest.raises(ValueError, match="kernel"):
        CorrelatedGaussian(25, kernel)


def test_wrong_inputs_are_refused():
    with pytest.raises(ValueError, match="at most 1"):
        Impulse(1.5)
    with pytest.raises(ValueError, match=r"\[N, C, H, W\]"):
        draw(Gaussian(25), torch.zeros(5, 5))
    with pytest.raises(ValueError, match="smallest value is -1"):
        draw(Poisson(30), -torch.ones(1, 1, 5, 5))
