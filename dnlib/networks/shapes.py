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
        kinds = {1: "gray images (1 channel)", 3: "colour images (3 channels)"}
        raise ValueError(
            f"this network was made for {kinds.get(channels, f'{channels} channels')}; "
            f"an image with {image.shape[1]} was given"
        )


def check_channels(channels: int) -> int:
    """Raises ValueError unless `channels` is 1 (gray) or 3 (colour)."""
    if channels not in (1, 3):
        raise ValueError(f"a network is made for 1 channel (gray) or 3 (colour); {channels} was given")
    return channels


def fill_up(image: Tensor, multiple: int) -> Tensor:
    """Extend [N, C, H, W] at bottom and right to the next multiple, mirroring as often as it takes."""
    for axis in (2, 3):
        size = image.shape[axis]
        if size % multiple:
            image = image.index_select(axis, _mirrored(size, -(-size // multiple) * multiple, image.device))
    return image


def _mirrored(size: int, length: int, device: torch.device) -> Tensor:
    """0, 1, ..., size - 1, size - 2, ..., 1, 0, 1, ...: `length` indices that stay inside."""
    period = max(1, 2 * (size - 1))
    index = torch.arange(length, device=device) % period
    return torch.minimum(index, period - index)
