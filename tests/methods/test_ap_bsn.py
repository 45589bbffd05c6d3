"""AP-BSN: blind through the pixel shuffle, and parts that can be exchanged."""

import pytest
import torch

from dnlib.methods import APBSN, Batch, refine
from dnlib.networks import BlindSpotUNet, DilatedBlindSpot, Noise2CleanUNet
from dnlib.networks.masked import MaskedConv
from dnlib.training import Crops
from dnlib.training.loop import fit


def test_the_published_network_has_the_published_size():
    assert sum(p.numel() for p in DilatedBlindSpot(3, 128).parameters()) == 3_656_131


def test_masked_taps_take_no_part_even_after_training_steps():
    taps = torch.ones(3, 3, dtype=torch.bool)
    taps[1, 1] = False
    layer = MaskedConv(2, 2, taps)
    with torch.no_grad():
        layer.weight.fill_(1)
    image = torch.zeros(1, 2, 5, 5)
    image[..., 2, 2] = 1
    answer = layer(image) - layer.bias[:, None, None]
    assert (answer[..., 2, 2] == 0).all() and (answer[..., 2, 3] > 1).all()
    layer(image).sum().backward()
    assert (layer.weight.grad[..., 1, 1] == 0).all() and "taps" not in layer.state_dict()


@pytest.mark.parametrize("make", [lambda: DilatedBlindSpot(3, 8, blocks=2), lambda: BlindSpotUNet(3, 4, outputs=3)])
@pytest.mark.parametrize("border", [2, None])
def test_the_loss_is_blind_through_the_shuffle(make, border):
    """No pixel moves the answer at its own place, whatever the stride."""
    torch.manual_seed(0)
    method = APBSN(make().double(), train_stride=3, border=border)
    image = torch.rand(1, 3, 22, 25, dtype=torch.float64, requires_grad=True)
    from dnlib.networks import shuffle

    answer = shuffle.apply(method.network, image, 3, border=border)
    for row, column in ((0, 0), (7, 8), (21, 24)):
        change = torch.autograd.grad(answer[0, :, row, column].sum(), image, retain_graph=True)[0]
        assert (change[0, :, row, column] == 0).all() and change.abs().sum() > 0
    loss = method.loss(Batch(torch.Generator(), noisy=image.detach()))
    assert loss.item() == pytest.approx((answer - image).abs().mean().item())


def test_it_learns_and_denoises_images_of_any_size():
    torch.manual_seed(0)
    method = APBSN(DilatedBlindSpot(3, 8, blocks=1), refinements=2)
    noisy = (0.5 + 0.1 * torch.randn(3, 60, 70).permute(1, 2, 0)).numpy()
    history = fit(method, Crops([noisy], size=30, count=2), steps=150, learning_rate=3e-3, device="cpu")
    assert history.losses[-1] < 0.2
    image = torch.rand(2, 3, 33, 41)
    result = method.denoise(image).mean
    assert result.shape == image.shape and torch.equal(result, method.denoise(image).mean)


def test_refinement_averages_mixtures():
    noisy, first = torch.zeros(1, 3, 64, 64), torch.ones(1, 3, 64, 64)
    seen = []

    def network(x):
        seen.append(x)
        return x

    refined = refine(network, noisy, first, times=50, share=0.16)
    assert len(seen) == 50 and all(set(x.unique().tolist()) == {0, 1} for x in seen)
    assert refined.mean().item() == pytest.approx(0.84, abs=0.003)
    assert not torch.equal(seen[0][:, 0], seen[0][:, 1])  # each channel on its own


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: refine(abs, torch.rand(1, 3, 8, 9), torch.rand(1, 3, 8, 9), times=0), "at least one mixture"),
        (lambda: refine(abs, torch.rand(1, 3, 8, 9), torch.rand(1, 3, 8, 9), share=1.5), "1.5 were given"),
        (
            lambda: APBSN(DilatedBlindSpot(3, 8, outputs=9)),
            "answers with 9 channels to images of 3; make it with outputs=3",
        ),
        (lambda: APBSN(Noise2CleanUNet(3, 6)), "Noise2CleanUNet sees the pixel"),
        (lambda: APBSN(DilatedBlindSpot(3, 8), stride=0), "strides are whole numbers >= 1; 5 and 0"),
        (lambda: APBSN(DilatedBlindSpot(3, 8)).denoise(torch.rand(1, 1, 30, 30)), "colour images"),
        (
            lambda: APBSN(BlindSpotUNet(3, 6, outputs=3, depth=2, shift=5)).loss(
                Batch(torch.Generator(), noisy=torch.rand(1, 3, 48, 60))
            ),
            "a crop of 48x60 pixels is too small for a hole of 9x9 and a stride of 5: take 50 pixels or more",
        ),
    ],
)
def test_bad_input_is_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()
