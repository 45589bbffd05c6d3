"""SSID: holes by exact gradients, alpha by hand, three stages that leave each other alone, and their order."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from dnlib.images.arrays import to_image
from dnlib.methods import SSID, Batch, texture
from dnlib.methods.ssid import BNN, LAN, DenoisingUNet, published_ssid
from dnlib.methods.texture import alpha
from dnlib.networks import BlindPatch, BlindSpotUNet, DilatedBlindSpot, LocallyAware, Noise2CleanUNet
from dnlib.networks.blind_patch import local_branch
from dnlib.noise import CorrelatedGaussian
from dnlib.training import Crops
from dnlib.training.loop import fit


def small(channels=1, *, shift=3, **changes):
    torch.manual_seed(0)
    networks = {
        "bnn": BlindSpotUNet(channels, 8, outputs=channels, depth=2, shift=shift),
        "lan": LocallyAware(channels, 16, blocks=2),
        "unet": Noise2CleanUNet(channels, 8, depth=2, pointwise=0),
    }
    return SSID(**networks | changes)


def batch(channels=1, size=20):
    return Batch(
        torch.Generator(), noisy=torch.rand(2, channels, size, size, generator=torch.Generator().manual_seed(0))
    )


def crops():
    """One noisy image, and the clean one that nobody learns from."""
    rows, columns = torch.meshgrid(torch.arange(96.0), torch.arange(96.0), indexing="ij")
    clean = (0.5 + 0.3 * torch.sin(rows / 9) * torch.cos(columns / 7))[None, None]
    noisy = CorrelatedGaussian(40, 3).sample(clean, torch.Generator().manual_seed(0)).image
    return Crops([to_image(noisy)], size=24, count=4), noisy, clean


def train(stage, steps=3, **options):
    options = {"learning_rate": 3e-3, "average": 0.98, "device": "cpu", "progress": False} | options
    return fit(stage, crops()[0], steps=steps, **options)


def test_the_published_networks_have_the_published_sizes():
    counts = [sum(p.numel() for p in stage.network.parameters()) for stage in published_ssid().stages]
    assert counts == [1_268_547, 94_939, 1_083_747]
    assert published_ssid().bnn.side == 9 and len(published_ssid().lan.network.window) == 3


@pytest.mark.parametrize("shift", [1, 2, 3, 5])
def test_a_shift_by_k_leaves_a_hole_of_2k_minus_1_and_not_of_2k_plus_1(shift):
    """The report says (2k+1) x (2k+1); of the ring that lies between, all four sides are seen."""
    method = small(shift=shift)
    method.bnn.network.double()
    image = torch.rand(1, 1, 32, 32, dtype=torch.float64, requires_grad=True)
    answer = method.bnn.network(image)[0, 0, 15, 16]
    seen = torch.autograd.grad(answer, image)[0][0, 0] != 0
    around = seen[15 - shift : 16 + shift, 16 - shift : 17 + shift]  # (2k+1) x (2k+1) pixels
    assert not around[1:-1, 1:-1].any() and method.bnn.side == 2 * shift - 1
    assert all(side.any() for side in (around[0], around[-1], around[:, 0], around[:, -1]))


def lines(spread):
    """Every seventh row is brighter, so that all windows of 7x7 have this deviation, in 8-bit units: [1, 3, 35, 30]."""
    rows = torch.zeros(35)
    rows[::7] = 7 / math.sqrt(6) * spread / 255
    return 0.5 + rows[:, None].expand(1, 3, 35, 30)


@pytest.mark.parametrize(
    ("spread", "expected"),
    [
        (0, 1 / (1 + math.exp(1))),  # even perfectly flat areas take 27 % from LAN
        (0.5, 1 / (1 + math.exp(0.5))),
        (1, 0.5),
        (3, 0.5),
        (5, 0.5),
        (7, 1 / (1 + math.exp(-2))),
        (30, 1.0),
    ],
)
def test_alpha_is_half_between_its_thresholds_and_a_sigmoid_beyond(spread, expected):
    found = alpha(lines(spread))
    assert found.shape == (1, 1, 35, 30)
    assert torch.allclose(found[:, :, 3:-3], torch.tensor(expected), atol=1e-4)


def test_alpha_looks_at_the_mean_of_the_channels_and_has_thresholds():
    opposite = lines(30) * torch.tensor([1.0, -1.0, 0.0])[:, None, None]
    assert torch.allclose(alpha(opposite), alpha(torch.zeros_like(opposite)))
    assert torch.allclose(alpha(lines(7), (2, 9))[:, :, 3:-3], torch.tensor(0.5))
    assert alpha(torch.rand(2, 3, 1, 2)).shape == (2, 1, 1, 2)
    image = torch.rand(1, 1, 20, 21, dtype=torch.float64)
    windows = functional.pad(image, (3, 3, 3, 3), mode="reflect").unfold(2, 7, 1).unfold(3, 7, 1)
    spread = 255 * windows.std(dim=(-2, -1), correction=0)
    assert torch.allclose(alpha(image, (0, 60)), torch.sigmoid((spread - 60).clamp(min=0)))


@pytest.mark.parametrize("weigh", [False, True])
@pytest.mark.parametrize("target", ["bnn", "noisy"])
def test_the_losses_are_those_of_the_paper(weigh, target):
    method, noisy = small(3, lan_target=target, weigh_lan=weigh), batch(3).noisy
    blind, local, estimate = (stage.network(noisy) for stage in method.stages)
    share = alpha(blind.detach())
    taught = blind if target == "bnn" else noisy
    expected = [
        (blind - noisy).abs().mean(),
        ((1 - share if weigh else 1) * (taught - local).abs()).mean(),
        ((1 - share) * (blind - estimate)).abs().mean() + (share * (local - estimate)).abs().mean(),
    ]
    found = [stage.loss(batch(3)) for stage in method.stages]
    assert torch.allclose(torch.stack(found), torch.stack(expected), rtol=1e-5)
    assert method.loss(batch(3)).item() == pytest.approx(sum(found).item(), rel=1e-5)


@pytest.mark.parametrize("name", ["bnn", "lan", "unet"])
def test_a_stage_moves_its_own_network_and_no_other(name):
    method = small()
    for stage in method.stages:
        stage.take_as_trained()
    stage = method.stages[["bnn", "lan", "unet"].index(name)]
    stage.loss(batch()).backward()
    for other in method.stages:
        moved = [parameter.grad is not None for parameter in other.network.parameters()]
        assert all(moved) if other is stage else not any(moved)
    assert set(stage.state_dict()) == {"trained", *(f"network.{key}" for key in stage.network.state_dict())}


def test_stages_teach_in_evaluation_mode_and_are_left_in_theirs():
    method = small()
    method.lan.network.body.append(nn.Dropout(0.9))
    for stage in method.stages:
        stage.take_as_trained()
    unet = method.stages[2].train()
    method.lan.train()
    assert unet.loss(batch()).item() == unet.loss(batch()).item()  # no dropout
    assert all(part.training for part in method.lan.modules())
    assert unet.teachers == {"BNN": method.bnn, "LAN": method.lan} and method.teachers == {}


def test_trained_together_no_gradient_passes_from_one_stage_to_another():
    together, alone = small(), small()
    together.loss(batch()).backward()
    for stage in alone.stages:
        stage.loss(batch()).backward()
    for one, other in zip(together.parameters(), alone.parameters(), strict=True):
        assert torch.allclose(one.grad, other.grad, atol=1e-7)


def psnr(image, clean):
    return -10 * torch.log10(((image - clean) ** 2).mean()).item()


@pytest.fixture(scope="module")
def trained():
    method = small()
    for stage in method.stages:
        train(stage, 150)
    return method


def test_every_stage_takes_correlated_noise_away(trained):
    _, noisy, clean = crops()
    for stage in (*trained.stages, trained):
        assert psnr(stage.denoise(noisy).mean, clean) > psnr(noisy, clean) + 3
    assert torch.equal(trained.denoise(noisy).mean, trained.stages[2].denoise(noisy).mean)


def test_taught_by_the_noisy_image_lan_learns_to_repeat_it(trained):
    """S-2: what LAN should take away, it keeps."""
    _, noisy, clean = crops()
    method = small(lan_target="noisy")
    method.bnn.load_state_dict(trained.bnn.state_dict())
    train(method.lan, 150)
    kept = [psnr(lan.denoise(noisy).mean, noisy) for lan in (method.lan, trained.lan)]
    assert kept[0] > kept[1] + 3
    assert abs(psnr(method.lan.denoise(noisy).mean, clean) - psnr(noisy, clean)) < 1


def test_it_can_be_built_step_by_step():
    bnn = BNN(BlindSpotUNet(1, 8, outputs=1, depth=2, shift=3))
    lan = LAN(bnn, LocallyAware(1, 16, blocks=2))
    unet = DenoisingUNet(bnn, lan, Noise2CleanUNet(1, 8, depth=2, pointwise=0))
    for stage in (bnn, lan, unet):
        assert train(stage).last_step == 3
    assert unet.denoise(torch.rand(1, 1, 9, 11)).mean.shape == (1, 1, 9, 11)


def test_trained_together_all_three_learn_and_are_stored(tmp_path):
    method = small()
    train(method, checkpoint=tmp_path / "x.safetensors")
    for stage, before in zip(method.stages, small().stages, strict=True):
        assert stage.trained and not torch.equal(first_weight(stage), first_weight(before))
    again = small()
    train(again, checkpoint=tmp_path / "x.safetensors")
    assert all(torch.equal(again.state_dict()[name], tensor) for name, tensor in method.state_dict().items())


def first_weight(stage):
    return next(stage.network.parameters())


def test_stages_that_were_cut_short_go_on_to_the_same_weights(tmp_path):
    def go(method, stages, folder, **options):
        for stage in method.stages[:stages]:
            path = tmp_path / folder / f"{type(stage).__name__}.safetensors"
            fit(stage, few, steps=6, learning_rate=3e-3, device="cpu", progress=False, checkpoint=path, **options)

    few, whole = Crops([to_image(crops()[1])], size=16, count=1), small()
    go(whole, 3, "whole")
    for stages in (1, 2, 3):
        with pytest.raises(KeyboardInterrupt):
            go(small(), stages, "cut", save_every=0, monitor=stop, monitor_every=6)
        cut = small()  # as after a crash: what was finished is read, what was not goes on
        go(cut, stages, "cut")
    for name, tensor in whole.state_dict().items():
        assert torch.equal(cut.state_dict()[name], tensor)


def stop(method):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    "changes",
    [
        lambda: {"bnn": BlindPatch(1, 8, head=4, local=local_branch(8, head=4, blocks=1), global_=None)},  # S-1
        lambda: {"bnn": DilatedBlindSpot(1, 8, blocks=1)},
        lambda: {"lan_target": "noisy"},  # S-2
        lambda: {"weigh_lan": True, "thresholds": (0.5, 7)},
    ],
)
def test_every_exchange_learns_and_denoises(changes):
    torch.manual_seed(0)  # before the networks: they are built in here, not when the tests are collected
    method = small(**changes())
    for stage in method.stages:
        before, after = train(stage, 1).losses[-1], train(stage, 40).losses[-1]
        assert after < before
    image = torch.rand(2, 1, 37, 45)
    assert all(stage.denoise(image).mean.shape == image.shape for stage in (*method.stages, method))


def test_the_hole_may_be_changed_once_weights_are_loaded(trained):
    method, noisy = small(), crops()[1]
    method.load_state_dict(trained.state_dict())
    method.bnn.network.shift = 1
    assert method.bnn.side == 1 and method.bnn.trained == 5
    assert not torch.equal(method.bnn.denoise(noisy).mean, trained.bnn.denoise(noisy).mean)
    train(method.lan)  # from the BNN with the hole as it is now


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: train(small().lan), r"LAN learns from BNN, which is not trained yet; .* train BNN or load"),
        (lambda: train(small().stages[2]), "DenoisingUNet learns from BNN, which is not trained yet"),
        (lambda: train(with_bnn().stages[2]), "DenoisingUNet learns from LAN, which is not trained yet"),
        (lambda: small(shift=2).load_state_dict(with_bnn().state_dict()), "hole of 5x5 pixels, and here it is 3x3"),
        (lambda: small(thresholds=(5, 1)), "0 <= low <= high, in 8-bit units, 1 and 5 as published; 5, 1"),
        (lambda: small(thresholds=(-1, 5)), "0 <= low <= high"),
        (lambda: small(thresholds=(1 / 255, 5 / 255)), r"multiply by 255 what was measured in \[0, 1\]"),
        (lambda: small(thresholds=(255, 1275)), r"the high one in \[1, 127.5\]; 255, 1275"),
        (lambda: alpha(torch.rand(1, 1, 9, 9), (5, 1)), "0 <= low <= high"),
        (lambda: texture.deviation(torch.rand(1, 1, 9, 9), 6), "odd number of pixels to a side; 6"),
        (lambda: small(lan_target="clean"), "what LAN learns from can be bnn or noisy; 'clean'"),
        (lambda: small(bnn=Noise2CleanUNet(1, 4)), "Noise2CleanUNet sees the pixel"),
        (lambda: small(bnn=BlindSpotUNet(3, 4)), "answers with 9 channels to images of 3; make it with outputs=3"),
        (lambda: small(lan=LocallyAware(3, 8)), "one number of channels; BNN 1, LAN 3"),
        (lambda: small(unet=Noise2CleanUNet(3, 4)), "one number of channels; BNN 1, LAN 1, DenoisingUNet 3"),
        (lambda: DenoisingUNet(small().bnn, small().lan, Noise2CleanUNet(1, 4)), "this LAN belongs to another BNN"),
    ],
)
def test_bad_input_is_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def with_bnn():
    method = small()
    method.bnn.take_as_trained()
    return method


def test_grain_is_the_deviation_of_the_flattest_tenth_and_alpha_acts_below_its_low_threshold():
    rng = np.random.default_rng(0)
    picture = 0.5 + torch.from_numpy(rng.standard_normal((1, 3, 128, 128))).float() * 3 / 255 / 3**-0.5
    assert texture.grain(picture) == pytest.approx(3, rel=0.2)  # of the mean of three channels
    assert texture.led_by(picture)["BNN"] == 0
    assert texture.grain(0.5 + (picture - 0.5) / 10) < 1 and texture.led_by(0.5 + (picture - 0.5) / 10)["BNN"] == 1


def test_thresholds_that_no_pixel_meets_leave_every_pixel_undecided():
    picture = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(0))  # a deviation of 43
    assert texture.led_by(picture, (0.0, 127.5)) == {"BNN": 0.0, "neither": 1.0, "LAN": 0.0}
