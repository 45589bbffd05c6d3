"""What holds for every method: honest accounting of what it needs, shapes, modes, errors."""

import numpy as np
import pytest
import torch
from torch import nn

from dnlib import methods
from dnlib.methods import (
    APBSN,
    BNN,
    LAN,
    LGBPN,
    PARTS,
    SSID,
    Batch,
    BlindSpotBayes,
    BlindTeacher,
    DenoisingUNet,
    Distilled,
    Method,
    Noise2Clean,
    Noise2Noise,
    Noise2Self,
    Noise2Void,
    PatchCraft,
    Perceptual,
    Recorrupted2Recorrupted,
    Student,
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
from dnlib.noise import Gaussian, Impulse, Poisson

EVERY = {
    "Noise2Clean": lambda: Noise2Clean(BabyUNet(1, 4)),
    "Noise2Noise": lambda: Noise2Noise(BabyUNet(1, 4)),
    "Noise2Noise, L1": lambda: Noise2Noise(BabyUNet(1, 4), "l1"),
    "Noise2Noise, L0": lambda: Noise2Noise(BabyUNet(1, 4), "l0"),
    "PatchCraft": lambda: PatchCraft(BabyUNet(1, 4)),
    "Perceptual": lambda: Perceptual(Noise2Noise(BabyUNet(1, 4)), Features(Noise2CleanUNet(1, 4, depth=2)), 0.1),
    "AP-BSN": lambda: APBSN(DilatedBlindSpot(1, 8, blocks=1), train_stride=2, refinements=2),
    "LG-BPN": lambda: LGBPN(
        BlindPatch(1, 8, head=4, local=local_branch(8, head=4, blocks=1), global_=None), refinements=2
    ),
    "SSID": lambda: SSID(
        Noise2CleanUNet(1, 4, pointwise=0), bnn=BlindSpotUNet(1, 4, outputs=1, depth=2, shift=3), lan=LocallyAware(1, 8)
    ),
    "Distilled": lambda: Distilled(
        Noise2CleanUNet(1, 4, pointwise=0), teacher=BlindSpotUNet(1, 4, outputs=1, depth=2, shift=5, mean=True)
    ),
    "Noise2Void": lambda: Noise2Void(Noise2VoidUNet(1, 4), share=0.05),
    "StructN2V": lambda: Noise2Void(Noise2VoidUNet(1, 4), share=0.05, struct=[1, 1, 1]),
    "Noise2Self": lambda: Noise2Self(BabyUNet(1, 4)),
    "Noise2Self, random": lambda: Noise2Self(BabyUNet(1, 4), masks="random", width=5, fill="random"),
    "Noise2Self, invariant": lambda: Noise2Self(BabyUNet(1, 4), inference="invariant", fill="zero"),
    "Noise2Self, mixed": lambda: Noise2Self(BabyUNet(1, 4), inference="mixed"),
    "R2R": lambda: Recorrupted2Recorrupted(BabyUNet(1, 4), Poisson(30), draws=2),
    "R2R, direct": lambda: Recorrupted2Recorrupted(BabyUNet(1, 4), "CorrelatedGaussian(25, 3)", draws=0),
    "BlindSpotBayes, told": lambda: BlindSpotBayes(TwoWayBlindSpotUNet(1, 4, outputs=2), Gaussian((5, 50))),
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
TOLD = {"Noise2Self, mixed": {"parameter": 25}, "BlindSpotBayes, told": {"parameter": 25}}
every_method = pytest.mark.parametrize("name", EVERY)


def batch_of(needs):
    generator = torch.Generator().manual_seed(0)
    parts = {part: torch.rand(2, 1, 16, 16, generator=generator) for part in sorted(needs - {"parameter"})}
    return Batch(generator, 0.5, **parts, **({"parameter": torch.tensor([0.1, 0.15])} if "parameter" in needs else {}))


def denoise(name, noisy, method=None):
    return (method or EVERY[name]()).denoise(noisy, **TOLD.get(name, {}))


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
    exported = [getattr(methods, name) for name in methods.__all__]
    found = {thing for thing in exported if isinstance(thing, type) and issubclass(thing, Method)}
    parts = {BNN, LAN, DenoisingUNet, BlindTeacher, Student}  # stages of SSID and of Distilled
    assert {type(make()) for make in EVERY.values()} == found - {Method, *parts}


@every_method
@pytest.mark.parametrize("size", [(1, 1), (5, 9), (16, 16), (33, 20)])
def test_any_image_is_denoised_in_its_size(name, size):
    noisy = torch.rand(1, 1, *size)
    estimate = denoise(name, noisy)
    assert estimate.mean.shape == noisy.shape and estimate.mean.isfinite().all()
    assert (estimate.std is not None) == (name in KNOWS_ITS_ERROR)


@every_method
def test_denoising_leaves_the_method_as_it_was_every_part_in_its_own_mode(name):
    method = EVERY[name]()
    before = {key: tensor.clone() for key, tensor in method.state_dict().items()}
    method.train()
    frozen = [part for part in method.modules() if isinstance(part, nn.BatchNorm2d)]
    for part in frozen:
        part.eval()
    modes = {part: part.training for part in method.modules()}
    assert not denoise(name, torch.rand(1, 1, 16, 16), method).mean.requires_grad
    assert {part: part.training for part in method.modules()} == modes
    assert all(torch.equal(before[key], tensor) for key, tensor in method.state_dict().items())
    assert all(parameter.grad is None for parameter in method.parameters())


@every_method
def test_it_says_with_gradients_what_it_says_without(name):
    """Else a term on what a method says, such as Perceptual's, would not teach what the method is used for."""
    torch.manual_seed(0)
    method, noisy = EVERY[name]().eval(), torch.rand(2, 1, 13, 17)
    known = {"parameter": torch.tensor([25 / 255] * 2)} if name in TOLD else {}
    said, used = method.estimate(noisy, **known), denoise(name, noisy, method)
    assert said.mean.requires_grad and torch.equal(said.mean, used.mean)
    assert (said.std is None) if used.std is None else torch.equal(said.std, used.std)


@every_method
def test_nothing_is_drawn_from_the_global_generator(name):
    method = EVERY[name]()
    before = torch.get_rng_state()
    method.loss(batch_of(method.needs))
    denoise(name, torch.rand(1, 1, 16, 16, generator=torch.Generator()), method)
    assert torch.equal(torch.get_rng_state(), before)


@every_method
@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_floats_of_any_precision_are_denoised_in_the_network_s_and_come_back_in_theirs(name, dtype):
    torch.manual_seed(0)
    method, noisy = EVERY[name](), torch.rand(1, 1, 16, 20).to(dtype)
    found, expected = denoise(name, noisy, method), denoise(name, noisy.float(), method)
    for part, exact in zip(found, expected, strict=True):
        assert part is exact is None or (part.dtype == dtype and torch.equal(part, exact.to(dtype)))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.bool, torch.complex64])
def test_what_is_no_float_is_refused_by_name(dtype):
    with pytest.raises(ValueError, match=f"float tensor.*{dtype} of shape"):
        Noise2Clean(nn.Identity()).denoise(torch.ones(1, 1, 4, 4).to(dtype))
    with pytest.raises(ValueError, match=r"ndarray was given: use dnlib\.images\.to_tensor"):
        Noise2Clean(nn.Identity()).denoise(np.ones((4, 4), np.float32))


def test_a_network_in_another_precision_computes_in_it():
    method, noisy = Noise2Clean(DnCNN(1, 3, 8)).double(), torch.rand(1, 1, 9, 9)
    assert torch.equal(method.denoise(noisy).mean, method.eval().network(noisy.double()).float())


@pytest.mark.parametrize("name", sorted(EVERY.keys() - TOLD.keys()))
def test_a_parameter_that_nobody_asked_for_is_refused(name):
    with pytest.raises(ValueError, match=r"25 was given"):
        EVERY[name]().denoise(torch.rand(1, 1, 16, 16), 25)


@pytest.mark.parametrize("name", TOLD)
def test_a_parameter_that_is_needed_is_asked_for(name):
    with pytest.raises(ValueError, match="`parameter`"):
        EVERY[name]().denoise(torch.rand(1, 1, 16, 16))
    with pytest.raises(ValueError, match="`parameter`"):
        EVERY[name]().estimate(torch.rand(1, 1, 16, 16))


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
    decibels = Noise2Clean(nn.Identity(), "psnr").loss(Batch(generator, noisy=noisy, clean=target))
    assert decibels.item() == pytest.approx((difference**2).mean(dim=(1, 2, 3)).log().mean().item(), rel=1e-3)
    assert loss("psnr") == decibels


def test_in_decibels_an_image_of_much_noise_counts_no_more_than_one_of_little():
    clean, noise = torch.full((2, 1, 8, 8), 0.5), torch.randn(2, 1, 8, 8)
    noisy = (clean + torch.tensor([0.5, 0.05])[:, None, None, None] * noise).requires_grad_()
    for norm, alike in {"l2": False, "psnr": True}.items():
        loss = Noise2Clean(nn.Identity(), norm).loss(Batch(torch.Generator(), noisy=noisy, clean=clean))
        (slope,) = torch.autograd.grad(loss, noisy)
        # what a change of one per cent of its noise changes of the loss, image by image
        strong, weak = (slope * (noisy - clean)).sum(dim=(1, 2, 3)).tolist()
        assert (strong == pytest.approx(weak, rel=0.02)) == alike


@pytest.mark.parametrize("loss", ["l2", "l1", "l0", "psnr"])
def test_perfect_estimates_give_finite_gradients(loss):
    network = DnCNN(1, 2, 4)
    for parameter in network.parameters():
        nn.init.zeros_(parameter)
    image = torch.rand(1, 1, 8, 8)
    Noise2Noise(network, loss).loss(Batch(torch.Generator(), 0.9, noisy=image, second_noisy=image)).backward()
    Noise2Clean(network, "psnr").loss(Batch(torch.Generator(), noisy=image, clean=image)).backward()
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())


def test_wrong_names_and_unfinished_methods_are_told():
    with pytest.raises(ValueError, match="l2, l1, l0 or psnr"):
        Noise2Noise(nn.Identity(), "l3")
    with pytest.raises(ValueError, match="l2 or psnr"):
        Noise2Clean(nn.Identity(), "l1")
    with pytest.raises(NotImplementedError):
        Method(nn.Identity()).loss(batch_of(set()))
