"""Small patches of an image with mean and slope taken off, and what that does to the noise in them.

Where an image is flat or shaded evenly, a patch less the plane fitted to it is nothing but noise. But the plane also
takes noise along: three of the patch's dimensions are gone, and pixels that were independent no longer are. Both are
linear, so they can be computed exactly and undone. *Residuals* are what remains of a patch once its plane is off.
"""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import gaussian_filter, maximum_filter

SIDE = 10  # of a patch, in pixels
COUNT = 25_000  # of patches, about: they overlap in small images and leave gaps in large ones
BLUR = 3.0  # pixels: what is left of an image blurred by so much counts as structure
CLIPPED = (0.5, 0.95)  # shares of black or white pixels that patches may have
MUCH = 0.01  # share of white values, above which they shape the noise there
MANY = 1_000  # patches: where there are more with fewer such pixels, the others are left out
REACH = 4  # largest lag of the correlation map; noise further apart is taken to be independent
DIMENSIONS = SIDE**2 - 3  # in which residuals vary: a plane has three
WHITE_STRUCTURE = (1 - np.exp(-1 / BLUR**2)) / (4 * np.pi * BLUR**2)  # of white noise of variance 1, see `Patches`


@dataclass(frozen=True)
class Patches:
    """Patches all over an image, the noise-free ones left out."""

    residuals: np.ndarray  # what remains of each once its plane is off, [P, C, SIDE^2]
    brightness: np.ndarray  # their mean, [P, C]
    structure: np.ndarray  # the mean square of the slopes of the blurred image, summed over the colours, [P]
    corners: np.ndarray  # row and column of their upper left pixels, [P, 2]
    clipped: np.ndarray  # of their pixels, the share that is black or white, [P]
    white_clipped: bool  # whether noise is cut off at white

    @cached_property
    def energy(self) -> np.ndarray:
        """The mean square of what remains of each, in the dimensions that are left: [P, C]."""
        return (self.residuals.astype(float) ** 2).sum(axis=2) / DIMENSIONS

    def only(self, chosen: np.ndarray) -> "Patches":
        """Those chosen, [P] bool."""
        parts = (self.residuals, self.brightness, self.structure, self.corners, self.clipped)
        return Patches(*(part[chosen] for part in parts), self.white_clipped)


def patches_of(image: np.ndarray, counting: np.ndarray) -> Patches:
    """The patches of an image [H, W, C] of float32.

    counting: [H, W], False where pixels do not count; a patch has at most 5 % of these. Patches that are mostly black
    or white are left out as far as others remain. The step is even: the mosaic of a camera, and with it the noise,
    repeats every second pixel.
    """
    step = 2 * int(np.ceil(np.sqrt(counting.size / COUNT) / 2))
    usable, clipped = _shares(counting, step) >= 0.95, _shares(is_clipped(image), step)
    allowed = next((most for most in CLIPPED if (usable & (clipped <= most)).sum() >= MANY), CLIPPED[-1])
    usable &= clipped <= allowed
    pixels = sliding_window_view(image, (SIDE, SIDE), axis=(0, 1))[::step, ::step][usable]
    pixels = pixels.reshape(*pixels.shape[:2], SIDE**2)
    planes = plane_basis().astype(np.float32)
    residuals = pixels - (pixels @ planes) @ planes.T
    noisy = (residuals.var(axis=2) > 1e-10).all(axis=1)
    structure, corners = _shares(_slopes(image), step)[usable], step * np.argwhere(usable)
    white_clipped = bool(image.max() <= 1 and (image[counting] >= 1).mean() > MUCH)
    described = (residuals, pixels.mean(axis=2), structure, corners, clipped[usable])
    return Patches(*(values[noisy] for values in described), white_clipped)


def is_clipped(image: np.ndarray) -> np.ndarray:
    """Where any colour of an image [H, W, C] is black or white, [H, W]; nowhere if it goes beyond."""
    if image.min() < 0 or image.max() > 1:
        return np.zeros(image.shape[:2], bool)
    return ((image <= 0) | (image >= 1)).any(axis=2)


def covered(corners: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The pixels of an image of this size that lie in patches with these upper left corners [P, 2]: [H, W] bool."""
    inside = np.zeros(size, bool)
    inside[tuple(corners.T)] = True
    return maximum_filter(inside, SIDE, origin=SIDE // 2 - 1, mode="constant")


def _shares(values: np.ndarray, step: int) -> np.ndarray:
    """The mean of values [H, W] in every patch."""
    return sliding_window_view(values, (SIDE, SIDE))[::step, ::step].mean(axis=(2, 3))


def _slopes(image: np.ndarray) -> np.ndarray:
    """How steep the blurred image is at every pixel, squared and summed over the colours: [H, W]."""
    blurred = gaussian_filter(image, (BLUR, BLUR, 0))
    return sum(np.square(np.gradient(blurred, axis=axis)).sum(axis=2) for axis in (0, 1))


def covariance_of(patches: np.ndarray) -> np.ndarray:
    """Covariance [C, N, C, N] between all pixels of all colours of patches [P, C, N] of mean zero."""
    flat = patches.reshape(len(patches), -1).astype(np.float32)
    return (flat.T @ flat / len(flat)).astype(float).reshape(*patches.shape[1:], *patches.shape[1:])


def correlation_from(covariance: np.ndarray) -> np.ndarray:
    """The correlation map [2 REACH + 1, 2 REACH + 1] of the noise whose residuals have this covariance [N, N].

    What is no noise can have more covariance with its neighbours than variance: it is taken for a correlation of 1.
    """
    autocovariance = _autocovariance_from(covariance)
    half = np.concatenate([autocovariance[:0:-1], autocovariance]) / autocovariance[0]
    return half.reshape(2 * REACH + 1, 2 * REACH + 1).clip(-1, 1)


def colours_from(covariance: np.ndarray) -> np.ndarray:
    """The correlation [C, C] between the colours of a pixel, from the residuals' covariance [C, N, C, N]."""
    colours = np.arange(len(covariance))
    shared = np.array([[_autocovariance_from(covariance[a, :, b])[0] for b in colours] for a in colours])
    scale = np.sqrt(shared.diagonal())
    return (shared / np.outer(scale, scale)).clip(-1, 1)


def _autocovariance_from(covariance: np.ndarray) -> np.ndarray:
    """The noise's own covariance at half of the lags, the first of them (0, 0).

    Averaged over all pairs of pixels a lag apart, the covariance of residuals is a linear function of it, so that it is
    found by solving. Between two colours it is that of the two lags d and -d, averaged.
    """
    averages = [(covariance[pairs].mean() + covariance.T[pairs].mean()) / 2 for pairs in _pairs_at_lags()]
    return np.linalg.solve(_averages_from_autocovariance(), averages)


def residual_covariance(correlation: np.ndarray) -> np.ndarray:
    """Covariance [SIDE^2, SIDE^2] of residuals for noise of variance 1 with this correlation map [9, 9]."""
    down, right = _offsets()
    near = np.maximum(abs(down), abs(right)) <= REACH
    noise = np.where(near, correlation[down.clip(-REACH, REACH) + REACH, right.clip(-REACH, REACH) + REACH], 0)
    return _without_plane() @ noise @ _without_plane()


@cache
def plane_basis() -> np.ndarray:
    """An orthonormal basis [SIDE^2, 3] of the planes over a patch."""
    line = np.linspace(-1, 1, SIDE)
    planes = np.stack([np.ones(SIDE**2), np.repeat(line, SIDE), np.tile(line, SIDE)], axis=1)
    return np.linalg.qr(planes)[0]


@cache
def _without_plane() -> np.ndarray:
    """The projection [SIDE^2, SIDE^2] that takes the plane off a patch."""
    return np.eye(SIDE**2) - plane_basis() @ plane_basis().T


def _offsets() -> tuple[np.ndarray, np.ndarray]:
    """How many rows and columns lie between any two pixels of a patch: twice [SIDE^2, SIDE^2]."""
    rows, columns = np.divmod(np.arange(SIDE**2), SIDE)
    return rows[:, None] - rows, columns[:, None] - columns


@cache
def _pairs_at_lags() -> list[np.ndarray]:
    """Which pairs of a patch's pixels are a lag apart, [SIDE^2, SIDE^2] bool, for half of the lags up to REACH.

    The lag (0, 0) is the first; the other half follows by symmetry.
    """
    down, right = _offsets()
    lags = [(dy, dx) for dy in range(REACH + 1) for dx in range(-REACH, REACH + 1)][REACH:]
    return [(down == dy) & (right == dx) for dy, dx in lags]


@cache
def _averages_from_autocovariance() -> np.ndarray:
    """The matrix that makes of the noise's autocovariance the average covariance of residuals, lag by lag."""
    project = _without_plane()
    responses = [project @ (pairs | pairs.T) @ project for pairs in _pairs_at_lags()]
    return np.array([[response[pairs].mean() for response in responses] for pairs in _pairs_at_lags()])
