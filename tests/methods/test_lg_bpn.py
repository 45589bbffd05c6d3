"""LG-BPN: holes by exact gradients, moved taps against sampled ones, and every exchange of its parts."""

import pytest
import torch
from torch.nn import functional

from dnlib.methods import LGBPN, Batch
from dnlib.methods.lg_bpn import DND, SIDD, View, adjusted
from dnlib.networks import BlindSpotUNet, Noise2CleanUNet, blind_patch, restormer
from dnlib.networks.blind_patch import BlindPatch, global_branch, local_branch
from dnlib.networks.masked import MaskedConv, diamond, global_taps, local_taps, shrunk
from dnlib.training import Crops
from dnlib.training.loop import fit


def small(channels=3, attention=True, **changes):
    torch.manual_seed(0)
    parts = {
        "local": local_branch(16, head=6, blocks=2),
        "global_": global_branch(16, head=6, blocks=1, attention=attention),
    }
    return BlindPatch(channels, 16, head=6, **parts | changes)


def seen_by(network, image, row, column):
    """By how much each pixel moves the answer at a place: [H, W]."""
    image = image.clone().requires_grad_()
    answer = network(image)[0, :, row, column]
    return torch.autograd.grad((answer * torch.arange(1, len(answer) + 1)).sum(), image)[0][0].abs().sum(dim=0)


def test_masks_and_parameters_are_the_published_ones():
    assert local_taps().sum() == 40 and global_taps().sum() == 108 and diamond(9).sum() == 41
    count = sum(p.numel() for p in blind_patch.local_global().parameters())
    assert count == pytest.approx(4.56e6, rel=0.001)


@pytest.mark.parametrize("size", [(33, 45)])
@pytest.mark.parametrize("parts", [{}, {"global_": None}, {"local": None}, {"fusion": "average"}])
def test_without_attention_the_diamond_is_not_seen_and_nothing_less(size, parts):
    network, image = small(attention=False, **parts).double(), torch.rand(1, 3, *size, dtype=torch.float64)
    for row, column in ((0, 0), (17, 20), (size[0] - 1, size[1] - 1), (5, 33)):
        around = functional.pad(seen_by(network, image, row, column), (4, 4, 4, 4))[row : row + 9, column : column + 9]
        assert (around[network.hole] == 0).all()
    assert (seen_by(network, image, 17, 20) > 0).sum() > 20


@pytest.mark.parametrize(("taps", "stride"), [(local_taps(), 1), (global_taps(), 2), (global_taps()[2:-2, 2:-2], 2)])
@pytest.mark.parametrize("size", [(30, 34), (31, 25)])
def test_taps_in_every_second_row_are_a_small_kernel_on_small_images(taps, stride, size):
    layer, x = MaskedConv(2, 3, taps), torch.rand(1, 2, *size)
    whole = functional.conv2d(x, layer.weight * layer.taps, layer.bias, padding=len(taps) // 2)
    assert layer.stride_of_taps == stride
    assert torch.allclose(layer(x), whole, atol=1e-5)


def test_what_is_left_after_training_in_bfloat16_is_finite():
    """Dilated kernels of this size give NaN gradients there."""
    layer, x = MaskedConv(6, 8, global_taps()), torch.rand(1, 6, 40, 40)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        layer(x).float().square().mean().backward()
    assert layer.weight.grad.isfinite().all() and (layer.weight.grad != 0).any(dim=(0, 1)).equal(global_taps())


@pytest.mark.parametrize("dilation", [1, 3])
def test_depthwise_convolution_and_its_gradient_are_the_plain_ones(dilation):
    layer, x = restormer.Depthwise(5, dilation).double(), torch.rand(2, 5, 7, 9, dtype=torch.float64)
    plain = functional.conv2d(x, layer.weight, padding=dilation, dilation=dilation, groups=5)
    assert torch.allclose(layer(x), plain)
    x.requires_grad_()
    assert torch.autograd.gradcheck(lambda x, w: restormer._DepthwiseFunction.apply(x, w, dilation), (x, layer.weight))


def test_attention_pools_over_all_positions_and_leaks_a_little():
    network = small().double()
    image = torch.rand(1, 3, 40, 40, dtype=torch.float64)
    leaking = seen_by(network, image, 20, 20)
    assert 0 < leaking[20, 20] < 0.1 * leaking.max()


@pytest.mark.parametrize("view", [*SIDD, *DND])
def test_in_use_the_hole_shrinks_but_the_pixel_stays_unseen(view):
    network, image = small(attention=False).double(), torch.rand(1, 3, 48, 48, dtype=torch.float64)
    with adjusted(network, view):
        change = seen_by(network, image, 20, 23)
    assert change[20, 23] == 0
    assert (change[16:25, 19:28][network.hole] > 0).any()
    assert (network.local.stride, network.local.shrink) == (4, 1.0)


@pytest.mark.parametrize("ratio", [0.43, 0.72, 0.999, 1.0])
def test_moved_taps_read_the_image_between_its_pixels(ratio):
    kernel, image = torch.rand(2, 3, 9, 9), torch.rand(1, 3, 30, 31)
    moved = shrunk(kernel, ratio)
    reach = moved.shape[-1] // 2
    found = functional.conv2d(image, moved)[0, :, 10, 11]
    offsets = ratio * torch.arange(-4, 5.0)
    y, x = torch.meshgrid(10 + reach + offsets, 11 + reach + offsets, indexing="ij")
    places = torch.stack([2 * x / 30 - 1, 2 * y / 29 - 1], dim=-1)[None]
    sampled = functional.grid_sample(image, places, align_corners=True)[0]
    assert torch.allclose(found, torch.einsum("oiyx,iyx->o", kernel, sampled), atol=1e-4)


@pytest.mark.parametrize(
    "parts",
    [
        {"local": BlindSpotUNet(3, 4, outputs=16, shift=5)},  # L-1
        {"fusion": "average"},  # L-2
        {"local": local_branch(16, head=6, blocks=1, body="transformer")},  # L-3
        {"global_": None},  # L-4
        {"local": None},  # L-5
    ],
)
def test_every_exchange_learns_and_denoises(parts):
    method = LGBPN(small(**parts), refinements=1)
    noisy = torch.rand(50, 54, 3, generator=torch.Generator().manual_seed(0)).numpy()
    history = fit(method, Crops([noisy], size=40, count=2), steps=3, learning_rate=1e-3, device="cpu")
    assert history.losses[-1] < 1
    image = torch.rand(2, 3, 37, 45)
    assert method.denoise(image).mean.shape == image.shape
    assert method.network.hole.shape == (9, 9)


def test_the_loss_is_the_mean_difference():
    method, noisy = LGBPN(small()), torch.rand(1, 3, 30, 30)
    found = method.loss(Batch(torch.Generator(), noisy=noisy))
    assert found.item() == pytest.approx((method.network(noisy) - noisy).abs().mean().item())


def test_images_smaller_than_the_kernel_are_served():
    assert LGBPN(small(), refinements=1).denoise(torch.rand(1, 3, 7, 9)).mean.shape == (1, 3, 7, 9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LGBPN(Noise2CleanUNet(3, 6)), "works with a BlindPatch"),
        (lambda: LGBPN(BlindSpotUNet(3, 4, outputs=3)), "works with a BlindPatch"),
        (lambda: small(local=None, global_=None), "at least one branch"),
        (lambda: small(fusion="sum"), "concat or average; 'sum'"),
        (lambda: local_branch(16, head=6, body="mamba"), "dilated or transformer; 'mamba'"),
        (lambda: setattr(local_branch(16, head=6), "shrink", 0.3), "0.3 of their distance reach the pixel itself"),
        (lambda: setattr(local_branch(16, head=6), "shrink", 0.0), r"in \(0, 1\]; 0.0 was given"),
        (lambda: LGBPN(small(), views=(View((3, 4), (1.2, 1)), SIDD[1])).denoise(torch.rand(1, 3, 20, 20)), "1.2 was"),
    ],
)
def test_bad_input_is_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()
