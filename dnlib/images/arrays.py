"""What an image is here: bundled photographs, arrays and tensors.

Classical filters work on NumPy arrays as scikit-image has them: [H, W] or [H, W, C].
Networks and noise models work on float32 tensors [N, C, H, W]. Values lie in [0, 1];
noisy values may leave that interval and are never clipped.
"""

from typing import TYPE_CHECKING

import numpy as np

from dnlib.images.checks import one_of

if TYPE_CHECKING:
    from torch import Tensor

PHOTOS = ("camera", "astronaut", "coffee", "chelsea", "brick", "grass", "gravel", "moon", "coins", "rocket")
"""Photographs inside scikit-image's wheel: available without a network."""

MORE_COLOUR = ("hubble_deep_field", "retina", "immunohistochemistry", "stereo_motorcycle")
"""The other photographs in colour in that wheel; the dataset `bundled` has none of them."""


def photo(name: str, *, gray: bool = False) -> np.ndarray:
    """A bundled photograph.

    Parameters
    ----------
    name
        One of `PHOTOS` or `MORE_COLOUR`.
    gray
        Turn a colour photograph into a gray one, by its luminance.

    Returns
    -------
    numpy.ndarray
        float32 in [0, 1]: [H, W], or [H, W, 3] for a colour one.

    Raises
    ------
    ValueError
        For a name that is in neither.

    Examples
    --------
    >>> photo("astronaut").shape, photo("astronaut", gray=True).shape
    ((512, 512, 3), (512, 512))
    """
    from skimage import color, data

    pixels = getattr(data, one_of(name, PHOTOS + MORE_COLOUR, "a bundled photograph"))()
    pixels = pixels[0] if isinstance(pixels, tuple) else pixels  # the left one of a stereo pair
    if gray and pixels.ndim == 3:
        return color.rgb2gray(pixels).astype(np.float32)
    return to_unit(pixels)


def to_unit(pixels: np.ndarray) -> np.ndarray:
    """Pixels as float32, integers scaled so that their type's largest value becomes 1.

    Parameters
    ----------
    pixels
        Of any shape. Integers of 8 or 16 bits are scaled, floats of any width are taken as they are.

    Returns
    -------
    numpy.ndarray
        float32, of the same shape.

    Raises
    ------
    ValueError
        For wider integers, whose largest value says nothing about the image's range, and for what is no real number.

    Examples
    --------
    >>> to_unit(np.array([0, 51, 255], np.uint8)).tolist()
    [0.0, 0.20000000298023224, 1.0]
    >>> to_unit(np.array([0, 51, 255]))
    Traceback (most recent call last):
    ValueError: the pixels are int64; convert to uint8 or uint16, or to floats in [0, 1]
    """
    pixels = np.asarray(pixels)
    if pixels.dtype.kind == "f":
        return pixels.astype(np.float32)
    if pixels.dtype.kind not in "iu" or pixels.dtype.itemsize > 2:
        raise ValueError(f"the pixels are {pixels.dtype}; convert to uint8 or uint16, or to floats in [0, 1]")
    return pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)


def to_tensor(image: np.ndarray) -> "Tensor":
    """An array as a tensor that networks and noise models take.

    Parameters
    ----------
    image
        [H, W] or [H, W, C]: floats in [0, 1], or integers, which `to_unit` scales.

    Returns
    -------
    torch.Tensor
        float32, [1, C, H, W].

    Raises
    ------
    ValueError
        For another shape, or a type that `to_unit` refuses.

    Examples
    --------
    >>> to_tensor(photo("chelsea")).shape
    torch.Size([1, 3, 300, 451])
    """
    import torch

    image = to_unit(image)
    if image.ndim not in (2, 3):
        raise ValueError(f"an image has shape [H, W] or [H, W, C]; this array has shape {list(image.shape)}")
    planes = image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(planes))[None]


def to_image(tensor: "Tensor") -> np.ndarray:
    """The inverse of `to_tensor`.

    Parameters
    ----------
    tensor
        [1, C, H, W], floats of any width, on any device, with or without gradients.

    Returns
    -------
    numpy.ndarray
        float32: [H, W] for one channel, else [H, W, C]. A copy.

    Raises
    ------
    ValueError
        For another shape, or for what are no floats.

    Examples
    --------
    >>> import torch
    >>> to_image(torch.zeros(1, 3, 4, 5, dtype=torch.bfloat16)).shape
    (4, 5, 3)
    """
    if tensor.ndim != 4 or tensor.shape[0] != 1 or not tensor.is_floating_point():
        raise ValueError(
            f"one image is a float tensor [1, C, H, W]; {tensor.dtype} of shape {list(tensor.shape)} was given"
        )
    planes = tensor[0].detach().float().cpu().numpy()
    return np.array(planes[0] if len(planes) == 1 else planes.transpose(1, 2, 0), order="C")


def middle(image: np.ndarray, side: int) -> np.ndarray:
    """The middle of an image.

    Parameters
    ----------
    image
        [H, W, ...], of any type.
    side
        How high and wide the result is at most, in pixels.

    Returns
    -------
    numpy.ndarray
        [min(H, side), min(W, side), ...], contiguous.

    Raises
    ------
    ValueError
        For a side below 1.

    Examples
    --------
    >>> middle(photo("chelsea"), 400).shape
    (300, 400, 3)
    """
    if side < 1:
        raise ValueError(f"a middle is at least 1 pixel high and wide; {side} was given")
    height, width = image.shape[:2]
    h, w = min(side, height), min(side, width)
    top, left = (height - h) // 2, (width - w) // 2
    return np.ascontiguousarray(image[top : top + h, left : left + w])
