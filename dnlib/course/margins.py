"""What the evidence says about a margin: how far a measured number lies above its bound, and how sure that is.

Seeds and images are crossed: each training is judged on the same images. The mean over both errs for two reasons, other
seeds and other scenes, and the two variances add up (Owen 2007, The pigeonhole bootstrap, section 3). Each is widened
by Student's quantile for its own degrees of freedom, and the half intervals are added as squares (Howe 1974, for the
mean of two sources of error). A percentile bootstrap over three seeds would be far too sure: it calls a margin of
nothing decided in one ledger of four.

Numbers that are all alike have no such interval. They are counted: n of them lie on one side of a bound by chance as
often as n coins all fall alike, so that six decide.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.05


@dataclass(frozen=True)
class Margin:
    """A mean with what makes it err.

    parts: of "seeds" and "scenes", where there are several, the variance of the mean over them and its degrees of
    freedom. In margins of zero variance these are the number of samples less one.

    Examples
    --------
    >>> margin = Margin(1.0, {"seeds": (0.16, 2)})
    >>> [round(end, 2) for end in margin.interval]
    [-0.72, 2.72]
    >>> round(margin.probability, 2)
    0.13
    """

    mean: float
    parts: dict[str, tuple[float, float]]

    @property
    def is_known(self) -> bool:
        """Whether its interval has ends. It takes two seeds, or scenes; six if their numbers are all alike."""
        return bool(np.isfinite(self.half_interval()))

    @property
    def error(self) -> float:
        """Standard error of the mean."""
        return float(np.sqrt(sum(variance for variance, _ in self.parts.values())))

    def half_interval(self, level: float = LEVEL) -> float:
        """Half the width of the interval that misses the true mean with probability `level`; infinite if unknown.

        For numbers that are all alike it is zero, if as many coins would fall alike less often than `level`.
        """
        from scipy.stats import t

        if not self.error:
            return 0.0 if self.probability <= level else float("inf")
        squares = (t.isf(level / 2, freedom) ** 2 * variance for variance, freedom in self.parts.values())
        return float(np.sqrt(sum(squares)))

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval."""
        return self.mean - self.half_interval(), self.mean + self.half_interval()

    @property
    def probability(self) -> float:
        """The level at which the interval ends at zero: how probable a mean so far from zero is by chance."""
        from scipy.optimize import brentq

        if not self.error:  # as of so many coins, all heads or all tails
            return 0.5 ** min((freedom for _, freedom in self.parts.values()), default=0)
        if self.mean == 0:
            return 1.0
        if abs(self.mean) >= self.half_interval(1e-12):
            return 0.0
        return float(np.exp(brentq(lambda log: self.half_interval(np.exp(log)) - abs(self.mean), np.log(1e-12), 0)))

    @property
    def widest(self) -> str:
        """Which of "seeds" and "scenes" makes most of the interval."""
        return max(self.parts, key=lambda what: self._alone(what).half_interval())

    @property
    def needed(self) -> int | None:
        """How many seeds or scenes, whichever is `widest`, would decide it; None if a thousand would not.

        Mean and scatter are taken to stay as they are. Of three samples they hardly do: then this is a rough guess.
        """
        from scipy.stats import t

        variance, freedom = self.parts[self.widest]
        others = [what for what in self.parts if what != self.widest]
        counts = np.arange(freedom + 1, 1001)
        squares = t.isf(LEVEL / 2, counts - 1) ** 2 * variance * (freedom + 1) / counts
        squares += sum(self._alone(what).half_interval() ** 2 for what in others)
        return next((int(count) for count in counts[squares < self.mean**2]), None)

    def _alone(self, what: str) -> "Margin":
        """The same mean, erring for one reason only."""
        return Margin(self.mean, {what: self.parts[what]})


def measure(table: np.ndarray, scenes: Sequence[str] | None = None) -> Margin:
    """The mean of numbers over seeds, or over seeds and images, with its error.

    table: [seeds], or [seeds, images] where each seed was judged on the same images. scenes: the scene of each image:
    images of one scene are one sample; each its own, if not given. The margin has no spread if there is one seed and
    one scene; seeds that all give the same scores of images count as one: shipped weights were judged again. Raises
    ValueError for numbers that are not finite.

    Examples
    --------
    >>> margin = measure(np.array([0.0, 1.0, 2.0]))
    >>> margin.mean, round(margin.half_interval(), 2)
    (1.0, 2.48)
    >>> measure(np.array([0.1])).is_known
    False
    """
    table = np.asarray(table, dtype=float)
    if not np.isfinite(table).all():
        raise ValueError("a margin is a finite number; NaN or infinity was given")
    table = table[:, None] if table.ndim == 1 else table
    scenes = range(table.shape[1]) if scenes is None else scenes
    scene = np.unique(scenes, return_inverse=True)[1]
    table = table[:1] if table.shape[1] > 1 and (table == table[0]).all() else table
    parts = {"seeds": _over_seeds(table.mean(axis=1)), "scenes": _over_scenes(table.mean(axis=0), scene)}
    return Margin(float(table.mean()), {what: part for what, part in parts.items() if part[1]})


def _over_seeds(means: np.ndarray) -> tuple[float, float]:
    """Variance of the mean and its degrees of freedom, Student's."""
    return (float(means.var(ddof=1) / len(means)), len(means) - 1) if np.ptp(means) > 0 else (0.0, len(means) - 1)


def _over_scenes(means: np.ndarray, scene: np.ndarray) -> tuple[float, float]:
    """The same over scenes. The mean stays that over images, so that a scene of many images weighs more.

    The variance is unbiased where scenes scatter alike, and its degrees of freedom are Satterthwaite's (1946; for
    regression Bell and McCaffrey 2002): Student's where scenes are equally large, near 1 where two hold most images.
    """
    images = np.bincount(scene)
    count, weights, scenes = len(images), images / images.sum(), np.bincount(scene, means) / images
    if count == 1 or np.ptp(means) == 0:
        return 0.0, count - 1
    less_mean = np.eye(count) - weights  # [scene, scene]: takes the mean over images off each scene
    shares = weights**2 / (less_mean**2).sum(axis=1)
    form = less_mean.T * shares @ less_mean  # of which the variance is the quadratic form of the scenes' means
    return float(shares @ (less_mean @ scenes) ** 2), float(np.trace(form) ** 2 / (form**2).sum())
