"""Noise models whose p(noisy | clean) is known, so that a belief about a pixel can be taken through them.

A *belief* is a Gaussian over the colours of a pixel. From one about the clean pixel, `marginal` computes what noisy
pixel to expect; `posterior` what to believe of the clean pixel once the noisy one has been measured (Laine et al.,
High-Quality Self-Supervised Deep Image Denoising, NeurIPS 2019, section 3 and supplement).
"""

import math

import torch
from torch import Generator, Tensor
from torch.nn.functional import softplus

from dnlib.noise.beliefs import Belief, condition, diagonal, log_density, outer
from dnlib.noise.models import Noise, normal, per_image

USUAL_ISO = 1600
FLOOR = 1e-3  # sigma / 255 and the variance's x in beliefs are at least this, as in the paper's code


class Likelihood(Noise):
    """A noise model p(y | x) that turns beliefs about clean pixels x into ones about noisy pixels y, and back.

    A parameter that is not known can be learnt: `from_free` makes a valid one of any real number.

    Shapes: means and noisy images [N, C, H, W], covariances [N, C, C, H, W], parameters [N], in internal units.

    Examples
    --------
    >>> mean, cov = torch.full((1, 1, 1, 1), 0.5), torch.full((1, 1, 1, 1, 1), 0.01)
    >>> noise, sigma = Gaussian(25.5), torch.tensor([0.1])
    >>> noise.marginal(mean, cov, sigma).std.item()  # of the noisy pixel: sqrt(0.01 + 0.1^2)
    0.141421...
    >>> noise.posterior(mean + 0.2, mean, cov, sigma).mean.item()  # as uncertain as the noise is strong: half-way
    0.600000...
    """

    def marginal(self, mean: Tensor, cov: Tensor, parameter: Tensor) -> Belief:
        """The belief about the noisy pixel y that follows from N(mean, cov) about the clean pixel x."""
        raise NotImplementedError

    def posterior(self, noisy: Tensor, mean: Tensor, cov: Tensor, parameter: Tensor) -> Belief:
        """Mean and covariance of the clean pixel x, given N(mean, cov) before, and y = `noisy` now."""
        raise NotImplementedError

    def posterior_mean(self, noisy: Tensor, mean: Tensor, cov: Tensor, parameter: Tensor) -> Tensor:
        """E[x | y] [N, C, H, W]: the estimate of least squared error."""
        return self.posterior(noisy, mean, cov, parameter).mean

    def from_free(self, value: Tensor) -> Tensor:
        """A valid parameter from any real number, as networks give them; the larger, the more noise."""
        return _positive(value)

    def to_free(self, parameter: float) -> float:
        """The real number that becomes `parameter`."""
        return _real(parameter)


class AddedGaussian(Likelihood):
    """Additive noise that counts as Gaussian, its variance known for a known clean pixel: subclasses say which."""

    def variance(self, mean: Tensor, parameter: Tensor) -> Tensor:
        """The variance [N, C, H, W] of the noise on clean pixels `mean` [N, C, H, W], for parameters [N]."""
        raise NotImplementedError

    def marginal(self, mean: Tensor, cov: Tensor, parameter: Tensor) -> Belief:
        return Belief(mean, cov + diagonal(self.variance(mean, parameter)))

    def posterior(self, noisy: Tensor, mean: Tensor, cov: Tensor, parameter: Tensor) -> Belief:
        return condition(Belief(mean, cov), noisy, self.variance(mean, parameter))


class Gaussian(AddedGaussian):
    """Gaussian noise y = x + n with n ~ N(0, sigma^2), independent in every pixel and channel.

    Parameters
    ----------
    sigma : float or (low, high)
        Standard deviation in 8-bit units (25 means 25/255), > 0; a range is drawn from once per image.

    Examples
    --------
    >>> noisy = Gaussian(25).sample(torch.full((1, 3, 100, 100), 0.5), torch.Generator().manual_seed(0))
    >>> round(255 * noisy.image.std().item())
    25
    """

    paper_units = 255

    def __init__(self, sigma: float | tuple[float, float]):
        super().__init__("sigma", sigma)

    def corrupt(self, clean: Tensor, parameter: Tensor, generator: Generator | None) -> Tensor:
        return clean + per_image(parameter) * normal(clean.shape, clean, generator)

    def variance(self, mean: Tensor, parameter: Tensor) -> Tensor:
        return per_image(parameter.clamp(min=FLOOR) ** 2).expand_as(mean)


class Poisson(AddedGaussian):
    """Photon counting: y = Poisson(lambda x) / lambda, whose variance x / lambda grows with the signal.

    Beliefs take it as Gaussian, with the variance at their own mean, max(mean, 0.001) / lambda.

    Parameters
    ----------
    rate : float or (low, high)
        Lambda, the photons that a white pixel collects, > 0 (in a range, too); a range is drawn from once per image.

    Examples
    --------
    >>> clean = torch.full((1, 1, 2, 2), 0.5)
    >>> Poisson(30).variance(clean, torch.tensor([30.0])).mean().item()  # 0.5 / 30
    0.0166666...
    """

    def __init__(self, rate: float | tuple[float, float]):
        super().__init__("lambda", rate)
        if not self.strength[0]:
            raise ValueError(f"lambda is > 0, in a range, too: nobody can divide by 0 photons; {rate} was given")

    def corrupt(self, clean: Tensor, parameter: Tensor, generator: Generator | None) -> Tensor:
        impossible = clean[~(clean.isfinite() & (clean >= 0))]
        if len(impossible):
            raise ValueError(f"Poisson noise needs a finite clean image >= 0; {impossible[0]:.4g} was given")
        return torch.poisson(per_image(parameter) * clean, generator=generator) / per_image(parameter)

    def variance(self, mean: Tensor, parameter: Tensor) -> Tensor:
        return mean.clamp(min=FLOOR) / per_image(parameter)

    def from_free(self, value: Tensor) -> Tensor:
        return 1 / _positive(value)

    def to_free(self, parameter: float) -> float:
        return _real(1 / parameter)


class Sensor(AddedGaussian):
    """The noise of raw light, independent from pixel to pixel: y = x + sqrt(shot x + read^2) N(0, 1).

    The gain decides both: shot = 2.5e-6 iso, and log read^2 = 2.18 log shot + 1.2. Its input is light, not a developed
    picture: a mosaic [N, 1, H, W] or its planes. Beliefs take the variance at their own mean.

    Parameters
    ----------
    iso : float or (low, high)
        The sensor's gain, as `Camera` has it, > 0; a range is drawn from once per image.

    References
    ----------
    Brooks et al., Unprocessing Images for Learned Raw Denoising, CVPR 2019, section 3.1.

    Examples
    --------
    >>> Sensor(3200).sample(torch.full((1, 4, 8, 8), 0.2)).parameter
    tensor([3200.])
    """

    def __init__(self, iso: float | tuple[float, float] = USUAL_ISO):
        super().__init__("iso", iso)

    def corrupt(self, clean: Tensor, parameter: Tensor, generator: Generator | None) -> Tensor:
        return clean + self.variance(clean, parameter).sqrt() * normal(clean.shape, clean, generator)

    def variance(self, mean: Tensor, parameter: Tensor) -> Tensor:
        shot = 2.5e-6 * per_image(parameter).to(mean)
        return shot * mean.clamp(min=0) + torch.exp(2.18 * shot.log() + 1.2)

    def from_free(self, value: Tensor) -> Tensor:
        return USUAL_ISO * _positive(value)

    def to_free(self, parameter: float) -> float:
        return _real(parameter / USUAL_ISO)


class Impulse(Likelihood):
    """With probability alpha a whole pixel, all channels at once, is replaced by random values from U[0, 1].

    The marginal is the Gaussian with the mixture's mean and covariance; the posterior is exact: the pixel is clean, or
    it says nothing. (The paper defines both for colour; one channel is the same formula with C = 1.)

    Parameters
    ----------
    alpha : float or (low, high)
        A probability, > 0 and at most 1; a range is drawn from once per image.

    Examples
    --------
    >>> clean = torch.full((1, 3, 100, 100), 0.5)
    >>> noisy = Impulse(0.3).sample(clean, torch.Generator().manual_seed(0)).image
    >>> round((noisy != clean).float().mean().item(), 1)
    0.3
    """

    def __init__(self, alpha: float | tuple[float, float]):
        super().__init__("alpha", alpha)
        if self.strength[1] > 1:
            raise ValueError(f"alpha is a probability and at most 1; {alpha} was given")

    def corrupt(self, clean: Tensor, parameter: Tensor, generator: Generator | None) -> Tensor:
        n, _, h, w = clean.shape
        replaced = torch.rand((n, 1, h, w), generator=generator, device=clean.device) < per_image(parameter)
        random = torch.rand(clean.shape, generator=generator, device=clean.device, dtype=clean.dtype)
        return torch.where(replaced, random, clean)

    def marginal(self, mean: Tensor, cov: Tensor, parameter: Tensor) -> Belief:
        alpha = per_image(parameter)
        mean_y = alpha / 2 + (1 - alpha) * mean
        uniform = 0.25 + torch.eye(mean.shape[1], dtype=mean.dtype, device=mean.device)[..., None, None] / 12
        second = alpha[..., None] * uniform + (1 - alpha[..., None]) * (cov + outer(mean, mean))
        return Belief(mean_y, second - outer(mean_y, mean_y))

    def posterior(self, noisy: Tensor, mean: Tensor, cov: Tensor, parameter: Tensor) -> Belief:
        alpha = parameter[:, None, None].clamp(1e-9, 1 - 1e-9)
        firm = Belief(mean, cov + diagonal(torch.full_like(mean, 1e-6)))  # a vanishing covariance has no density
        evidence = log_density(noisy, firm) + (1 - alpha).log() - alpha.log()
        clean = torch.sigmoid(evidence)[:, None]  # the probability that this pixel was not replaced
        surprise = noisy - mean
        spread = (1 - clean[:, None]) * (cov + clean[:, None] * outer(surprise, surprise))
        return Belief(mean + clean * surprise, spread)

    def from_free(self, value: Tensor) -> Tensor:
        return _positive(value).clamp(max=1 - FLOOR)


def _positive(value: Tensor) -> Tensor:
    """softplus(v - 4) + 0.001, as published."""
    return softplus(value - 4) + FLOOR


def _real(positive: float) -> float:
    """The inverse of `_positive`."""
    return 4 + math.log(math.expm1(max(positive - FLOOR, 1e-6)))
