"""A floor under the blind spot's belief: what it does where that is too sure, and that learning knows no floor."""

import numpy as np
import pytest
import torch
from torch import nn

from dnlib.methods import Batch, BlindSpotBayes
from dnlib.noise import Gaussian, Impulse, Poisson


class Sure(nn.Module):
    """Says 0.5 everywhere, without any doubt."""

    channels, hole, outputs = 1, np.ones((1, 1), bool), 2

    def __init__(self):
        super().__init__()
        self.mean = nn.Parameter(torch.tensor(0.5))

    def forward(self, noisy):
        seen = 0 * noisy.roll(1, dims=-1)
        return torch.cat([self.mean + seen, seen], dim=1)


@pytest.fixture
def noisy(rng):
    return torch.tensor(rng.uniform(0.2, 0.8, (2, 1, 5, 7)), dtype=torch.float32)


@pytest.mark.parametrize(("noise", "variance"), [(Gaussian(25), (25 / 255) ** 2), (Poisson(30), 0.5 / 30)])
def test_a_belief_without_doubt_gets_a_share_of_the_noise(noisy, noise, variance):
    """Two Gaussians: with floor^2 sigma^2 against sigma^2, a share of floor^2 / (1 + floor^2) of sigma^2 is left."""
    floor = 0.5
    mean, std = BlindSpotBayes(Sure(), noise, floor=floor).denoise(noisy)
    torch.testing.assert_close(std, torch.full_like(std, (floor**2 / (1 + floor**2) * variance) ** 0.5))
    assert (mean == 0.5).all()  # the answer stays
    sure = BlindSpotBayes(Sure(), noise).denoise(noisy)
    assert (sure.mean == 0.5).all() and (sure.std < 1e-6).all()


def test_learning_knows_no_floor(noisy):
    batch = Batch(torch.Generator(), noisy=noisy)
    losses = [BlindSpotBayes(Sure(), Gaussian(25), floor=floor).loss(batch) for floor in (0.0, 0.5)]
    assert losses[0] == losses[1]


@pytest.mark.parametrize(
    ("noise", "floor", "message"),
    [
        (Gaussian(25), -0.1, "-0.1 was given"),
        (Gaussian(25), float("nan"), "nan was given"),
        (Gaussian(25), float("inf"), "inf was given"),
        (Impulse(0.5), 0.1, "has no variance that a floor of 0.1 could be a share of"),
    ],
)
def test_a_floor_that_is_none_is_refused(noise, floor, message):
    with pytest.raises(ValueError, match=message):
        BlindSpotBayes(Sure(), noise, floor=floor)
