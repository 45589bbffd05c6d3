"""Noise models. Strengths are named as in the papers, sigma in 8-bit units, and converted once, here.

Every model draws from float images in [0, 1] and never clips: clipping makes the mean of the
noise depend on the image, and with it every method of this course goes wrong.
"""

from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn.functional import conv2d


class NoisyImage(NamedTuple):
    image: Tensor  # [N, C, H, W]
    parameter: Tensor  # [N]: sigma / 255, lambda or alpha of each image


class Noise(Protocol):
    """What a noise model can do. Its repr says all that decides what it draws."""

    def sample(self, clean: Tensor, generator: Generator | None = None) -> NoisyImage:
        """Draw one noisy version of each image of `clean` [N, C, H, W] in [0, 1]."""


class Gaussian:
    """y = x + n,  n ~ N(0, sigma^2), independent in every pixel and channel.

    sigma: standard deviation in 8-bit units (25 means 25/255), or (low, high) drawn per image, low >= 0.
    """

    def __init__(self, sigma: float | tuple[float, float]):
        self.sigma = _range("sigma", sigma)

    def __repr__(self) -> str:
        return f"Gaussian({_plain(self.sigma)})"

    def sample(self, clean: Tensor, generator: Generator | None = None) -> NoisyImage:
        deviation = _draw(self.sigma, clean, generator) / 255
        return NoisyImage(clean + _per_image(deviation) * _normal(clean.shape, clean, generator), deviation)


class Poisson:
    """y = Poisson(lambda x) / lambda: photon counting. Variance x / lambda grows with the signal.

    rate: lambda, the photons that a white pixel collects, or (low, high) drawn per image.
    """

    def __init__(self, rate: float | tuple[float, float]):
        self.rate = _range("lambda", rate)
        if not self.rate[0]:
            raise ValueError(f"lambda is > 0, in a range, too: nobody can divide by 0 photons; {rate} was given")

    def __repr__(self) -> str:
        return f"Poisson({_plain(self.rate)})"

    def sample(self, clean: Tensor, generator: Generator | None = None) -> NoisyImage:
        rate = _draw(self.rate, clean, generator)
        if clean.min() < 0:
            raise ValueError(f"Poisson noise needs a clean image >= 0; the smallest value is {clean.min():.4g}")
        photons = _per_image(rate) * clean
        return NoisyImage(torch.poisson(photons, generator=generator) / _per_image(rate), rate)


class Impulse:
    """With probability alpha a whole pixel (all channels at once) is replaced by U[0, 1]^C.

    alpha: a probability, or (low, high) drawn per image.
    """

    def __init__(self, alpha: float | tuple[float, float]):
        self.alpha = _range("alpha", alpha)
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


class CorrelatedGaussian:
    """White N(0, sigma^2) noise per channel, convolved with a kernel of unit energy: the noise of Patch-Craft (PCST).

    The standard deviation of a pixel stays sigma; its neighbours become correlated. A k x k box
    has the autocorrelation (1 - |dy|/k)(1 - |dx|/k).

    sigma: as for Gaussian.  kernel: k for the box ones(k, k)/k, or any 2-D array (scaled to unit energy).
    """

    def __init__(self, sigma: float | tuple[float, float], kernel: int | np.ndarray = 3):
        self.sigma = _range("sigma", sigma)
        weights = np.ones((kernel, kernel)) if isinstance(kernel, int) and kernel > 0 else np.asarray(kernel, float)
        if weights.ndim != 2 or not np.isfinite(weights).all() or not weights.any():
            raise ValueError(f"the kernel is a width >= 1 or a 2-D array that is not all zero; {kernel!r} was given")
        self.kernel = torch.tensor(weights / np.sqrt((weights**2).sum()), dtype=torch.float32)

    def __repr__(self) -> str:
        return f"CorrelatedGaussian({_plain(self.sigma)}, {self.kernel.tolist()})"

    def sample(self, clean: Tensor, generator: Generator | None = None) -> NoisyImage:
        deviation = _draw(self.sigma, clean, generator) / 255
        n, c, h, w = clean.shape
        kh, kw = self.kernel.shape
        white = _normal((n * c, 1, h + kh - 1, w + kw - 1), clean, generator)
        noise = conv2d(white, self.kernel.to(clean.device)[None, None]).view(n, c, h, w)
        return NoisyImage(clean + _per_image(deviation) * noise, deviation)


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
