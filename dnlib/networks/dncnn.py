"""DnCNN (Zhang et al. 2017) and its bias-free form (Mohan et al. 2020; here as in Patch-Craft)."""

import math

import torch
from torch import Tensor, nn

from dnlib.networks.shapes import check, check_channels


class DnCNN(nn.Module):
    """3x3 convolutions without biases, batch normalisation and ReLU between them.

    residual: the layers estimate the noise, as published; else the image, as Noise2Self's single-image demo
    does with depth 8 (223,104 parameters for gray).
    """

    def __init__(self, channels: int = 3, depth: int = 17, width: int = 64, *, residual: bool = True):
        super().__init__()
        self.channels, self.residual = check_channels(channels), residual
        self.layers = _stack(channels, depth, width, nn.BatchNorm2d)
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight)

    def forward(self, image: Tensor) -> Tensor:
        check(image, self.channels)
        return image - self.layers(image) if self.residual else self.layers(image)


class BiasFreeDnCNN(DnCNN):
    """DnCNN without any additive constant: f(a y) = a f(y) for a > 0, so that one network serves every noise level.

    669,312 numbers for colour at the published depth 20 and width 64: 667,008 in convolutions, 1,152 scales,
    1,152 running deviations.
    """

    def __init__(self, channels: int = 3, depth: int = 20, width: int = 64):
        super().__init__(channels, depth, width)
        self.layers = _stack(channels, depth, width, DeviationNorm)
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight)


class DeviationNorm(nn.Module):
    """Divide each channel by its standard deviation; subtract nothing, add nothing.

    In training the deviation is the batch's, in evaluation a running mean of it (momentum 0.1).
    """

    def __init__(self, channels: int):
        super().__init__()
        scale = torch.randn(channels) * math.sqrt(2 / (9 * channels))
        self.scale = nn.Parameter(scale.clamp(-0.025, 0.025))
        self.register_buffer("deviation", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        deviation = self.deviation
        if self.training:
            deviation = (x.float().var(dim=(0, 2, 3), correction=0) + 1e-5).sqrt()
            with torch.no_grad():
                self.deviation.lerp_(deviation.detach(), 0.1)
        return x * (self.scale / deviation).to(x.dtype)[:, None, None]


def _stack(channels: int, depth: int, width: int, norm: type[nn.Module]) -> nn.Sequential:
    if depth < 2:
        raise ValueError(f"DnCNN has a first and a last layer, so depth >= 2; {depth} was given")
    layers = [_conv(channels, width), nn.ReLU(inplace=True)]
    for _ in range(depth - 2):
        layers += [_conv(width, width), norm(width), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, _conv(width, channels))


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
