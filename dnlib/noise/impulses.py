"""Single pixels far too bright or too dark: those that stand out, and impulses, which are noise for certain.

What noise there is besides is told by the pixels around, which single ones hardly change. Impulses are pixels that
stand out at random: stars, dust and fine print are ruled out.

In strong noise no pixel stands out by itself. Black and white impulses then show by their number: noise that is cut off
at black leaves about as many values just above black as at it, and impulses leave more at it. No more can be known. So
these are missed in strong noise: impulses of other values; black ones where the picture is nowhere brighter than 2.5
standard deviations (in noise of sigma 50, half of the range); white ones where it is nowhere as far from white; and few
ones, about 1 % or less.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy.fft import irfft2, rfft2
from scipy.ndimage import median_filter, rank_filter, uniform_filter

from dnlib.images import middle

# a pixel stands out if it differs from all around by so many standard deviations of the noise, and by so much of the
# range: the first two where impulses are looked for, the others where they are known to be there and are replaced
OUTLYING, OUTSTANDING = 6.0, 0.1
REPLACED, LOOSE = 4.0, 0.05
# and by so many times what the pixels around differ by from each other
DIFFERING, A_LITTLE = 1.0, 0.5
# black and white values in strong noise
HIDDEN = 2.5  # standard deviations that the median around lies away from that end, at least
BEFORE = 0.5  # standard deviations from the end: about as many values of noise lie so close to it as at it
MORE, CHANCE = 2.0, 3.0  # times as many lie at it, and by so many standard deviations of their number more
# what impulses are, in contrast to stars, dust, print, screens and dithers
RARE = 5e-4  # share of the values, of bright ones and of dark ones each, at least
ONE_SIDED = 0.25  # times as frequent as the other kind, at least
SMOOTH = 0.6  # times as frequent in smooth places as in rough ones, at least
ALONE = 0.5  # of what differs from its surroundings in smooth places, the share that stands alone, at least
CROWDED = 0.25  # share of the values in rough places that differ from their surroundings, at most
REGULAR, FAR = 0.7, 6  # how uneven their distances are, at most, beyond chance; pixels up to which these are counted
# how they are looked for
MIDDLE = 512  # pixels to a side: of large images the middle is looked at
CUT_OFF = 2.0  # standard deviations from black or white, within which noise is cut off there
BINS = 8  # of brightness
WINDOW = 7  # pixels to a side of the surroundings by which a place is called smooth
TURNS = 2  # rounds of replacing
AROUND = np.arange(9).reshape(3, 3) != 4  # the eight pixels around each
HALF, MOST = (0.5, 0.6745), (0.8, 1.2816)  # shares of normal values, and the standard deviations these stay within
MEDIAN_OF_NINE = 1.1  # the standard deviation of noise of deviation 1 less the median of its neighbours


@dataclass(frozen=True)
class Impulses:
    """Impulses of an image in [0, 1], and the deviation of its other noise by brightness, from which they stand out.

    Parameters
    ----------
    share : float
        Share of the values that are impulses, from 0 to 1.
    brightness, deviation : array [B]
        How strong the other noise is at which brightness, both in shares of the range, from dark to bright.

    Attributes
    ----------
    reach : int
        How many pixels on each side a value depends on once they are replaced.

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

    reach: ClassVar[int] = 2 * TURNS

    def replaced(self, image: np.ndarray) -> np.ndarray:
        """An image [H, W] or [H, W, C] each of whose impulses is the median of those around that are none."""
        for _ in range(TURNS):
            noise = np.maximum(REPLACED * self.noise_at(_median_around(image)), LOOSE)
            bright, dark = _standing_out(image, noise, A_LITTLE)
            image = _with_neighbours(image, bright | dark)
        return image

    def noise_at(self, brightness: np.ndarray) -> np.ndarray:
        """The standard deviation of what is no impulse."""
        return np.interp(brightness, self.brightness, self.deviation)


def impulses_in(image: np.ndarray, inside: np.ndarray) -> Impulses | None:
    """Impulses, if there clearly are any: bright and dark single pixels, at random places, smooth ones among them.

    What looks alike is told apart by this. Stars are all bright, and dust is of one kind. Letters, combs and texture
    stand out where the picture is rough. A screen has its dots at equal distances, and a dither has them everywhere. An
    image that has impulses and one of these gives None; so does one of two values, whose dither leaves single pixels.

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
    values = image[inside]
    if ((values == values.min(initial=1)) | (values == values.max(initial=0))).all():
        return None
    median = _median_around(image)
    known = Impulses(0.0, *_noise_by_brightness(image, median))
    noise = _beyond_noise(known.noise_at(median))
    bright, dark = (one & inside[..., None] for one in _standing_out(image, noise))
    found = bright | dark
    if min(bright.mean(), dark.mean()) < RARE or not _of_both_kinds(bright, dark, median, noise):
        return None
    differing, smooth = np.abs(image - median) > noise, _smooth(_with_neighbours(image, found))
    everywhere = found[smooth].mean() >= SMOOTH * found[~smooth].mean()
    alone = found[smooth].sum() >= ALONE * differing[smooth].sum() and differing[~smooth].mean() < CROWDED
    return replace(known, share=float(found.mean())) if everywhere and alone and _at_random(found) else None


def _of_both_kinds(bright: np.ndarray, dark: np.ndarray, median: np.ndarray, noise: np.ndarray) -> bool:
    """Whether bright ones are about as frequent as dark ones, each where they would show."""
    rates = [bright.sum() / max((median < 1 - noise).sum(), 1), dark.sum() / max((median > noise).sum(), 1)]
    return min(rates) >= ONE_SIDED * max(rates)


def noise_around(
    image: np.ndarray, inside: np.ndarray, below: tuple[float, float] = MOST
) -> tuple[np.ndarray, np.ndarray]:
    """The median around each pixel, and the deviation of noise so bright, which single pixels hardly change.

    Where noise is cut off at black or white, it is as strong as where it is not, at least.
    image, inside: [H, W] or [H, W, C] and [H, W], False where pixels do not count. below: MOST bears clipping of half
    of the values, HALF more single pixels.
    """
    median = _median_around(image)
    brightness, deviation = _noise_by_brightness(image[inside], median[inside], below)
    start = int(np.argmin(np.abs(brightness - 0.5)))
    _raise_where_cut_off(brightness[start::-1], deviation[start::-1])
    _raise_where_cut_off(1 - brightness[start:], deviation[start:])
    return median, np.interp(median, brightness, deviation)


def _raise_where_cut_off(distance: np.ndarray, deviation: np.ndarray) -> None:
    """Raise deviations [B], in their place, to the one before where that reaches the end that lies so far away [B]."""
    for k in range(1, len(distance)):
        if distance[k] < CUT_OFF * deviation[k - 1]:
            deviation[k] = max(deviation[k - 1 : k + 1])


def isolated_pixels(image: np.ndarray, inside: np.ndarray, clean: np.ndarray | None = None) -> float:
    """The share of single pixels that stand out by more than noise can and by a tenth of the range.

    What noise can is told by the pixels around, which single ones hardly change: in an inspection they may pass for
    noise, and a strong one. Where noise is so strong that nothing exceeds it, black and white pixels are counted that
    it does not account for. Of a large image the middle is looked at.

    Parameters
    ----------
    image : array [H, W] or [H, W, C]
        In [0, 1].
    inside : array [H, W]
        False where pixels do not count.
    clean : array of the image's shape, optional
        The same without noise: what stands out here, too, does not count.

    Examples
    --------
    >>> sky, inside = np.zeros((10, 10)), np.ones((10, 10), bool)
    >>> sky[4, 4] = 1
    >>> isolated_pixels(sky, inside), isolated_pixels(sky, inside, clean=sky)
    (0.01, 0.0)
    """
    image, inside = middle(image, MIDDLE), middle(inside, MIDDLE)
    if not inside.any():
        return 0.0
    found, clean = _isolated(image, inside), None if clean is None else middle(clean, MIDDLE)
    if clean is not None:
        found &= ~_isolated(clean, inside)
    return float(found[inside].mean()) + _hidden(image, inside, clean)


def _isolated(image: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Where a pixel exceeds, or falls below, all around but one by that much."""
    bright, dark = _standing_out(image, _beyond_noise(noise_around(image, inside)[1]))
    return bright | dark


def _hidden(image: np.ndarray, inside: np.ndarray, clean: np.ndarray | None) -> float:
    """The share of black and white pixels in noise so strong that none stands out, beyond what it cuts off there.

    They are counted where the median around lies far from that end, so that normal noise, or noise and texture, leaves
    at the end no more than about as many values as within BEFORE standard deviations of it, or in the next step to it;
    and where all around but one lie away from it, as they do not at the corners of what is black or white.
    """
    (median, deviation), hidden = noise_around(image, inside), 0
    for end, next_to_nearest in ((0, 1), (1, -2)):
        far = np.abs(median - end)
        others = np.abs(rank_filter(image, next_to_nearest, footprint=_around(image)) - end)
        place = (far > np.maximum(HIDDEN * deviation, OUTSTANDING)) & (far <= OUTLYING * deviation)
        place &= others > deviation
        place &= inside if image.ndim == 2 else inside[..., None]
        if clean is not None:
            place &= clean != end
        away = (image if end == 0 else 1 - image)[place]
        near = np.maximum(BEFORE * deviation[place], away[away > 0].min(initial=1))
        at, before = np.count_nonzero(away <= 0), np.count_nonzero((away > 0) & (away <= near))
        if at > MORE * before + CHANCE * np.sqrt(at + MORE**2 * before):
            hidden += at - before
    return hidden / image[inside].size


def _standing_out(image: np.ndarray, least: np.ndarray, differing: float = DIFFERING) -> tuple[np.ndarray, np.ndarray]:
    """Where single pixels are too bright, and where too dark, for all around but one.

    By more than `least`, and than `differing` times what those around, but for the two extremes, differ by.
    """
    high, low = (rank_filter(image, rank, footprint=_around(image)) for rank in (-2, 1))
    most = np.maximum(least, differing * (high - low))
    return image > high + most, image < low - most


def _median_around(image: np.ndarray) -> np.ndarray:
    """The median of the eight pixels around each."""
    return median_filter(image, footprint=_around(image))


def _around(image: np.ndarray) -> np.ndarray:
    """The footprint AROUND for an image [H, W] or [H, W, C]."""
    return AROUND if image.ndim == 2 else AROUND[..., None]


def _beyond_noise(deviation: np.ndarray) -> np.ndarray:
    """How far a pixel lies from all around if it is more than noise of this deviation."""
    return np.maximum(OUTLYING * deviation, OUTSTANDING)


def _noise_by_brightness(
    image: np.ndarray, median: np.ndarray, below: tuple[float, float] = HALF
) -> tuple[np.ndarray, np.ndarray]:
    """Brightness and standard deviation of noise, BINS of each, which impulses hardly change."""
    apart = np.abs(image - median).ravel()
    bins = np.array_split(np.argsort(median, axis=None), min(BINS, median.size))
    share, deviations = below
    deviation = [np.quantile(apart[part], share) / deviations / MEDIAN_OF_NINE for part in bins]
    return np.array([np.median(median.flat[part]) for part in bins]), np.array(deviation)


def _with_neighbours(image: np.ndarray, found: np.ndarray) -> np.ndarray:
    """An image whose pixels found are the median of those around that were not; kept where all around were."""
    border = [(1, 1), (1, 1), (0, 0)][: image.ndim]
    others = np.pad(np.where(found, np.nan, image), border, mode="reflect")
    height, width = image.shape[:2]
    values = np.stack([others[y : y + height, x : x + width][found] for y, x in np.argwhere(AROUND)])
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
    gray = np.atleast_3d(found).sum(axis=2)
    size = [side + 2 * FAR for side in gray.shape]
    pairs = irfft2(np.abs(rfft2(gray, size)) ** 2, size).round()
    lags = [(dy, dx) for dy in range(FAR + 1) for dx in range(-FAR, FAR + 1) if dy > 2 or abs(dx) > 2]
    counts = np.array([pairs[lag] for lag in lags])
    mean = max(counts.mean(), 1e-9)
    return bool(counts.std() / mean < REGULAR * (0.5 + 2 / np.sqrt(mean)))
