"""The U-Net of Noise2Noise (Lehtinen et al. 2018) and its form in Laine et al. 2019, the course's work horse.

Encoder: two 3x3 convolutions, then five times [max-pool, 3x3 convolution], all `width` channels.
Decoder: five times [nearest upsampling, concatenation with what the encoder had at this size,
two 3x3 convolutions to 2 `width` channels]; the last concatenation is with the noisy image itself.
The two papers differ in the tail at full resolution.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from dnlib.networks.shapes import check, check_channels, fill_up

DEPTH, SLOPE = 5, 0.1


class UNet(nn.Module):
    """Encoder, decoder down to the last concatenation, and a `tail` that makes the image of it.

    tail: layers from 2 width + channels to `channels` channels at full resolution.
    bias=False leaves out every additive constant: then f(a y) = a f(y) for a > 0 (Mohan et al. 2020).
    """

    def __init__(self, channels: int, width: int, tail: nn.Module, *, bias: bool = True):
        super().__init__()
        self.channels = channels
        self.first = conv(channels, width, bias=bias)
        self.encoder = nn.ModuleList(conv(width, width, bias=bias) for _ in range(DEPTH + 1))
        self.decoder = nn.ModuleList(
            nn.Sequential(
                conv(width + (2 * width if level else width), 2 * width, bias=bias),
                conv(2 * width, 2 * width, bias=bias),
            )
            for level in range(DEPTH - 1)
        )
        self.tail = tail
        initialise(self)

    def forward(self, image: Tensor) -> Tensor:
        check(image, self.channels)
        height, width = image.shape[2:]
        image = fill_up(image, 2**DEPTH)
        x = self.first(image)
        skips = [image.to(x.dtype)]  # in mixed precision: else the largest concatenation would be float32
        for layer in self.encoder[:-1]:
            x = functional.max_pool2d(layer(x), 2)
            skips.append(x)
        x = self.encoder[-1](skips.pop())
        for layer in self.decoder:
            x = layer(torch.cat([_double(x), skips.pop()], dim=1))
        x = self.tail(torch.cat([_double(x), skips.pop()], dim=1))
        return x[..., :height, :width]


class Noise2CleanUNet(UNet):
    """Laine et al.'s baseline: the tail is two 3x3 and three 1x1 convolutions. 1,102,371 parameters for colour.

    Images in [0, 1].  width: 48 as published.  bias=False: without additive constants.
    """

    def __init__(self, channels: int = 3, width: int = 48, *, bias: bool = True):
        wide = 2 * width
        tail = nn.Sequential(
            conv(wide + check_channels(channels), wide, bias=bias),
            conv(wide, wide, bias=bias),
            conv(wide, wide, size=1, bias=bias),
            conv(wide, wide, size=1, bias=bias),
            nn.Conv2d(wide, channels, 1, bias=bias),
        )
        super().__init__(channels, width, tail, bias=bias)


class Noise2NoiseUNet(UNet):
    """Lehtinen et al.'s: the tail is three 3x3 convolutions of 4/3, 2/3 width. 991,203 parameters for colour.

    Images in [0, 1]; inside, as published, they are in [-0.5, 0.5].  width: 48 as published, a multiple of 3.
    """

    def __init__(self, channels: int = 3, width: int = 48):
        if width % 3:
            raise ValueError(f"the width is a multiple of 3, for the tail has 4/3 and 2/3 of it; {width} was given")
        tail = nn.Sequential(
            conv(2 * width + check_channels(channels), width * 4 // 3),
            conv(width * 4 // 3, width * 2 // 3),
            nn.Conv2d(width * 2 // 3, channels, 3, padding=1),
        )
        super().__init__(channels, width, tail)

    def forward(self, image: Tensor) -> Tensor:
        check(image, self.channels)
        return super().forward(image - 0.5) + 0.5


def conv(inputs: int, outputs: int, *, size: int = 3, bias: bool = True) -> nn.Sequential:
    """A convolution that keeps the size, and a leaky ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=bias), nn.LeakyReLU(SLOPE, inplace=True)
    )


def initialise(network: nn.Module) -> None:
    """He et al.'s normal weights, of gain 1 in the last layer; biases zero."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    for layer in layers:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="linear" if layer is layers[-1] else "relu")
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def _double(image: Tensor) -> Tensor:
    return functional.interpolate(image, scale_factor=2, mode="nearest")
