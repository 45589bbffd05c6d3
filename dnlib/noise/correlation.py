"""The noise correlation map: how much the noise of a pixel tells about the noise `lag` pixels away.

Noise is an array [H, W] or [H, W, C], noisy minus clean, in any unit. A map of reach r is [2r + 1, 2r + 1], its centre
the lag (0, 0); it is Pearson's correlation over exactly those pixels where both the pixel and the one a lag away lie in
the image. What is summed for all lags at once, by FFT, is Sum_i x_i x_(i + lag), in strips of rows, so that memory does
not grow with the image; the sums of several images add up.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from scipy import fft
from tqdm.auto import tqdm

STRIP = 200  # rows transformed at a time
COLOURS = Literal["pooled", "apart", "crossed"]


@dataclass(frozen=True)
class LagSums:
    """Sums over all pairs of a pixel x and the pixel y a lag away, each [..., 2r + 1, 2r + 1]. They can be added."""

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

    colours: "pooled" takes the channels as more pixels: [K, K] with K = 2 reach + 1; "apart" gives one map per channel
        [C, K, K]; "crossed" the correlation of channel a with channel b a lag away [C, C, K, K].
    valid: [H, W], False where pixels do not count, as where the sensor is saturated.
    Raises ValueError for NaN or infinite noise, for a reach that the image does not have.
    """
    return lag_sums(noise, reach, colours=colours, valid=valid).correlation


def lag_sums(
    noise: np.ndarray, reach: int = 10, *, colours: COLOURS = "pooled", valid: np.ndarray | None = None
) -> LagSums:
    """What `correlation_map` is made of, of the noise less its mean; sums of several images may be added to one."""
    planes = _planes(noise, reach)
    if valid is not None:
        return _masked_sums(planes, np.asarray(valid, dtype=bool), reach, colours)
    channels = len(planes)
    middle = planes.mean(axis=(1, 2), dtype=np.float64, keepdims=True)
    planes = planes - (middle.mean() if colours == "pooled" else middle).astype(planes.dtype)
    products = _products(planes, _pairs(channels, colours), reach)
    first, second = _edges(planes, reach), _edges(planes**2, reach)
    pairs = np.outer(*(size - np.abs(np.arange(-reach, reach + 1)) for size in planes.shape[1:])).astype(float)

    def at_x(sums):
        return sums  # over the pixels whose partner lies in the image

    def at_y(sums):
        return sums[:, ::-1, ::-1]  # over these partners

    every = [np.broadcast_to(pairs, first.shape), at_x(first), at_y(first), at_x(second), at_y(second)]
    if colours == "pooled":
        return LagSums(*(part.sum(axis=0) for part in every), products.sum(axis=0))
    if colours == "apart":
        return LagSums(*every, products)
    shape = (channels, channels, *pairs.shape)
    a, b = (slice(None), None), (None, slice(None))
    return LagSums(
        *(np.broadcast_to(part[axis], shape) for part, axis in zip(every, (a, a, b, a, b), strict=True)),
        products.reshape(shape),
    )


def chroma_correlation_map(noise: np.ndarray, reach: int = 10, *, valid: np.ndarray | None = None) -> np.ndarray:
    """The student report's formula, literally: the mean Pearson correlation of two pixels' three colour values.

    With u the noise less its mean over the pixel's own three colours, scaled to length 1, it is the mean of
    u_i . u_(i + lag). What all three colours share is thus removed: gray noise, however correlated, does not count.
    Pixels whose three values are equal have no correlation and are left out.
    Raises ValueError for noise that is not [H, W, 3].
    """
    sums, pairs = chroma_sums(noise, reach, valid=valid)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(pairs > 0, sums / pairs, np.nan)


def chroma_sums(
    noise: np.ndarray, reach: int = 10, *, valid: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Sum of the triples' correlations and number of pairs at each lag, to be added up over images."""
    planes = _planes(noise, reach)
    if len(planes) != 3:
        raise ValueError(
            f"the correlation of colour triples needs noise [H, W, 3]; shape {list(np.shape(noise))} was given"
        )
    chroma = planes - planes.mean(axis=0)
    length = np.sqrt((chroma**2).sum(axis=0))
    counts = length > 8 * np.finfo(planes.dtype).eps * np.abs(planes).max(axis=0)
    if valid is not None:
        counts &= np.asarray(valid, dtype=bool)
    unit = np.where(counts, chroma / np.where(counts, length, 1), 0)
    sums = _products(unit, [(0, 0), (1, 1), (2, 2)], reach).sum(axis=0)
    pairs = np.rint(_products(counts[None].astype(planes.dtype), [(0, 0)], reach)[0])
    return sums, pairs


def radius(values: np.ndarray, threshold: float) -> int:
    """The smallest r such that beyond it, in either direction, no |correlation| of a map [K, K] exceeds `threshold`."""
    reach = len(values) // 2
    rows, columns = np.indices(values.shape) - reach
    distance = np.maximum(np.abs(rows), np.abs(columns))
    return int(distance[np.abs(np.nan_to_num(values)) > threshold].max(initial=0))


@dataclass(frozen=True)
class Survey:
    """The map over all images, and that of each by its name, each [K, K]."""

    pooled: np.ndarray
    maps: dict[str, np.ndarray]

    def at(self, lag: tuple[int, int]) -> dict[str, float]:
        """The correlation of every image at one lag (rows, columns)."""
        reach = len(self.pooled) // 2
        return {name: float(values[reach + lag[0], reach + lag[1]]) for name, values in self.maps.items()}

    def outliers(self, lag: tuple[int, int], fence: float = 1.5) -> dict[str, float]:
        """The images whose correlation at a lag lies `fence` interquartile ranges outside the quartiles (Tukey)."""
        values = self.at(lag)
        low, high = np.nanquantile(list(values.values()), [0.25, 0.75])
        margin = fence * (high - low)
        return {name: value for name, value in values.items() if not low - margin <= value <= high + margin}


def survey(
    images: Iterable[tuple[str, np.ndarray]], reach: int = 10, *, progress: bool = False, total: int | None = None
) -> Survey:
    """The maps of many noise images (name, noise), one in memory at a time.

    Raises ValueError if there is none, and as `correlation_map`, naming the image.
    """
    sums, maps = None, {}
    for name, noise in tqdm(images, desc="correlation", unit="image", total=total, disable=not progress):
        try:
            own = lag_sums(noise, reach)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        maps[name] = own.correlation
        sums = own if sums is None else sums + own
    if sums is None:
        raise ValueError("at least one image is needed; none was given")
    return Survey(sums.correlation, maps)


def _planes(noise: np.ndarray, reach: int) -> np.ndarray:
    """[H, W] or [H, W, C] to floating planes [C, H, W]."""
    noise = np.asarray(noise)
    if noise.ndim not in (2, 3) or not np.issubdtype(noise.dtype, np.floating):
        raise ValueError(
            f"noise is a float array [H, W] or [H, W, C]; {noise.dtype} of shape {list(noise.shape)} was given"
        )
    if not 0 <= reach < min(noise.shape[:2]):
        raise ValueError(
            f"lags up to {reach} pixels do not fit into an image of {noise.shape[0]}x{noise.shape[1]}; "
            f"the reach is at least 0 and at most {min(noise.shape[:2]) - 1}"
        )
    if not np.isfinite(noise).all():
        raise ValueError("the noise has values that are NaN or infinite")
    return np.ascontiguousarray(noise[None] if noise.ndim == 2 else noise.transpose(2, 0, 1))


def _pairs(channels: int, colours: COLOURS) -> list[tuple[int, int]]:
    if colours not in ("pooled", "apart", "crossed"):
        raise ValueError(f"colours are pooled, apart or crossed; {colours!r} was given")
    if colours == "crossed":
        return [(a, b) for a in range(channels) for b in range(channels)]
    return [(a, a) for a in range(channels)]


def _products(planes: np.ndarray, pairs: list[tuple[int, int]], reach: int) -> np.ndarray:
    """Sum_i a_i b_(i + lag) for each pair (a, b) of planes: [P, K, K], by FFT.

    Strips overlap by `reach` rows, so that each pair of rows meets in one; pairs within an overlap meet in two strips
    and are taken off once. All strips share one inverse transform.
    """
    _, height, width = planes.shape
    starts = range(0, max(1, height - reach), STRIP)
    total = np.zeros((len(pairs), 2 * reach + 1, 2 * reach + 1))
    for rows, sign, tops in ((STRIP + reach, 1, starts), (reach, -1, starts[1:] if reach else ())):
        shape = [fft.next_fast_len(n, real=True) for n in (min(rows, height) + reach, width + reach)]
        power = np.zeros((len(pairs), shape[0], shape[1] // 2 + 1), np.result_type(planes.dtype, np.complex64))
        for top in tops:
            spectra = fft.rfft2(planes[:, top : top + rows], shape, workers=-1)
            for place, (a, b) in enumerate(pairs):
                power[place] += spectra[a].conj() * spectra[b]
        if len(tops):
            circular = fft.irfft2(power, shape, workers=-1)
            lags = np.arange(-reach, reach + 1)
            total += sign * circular[:, lags[:, None], lags]
    return total


def _edges(planes: np.ndarray, reach: int) -> np.ndarray:
    """Sums of each plane over the pixels whose partner, a lag away, lies in the image: [C, K, K]."""
    height, lags = planes.shape[1], np.arange(-reach, reach + 1)
    # the rows that have a partner at lag d are 0 ... H - 1 - d for d >= 0 and -d ... H - 1 below
    whole = planes.sum(axis=(1, 2), dtype=np.float64)[:, None, None]
    missing_rows = _missing(planes.sum(axis=2, dtype=np.float64), lags)
    missing_columns = _missing(planes.sum(axis=1, dtype=np.float64), lags)
    both = np.empty((len(planes), len(lags), len(lags)))
    for i, dy in enumerate(lags):
        rows = planes[:, height - dy :] if dy >= 0 else planes[:, :-dy]
        both[:, i] = _missing(rows.sum(axis=1, dtype=np.float64), lags)
    return whole - missing_rows[:, :, None] - missing_columns[:, None, :] + both


def _missing(profile: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """Sums of the entries of a profile [C, n] that have no partner at each lag: [C, K]."""
    size = profile.shape[1]
    return np.stack([(profile[:, size - d :] if d >= 0 else profile[:, :-d]).sum(axis=1) for d in lags], axis=1)


def _masked_sums(planes: np.ndarray, valid: np.ndarray, reach: int, colours: COLOURS) -> LagSums:
    """The same where only pairs of valid pixels count: every sum is then a correlation with the mask."""
    if valid.shape != planes.shape[1:]:
        raise ValueError(f"valid has the noise's height and width; {list(valid.shape)} was given")
    if not valid.any():
        raise ValueError("no pixel is valid: there is nothing to correlate")
    mask, channels = valid.astype(planes.dtype), len(planes)
    middle = planes[:, valid].mean(axis=1, dtype=np.float64)
    middle = (np.full(channels, middle.mean()) if colours == "pooled" else middle).astype(planes.dtype)
    values = (planes - middle[:, None, None]) * mask
    stack = np.concatenate([mask[None], values, values**2])
    pairs = _pairs(channels, colours)
    first, second = [a + 1 for a, _ in pairs], [b + 1 for _, b in pairs]
    wanted = [(0, 0)]
    wanted += [(a, 0) for a in first] + [(0, b) for b in second]
    wanted += [(a + channels, 0) for a in first] + [(0, b + channels) for b in second]
    wanted += list(zip(first, second, strict=True))
    found = _products(stack, wanted, reach)
    count = np.broadcast_to(np.rint(found[0]), (len(pairs), *found.shape[1:]))
    sums = [count, *found[1:].reshape(5, len(pairs), *found.shape[1:])]
    if colours == "pooled":
        return LagSums(*(part.sum(axis=0) for part in sums))
    shape = (channels, channels) if colours == "crossed" else (channels,)
    return LagSums(*(part.reshape(*shape, *found.shape[1:]) for part in sums))
