"""What noise does an image have: how strong, how dependent on brightness, how correlated?

With a clean image the noise is known, and all three are measured. From one noisy image they are estimated where it is
flat: small patches, each less its own slope, whose variance is as low as noise alone makes it. White noise of colour
images is told, and its level measured better, by the directions in which the picture does not vary.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from dnlib.images import read, to_unit
from dnlib.noise import correlation, one_image

BINS = 12


@dataclass(frozen=True)
class Inspection:
    """Levels are standard deviations in units of 1/255, brightness in [0, 1].

    level: of the whole image.   brightness, deviation: how strong the noise is at which brightness.
    map: the pooled correlation map; radius: beyond it, |correlation| stays below 0.1.
    exact: measured with a clean image; otherwise estimated.   saturated: the share of pixels left out, at 0 or 1.
    """

    level: float
    brightness: np.ndarray
    deviation: np.ndarray
    map: np.ndarray
    radius: int
    exact: bool
    saturated: float

    @property
    def lag_1(self) -> tuple[float, float]:
        """Correlation with the pixel to the right and with the one below."""
        reach = len(self.map) // 2
        return float(self.map[reach, reach + 1]), float(self.map[reach + 1, reach])

    @property
    def sentence(self) -> str:
        how = "measured against the clean image" if self.exact else "estimated from this one image"
        ratio = self.deviation[-1] / self.deviation[0] if self.deviation[0] > 0 else np.inf
        depends = "about as strong in dark as in bright areas"
        if not 0.8 < ratio < 1.25:
            depends = f"{ratio:.1f} times as strong in the brightest as in the darkest areas"
        if self.radius == 0:
            reach = "neighbours do not share it: filters and blind spots will work"
        else:
            reach = (
                f"neighbours share it (correlation {max(self.lag_1):.2f}) up to {self.radius} pixels away: "
                f"a blind spot must be {2 * self.radius + 1} pixels wide"
            )
        return f"Noise of standard deviation {self.level:.1f} of 255 ({how}), {depends}; {reach}."


def inspect_pair(noisy: np.ndarray, clean: np.ndarray, *, reach: int = 10) -> Inspection:
    """Measure the noise of an image [H, W] or [H, W, C], integers or floats in [0, 1], whose clean version is known.

    Raises ValueError for two different shapes, for an image without noise or too small for `reach`.
    """
    noisy, clean = to_unit(noisy), to_unit(clean)
    noise, inside = _noise(noisy, clean)
    brightness, deviation = _curve(clean[inside], noise[inside])
    found = correlation.correlation_map(
        noise, min(reach, min(noise.shape[:2]) - 1), valid=None if inside.all() else inside
    )
    level = 255 * float(noise[inside].std())
    return Inspection(
        level, brightness, deviation, found, correlation.radius(found, 0.1), True, float(1 - inside.mean())
    )


def inspect_folders(noisy: Path, clean: Path | None, *, reach: int = 10, progress: bool = False) -> Inspection:
    """`inspect_pair` for all images of two folders that have the same names, together, one pair in memory at a time.

    Raises ValueError naming images without a partner, or without a second folder.
    """
    if clean is None or not (noisy.is_dir() and clean.is_dir()):
        raise ValueError(
            f"two folders are measured together, of noisy and of clean images; {noisy}, {clean} were given"
        )
    names = [{path.stem: path for path in sorted(folder.iterdir()) if path.is_file()} for folder in (noisy, clean)]
    if alone := sorted(names[0].keys() ^ names[1].keys()):
        raise ValueError(
            f"{len(alone)} images have no partner of the same name in the other folder: {', '.join(alone[:10])}"
        )
    if not names[0]:
        raise ValueError(f"there are no images in {noisy}")
    sums, moments, left_out = None, np.zeros((3, BINS)), []
    for name in tqdm(names[0], desc="measuring", unit="image", disable=not progress):
        image, truth = (to_unit(read(files[name]).first) for files in names)
        noise, inside = _noise(image, truth)
        own = correlation.lag_sums(noise, reach, valid=None if inside.all() else inside)
        sums = own if sums is None else sums + own
        values, place = noise[inside].ravel(), (BINS * truth[inside].ravel()).astype(int).clip(0, BINS - 1)
        moments += [np.bincount(place, weights=values**power, minlength=BINS) for power in (0, 1, 2)]
        left_out.append(1 - inside.mean())
    count, mean, square = moments
    seen = count > 0
    deviation = np.sqrt(np.maximum(square[seen] / count[seen] - (mean[seen] / count[seen]) ** 2, 0))
    level = np.sqrt(square.sum() / count.sum() - (mean.sum() / count.sum()) ** 2)
    brightness, found = (np.arange(BINS)[seen] + 0.5) / BINS, sums.correlation
    radius = correlation.radius(found, 0.1)
    return Inspection(255 * level, brightness, 255 * deviation, found, radius, True, float(np.mean(left_out)))


def inspect_image(noisy: np.ndarray) -> Inspection:
    """Estimate the noise of one image [H, W] or [H, W, C]; integers or floats.

    Raises ValueError for an image without noise, one of a single value, or one smaller than 64x64.
    """
    image = to_unit(noisy).astype(np.float32)
    image = image[..., None] if image.ndim == 2 else image
    if image.ndim != 3 or min(image.shape[:2]) < 64:
        raise ValueError(f"one image of at least 64x64 pixels is inspected; shape {list(np.shape(noisy))} was given")
    if not np.isfinite(image).all():
        raise ValueError("the image has pixels that are NaN or infinite")
    inside = _inside(image)
    brightness, variances, found = one_image.estimate(image, inside)
    white = one_image.white_variance(image, inside) if image.shape[2] == 3 else None
    if white and white > variances.mean() / 4:  # else what is white is but the rounding under correlated noise
        found = np.zeros_like(found)
        found[one_image.REACH, one_image.REACH] = 1
        variances *= white / variances.mean()
    radius = correlation.radius(found, 0.1)
    order = np.argsort(brightness, axis=None)
    bins = np.array_split(order, BINS)
    curve = [[brightness.flat[part].mean(), 255 * np.sqrt(variances.flat[part].mean())] for part in bins]
    level = 255 * float(np.sqrt(variances.mean()))
    return Inspection(level, *np.transpose(curve), found, radius, False, float(1 - inside.mean()))


def _noise(noisy: np.ndarray, clean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Noisy - clean, and where it counts."""
    if noisy.shape != clean.shape:
        raise ValueError(
            f"noisy and clean image have one shape; {list(noisy.shape)} and {list(clean.shape)} were given"
        )
    noise, inside = noisy - clean, _inside(noisy)
    if not noise.any():
        raise ValueError("the two images are equal: there is no noise to measure")
    if not inside.any():
        raise ValueError("every pixel of the noisy image is saturated: there is no noise to measure")
    return noise, inside


def _curve(brightness: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The noise's deviation, in units of 1/255, in BINS of equally many pixels."""
    order = np.array_split(np.argsort(brightness.ravel(), kind="stable"), BINS)
    groups = [part for part in order if len(part)]
    brightness, noise = brightness.ravel(), noise.ravel()
    return (
        np.array([brightness[part].mean() for part in groups]),
        255 * np.array([noise[part].std() for part in groups]),
    )


def _inside(image: np.ndarray) -> np.ndarray:
    """False where any colour is saturated: at 0 or 1 in an image that never goes beyond."""
    if image.min() < 0 or image.max() > 1:
        return np.ones(image.shape[:2], bool)
    saturated = (image <= 0) | (image >= 1)
    return ~(saturated.any(axis=2) if image.ndim == 3 else saturated)
