"""Impulses, single pixels far too bright or too dark, at random: where stars, dust and fine print are ruled out."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.fft import irfft2, rfft2
from scipy.ndimage import median_filter, rank_filter, uniform_filter

OUTLYING, OUTSTANDING = 6.0, 0.1  # standard deviations, and share of the range, by which noise never exceeds all around
REPLACED, LOOSE = 4.0, 0.05  # the same where impulses are known to be there
DIFFERING, A_LITTLE = 1.0, 0.5  # and shares of what the pixels around differ by from each other
RARE, ONE_SIDED = 5e-4, 0.25  # share of the pixels, of dark and bright ones each, and of the rarer in the other
SMOOTH, ALONE = 0.6, 0.5  # as many in smooth places as in rough; of what differs there, the share that stands alone
CROWDED = 0.25  # share of the pixels in rough places that differ as much
REGULAR, FAR = 0.7, 6  # how uneven distances may be, beyond what chance makes, and pixels up to which they are counted
MIDDLE = 512  # pixels of each side of the middle of a large image
BINS, WINDOW, TURNS = 8, 7, 2  # of brightness; pixels by which a place is called smooth; rounds of replacing
AROUND = [(dy, dx) for dy, dx in product((-1, 0, 1), repeat=2) if (dy, dx) != (0, 0)]
HALF, MOST = (0.5, 0.6745), (0.8, 1.2816)  # shares of normal values, and the deviations that these stay below
MEDIAN_OF_NINE = 1.1  # the deviation of noise less the median of its neighbours


@dataclass(frozen=True)
class Impulses:
    """Impulses of an image in [0, 1], and the deviation of its other noise by brightness, from which they stand out.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noisy = rng.normal(0.5, 0.02, (64, 64))
    >>> noisy[8, 8] = 1
    >>> bool(Impulses(0.01, np.array([0.5]), np.array([0.02])).replaced(noisy)[8, 8] < 0.6)
    True
    """

    share: float
    brightness: np.ndarray
    deviation: np.ndarray

    reach = 2 * TURNS

    def replaced(self, image: np.ndarray) -> np.ndarray:
        """An image [H, W] or [H, W, C] each of whose impulses is the median of those around that are none."""
        for _ in range(TURNS):
            noise = np.maximum(REPLACED * self.noise_at(_middle(image)), LOOSE)
            bright, dark = standing_out(image, noise, A_LITTLE)
            image = _with_neighbours(image, bright | dark)
        return image

    def noise_at(self, brightness: np.ndarray) -> np.ndarray:
        """The standard deviation of what is no impulse."""
        return np.interp(brightness, self.brightness, self.deviation)


def impulses_in(image: np.ndarray, inside: np.ndarray) -> Impulses | None:
    """Impulses, where they are clearly there: bright and dark ones, alone, at random and in smooth places, too.

    Stars are bright, and dust is of one kind; letters, combs and texture stand out where the picture is rough, a screen
    has its dots at equal distances, and a dither has them everywhere. Where an image has both None is said.

    Parameters
    ----------
    image, inside : array [H, W, C] and [H, W]
        In [0, 1]; False where pixels do not count.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noisy, drawn = rng.normal(0.5, 0.02, (128, 128, 1)), rng.random((128, 128, 1))
    >>> spoilt = np.where(drawn < 0.01, 0, np.where(drawn > 0.99, 1, noisy))
    >>> impulses_in(noisy, np.ones((128, 128), bool)), round(impulses_in(spoilt, np.ones((128, 128), bool)).share, 2)
    (None, 0.02)
    """
    middle = _middle(image)
    known = Impulses(0.0, *_noise_by_brightness(image, middle))
    noise = np.maximum(OUTLYING * known.noise_at(middle), OUTSTANDING)
    bright, dark = (one & inside[..., None] for one in standing_out(image, noise))
    found, share = bright | dark, float((bright | dark).mean())
    if min(bright.mean(), dark.mean()) < RARE or not _of_both_kinds(bright, dark, middle, noise):
        return None
    differing, smooth = np.abs(image - middle) > noise, _smooth(_with_neighbours(image, found))
    everywhere = found[smooth].mean() >= SMOOTH * found[~smooth].mean()
    alone = found[smooth].sum() >= ALONE * differing[smooth].sum() and differing[~smooth].mean() < CROWDED
    return Impulses(share, known.brightness, known.deviation) if everywhere and alone and _at_random(found) else None


def _of_both_kinds(bright: np.ndarray, dark: np.ndarray, middle: np.ndarray, noise: np.ndarray) -> bool:
    """Whether bright ones are about as frequent as dark ones, each where they would show."""
    rates = [bright.sum() / max((middle < 1 - noise).sum(), 1), dark.sum() / max((middle > noise).sum(), 1)]
    return min(rates) >= ONE_SIDED * max(rates)


def noise_around(
    image: np.ndarray, inside: np.ndarray, below: tuple[float, float] = MOST
) -> tuple[np.ndarray, np.ndarray]:
    """The median around each pixel, and the deviation of noise so bright, which single pixels hardly change.

    image, inside: [H, W] or [H, W, C] and [H, W], False where pixels do not count. below: MOST bears clipping of half
    of the values, HALF more single pixels.
    """
    middle = _middle(image)
    return middle, np.interp(middle, *_noise_by_brightness(image[inside], middle[inside], below))


def middle_part(shape: tuple[int, int], side: int = MIDDLE) -> tuple[slice, slice]:
    """The middle of a large image [H, W, ...], by which it is told what its single pixels are."""
    return tuple(slice(max(0, (size - side) // 2), (size + side) // 2) for size in shape[:2])


def standing_out(image: np.ndarray, least: np.ndarray, differing: float = DIFFERING) -> tuple[np.ndarray, np.ndarray]:
    """Where single pixels are too bright, and where too dark, for all around but one.

    By more than `least`, and than `differing` times what those around, but for the two extremes, differ by.
    """
    around = np.ones((3, 3, 1)[: image.ndim], bool)
    around[1, 1] = False
    high, low = rank_filter(image, -2, footprint=around), rank_filter(image, 1, footprint=around)
    most = np.maximum(least, differing * (high - low))
    return image > high + most, image < low - most


def _middle(image: np.ndarray) -> np.ndarray:
    """The median of the eight pixels around each."""
    around = np.ones((3, 3, 1)[: image.ndim], bool)
    around[1, 1] = False
    return median_filter(image, footprint=around)


def _noise_by_brightness(
    image: np.ndarray, middle: np.ndarray, below: tuple[float, float] = HALF
) -> tuple[np.ndarray, np.ndarray]:
    """Brightness and standard deviation of noise, BINS of each, which impulses hardly change."""
    apart = np.abs(image - middle).ravel()
    bins = np.array_split(np.argsort(middle, axis=None), min(BINS, middle.size))
    share, deviations = below
    deviation = [np.quantile(apart[part], share) / deviations / MEDIAN_OF_NINE for part in bins]
    return np.array([np.median(middle.flat[part]) for part in bins]), np.array(deviation)


def _with_neighbours(image: np.ndarray, found: np.ndarray) -> np.ndarray:
    """An image whose pixels found are the median of those around that were not; kept where all around were."""
    border = [(1, 1), (1, 1), (0, 0)][: image.ndim]
    others = np.pad(np.where(found, np.nan, image), border, mode="reflect")
    height, width = image.shape[:2]
    values = np.stack([others[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width][found] for dy, dx in AROUND])
    some = ~np.isnan(values).all(axis=0)
    result, kept = image.copy(), image[found]
    kept[some] = np.nanmedian(values[:, some], axis=0)
    result[found] = kept
    return result


def _smooth(image: np.ndarray) -> np.ndarray:
    """Where a colour varies less than in the other half of the image."""
    size = (WINDOW, WINDOW, 1)[: image.ndim]
    rough = uniform_filter((image - uniform_filter(image, size)) ** 2, size)
    return rough <= np.median(rough)


def _at_random(found: np.ndarray) -> bool:
    """Whether pairs of pixels found lie at all short distances about equally often, whatever their direction."""
    gray = found.reshape(*found.shape[:2], -1).sum(axis=2)
    size = [side + 2 * FAR for side in gray.shape]
    pairs = irfft2(np.abs(rfft2(gray, size)) ** 2, size).round()
    lags = [(dy, dx) for dy in range(FAR + 1) for dx in range(-FAR, FAR + 1) if dy > 2 or abs(dx) > 2]
    counts = np.array([pairs[lag] for lag in lags])
    mean = max(counts.mean(), 1e-9)
    return bool(counts.std() / mean < REGULAR * (0.5 + 2 / np.sqrt(mean)))
