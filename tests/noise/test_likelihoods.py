"""Likelihoods against numerical integration and against what is drawn."""

import numpy as np
import pytest
import torch

from dnlib.noise import Gaussian, Impulse, Poisson, Sensor
from dnlib.noise.beliefs import diagonal

MEAN, SPREAD, SEEN = 0.42, 0.11, 0.55


def pixel(*values):
    return torch.tensor(values, dtype=torch.float64).view(1, -1, 1, 1)


def integrated(likelihood):
    """Mean and variance of x after likelihood(y = SEEN | x), by summing over a fine grid, for x ~ N(MEAN, SPREAD^2)."""
    x = torch.linspace(MEAN - 10 * SPREAD, MEAN + 10 * SPREAD, 2_000_001, dtype=torch.float64)
    weight = torch.exp(-((x - MEAN) ** 2) / (2 * SPREAD**2)) * likelihood(x)
    mean = (x * weight).sum() / weight.sum()
    return mean.item(), (((x - mean) ** 2 * weight).sum() / weight.sum()).item()


def of_sensor(iso):
    """The standard deviation of a sensor's noise at MEAN: shot noise and reading noise."""
    shot = 2.5e-6 * iso
    return (shot * MEAN + np.exp(2.18 * np.log(shot) + 1.2)) ** 0.5


def bell(x, deviation):
    return torch.exp(-(x**2) / (2 * deviation**2)) / (deviation * (2 * np.pi) ** 0.5)


@pytest.mark.parametrize(
    ("model", "parameter", "likelihood"),
    [
        (Gaussian(25), 25 / 255, lambda x: bell(SEEN - x, 25 / 255)),
        (Gaussian(1), 1 / 255, lambda x: bell(SEEN - x, 1 / 255)),
        (Poisson(30), 30.0, lambda x: bell(SEEN - x, (MEAN / 30) ** 0.5)),
        (Sensor(3200), 3200.0, lambda x: bell(SEEN - x, of_sensor(3200))),
        (Impulse(0.5), 0.5, lambda x: 0.5 * bell(SEEN - x, 1e-4) + 0.5),
        (Impulse(0.95), 0.95, lambda x: 0.05 * bell(SEEN - x, 1e-4) + 0.95),
    ],
)
def test_the_posterior_agrees_with_numerical_integration(model, parameter, likelihood):
    expected = integrated(likelihood)
    cov = diagonal(pixel(SPREAD**2))
    after = model.posterior(pixel(SEEN), pixel(MEAN), cov, torch.tensor([parameter], dtype=torch.float64))
    assert after.mean.item() == pytest.approx(expected[0], rel=1e-4)
    assert after.cov.item() == pytest.approx(expected[1], rel=1e-4)
    parameter = torch.tensor([parameter], dtype=torch.float64)
    assert torch.equal(model.posterior_mean(pixel(SEEN), pixel(MEAN), cov, parameter), after.mean)


@pytest.mark.parametrize("model", [Gaussian(40), Poisson(20), Sensor(12800), Impulse(0.4)])
def test_the_marginal_has_mean_and_covariance_of_what_is_drawn(model):
    generator = torch.Generator().manual_seed(0)
    root = torch.tensor([[0.06, 0, 0], [0.05, 0.03, 0], [0.04, 0.02, 0.02]])
    mean, cov = torch.tensor([0.5, 0.45, 0.6]), root @ root.T
    clean = mean + torch.randn(1_000_000, 3, generator=generator) @ root.T
    noisy = model.sample(clean.clamp(min=0)[:, :, None, None], generator)
    drawn = noisy.image[..., 0, 0]
    belief = model.marginal(mean.view(1, 3, 1, 1), cov[None, ..., None, None], noisy.parameter[:1])
    assert torch.allclose(drawn.mean(dim=0), belief.mean.flatten(), atol=1e-3)
    assert torch.allclose(torch.cov(drawn.T), belief.cov[0, ..., 0, 0], atol=4e-4)


@pytest.mark.parametrize("model", [Gaussian(25), Poisson(30), Sensor(1600), Impulse(0.5)])
def test_a_certain_belief_stays_what_it_was(model):
    mean, cov = pixel(0.2, 0.5, 0.8), torch.zeros(1, 3, 3, 1, 1, dtype=torch.float64)
    after = model.posterior(pixel(0.9, 0.1, 0.3), mean, cov, torch.tensor(model.bounds[:1], dtype=torch.float64))
    assert torch.allclose(after.mean, mean, atol=1e-6) and after.std.max() < 1e-3


@pytest.mark.parametrize("model", [Gaussian(25), Poisson(30), Sensor(1600), Impulse(0.5)])
@pytest.mark.parametrize("value", [-50.0, 0.0, 3.0, 50.0])
def test_any_number_becomes_a_valid_parameter(model, value):
    parameter = model.from_free(torch.tensor([value]))
    cov = diagonal(torch.full((1, 3, 1, 1), 0.01))
    belief = model.marginal(torch.full((1, 3, 1, 1), 0.4), cov, parameter)
    if -3 < value < 3:
        assert model.to_free(parameter.item()) == pytest.approx(value, abs=1e-3)
    assert parameter > 0 and torch.linalg.eigvalsh(belief.cov[0, ..., 0, 0]).min() > 0
