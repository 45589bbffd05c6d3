"""PSNR and SSIM, in the evaluation protocols of the papers, kept apart by name.

Images are float arrays [H, W] or [H, W, C], or float tensors [N, C, H, W], in [0, 1].
The difference between protocols is up to 0.5 dB in PSNR and 0.05 in SSIM for the *same* images,
which is more than most papers gain over the one before. Never compare rows from two protocols.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter1d
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from dnlib.images import one_of
from dnlib.training.protocols import PROTOCOLS, SSIM, Protocol

FAR = 8  # floats beyond are not in [0, 1]

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Score:
    """PSNR in dB and SSIM, with the names without which neither means anything.

    Examples
    --------
    >>> print(Score(29.12, 0.834, "float", "uniform"))
    29.12 dB, SSIM 0.834 (uniform), protocol float
    """

    psnr: float
    ssim: float
    protocol: str
    ssim_variant: SSIM

    def __str__(self) -> str:
        return f"{self.psnr:.2f} dB, SSIM {self.ssim:.3f} ({self.ssim_variant}), protocol {self.protocol}"


def score(estimate: "np.ndarray | Tensor", clean: "np.ndarray | Tensor", protocol: str = "float") -> Score:
    """Mean PSNR and SSIM over the images given, the SSIM that the protocol's papers print.

    Parameters
    ----------
    estimate, clean : array [H, W] or [H, W, C], or Tensor [N, C, H, W]
        Floats in [0, 1], of equal shapes.
    protocol : str
        A key of `PROTOCOLS`.

    Raises
    ------
    ValueError
        As `psnr` and `ssim`.

    Examples
    --------
    >>> print(score(np.full((8, 8), 0.6), np.full((8, 8), 0.5), "clamped"))
    20.00 dB, SSIM 0.984 (uniform), protocol clamped
    """
    variant = rule(protocol).ssim
    return Score(psnr(estimate, clean, protocol), ssim(estimate, clean, variant, protocol), protocol, variant)


def psnr(estimate: "np.ndarray | Tensor", clean: "np.ndarray | Tensor", protocol: str = "float") -> float:
    """Peak signal-to-noise ratio, 10 log10(1 / MSE) in dB for peak 1; the mean over images.

    Parameters
    ----------
    estimate, clean : array [H, W] or [H, W, C], or Tensor [N, C, H, W]
        Floats in [0, 1], of equal shapes.
    protocol : str
        A key of `PROTOCOLS`.

    Returns
    -------
    float
        Infinity for identical images.

    Raises
    ------
    ValueError
        For unequal or other shapes, for what is not floating point, for clean images far beyond [0, 1], for an unknown
        protocol.

    Examples
    --------
    >>> round(psnr(np.full((8, 8, 3), 0.6), np.full((8, 8, 3), 0.5)), 6)
    20.0
    """
    with np.errstate(divide="ignore"):
        pairs = prepared(estimate, clean, protocol)
        return float(np.mean([peak_signal_noise_ratio(c, e, data_range=1) for e, c in pairs]))


def ssim(
    estimate: "np.ndarray | Tensor",
    clean: "np.ndarray | Tensor",
    variant: SSIM = "uniform",
    protocol: str = "float",
) -> float:
    """Structural similarity; the mean over images. Three variants circulate under one name.

    Parameters
    ----------
    estimate, clean : array [H, W] or [H, W, C], or Tensor [N, C, H, W]
        Floats in [0, 1], of equal shapes, at least 7 pixels high and wide, for "gaussian" 11.
    variant : {"uniform", "gaussian", "volume"}
        "uniform" is the default of `skimage.metrics.structural_similarity`: a 7x7 box window per channel, sample
        covariance. "gaussian" is that of Wang et al.: a Gaussian window of sigma 1.5 per channel. "volume" is MATLAB's
        `ssim` given a colour image: it takes [H, W, 3] for a volume and smooths across the channels, too, and reads
        higher. Tables on SIDD and DND print such values; that their server computes exactly this is likely and not
        confirmed.
    protocol : str
        A key of `PROTOCOLS`: how the images are limited and rounded first.

    Raises
    ------
    ValueError
        As `psnr`, and for an unknown variant and images smaller than its window.

    References
    ----------
    Wang, Bovik, Sheikh, Simoncelli 2004, Image quality assessment, equation 13.

    Examples
    --------
    >>> image = np.random.default_rng(0).random((16, 16, 3))
    >>> ssim(image, image, "volume")
    1.0
    """
    compare, side = _VARIANTS[one_of(variant, _VARIANTS, "the SSIM variant")]
    pairs = list(prepared(estimate, clean, protocol))
    height, width = pairs[0][0].shape[:2]
    if min(height, width) < side:
        raise ValueError(f"SSIM {variant} takes images of {side}x{side} pixels or more; {height}x{width} were given")
    return float(np.mean([compare(c, e) for e, c in pairs]))


def quantise(image: np.ndarray) -> np.ndarray:
    """Round to 8 bits as the papers do: floor(255 x + 1/2), limited to [0, 255], still in units of [0, 1].

    Parameters
    ----------
    image : array
        Floats, of any shape.

    Raises
    ------
    ValueError
        For what is not floating point.

    Examples
    --------
    >>> quantise(np.array([-1, 0.5 / 255, 1.49 / 255, 2])) * 255
    array([  0.,   1.,   1., 255.])
    """
    return np.floor(np.clip(_floats(image), 0, 1) * 255 + 0.5) / 255


def _ssim_volume(clean: np.ndarray, estimate: np.ndarray) -> float:
    """With an 11x11x11 Gaussian window and repeated borders."""

    def smooth(volume: np.ndarray) -> np.ndarray:
        for axis in range(3 if volume.shape[2] > 1 else 2):
            volume = gaussian_filter1d(volume, 1.5, axis=axis, mode="nearest", radius=5)
        return volume

    mean_e, mean_c = smooth(estimate), smooth(clean)
    var_e, var_c = smooth(estimate**2) - mean_e**2, smooth(clean**2) - mean_c**2
    cov = smooth(estimate * clean) - mean_e * mean_c
    c1, c2 = 0.01**2, 0.03**2
    similarity = (2 * mean_e * mean_c + c1) * (2 * cov + c2)
    return float((similarity / ((mean_e**2 + mean_c**2 + c1) * (var_e + var_c + c2))).mean())


_ssim_uniform = partial(structural_similarity, data_range=1, channel_axis=-1)
_ssim_gaussian = partial(_ssim_uniform, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
_VARIANTS = {"uniform": (_ssim_uniform, 7), "gaussian": (_ssim_gaussian, 11), "volume": (_ssim_volume, 1)}
"""The function of each, and the smallest side that it takes."""


def rule(protocol: str) -> Protocol:
    """The protocol of that name. Raises ValueError for an unknown one."""
    return PROTOCOLS[one_of(protocol, PROTOCOLS, "the protocol")]


def prepared(
    estimate: "np.ndarray | Tensor", clean: "np.ndarray | Tensor", protocol: str
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Image by image as float64 [H, W, C], limited and rounded as the protocol says.

    Raises ValueError as `psnr` does.
    """
    kind = rule(protocol)
    if tuple(estimate.shape) != tuple(clean.shape):
        raise ValueError(f"estimate and clean image differ in shape: {list(estimate.shape)} and {list(clean.shape)}")
    for e, c in zip(_images(estimate), _images(clean), strict=True):
        if (brightest := float(c.max())) > FAR:
            raise ValueError(f"clean images lie in [0, 1]; one holds {brightest:.4g}: divide by the range in use")
        if kind.quantise:
            yield quantise(e), quantise(c)
        else:
            yield (np.clip(e, 0, 1) if kind.clip else e), c


def _images(stack) -> np.ndarray:
    """All images as float64 [N, H, W, C]."""
    is_array, shape = isinstance(stack, np.ndarray), list(stack.shape)
    if len(shape) not in ((2, 3) if is_array else (4,)) or 0 in shape:
        raise ValueError(
            f"images are float arrays [H, W] or [H, W, C] or tensors [N, C, H, W] in [0, 1], of one pixel or more; "
            f"{'an array' if is_array else 'a tensor'} {shape} was given"
        )
    if not is_array:
        return np.moveaxis(_floats(stack), 1, -1)
    return _floats(stack).reshape(1, *shape[:2], -1)


def _floats(image) -> np.ndarray:
    """An array or tensor in float64."""
    is_array = isinstance(image, np.ndarray)
    if not (np.issubdtype(image.dtype, np.floating) if is_array else image.is_floating_point()):
        raise ValueError(f"images are floats in [0, 1]; {image.dtype} was given: `to_unit` scales integers")
    return image.astype(float) if is_array else image.detach().cpu().double().numpy()
