"""What an image is here: bundled photographs, arrays and tensors.

Classical filters work on NumPy arrays as scikit-image has them: [H, W] or [H, W, C].
Networks and noise models work on float32 tensors [N, C, H, W]. Values lie in [0, 1];
noisy values may leave that interval and are never clipped.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

PHOTOS = ("camera", "astronaut", "coffee", "chelsea", "brick", "grass", "gravel", "moon", "coins", "rocket")
"""Photographs inside scikit-image's wheel: available without a network."""


def photo(name: str, *, gray: bool = False) -> np.ndarray:
    """A bundled photograph as float32 in [0, 1]: [H, W], or [H, W, 3] for a colour one.

    Raises ValueError for a name that is not in PHOTOS.
    """
    from skimage import color, data

    if name not in PHOTOS:
        raise ValueError(f"no bundled photograph is called {name!r}; there are: {', '.join(PHOTOS)}")
    pixels = getattr(data, name)()
    if gray and pixels.ndim == 3:
        return color.rgb2gray(pixels).astype(np.float32)
    return to_unit(pixels)


def to_unit(pixels: np.ndarray) -> np.ndarray:
    """Integers of any width to float32 in [0, 1]; floats are taken as they are."""
    pixels = np.asarray(pixels)
    scale = np.iinfo(pixels.dtype).max if np.issubdtype(pixels.dtype, np.integer) else 1
    return pixels.astype(np.float32) / np.float32(scale)


def to_tensor(image: np.ndarray) -> "Tensor":
    """[H, W] or [H, W, C] array to a float32 tensor [1, C, H, W]. Integers are scaled to [0, 1]."""
    import torch

    image = to_unit(image)
    if image.ndim not in (2, 3):
        raise ValueError(f"an image has shape [H, W] or [H, W, C]; this array has shape {list(image.shape)}")
    planes = image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(planes))[None]


def to_image(tensor: "Tensor") -> np.ndarray:
    """The inverse of `to_tensor`: [1, C, H, W] to a float32 array [H, W] (C = 1) or [H, W, C]."""
    if tensor.ndim != 4 or tensor.shape[0] != 1:
        raise ValueError(f"one image is a tensor [1, C, H, W]; this one has shape {list(tensor.shape)}")
    planes = tensor[0].detach().cpu().numpy()
    return planes[0].copy() if len(planes) == 1 else np.ascontiguousarray(planes.transpose(1, 2, 0))


def middle(image: np.ndarray, side: int) -> np.ndarray:
    """The middle of an image, at most `side` pixels high and wide."""
    height, width = image.shape[:2]
    h, w = min(side, height), min(side, width)
    top, left = (height - h) // 2, (width - w) // 2
    return np.ascontiguousarray(image[top : top + h, left : left + w])
