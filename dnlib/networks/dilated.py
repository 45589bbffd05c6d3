"""Blind-spot networks of dilated convolutions: a first convolution with a hole, then only steps that jump over it."""

import itertools

import torch
from torch import Tensor, nn

from dnlib.networks.blind_mean import add_blind_mean, start_at_the_mean
from dnlib.networks.masked import MaskedConv
from dnlib.networks.shapes import chain_reach, check, check_channels
from dnlib.networks.unet import initialise


class DilatedBlindSpot(nn.Module):
    """AP-BSN's network, blind at one pixel. 3,656,131 parameters at width 128.

    Two branches. One begins with a 3x3 convolution without its centre and goes on in steps of 2 pixels, the other with
    5x5 and steps of 3: sums of such steps never come back to the centre.

    Parameters
    ----------
    channels : int
        Of the images, in [0, 1].
    width : int
        Channels inside; 128 as published.
    outputs : int, optional
        Channels of the answer; those of the image by default.
    blocks : int
        Dilated convolutions per branch; 9 as published.
    mean : bool
        Add the mean of the eight neighbours, as `BlindSpotUNet` does. After a pixel shuffle these are neighbours in the
        small image; zeros around or between small images count as pixels, so do without them (`border=None`).
    differences : bool
        Look at how pixels differ from the mean of those around, see `MaskedConv`. Not in the published form.

    References
    ----------
    Lee, Son, Lee, AP-BSN, CVPR 2022; after Wu et al., ECCV 2020.

    Examples
    --------
    >>> network = DilatedBlindSpot(3, 16, blocks=2)
    >>> network(torch.rand(1, 3, 21, 30)).shape, network.hole.tolist(), network.reach
    (torch.Size([1, 3, 21, 30]), [[True]], 8)
    """

    multiple, hole = 1, torch.ones(1, 1, dtype=torch.bool)

    def __init__(
        self,
        channels: int = 3,
        width: int = 128,
        *,
        outputs: int | None = None,
        blocks: int = 9,
        mean: bool = False,
        differences: bool = False,
    ):
        super().__init__()
        self.channels = check_channels(channels)
        self.head = nn.Sequential(nn.Conv2d(channels, width, 1), nn.ReLU(inplace=True))
        self.branches = nn.ModuleList(_Branch(width, step, blocks, differences) for step in (2, 3))
        self.reach = max(chain_reach(branch) for branch in self.branches)
        sizes = (2 * width, width, width // 2, width // 2)
        self.tail = nn.Sequential(*pointwise(*sizes), nn.Conv2d(width // 2, outputs or channels, 1))
        initialise_blind(self)
        self.mean = mean
        if mean:
            start_at_the_mean(self.tail[-1], channels)

    def forward(self, image: Tensor) -> Tensor:
        check(image, self.channels)
        x = self.head(image)
        answer = self.tail(torch.cat([branch(x) for branch in self.branches], dim=1))
        return add_blind_mean(answer, image, self.hole) if self.mean else answer


class _Branch(nn.Sequential):
    def __init__(self, width: int, step: int, blocks: int, differences: bool):
        side = 2 * step - 1
        taps = torch.ones(side, side, dtype=torch.bool)
        taps[side // 2, side // 2] = False
        start = pointwise(width, width, width)
        super().__init__(
            MaskedConv(width, width, taps, differences),
            nn.ReLU(inplace=True),
            *start,
            *(Dilated(width, step) for _ in range(blocks)),
            *pointwise(width, width),
        )


def pointwise(*sizes: int) -> list[nn.Module]:
    """1x1 convolutions from each number of channels to the next, a ReLU after each."""
    return [layer for a, b in itertools.pairwise(sizes) for layer in (nn.Conv2d(a, b, 1), nn.ReLU(inplace=True))]


def initialise_blind(network: nn.Module) -> None:
    """He et al.'s weights. Those of masked convolutions are larger, as fewer taps take part; residuals begin `small`.

    With PyTorch's own weights, which AP-BSN and LG-BPN were published with, signals become smaller from layer to layer,
    and colours are learnt much later.
    """
    initialise(network)
    for layer in network.modules():
        if isinstance(layer, MaskedConv):
            layer.weight.data *= (layer.taps.numel() / layer.taps.sum()) ** 0.5
        for last in getattr(layer, "added", ()):
            last.weight.data *= layer.small


class Dilated(nn.Module):
    """x + 1x1(ReLU(3x3 with dilation))."""

    small = 0.3  # of He et al.'s weights: with what the layer begins whose answer is added to x

    def __init__(self, width: int, step: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=step, dilation=step),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 1),
        )

    @property
    def added(self) -> list[nn.Module]:
        return [self.body[-1]]

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)
