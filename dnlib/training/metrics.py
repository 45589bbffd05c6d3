"""PSNR and SSIM, in the evaluation protocols of the papers, kept apart by name.

Images are arrays [H, W] or [H, W, C], or tensors [N, C, H, W], in [0, 1].
The difference between protocols is up to 0.5 dB in PSNR and 0.05 in SSIM for the *same* images,
which is more than most papers gain over the one before. Never compare rows from two protocols.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.ndimage import gaussian_filter1d
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

if TYPE_CHECKING:
    from torch import Tensor

SSIM = Literal["uniform", "gaussian", "volume"]


@dataclass(frozen=True)
class Protocol:
    """How a family of papers turns two images into a number.

    clip: limit the estimate to [0, 1].  quantise: round estimate and reference to 8 bits first.
    ssim: which SSIM the papers print.  draws: how often each test image is repeated with new noise.
    """

    name: str
    used_by: str
    clip: bool
    quantise: bool
    ssim: SSIM
    draws: dict[str, int]


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "synthetic_rgb",
            "Noise2Noise, Laine et al., Neighbor2Neighbor, Blind2Unblind",
            clip=True,
            quantise=True,
            ssim="uniform",
            draws={"kodak24": 10, "bsds500": 3, "set14": 20},
        ),
        Protocol(
            "real_srgb",
            "AP-BSN, LG-BPN, SSID and what follows them on SIDD and DND",
            clip=True,
            quantise=True,
            ssim="volume",
            draws={"sidd_validation": 1},
        ),
        Protocol(
            "float",
            "Noise2Void, N2V2, Noise2Self (whose table 2 first fits mean and variance to the truth)",
            clip=False,
            quantise=False,
            ssim="uniform",
            draws={"bsd68_gray": 1},
        ),
        Protocol(
            "clamped",
            "Patch-Craft (PCST): clamped to [0, 1], not rounded",
            clip=True,
            quantise=False,
            ssim="uniform",
            draws={"davis480p": 1},
        ),
    )
}


@dataclass(frozen=True)
class Score:
    """PSNR in dB and SSIM, with the names without which neither means anything."""

    psnr: float
    ssim: float
    protocol: str
    ssim_variant: SSIM

    def __str__(self) -> str:
        return f"{self.psnr:.2f} dB, SSIM {self.ssim:.3f} ({self.ssim_variant}), protocol {self.protocol}"


def score(estimate: "np.ndarray | Tensor", clean: "np.ndarray | Tensor", protocol: str = "float") -> Score:
    """Mean PSNR and SSIM over the images given, in a named protocol."""
    rule = _rule(protocol)
    return Score(psnr(estimate, clean, protocol), ssim(estimate, clean, rule.ssim, protocol), protocol, rule.ssim)


def psnr(estimate: "np.ndarray | Tensor", clean: "np.ndarray | Tensor", protocol: str = "float") -> float:
    """Peak signal-to-noise ratio, 10 log10(1 / MSE) in dB for peak 1; the mean over images.

    Identical images give infinity. Raises ValueError for unequal shapes or an unknown protocol.
    """
    rule = _rule(protocol)
    with np.errstate(divide="ignore"):
        values = [peak_signal_noise_ratio(c, e, data_range=1) for e, c in _pairs(estimate, clean, rule)]
    return float(np.mean(values))


def ssim(
    estimate: "np.ndarray | Tensor",
    clean: "np.ndarray | Tensor",
    variant: SSIM = "uniform",
    protocol: str = "float",
) -> float:
    """Structural similarity; the mean over images. Three variants circulate under one name:

    uniform   scikit-image's default: 7x7 box window per channel, sample covariance
    gaussian  Wang et al. 2004: Gaussian window of sigma 1.5 per channel
    volume    MATLAB's `ssim` given a colour image: it takes [H, W, 3] for a volume and smooths
              across the channels too, and reads higher. Tables on SIDD and DND print such values;
              that their server computes exactly this is likely and not confirmed.
    """
    compare = {"uniform": _ssim_uniform, "gaussian": _ssim_gaussian, "volume": _ssim_volume}.get(variant)
    if compare is None:
        raise ValueError(f"there is no SSIM variant {variant!r}; there are: uniform, gaussian, volume")
    return float(np.mean([compare(e, c) for e, c in _pairs(estimate, clean, _rule(protocol))]))


def quantise(image: np.ndarray) -> np.ndarray:
    """Round to 8 bits as the papers do: floor(255 x + 1/2), limited to [0, 255]. Still in units of [0, 1]."""
    return np.floor(np.clip(image, 0, 1) * 255 + 0.5) / 255


def _ssim_uniform(estimate: np.ndarray, clean: np.ndarray) -> float:
    return structural_similarity(clean, estimate, data_range=1, channel_axis=-1)


def _ssim_gaussian(estimate: np.ndarray, clean: np.ndarray) -> float:
    return structural_similarity(
        clean,
        estimate,
        data_range=1,
        channel_axis=-1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )


def _ssim_volume(estimate: np.ndarray, clean: np.ndarray) -> float:
    """Wang et al., equation 13, with an 11x11x11 Gaussian window and repeated borders."""

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


def _rule(protocol: str) -> Protocol:
    if protocol not in PROTOCOLS:
        raise ValueError(f"there is no protocol {protocol!r}; there are: {', '.join(PROTOCOLS)}")
    return PROTOCOLS[protocol]


def _pairs(estimate, clean, rule: Protocol) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Image by image as float64 [H, W, C], prepared as the protocol says."""
    if tuple(estimate.shape) != tuple(clean.shape):
        raise ValueError(f"estimate and clean image differ in shape: {list(estimate.shape)} and {list(clean.shape)}")
    for e, c in zip(_images(estimate), _images(clean), strict=True):
        if rule.quantise:
            yield quantise(e), quantise(c)
        else:
            yield (np.clip(e, 0, 1) if rule.clip else e), c


def _images(stack) -> np.ndarray:
    if not isinstance(stack, np.ndarray):  # a tensor [N, C, H, W]
        return np.moveaxis(stack.detach().cpu().double().numpy(), 1, -1)
    if np.issubdtype(stack.dtype, np.integer) or stack.ndim not in (2, 3):
        raise ValueError(
            f"images are floats [H, W] or [H, W, C] in [0, 1]; {stack.dtype} {list(stack.shape)} was given"
        )
    return stack[None, ..., None].astype(float) if stack.ndim == 2 else stack[None].astype(float)
