"""What an image is here: bundled photographs, arrays, tensors, and pictures as files hold them.

Classical filters work on NumPy arrays as scikit-image has them: [H, W] or [H, W, C].
Networks and noise models work on float32 tensors [N, C, H, W]. Values lie in [0, 1];
noisy values may leave that interval and are never clipped.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
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


def by_tiles(
    function: Callable[["Tensor"], tuple["Tensor", ...]], image: "Tensor", *, side: int = 512, margin: int = 64
) -> tuple["Tensor", ...]:
    """What `function` answers for [N, C, H, W], worked out tile by tile, so that memory stays bounded.

    function: gives images of its argument's height and width. It sees `margin` more pixels on each side of a tile of
    side x side than are kept; both are multiples of 32, so that poolings fall as in the whole image.
    """
    height, width = image.shape[2:]
    if max(height, width) <= side + 2 * margin:
        return function(image)
    parts = None
    for top in range(0, height, side):
        for left in range(0, width, side):
            above, before = min(top, margin), min(left, margin)
            answers = function(image[:, :, top - above : top + side + margin, left - before : left + side + margin])
            if parts is None:
                parts = tuple(answer.new_empty((*answer.shape[:2], height, width)) for answer in answers)
            for part, answer in zip(parts, answers, strict=True):
                kept = answer[:, :, above : above + side, before : before + side]
                part[:, :, top : top + side, left : left + side] = kept
    return parts


@dataclass(frozen=True)
class Picture:
    """An image in memory: its pixels as stored, and what must survive a round trip through a file.

    pixels: [..., H, W] or [..., H, W, C] with C in 1..4; leading axes are a stack.
    channels: whether the last axis holds colours (C = 2 and 4: the last one is alpha).
    """

    pixels: np.ndarray
    channels: bool
    icc_profile: bytes | None = None

    @classmethod
    def of(cls, pixels: np.ndarray, channels: bool | None = None) -> "Picture":
        """Wrap an array; `channels=None` takes a last axis of 1 to 4 entries for colours.

        Raises ValueError for anything that cannot be denoised: fewer than two dimensions,
        emptiness, NaN, infinities, types that are not real numbers, images under 8x8.
        """
        pixels = np.asarray(pixels)
        pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
        shape = list(pixels.shape)
        if pixels.dtype == bool or not (
            np.issubdtype(pixels.dtype, np.integer) or np.issubdtype(pixels.dtype, np.floating)
        ):
            raise ValueError(
                f"the image has type {pixels.dtype}; integers and real floating-point numbers are accepted"
            )
        if channels is None:
            channels = pixels.ndim >= 3 and pixels.shape[-1] <= 4
        if pixels.ndim < 2 + channels or (channels and not 1 <= shape[-1] <= 4):
            raise ValueError(
                f"the image has shape {shape}; [H, W], [H, W, C] with C from 1 to 4, and stacks of these are accepted"
            )
        height, width = shape[-3:-1] if channels else shape[-2:]
        if pixels.size == 0 or height < 8 or width < 8:
            raise ValueError(f"the image has shape {shape}; at least 8x8 pixels are needed")
        if not np.isfinite(pixels).all():
            bad = np.size(pixels) - np.count_nonzero(np.isfinite(pixels))
            raise ValueError(f"the image holds {bad} NaN or infinite values; replace them before denoising")
        return cls(pixels, bool(channels))

    @property
    def colours(self) -> np.ndarray:
        """The pixels without alpha, always with a channel axis: [..., H, W, 1 or 3]."""
        if not self.channels:
            return self.pixels[..., None]
        return self.pixels[..., : self.pixels.shape[-1] - self.has_alpha]

    @property
    def first(self) -> np.ndarray:
        """The first frame without alpha: [H, W] or [H, W, 3], of the pixels' type and units."""
        frame = self.colours.reshape(-1, *self.colours.shape[-3:])[0]
        return frame[..., 0] if frame.shape[-1] == 1 else frame

    @property
    def view(self) -> np.ndarray:
        """The same as floats."""
        return self.first.astype(float)

    @property
    def has_alpha(self) -> bool:
        return self.channels and self.pixels.shape[-1] in (2, 4)

    @property
    def is_stack(self) -> bool:
        return self.pixels.ndim > 2 + self.channels

    def with_colours(self, colours: np.ndarray) -> "Picture":
        """The same picture with new colours; alpha, layout and profile are kept."""
        if not self.channels:
            return replace(self, pixels=colours[..., 0])
        if self.has_alpha:
            colours = np.concatenate([colours, self.pixels[..., -1:]], axis=-1)
        return replace(self, pixels=colours)
