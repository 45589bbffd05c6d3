"""The U-Net of Noise2Void (Krull et al. 2019), with the three changes to it that make N2V2 (Hoeck et al. 2022)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from dnlib.networks.shapes import check, check_channels, fill_up, pyramid_reach


class Noise2VoidUNet(nn.Module):
    """Levels of two convolutions with batch normalisation and ReLU; max-pooling down, nearest up.

    N2V2 is `residual=False, top_skip=False, blur_pool=True`, trained with `median` in place of `uniform_withCP`.

    Parameters
    ----------
    channels : int
        Of the images, which are normalised to mean 0 and deviation 1.
    width : int
        Channels of the first level (32; 96 for BSD68), doubled per level.
    depth : int
        How often the image is halved.
    size : int
        Of the kernels, 3 or 5.
    residual : bool
        The network estimates what to add to its input.
    top_skip : bool
        Something passes around the first pooling.
    blur_pool : bool
        Anti-aliased pooling.

    References
    ----------
    Krull et al., Noise2Void, CVPR 2019. Hoeck et al., N2V2, ECCV workshops 2022.

    Examples
    --------
    >>> Noise2VoidUNet(1, residual=False, top_skip=False, blur_pool=True)(torch.rand(1, 1, 21, 30)).shape
    torch.Size([1, 1, 21, 30])
    """

    def __init__(
        self,
        channels: int = 1,
        width: int = 32,
        *,
        depth: int = 2,
        size: int = 3,
        residual: bool = True,
        top_skip: bool = True,
        blur_pool: bool = False,
    ):
        super().__init__()
        self.channels, self.depth, self.multiple = check_channels(channels), depth, 2**depth
        self.reach = pyramid_reach([4 * (size // 2) + blur_pool] * depth + [2 * (size // 2)])
        self.residual, self.top_skip = residual, top_skip
        self.pool = MaxBlurPool() if blur_pool else nn.MaxPool2d(2)
        widths = [width * 2**level for level in range(depth + 1)]
        self.down = nn.ModuleList(
            nn.Sequential(_layer(before, after, size), _layer(after, after, size))
            for before, after in zip([channels, *widths], widths[:-1], strict=False)
        )
        self.bottom = nn.Sequential(_layer(widths[-2], widths[-1], size), _layer(widths[-1], widths[-2], size))
        self.up = nn.ModuleList(
            nn.Sequential(
                _layer(widths[level] * (1 + (level > 0 or top_skip)), widths[level], size),
                _layer(widths[level], widths[max(0, level - 1)], size),
            )
            for level in reversed(range(depth))
        )
        self.last = nn.Conv2d(width, channels, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)

    def forward(self, image: Tensor) -> Tensor:
        check(image, self.channels)
        height, width = image.shape[2:]
        x, skips = fill_up(image, self.multiple), []
        for block in self.down:
            skips.append(block(x))
            x = self.pool(skips[-1])
        x = self.bottom(x)
        for level, block in zip(reversed(range(self.depth)), self.up, strict=True):
            x = functional.interpolate(x, scale_factor=2, mode="nearest")
            skip = skips.pop()
            x = block(torch.cat([x, skip], dim=1) if level > 0 or self.top_skip else x)
        x = self.last(x)[..., :height, :width]
        return x + image if self.residual else x


class MaxBlurPool(nn.Module):
    """The maximum of 2x2 pixels at every place, a binomial blur, then every second place (Zhang 2019)."""

    def forward(self, x: Tensor) -> Tensor:
        binomial = torch.tensor([1.0, 2.0, 1.0], device=x.device, dtype=x.dtype) / 4
        kernel = (binomial[:, None] * binomial).expand(x.shape[1], 1, 3, 3)
        x = functional.max_pool2d(functional.pad(x, (0, 1, 0, 1), mode="replicate"), 2, stride=1)
        x = functional.pad(x, (1, 1, 1, 1), mode="replicate")
        return functional.conv2d(x, kernel, stride=2, groups=x.shape[1])


def _layer(inputs: int, outputs: int, size: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, padding=size // 2), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )
