"""Recorrupted-to-Recorrupted (Pang et al. 2021): one noisy image is made two whose noise is independent.

For y = x + n with n ~ N(0, S), and z ~ N(0, S) drawn anew, y1 = y + a z and y2 = y - z / a are such a pair, whatever S
is: noise may be as correlated, and as dependent on brightness, as it likes, if only it is known. Photon counts are
dealt out to the two instead (Monroy et al. 2025).
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

    With `gain` g, for y = g counts and counts ~ Poisson(x / g), each photon is dealt out by chance, to y1 or to y2:

        k ~ Binomial(y / g, 1 / (1 + a^2)),    y1 = (1 + a^2) g k,    y2 = (1 + 1 / a^2) (y - g k)

    These are independent, both of mean x, with variances (1 + a^2) g x and (1 + 1 / a^2) g x: those of above, and with
    z = (y1 - y) / a the pair is y + a z and y - z / a.

    Parameters
    ----------
    network : nn.Module
        Any.
    noise : Noise, str or callable
        A noise model of one strength, the text of one, or noise(light, generator) -> Tensor: noise of mean 0 for images
        of this light, both [N, C, H, W]; a batch's generator must be all that it draws from. Left out with `gain`.
    gain : float
        What one photon is worth in the image, > 0: 1 / lambda for `Poisson(lambda)`. Values are whole multiples of it.
    strength : float
        The a above, > 0.
    draws : int
        Images are denoised as the mean of f(y + a z) over so many z, always the same ones; with 0 as f(y).

    Raises
    ------
    ValueError
        For noise and gain, or neither; a noise model with a range of strengths; a gain or strength that is not > 0; a
        negative number of draws; once images are used, for values that are no photon counts times the gain.

    References
    ----------
    Pang, Zheng, Quan, Ji, Recorrupted-to-Recorrupted: Unsupervised Deep Learning for Image Denoising, CVPR 2021.
    Monroy, Bacca, Tachella, Generalized Recorrupted-to-Recorrupted: Self-Supervised Learning Beyond Gaussian Noise,
    CVPR 2025.

    Examples
    --------
    >>> from dnlib.networks import DnCNN
    >>> method = Recorrupted2Recorrupted(DnCNN(3, 3, 8), "CorrelatedGaussian(20, 3)")
    >>> method.loss(Batch(torch.Generator(), noisy=torch.rand(2, 3, 16, 16))).ndim
    0
    """

    needs: ClassVar = frozenset({"noisy"})

    def __init__(
        self,
        network: nn.Module,
        noise: Noise | str | Draw | None = None,
        *,
        gain: float | None = None,
        strength: float = 0.5,
        draws: int = 5,
    ):
        super().__init__(network)
        if (noise is None) == (gain is None):
            raise ValueError(f"either noise is drawn anew or photons have a gain; {noise=}, {gain=} were given")
        if gain is not None and not 0 < gain < math.inf:
            raise ValueError(f"a photon has a gain > 0; {gain} was given")
        self.noise = read_noise(noise) if isinstance(noise, str) else noise
        if isinstance(self.noise, Noise) and self.noise.strength[0] < self.noise.strength[1]:
            raise ValueError(f"noise is drawn anew for noise of one strength; {self.noise!r} has a range: name one")
        if not 0 < strength < math.inf:
            raise ValueError(f"a recorrupted pair has a strength > 0; {strength} was given")
        if draws < 0:
            raise ValueError(f"denoising takes 0 draws or more; {draws} was given")
        self.gain, self.strength, self.draws = gain, strength, draws

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
        """The z of images [N, C, H, W]: noise drawn anew for the light that they show, or from dealing photons."""
        if self.gain is not None:
            return (self._dealt(noisy, generator) - noisy) / self.strength
        light = functional.avg_pool2d(noisy, SMOOTH, 1, SMOOTH // 2, count_include_pad=False).clamp(0, 1)
        if isinstance(self.noise, Noise):
            return self.noise.sample(light, generator).image - light
        return self.noise(light, generator)

    def _dealt(self, noisy: Tensor, generator: Generator) -> Tensor:
        """The y1 of photon counts."""
        counts, share = (noisy / self.gain).round(), 1 / (1 + self.strength**2)
        if not torch.allclose(counts, noisy / self.gain, rtol=1e-6, atol=0.01) or counts.min() < 0:  # float32 rounds
            raise ValueError(
                f"photon counts are whole multiples >= 0 of the gain {self.gain:g}; other values were given"
            )
        return self.gain / share * torch.binomial(counts, torch.full_like(counts, share), generator)
