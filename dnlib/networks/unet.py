"""The U-Net of Noise2Noise (Lehtinen et al. 2018) and its form in Laine et al. 2019, the course's work horse.

Encoder: two 3x3 convolutions, then five times [max-pool, 3x3 convolution], all `width` channels.
Decoder: five times [nearest upsampling, concatenation with what the encoder had at this size,
two 3x3 convolutions to 2 `width` channels]; the last concatenation is with the noisy image itself.
The two papers differ in the tail at full resolution. Blind-spot networks are made of the same encoder and decoder with
layers that look only upwards (`half_plane`).
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from dnlib.networks.blind_mean import add_mean, local_mean, start_at_the_mean
from dnlib.networks.shapes import chain_reach, check, check_channels, fill_up, pyramid_reach

SLOPE = 0.1
AROUND = torch.ones(9, 9, dtype=torch.bool)  # the pixels whose mean is added with mean=True


def conv(inputs: int, outputs: int, *, size: int = 3, bias: bool = True) -> nn.Sequential:
    """A convolution that keeps the size, and a leaky ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=bias), nn.LeakyReLU(SLOPE, inplace=True)
    )


def _halve(image: Tensor) -> Tensor:
    return functional.max_pool2d(image, 2)


def _double(image: Tensor) -> Tensor:
    return functional.interpolate(image, scale_factor=2, mode="nearest")


class UNet(nn.Module):
    """Encoder, decoder up to the last concatenation, and a `tail` that makes the image of it.

    Parameters
    ----------
    channels, width : int
        Of the images, and inside.
    tail : nn.Module
        Layers for 2 width + channels channels at full resolution.
    depth : int
        How often the image is halved, at least twice; 5 as published.
    layer : callable
        (inputs, outputs) -> a convolution with its activation.
    pool : callable
        Halves height and width.

    Raises
    ------
    ValueError
        For a depth below 2.

    References
    ----------
    Ronneberger et al., U-Net, MICCAI 2015. Lehtinen et al., Noise2Noise, ICML 2018.

    Examples
    --------
    >>> network = UNet(1, 8, nn.Conv2d(17, 1, 3, padding=1), depth=2)
    >>> network(torch.rand(1, 1, 21, 30)).shape
    torch.Size([1, 1, 21, 30])
    >>> [list(features.shape) for features in network.encode(torch.rand(1, 1, 24, 32))]
    [[1, 8, 12, 16], [1, 8, 6, 8]]
    """

    def __init__(
        self,
        channels: int,
        width: int,
        tail: nn.Module,
        *,
        depth: int = 5,
        layer: Callable[[int, int], nn.Module] = conv,
        pool: Callable[[Tensor], Tensor] = _halve,
    ):
        super().__init__()
        if depth < 2:
            raise ValueError(f"a U-Net halves its images at least twice; depth {depth} was given")
        self.channels, self.depth, self.multiple, self.pool = channels, depth, 2**depth, pool
        self.first = layer(channels, width)
        self.encoder = nn.ModuleList(layer(width, width) for _ in range(depth + 1))
        self.decoder = nn.ModuleList(
            nn.Sequential(layer(width + (2 * width if level else width), 2 * width), layer(2 * width, 2 * width))
            for level in range(depth - 1)
        )
        self.tail = tail
        initialise(self)

    def forward(self, image: Tensor) -> Tensor:
        features = self.encode(image)
        # the cast is for mixed precision: else the largest concatenation would be float32
        skips = [fill_up(image, self.multiple).to(features[0].dtype), *features]
        x = self.encoder[-1](skips.pop())
        for layer in self.decoder:
            x = layer(torch.cat([_double(x), skips.pop()], dim=1))
        x = self.tail(torch.cat([_double(x), skips.pop()], dim=1))
        return x[..., : image.shape[2], : image.shape[3]]

    @property
    def reach(self) -> int:
        return pyramid_reach([2 + chain_reach(self.tail), *[3] * (self.depth - 1), 1])

    def encode(self, image: Tensor) -> list[Tensor]:
        """What the encoder hands to the decoder, from fine to coarse: [N, width, H / 2, W / 2], ..."""
        check(image, self.channels)
        x, features = self.first(fill_up(image, self.multiple)), []
        for layer in self.encoder[:-1]:
            x = self.pool(layer(x))
            features.append(x)
        return features


class Noise2CleanUNet(UNet):
    """Laine et al.'s baseline: the tail is two 3x3 and three 1x1 convolutions. 1,102,371 parameters for colour.

    Parameters
    ----------
    channels : int
        Of the images, in [0, 1].
    width : int
        48 as published.
    outputs : int, optional
        Channels of the answer; those of the image by default.
    depth : int
        How often the image is halved; 5 as published.
    pointwise : int
        1x1 convolutions before the last one; with 0 it is SSID's U-Net, of 1,083,747 parameters.
    bias : bool
        False leaves out every additive constant: then f(a y) = a f(y) for a > 0. With depth 5 and crops of 64 pixels
        such a network fails on whole photographs: its deepest layers meet there what they never saw in training, and
        nothing bounds their answer. With depth 3 it does not fail.
    mean : bool
        Add the mean of 9x9 pixels to the first outputs, one for each channel, so that colours are right before the
        first step; the last layer starts small. Not in the published form.

    References
    ----------
    Laine et al., NeurIPS 2019. Mohan et al., ICLR 2020, on networks without biases.

    Examples
    --------
    >>> sum(parameter.numel() for parameter in Noise2CleanUNet().parameters())
    1102371
    """

    def __init__(
        self,
        channels: int = 3,
        width: int = 48,
        *,
        outputs: int | None = None,
        depth: int = 5,
        pointwise: int = 2,
        bias: bool = True,
        mean: bool = False,
    ):
        wide, layer = 2 * width, partial(conv, bias=bias)
        tail = nn.Sequential(
            layer(wide + check_channels(channels), wide),
            layer(wide, wide),
            *(layer(wide, wide, size=1) for _ in range(pointwise)),
            nn.Conv2d(wide, outputs or channels, 1, bias=bias),
        )
        super().__init__(channels, width, tail, depth=depth, layer=layer)
        self.mean = mean
        if mean:
            start_at_the_mean(tail[-1], channels)

    def forward(self, image: Tensor) -> Tensor:
        answer = super().forward(image)
        return add_mean(answer, local_mean(image, AROUND)) if self.mean else answer


class Noise2NoiseUNet(UNet):
    """Lehtinen et al.'s: the tail is three 3x3 convolutions of 4/3, 2/3 width. 991,203 parameters for colour.

    Parameters
    ----------
    channels : int
        Of the images, in [0, 1]; inside, as published, they are in [-0.5, 0.5].
    width : int
        48 as published; a multiple of 3.

    Raises
    ------
    ValueError
        For another width.

    References
    ----------
    Lehtinen et al., Noise2Noise, ICML 2018.

    Examples
    --------
    >>> sum(parameter.numel() for parameter in Noise2NoiseUNet().parameters())
    991203
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


def initialise(network: nn.Module) -> None:
    """He et al.'s normal weights, of gain 1 in the last layer; biases zero."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    for layer in layers:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="linear" if layer is layers[-1] else "relu")
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
