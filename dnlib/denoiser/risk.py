"""How much good a filter does to a picture, worked out from the noisy picture and what is known of its noise.

A filter f removes r = y - f(y) from the noisy picture y = x + n. Of what it removes, only its product with the noise is
a gain. If w times r is taken off, the mean squared error falls by

    2 w E<n, r> - w^2 E|r|^2,

most for w = E<n, r> / E|r|^2. The second term is seen; the first is Stein's: E<n, f(y)> is the trace of S J, where S is
the noise's covariance and J the derivative of f, and is found by adding a little more noise z of the same kind,
<z, f(y + e z) - f(y)> / e. For a filter that does not look at the pixel itself (chapter 01) it is 0, w is sigma^2 / loss,
and so both lessons of that chapter, judging by the self-supervised loss and mixing the noisy pixel back, are this one.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

STEP = 0.05  # e, how much noise is added, in shares of what there is
BLOCK = 32  # pixels: gains of blocks as wide are taken to be independent


@dataclass(frozen=True)
class Removal:
    """What a filter removes from sample tiles, block by block.

    power: mean of r^2, [B, C]. noise: mean of n r, [B, C], both in squared units of the image.

    Examples
    --------
    >>> half = Removal(np.full((4, 1), 0.02), np.full((4, 1), 0.01))
    >>> half.weights.tolist(), half.gain(half.weights)
    ([0.5], 0.005)
    """

    power: np.ndarray
    noise: np.ndarray

    @property
    def weights(self) -> np.ndarray:
        """The share of r that is best taken off, from 0 to 1, for each channel [C]."""
        power, noise = self.power.mean(axis=0), self.noise.mean(axis=0)
        return np.clip(np.divide(noise, power, out=np.zeros_like(noise), where=power > 0), 0, 1)

    def gain(self, weights: np.ndarray) -> float:
        """By how much the mean squared error falls if that share is taken off."""
        return float(self._gains(weights).mean())

    def uncertainty(self, weights: np.ndarray) -> float:
        """The standard error of the gain, as blocks scatter."""
        gains = self._gains(weights)
        return float(gains.std() / np.sqrt(max(len(gains) - 1, 1)))

    def _gains(self, weights: np.ndarray) -> np.ndarray:
        return (2 * weights * self.noise - weights**2 * self.power).mean(axis=1)


def removal(
    filter: Callable[[np.ndarray], np.ndarray], tiles: list[np.ndarray], draws: list[np.ndarray], trust: float = 1.0
) -> Removal:
    """What a filter removes from tiles [H, W] or [H, W, C].

    draws: noise of the tiles' kind and shape, one for each. trust: the share of the noise's variance that is certain.
    """
    power, noise = [], []
    for tile, drawn in zip(tiles, draws, strict=True):
        removed = tile - filter(tile)
        stirred = tile + STEP * drawn - filter(tile + STEP * drawn)
        power.append(_by_blocks(removed**2))
        noise.append(trust * _by_blocks(drawn * (stirred - removed)) / STEP)
    return Removal(np.concatenate(power), np.concatenate(noise))


def _by_blocks(values: np.ndarray) -> np.ndarray:
    """Means over blocks [B, C] of values [H, W] or [H, W, C]."""
    values = np.atleast_3d(values).astype(np.float64)
    starts = [np.arange(0, max(size - BLOCK // 2, 1), BLOCK) for size in values.shape[:2]]
    sums, counts = (
        np.add.reduceat(np.add.reduceat(one, starts[0], axis=0), starts[1], axis=1)
        for one in (values, np.ones_like(values))
    )
    return (sums / counts).reshape(-1, values.shape[2])
