"""How families of papers turn two images into a number."""

from dataclasses import dataclass
from typing import Literal

SSIM = Literal["uniform", "gaussian", "volume"]


@dataclass(frozen=True)
class Protocol:
    """How a family of papers turns two images into a number.

    Attributes
    ----------
    name : str
        A key of `PROTOCOLS`.
    used_by : str
        The papers.
    clip : bool
        Limit the estimate to [0, 1].
    quantise : bool
        Round estimate and reference to 8 bits first.
    ssim : {"uniform", "gaussian", "volume"}
        The SSIM that the papers print.
    draws : dict
        How often each image of a test set is repeated with new noise.

    Examples
    --------
    >>> PROTOCOLS["real_srgb"].ssim
    'volume'
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
