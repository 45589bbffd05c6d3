"""Noise models. Strengths are named as in the papers, sigma in 8-bit units, and converted once, here.

Every model draws from float images in [0, 1] and never clips: clipping makes the mean of the
noise depend on the image, and with it every method of this course goes wrong.

Those of Laine et al. (2019) also know what noise does to a belief: `marginal` is the belief about the noisy pixel that
follows from one about the clean pixel, `posterior` the belief about the clean pixel once the noisy one is seen.
"""

import ast
import math
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn.functional import conv2d, softplus

from dnlib.noise.beliefs import Belief, condition, diagonal, log_density, outer

Strength = TypeVar("Strength", float, np.ndarray, Tensor)

USUAL_ISO = 1600
FLOOR = 1e-3  # sigma / 255 and the variance's x in beliefs are at least this, as in the paper's code


class NoisyImage(NamedTuple):
    image: Tensor  # [N, C, H, W]
    parameter: Tensor  # [N], in internal units: sigma / 255, lambda, iso or alpha of each image


class Noise(Protocol):
    """What a noise model can do. Its repr says all that decides what it draws.

    The strength of noise is a number in two units. *Paper units* are what users write and read: sigma in 8-bit units,
    lambda, alpha, iso. *Internal units*, those of `NoisyImage.parameter`, fit images in [0, 1]: sigma / 255, all else
    as in the papers. `to_internal` and `to_paper` are the only bridge.
    """

    def sample(self, clean: Tensor, generator: Generator | None = None) -> NoisyImage:
        """Draw one noisy version of each image of `clean` [N, C, H, W] in [0, 1]."""

    def to_internal(self, parameter: Strength) -> Strength:
        """A strength in paper units (a number, array or tensor), in internal units."""
        return parameter

    def to_paper(self, parameter: Strength) -> Strength:
        """A strength in internal units (a number, array or tensor), in paper units."""
        return parameter


class Likelihood(Noise, Protocol):
    """A noise model p(y | x) that beliefs can be pushed through.

    bounds: the smallest and largest parameter it draws. All parameters here are in internal units (see `Noise`).
    Means and noisy images are [N, C, H, W], covariances [N, C, C, H, W], parameters [N].
    """

    bounds: tuple[float, float]

    def marginal(self, mean: Tensor, cov: Tensor, parameter: Tensor) -> Belief:
        """The belief about y that follows from N(mean, cov) about x."""

    def posterior(self, noisy: Tensor, mean: Tensor, cov: Tensor, parameter: Tensor) -> Belief:
        """Mean and covariance of x, given N(mean, cov) before and y now."""

    def posterior_mean(self, noisy: Tensor, mean: Tensor, cov: Tensor, parameter: Tensor) -> Tensor:
        """E[x | y]: the estimate of least squared error."""
        return self.posterior(noisy, mean, cov, parameter).mean

    def from_free(self, value: Tensor) -> Tensor:
        """A valid parameter from any real number, as networks give them; the larger, the more noise."""

    def to_free(self, parameter: float) -> float:
        """The real number that becomes `parameter`."""


class AddedGaussian(Likelihood):
    """What additive noise of known variance, taken as Gaussian, does to beliefs; subclasses say the variance."""

    def variance(self, mean: Tensor, parameter: Tensor) -> Tensor:
        """Of the noise on clean pixels `mean`, whose parameter is [N]: [N, C, H, W]."""
        raise NotImplementedError

    def marginal(self, mean: Tensor, cov: Tensor, parameter: Tensor) -> Belief:
        return Belief(mean, cov + diagonal(self.variance(mean, parameter)))

    def posterior(self, noisy: Tensor, mean: Tensor, cov: Tensor, parameter: Tensor) -> Belief:
        return condition(Belief(mean, cov), noisy, self.variance(mean, parameter))


class Gaussian(AddedGaussian):
    """y = x + n,  n ~ N(0, sigma^2), independent in every pixel and channel.

    sigma: standard deviation in 8-bit units (25 means 25/255), or (low, high) drawn per image, low >= 0.
    """

    def __init__(self, sigma: float | tuple[float, float]):
        self.sigma = _range("sigma", sigma)
        self.bounds = self.to_internal(self.sigma[0]), self.to_internal(self.sigma[1])

    def to_internal(self, parameter: Strength) -> Strength:
        return parameter / 255

    def to_paper(self, parameter: Strength) -> Strength:
        return 255 * parameter

    def __repr__(self) -> str:
        return f"Gaussian({_plain(self.sigma)})"

    def variance(self, mean: Tensor, parameter: Tensor) -> Tensor:
        return _per_image(parameter.clamp(min=FLOOR) ** 2).expand_as(mean)

    def from_free(self, value: Tensor) -> Tensor:
        return _positive(value)

    def to_free(self, parameter: float) -> float:
        return _inverse(parameter)

    def sample(self, clean: Tensor, generator: Generator | None = None) -> NoisyImage:
        deviation = self.to_internal(_draw(self.sigma, clean, generator))
        return NoisyImage(clean + _per_image(deviation) * _normal(clean.shape, clean, generator), deviation)


class Poisson(AddedGaussian):
    """y = Poisson(lambda x) / lambda: photon counting. Variance x / lambda grows with the signal.

    Beliefs take it as Gaussian, with the variance at their own mean, max(mean, 0.001) / lambda.

    rate: lambda, the photons that a white pixel collects, or (low, high) drawn per image.
    """

    def __init__(self, rate: float | tuple[float, float]):
        self.rate = self.bounds = _range("lambda", rate)
        if not self.rate[0]:
            raise ValueError(f"lambda is > 0, in a range, too: nobody can divide by 0 photons; {rate} was given")

    def __repr__(self) -> str:
        return f"Poisson({_plain(self.rate)})"

    def variance(self, mean: Tensor, parameter: Tensor) -> Tensor:
        return mean.clamp(min=FLOOR) / _per_image(parameter)

    def from_free(self, value: Tensor) -> Tensor:
        return 1 / _positive(value)

    def to_free(self, parameter: float) -> float:
        return _inverse(1 / parameter)

    def sample(self, clean: Tensor, generator: Generator | None = None) -> NoisyImage:
        rate = _draw(self.rate, clean, generator)
        if clean.min() < 0:
            raise ValueError(f"Poisson noise needs a clean image >= 0; the smallest value is {clean.min():.4g}")
        photons = _per_image(rate) * clean
        return NoisyImage(torch.poisson(photons, generator=generator) / _per_image(rate), rate)


class Sensor(AddedGaussian):
    """The noise of raw light, independent from pixel to pixel: y = x + sqrt(shot x + read^2) N(0, 1). Its mean is 0.

    Beliefs take the variance at their own mean.

    iso: the sensor's gain, or (low, high) drawn per image, as `Camera` has it.
    """

    def __init__(self, iso: float | tuple[float, float] = USUAL_ISO):
        self.iso = self.bounds = _range("iso", iso)

    def __repr__(self) -> str:
        return f"Sensor({_plain(self.iso)})"

    def sample(self, clean: Tensor, generator: Generator | None = None) -> NoisyImage:
        """As every noise model: light [N, C, H, W] in [0, 1], a mosaic or its planes; the parameter is iso."""
        iso = _draw(self.iso, clean, generator)
        deviation = self.variance(clean, iso).sqrt()
        return NoisyImage(clean + deviation * _normal(clean.shape, clean, generator), iso)

    def variance(self, mean: Tensor, parameter: Tensor) -> Tensor:
        return sensor_variance(mean, _per_image(parameter))

    def from_free(self, value: Tensor) -> Tensor:
        return USUAL_ISO * _positive(value)

    def to_free(self, parameter: float) -> float:
        return _inverse(parameter / USUAL_ISO)


def sensor_variance(light: Tensor, iso: Tensor | float) -> Tensor:
    """Of the noise of raw light in [0, 1]: shot * light + read^2 (log read^2 = 2.18 log shot + 1.2; Brooks et al.)."""
    shot = 2.5e-6 * torch.as_tensor(iso, dtype=light.dtype, device=light.device)
    return shot * light.clamp(min=0) + torch.exp(2.18 * shot.log() + 1.2)


class Impulse(Likelihood):
    """With probability alpha a whole pixel (all channels at once) is replaced by U[0, 1]^C.

    The marginal is the Gaussian with the mixture's mean and covariance; the posterior is exact: the pixel is clean, or
    it says nothing. (The paper defines both for colour; one channel is the same formula with C = 1.)

    alpha: a probability, or (low, high) drawn per image.
    """

    def __init__(self, alpha: float | tuple[float, float]):
        self.alpha = self.bounds = _range("alpha", alpha)
        if self.alpha[1] > 1:
            raise ValueError(f"alpha is a probability and at most 1; {alpha} was given")

    def __repr__(self) -> str:
        return f"Impulse({_plain(self.alpha)})"

    def sample(self, clean: Tensor, generator: Generator | None = None) -> NoisyImage:
        alpha = _draw(self.alpha, clean, generator)
        n, _, h, w = clean.shape
        hit = torch.rand((n, 1, h, w), generator=generator, device=clean.device) < _per_image(alpha)
        random = torch.rand(clean.shape, generator=generator, device=clean.device)
        return NoisyImage(torch.where(hit, random, clean), alpha)

    def marginal(self, mean: Tensor, cov: Tensor, parameter: Tensor) -> Belief:
        alpha = _per_image(parameter)
        mean_y = alpha / 2 + (1 - alpha) * mean
        uniform = 0.25 + torch.eye(mean.shape[1], dtype=mean.dtype, device=mean.device)[..., None, None] / 12
        second = alpha[..., None] * uniform + (1 - alpha[..., None]) * (cov + outer(mean, mean))
        return Belief(mean_y, second - outer(mean_y, mean_y))

    def posterior(self, noisy: Tensor, mean: Tensor, cov: Tensor, parameter: Tensor) -> Belief:
        alpha = parameter[:, None, None].clamp(1e-9, 1 - 1e-9)
        firm = Belief(mean, cov + diagonal(torch.full_like(mean, 1e-6)))  # a vanishing covariance has no density
        evidence = log_density(noisy, firm) + (1 - alpha).log() - alpha.log()
        clean = torch.sigmoid(evidence)[:, None]  # the probability that this pixel was not hit
        surprise = noisy - mean
        spread = (1 - clean[:, None]) * (cov + clean[:, None] * outer(surprise, surprise))
        return Belief(mean + clean * surprise, spread)

    def from_free(self, value: Tensor) -> Tensor:
        return _positive(value).clamp(max=1 - FLOOR)

    def to_free(self, parameter: float) -> float:
        return _inverse(parameter)


class CorrelatedGaussian(Noise):
    """White N(0, sigma^2) noise per channel, convolved with a kernel of unit energy: the noise of Patch-Craft (PCST).

    The standard deviation of a pixel stays sigma; its neighbours become correlated. A k x k box
    has the autocorrelation (1 - |dy|/k)(1 - |dx|/k).

    sigma: as for Gaussian.  kernel: k for the box ones(k, k)/k, or any 2-D array (scaled to unit energy).
    between: the correlation of any two channels; 0 is as published.
    """

    def __init__(self, sigma: float | tuple[float, float], kernel: int | np.ndarray = 3, between: float = 0.0):
        self.sigma = _range("sigma", sigma)
        weights = np.ones((kernel, kernel)) if isinstance(kernel, int) and kernel > 0 else np.asarray(kernel, float)
        if weights.ndim != 2 or not np.isfinite(weights).all() or not weights.any():
            raise ValueError(f"the kernel is a width >= 1 or a 2-D array that is not all zero; {kernel!r} was given")
        if not 0 <= between <= 1:
            raise ValueError(f"the correlation between channels lies in [0, 1]; {between} was given")
        self.kernel = torch.tensor(weights / np.sqrt((weights**2).sum()), dtype=torch.float32)
        self.between = between

    def to_internal(self, parameter: Strength) -> Strength:
        return parameter / 255

    def to_paper(self, parameter: Strength) -> Strength:
        return 255 * parameter

    def __repr__(self) -> str:
        between = f", {self.between}" if self.between else ""
        return f"CorrelatedGaussian({_plain(self.sigma)}, {self.kernel.tolist()}{between})"

    def sample(self, clean: Tensor, generator: Generator | None = None) -> NoisyImage:
        deviation = self.to_internal(_draw(self.sigma, clean, generator))
        n, c, h, w = clean.shape
        kh, kw = self.kernel.shape
        white = _normal((n, c, h + kh - 1, w + kw - 1), clean, generator)
        if self.between:
            shared = _normal((n, 1, *white.shape[2:]), clean, generator)
            white = math.sqrt(self.between) * shared + math.sqrt(1 - self.between) * white
        noise = conv2d(white.view(n * c, 1, *white.shape[2:]), self.kernel.to(clean.device)[None, None]).view(
            n, c, h, w
        )
        return NoisyImage(clean + _per_image(deviation) * noise, deviation)


def read(text: str) -> Noise:
    """The noise model whose repr is `text`, such as "Gaussian((5, 50))".

    Raises ValueError for anything else; nothing in the text is executed.
    """
    kinds = {kind.__name__: kind for kind in (Gaussian, Poisson, Sensor, Impulse, CorrelatedGaussian)}
    try:
        call = ast.parse(text, mode="eval").body
        return kinds[call.func.id](*(ast.literal_eval(argument) for argument in call.args))
    except (SyntaxError, AttributeError, KeyError) as error:
        raise ValueError(f"noise is written as Gaussian(25), Poisson(30), Impulse(0.5); {text!r} was given") from error


def _positive(value: Tensor) -> Tensor:
    """softplus(v - 4) + 0.001, as published."""
    return softplus(value - 4) + FLOOR


def _inverse(positive: float) -> float:
    return 4 + math.log(math.expm1(max(positive - FLOOR, 1e-6)))


def _range(name: str, value: float | tuple[float, float]) -> tuple[float, float]:
    low, high = value if isinstance(value, tuple | list) else (value, value)
    if not (0 <= low <= high < float("inf") and high > 0):
        raise ValueError(f"{name} is a number > 0, or a range (low, high) with 0 <= low < high; {value!r} was given")
    return float(low), float(high)


def _plain(bounds: tuple[float, float]) -> str:
    return f"{bounds[0]:g}" if bounds[0] == bounds[1] else f"({bounds[0]:g}, {bounds[1]:g})"


def _draw(bounds: tuple[float, float], clean: Tensor, generator: Generator | None) -> Tensor:
    if clean.ndim != 4 or not clean.is_floating_point():
        raise ValueError(
            f"clean images are a float tensor [N, C, H, W]; {clean.dtype} of shape {list(clean.shape)} was given"
        )
    low, high = bounds
    if low == high:
        return torch.full((len(clean),), low, device=clean.device)
    return low + (high - low) * torch.rand(len(clean), generator=generator, device=clean.device)


def _normal(shape: tuple[int, ...], like: Tensor, generator: Generator | None) -> Tensor:
    return torch.randn(shape, generator=generator, device=like.device, dtype=like.dtype)


def _per_image(parameter: Tensor) -> Tensor:
    return parameter[:, None, None, None]


def noisy_burst(burst: Tensor, noise: Noise, generator: Generator, *, temporal: float = 0.0) -> NoisyImage:
    """The burst with noise in every frame, drawn independently, or such that frames t apart correlate by temporal^t.

    Temporal correlation takes what the noise adds to each frame, and so suits noise that does not depend on the image.
    """
    if not 0 <= temporal < 1:
        raise ValueError(f"the correlation from frame to frame lies in [0, 1); {temporal} was given")
    noisy, parameter = noise.sample(burst, generator)
    if temporal:
        added = noisy - burst
        for t in range(1, len(added)):
            added[t] = temporal * added[t - 1] + math.sqrt(1 - temporal**2) * added[t]
        noisy = burst + added
    return NoisyImage(noisy, parameter)
