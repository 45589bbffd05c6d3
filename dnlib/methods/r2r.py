"""Recorrupted-to-Recorrupted (Pang et al. 2021): one noisy image is made two whose noise is independent.

For y = x + n with n ~ N(0, S), and z ~ N(0, S) drawn anew, y1 = y + a z and y2 = y - z / a are such a pair, whatever S
is: noise may be as correlated, and as dependent on brightness, as it likes, if only it is known.
"""

import math
from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from dnlib.filters import recorrupt
from dnlib.methods.base import Estimate, Method
from dnlib.methods.batch import Batch
from dnlib.noise import Noise, read_noise

SMOOTH = 5  # pixels to a side of the means that say how bright a place is

Draw = Callable[[Tensor, Generator], Tensor]


class Recorrupted2Recorrupted(Method):
    """Noise2Noise on pairs made of one noisy image: mean (f(y1) - y2)^2 with y1 = y + a z, y2 = y - z / a.

    The noise of y1 is stronger than that of y, by sqrt(1 + a^2), and the network learns for that; a small `strength`
    brings it closer and makes the target noisier, by sqrt(1 + 1 / a^2).

    The clean image, for which z should be drawn, is unknown: means of 5x5 noisy pixels, clipped to [0, 1], stand for
    it. Noise that does not depend on brightness is drawn exactly, other noise as exactly as the means are right. Of
    noise that is not Gaussian, such as Poisson's, the pair is uncorrelated, not independent.

    Parameters
    ----------
    network : nn.Module
        Any.
    noise : Noise, str or callable
        A noise model of one strength, the text of one, or noise(light, generator) -> Tensor: noise of mean 0 for images
        of this light, both [N, C, H, W]; a batch's generator must be all that it draws from.
    strength : float
        The a above, > 0.
    draws : int
        Images are denoised as the mean of f(y + a z) over so many z, always the same ones; with 0 as f(y).

    Raises
    ------
    ValueError
        For a noise model with a range of strengths, a strength that is not > 0, a negative number of draws.

    References
    ----------
    Pang, Zheng, Quan, Ji, Recorrupted-to-Recorrupted: Unsupervised Deep Learning for Image Denoising, CVPR 2021.

    Examples
    --------
    >>> from dnlib.networks import DnCNN
    >>> method = Recorrupted2Recorrupted(DnCNN(3, 3, 8), "CorrelatedGaussian(20, 3)")
    >>> method.loss(Batch(torch.Generator(), noisy=torch.rand(2, 3, 16, 16))).ndim
    0
    """

    needs: ClassVar = frozenset({"noisy"})

    def __init__(self, network: nn.Module, noise: Noise | str | Draw, *, strength: float = 0.5, draws: int = 5):
        super().__init__(network)
        self.noise = read_noise(noise) if isinstance(noise, str) else noise
        if isinstance(self.noise, Noise) and self.noise.strength[0] < self.noise.strength[1]:
            raise ValueError(f"noise is drawn anew for noise of one strength; {self.noise!r} has a range: name one")
        if not 0 < strength < math.inf:
            raise ValueError(f"a recorrupted pair has a strength > 0; {strength} was given")
        if draws < 0:
            raise ValueError(f"denoising takes 0 draws or more; {draws} was given")
        self.strength, self.draws = strength, draws

    def loss(self, batch: Batch) -> Tensor:
        shown, target = recorrupt(batch.noisy, self.draw(batch.noisy, batch.generator), self.strength)
        return torch.mean((self.network(shown) - target) ** 2)

    def estimate(self, noisy: Tensor) -> Estimate:
        if not self.draws:
            return Estimate(self.network(noisy))
        generator = torch.Generator(noisy.device).manual_seed(0)
        shown = (noisy + self.strength * self.draw(noisy, generator) for _ in range(self.draws))
        return Estimate(sum(self.network(image) for image in shown) / self.draws)

    def draw(self, noisy: Tensor, generator: Generator) -> Tensor:
        """Noise as that of the images [N, C, H, W] has it, drawn anew for the light that they show."""
        light = functional.avg_pool2d(noisy, SMOOTH, 1, SMOOTH // 2, count_include_pad=False).clamp(0, 1)
        if isinstance(self.noise, Noise):
            return self.noise.sample(light, generator).image - light
        return self.noise(light, generator)
