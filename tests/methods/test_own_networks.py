"""Networks of one's own: said at once what they lack, and a wrong hole is found out."""

import pytest
import torch
from torch import nn

from dnlib.methods import APBSN, BNN, LAN, BlindSpotBayes, Noise2Clean, check_blind
from dnlib.networks import BlindSpotUNet, DilatedBlindSpot, LocallyAware, TwoWayBlindSpotUNet, local_global
from dnlib.noise import Gaussian


class Donut(nn.Conv2d):
    """A 3x3 convolution without its middle; correct in all it says, unless told otherwise."""

    def __init__(self, outputs=1, **says):
        super().__init__(1, outputs, 3, padding=1)
        says = {"channels": 1, "hole": torch.ones(1, 1, dtype=torch.bool)} | says
        for name, value in says.items():
            if value is not None:
                setattr(self, name, value)

    def forward(self, image):
        mask = torch.ones(3, 3, dtype=self.weight.dtype)
        mask[1, 1] = 0
        return nn.functional.conv2d(image, self.weight * mask, self.bias, padding=1)


class LooksAtItself(Donut):
    def forward(self, image):
        return super().forward(image) + 0.01 * image


class LooksAtItselfInTheCorner(Donut):
    def forward(self, image):
        corner = torch.zeros_like(image)
        corner[..., -1, -1] = image[..., -1, -1]
        return super().forward(image) + corner


hole = torch.ones(1, 1, dtype=torch.bool)


@pytest.mark.parametrize(
    "build", [APBSN, lambda n: BNN(n), lambda n: BlindSpotBayes(n, Gaussian(25), covariance="none")]
)
@pytest.mark.parametrize(
    ("network", "message"),
    [
        (lambda: Donut(hole=None), "Donut sees the pixel it estimates; a network with a `hole` is needed"),
        (lambda: Donut(channels=None), "Donut does not say for how many channels it is: give it `channels`"),
        (lambda: Donut(hole=torch.ones(3, 3, dtype=torch.bool)), "a hole of 9 pixels, and its answer changes with one"),
        (LooksAtItself, "LooksAtItself says that it does not see a hole of 1 pixels, and its answer changes"),
        (LooksAtItselfInTheCorner, "correct its `hole`"),
        (lambda: Donut(hole=torch.ones(1, 1)), "a square of True and False.*float32 of shape"),
        (lambda: Donut(hole=torch.ones(2, 2, dtype=torch.bool)), "odd sides"),
        (lambda: Donut(hole=~hole), "its middle True"),
        (lambda: Donut(hole=torch.tensor(True)), "a square"),
    ],
)
def test_what_a_blind_network_lacks_is_said_at_once(build, network, message):
    with pytest.raises(ValueError, match=message):
        build(network())


def test_a_correct_one_is_taken_and_learns():
    assert check_blind(Donut(2)) == 2
    for method in (APBSN(Donut()), BNN(Donut()), BlindSpotBayes(Donut(2), Gaussian(25))):
        assert method.denoise(torch.rand(1, 1, 9, 8)).mean.shape == (1, 1, 9, 8)


@pytest.mark.parametrize(
    "make",
    [
        lambda: BlindSpotUNet(3, 8),
        lambda: BlindSpotUNet(3, 8, shift=5),
        lambda: TwoWayBlindSpotUNet(2, 8),
        lambda: DilatedBlindSpot(3, 16),
        lambda: local_global(3, 16, attention=False),
        lambda: local_global(3, 16),  # attention sees a little of everything
    ],
)
def test_all_of_ours_say_the_truth(make):
    network = make().train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    state = torch.get_rng_state()
    check_blind(network)
    assert torch.equal(torch.get_rng_state(), state) and network.training
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_stages_ask_for_channels():
    bnn = BNN(Donut())
    with pytest.raises(ValueError, match="Conv2d does not say for how many channels"):
        LAN(bnn, nn.Conv2d(1, 1, 1))
    assert LAN(bnn, LocallyAware(1, 8))


def test_other_methods_take_any_module():
    assert Noise2Clean(nn.Conv2d(2, 2, 3, padding=1)).denoise(torch.rand(1, 2, 5, 5)).mean.shape == (1, 2, 5, 5)
