"""What an error is made of: a wrong colour, grain left in flat areas, detail lost in textured ones.

PSNR adds them up. By PSNR alone, a network that has learnt the right colours and no structure can be better than one
that keeps every hair and is a little too green.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dnlib.training import metrics

if TYPE_CHECKING:
    from torch import Tensor

TEXTURED = 5.0  # of 255; SSID's upper threshold, from which on it trusts the nearest pixels
WINDOW, BLOCK = 7, 64  # pixels, of the deviation and of the mean colour


class Parts(NamedTuple):
    """The three parts of a score.

    Parameters
    ----------
    flat, texture : float
        PSNR in dB over the pixels that are flat in the clean image, and over those that are textured, once each block's
        mean error is taken off; NaN where there are none.
    colour : float
        The root of the mean square of the blocks' mean errors, in 8-bit units.
    share : float
        Of the pixels that are textured.
    """

    flat: float
    texture: float
    colour: float
    share: float


def take_apart(estimate: "np.ndarray | Tensor", clean: "np.ndarray | Tensor", protocol: str = "float") -> Parts:
    """Take the error of an image apart into colour, flat areas and texture.

    e = estimate - clean is the sum of m, its mean over blocks of about 64x64 pixels, colour by colour, and of a rest r.
    The mean of e^2 is that of m^2 (colour) plus that of r^2, and this is the sum over flat and over textured pixels.
    A pixel is textured where the mean of the colours of 7x7 clean pixels deviates by 5 of 255 or more.

    Parameters
    ----------
    estimate, clean : array [H, W] or [H, W, C], or Tensor [1, C, H, W]
        Floats in [0, 1], of equal shapes.
    protocol : str
        A key of `PROTOCOLS`.

    Raises
    ------
    ValueError
        As `psnr`, and for more images than one.

    Examples
    --------
    >>> clean = np.full((64, 64, 3), 0.5)
    >>> take_apart(clean + [0.1, 0, 0], clean).colour  # 25.5 in one colour of three
    14.72...
    """
    pairs = list(metrics.prepared(estimate, clean, protocol))
    if len(pairs) > 1:
        raise ValueError(f"the error of one image is taken apart; {len(pairs)} were given")
    ((estimate, clean),) = pairs
    error = 255 * (estimate - clean)
    colour = _block_means(error)
    rest, textured = ((error - colour) ** 2).mean(axis=-1), 255 * _deviation(clean) >= TEXTURED
    return Parts(
        _decibels(rest[~textured]), _decibels(rest[textured]), float((colour**2).mean() ** 0.5), float(textured.mean())
    )


def _deviation(clean: np.ndarray) -> np.ndarray:
    """Around each pixel of [H, W, C], as SSID's alpha has it: [H, W]."""
    import torch

    from dnlib.methods import deviation

    return deviation(torch.tensor(clean).movedim(-1, 0)[None], WINDOW)[0, 0].numpy()


def _block_means(error: np.ndarray) -> np.ndarray:
    """[H, W, C]: in each pixel the mean of its block; blocks share the sides evenly."""
    means = error
    for axis in (0, 1):
        count = max(1, round(error.shape[axis] / BLOCK))
        blocks = np.array_split(means, count, axis=axis)
        means = np.concatenate([np.broadcast_to(b.mean(axis=axis, keepdims=True), b.shape) for b in blocks], axis=axis)
    return means


def _decibels(squares: np.ndarray) -> float:
    """PSNR of squared errors in 8-bit units; NaN of none."""
    if not squares.size:
        return math.nan  # one and the same, so that equal scores are equal
    with np.errstate(divide="ignore"):
        return float(10 * np.log10(255**2 / squares.mean()))
