"""What holds for every method: honest accounting of what it needs, shapes, modes, errors."""

import pytest
import torch
from torch import nn

from dnlib import methods
from dnlib.methods import (
    APBSN,
    LGBPN,
    SSID,
    BlindSpotBayes,
    Method,
    Noise2Clean,
    Noise2Noise,
    Noise2Self,
    Noise2Void,
    PatchCraft,
    Perceptual,
)
from dnlib.methods.perceptual import Features
from dnlib.networks import (
    BabyUNet,
    BlindPatch,
    BlindSpotUNet,
    DilatedBlindSpot,
    DnCNN,
    LocallyAware,
    Noise2CleanUNet,
    Noise2VoidUNet,
    TwoWayBlindSpotUNet,
)
from dnlib.networks.blind_patch import local_branch
from dnlib.noise import Gaussian, Impulse
from dnlib.training.crops import PARTS, Batch

EVERY = {
    "Noise2Clean": lambda: Noise2Clean(BabyUNet(1, 4)),
    "Noise2Noise": lambda: Noise2Noise(BabyUNet(1, 4)),
    "Noise2Noise, L1": lambda: Noise2Noise(BabyUNet(1, 4), "l1"),
    "Noise2Noise, L0": lambda: Noise2Noise(BabyUNet(1, 4), "l0"),
    "PatchCraft": lambda: PatchCraft(BabyUNet(1, 4)),
    "Perceptual": lambda: Perceptual(Noise2Noise(BabyUNet(1, 4)), Features(Noise2CleanUNet(1, 4, depth=2)), 0.1),
    "AP-BSN": lambda: APBSN(DilatedBlindSpot(1, 8, blocks=1), train_stride=2, refinements=2),
    "LG-BPN": lambda: LGBPN(
        BlindPatch(1, 8, head=4, local=local_branch(8, head=4, blocks=1), wide=None), refinements=2
    ),
    "SSID": lambda: SSID(
        Noise2CleanUNet(1, 4, pointwise=0), bnn=BlindSpotUNet(1, 4, outputs=1, depth=2, shift=3), lan=LocallyAware(1, 8)
    ),
    "Noise2Void": lambda: Noise2Void(Noise2VoidUNet(1, 4), share=0.05),
    "StructN2V": lambda: Noise2Void(Noise2VoidUNet(1, 4), share=0.05, struct=[1, 1, 1]),
    "Noise2Self": lambda: Noise2Self(BabyUNet(1, 4)),
    "Noise2Self, random": lambda: Noise2Self(BabyUNet(1, 4), masks="random", width=5, fill="random"),
    "Noise2Self, invariant": lambda: Noise2Self(BabyUNet(1, 4), inference="invariant", fill="zero"),
    "BlindSpotBayes": lambda: BlindSpotBayes(BlindSpotUNet(1, 4, outputs=2), Gaussian(25)),
    "BlindSpotBayes, impulses": lambda: BlindSpotBayes(TwoWayBlindSpotUNet(1, 4, outputs=2), Impulse(0.5)),
    "BlindSpotBayes, mean only": lambda: BlindSpotBayes(
        TwoWayBlindSpotUNet(1, 4, outputs=1), Gaussian(25), covariance="none"
    ),
    "BlindSpotBayes, unknown": lambda: BlindSpotBayes(
        TwoWayBlindSpotUNet(1, 4, outputs=2), Gaussian((1, 200)), parameter="per_image", estimator_width=4
    ),
}
KNOWS_ITS_ERROR = {name for name in EVERY if name.startswith("BlindSpotBayes")} - {"BlindSpotBayes, mean only"}
every_method = pytest.mark.parametrize("name", EVERY)


def batch_of(needs):
    generator = torch.Generator().manual_seed(0)
    return Batch(generator, 0.5, **{part: torch.rand(2, 1, 16, 16, generator=generator) for part in needs})


@every_method
def test_the_loss_works_with_what_the_method_needs_and_nothing_else(name):
    method = EVERY[name]()
    assert method.needs <= PARTS
    loss = method(batch_of(method.needs))
    loss.backward()
    assert loss.ndim == 0 and loss.isfinite()
    assert any(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in method.parameters())


@every_method
def test_self_supervised_methods_work_with_clean_images_absent(name):
    needs = EVERY[name]().needs
    assert ("clean" in needs) == (name == "Noise2Clean")
    if "clean" in needs:
        with pytest.raises(AttributeError, match="clean"):
            EVERY[name]().loss(batch_of(needs - {"clean"}))


def test_every_method_is_tested_here():
    assert {type(make()).__name__ for make in EVERY.values()} == set(methods.__all__) - {"Method", "Estimate"}


@every_method
@pytest.mark.parametrize("size", [(1, 1), (5, 9), (16, 16), (33, 20)])
def test_any_image_is_denoised_in_its_size(name, size):
    noisy = torch.rand(1, 1, *size)
    estimate = EVERY[name]().denoise(noisy)
    assert estimate.mean.shape == noisy.shape and estimate.mean.isfinite().all()
    assert (estimate.std is not None) == (name in KNOWS_ITS_ERROR)


@every_method
def test_denoising_leaves_the_method_as_it_was(name):
    method = EVERY[name]()
    before = {key: tensor.clone() for key, tensor in method.state_dict().items()}
    method.train().denoise(torch.rand(1, 1, 16, 16))
    assert method.training and all(torch.equal(before[key], tensor) for key, tensor in method.state_dict().items())
    assert not method.eval().denoise(torch.rand(1, 1, 16, 16)).mean.requires_grad
    assert not method.training


def test_under_autocast_it_computes_in_bfloat16_and_answers_in_the_image_s_floats():
    torch.manual_seed(0)
    method, noisy = Noise2Clean(Noise2CleanUNet(3, 8, depth=2)), torch.rand(1, 3, 24, 28)
    exact = method.denoise(noisy).mean
    with torch.autocast("cpu", torch.bfloat16):
        rounded = method.denoise(noisy).mean
    assert rounded.dtype == noisy.dtype and 0 < (rounded - exact).abs().max() < 0.05 * exact.abs().max()


def test_the_losses_are_what_they_say():
    noisy = torch.rand(2, 1, 8, 8)
    target = torch.rand(2, 1, 8, 8)
    generator = torch.Generator()

    def loss(name, progress=0.0):
        return Noise2Noise(nn.Identity(), name).loss(Batch(generator, progress, noisy=noisy, second_noisy=target))

    difference = (noisy - target).abs()
    assert loss("l2") == pytest.approx((difference**2).mean())
    assert loss("l1") == pytest.approx(difference.mean())
    assert loss("l0", 0.0) == pytest.approx((difference**2).mean())
    assert loss("l0", 0.5) == pytest.approx(difference.mean())
    assert loss("l0", 1.0) == pytest.approx(1)
    clean = Noise2Clean(nn.Identity()).loss(Batch(generator, noisy=noisy, clean=target))
    assert clean == pytest.approx((difference**2).mean())


@pytest.mark.parametrize("loss", ["l2", "l1", "l0"])
def test_perfect_estimates_give_finite_gradients(loss):
    network = DnCNN(1, 2, 4)
    for parameter in network.parameters():
        nn.init.zeros_(parameter)
    image = torch.rand(1, 1, 8, 8)
    Noise2Noise(network, loss).loss(Batch(torch.Generator(), 0.9, noisy=image, second_noisy=image)).backward()
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())


def test_wrong_names_and_unfinished_methods_are_told():
    with pytest.raises(ValueError, match="l2, l1, l0"):
        Noise2Noise(nn.Identity(), "l3")
    with pytest.raises(NotImplementedError):
        Method(nn.Identity()).loss(batch_of(set()))
