"""The small U-Net of the Noise2Self repository (Batson and Royer 2019)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from dnlib.networks.shapes import check, check_channels, fill_up, pyramid_reach


class BabyUNet(nn.Module):
    """Two levels of residual blocks, max-pooling down, bilinear up, a 1x1 convolution at the end.

    Parameters
    ----------
    channels : int
        Of the images, in [0, 1].
    width : int
        Channels of the first level.

    References
    ----------
    Batson and Royer, Noise2Self, ICML 2019; github.com/czbiohub-sf/noise2self.

    Examples
    --------
    >>> BabyUNet(1)(torch.rand(1, 1, 21, 30)).shape
    torch.Size([1, 1, 21, 30])
    """

    multiple = 4
    reach = pyramid_reach([4, 4 + 1, 2 + 1])  # convolutions, and between pixels in bilinear upsampling

    def __init__(self, channels: int = 1, width: int = 16):
        super().__init__()
        self.channels = check_channels(channels)
        self.down = nn.ModuleList([_Block(channels, width), _Block(width, 2 * width)])
        self.bottom = _Block(2 * width, 2 * width)
        self.up = nn.ModuleList([_Block(4 * width, 2 * width), _Block(3 * width, width)])
        self.last = nn.Conv2d(width, channels, 1)

    def forward(self, image: Tensor) -> Tensor:
        check(image, self.channels)
        height, width = image.shape[2:]
        x, skips = fill_up(image, self.multiple), []
        for block in self.down:
            skips.append(block(x))
            x = functional.max_pool2d(skips[-1], 2)
        x = self.bottom(x)
        for block in self.up:
            x = functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = block(torch.cat([x, skips.pop()], dim=1))
        return self.last(x)[..., :height, :width]


class _Block(nn.Module):
    """conv, norm, activation, conv, norm; then the input is added to the channels that it has, and an activation."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs)
        self.conv2, self.norm2 = nn.Conv2d(outputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.leaky_relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        common = min(x.shape[1], y.shape[1])
        return functional.leaky_relu(torch.cat([y[:, :common] + x[:, :common], y[:, common:]], dim=1))
