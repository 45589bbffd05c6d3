"""What every network does around its layers: check its input, and make any size fit."""

import torch
from torch import Tensor


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
    """Raises ValueError unless `channels` is 1 (gray), 3 (colour) or 4 (a packed raw frame)."""
    if channels not in (1, 3, 4):
        raise ValueError(
            f"a network is made for 1 channel (gray), 3 (colour) or 4 (packed raw frames); {channels} was given"
        )
    return channels


def fill_up(image: Tensor, multiple: int) -> Tensor:
    """Extend [N, C, H, W] at bottom and right to the next multiple, mirroring as often as it takes."""
    for axis in (2, 3):
        size = image.shape[axis]
        if size % multiple:
            image = _extended(image, axis, 0, -(-size // multiple) * multiple)
    return image


def mirror(image: Tensor, border: int) -> Tensor:
    """Extend [N, C, H, W] by `border` pixels on all sides, mirroring as often as it takes."""
    for axis in (2, 3):
        image = _extended(image, axis, -border, image.shape[axis] + border)
    return image


def _extended(image: Tensor, axis: int, start: int, stop: int) -> Tensor:
    """The rows (axis 2) or columns (3) from start to stop, of which 0 to n - 1 are there, n - 2 follows, 1 precedes."""
    size = image.shape[axis]
    period = max(1, 2 * (size - 1))
    index = torch.arange(start, stop, device=image.device) % period
    return image.index_select(axis, torch.minimum(index, period - index))
