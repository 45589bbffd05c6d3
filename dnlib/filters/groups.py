"""Ridge regression over groups of similar patches: white noise of any known strength, and correlated noise.

The idea: a photograph repeats itself, so for every patch there are others in its neighbourhood that look alike. Each
patch of such a group is written as a weighted sum of all of them. The weights follow from least squares: they keep what
the patches share and average away the noise, in which they differ.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.fft import dct, idct

from dnlib.filters.classical import floats
from dnlib.filters.threads import in_threads

FIRST, SECOND = {"patch": 11, "number": 18}, {"patch": 7, "number": 64}  # of step 1 and step 2
REFINING = 32  # patches of a group in `refined`
APART, WHOLE = 1.6, 2.0  # of `ridge_cascade`: times sigma, for the four images and for the whole
WINDOW, STRIDE = 31, 6
SMALLEST = 8
ROWS = 4  # of groups, in a band that one thread filters


def ridge(
    image: np.ndarray,
    sigma: float | np.ndarray,
    *,
    pilot: np.ndarray | None = None,
    rounds: int = 2,
    number: int = SECOND["number"],
) -> np.ndarray:
    """NL-Ridge: linear estimates of patches from the patches most like them; no training.

    Let the k patches of a group, n pixels each, be the rows of Y = X + noise, and D the diagonal matrix of the noise's
    variances summed over each patch. The estimate is Theta Y, and its risk |Theta X - X|^2 + tr(Theta D Theta').
    Step 1 puts the unbiased estimate Y Y' - D in the place of X X': then Theta = I - D (Y Y')^-1. It leaves negative
    eigenvalues out, and takes D 1.2 times as large, because eigenvalues of little data scatter. Step 2 takes X from a
    first estimate, the pilot: Theta = X X' (X X' + D)^-1. It is repeated with its own result as pilot. Overlapping
    estimates are averaged, each weighted by the inverse of its noise's variance.

    The mean of the colours and their differences (an orthonormal transform) are filtered separately; similar patches
    are sought in the mean. Bands of the image are filtered in threads, one for each processor; with any number of
    threads the result is the same, to the last bit.

    Parameters
    ----------
    image
        [H, W] or [H, W, C], at least 8x8 pixels, in any range; take a large offset off first, for float32 has seven
        digits.
    sigma
        Standard deviation of the noise in the units of the image, 0 or more: one number, or an array [H, W] or of the
        image's shape, for noise that depends on brightness. Noise is taken to be independent between pixels.
    pilot
        Any denoised image of the same shape; step 1 is left out then.
    rounds
        How often step 2 is made.
    number
        Patches of a group in step 2, 1 or more.

    Returns
    -------
    array of the image's shape
        float32 or float64, computed in float32.

    Raises
    ------
    ValueError
        For what is no finite image of 8x8 pixels or more, for levels that are negative or of another shape, for a pilot
        of another shape, for less than one round or patch.

    References
    ----------
    Herbreteau and Kervrann: A unified framework of nonlocal parametric methods for image denoising, SIAM J. Imaging
    Sci. 18(1), 2025. Separate weights for sums and differences of colours, eigenvalues cut off and the second round are
    ours.

    Examples
    --------
    >>> clean = np.tile(np.sin(np.arange(40) / 3), (40, 1))
    >>> noisy = clean + 0.2 * np.random.default_rng(0).standard_normal(clean.shape)
    >>> bool((ridge(noisy, 0.2) - clean).std() < 0.2 * (noisy - clean).std())
    True
    """
    image = _checked(image)
    if min(rounds, number) < 1:
        raise ValueError(f"ridge takes rounds and number >= 1; {rounds} and {number} were given")
    pilot = None if pilot is None else floats(pilot)
    if pilot is not None and pilot.shape != image.shape:
        raise ValueError(f"the pilot has the image's shape {list(image.shape)}; {list(pilot.shape)} was given")
    return _ridge(image, _deviation(sigma, image), pilot, rounds, number)


def ridge_cascade(image: np.ndarray, sigma: float | np.ndarray) -> np.ndarray:
    """`ridge` for noise that neighbouring pixels share, as in phone photographs.

    Every other pixel of every other row make an image in which such noise is nearly independent. The four images of
    this kind go through step 1, are put together, and are the pilot of step 2 for the whole image. What correlation
    remains is met by stronger noise than is there: 1.6 times sigma for the four images, twice sigma for the whole.

    Parameters
    ----------
    image, sigma
        As `ridge` takes them.

    Raises
    ------
    ValueError
        As `ridge`.

    References
    ----------
    Zhou et al.: When AWGN-based denoiser meets real noises, AAAI 2020, for the division into four images.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal((65, 65))
    >>> image = (noise[1:, 1:] + noise[:-1, 1:] + noise[1:, :-1] + noise[:-1, :-1]) / 2
    >>> bool(ridge_cascade(image, 1).std() < 0.5 * ridge(image, 1).std())
    True
    """
    image = _checked(image)
    deviation = _deviation(sigma, image)
    pilot = np.empty_like(image)
    for quarter in (np.s_[i::2, j::2] for i in (0, 1) for j in (0, 1)):
        pilot[quarter] = _ridge(image[quarter], APART * deviation[quarter], pilot=None, rounds=0)
    return ridge(image, WHOLE * deviation, pilot=pilot, rounds=1)


def refined(image: np.ndarray, sigma: float | np.ndarray, estimate: np.ndarray) -> np.ndarray:
    """The mean of an estimate, as a network gives it, and of `ridge` with this estimate as its pilot.

    A network knows photographs in general, and similar patches know this photograph: they err in different ways. In a
    mean with the pilot a small group is as good as a large one, and takes a third of its time.

    Parameters
    ----------
    image, sigma
        As `ridge` takes them; for noise that neighbours share, twice its standard deviation does well.
    estimate
        Of the image's shape: an image denoised in any way.

    Raises
    ------
    ValueError
        As `ridge`.

    Examples
    --------
    >>> clean = np.tile(np.sin(np.arange(40) / 3), (40, 1))
    >>> noisy = clean + 0.2 * np.random.default_rng(0).standard_normal(clean.shape)
    >>> blurred = (noisy + np.roll(noisy, 1, 0) + np.roll(noisy, -1, 0)) / 3
    >>> bool((refined(noisy, 0.2, blurred) - clean).std() < (blurred - clean).std())
    True
    """
    return (estimate + ridge(image, sigma, pilot=estimate, rounds=1, number=REFINING)) / 2


def _ridge(image, deviation, pilot, rounds, number=SECOND["number"]):
    if not deviation.any():
        return image.copy()
    planes, variance = _opponent(image), _opponent_variance(deviation**2)
    guide = filtered(planes, variance, **FIRST) if pilot is None else _opponent(pilot)
    for _ in range(rounds):
        guide = filtered(planes, variance, guide, patch=SECOND["patch"], number=number)
    return idct(np.moveaxis(guide, 0, -1), axis=-1, norm="ortho").reshape(image.shape).astype(image.dtype)


def filtered(planes, variance, pilot=None, *, patch, number):
    """Step 1, or with a pilot step 2, on planes [C, H, W] of float32; variance: of the noise of every value.

    In small images patches are smaller, and so are groups: their weights have to follow from fewer pixels.
    """
    _, height, width = planes.shape
    patch = min(patch, (min(height, width) + 1) // 2)
    places = (min(WINDOW, height - patch + 1), min(WINDOW, width - patch + 1))
    number = min(number, places[0] * places[1], *([] if pilot is not None else [max(1, patch**2 // 4)]))
    for axis in (1, 2):
        variance = sliding_window_view(variance, patch, axis=axis).sum(axis=-1)
    rows, columns = (_starts(side - patch + 1, min(STRIDE, max(1, patch - 1))) for side in (height, width))
    guide, piloted = (planes, False) if pilot is None else (pilot, True)

    def band(first: int) -> tuple[int, tuple[np.ndarray, np.ndarray]]:
        from dnlib.filters.group_loops import filter_band  # and with it the compiler, which nobody else should wait for

        ours, last = rows[first : first + ROWS], height - patch + 1 - places[0]
        top, bottom = (min(max(0, row - places[0] // 2), last) for row in (ours[0], ours[-1]))
        span = top, bottom + places[0] + patch - 1
        return top, filter_band(planes, guide, variance, ours, columns, *span, patch, number, WINDOW, piloted)

    total, weight = np.zeros(planes.shape), np.zeros(planes.shape)
    for top, sums in in_threads(band, range(0, len(rows), ROWS)):
        for whole, part in zip((total, weight), sums, strict=True):
            whole[:, top : top + part.shape[1]] += part
    return (total / weight).astype(np.float32)


def _starts(count: int, stride: int) -> np.ndarray:
    """Every stride-th of so many places, and the last."""
    return np.unique(np.append(np.arange(0, count, stride), count - 1))


def _opponent(image: np.ndarray) -> np.ndarray:
    """[C, H, W] of float32: for colours their sum, red less blue, and green less both, all orthonormal."""
    colours = image.reshape(*image.shape[:2], -1)
    return np.ascontiguousarray(np.moveaxis(dct(colours, axis=-1, norm="ortho"), -1, 0), np.float32)


def _opponent_variance(variance: np.ndarray) -> np.ndarray:
    colours = variance.reshape(*variance.shape[:2], -1)
    squares = dct(np.eye(colours.shape[-1]), axis=0, norm="ortho") ** 2
    return np.ascontiguousarray(np.moveaxis(colours @ squares.T, -1, 0), np.float32)


def _checked(image: np.ndarray) -> np.ndarray:
    image = floats(image)
    if min(image.shape[:2]) < SMALLEST:
        raise ValueError(f"ridge takes images of {SMALLEST}x{SMALLEST} pixels or more; {list(image.shape)} was given")
    return image


def _deviation(sigma: float | np.ndarray, image: np.ndarray) -> np.ndarray:
    """The standard deviation of every value, of the image's shape."""
    sigma = np.asarray(sigma)
    if sigma.dtype.kind not in "iuf" or not (np.isfinite(sigma) & (sigma >= 0)).all():
        raise ValueError("sigma is a finite standard deviation of 0 or more, in units of the image; other was given")
    if sigma.shape not in ((), image.shape[:2], image.shape):
        raise ValueError(
            f"sigma is a number, [H, W] or of the image's shape {list(image.shape)}; {list(sigma.shape)} was given"
        )
    sigma = sigma[..., None] if image.ndim == 3 and sigma.ndim == 2 else sigma
    return np.broadcast_to(sigma, image.shape).astype(float)
