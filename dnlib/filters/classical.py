"""Classical filters: arrays [H, W] or [H, W, C] of floats, strengths in the units of the image.

Integers become floats of the same values: an image of uint8 has a noise level of 25, not of 25 / 255.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import ndimage
from skimage.morphology import disk as skimage_disk
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle, denoise_wavelet

Filter = Callable[..., np.ndarray]
"""Any function filter(image, **setting) that returns an image of the same shape."""
Setting = dict[str, Any]
"""A filter's arguments."""


def median(image: np.ndarray, radius: int) -> np.ndarray:
    """The median over a disk, channel by channel; borders are mirrored.

    Parameters
    ----------
    image
        [H, W] or [H, W, C].
    radius
        Of the disk, in pixels, at least 1.

    Raises
    ------
    ValueError
        For another radius, or for what is no finite image of real numbers.

    Examples
    --------
    >>> image = np.zeros((5, 5))
    >>> image[2, 2] = 1
    >>> float(median(image, 1).max())
    0.0
    """
    footprint = disk(radius)
    return per_channel(lambda plane: ndimage.median_filter(plane, footprint=footprint, mode="mirror"), floats(image))


def nl_means(image: np.ndarray, h: float, sigma: float = 0.0) -> np.ndarray:
    """Non-local means with patches of 5x5 pixels and a search distance of 6: `skimage.restoration.denoise_nl_means`.

    Parameters
    ----------
    image
        [H, W] or [H, W, C].
    h
        Strength, above 0: how different patches may be, in the units of the image.
    sigma
        Noise level to allow for when patches are compared, in the same units.

    Raises
    ------
    ValueError
        For impossible strengths, or for what is no finite image of real numbers.

    References
    ----------
    Buades, Coll, Morel: A non-local algorithm for image denoising, CVPR 2005.

    Examples
    --------
    >>> image = np.random.default_rng(0).normal(0.5, 0.1, (32, 32))
    >>> bool(nl_means(image, h=0.1).std() < 0.5 * image.std())
    True
    """
    if not (h > 0 and sigma >= 0):
        raise ValueError(f"non-local means have a strength h > 0 and sigma >= 0; {h} and {sigma} were given")
    image, sizes = floats(image), {"patch_size": 5, "patch_distance": 6}
    found = denoise_nl_means(image, h=h, sigma=sigma, fast_mode=True, channel_axis=channel_axis(image), **sizes)
    return found.reshape(image.shape)  # of a single pixel it makes a number


def wavelet(image: np.ndarray, sigma: float) -> np.ndarray:
    """Wavelet soft thresholding (BayesShrink) for a noise level: `skimage.restoration.denoise_wavelet`.

    Parameters
    ----------
    image
        [H, W] or [H, W, C].
    sigma
        Standard deviation of the noise, above 0, in the units of the image.

    Raises
    ------
    ValueError
        For another level, or for what is no finite image of real numbers.

    References
    ----------
    Chang, Yu, Vetterli: Adaptive wavelet thresholding for image denoising and compression, IEEE TIP, 2000.

    Examples
    --------
    >>> image = np.random.default_rng(0).normal(0.5, 0.1, (32, 32))
    >>> bool(wavelet(image, sigma=0.1).std() < 0.5 * image.std())
    True
    """
    if not sigma > 0:
        raise ValueError(f"wavelets are shrunk for a noise level sigma > 0; {sigma} was given")
    image = floats(image)
    settings = {"method": "BayesShrink", "rescale_sigma": True, "channel_axis": channel_axis(image)}
    return denoise_wavelet(image, sigma=sigma, **settings)


def total_variation(image: np.ndarray, weight: float, rounds: int | None = None) -> np.ndarray:
    """Chambolle's total-variation smoothing: `skimage.restoration.denoise_tv_chambolle`.

    Parameters
    ----------
    image
        [H, W] or [H, W, C].
    weight
        Above 0; a larger one smooths more.
    rounds
        Of the algorithm, at least 1; each makes a pixel depend on one more around it. None: until all of the image has
        settled.

    Raises
    ------
    ValueError
        For another weight or number of rounds, or for what is no finite image of real numbers.

    References
    ----------
    Chambolle: An algorithm for total variation minimization and applications, J. Math. Imaging Vis., 2004.

    Examples
    --------
    >>> image = np.random.default_rng(0).normal(0.5, 0.1, (32, 32))
    >>> bool(total_variation(image, weight=0.1).std() < 0.5 * image.std())
    True
    """
    if not weight > 0:
        raise ValueError(f"total variation is smoothed with a weight > 0; {weight} was given")
    if rounds is not None and rounds < 1:
        raise ValueError(f"total variation takes at least one round; {rounds} were given")
    image, ending = floats(image), {} if rounds is None else {"eps": 0, "max_num_iter": rounds}
    return denoise_tv_chambolle(image, weight=weight, channel_axis=channel_axis(image), **ending)


def channel_axis(image: np.ndarray) -> int | None:
    """What scikit-image wants to be told: -1 for [H, W, C], None for [H, W].

    Untold, it takes colours for a third dimension of space.

    Examples
    --------
    >>> channel_axis(np.zeros((8, 8, 3)))
    -1
    """
    return -1 if image.ndim == 3 else None


def floats(image: np.ndarray) -> np.ndarray:
    """[H, W] or [H, W, C] as float32 or float64, values as they are.

    Raises ValueError for another shape, no pixels, NaN or infinities, and for what are no real numbers.
    """
    image = np.asarray(image)
    if image.dtype.kind not in "iuf":
        raise ValueError(f"the image is {image.dtype}; filters take real numbers: convert to float32")
    if image.ndim not in (2, 3) or image.size == 0:
        raise ValueError(f"filters take images [H, W] or [H, W, C]; shape {list(image.shape)} was given")
    if not np.isfinite(image).all():
        raise ValueError("the image holds NaN or infinite values; replace them before filtering")
    return image.astype(min(np.result_type(image.dtype, np.float32), np.dtype(np.float64)), copy=False)


def checked_mask(mask: np.ndarray, image: np.ndarray) -> np.ndarray:
    """The mask, [H, W] or of the image's shape. Raises ValueError for another, and where nothing is True."""
    mask = np.asarray(mask)
    if mask.dtype != bool or mask.shape not in (image.shape, image.shape[:2]) or not mask.any():
        raise ValueError(
            f"a mask is boolean, {list(image.shape[:2])} or {list(image.shape)}, and somewhere True; {mask.dtype} "
            f"{list(mask.shape)} was given"
        )
    return mask


def per_channel(filter: Callable[[np.ndarray], np.ndarray], image: np.ndarray) -> np.ndarray:
    """Apply a filter for [H, W] to each colour of [H, W] or [H, W, C]."""
    if image.ndim == 2:
        return filter(image)
    return np.stack([filter(plane) for plane in np.moveaxis(image, -1, 0)], axis=-1)


def disk(radius: int) -> np.ndarray:
    """The boolean footprint dy^2 + dx^2 <= radius^2, of shape [2 radius + 1, 2 radius + 1]."""
    if radius < 1:
        raise ValueError(f"a footprint needs a radius >= 1; {radius} was given")
    return skimage_disk(radius).astype(bool)
