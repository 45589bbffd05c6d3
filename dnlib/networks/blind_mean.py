"""The blind mean: what a blind network says is added to the mean of the pixels right around its hole.

The mean is as blind as the network, and has the right colour before anything is learnt; what is left to learn is how a
pixel differs from its surroundings. It is learnt from how the pixels around differ from theirs: with `differences`, a
network is shown these directly, and need not find small differences between large numbers.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

START = 0.1  # of He et al.'s weights: with what the last layer begins that adds something to a mean


def ring_of(hole: Tensor) -> Tensor:
    """The offsets that touch a hole from outside, corners included: True in a square array, two pixels wider.

    hole: [k, k] of bool, True at the offsets that are not seen; k is odd.

    Examples
    --------
    >>> ring_of(torch.ones(1, 1, dtype=torch.bool)).int()
    tensor([[1, 1, 1],
            [1, 0, 1],
            [1, 1, 1]], dtype=torch.int32)
    """
    inside = functional.pad(hole, (1, 1, 1, 1))
    near = functional.max_pool2d(inside[None, None].float(), 3, stride=1, padding=1)[0, 0] > 0
    return near & ~inside


def blind_mean(image: Tensor, hole: Tensor) -> Tensor:
    """The mean of the pixels around the hole, channel by channel; beyond the image there are none.

    Parameters
    ----------
    image : Tensor [N, C, H, W]
        Of any range.
    hole : Tensor [k, k] of bool
        As a blind network states it.

    Returns
    -------
    Tensor [N, C, H, W]
        In the image's dtype.

    Raises
    ------
    ValueError
        For an image so small that around the hole of one of its pixels nothing is left to see.

    Examples
    --------
    >>> image = torch.tensor([[1.0, 2.0, 6.0]])[None, None]
    >>> blind_mean(image, torch.ones(1, 1, dtype=torch.bool))
    tensor([[[[2.0000, 3.5000, 2.0000]]]])
    """
    sums, seen = _sums(image, ring_of(hole))
    if max(image.shape[2:]) <= len(hole) and seen.min() < 1:  # in a larger one something is, and a GPU need not wait
        height, width = image.shape[2:]
        raise ValueError(
            f"around a hole of {len(hole)}x{len(hole)} pixels nothing is left to see in {height}x{width} pixels, so "
            f"there is no blind mean; give pictures or crops of {len(hole) + 1} pixels or more (with a pixel shuffle, "
            f"times its stride), make the hole smaller, or make the network with mean=False"
        )
    return sums / seen


def local_mean(image: Tensor, taps: Tensor) -> Tensor:
    """At each pixel the mean of those at the offsets `taps`, channel by channel; beyond the image are none.

    Parameters
    ----------
    image : Tensor [N, C, H, W]
        Of any range.
    taps : Tensor [k, k] of bool
        Where to look; k is odd, and the middle, the pixel itself, is among them.

    Examples
    --------
    >>> image = torch.tensor([[1.0, 2.0, 6.0]])[None, None]
    >>> local_mean(image, torch.ones(3, 3, dtype=torch.bool))
    tensor([[[[1.5000, 3.0000, 4.0000]]]])
    """
    sums, seen = _sums(image, taps)
    return sums / seen


def _sums(image: Tensor, taps: Tensor) -> tuple[Tensor, Tensor]:
    """Over the offsets, and how many of them lie within the image."""
    taps = taps.to(image, non_blocking=True)[None, None]
    border, channels = taps.shape[-1] // 2, image.shape[1]
    with torch.autocast(image.device.type, enabled=False):  # half precision would be off by a gray level
        sums = functional.conv2d(image, taps.expand(channels, -1, -1, -1), padding=border, groups=channels)
        return sums, functional.conv2d(torch.ones_like(image[:1, :1]), taps, padding=border)


def add_blind_mean(answer: Tensor, image: Tensor, hole: Tensor) -> Tensor:
    """A network's answer [N, outputs, H, W] with the blind mean added to its first channels, those of the image.

    Examples
    --------
    >>> answer, image = torch.zeros(1, 6, 8, 9), torch.ones(1, 3, 8, 9)
    >>> add_blind_mean(answer, image, torch.ones(3, 3, dtype=torch.bool)).mean(dim=(2, 3))
    tensor([[1., 1., 1., 0., 0., 0.]])
    """
    return add_mean(answer, blind_mean(image, hole))


def add_mean(answer: Tensor, mean: Tensor) -> Tensor:
    """A network's answer [N, outputs, H, W] with a mean [N, C, H, W] added to its first C channels."""
    colours, rest = answer.tensor_split([mean.shape[1]], dim=1)
    return torch.cat([colours + mean, rest.to(mean.dtype)], dim=1)


def start_at_the_mean(last: nn.Conv2d, channels: int) -> None:
    """Let a network's last layer begin with small weights for the channels that a mean is added to.

    Its other channels begin as always.

    Raises ValueError if it answers with fewer channels than the image has.

    Examples
    --------
    >>> last = nn.Conv2d(4, 9, 1)
    >>> before = last.weight.detach().clone()
    >>> start_at_the_mean(last, 3)
    >>> [round(ratio, 3) for ratio in (last.weight / before).mean(dim=(1, 2, 3)).tolist()[2:4]]
    [0.1, 1.0]
    """
    if last.out_channels < channels:
        raise ValueError(
            f"a blind mean is added to the first {channels} channels of the answer, and the network has {channels} "
            f"channels and outputs={last.out_channels}; make it with mean=False, or with outputs={channels} or more"
        )
    with torch.no_grad():
        last.weight[:channels] *= START
        if last.bias is not None:
            last.bias[:channels] = 0
