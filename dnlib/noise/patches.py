"""Small patches of an image with mean and slope taken off, and what that does to the noise in them.

Where an image is flat or shaded evenly, a patch less the plane fitted to it is nothing but noise. But the plane also
takes noise along: three of the patch's dimensions are gone, and pixels that were independent no longer are. Both are
linear, so they can be computed exactly and undone. *Residuals* are what remains of a patch once its plane is off.
"""

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

SIDE = 10  # of a patch, in pixels
COUNT = 25_000  # of patches, about: they overlap in small images and leave gaps in large ones
REACH = 4  # largest lag of the correlation map; noise further apart is taken to be independent
DIMENSIONS = SIDE**2 - 3  # in which residuals vary: a plane has three


def residuals_of(image: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Residuals of patches all over an image [H, W, C], [P, C, SIDE^2], and the patches' mean brightness [P, C].

    inside: [H, W], False where pixels do not count; a patch has at most 5 % of these. Patches without noise are left
    out. The step is even: the mosaic of a camera, and with it the noise, repeats every second pixel.
    """
    step = 2 * int(np.ceil(np.sqrt(inside.size / COUNT) / 2))
    usable = sliding_window_view(inside, (SIDE, SIDE))[::step, ::step].mean(axis=(2, 3)) >= 0.95
    pixels = sliding_window_view(image, (SIDE, SIDE), axis=(0, 1))[::step, ::step][usable]
    pixels = pixels.reshape(*pixels.shape[:2], SIDE**2)
    planes = plane_basis().astype(np.float32)
    residuals = pixels - (pixels @ planes) @ planes.T
    noisy = (residuals.var(axis=2) > 1e-10).all(axis=1)
    return residuals[noisy], pixels[noisy].mean(axis=2)


def covariance_of(patches: np.ndarray) -> np.ndarray:
    """Covariance [C, N, C, N] between all pixels of all colours of patches [P, C, N] of mean zero."""
    flat = patches.reshape(len(patches), -1).astype(np.float32)
    return (flat.T @ flat / len(flat)).astype(float).reshape(*patches.shape[1:], *patches.shape[1:])


def correlation_from(covariance: np.ndarray) -> np.ndarray:
    """The correlation map [2 REACH + 1, 2 REACH + 1] of the noise whose residuals have this covariance [N, N]."""
    autocovariance = _autocovariance_from(covariance)
    half = np.concatenate([autocovariance[:0:-1], autocovariance]) / autocovariance[0]
    return half.reshape(2 * REACH + 1, 2 * REACH + 1)


def colours_from(covariance: np.ndarray) -> np.ndarray:
    """The correlation [C, C] between the colours of a pixel, from the residuals' covariance [C, N, C, N]."""
    colours = np.arange(len(covariance))
    shared = np.array([[_autocovariance_from(covariance[a, :, b])[0] for b in colours] for a in colours])
    scale = np.sqrt(shared.diagonal())
    return shared / np.outer(scale, scale)


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
