"""Classical filters, as scikit-image has them: arrays [H, W] or [H, W, C], strengths in units of the image."""

import numpy as np
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle, denoise_wavelet


def nl_means(image: np.ndarray, h: float, sigma: float = 0.0) -> np.ndarray:
    """Non-local means, 5x5 patches, search distance 6; h: strength, sigma: noise level to allow for, in image units."""
    return denoise_nl_means(
        image, patch_size=5, patch_distance=6, h=h, sigma=sigma, fast_mode=True, channel_axis=channel_axis(image)
    )


def wavelet(image: np.ndarray, sigma: float) -> np.ndarray:
    """Wavelet soft thresholding for a noise level sigma (BayesShrink), in image units."""
    return denoise_wavelet(
        image, sigma=sigma, method="BayesShrink", rescale_sigma=True, channel_axis=channel_axis(image)
    )


def total_variation(image: np.ndarray, weight: float) -> np.ndarray:
    """Chambolle's total-variation smoothing; a larger weight smooths more."""
    return denoise_tv_chambolle(image, weight=weight, channel_axis=channel_axis(image))


def channel_axis(image: np.ndarray) -> int | None:
    return -1 if image.ndim == 3 else None
