"""The locally aware network (LAN) of SSID (Li et al. 2023): the answer at a pixel depends on its nearest neighbours."""

import torch
from torch import Tensor, nn

from dnlib.networks.blind_mean import local_mean, start_at_the_mean
from dnlib.networks.shapes import check, check_channels


class LocallyAware(nn.Module):
    """A few 3x3 convolutions look around, residual blocks of 1x1 think. 94,939 parameters for colour.

    Parameters
    ----------
    channels : int
        Of the images, in [0, 1].
    width : int
        64 as published.
    reach : int
        How many 3x3 convolutions, and so how many pixels on each side are seen; 1 as published.
    blocks : int
        6 as published.
    attention : bool
        Scale the channels by what they are on average over the whole image, as published, so that a little of
        everything is seen; without it nothing but the window is.
    mean : bool
        Add the mean of the window, so that colours are right before the first step; the last layer starts small. Not in
        the published form.

    Attributes
    ----------
    window : Tensor [2 reach + 1, 2 reach + 1] of bool
        The offsets that the answer depends on; with attention, nearly.
    reach : int or None
        How far it sees; None with attention, which pools over the whole image.

    Raises
    ------
    ValueError
        For a reach below 0.

    References
    ----------
    Li et al., Spatially Adaptive Self-Supervised Learning for Real-World Image Denoising, CVPR 2023.

    Examples
    --------
    >>> network = LocallyAware(3, 16, attention=False)
    >>> network(torch.rand(1, 3, 21, 30)).shape, network.window.shape, network.reach
    (torch.Size([1, 3, 21, 30]), torch.Size([3, 3]), 1)
    """

    multiple = 1

    def __init__(
        self,
        channels: int = 3,
        width: int = 64,
        *,
        reach: int = 1,
        blocks: int = 6,
        attention: bool = True,
        mean: bool = False,
    ):
        super().__init__()
        self.channels, self.mean = check_channels(channels), mean
        if reach < 0:
            raise ValueError(f"the network looks 0 or more pixels to each side; {reach} was given")
        self.window = torch.ones(2 * reach + 1, 2 * reach + 1, dtype=torch.bool)
        self.reach = None if attention else reach
        look = [layer for _ in range(reach) for layer in (nn.Conv2d(width, width, 3, padding=1), nn.ReLU(inplace=True))]
        self.head = nn.Sequential(nn.Conv2d(channels, width, 1), nn.ReLU(inplace=True), *look)
        self.body = nn.Sequential(*(_Block(width, attention) for _ in range(blocks)), nn.Conv2d(width, width, 1))
        self.last = nn.Conv2d(width, channels, 1)
        if mean:
            start_at_the_mean(self.last, channels)

    def forward(self, image: Tensor) -> Tensor:
        check(image, self.channels)
        seen = self.head(image)
        answer = self.last(seen + self.body(seen))
        return answer + local_mean(image, self.window) if self.mean else answer


class _Block(nn.Module):
    def __init__(self, width: int, attention: bool):
        super().__init__()
        self.mix = nn.Sequential(nn.Conv2d(width, width, 1), nn.ReLU(inplace=True), nn.Conv2d(width, width, 1))
        self.scale = _scale(width) if attention else None

    def forward(self, x: Tensor) -> Tensor:
        change = self.mix(x)
        return x + (change if self.scale is None else change * self.scale(change))


def _scale(width: int) -> nn.Sequential:
    """A factor in (0, 1) for each channel, from the means of all: [N, width, 1, 1]."""
    few = max(1, width // 16)
    return nn.Sequential(
        nn.AdaptiveAvgPool2d(1), nn.Conv2d(width, few, 1), nn.ReLU(inplace=True), nn.Conv2d(few, width, 1), nn.Sigmoid()
    )
