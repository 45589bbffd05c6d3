"""A block of Restormer (Zamir et al. 2022) with dilated convolutions: attention across channels, and a gate."""

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional


class Transformer(nn.Module):
    """A block of Restormer (Zamir et al. 2022) with dilated convolutions: x + mix(norm(x)), then x + gate(norm(x))."""

    small = 0.01  # of He et al.'s weights, for the layers whose answers are added to x: norms enlarge differences

    def __init__(self, width: int, dilation: int, *, attention: bool = True):
        super().__init__()
        self.norms = nn.ModuleList(_Norm(width) for _ in range(2))
        self.mix = Attention(width, dilation) if attention else _depthwise(width, width, dilation)
        self.gate = _Gate(width, dilation)

    @property
    def added(self) -> list[nn.Module]:
        return [self.mix.out if isinstance(self.mix, Attention) else self.mix[0], self.gate.out]

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.mix(self.norms[0](x))
        return x + self.gate(self.norms[1](x))


class _Norm(nn.Module):
    """x / its deviation over the channels, times a weight; the mean stays."""

    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        deviation = (x.float().var(dim=1, keepdim=True, correction=0) + 1e-5).sqrt()
        return x / deviation.to(x.dtype) * self.weight[:, None, None].to(x.dtype)


class Attention(nn.Module):
    """Each channel as a mixture of all, by how alike their pictures are."""

    heads = 2

    def __init__(self, width: int, dilation: int):
        super().__init__()
        self.temperature = nn.Parameter(torch.ones(self.heads, 1, 1))
        self.three = _depthwise(width, 3 * width, dilation)
        self.out = nn.Conv2d(width, width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (
            part.unflatten(1, (self.heads, -1)).flatten(3) for part in self.three(x).chunk(3, dim=1)
        )  # [N, heads, channels, pixels]
        alike = functional.normalize(query, dim=-1) @ functional.normalize(key, dim=-1).transpose(-2, -1)
        mixed = (alike * self.temperature).softmax(dim=-1).to(value.dtype) @ value
        return self.out(mixed.flatten(1, 2).unflatten(2, x.shape[2:]))


class _Gate(nn.Module):
    """GELU(gate) x value, each of 2.66 times as many channels as come in."""

    def __init__(self, width: int, dilation: int):
        super().__init__()
        hidden = int(2.66 * width)
        self.two, self.out = _depthwise(width, 2 * hidden, dilation), nn.Conv2d(hidden, width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, value = self.two(x).chunk(2, dim=1)
        return self.out(functional.gelu(gate) * value)


def _depthwise(inputs: int, outputs: int, dilation: int) -> nn.Sequential:
    """1x1, then 3x3 in each channel on its own."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), Depthwise(outputs, dilation))


class Depthwise(nn.Conv2d):
    """A dilated 3x3 convolution of each channel with a kernel of its own, no bias."""

    def __init__(self, channels: int, dilation: int):
        super().__init__(channels, channels, 3, padding=dilation, dilation=dilation, groups=channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return _DepthwiseFunction.apply(x, self.weight.to(x.dtype), self.dilation[0])


class _DepthwiseFunction(torch.autograd.Function):
    """Its gradient is again such a convolution, and nine sums: PyTorch's own is slow on a CPU where it is dilated."""

    @staticmethod
    def forward(ctx, x: Tensor, kernel: Tensor, dilation: int) -> Tensor:
        ctx.save_for_backward(x, kernel)
        ctx.dilation = dilation
        return functional.conv2d(x, kernel, padding=dilation, dilation=dilation, groups=len(kernel))

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        (x, kernel), step, (height, width) = ctx.saved_tensors, ctx.dilation, gradient.shape[2:]
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        back = functional.conv2d(gradient, kernel.flip(2, 3), padding=step, dilation=step, groups=len(kernel))
        around = functional.pad(x, (step,) * 4).contiguous(memory_format=torch.channels_last)
        taps = [
            (around[:, :, i : i + height, j : j + width] * gradient).sum(dim=(0, 2, 3))
            for i in range(0, 3 * step, step)
            for j in range(0, 3 * step, step)
        ]
        return back, torch.stack(taps, dim=1).view_as(kernel), None
