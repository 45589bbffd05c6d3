"""Laine et al.'s belief, loss and posterior; the noise's parameter; a floor where the belief is too sure."""

import numpy as np
import pytest
import torch
from torch import nn

from dnlib.methods import Batch, BlindSpotBayes, outputs
from dnlib.networks import Noise2CleanUNet, TwoWayBlindSpotUNet
from dnlib.noise import CorrelatedGaussian, Gaussian, Impulse, Poisson, Sensor
from dnlib.training import Crops, fit


def method(covariance="full", noise=None, channels=3, **options):
    torch.manual_seed(0)
    network = TwoWayBlindSpotUNet(channels, 4, outputs=outputs(channels, covariance))
    return BlindSpotBayes(network, noise or Gaussian(25), covariance=covariance, estimator_width=4, **options)


def batch(channels=3, **parts):
    noisy = torch.rand(2, channels, 16, 16, generator=torch.Generator().manual_seed(0))
    return Batch(torch.Generator(), 0.5, noisy=noisy, **parts)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("covariance", ["full", "diagonal"])
def test_the_loss_is_the_negative_log_likelihood(channels, covariance):
    learner = method(covariance, channels=channels)
    data = batch(channels)
    mean, cov = learner.belief(data.noisy)
    cov = cov.permute(0, 3, 4, 1, 2) + (25 / 255) ** 2 * torch.eye(channels)
    reference = torch.distributions.MultivariateNormal(mean.movedim(1, -1), cov)
    expected = -reference.log_prob(data.noisy.double().movedim(1, -1)).mean()
    assert learner.loss(data).item() == pytest.approx(expected.item(), rel=1e-6)
    if covariance == "diagonal":
        assert (cov - torch.diag_embed(cov.diagonal(dim1=-2, dim2=-1))).abs().max() == 0


@pytest.mark.parametrize("channels", [2, 3, 4, 7])
def test_the_covariance_is_u_u_transposed(channels):
    learner = method(channels=channels)
    noisy = torch.rand(1, channels, 5, 6)
    entries = learner.network(noisy)[:, channels:].double()
    root = torch.zeros(1, channels, channels, 5, 6, dtype=torch.float64)
    rows, columns = torch.triu_indices(channels, channels)
    root[:, rows, columns] = entries
    assert torch.allclose(learner.belief(noisy).cov, torch.einsum("nikhw,njkhw->nijhw", root, root), atol=1e-12)


def test_without_covariance_it_is_regression_onto_the_noisy_pixel():
    data = batch()
    learner = method("none")
    expected = ((learner.network(data.noisy) - data.noisy) ** 2).mean()
    assert learner.loss(data).item() == pytest.approx(expected.item(), rel=1e-4)
    assert learner.denoise(data.noisy).std is None
    annealed = method("none", Impulse(0.5)).loss(data)  # half-way to the mode: the absolute difference
    assert annealed.item() == pytest.approx((learner.network(data.noisy) - data.noisy).abs().mean().item(), rel=1e-4)


@pytest.mark.parametrize(("channels", "weight"), [(3, 0.1), (1, 0.05)])
@pytest.mark.parametrize("noise", [Gaussian((5, 50)), Poisson((5, 50)), Sensor((800, 3200))])
def test_the_regulariser_rewards_the_noise_estimate(channels, weight, noise):
    learner = method(noise=noise, channels=channels, parameter="per_image")
    data = batch(channels)
    with_reward = learner.loss(data)
    learner.regularise = False
    parameter = noise.to_internal(learner.estimate_parameter(data.noisy))
    deviation = noise.variance(learner.belief(data.noisy).mean, parameter).sqrt().mean()
    assert (learner.loss(data) - with_reward).item() == pytest.approx(weight * deviation.item(), rel=1e-4)


@pytest.mark.parametrize("parameter", ["global", "per_image"])
def test_an_untrained_estimate_is_the_most_noise_or_what_was_asked_for(parameter):
    noisy = torch.rand(2, 3, 20, 31)
    for noise, most in ((Gaussian((5, 50)), 50), (Poisson((5, 50)), 5), (Impulse((0.1, 0.9)), 0.9)):
        untrained = method(noise=noise, parameter=parameter)
        assert untrained.estimate_parameter(noisy).tolist() == pytest.approx([most, most], rel=1e-3)
    published = method(noise=Gaussian((5, 50)), parameter=parameter, start=4.88)
    assert published.estimate_parameter(noisy).tolist() == pytest.approx([4.88] * 2, rel=1e-3)
    assert 255 * Gaussian(25).from_free(torch.zeros(1)).item() == pytest.approx(4.88, abs=0.01)


def test_the_known_parameter_of_each_image_is_used():
    learner = method(noise=Gaussian((5, 50)))
    assert learner.needs == {"noisy", "parameter"} and method().needs == {"noisy"}
    losses = [learner.loss(batch(parameter=torch.full((2,), sigma / 255))).item() for sigma in (5, 50)]
    assert losses[0] != losses[1]
    noisy = batch().noisy
    weak, strong = learner.denoise(noisy, 5), learner.denoise(noisy, torch.tensor([50, 50]))
    assert (weak.mean - noisy).abs().mean() < (strong.mean - noisy).abs().mean()
    assert (weak.std < strong.std).all()


@pytest.mark.parametrize("noise", [Gaussian(25), Poisson(30), Sensor(1600), Impulse(0.5)])
@pytest.mark.parametrize("channels", [1, 2, 3, 7])
def test_constant_and_tiny_images_are_denoised(noise, channels):
    learner = method(noise=noise, channels=channels)
    for image in (torch.full((1, channels, 9, 12), 0.5), torch.zeros(1, channels, 1, 1)):
        estimate = learner.denoise(image)
        assert estimate.mean.isfinite().all() and estimate.std.isfinite().all() and (estimate.std >= 0).all()


def test_the_estimate_lies_between_belief_and_measurement():
    learner, noisy = method("diagonal"), batch().noisy
    belief, estimate = learner.belief(noisy), learner.denoise(noisy)
    between = (estimate.mean - belief.mean) * (noisy - estimate.mean)
    assert between.min() > -1e-6
    assert (estimate.std <= belief.std + 1e-6).all() and (estimate.std <= 25 / 255 + 1e-6).all()


def test_noise_beyond_what_was_trained_is_named():
    learner = method(noise=Gaussian((5, 50)))
    with pytest.warns(UserWarning, match=r"100 lies outside 5 to 50.*Gaussian\(\(5, 50\)\)") as warned:
        learner.denoise(batch().noisy, 100)
    assert warned[0].filename == __file__  # where it was asked for


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"covariance": "half"}, "full, diagonal or none"),
        ({"parameter": "guessed"}, "known, global or per_image"),
        ({"covariance": "diagonal"}, "outputs=6"),
        ({"covariance": "none", "parameter": "global"}, "no use for a noise parameter"),
        ({"noise": CorrelatedGaussian(25)}, "Gaussian, Poisson, Sensor and Impulse"),
        ({"noise": "Gauss(25)"}, "Gaussian\\(25\\)"),
        ({"network": Noise2CleanUNet(3, 4, outputs=9)}, "sees the pixel it estimates"),
    ],
)
def test_impossible_methods_are_refused(options, message):
    arguments = {"network": TwoWayBlindSpotUNet(3, 4), "noise": Gaussian(25)} | options
    with pytest.raises(ValueError, match=message):
        BlindSpotBayes(**arguments)


@pytest.mark.parametrize("parameter", [0.0, -1.0, float("nan"), torch.ones(3), torch.ones(2, 1)])
def test_impossible_parameters_are_refused(parameter):
    with pytest.raises(ValueError, match="one parameter > 0 is taken for each of the 2 images"):
        method(noise=Gaussian((5, 50))).denoise(batch().noisy, parameter)


def test_known_and_unknown_parameters_are_not_mixed_up():
    noisy = batch().noisy
    with pytest.raises(ValueError, match="needs `parameter`"):
        method(noise=Gaussian((5, 50))).denoise(noisy)
    with pytest.raises(ValueError, match="was trained for Gaussian\\(25\\)"):
        method().denoise(noisy, 0.1)
    with pytest.raises(ValueError, match="estimates it from the noisy image"):
        method(noise=Gaussian((5, 50)), parameter="per_image").denoise(noisy, 0.1)
    noisy[0, 0, 0, 0] = float("nan")
    with pytest.raises(ValueError, match="NaN or infinite"):
        method().denoise(noisy)


@pytest.mark.parametrize("noise", [Gaussian(25), Poisson(30), Impulse(0.5)])
def test_what_is_known_is_the_estimate_and_what_differs_from_image_to_image_is_none(noise):
    noisy = batch().noisy
    assert method(noise=noise).estimate_parameter(noisy).tolist() == pytest.approx([noise.strength[0]] * 2)
    with pytest.raises(ValueError, match=r"parameter of Gaussian\(\(5, 50\)\) known, this method cannot estimate it"):
        method(noise=Gaussian((5, 50))).estimate_parameter(noisy)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_parameters_are_estimated_in_any_precision_and_no_other_mode(dtype):
    learner = method(noise=Gaussian((5, 50)), parameter="per_image").train()
    found = learner.estimate_parameter(batch().noisy.to(dtype))
    assert found.dtype == dtype and found.tolist() == pytest.approx([50, 50], rel=0.01) and learner.training
    with pytest.raises(ValueError, match=r"torch\.int64"):
        learner.estimate_parameter(torch.ones(1, 3, 8, 8, dtype=torch.int64))


def test_large_images_are_updated_piece_by_piece(monkeypatch):
    learner, noisy = method(), torch.rand(1, 3, 20, 33)
    whole = learner.denoise(noisy)
    monkeypatch.setattr("dnlib.methods.blind_spot.PIECE", 7)
    for one, other in zip(whole, learner.denoise(noisy), strict=True):
        assert torch.equal(one, other)


def test_the_posterior_after_training_is_closer_than_prior_and_measurement():
    generator = torch.Generator().manual_seed(0)
    clean = (torch.rand(8, 8, 1, generator=generator) > 0.5).float().repeat_interleave(8, 0).repeat_interleave(8, 1)
    clean = clean.expand(64, 64, 3).numpy() * 0.5 + 0.25
    learner = method(noise=Gaussian(50))
    batches = Crops([clean], Gaussian(50), size=32, count=4)
    fit(learner, batches, steps=60, learning_rate=3e-3, progress=False, precision="float32")
    truth = torch.from_numpy(clean).permute(2, 0, 1)[None].float()
    noisy = Gaussian(50).sample(truth, generator).image
    prior, posterior = learner.belief(noisy).mean, learner.denoise(noisy).mean

    def error(image):
        return ((image - truth) ** 2).mean().item()

    assert error(posterior) < min(error(prior), error(noisy))


class Sure(nn.Module):
    """Says 0.5 everywhere, without any doubt."""

    channels, hole = 1, np.ones((1, 1), bool)

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
