"""SSID's alpha: which of two teachers leads at a pixel, by how flat the first one's answer is around it."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from dnlib.networks import mirror

THRESHOLDS = 1.0, 5.0  # of the local deviation, in 8-bit units
WINDOW = 7  # pixels to a side of the squares that are flat or not
FLATTEST = 0.1  # the share of the pixels by which grain is told


def alpha(estimate: Tensor, thresholds: tuple[float, float] = THRESHOLDS) -> Tensor:
    """How much of LAN the U-Net learns, [N, 1, H, W], from the deviation s around each pixel of a BNN's estimate.

    s is the standard deviation of 7x7 pixels of the mean of the channels, the image mirrored at its borders; alpha is
    sigmoid(s - low) below the low threshold, 1/2 between the two, sigmoid(s - high) above: from 0.27 in perfectly flat
    areas (thresholds 1 and 5) towards 1 at edges.

    Parameters
    ----------
    estimate : Tensor [N, C, H, W]
        In [0, 1].
    thresholds : (float, float)
        Low and high, in 8-bit units.

    Raises
    ------
    ValueError
        For thresholds in the wrong order or unit.

    Examples
    --------
    >>> alpha(torch.full((1, 3, 9, 9), 0.5))[0, 0, 4, 4]
    tensor(0.2689)
    """
    low, high = check_thresholds(thresholds)
    spread = 255 * deviation(estimate, WINDOW)
    return torch.sigmoid((spread - low).clamp(max=0) + (spread - high).clamp(min=0))


def deviation(image: Tensor, window: int) -> Tensor:
    """The standard deviation around each pixel, of the mean of the channels: [N, 1, H, W].

    Parameters
    ----------
    image : Tensor [N, C, H, W]
        In any unit, which is the answer's, too.
    window : int
        Side of the square of pixels, odd; beyond the border the image is mirrored.

    Raises
    ------
    ValueError
        For a window without a middle.

    Examples
    --------
    >>> deviation(torch.full((1, 3, 9, 9), 0.5), 7).max()
    tensor(0.)
    """
    if window < 1 or window % 2 == 0:
        raise ValueError(f"a window has an odd number of pixels to a side; {window} was given")
    gray = mirror(image.double().mean(dim=1, keepdim=True), window // 2)  # float32 would leave 0.1 / 255 of flat areas
    mean, square = (_box(x, window) for x in (gray, gray**2))
    return (square - mean**2).clamp(min=0).sqrt().to(image.dtype)


def _box(x: Tensor, window: int) -> Tensor:
    """Means over window x window pixels, rows first: [N, 1, H - window + 1, W - window + 1]."""
    return functional.avg_pool2d(functional.avg_pool2d(x, (window, 1), stride=1), (1, window), stride=1)


def check_thresholds(thresholds: tuple[float, float]) -> tuple[float, float]:
    """Raises ValueError for thresholds in the wrong order, or in a unit other than that of 8-bit images."""
    low, high = thresholds
    if not 0 <= low <= high:
        raise ValueError(f"thresholds are 0 <= low <= high, in 8-bit units, 1 and 5 as published; {low}, {high} given")
    if not 1 <= high <= 127.5:  # the largest deviation there is
        raise ValueError(
            f"thresholds are deviations in 8-bit units, 1 and 5 as published, the high one in [1, 127.5]; {low}, "
            f"{high} were given: multiply by 255 what was measured in [0, 1]"
        )
    return low, high


def grain(estimate: Tensor) -> float:
    """How much a blind network's answer fluctuates where it is flattest, in 8-bit units.

    The deviation that a tenth of the pixels lie below. As long as that is above alpha's low threshold, alpha is 1/2 or
    more everywhere: the blind network leads nowhere, and has to learn on.

    Parameters
    ----------
    estimate : Tensor [N, C, H, W]
        In [0, 1].

    Examples
    --------
    >>> grain(torch.full((1, 3, 9, 9), 0.5))
    0.0
    """
    return 255 * float(np.quantile(deviation(estimate, WINDOW).cpu().numpy(), FLATTEST))  # torch's takes 16 million


def led_by(estimate: Tensor, thresholds: tuple[float, float] = THRESHOLDS) -> dict[str, float]:
    """The shares of the pixels at which alpha lets the blind network lead, neither, or the locally aware one.

    Parameters
    ----------
    estimate : Tensor [N, C, H, W]
        The blind network's, in [0, 1].
    thresholds : (low, high)
        Of `alpha`, in 8-bit units.

    Raises
    ------
    ValueError
        As `alpha`.

    Examples
    --------
    >>> led_by(torch.full((1, 3, 9, 9), 0.5))
    {'BNN': 1.0, 'neither': 0.0, 'LAN': 0.0}
    """
    share = alpha(estimate, thresholds)
    return {
        "BNN": float((share < 0.5).float().mean()),
        "neither": float((share == 0.5).float().mean()),
        "LAN": float((share > 0.5).float().mean()),
    }
