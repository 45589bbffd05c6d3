"""The risk of a denoiser and of its blends with the noisy image, as a parabola, and how far it may be off."""

from dataclasses import dataclass, fields, replace

import numpy as np

BLOCK = 16  # pixels to a side of the blocks whose scatter says how far a risk may be off


@dataclass(frozen=True)
class Risk:
    """The estimated mean squared error of a denoiser f, and of every blend y + w (f(y) - y), without a clean image.

    Sums over the pixels that count of each block of the image, channel by channel, with the noise n and the residual
    r = f(y) - y. Risks of several images add up.

    Attributes
    ----------
    overlap : array [B, C]
        Estimates of n.r.
    power : array [B, C]
        r.r.
    noise : array [B, C]
        Estimates of n.n.
    count : array [B, C]
        How many values each block has; at least one in some channel.

    Examples
    --------
    >>> risk = Risk(*np.array([[[-3.0], [-1.0]], [[4.0], [4.0]], [[5.0], [5.0]], [[4.0], [4.0]]]))
    >>> risk.best_weight, risk.change(0.5), risk.at(0.5)
    (array([0.5]), -0.25, 1.0)
    """

    overlap: np.ndarray
    power: np.ndarray
    noise: np.ndarray
    count: np.ndarray

    @property
    def best_weight(self) -> np.ndarray:
        """The weight w in [0, 1] of least risk, for every channel [C]: -n.r / r.r."""
        return lowest_of(-self.overlap.sum(axis=0), self.power.sum(axis=0))

    def __add__(self, other: "Risk") -> "Risk":
        """The risk on two images together."""
        return Risk(*(np.concatenate([getattr(self, one.name), getattr(other, one.name)]) for one in fields(self)))

    def change(self, weight: float | np.ndarray = 1.0) -> float:
        """The mean squared error of the blend less that of the noisy image, in squared units of the image."""
        return float(self._changes(weight).sum() / self.count.sum())

    def at(self, weight: float | np.ndarray = 1.0) -> float:
        """The mean squared error of the blend, in squared units of the image: the noise's own and `change`."""
        return float(self.noise.sum() / self.count.sum()) + self.change(weight)

    def error(self, weight: float | np.ndarray = 1.0) -> float:
        """The standard error of `change`, from the scatter of the blocks; infinite for a single one.

        Each block has draws of its own, so their scatter is part of it. A wrong covariance is not: where the noise was
        estimated, that is the larger error by far.
        """
        blocks = len(self.count)
        apart = self._changes(weight) - self.change(weight) * self.count.sum(axis=1)
        return float(np.sqrt(blocks / (blocks - 1) * (apart**2).sum()) / self.count.sum()) if blocks > 1 else np.inf

    def with_noise(self, factor: float) -> "Risk":
        """The risk if the noise's variance is `factor` times that of what was drawn.

        Where the variance is estimated, a factor above 1 is the safer side. With too little noise, what a good denoiser
        removes counts as damage. Up to twice too much does no harm: the weight at most doubles with n.r, and at twice
        the best weight the risk is that of the noisy image, as a parabola has it.

        Parameters
        ----------
        factor
            0 or more.

        Raises
        ------
        ValueError
            For another factor.

        Examples
        --------
        >>> Risk(np.array([[-4.0]]), np.array([[16.0]]), np.array([[5.0]]), np.array([[4]])).with_noise(2).best_weight
        array([0.5])
        """
        if not 0 <= factor < np.inf:
            raise ValueError(f"variances are compared by a factor >= 0; {factor} was given")
        return replace(self, overlap=factor * self.overlap, noise=factor * self.noise)

    def _changes(self, weight: float | np.ndarray) -> np.ndarray:
        return (2 * weight * self.overlap + weight**2 * self.power).sum(axis=1)


def lowest_of(product: np.ndarray, power: np.ndarray) -> np.ndarray:
    """Where in [0, 1] the parabola power w^2 - 2 product w is lowest; 0 where there is no power."""
    return np.clip(np.divide(product, power, out=np.zeros_like(power), where=power > 0), 0, 1)


def summed(products: list[tuple[np.ndarray, np.ndarray, np.ndarray]], mask: np.ndarray) -> Risk:
    """The mean of what was drawn, summed over the blocks in which anything counts.

    products: of each draw, n.r, r.r and n.n for every value of the image; mask: in the image's shape.
    """
    overlap, power, noise = (_by_block(mask * np.mean(maps, axis=0)) for maps in zip(*products, strict=True))
    count = _by_block(mask)
    counts = count.any(axis=1)
    return Risk(overlap[counts], power[counts], noise[counts], count[counts])


def _by_block(values: np.ndarray) -> np.ndarray:
    """Sums [B, C] over blocks of BLOCK x BLOCK pixels, in float64."""
    for axis in (0, 1):
        values = np.add.reduceat(values, np.arange(0, values.shape[axis], BLOCK), axis=axis, dtype=np.float64)
    return values.reshape(values.shape[0] * values.shape[1], -1)
