"""The noise correlation map: how much the noise of a pixel tells about the noise a lag away.

Noise is an array [H, W] or [H, W, C], noisy minus clean, in any unit. A map of reach r is [2r + 1, 2r + 1], its centre
the lag (0, 0). It is Pearson's correlation over exactly those pairs of pixels that both lie in the image.
"""

from dataclasses import dataclass, fields
from typing import Literal

import numpy as np

from dnlib.images import one_of
from dnlib.noise.lags import as_planes, lag_products, sums_with_partner

COLOURS = Literal["pooled", "apart", "crossed"]


@dataclass(frozen=True)
class LagSums:
    """Sums over all pairs of a pixel x and the pixel y a lag away, each [..., 2r + 1, 2r + 1]. They can be added.

    Parameters
    ----------
    pairs : array
        How many pairs there are.
    x, y, xx, yy, xy : array
        Sums of the values, of their squares, and of their products.

    Examples
    --------
    >>> one, other = np.random.default_rng(0).standard_normal((2, 20, 20))
    >>> (lag_sums(one, 3) + lag_sums(other, 3)).correlation.shape
    (7, 7)
    """

    pairs: np.ndarray
    x: np.ndarray
    y: np.ndarray
    xx: np.ndarray
    yy: np.ndarray
    xy: np.ndarray

    def __add__(self, other: "LagSums") -> "LagSums":
        return LagSums(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def correlation(self) -> np.ndarray:
        """Pearson's correlation at every lag; NaN where there is no pair or nothing varies."""
        with np.errstate(invalid="ignore", divide="ignore"):
            cov = self.xy - self.x * self.y / self.pairs
            scale = (self.xx - self.x**2 / self.pairs) * (self.yy - self.y**2 / self.pairs)
            return np.where(scale > 0, cov / np.sqrt(scale), np.nan)


def correlation_map(
    noise: np.ndarray, reach: int = 10, *, colours: COLOURS = "pooled", valid: np.ndarray | None = None
) -> np.ndarray:
    """Pearson's correlation of the noise with itself at all lags up to `reach`, exact over the overlap.

    Parameters
    ----------
    noise : array [H, W] or [H, W, C]
        Noisy minus clean, floats in any unit.
    reach : int
        Largest lag.
    colours : {"pooled", "apart", "crossed"}
        "pooled" takes the channels as more pixels; "apart" gives one map per channel; "crossed" the correlation of
        channel a with channel b a lag away.
    valid : array [H, W], optional
        False where pixels do not count, as where the sensor is saturated.

    Returns
    -------
    array [K, K], [C, K, K] or [C, C, K, K]
        For pooled, apart and crossed colours; K = 2 reach + 1.

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
    return lag_sums(noise, reach, colours=colours, valid=valid).correlation


def lag_sums(
    noise: np.ndarray, reach: int = 10, *, colours: COLOURS = "pooled", valid: np.ndarray | None = None
) -> LagSums:
    """What `correlation_map` is made of, of the noise less its mean; sums of several images may be added to one.

    Parameters and errors as there.

    Examples
    --------
    >>> lag_sums(np.random.default_rng(0).standard_normal((8, 8)), 1).pairs.astype(int).tolist()
    [[49, 56, 49], [56, 64, 56], [49, 56, 49]]
    """
    planes = as_planes(noise, reach)
    one_of(colours, ("pooled", "apart", "crossed"), "colours")
    sums = _sums(planes, reach, colours) if valid is None else _masked_sums(planes, valid, reach, colours)
    if colours == "pooled":
        return LagSums(*(part.sum(axis=0) for part in sums))
    channels = len(planes)
    shape = (channels, channels) if colours == "crossed" else (channels,)
    return LagSums(*(part.reshape(*shape, *part.shape[1:]) for part in sums))


def radius(values: np.ndarray, threshold: float) -> int:
    """How far correlation reaches: beyond it, in either direction, no |correlation| of a map exceeds `threshold`.

    Parameters
    ----------
    values : array [K, K]
        A correlation map, K odd.
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


def _sums(planes: np.ndarray, reach: int, colours: COLOURS) -> list[np.ndarray]:
    """The six sums, [P, K, K] each, of the pairs of planes."""
    middle = planes.mean(axis=(1, 2), dtype=np.float64, keepdims=True)
    planes = planes - (middle.mean() if colours == "pooled" else middle).astype(planes.dtype)
    pairs = _channel_pairs(len(planes), colours)
    first, second = ([pair[side] for pair in pairs] for side in (0, 1))
    sizes = [size - np.abs(np.arange(-reach, reach + 1)) for size in planes.shape[1:]]
    count = np.broadcast_to(np.outer(*sizes).astype(float), (len(pairs), 2 * reach + 1, 2 * reach + 1))
    x, xx = sums_with_partner(planes, reach), sums_with_partner(planes**2, reach)
    y, yy = x[:, ::-1, ::-1], xx[:, ::-1, ::-1]  # the partner of a partner is the pixel, at the opposite lag
    return [count, x[first], y[second], xx[first], yy[second], lag_products(planes, pairs, reach)]


def _masked_sums(planes: np.ndarray, valid: np.ndarray, reach: int, colours: COLOURS) -> list[np.ndarray]:
    """The same where only pairs of valid pixels count: every sum is then a correlation with the mask."""
    valid = np.asarray(valid, dtype=bool)
    if valid.shape != planes.shape[1:]:
        raise ValueError(f"valid has the noise's height and width; {list(valid.shape)} was given")
    if not valid.any():
        raise ValueError("no pixel is valid: there is nothing to correlate")
    mask, channels = valid.astype(planes.dtype), len(planes)
    middle = planes[:, valid].mean(axis=1, dtype=np.float64)
    middle = (np.full(channels, middle.mean()) if colours == "pooled" else middle).astype(planes.dtype)
    values = (planes - middle[:, None, None]) * mask
    stack = np.concatenate([mask[None], values, values**2])  # planes 0, 1 ... C, C + 1 ... 2C
    pairs = [(a + 1, b + 1) for a, b in _channel_pairs(channels, colours)]
    wanted = [(0, 0)]
    wanted += [(a, 0) for a, _ in pairs] + [(0, b) for _, b in pairs]
    wanted += [(a + channels, 0) for a, _ in pairs] + [(0, b + channels) for _, b in pairs]
    wanted += pairs
    found = lag_products(stack, wanted, reach)
    count = np.broadcast_to(np.rint(found[0]), (len(pairs), *found.shape[1:]))
    return [count, *found[1:].reshape(5, len(pairs), *found.shape[1:])]


def _channel_pairs(channels: int, colours: COLOURS) -> list[tuple[int, int]]:
    if colours == "crossed":
        return [(a, b) for a in range(channels) for b in range(channels)]
    return [(a, a) for a in range(channels)]
