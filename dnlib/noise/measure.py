"""What noise an image has: how strong, how dependent on brightness, how correlated.

With a clean image the noise is known, and all three are measured. From one noisy image they are estimated, from its
patches without texture (`one_image`); white noise is recognised and measured more exactly (`white`).
"""

import numpy as np

from dnlib.images import Range, check_size, range_in_use
from dnlib.noise.correlation import correlation_map
from dnlib.noise.inspection import Inspection
from dnlib.noise.one_image import NoiseEstimate, estimate
from dnlib.noise.patches import is_clipped
from dnlib.noise.traces import SMALLEST, traces_of
from dnlib.noise.white import exact_if_white

BINS = 12  # of brightness
HARDLY_LESS = 0.8  # times the variance: what leaving out brightnesses brings must be less than this to count
REACH = 10  # pixels: the largest lag of a map that is measured


def inspect_pair(
    noisy: np.ndarray,
    clean: np.ndarray,
    *,
    reach: int = REACH,
    inside: np.ndarray | None = None,
    range: Range | None = None,
) -> Inspection:
    """Measure the noise of an image whose clean version is known.

    Parameters
    ----------
    noisy, clean : array [H, W] or [H, W, C]
        Integers, or floats; of two types, each in its own range.
    reach : int
        Largest lag of the correlation map, at least 1. It is cut to a quarter of the shorter side: beyond, there are
        too few pairs of pixels.
    inside : array [H, W], optional
        False where pixels do not count.
    range : Range, optional
        Black and white of both, instead of what is found.

    Returns
    -------
    Inspection
        Its curve has 12 bins of equally many pixels.

    Raises
    ------
    ValueError
        For two different shapes or scales, a reach below 1, an image without noise, one all of whose pixels are
        saturated.

    Examples
    --------
    >>> clean = np.full((40, 50, 3), 0.5)
    >>> inspect_pair(clean + 0.01 * np.random.default_rng(0).standard_normal(clean.shape), clean).map.shape
    (21, 21)
    """
    if reach < 1:
        raise ValueError(f"the correlation map has a reach of at least 1 pixel; {reach} was given")
    noisy, clean = np.asarray(noisy), np.asarray(clean)
    check_shapes(noisy, clean)
    noisy, clean = np.atleast_3d(noisy, clean)
    counting = np.ones(noisy.shape[:2], bool) if inside is None else inside
    if not counting.any():
        raise ValueError("no pixel of the images counts: there is nothing to measure")
    ranges = (range, range) if range else ranges_of_pair(noisy[counting], clean[counting])
    for one in ranges:
        check_size(np.dtype(np.float64), one.low, one.high)
    noisy, clean = (one.to_unit(image) for one, image in zip(ranges, (noisy, clean), strict=True))
    noise, inside = noise_of(noisy, clean, counting)
    truth, values = clean[inside].ravel(), noise[inside].ravel()
    bins = _bins(np.argsort(truth, kind="stable"))
    return Inspection(
        level=ranges[0].white * float(values.std()),
        brightness=np.array([truth[part].mean() for part in bins]),
        deviation=ranges[0].white * np.array([values[part].std() for part in bins]),
        map=correlation_map(noise, reach_within(noise.shape, reach), valid=None if inside.all() else inside),
        exact=True,
        saturated=float(1 - _inside(noisy)[counting].mean()),
        curves=_curves(clean[inside], (noise[inside] - values.mean()) ** 2, ranges[0].white),
        covariance=_correlation_of_colours(noise[inside]),
        range=ranges[0],
        **traces_of(noisy, counting),
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
        Its map is [9, 9]: correlation beyond 4 pixels is taken to be zero. White noise, once recognised, has exactly
        that map.

    Raises
    ------
    ValueError
        For an image without noise, one of a single value, one of a halftone pattern, one smaller than 64x64.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal((100, 100)) * 20 / 255
    >>> round(inspect_image(0.5 + noise).level)
    20
    """
    image = np.atleast_3d(np.asarray(noisy))
    if image.ndim != 3 or min(image.shape[:2]) < SMALLEST:
        raise ValueError(f"one image of at least 64x64 pixels is inspected; shape {list(np.shape(noisy))} was given")
    if not np.isfinite(image).all():
        raise ValueError("the image has pixels that are NaN or infinite")
    counting = np.ones(image.shape[:2], bool) if inside is None else inside
    if not counting.any():
        raise ValueError("no pixel of the image counts: there is nothing to estimate from")
    used = range or range_in_use(image[counting])
    check_size(np.dtype(np.float64), used.low, used.high)
    holding = image[counting].min(axis=0) < image[counting].max(axis=0)  # differences may not fit the type
    image = used.to_unit(image[..., holding] if holding.any() else image)
    inside = _inside(image) & counting
    traces = traces_of(image, counting)
    found = _estimated(image, counting, inside, traces["blocks"])
    brightness, variances = found.brightness, found.variance
    curves, covariance = np.zeros((len(holding), 2, BINS)), np.eye(len(holding))
    curves[holding] = _curves(brightness, variances, used.white)
    covariance[np.ix_(holding, holding)] = found.colours
    bins = _bins(np.argsort(brightness, axis=None))
    return Inspection(
        level=used.white * float(np.sqrt(variances.mean())),
        brightness=np.array([brightness.flat[part].mean() for part in bins]),
        deviation=used.white * np.array([np.sqrt(variances.flat[part].mean()) for part in bins]),
        map=found.map,
        exact=False,
        saturated=float(1 - inside[counting].mean()),
        curves=curves,
        covariance=covariance,
        range=used,
        pure=float(found.pure[inside].mean()) if inside.any() else 0.0,
        weakest=found.weakest,
        **traces,
    )


def _estimated(image: np.ndarray, counting: np.ndarray, inside: np.ndarray, blocks: bool) -> NoiseEstimate:
    """The noise of an image; if it is not white, without the brightnesses at which much of it may be texture."""
    whole = found = estimate(image, counting, blocks=blocks)
    if not blocks:
        found = exact_if_white(image, inside, whole)
    if found is not whole or not whole.doubtful.any():
        return found
    rest = estimate(image, counting, blocks=blocks, without=whole.doubtful)
    if rest.variance.mean() > HARDLY_LESS * whole.variance.mean():
        return whole
    return rest if blocks else exact_if_white(image, inside, rest)


def ranges_of_pair(noisy: np.ndarray, clean: np.ndarray) -> tuple[Range, Range]:
    """The range of each; floats beyond [0, 1] are in the units of their partner."""
    if noisy.dtype == clean.dtype:
        common = range_in_use(np.concatenate([noisy.ravel(), clean.ravel()]))
        return common, common
    whole = {kind: Range(0.0, float(np.iinfo(kind).max), float(np.iinfo(kind).max)) for kind in ("uint8", "uint16")}
    first, second = (whole.get(str(image.dtype)) or range_in_use(image) for image in (noisy, clean))
    if clean.dtype.kind == "f" and second.high != 1:
        second = first
    elif noisy.dtype.kind == "f" and first.high != 1:
        first = second
    return first, second


def reach_within(shape: tuple[int, ...], reach: int = REACH) -> int:
    """The largest lag, up to `reach`, of which an image has many pairs: a quarter of its shorter side, and yet 1."""
    side = min(shape[:2])
    return min(max(1, min(reach, side // 4)), side - 1)


def check_shapes(noisy: np.ndarray, clean: np.ndarray) -> None:
    """Refuse two images of different shapes, and what is no image."""
    if noisy.ndim not in (2, 3):
        raise ValueError(f"an image is [H, W] or [H, W, C]; {list(noisy.shape)} was given")
    if noisy.shape != clean.shape:
        raise ValueError(
            f"noisy and clean image must have the same shape; {list(noisy.shape)} and {list(clean.shape)} were given"
        )


def _check_scales(noisy: np.ndarray, clean: np.ndarray) -> None:
    """Refuse two images of which one is a multiple of the other."""
    if clean.std() > 0.02:
        gain = float(np.cov(noisy.ravel(), clean.ravel())[0, 1] / clean.var(dtype=float))
        if not 0.5 < gain < 2:
            raise ValueError(
                f"where the clean image changes by 1, the noisy one changes by {gain:.2g}: they show different "
                "scenes or have different scales; give both in the same one"
            )


def noise_of(noisy: np.ndarray, clean: np.ndarray, counting: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The difference of two images, and where it counts: where the clean one is saturated there is nothing to measure.

    Pixels that only the noise drove to black or white do count: without them, dark areas would seem to have less noise.
    counting: [H, W], False where pixels do not count; there is no noise there.
    """
    first, second = noisy[counting], clean[counting]
    _check_scales(first, second)
    if np.array_equal(first, second):
        raise ValueError("the two images are equal: there is no noise to measure")
    inside = counting if first.min() < 0 or first.max() > 1 else counting & _inside(clean)
    if not inside.any():
        raise ValueError("every pixel of the clean image is black or white: there is no noise to measure")
    noise = np.zeros_like(noisy)
    noise[counting] = first - second
    return noise, inside


def _curves(brightness: np.ndarray, variances: np.ndarray, white: float) -> np.ndarray:
    """Brightness and standard deviation of each colour, [C, 2, B], from brightness and variance [P, C] of places."""
    curves = []
    for light, variance in zip(brightness.T, variances.T, strict=True):
        bins = _bins(np.argsort(light, kind="stable"))
        deviations = [white * np.sqrt(variance[part].mean()) for part in bins]
        curves.append([[light[part].mean() for part in bins], deviations])
    return np.array(curves)


def _correlation_of_colours(noise: np.ndarray) -> np.ndarray:
    """Correlation [C, C] of the colours of noise [P, C]; 0 between those of which one is constant."""
    products = np.cov(noise, rowvar=False).reshape(noise.shape[1], -1)
    scale = np.sqrt(np.outer(products.diagonal(), products.diagonal()))
    found = np.divide(products, scale, where=scale > 0, out=np.zeros_like(products))
    np.fill_diagonal(found, 1)
    return found


def _bins(order: np.ndarray) -> list[np.ndarray]:
    """Up to BINS bins of equally many places, from dark to bright, of places in this order."""
    return [part for part in np.array_split(order, BINS) if len(part)]


def _inside(image: np.ndarray) -> np.ndarray:
    """False where any colour is saturated: at 0 or 1 in an image that never goes beyond."""
    return ~is_clipped(np.atleast_3d(image))
