"""DnCNN (Zhang et al. 2017) and its bias-free form (Mohan et al. 2020), which Patch-Craft starts from."""

import math

import torch
from torch import Tensor, nn

from dnlib.networks.shapes import check, check_channels


class DeviationNorm(nn.Module):
    """Divide each channel by its standard deviation; subtract nothing, add nothing.

    In training the deviation is the batch's, in evaluation a running mean of it (momentum 0.1), as in Patch-Craft. The
    scales begin as in BF-CNN, with deviation sqrt(2 / (9 channels)); Patch-Craft's copy leaves out the root.
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


class DnCNN(nn.Module):
    """3x3 convolutions without biases; between them batch normalisation and ReLU.

    Parameters
    ----------
    channels : int
        Of the images, in [0, 1].
    depth : int
        How many convolutions, at least 2; 17 as published.
    width : int
        Channels between them.
    residual : bool
        The layers estimate the noise, as published; else the image, as in Noise2Self's single-image demo (depth 8,
        gray: 223,104 parameters).

    Raises
    ------
    ValueError
        For a depth below 2.

    References
    ----------
    Zhang et al., Beyond a Gaussian Denoiser, IEEE TIP 2017.

    Examples
    --------
    >>> network = DnCNN(1, depth=8, residual=False)
    >>> sum(parameter.numel() for parameter in network.parameters())
    223104
    """

    norm: type[nn.Module] = nn.BatchNorm2d
    multiple = 1

    def __init__(self, channels: int = 3, depth: int = 17, width: int = 64, *, residual: bool = True):
        super().__init__()
        if depth < 2:
            raise ValueError(f"DnCNN has a first and a last layer, so depth >= 2; {depth} was given")
        self.channels, self.residual, self.reach = check_channels(channels), residual, depth
        self.layers = nn.Sequential(_conv(channels, width), nn.ReLU(inplace=True))
        for _ in range(depth - 2):
            self.layers.extend([_conv(width, width), self.norm(width), nn.ReLU(inplace=True)])
        self.layers.append(_conv(width, channels))

    def forward(self, image: Tensor) -> Tensor:
        check(image, self.channels)
        return image - self.layers(image) if self.residual else self.layers(image)


class BiasFreeDnCNN(DnCNN):
    """DnCNN without any additive constant: f(a y) = a f(y) for a > 0, so that one network serves every noise level.

    669,312 numbers for colour at the published depth 20 and width 64: 667,008 in convolutions, 1,152 scales,
    1,152 running deviations.

    Parameters
    ----------
    channels, depth, width : int
        As of `DnCNN`.

    References
    ----------
    Mohan et al., Robust and Interpretable Blind Image Denoising via Bias-Free CNNs, ICLR 2020.

    Examples
    --------
    >>> network, image = BiasFreeDnCNN(3, 4, 8).eval(), torch.rand(1, 3, 9, 9)
    >>> torch.allclose(network(2 * image), 2 * network(image), atol=1e-5)
    True
    """

    norm = DeviationNorm

    def __init__(self, channels: int = 3, depth: int = 20, width: int = 64):
        super().__init__(channels, depth, width)


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(layer.weight)
    return layer
