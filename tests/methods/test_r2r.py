import pytest
import torch
from hypothesis import given, strategies as st
from torch import nn

from dnlib.filters import recorrupt
from dnlib.methods import Batch, Recorrupted2Recorrupted
from dnlib.networks import BabyUNet
from dnlib.noise import CorrelatedGaussian, Gaussian, Poisson

SHARED = CorrelatedGaussian(40, 3)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


class Smooth(nn.Module):
    """Linear, so that its risk can be worked out: each pixel's mean with its neighbours."""

    def forward(self, image):
        return nn.functional.avg_pool2d(nn.functional.pad(image, (1, 1, 1, 1), mode="circular"), 3, 1)


@pytest.mark.parametrize("strength", [0.5, 1])
def test_the_loss_is_the_risk_with_a_clean_image_and_the_noise_of_the_target(strength):
    """E |f(y1) - y2|^2 = E |f(y1) - x|^2 + (1 + 1 / a^2) sigma^2, though neighbours share the noise."""
    clean = torch.rand(16, 1, 128, 128, generator=generator())
    noisy = SHARED.sample(clean, generator(1)).image
    method = Recorrupted2Recorrupted(Smooth(), SHARED, strength=strength)
    loss = method.loss(Batch(generator(2), noisy=noisy)).item()
    shown = noisy + strength * method.draw(noisy, generator(2))
    risk = torch.mean((Smooth()(shown) - clean) ** 2).item()
    assert loss - (1 + strength**-2) * SHARED.bounds[0] ** 2 == pytest.approx(risk, rel=0.1)


def test_it_learns_where_noise2noise_with_the_image_itself_would_learn_to_copy():
    """The weight of a 1x1 convolution settles at Wiener's for the noise of y1, not at 1."""
    clean = torch.randn(4, 1, 64, 64, generator=generator())
    sigma = 0.5
    noisy = clean + sigma * torch.randn(clean.shape, generator=generator(1))

    def draw(light, generator):
        return sigma * torch.randn(light.shape, generator=generator)

    method = Recorrupted2Recorrupted(nn.Identity(), draw)
    shown, target = recorrupt(noisy, draw(noisy, generator(2)), 0.5)
    assert method.loss(Batch(generator(2), noisy=noisy)) == pytest.approx(torch.mean((shown - target) ** 2))
    assert (shown * target).sum() / (shown**2).sum() == pytest.approx(1 / (1 + 1.25 * sigma**2), rel=0.05)


def test_noise_follows_the_light():
    method = Recorrupted2Recorrupted(nn.Identity(), Poisson(30))
    light = torch.tensor([0.1, 0.9])[:, None, None, None].expand(2, 1, 64, 64)
    noise = method.draw(Poisson(30).sample(light, generator()).image, generator(1))
    assert noise.var(dim=(1, 2, 3)).tolist() == pytest.approx([0.1 / 30, 0.9 / 30], rel=0.1)
    assert noise.mean(dim=(1, 2, 3)).tolist() == pytest.approx([0, 0], abs=0.01)


@pytest.mark.parametrize("told", [{"noise": "Gaussian(25)"}, {"gain": 1 / 30}])
def test_images_are_denoised_as_the_mean_over_draws_or_in_one_pass(told):
    torch.manual_seed(0)
    network, noisy = BabyUNet(1, 4).eval(), Poisson(30).sample(torch.rand(1, 1, 16, 16), generator(1)).image
    method = Recorrupted2Recorrupted(network, **told, draws=2)
    source = generator()
    with torch.no_grad():
        passes = [network(noisy + 0.5 * method.draw(noisy, source)) for _ in range(2)]
        assert torch.allclose(method.denoise(noisy).mean, (passes[0] + passes[1]) / 2)
        assert torch.equal(method.denoise(noisy).mean, method.denoise(noisy).mean)
        direct = Recorrupted2Recorrupted(network, **told, draws=0)
        assert torch.equal(direct.denoise(noisy).mean, network(noisy))


@pytest.mark.parametrize("dealt", [True, False])
def test_dealt_photons_are_independent_and_predict_the_risk_of_any_function(dealt):
    """E |f(y1) - y2|^2 = E |f(y1) - x|^2 + (1 + 1 / a^2) x / lambda, f = square, few photons; drawn noise fails."""
    strength, light = 0.5, torch.full((64, 1, 64, 64), 0.5)
    noisy = Poisson(3).sample(light, generator()).image
    told = {"gain": 1 / 3} if dealt else {"noise": lambda light, source: Poisson(3).sample(light, source).image - light}
    method = Recorrupted2Recorrupted(nn.Identity(), strength=strength, **told)
    shown, target = recorrupt(noisy, method.draw(noisy, generator(1)), strength)
    off = ((shown**2 - target) ** 2 - (shown**2 - light) ** 2 - (1 + strength**-2) * light / 3).flatten()
    error = off.std().item() / len(off) ** 0.5
    assert (abs(off.mean().item()) < 4 * error) is dealt
    if dealt:
        for image, factor in ((shown, 1 + strength**2), (target, 1 + strength**-2)):
            assert image.mean().item() == pytest.approx(0.5, rel=0.01)
            assert image.var().item() == pytest.approx(factor * 0.5 / 3, rel=0.02)
        wiener = 0.25 / (0.25 + (1 + strength**2) * 0.5 / 3)  # where the weight of a 1x1 convolution settles
        assert ((shown * target).sum() / (shown**2).sum()).item() == pytest.approx(wiener, rel=0.01)


def test_values_that_are_no_photon_counts_are_refused():
    method = Recorrupted2Recorrupted(nn.Identity(), gain=0.1)
    assert method.loss(Batch(generator(), noisy=torch.full((1, 1, 4, 4), 10_000.1))).isfinite()
    for value in (0.25, -0.1, float("nan")):
        with pytest.raises(ValueError, match=r"whole multiples >= 0 of the gain 0\.1"):
            method.loss(Batch(generator(), noisy=torch.full((1, 1, 4, 4), value)))


def test_noise_or_gain_is_told_and_not_both():
    for told in ({}, {"noise": Gaussian(25), "gain": 0.1}):
        with pytest.raises(ValueError, match="either noise is drawn anew or photons have a gain"):
            Recorrupted2Recorrupted(nn.Identity(), **told)
    for gain in (0, -1, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="gain > 0"):
            Recorrupted2Recorrupted(nn.Identity(), gain=gain)


def test_noise_of_a_range_of_strengths_is_refused():
    with pytest.raises(ValueError, match=r"Gaussian\(\(5, 50\)\) has a range"):
        Recorrupted2Recorrupted(nn.Identity(), Gaussian((5, 50)))


@given(st.floats().filter(lambda strength: not 0 < strength < float("inf")), st.integers(max_value=-1))
def test_impossible_strengths_and_numbers_of_draws_are_refused(strength, draws):
    with pytest.raises(ValueError, match="strength > 0"):
        Recorrupted2Recorrupted(nn.Identity(), Gaussian(25), strength=strength)
    with pytest.raises(ValueError, match="0 draws or more"):
        Recorrupted2Recorrupted(nn.Identity(), Gaussian(25), draws=draws)
