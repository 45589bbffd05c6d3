"""Gaussian noise whose neighbours share it, white noise blurred; and noise that whole rows share."""

import math
from numbers import Integral

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn.functional import conv2d

from dnlib.noise.models import Noise, PerImage, as_written, is_number, normal, per_image, strength_range, uniform

WIDEST = 1_000  # pixels of a box: wider than most images


class CorrelatedGaussian(Noise):
    """White noise N(0, sigma^2) per channel, convolved with a kernel of unit energy: the noise of Patch-Craft (PCST).

    The standard deviation of a pixel stays sigma; its neighbours become correlated. A k x k box has the autocorrelation
    (1 - |dy|/k)(1 - |dx|/k).

    Parameters
    ----------
    sigma : float or (low, high)
        Standard deviation in 8-bit units, > 0; a range is drawn from once per image.
    kernel : int or array [KH, KW]
        k, from 1 to 1,000, for the box ones(k, k) / k, or any 2-D array, which is scaled to unit energy.
    between : float
        In [0, 1]: the correlation of any two channels; 0 is as published.

    Raises
    ------
    ValueError
        For an impossible strength, kernel or correlation.

    References
    ----------
    Vaksman and Elad, Patch-Craft Self-Supervised Training for Correlated Image Denoising, CVPR 2023.

    Examples
    --------
    >>> noise = CorrelatedGaussian(20, 3, between=0.5)
    >>> noise
    CorrelatedGaussian(20, 3, between=0.5)
    >>> noise.sample(torch.full((1, 3, 16, 16), 0.5)).image.shape
    torch.Size([1, 3, 16, 16])
    """

    paper_units = 255

    def __init__(self, sigma: float | tuple[float, float], kernel: int | np.ndarray = 3, between: float = 0.0):
        super().__init__("sigma", sigma)
        weights = _weights(kernel)
        if not (is_number(between) and 0 <= between <= 1):
            raise ValueError(f"the correlation between channels lies in [0, 1]; {between!r} was given")
        self.kernel = torch.from_numpy(weights / np.sqrt((weights**2).sum()))
        self.between = float(between)
        self._written = int(kernel) if isinstance(kernel, Integral) else weights.tolist()

    def __repr__(self) -> str:
        between = f", between={as_written(self.between)}" if self.between else ""
        return f"CorrelatedGaussian({as_written(self.strength)}, {self._written}{between})"

    def corrupt(self, clean: Tensor, parameter: Tensor, generator: Generator | None) -> Tensor:
        n, c, h, w = clean.shape
        kh, kw = self.kernel.shape
        white = normal((n, c, h + kh - 1, w + kw - 1), clean, generator)
        if self.between:
            shared = normal((n, 1, *white.shape[2:]), clean, generator)
            white = math.sqrt(self.between) * shared + math.sqrt(1 - self.between) * white
        noise = conv2d(white.flatten(0, 1)[:, None], self.kernel.to(clean, non_blocking=True)[None, None])
        return clean + per_image(parameter) * noise.view(clean.shape)


class Lines(Noise):
    """One number per row, N(0, sigma^2), added to all its pixels and colours alike, as sensors do that read row by row.

    Parameters
    ----------
    sigma : float or (low, high)
        Standard deviation in 8-bit units, > 0; a range is drawn from once per image.

    Examples
    --------
    >>> noise = Lines(20).sample(torch.full((1, 3, 4, 4), 0.5)).image - 0.5
    >>> torch.equal(noise, noise[:, :1, :, :1].expand_as(noise))
    True
    """

    paper_units = 255

    def __init__(self, sigma: float | tuple[float, float]):
        super().__init__("sigma", sigma)

    def corrupt(self, clean: Tensor, parameter: Tensor, generator: Generator | None) -> Tensor:
        n, _, h, _ = clean.shape
        return clean + per_image(parameter) * normal((n, 1, h, 1), clean, generator)


class AnyCorrelated(PerImage):
    """Gaussian noise whose correlation differs from image to image: a `CorrelatedGaussian` drawn once for each.

    Its kernel is a box, a binomial or random numbers, of 1 to `width` pixels in either direction; its colours share
    nothing in a quarter of the images, everything in another, and a random part in the others.

    Parameters
    ----------
    sigma : float or (low, high)
        Standard deviation in 8-bit units, > 0; a range is drawn from once per image.
    width : int
        Largest side of a kernel.

    Raises
    ------
    ValueError
        For an impossible strength or width.

    Examples
    --------
    >>> noise = AnyCorrelated((5, 50), 4)
    >>> noise
    AnyCorrelated((5, 50), 4)
    >>> type(noise.settled(torch.Generator().manual_seed(0))).__name__
    'CorrelatedGaussian'
    """

    def __init__(self, sigma: float | tuple[float, float], width: int = 5):
        super().__init__()
        self.sigma = strength_range("sigma", sigma)
        if not (is_number(width, Integral) and 1 <= width <= 32):
            raise ValueError(f"the largest width of a kernel is from 1 to 32 pixels; {width!r} was given")
        self.width = int(width)

    def __repr__(self) -> str:
        return f"AnyCorrelated({as_written(self.sigma)}, {self.width})"

    def settled(self, generator: Generator | None = None) -> Noise:
        sigma = max(uniform(self.sigma, generator), 1e-6)
        sides = [1 + min(int(uniform((0, self.width), generator)), self.width - 1) for _ in range(2)]
        kind = uniform((0, 3), generator)
        if kind < 1:
            kernel = np.ones(sides)
        elif kind < 2:
            kernel = np.outer(*([float(math.comb(side - 1, place)) for place in range(side)] for side in sides))
        else:
            device = getattr(generator, "device", None)
            kernel = torch.randn(sides, generator=generator, device=device, dtype=torch.float64).cpu().numpy()
        return CorrelatedGaussian(sigma, kernel, min(max(uniform((-0.5, 1.5), generator), 0.0), 1.0))


def _weights(kernel: int | np.ndarray) -> np.ndarray:
    """The kernel as given, [KH, KW] in float64; a width stands for a box."""
    if is_number(kernel, Integral) and 0 < kernel <= WIDEST:
        return np.ones((kernel, kernel))
    try:
        weights = np.asarray(kernel)
    except ValueError:  # rows of different lengths
        weights = np.empty(0)
    if weights.dtype.kind not in "iuf" or weights.ndim != 2 or not np.isfinite(weights).all() or not weights.any():
        raise ValueError(
            f"the kernel is a width from 1 to {WIDEST} or a 2-D array that is not all zero; {kernel!r} was given"
        )
    return weights.astype(float)
