import numpy as np
import pytest
import torch

from dnlib.noise import CorrelatedGaussian, Gaussian, Impulse, Poisson, Sensor, read
from dnlib.noise.beliefs import diagonal
from dnlib.noise.camera import Camera
from dnlib.noise.likelihoods import sensor_variance

GRAY = torch.full((2, 3, 200, 200), 0.5)


def draw(model, clean=GRAY, seed=0):
    return model.sample(clean, torch.Generator().manual_seed(seed))


def test_gaussian_noise_has_the_stated_strength_and_is_not_clipped():
    noisy = draw(Gaussian(50), torch.zeros_like(GRAY))
    assert noisy.image.std() * 255 == pytest.approx(50, rel=0.01)
    assert noisy.image.min() < 0
    assert (noisy.parameter * 255).tolist() == pytest.approx([50, 50])


def test_poisson_variance_is_signal_over_rate():
    for level in (0.1, 0.9):
        noise = draw(Poisson(30), torch.full_like(GRAY, level)).image - level
        assert noise.var() == pytest.approx(level / 30, rel=0.02)
        assert noise.mean() == pytest.approx(0, abs=0.002)


def test_impulse_noise_replaces_whole_pixels_at_the_stated_rate():
    changed = draw(Impulse(0.3)).image != GRAY
    assert (changed.all(dim=1) == changed.any(dim=1)).all()
    assert changed.float().mean() == pytest.approx(0.3, abs=0.01)


def covariance(noise, dy, dx):
    h, w = noise.shape[-2:]
    return (noise[..., : h - dy, : w - dx] * noise[..., dy:, dx:]).mean().item()


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_box_noise_has_the_triangle_autocorrelation(k):
    noise = draw(CorrelatedGaussian(25, kernel=k)).image - 0.5
    for dy, dx in [(0, 0), (0, 1), (1, 0), (1, 2), (2, 2), (k, 0), (0, k + 1)]:
        expected = max(0, 1 - dy / k) * max(0, 1 - dx / k)
        assert covariance(noise, dy, dx) * (255 / 25) ** 2 == pytest.approx(expected, abs=0.03)


def test_any_kernel_keeps_the_strength_and_the_channels_apart():
    noise = draw(CorrelatedGaussian(25, kernel=np.ones((1, 15)))).image - 0.5
    assert noise.std() * 255 == pytest.approx(25, rel=0.05)
    assert abs((noise[:, 0] * noise[:, 1]).mean()) < 0.001


def test_channels_can_share_noise():
    noise = draw(CorrelatedGaussian(25, 3, between=0.6)).image - 0.5
    assert noise.std() * 255 == pytest.approx(25, rel=0.02)
    assert (noise[:, 0] * noise[:, 1]).mean() * (255 / 25) ** 2 == pytest.approx(0.6, abs=0.03)
    assert covariance(noise, 0, 1) * (255 / 25) ** 2 == pytest.approx(2 / 3, abs=0.03)
    with pytest.raises(ValueError, match=r"between channels lies in \[0, 1\]; 1.5"):
        CorrelatedGaussian(25, 3, between=1.5)


@pytest.mark.parametrize(
    ("model", "written"),
    [
        (Gaussian(25), 25),
        (CorrelatedGaussian(25), 25),
        (Poisson(30), 30),
        (Impulse(0.5), 0.5),
        (Sensor(3200), 3200),
        (Camera(3200), 3200),
    ],
)
def test_a_strength_is_read_in_the_unit_it_was_written_in(model, written):
    drawn = draw(model).parameter
    assert model.to_paper(drawn).tolist() == pytest.approx([written] * 2)
    assert model.to_internal(float(written)) == pytest.approx(drawn[0].item())
    assert model.to_paper(model.to_internal(np.float64(written))) == pytest.approx(written)
    if hasattr(model, "bounds"):
        assert model.to_internal(torch.tensor(float(written))).item() == pytest.approx(model.bounds[0])


@pytest.mark.parametrize("model", [Gaussian, Poisson, CorrelatedGaussian])
def test_a_range_draws_one_parameter_per_image(model):
    noisy = draw(model((5, 50)), GRAY[:1, :, :8, :8].expand(64, 3, 8, 8))
    scale = 1 if model is Poisson else 255
    assert noisy.parameter.shape == (64,) and len(noisy.parameter.unique()) == 64
    assert noisy.parameter.min() * scale >= 5 and noisy.parameter.max() * scale <= 50


@pytest.mark.parametrize("model", [Gaussian(25), Poisson(30), Sensor(3200), Impulse(0.5), CorrelatedGaussian(25)])
def test_equal_seeds_give_equal_noise(model):
    assert torch.equal(draw(model, seed=3).image, draw(model, seed=3).image)
    assert not torch.equal(draw(model, seed=3).image, draw(model, seed=4).image)


@pytest.mark.parametrize("model", [Gaussian, Poisson, Sensor, Impulse, CorrelatedGaussian])
@pytest.mark.parametrize("strength", [0, -1, float("nan"), float("inf"), (5, 2), (-1, 5), (0, 0)])
def test_impossible_strengths_are_refused(model, strength):
    with pytest.raises(ValueError, match="> 0"):
        model(strength)


def test_a_range_may_start_at_no_noise_but_not_at_no_photons():
    assert draw(Gaussian((0, 5))).parameter.max() <= 5 / 255
    with pytest.raises(ValueError, match="lambda is > 0"):
        Poisson((0, 5))


@pytest.mark.parametrize(
    "model",
    [
        Gaussian(25),
        Gaussian((0, 50)),
        Poisson(30),
        Impulse(0.5),
        CorrelatedGaussian(5, 2),
        CorrelatedGaussian(5, 2, 0.5),
    ],
)
def test_the_repr_says_what_is_drawn(model):
    assert torch.equal(draw(eval(repr(model))).image, draw(model).image)


@pytest.mark.parametrize("kernel", [0, -2, np.zeros((3, 3)), np.ones(3), np.full((2, 2), np.nan)])
def test_impossible_kernels_are_refused(kernel):
    with pytest.raises(ValueError, match="kernel"):
        CorrelatedGaussian(25, kernel)


def test_wrong_inputs_are_refused():
    with pytest.raises(ValueError, match="at most 1"):
        Impulse(1.5)
    with pytest.raises(ValueError, match=r"\[N, C, H, W\]"):
        draw(Gaussian(25), torch.zeros(5, 5))
    with pytest.raises(ValueError, match="smallest value is -1"):
        draw(Poisson(30), -torch.ones(1, 1, 5, 5))


MEAN, SPREAD, SEEN = 0.42, 0.11, 0.55


def pixel(*values):
    return torch.tensor(values, dtype=torch.float64).view(1, -1, 1, 1)


def integrated(likelihood):
    """Mean and variance of x after likelihood(y = SEEN | x), by summing over a fine grid, for x ~ N(MEAN, SPREAD^2)."""
    x = torch.linspace(MEAN - 10 * SPREAD, MEAN + 10 * SPREAD, 2_000_001, dtype=torch.float64)
    weight = torch.exp(-((x - MEAN) ** 2) / (2 * SPREAD**2)) * likelihood(x)
    mean = (x * weight).sum() / weight.sum()
    return mean.item(), (((x - mean) ** 2 * weight).sum() / weight.sum()).item()


def bell(x, deviation):
    return torch.exp(-(x**2) / (2 * deviation**2)) / (deviation * (2 * np.pi) ** 0.5)


@pytest.mark.parametrize(
    ("model", "parameter", "likelihood"),
    [
        (Gaussian(25), 25 / 255, lambda x: bell(SEEN - x, 25 / 255)),
        (Gaussian(1), 1 / 255, lambda x: bell(SEEN - x, 1 / 255)),
        (Poisson(30), 30.0, lambda x: bell(SEEN - x, (MEAN / 30) ** 0.5)),
        (Sensor(3200), 3200.0, lambda x: bell(SEEN - x, sensor_variance(torch.tensor(MEAN), 3200).item() ** 0.5)),
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


@pytest.mark.parametrize(
    "text", ["Gaussian(25)", "Poisson((5, 50))", "Sensor(1600)", "Impulse(0.5)", "CorrelatedGaussian(20, [[0.6, 0.8]])"]
)
def test_noise_is_read_from_its_text(text):
    model = read(text)
    assert repr(read(repr(model))) == repr(model)
    if "Correlated" not in text:
        assert repr(model) == text


@pytest.mark.parametrize(
    "text", ["", "Gauss(25)", "Gaussian", "Gaussian(__import__('os'))", "print(1)", "Gaussian(25", "3"]
)
def test_other_texts_are_refused(text):
    with pytest.raises(ValueError, match=r"Gaussian\(25\)|malformed"):
        read(text)
