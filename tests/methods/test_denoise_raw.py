import pytest
import torch
from torch import nn

from dnlib.images import to_image
from dnlib.methods import APBSN, BlindSpotBayes, Estimate, Method, denoise_raw
from dnlib.networks import DilatedBlindSpot, TwoWayBlindSpotUNet
from dnlib.noise import PATTERNS, Sensor, pack
from dnlib.training import Crops, fit

every_pattern = pytest.mark.parametrize("pattern", PATTERNS)


class Halve(Method):
    """Not a denoiser: it shows which values were given to it, and where they went."""

    def estimate(self, noisy):
        assert noisy.shape[1] == 4
        return Estimate(noisy / 2)


@every_pattern
def test_a_mosaic_is_denoised_in_planes_and_comes_back_as_a_mosaic(pattern):
    frame = torch.rand(2, 1, 6, 8)
    assert torch.equal(denoise_raw(Halve(nn.Identity()), frame, pattern), frame / 2)


def test_a_plain_blind_spot_denoises_raw_light_from_one_noisy_frame():
    torch.manual_seed(0)
    rows, columns = torch.meshgrid(torch.linspace(0, 6, 96), torch.linspace(0, 6, 96), indexing="ij")
    clean = (0.3 + 0.2 * torch.sin(rows) * torch.cos(columns))[None, None]
    noisy = Sensor(12800).sample(clean, torch.Generator().manual_seed(0)).image
    method = APBSN(DilatedBlindSpot(4, 8, blocks=1), train_stride=1, stride=1, border=None, refinements=0)
    crops = Crops([to_image(pack(noisy))], size=32, count=4, turn=False)
    fit(method, crops, steps=100, learning_rate=5e-3, average=0.9, device="cpu", progress=False)
    restored = denoise_raw(method, noisy)
    assert (restored - clean).square().mean() < 0.2 * (noisy - clean).square().mean()


def test_a_known_parameter_and_tiles_reach_the_method():
    torch.manual_seed(0)
    told = BlindSpotBayes(TwoWayBlindSpotUNet(4, 4, depth=2, outputs=14), Sensor((800, 12800)))
    frame = torch.rand(1, 1, 300, 20)
    dark, bright = (denoise_raw(told, frame, parameter=iso) for iso in (800, 12800))
    assert (dark - frame).abs().mean() < (bright - frame).abs().mean()
    assert torch.allclose(denoise_raw(told, frame, parameter=800, tile=48), dark, atol=1e-5)
    with pytest.raises(ValueError, match="`parameter`"):
        denoise_raw(told, frame)


def test_a_method_for_colour_refuses_planes():
    method = APBSN(DilatedBlindSpot(3, 8, blocks=1), border=None)
    with pytest.raises(ValueError, match=r"colour images \(3 channels\); an image with 4"):
        denoise_raw(method, torch.rand(1, 1, 8, 8))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: denoise_raw(Halve(nn.Identity()), torch.rand(1, 1, 9, 8)), "9x8"),
        (
            lambda: BlindSpotBayes(DilatedBlindSpot(4, 8, outputs=9, blocks=1), Sensor()),
            "answers with 9 channels to images of 4; make it with outputs=14",
        ),
    ],
)
def test_bad_input_is_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()
