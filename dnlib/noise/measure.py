"""What noise an image has: how strong, how dependent on brightness, how correlated.

With a clean image the noise is known, and all three are measured. From one noisy image they are estimated, from its
patches without texture (`one_image`); white noise of colour images is recognised and measured more exactly (`white`).
"""

from dataclasses import dataclass

import numpy as np

from dnlib.images import Range, range_in_use
from dnlib.noise.correlation import correlation_map, radius
from dnlib.noise.one_image import estimate
from dnlib.noise.scales import check_scales, ranges_of_pair
from dnlib.noise.white import white_variance

BINS = 12  # of brightness
CORRELATED = 0.1  # a correlation above this counts


@dataclass(frozen=True)
class Inspection:
    """What noise an image has; standard deviations in the units that `unit` names.

    Parameters
    ----------
    level : float
        Standard deviation of the noise in the whole image.
    brightness, deviation : array [B]
        How strong the noise is at which brightness.
    map : array [K, K]
        The pooled correlation map, its centre the lag (0, 0).
    exact : bool
        Measured with a clean image; estimated otherwise.
    saturated : float
        Share of the pixels that were left out, black or white.
    unit : str
        What the standard deviations are stated of: "of 255" for 8 bits and floats in [0, 1].
    white : float
        The range of the image in these units.

    Examples
    --------
    >>> clean = np.full((64, 64), 0.5)
    >>> found = inspect_pair(clean + 0.1 * np.random.default_rng(0).standard_normal(clean.shape), clean)
    >>> round(found.level, 1), found.radius
    (25.4, 0)
    >>> print(found.sentence)
    Noise of standard deviation 25.4 of 255 (measured against the clean image), ...
    """

    level: float
    brightness: np.ndarray
    deviation: np.ndarray
    map: np.ndarray
    exact: bool
    saturated: float
    unit: str = "of 255"
    white: float = 255

    @property
    def radius(self) -> int:
        """Beyond it, in either direction, |correlation| stays below 0.1."""
        return radius(self.map, CORRELATED)

    @property
    def lag_1(self) -> tuple[float, float]:
        """The correlation with the pixel to the right, and with the one below."""
        reach = len(self.map) // 2
        return float(self.map[reach, reach + 1]), float(self.map[reach + 1, reach])

    @property
    def sentence(self) -> str:
        """All of it, said in one sentence, with what follows for a blind spot."""
        how = "measured against the clean image" if self.exact else "estimated from this one image"
        ratio = self.deviation[-1] / self.deviation[0] if self.deviation[0] > 0 else np.inf
        depends = "about as strong in dark as in bright areas"
        if not 0.8 < ratio < 1.25:
            depends = f"{ratio:.1f} times as strong in the brightest as in the darkest areas"
        return f"Noise of standard deviation {_number(self.level)} {self.unit} ({how}), {depends}; {self._reach}."

    @property
    def _reach(self) -> str:
        """How far neighbours share the noise, and what follows."""
        right, down = self.lag_1
        if self.radius == 0:
            return "neighbours do not share it: filters and blind spots will work"
        if max(right, down) > 3 * max(min(right, down), 0) + CORRELATED:
            along = "rows" if right > down else "columns"
            return (
                f"it runs along {along} (correlation {right:.2f} to the right, {down:.2f} down): filters take it for "
                f"picture; `methods.Noise2Void(network, struct=...)` with a kernel along {along} does not"
            )
        return (
            f"neighbours share it (correlation {max(self.lag_1):.2f}) up to {self.radius} pixels away: "
            f"a blind spot must be {2 * self.radius + 1} pixels wide"
        )


def _number(level: float) -> str:
    """One digit after the point, or four where that says little."""
    return f"{level:.1f}" if 1 <= level < 1e5 else f"{level:.4g}"


def inspect_pair(noisy: np.ndarray, clean: np.ndarray, *, reach: int = 10, range: Range | None = None) -> Inspection:
    """Measure the noise of an image whose clean version is known.

    Parameters
    ----------
    noisy, clean : array [H, W] or [H, W, C]
        Integers, or floats; of two types, each in its own range.
    reach : int
        Largest lag of the correlation map; less for images that are smaller.
    range : Range, optional
        Black and white of both, instead of what is found.

    Returns
    -------
    Inspection
        Its curve has 12 bins of equally many pixels.

    Raises
    ------
    ValueError
        For two different shapes or scales, an image without noise, one all of whose pixels are saturated.

    Examples
    --------
    >>> clean = np.full((32, 40, 3), 0.5)
    >>> inspect_pair(clean + 0.01 * np.random.default_rng(0).standard_normal(clean.shape), clean).map.shape
    (21, 21)
    """
    ranges = (range, range) if range else ranges_of_pair(np.asarray(noisy), np.asarray(clean))
    noisy, clean = (one.to_unit(np.asarray(image)) for one, image in zip(ranges, (noisy, clean), strict=True))
    noise, inside = noise_of(noisy, clean)
    truth, values = clean[inside].ravel(), noise[inside].ravel()
    bins = _bins(np.argsort(truth, kind="stable"))
    return Inspection(
        level=ranges[0].white * float(values.std()),
        brightness=np.array([truth[part].mean() for part in bins]),
        deviation=ranges[0].white * np.array([values[part].std() for part in bins]),
        map=correlation_map(noise, min(reach, min(noise.shape[:2]) - 1), valid=None if inside.all() else inside),
        exact=True,
        saturated=float(1 - inside.mean()),
        unit=str(ranges[0]),
        white=ranges[0].white,
    )


def inspect_image(noisy: np.ndarray, *, inside: np.ndarray | None = None, range: Range | None = None) -> Inspection:
    """Estimate the noise of one image, of which no clean version is known.

    Parameters
    ----------
    noisy : array [H, W] or [H, W, C]
        Integers or floats in any range; at least 64x64 pixels. Constant channels take part in nothing.
    inside : array [H, W], optional
        False where pixels do not count.
    range : Range, optional
        Black and white, instead of what is found.

    Returns
    -------
    Inspection
        Its map is [9, 9]: correlation beyond 4 pixels is taken to be zero. White noise of colour images has exactly
        that map.

    Raises
    ------
    ValueError
        For an image without noise, one of a single value, one smaller than 64x64.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal((100, 100)) * 20 / 255
    >>> round(inspect_image(0.5 + noise).level)
    20
    """
    noisy = np.asarray(noisy)
    image = noisy[..., None] if noisy.ndim == 2 else noisy
    if image.ndim != 3 or min(image.shape[:2]) < 64:
        raise ValueError(f"one image of at least 64x64 pixels is inspected; shape {list(noisy.shape)} was given")
    if not np.isfinite(image).all():
        raise ValueError("the image has pixels that are NaN or infinite")
    counting = np.ones(image.shape[:2], bool) if inside is None else inside
    if not counting.any():
        raise ValueError("no pixel of the image counts: there is nothing to estimate from")
    used = range or range_in_use(image[counting])
    holding = np.ptp(image[counting], axis=0) > 0
    image = used.to_unit(image[..., holding] if holding.any() else image)
    inside = _inside(image) & counting
    brightness, variances, found = estimate(image, inside)
    white = white_variance(image, inside) if image.shape[2] == 3 else None
    if white and white > variances.mean() / 4:  # weaker, it is only the rounding to 8 bits below correlated noise
        found = np.zeros_like(found)
        found[len(found) // 2, len(found) // 2] = 1
        variances *= white / variances.mean()
    bins = _bins(np.argsort(brightness, axis=None))
    return Inspection(
        level=used.white * float(np.sqrt(variances.mean())),
        brightness=np.array([brightness.flat[part].mean() for part in bins]),
        deviation=used.white * np.array([np.sqrt(variances.flat[part].mean()) for part in bins]),
        map=found,
        exact=False,
        saturated=float(1 - inside.mean()),
        unit=str(used),
        white=used.white,
    )


def noise_of(noisy: np.ndarray, clean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The difference of two images, and where it counts."""
    if noisy.shape != clean.shape:
        raise ValueError(
            f"noisy and clean image have one shape; {list(noisy.shape)} and {list(clean.shape)} were given"
        )
    check_scales(noisy, clean)
    noise, inside = noisy - clean, _inside(noisy)
    if not noise.any():
        raise ValueError("the two images are equal: there is no noise to measure")
    if not inside.any():
        raise ValueError("every pixel of the noisy image is saturated: there is no noise to measure")
    return noise, inside


def _bins(order: np.ndarray) -> list[np.ndarray]:
    """Up to BINS bins of equally many places, from dark to bright, of places in this order."""
    return [part for part in np.array_split(order, BINS) if len(part)]


def _inside(image: np.ndarray) -> np.ndarray:
    """False where any colour is saturated: at 0 or 1 in an image that never goes beyond."""
    if image.min() < 0 or image.max() > 1:
        return np.ones(image.shape[:2], bool)
    saturated = (image <= 0) | (image >= 1)
    return ~(saturated.any(axis=2) if image.ndim == 3 else saturated)
