"""The noise correlation map: how much the noise of a pixel tells about the noise a lag away.

Noise is an array [H, W] or [H, W, C], noisy minus clean, in any unit. A map of reach r is [2r + 1, 2r + 1], its centre
the lag (0, 0). It is Pearson's correlation over exactly those pairs of pixels that both lie in the image; that of the
student report, `chroma_correlation_map`, is over the colours of a pair.
"""

from dataclasses import dataclass, fields

import numpy as np

from dnlib.noise.lags import as_planes, lag_products, sums_with_partner

FEW = 10  # pairs of pixels, of less than which the correlation says nothing
ROUNDING = 1e-5  # of the squares of all noise: what varies by less at a lag may be rounding errors alone


@dataclass(frozen=True)
class LagSums:
    """Sums over all pairs of a pixel x and the pixel y a lag away, each [2r + 1, 2r + 1].

    They can be added; of unlike reaches, the larger one is kept.

    Parameters
    ----------
    pairs : array
        How many pairs there are.
    x, xx, xy : array
        Sums of the values, of their squares, and of their products. Those of y and yy are x and xx at the opposite
        lag, for the partner of a partner is the pixel.

    Examples
    --------
    >>> one, other = np.random.default_rng(0).standard_normal((2, 20, 20))
    >>> (lag_sums(one, 3) + lag_sums(other, 3)).correlation.shape
    (7, 7)
    """

    pairs: np.ndarray
    x: np.ndarray
    xx: np.ndarray
    xy: np.ndarray

    def __add__(self, other: "LagSums") -> "LagSums":
        reach = max(len(self.pairs), len(other.pairs)) // 2
        return LagSums(*(one + more for one, more in zip(self._up_to(reach), other._up_to(reach), strict=True)))

    def _up_to(self, reach: int) -> list[np.ndarray]:
        """The sums with further lags, of which there are no pairs."""
        return [np.pad(getattr(self, f.name), reach - len(self.pairs) // 2) for f in fields(self)]

    @property
    def correlation(self) -> np.ndarray:
        """Pearson's correlation at every lag; NaN where there are fewer than 10 pairs or nothing varies."""
        with np.errstate(invalid="ignore", divide="ignore"):
            cov = self.xy - self.x * self.x[::-1, ::-1] / self.pairs
            spread = self.xx - self.x**2 / self.pairs
            scale = np.sqrt(spread) * np.sqrt(spread[::-1, ::-1])
            known = (self.pairs >= FEW) & (spread > ROUNDING * self.xx.max())
            return np.where(known & known[::-1, ::-1], (cov / scale).clip(-1, 1), np.nan)


def correlation_map(noise: np.ndarray, reach: int = 10, *, valid: np.ndarray | None = None) -> np.ndarray:
    """Pearson's correlation of the noise with itself at all lags up to `reach`, exact over the overlap.

    Parameters
    ----------
    noise : array [H, W] or [H, W, C]
        Noisy minus clean, floats in any unit; channels are taken as more pixels.
    reach : int
        Largest lag.
    valid : array [H, W], optional
        False where pixels do not count, as where the sensor is saturated.

    Returns
    -------
    array [2 reach + 1, 2 reach + 1]
        From -1 to 1; NaN where there are fewer than 10 pairs or nothing varies.

    Raises
    ------
    ValueError
        For noise that is no float array or not finite, a reach that the image does not have.

    Examples
    --------
    Noise averaged over two pixels of a row shares half of its variance with the next pixel:

    >>> white = np.random.default_rng(0).standard_normal((200, 201))
    >>> np.round(correlation_map(white[:, 1:] + white[:, :-1], 2)[2], 1) + 0.0
    array([0. , 0.5, 1. , 0.5, 0. ])
    """
    return lag_sums(noise, reach, valid=valid).correlation


def lag_sums(noise: np.ndarray, reach: int = 10, *, valid: np.ndarray | None = None) -> LagSums:
    """What `correlation_map` is made of, of the noise less its mean; sums of several images may be added to one.

    Parameters and errors as there.

    Examples
    --------
    >>> lag_sums(np.random.default_rng(0).standard_normal((8, 8)), 1).pairs.astype(int).tolist()
    [[49, 56, 49], [56, 64, 56], [49, 56, 49]]
    """
    planes = as_planes(noise, reach)
    if valid is None:
        values = planes - planes.mean(dtype=np.float64).astype(planes.dtype)
        count = np.outer(*(size - np.abs(np.arange(-reach, reach + 1)) for size in planes.shape[1:])).astype(float)
        x, xx = (sums_with_partner(part.sum(axis=0), reach) for part in (values, values**2))
    else:  # every sum is then a correlation with the mask
        inside = np.asarray(valid, dtype=bool)
        if inside.shape != planes.shape[1:]:
            raise ValueError(f"valid has the noise's height and width; {list(inside.shape)} was given")
        if not inside.any():
            raise ValueError("no pixel is valid: there is nothing to correlate")
        values = (planes - planes[:, inside].mean(dtype=np.float64).astype(planes.dtype)) * inside
        mask = inside[None].astype(planes.dtype)
        count = np.rint(lag_products(mask, mask, reach))
        x, xx = (lag_products(part.sum(axis=0)[None], mask, reach) for part in (values, values**2))
    return LagSums(len(planes) * count, x, xx, lag_products(values, values, reach))


def chroma_correlation_map(noise: np.ndarray, reach: int = 10) -> np.ndarray:
    """The student report's formula, literally: the mean Pearson correlation of two pixels' three colour values.

    With u the noise less its mean over the pixel's own three colours, scaled to length 1, it is the mean of
    u_i . u_(i + lag). What all three colours share is thus removed: gray noise, however correlated, does not count.
    Pixels whose three values are equal have no correlation and are left out.

    Parameters
    ----------
    noise : array [H, W, 3]
        Noisy minus clean, floats in any unit.
    reach : int
        Largest lag.

    Returns
    -------
    array [2 reach + 1, 2 reach + 1]
        NaN where no pair has a correlation.

    Raises
    ------
    ValueError
        For noise that is not [H, W, 3], not finite, or smaller than the reach.

    Examples
    --------
    >>> gray = np.repeat(np.random.default_rng(0).standard_normal((30, 30, 1)), 3, axis=2)
    >>> colour = np.random.default_rng(1).standard_normal((30, 30, 3))
    >>> np.allclose(chroma_correlation_map(gray + colour, 2), chroma_correlation_map(colour, 2))
    True
    """
    planes = as_planes(noise, reach)
    if len(planes) != 3:
        raise ValueError(
            f"the correlation of colour triples needs noise [H, W, 3]; shape {list(np.shape(noise))} was given"
        )
    chroma = planes - planes.mean(axis=0)
    length = np.sqrt((chroma**2).sum(axis=0))
    counts = length > 8 * np.finfo(planes.dtype).eps * np.abs(planes).max(axis=0)
    unit = np.where(counts, chroma / np.where(counts, length, 1), 0)
    mask = counts[None].astype(planes.dtype)
    sums, pairs = lag_products(unit, unit, reach), np.rint(lag_products(mask, mask, reach))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(pairs > 0, sums / pairs, np.nan)


def radius(values: np.ndarray, threshold: float) -> int:
    """How far correlation reaches: beyond it, in either direction, no |correlation| of a map exceeds `threshold`.

    Parameters
    ----------
    values : array [K, K]
        A correlation map, K odd. Where it is NaN, nothing is known, and no correlation is counted.
    threshold : float
        Which correlation is taken for none.

    Examples
    --------
    >>> radius(np.outer([0, 0.5, 1, 0.5, 0], [0, 0.5, 1, 0.5, 0]), 0.1)
    1
    """
    reach = len(values) // 2
    rows, columns = np.indices(values.shape) - reach
    distance = np.maximum(np.abs(rows), np.abs(columns))
    return int(distance[np.abs(np.nan_to_num(values)) > threshold].max(initial=0))
