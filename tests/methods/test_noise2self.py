import numpy as np
import pytest
import torch
from torch import nn

from dnlib.filters import jinvariance
from dnlib.methods import Batch, Noise2Self
from dnlib.methods.noise2self import visible_mean
from dnlib.networks import BabyUNet


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("fill", ["mean", "random", "zero"])
@pytest.mark.parametrize(
    ("masks", "width", "size"),
    [("grid", 2, (7, 9)), ("grid", 4, (12, 8)), ("random", 2, (12, 8)), ("random", 5, (7, 9))],
)
def test_invariant_inference_ignores_every_pixel_itself(masks, width, fill, size):
    """By gradients, for every pixel, borders included: d f(y)_j / d y_j = 0 in all channels."""
    torch.manual_seed(0)
    method = Noise2Self(BabyUNet(3, 4), masks=masks, width=width, fill=fill).eval()
    image = torch.rand(1, 3, *size, requires_grad=True)
    estimate = method.invariant(image)
    pixels = torch.eye(size[0] * size[1]).reshape(-1, 1, 1, *size).expand(-1, -1, 3, -1, -1)
    (gradients,) = torch.autograd.grad(estimate, image, pixels, is_grads_batched=True)
    assert (gradients * pixels == 0).all()
    assert (gradients.abs().amax(dim=(1, 2, 3, 4)) > 0).all()


def test_direct_inference_does_not():
    torch.manual_seed(0)
    image = torch.rand(1, 1, 8, 8, requires_grad=True)
    Noise2Self(BabyUNet(1, 4)).eval().estimate(image).mean[0, 0, 4, 4].backward()
    assert image.grad[0, 0, 4, 4] != 0


@pytest.mark.parametrize(("masks", "width"), [("grid", 3), ("random", 5)])
def test_groups_hold_every_pixel_once_in_equal_shares(masks, width):
    groups = Noise2Self(nn.Identity(), masks=masks, width=width).groups((1, 1, 90, 90), generator())
    shares = torch.bincount(groups.flatten(), minlength=width**2) / groups.numel()
    assert len(shares) == width**2
    assert shares.tolist() == pytest.approx([width**-2] * width**2, rel=0.2)


def test_grid_groups_are_the_phases_of_the_classic_filters():
    groups = Noise2Self(nn.Identity(), width=4).groups((1, 1, 10, 13), generator())
    for number, mask in enumerate(jinvariance.grid_masks((10, 13), 4)):
        assert np.array_equal((groups[0, 0] == number).numpy(), mask)


def test_the_loss_looks_at_the_hidden_pixels_only():
    image = torch.rand(2, 3, 16, 16)
    method = Noise2Self(nn.Identity(), fill="zero", width=4)
    group = torch.randint(16, (), generator=generator())
    mask = (method.groups(image.shape, generator()) == group).expand_as(image)
    assert method.loss(Batch(generator(), noisy=image)) == pytest.approx((image[mask] ** 2).mean())


def test_the_visible_mean_takes_visible_neighbours_only():
    image = torch.arange(9.0).view(1, 1, 3, 3)
    everything = torch.ones(1, 1, 3, 3, dtype=torch.bool)
    mean = visible_mean(image, everything)[0, 0]
    assert mean[1, 1] == pytest.approx(4)
    assert mean[0, 0] == pytest.approx((1 + 3 + 0.5 * 4) / 2.5)
    half = everything.clone()
    half[..., 0] = False
    assert visible_mean(image, half)[0, 0, 1, 1] == pytest.approx((1 + 7 + 5 + 0.5 * (2 + 8)) / 4)
    assert visible_mean(image, ~everything).abs().max() == 0


def test_mixing_the_pixel_back_helps_a_blind_estimate():
    torch.manual_seed(0)
    clean = torch.full((1, 1, 64, 64), 0.5) + 0.2 * torch.randn(1, 1, 64, 64)  # detail that nobody can predict
    noisy = clean + 25 / 255 * torch.randn_like(clean)
    method = Noise2Self(nn.Identity(), width=4, inference="mixed")
    blind, mixed = method.invariant(noisy), method.denoise(noisy, 25).mean
    assert ((mixed - clean) ** 2).mean() < 0.5 * ((blind - clean) ** 2).mean()
    weight = jinvariance.mixing_weight((25 / 255) ** 2, float(((blind - noisy) ** 2).mean()))
    assert torch.allclose(mixed, weight * blind + (1 - weight) * noisy)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"masks": "stripes"}, "what is hidden can be grid or random; 'stripes' was given"),
        ({"fill": "median"}, "what hidden pixels show can be mean, random or zero; 'median' was given"),
        ({"inference": "both"}, "the inference can be direct, invariant or mixed; 'both' was given"),
        ({"width": 1}, "so width >= 2; 1 was given"),
    ],
)
def test_impossible_settings_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        Noise2Self(nn.Identity(), **wrong)


@pytest.mark.parametrize("sigma", [0, -5, float("nan")])
def test_impossible_noise_levels_are_refused(sigma):
    with pytest.raises(ValueError, match="one parameter > 0"):
        Noise2Self(nn.Identity(), inference="mixed").denoise(torch.rand(1, 1, 8, 8), sigma)
