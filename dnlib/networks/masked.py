"""Convolutions some of whose taps take no part: how AP-BSN and LG-BPN look around a hole, and the taps of LG-BPN."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from dnlib.networks import shuffle

REACH = 4  # of the diamond: |dy| + |dx| <= REACH is left out


def diamond(side: int) -> Tensor:
    """What a blind patch covers, [side, side]: True where |dy| + |dx| <= 4 from the middle.

    Examples
    --------
    >>> diamond(9).sum()
    tensor(41)
    """
    apart = (torch.arange(side) - side // 2).abs()
    return apart[:, None] + apart <= REACH


def local_taps() -> Tensor:
    """9x9 without the diamond: 40 of 81.

    Examples
    --------
    >>> local_taps().shape, local_taps().sum()
    (torch.Size([9, 9]), tensor(40))
    """
    return ~diamond(9)


def global_taps() -> Tensor:
    """21x21, even rows and columns only, without the diamond: 108 of 441.

    Examples
    --------
    >>> global_taps().shape, global_taps().sum()
    (torch.Size([21, 21]), tensor(108))
    """
    even = torch.arange(21) % 2 == 0
    return even[:, None] & even & ~diamond(21)


class MaskedConv(nn.Conv2d):
    """A convolution in which only the taps that are True in `taps` [k, k] take part.

    With `differences` the weights that take part sum to zero: it sees how pixels differ from the mean over its taps,
    and not how bright they are.
    """

    def __init__(self, inputs: int, outputs: int, taps: Tensor, differences: bool = False):
        super().__init__(inputs, outputs, len(taps), padding=len(taps) // 2)
        self.register_buffer("taps", taps.to(self.weight.dtype), persistent=False)
        beside = (len(taps) // 2 + 1) % 2  # the first row or column at an odd distance from the middle
        self.stride_of_taps = 1 if taps[beside::2].any() or taps[:, beside::2].any() else 2
        self.differences = differences

    @property
    def kernel(self) -> Tensor:
        """The weights that take part, zero at the other taps: [outputs, inputs, k, k]."""
        kernel = self.weight * self.taps
        if self.differences:
            kernel = kernel - self.taps * kernel.sum(dim=(2, 3), keepdim=True) / self.taps.sum()
        return kernel

    def forward(self, x: Tensor, shrink: float = 1.0) -> Tensor:
        """[N, inputs, H, W] to [N, outputs, H, W]; `shrink` moves every tap to that share of its distance."""
        if shrink == 1:
            stride, middle = self.stride_of_taps, self.kernel_size[0] // 2
            kernel = self.kernel[:, :, middle % stride :: stride, middle % stride :: stride]
        else:
            stride, kernel = 1, shrunk(self.kernel, shrink)
        look = partial(functional.conv2d, weight=kernel, bias=self.bias, padding=kernel.shape[-1] // 2)
        # taps in every second row and column never mix these: a small kernel on small images, a quarter of the work
        return shuffle.apply(look, x, stride)


def shrunk(kernel: Tensor, ratio: float) -> Tensor:
    """A convolution kernel whose taps lie at a part of their distance, between pixels bilinearly.

    Reading an image between pixels is linear, so moved taps are a kernel of whole pixels again, a smaller one.

    Parameters
    ----------
    kernel : Tensor [O, I, k, k]
        With odd sides.
    ratio : float
        In (0, 1].

    Examples
    --------
    >>> shrunk(torch.ones(1, 1, 9, 9), 0.5).shape
    torch.Size([1, 1, 5, 5])
    """
    reach = kernel.shape[-1] // 2
    offsets = ratio * torch.arange(-reach, reach + 1, dtype=torch.float64)
    new = int(torch.ceil(offsets[-1]))
    line = (1 - (offsets[:, None] - torch.arange(-new, new + 1)).abs()).clamp(min=0).to(kernel)  # [k, new k]
    return torch.einsum("oiyx,yv,xu->oivu", kernel, line, line)
