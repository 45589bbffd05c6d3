"""Noise that strength, brightness and correlation do not tell: of whole rows, single pixels, unlike in other places.

Images are [H, W] or [H, W, C] in [0, 1].
"""

from collections.abc import Callable, Collection, Iterable

import numpy as np

from dnlib.noise.impulses import impulses_in, isolated_pixels

KINDS = "lines", "places", "impulses", "single pixels"  # that are looked for
BANDS = 6  # parts of a row whose offsets are compared
FAR = 3  # parts of a row, so many or more apart, lie far from each other
KEPT = 0.7  # times what neighbouring parts share: what parts far from each other share at least, if it is an offset
CERTAIN = 3.0  # standard errors by which that differs from zero
LEAST_LINES = 0.25  # times the deviation of the other noise: the deviation that lines have at least
DIRECTED = 3.0  # times the deviation of lines the other way
FAINTEST, STRONGEST = 0.002, 0.15  # shares of the image's range: weaker lines do not matter, stronger ones are drawn
DRAWN = 3.0  # standard deviations: rows that differ by more are lines of the picture
REPEATED = 0.5  # correlation with rows further away, above which lines are a pattern
BLOCK = 64  # pixels to a side of a place
EVEN = 1.35  # times as strong as the weakest: what the wavelet bands of a place are at most, if its noise is white
FULL = 0.9  # share of the pixels of a place that have to count
UNLIKE = 2.5  # times the noise of the weakest place: the strongest has more if places differ
WORTH = 0.01  # share of the range: what the noise of the strongest place exceeds
ISOLATED = 1e-3  # share of the pixels that stand out alone, above which they are told of
STAND_OUT = (
    "single pixels stand out by more than this noise can: `dnlib denoise` keeps them, for whether they are noise, or "
    "stars, dust and fine print, cannot be told; --filter median takes them for noise"
)


def other_noise(
    image: np.ndarray,
    variance: np.ndarray,
    inside: np.ndarray,
    stated: Callable[[float], str],
    *,
    clean: np.ndarray | None = None,
    kinds: Collection[str] = KINDS,
) -> dict[str, str]:
    """What else is to be said of an image's noise, a sentence for each kind.

    Parameters
    ----------
    image, variance : array [H, W] or [H, W, C]
        In [0, 1], and the variance of the noise of each value as far as it is known.
    inside : array [H, W]
        False where pixels do not count.
    stated : callable
        Says a standard deviation in the units of whoever reads it.
    clean : array of the image's shape, optional
        The same without this noise, such as another shot: lines and single pixels of both are no noise.
    kinds : collection of str
        What is looked for: lines (whole rows and columns), places that have more noise than others, impulses, and
        other single pixels, which may be no noise.

    Returns
    -------
    dict of str
        By rows, columns, places, impulses and single pixels; what there is not is left out. Where places differ, single
        pixels are not looked at: they cannot be told from the stronger noise.

    Examples
    --------
    >>> image = np.random.default_rng(0).normal(0.5, np.where(np.arange(128) < 64, 0.02, 0.08), (128, 128))
    >>> other_noise(image, np.full(image.shape, 0.0004), np.ones(image.shape, bool), "{:.2f}".format)["places"]
    'the noise differs from place to place, 0.02 to 0.08, and not by brightness: denoise the parts one by one'
    """
    rows, columns = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    if len(rows) < BLOCK or len(columns) < BLOCK:
        return {}
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    image, variance, inside, said = image[box], variance[box], inside[box], {}
    clean = None if clean is None else clean[box]
    lines = line_noise(image, variance, clean) if "lines" in kinds and inside.mean() > FULL else {}
    for along, deviation in lines.items():
        said[along] = (
            f"whole {along} are too bright or too dark, by {stated(deviation)}: `filters.without_lines(image, "
            f"'{along}')` takes that off"
        )
    weakest, strongest = _by_place(image, variance, inside) if "places" in kinds else (0, 0)
    if strongest > max(UNLIKE * weakest, WORTH):
        said["places"] = (
            f"the noise differs from place to place, {stated(weakest)} to {stated(strongest)}, and not by brightness: "
            "denoise the parts one by one"
        )
    elif "impulses" in kinds and (known := impulses_in(np.atleast_3d(image), inside)):
        said["impulses"] = (
            f"single pixels are far too bright or too dark, about {known.share:.1%} of all, at random: impulses, which "
            "`dnlib denoise` replaces first"
        )
    elif "single pixels" in kinds and isolated_pixels(image, inside, clean) > ISOLATED:
        said["single pixels"] = STAND_OUT
    return said


def first_told(found: Iterable[tuple[str, dict[str, str]]]) -> list[str]:
    """Sentences on several frames, each kind of noise where it is told of first, however strong it is there.

    Parameters
    ----------
    found : iterable of (str, dict of str)
        What goes before the sentences on a frame, and these, as of `other_noise`.

    Examples
    --------
    >>> first_told([("", {}), ("frame 1: ", {"rows": "by 3"}), ("frame 2: ", {"rows": "by 4", "impulses": "many"})])
    ['frame 1: by 3', 'frame 2: many']
    """
    said = {}
    for where, sentences in found:
        said |= {kind: where + sentence for kind, sentence in sentences.items() if kind not in said}
    return list(said.values())


def line_noise(image: np.ndarray, variance: np.ndarray, clean: np.ndarray | None = None) -> dict[str, float]:
    """The standard deviation of what whole rows, or columns, are too bright or too dark by, where there is such noise.

    Noise of whole rows makes a row differ from its neighbours by one number, the same in all parts of the row; in a
    picture hardly any two parts agree. Stripes that repeat, or that are as strong as those of a barcode, are no noise.

    Parameters
    ----------
    image : array [H, W] or [H, W, C]
        In any units; all of its pixels count, and its colours are averaged.
    variance : array of any shape
        Of the image's other noise, in its units squared; its mean is taken.
    clean : array of the image's shape, optional
        The same without this noise, such as another shot, which leaves less to be told apart.

    Returns
    -------
    dict of float
        By "rows" and "columns", in the image's units; what has no such noise is left out.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noisy = rng.normal(0, 0.1, (128, 128)) + rng.normal(0, 0.1, (128, 1))
    >>> list(line_noise(noisy, np.full(noisy.shape, 0.01))), line_noise(np.zeros((128, 128)), np.ones((128, 128)))
    (['rows'], {})
    """
    gray = np.atleast_3d(image).mean(axis=2)
    noise = gray if clean is None else gray - np.atleast_3d(clean).mean(axis=2)
    found = {"rows": _shared_by_rows(noise), "columns": _shared_by_rows(noise.T)}
    weaker, level, span = min(found.values()), np.sqrt(variance.mean()), np.ptp(gray)
    least = max(LEAST_LINES * level, DIRECTED * weaker, FAINTEST * span)
    return {along: deviation for along, deviation in found.items() if least < deviation < STRONGEST * span}


def _shared_by_rows(gray: np.ndarray) -> float:
    """The standard deviation, about, of what all parts of a row share and the rows above and below do not.

    It is 0 where rows repeat: that is a pattern. It is 0 where parts share less the further they lie apart: that is
    noise which neighbours share, and no offset of the row. Rows that differ by far more than most are edges and lines
    of the picture, as between tiles, and are left out: noise would offset the others as well.
    """
    apart = gray[1:-1] - (gray[:-2] + gray[2:]) / 2
    parts = np.array([np.median(band, axis=1) for band in np.array_split(apart, BANDS, axis=1)])
    rows = parts.mean(axis=0)
    parts = parts[:, np.abs(rows) <= DRAWN * _spread(rows)]
    shared = {
        (k, k + lag): (_spread(parts[k] + parts[k + lag]) ** 2 - _spread(parts[k] - parts[k + lag]) ** 2) / 4
        for lag in range(1, BANDS)
        for k in range(BANDS - lag)
    }
    near = np.mean([value for (one, other), value in shared.items() if other - one == 1])
    far = np.mean([value for (one, other), value in shared.items() if other - one >= FAR])
    scatter = np.median([_spread(part) ** 2 for part in parts]) / np.sqrt(parts.shape[1])
    if far < max(KEPT * near, CERTAIN * scatter) or _repeats(rows):
        return 0.0
    return float(np.sqrt(far / 1.5))  # a row less the mean of two others


def _repeats(values: np.ndarray) -> bool:
    """Whether values are like those three or more places on, as noise less the mean of its neighbours is not."""
    values = values - values.mean()
    products = [values[lag:] @ values[:-lag] for lag in range(3, len(values) // 4)]
    return bool(np.abs(products).max(initial=0) > REPEATED * (values @ values))


def _by_place(image: np.ndarray, variance: np.ndarray, inside: np.ndarray) -> tuple[float, float]:
    """The noise of two places, where it is weakest and strongest for its brightness; (0, 0) if it is nowhere white."""
    import pywt

    found = []
    for top in range(0, image.shape[0] - BLOCK + 1, BLOCK):
        for left in range(0, image.shape[1] - BLOCK + 1, BLOCK):
            place = slice(top, top + BLOCK), slice(left, left + BLOCK)
            counts = inside[place] & np.atleast_3d((image[place] > 0) & (image[place] < 1)).all(axis=2)
            if counts.mean() < FULL:
                continue
            _, (_, _, coarse), fine = pywt.wavedec2(image[place], "db2", level=2, axes=(0, 1))
            levels = [_spread(band) for band in (*fine, coarse)]
            if max(levels) < EVEN * min(levels):
                found.append((levels[2] / np.sqrt(variance[place].mean()), levels[2]))
    return (min(found)[1], max(found)[1]) if found else (0.0, 0.0)


def _spread(values: np.ndarray) -> float:
    """The standard deviation of normal values around 0, by the median of their sizes."""
    return float(np.median(np.abs(values)) / 0.6745)
