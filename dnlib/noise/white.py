"""White noise told from the picture, and measured, by the directions in which the picture does not vary.

A colour patch of 5x5 pixels is a point in 75 dimensions. A picture fills only a few of them, for neighbours and colours
go together; white noise fills all alike. So the smallest principal components of an image's patches are noise alone,
and if the noise is white they are all equal: their mean is its variance (Chen, Zhu, Heng, An Efficient Statistical
Method for Image Noise Level Estimation, ICCV 2015).

A gray patch has fewer dimensions, and texture alone may leave its last few equal: larger patches are taken, and more of
their components have to be.
"""

from dataclasses import replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from dnlib.noise.one_image import NoiseEstimate

SIDE, FEW = 5, 1 / 8  # pixels to a side of a patch; share of its components that are noise alone, at least
WHOLE = {1: (8, 0.4), 3: (SIDE, FEW)}  # both, by colours, for whole images; in gray grass a third of them are equal
CHUNK = 4_000  # patches held in memory at a time
EQUAL = 0.7  # the smallest component is at least this share of the mean of those taken for noise
WEAKEST = 0.25  # share of what was estimated: white noise that is weaker is only rounding below other noise
WEAKER = 0.95  # of the estimate, below which it holds more than white noise


def exact_if_white(image: np.ndarray, inside: np.ndarray, found: NoiseEstimate) -> NoiseEstimate:
    """What was estimated, without the texture that it took for noise if the noise is white.

    White noise is looked for in the whole of a gray or colour image and, where there is texture, in the pure patches.
    In a gray image without texture it counts only if it is weaker than the estimate, which then took fine stripes for
    noise, such as those of cloth; single stars in a smooth sky look like white noise as well, but are stronger. White
    noise that is far weaker than the estimate is rounding to whole numbers, below other noise.
    """
    colours, estimated, shares = image.shape[2], found.variance.mean(), []
    whole = white_variance(image, inside, *WHOLE[colours]) if colours in WHOLE else None
    if whole and (found.textured or colours > 1 or whole <= WEAKER * estimated):
        shares.append(whole / estimated)
    if found.textured and (pure := white_variance(image, inside & found.pure)):
        shares.append(pure / found.pure_variance)
    share = min(shares, default=0.0)
    if share <= WEAKEST:
        return found
    alone = np.zeros_like(found.map)
    alone[len(alone) // 2, len(alone) // 2] = 1
    return replace(found, variance=share * found.variance, map=alone, colours=np.eye(colours))


def white_variance(image: np.ndarray, inside: np.ndarray, side: int = SIDE, least: float = FEW) -> float | None:
    """The noise variance of an image [H, W, C] if its noise is white, in all channels alike; else None.

    Noise are the smallest components, as many as are spread symmetrically, so that their mean does not exceed their
    median: equal components scatter by chance alone, and so to both sides.
    inside: [H, W], False where pixels do not count. side: of a patch. least: share of its components that are noise.
    """
    covariance = _patch_covariance(image, inside, side)
    if covariance is None:
        return None
    powers = np.linalg.eigvalsh(covariance)
    count = next(n for n in range(len(powers), 0, -1) if powers[:n].mean() <= np.median(powers[:n]) or n == 1)
    variance = powers[:count].mean()
    alike = count >= least * len(powers) and powers[0] > EQUAL * variance
    return float(variance) if alike else None


def _patch_covariance(image: np.ndarray, inside: np.ndarray, side: int) -> np.ndarray | None:
    """Covariance of every second patch; None where there are too few. Summed up in chunks of patches."""
    usable = sliding_window_view(inside, (side, side))[::2, ::2].all(axis=(2, 3))
    patches = sliding_window_view(image, (side, side), axis=(0, 1))[::2, ::2]
    size, count = image.shape[2] * side**2, int(usable.sum())
    if count < 50 * size:
        return None
    middle = image.mean(axis=(0, 1), dtype=float)  # near the patches' mean, so that no digits cancel
    sums, products = np.zeros(size), np.zeros((size, size))
    rows = max(1, CHUNK // usable.shape[1])
    for top in range(0, len(usable), rows):
        chosen = patches[top : top + rows][usable[top : top + rows]]
        flat = (chosen - middle[:, None, None]).reshape(-1, size)
        sums += flat.sum(axis=0)
        products += flat.T @ flat
    return (products - np.outer(sums, sums) / count) / (count - 1)
