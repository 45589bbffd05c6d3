import pytest
import torch
from hypothesis import given, strategies as st

from dnlib.noise.beliefs import Belief, cholesky, condition, diagonal, log_density, outer


def belief(channels, scale=1.0, seed=0, dtype=torch.float64, size=(5, 4)):
    generator = torch.Generator().manual_seed(seed)
    root = torch.randn(2, channels, channels, *size, generator=generator, dtype=torch.float64) * scale
    cov = torch.einsum("nikhw,njkhw->nijhw", root, root)
    return Belief(torch.rand(2, channels, *size, generator=generator, dtype=torch.float64).to(dtype), cov.to(dtype))


def last(cov):
    """[N, C, C, H, W] as linear algebra libraries want it."""
    return cov.permute(0, 3, 4, 1, 2)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_the_density_is_that_of_the_library(channels):
    mean, cov = belief(channels)
    cov = cov + diagonal(torch.full_like(mean, 0.01))
    value = torch.rand_like(mean)
    reference = torch.distributions.MultivariateNormal(mean.movedim(1, -1), last(cov))
    assert torch.allclose(log_density(value, Belief(mean, cov)), reference.log_prob(value.movedim(1, -1)), rtol=1e-10)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("scale", [1.0, 1e-2, 1e-5, 1e-9, 0.0])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
def test_conditioning_is_bayes_rule_however_small_the_covariance(channels, scale, dtype, tolerance):
    prior = belief(channels, scale, dtype=dtype)
    noise = torch.full_like(prior.mean, (25 / 255) ** 2)
    observed = prior.mean + 0.3 * torch.randn_like(prior.mean)
    after = condition(prior, observed, noise)
    cov, both = last(prior.cov.double()), last((prior.cov + diagonal(noise)).double())
    surprise = (observed - prior.mean).double().movedim(1, -1)[..., None]
    step = (cov @ torch.linalg.solve(both, surprise))[..., 0].movedim(-1, 1)
    left = cov - cov @ torch.linalg.solve(both, cov)
    assert torch.allclose(after.mean.double(), prior.mean.double() + step, rtol=tolerance, atol=tolerance)
    assert torch.allclose(last(after.cov).double(), left, rtol=tolerance, atol=tolerance * cov.abs().max())


def test_the_published_form_with_three_inverses_agrees():
    prior = belief(3, 0.1)
    noise = torch.full_like(prior.mean, 0.01)
    observed = torch.rand_like(prior.mean)
    precision, trust = torch.linalg.inv(last(prior.cov)), torch.linalg.inv(last(diagonal(noise)))
    weighted = precision @ prior.mean.movedim(1, -1)[..., None] + trust @ observed.movedim(1, -1)[..., None]
    published = torch.linalg.solve(precision + trust, weighted)[..., 0].movedim(-1, 1)
    assert torch.allclose(condition(prior, observed, noise).mean, published, rtol=1e-8)


@given(seed=st.integers(0, 1000), scale=st.floats(1e-8, 10), noise=st.floats(1e-6, 1))
def test_seeing_a_pixel_never_makes_a_belief_less_certain(seed, scale, noise):
    prior = belief(3, scale, seed, size=(1, 1))
    after = condition(prior, prior.mean + 1, torch.full_like(prior.mean, noise))
    assert (after.std <= prior.std * (1 + 1e-9)).all() and after.std.isfinite().all()
    assert torch.linalg.eigvalsh(last(after.cov)).min() > -1e-9 * prior.cov.abs().max()


def test_a_covariance_is_rebuilt_from_its_factor():
    cov = belief(3).cov
    lower = cholesky(cov)
    for i in range(3):
        for j in range(i + 1):
            assert torch.allclose(sum(lower[i][k] * lower[j][k] for k in range(j + 1)), cov[:, i, j])


def test_a_singular_covariance_gives_numbers_and_finite_gradients():
    mean = torch.zeros(1, 3, 1, 1, dtype=torch.float64, requires_grad=True)
    ones = torch.ones_like(mean)
    prior = Belief(mean, outer(ones, ones) * 0.1)  # all channels move together: rank one
    noise = 1e-6 * ones
    loss = -log_density(ones, Belief(mean, prior.cov + diagonal(noise))).sum() + condition(prior, ones, noise).std.sum()
    loss.backward()
    assert loss.isfinite() and mean.grad.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int64, torch.bool, torch.complex64])
def test_beliefs_are_computed_in_single_or_double_precision(dtype):
    mean, cov = (part.to(dtype) for part in belief(3, size=(1, 1)))
    with pytest.raises(ValueError, match=f"float32 or float64; {dtype} was given"):
        log_density(mean, Belief(mean, cov))
    with pytest.raises(ValueError, match=f"float32 or float64; {dtype} was given"):
        condition(Belief(mean, cov), mean, torch.ones_like(mean))
