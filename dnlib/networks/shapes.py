"""What every network does around its layers: check its input, make any size fit, say how far it sees."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def check(image: Tensor, channels: int) -> None:
    """Raises ValueError unless `image` is a float tensor [N, channels, H, W] with at least one pixel."""
    if image.ndim != 4 or not image.is_floating_point() or 0 in image.shape:
        raise ValueError(
            f"networks take float tensors [N, C, H, W]; {image.dtype} of shape {list(image.shape)} was given"
        )
    if image.shape[1] != channels:
        kinds = {1: "gray images (1 channel)", 3: "colour images (3 channels)", 4: "packed raw frames (4 channels)"}
        raise ValueError(
            f"this network was made for {kinds.get(channels, f'{channels} channels')}; "
            f"an image with {image.shape[1]} was given"
        )


def check_channels(channels: int) -> int:
    """The number itself. Raises ValueError unless it is a whole one >= 1."""
    if not isinstance(channels, int) or isinstance(channels, bool) or channels < 1:
        raise ValueError(
            f"a network is made for 1 channel (gray), 3 (colour), 4 (packed raw frames) or any other number >= 1; "
            f"{channels!r} was given"
        )
    return channels


def chain_reach(chain: nn.Module) -> int:
    """How many pixels a chain of convolutions sees on each side."""
    layers = (layer for layer in chain.modules() if isinstance(layer, nn.Conv2d))
    return sum(layer.dilation[0] * (layer.kernel_size[0] // 2) for layer in layers)


def pyramid_reach(looks: Sequence[int]) -> int:
    """How many pixels a U-Net sees on each side, if it looks `looks[level]` pixels of each level to each side."""
    return sum(look * 2**level for level, look in enumerate(looks)) + 2 ** (len(looks) - 1) - 1


def fill_up(image: Tensor, multiple: int) -> Tensor:
    """Extend [N, C, H, W] at bottom and right to the next multiple, mirroring as often as it takes."""
    for axis in (2, 3):
        size = image.shape[axis]
        if size % multiple:
            image = _extended(image, axis, 0, -(-size // multiple) * multiple)
    return image


def mirror(image: Tensor, border: int) -> Tensor:
    """Extend [N, C, H, W] by `border` pixels on all sides, mirroring as often as it takes.

    Examples
    --------
    >>> mirror(torch.arange(3.0)[None, None, None], 2)[0, 0, 0]
    tensor([2., 1., 0., 1., 2., 1., 0.])
    """
    for axis in (2, 3):
        image = _extended(image, axis, -border, image.shape[axis] + border)
    return image


def _extended(image: Tensor, axis: int, start: int, stop: int) -> Tensor:
    """Rows (axis 2) or columns (3) from start to stop, mirrored beyond the image: ... 1, 0, 1, ..., n - 1, n - 2 ..."""
    size = image.shape[axis]
    period = max(1, 2 * (size - 1))
    index = torch.arange(start, stop, device=image.device) % period
    return image.index_select(axis, torch.minimum(index, period - index))
