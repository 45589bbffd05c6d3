"""Filters made steady: what they say of a pixel does not depend on how far the image goes on around it.

Then large images can be worked through tile by tile. The median and non-local means look at a window and are steady as
they are. Total variation stops when the whole image has settled: here it goes through a fixed number of rounds.
Wavelets are shrunk by thresholds that the whole image sets: here sample tiles set them. The network works in tiles by
itself, and any other candidate sees whole frames.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import pywt
from skimage.restoration import denoise_tv_chambolle

from dnlib.denoiser.candidates import Judged
from dnlib.denoiser.sampling import sample_tiles, without_single_channel
from dnlib.filters import channel_axis

NL_MEANS = 2 + 6  # half a patch, and the distance of the search
ROUNDS = 20  # of total variation, about as many as whole photographs take
LEVELS = 5  # of wavelets, so that their blocks are 32 pixels wide

Denoise = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray | None]]


def steady(name: str, judged: Judged, frames: list[np.ndarray]) -> tuple[Denoise, int | None]:
    """How a judged candidate denoises tiles [h, w, c] in [0, 1], and how many pixels it sees on each side.

    Tiles begin at multiples of 32 pixels. frames: samples [H, W, C]. None: it has to see whole frames.
    """
    if name == "median":
        return judged.denoise, judged.setting["radius"]
    if name == "nl_means":
        return judged.denoise, NL_MEANS
    if name == "total_variation":
        return _one(partial(total_variation_in_rounds, **judged.setting)), ROUNDS
    if name == "wavelet":
        sigma = judged.setting["sigma"]
        return _one(partial(shrunk, thresholds=thresholds_of(sample_tiles(frames), sigma))), 2**LEVELS
    return judged.denoise, None


def _one(filter: Callable[[np.ndarray], np.ndarray]) -> Denoise:
    return lambda frame: (filter(without_single_channel(frame)).reshape(frame.shape), None)


def total_variation_in_rounds(image: np.ndarray, weight: float) -> np.ndarray:
    """Chambolle's total-variation smoothing of [H, W] or [H, W, C], after ROUNDS rounds; each reaches a pixel farther.

    Examples
    --------
    >>> image = np.random.default_rng(0).normal(0.5, 0.1, (32, 32))
    >>> bool(total_variation_in_rounds(image, 0.1).std() < 0.5 * image.std())
    True
    """
    axis = channel_axis(image)
    return denoise_tv_chambolle(image, weight=weight, eps=0, max_num_iter=ROUNDS, channel_axis=axis)


def thresholds_of(tiles: list[np.ndarray], sigma: float) -> list[dict[str, np.ndarray]]:
    """BayesShrink's thresholds sigma² / sqrt(variance - sigma²) for every band [C], from the coarsest on.

    Variances are those of Haar wavelets of all tiles [H, W] or [H, W, C]. A coarse band that none of them is large
    enough for is not shrunk.

    References
    ----------
    Chang, Yu, Vetterli: Adaptive wavelet thresholding for image denoising and compression, IEEE TIP, 2000, eq. 14.
    """
    levels = min(LEVELS, pywt.dwtn_max_level(tiles[0].shape[:2], "haar"))
    bands = [pywt.wavedecn(_channels(tile), "haar", level=levels, axes=(0, 1))[1:] for tile in tiles]
    found = []
    for level in zip(*bands, strict=True):
        powers = {key: np.mean([np.square(band[key]).mean(axis=(0, 1)) for band in level], axis=0) for key in level[0]}
        signal = {key: np.sqrt(np.maximum(power - sigma**2, np.finfo(np.float32).eps)) for key, power in powers.items()}
        found.append({key: (sigma**2 / deviation).astype(np.float32) for key, deviation in signal.items()})
    return found


def shrunk(image: np.ndarray, thresholds: list[dict[str, np.ndarray]]) -> np.ndarray:
    """An image [H, W] or [H, W, C] whose Haar wavelets are drawn towards zero by given thresholds.

    Examples
    --------
    >>> image = np.random.default_rng(0).normal(0.5, 0.1, (64, 64))
    >>> bool(shrunk(image, thresholds_of([image], 0.1)).std() < 0.5 * image.std())
    True
    """
    rough, *bands = pywt.wavedecn(_channels(image), "haar", level=len(thresholds), axes=(0, 1))
    bands = [
        {key: _soft(band, limits[key]) for key, band in level.items()}
        for level, limits in zip(bands, thresholds, strict=True)
    ]
    height, width = image.shape[:2]
    return pywt.waverecn([rough, *bands], "haar", axes=(0, 1))[:height, :width].reshape(image.shape)


def _soft(band: np.ndarray, limit: np.ndarray) -> np.ndarray:
    return np.sign(band) * np.maximum(np.abs(band) - limit, 0)


def _channels(image: np.ndarray) -> np.ndarray:
    return image if image.ndim == 3 else image[..., None]
