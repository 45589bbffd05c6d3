"""The local and global blind-patch network (LG-BPN; Wang et al. 2023): a hole as large as the noise's correlation.

Two branches. Each begins with one large convolution whose taps leave out a diamond around the pixel, and goes on with
steps so wide that they never come back into it: dilated layers on every stride-th pixel of the features.
"""

import itertools
from typing import Literal

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from dnlib.networks import shuffle
from dnlib.networks.dilated import Dilated, MaskedConv, start_well
from dnlib.networks.half_plane import BlindSpotUNet
from dnlib.networks.shapes import check, check_channels

REACH = 4  # of the diamond: |dy| + |dx| <= REACH is left out


def diamond(side: int) -> Tensor:
    """[side, side], True where |dy| + |dx| <= 4 from the middle."""
    apart = (torch.arange(side) - side // 2).abs()
    return apart[:, None] + apart <= REACH


def local_taps() -> Tensor:
    """9x9 without the diamond: 40 of 81."""
    return ~diamond(9)


def global_taps() -> Tensor:
    """21x21, even rows and columns only, without the diamond: 108 of 441."""
    even = torch.arange(21) % 2 == 0
    return even[:, None] & even & ~diamond(21)


class BlindPatch(nn.Module):
    """A head of 1x1, branches side by side, and a tail of 1x1. 4.56 million parameters as published, with masked ones.

    local, wide: the two branches, made by `local_branch` and `global_branch`, or another network of `width` outputs
        that is blind itself and looks at the image, such as BlindSpotUNet(3, 48, outputs=128, shift=5); None leaves one
        out.
    fusion: "concat" as published, or "average" of the two.
    Raises ValueError for no branch, or another fusion.
    """

    def __init__(
        self,
        channels: int = 3,
        width: int = 128,
        *,
        head: int = 24,
        local: nn.Module | None,
        wide: nn.Module | None,
        fusion: Literal["concat", "average"] = "concat",
    ):
        super().__init__()
        self.channels = self.outputs = check_channels(channels)
        if fusion not in ("concat", "average"):
            raise ValueError(f"branches are joined by concat or average; {fusion!r} was given")
        if local is None and wide is None:
            raise ValueError("at least one branch is needed: local, wide")
        self.head = nn.Sequential(nn.Conv2d(channels, head, 1), nn.ReLU(inplace=True))
        self.local, self.wide, self.fusion = local, wide, fusion
        joined = width * (len(self._branches) if fusion == "concat" else 1)
        sizes = (joined, width, width // 2, width // 2)
        layers = [layer for a, b in itertools.pairwise(sizes) for layer in (nn.Conv2d(a, b, 1), nn.ReLU(inplace=True))]
        self.tail = nn.Sequential(*layers, nn.Conv2d(width // 2, channels, 1))
        start_well(self)

    def forward(self, image: Tensor) -> Tensor:
        check(image, self.channels)
        features = self.head(image)
        answers = [branch(features if isinstance(branch, Branch) else image) for branch in self._branches]
        joined = torch.cat(answers, dim=1) if self.fusion == "concat" else torch.stack(answers).mean(dim=0)
        return self.tail(joined)

    @property
    def _branches(self) -> list[nn.Module]:
        return [branch for branch in (self.local, self.wide) if branch is not None]

    @property
    def hole(self) -> Tensor:
        """The offsets the answer does not depend on with the strides of training: True in a square array.

        Nearly: channel attention, where a branch has it, pools over the whole image.
        """
        holes = [branch.hole for branch in self._branches]
        side = min(len(hole) for hole in holes)
        return torch.stack([_middle(hole, side) for hole in holes]).all(dim=0)


class Branch(nn.Module):
    """A masked convolution, and a body that works on every stride-th pixel of what it says: [N, width, H, W].

    stride: of the pixel shuffle.   shrink: moves every tap of the convolution towards the pixel by this factor
        ("kernel shift"); 1 leaves it. Both may be changed at any time.
    border: as published for training, tile the small images into one, so many zeros around each; None, by default,
        makes them a batch. Beyond the image all is zero (published: mirrored, in which a pixel can meet itself).
    """

    def __init__(
        self, inputs: int, width: int, taps: Tensor, body: nn.Module, *, stride: int, border: int | None = None
    ):
        super().__init__()
        self.look, self.body, self.stride, self.border = MaskedConv(inputs, width, taps), body, stride, border
        self.shrink = 1.0

    @property
    def shrink(self) -> float:
        return self._shrink

    @shrink.setter
    def shrink(self, ratio: float) -> None:
        if not 0 < ratio <= 1:
            raise ValueError(f"taps are moved to a share of their distance in (0, 1]; {ratio} was given")
        self._shrink = ratio

    def forward(self, x: Tensor) -> Tensor:
        if self.shrink == 1:
            seen = self.look(x)
        else:
            kernel = shrunk(self.look.weight * self.look.taps, self.shrink)
            seen = functional.conv2d(x, kernel, self.look.bias, padding=kernel.shape[-1] // 2)
        return shuffle.through(self.body, seen, self.stride, border=self.border)

    @property
    def hole(self) -> Tensor:
        """With the strides of training, at which no step of the body leads back into the diamond."""
        return diamond(2 * REACH + 1)


def shrunk(kernel: Tensor, ratio: float) -> Tensor:
    """The convolution kernel [O, I, k, k] whose taps lie at `ratio` times their offset, between pixels bilinearly.

    Reading an image between pixels is linear, so moved taps are a kernel of whole pixels again, a smaller one.
    """
    if ratio == 1:
        return kernel
    reach = kernel.shape[-1] // 2
    offsets = ratio * torch.arange(-reach, reach + 1, dtype=torch.float64)
    new = int(torch.ceil(offsets[-1]))
    line = (1 - (offsets[:, None] - torch.arange(-new, new + 1)).abs()).clamp(min=0).to(kernel)  # [k, new k]
    return torch.einsum("oiyx,yv,xu->oivu", kernel, line, line)


def local_branch(width: int = 128, *, head: int = 24, blocks: int = 9, body: str = "dilated") -> Branch:
    """9x9 taps around the diamond, then dilated convolutions or, with body="transformer", transformer blocks."""
    return Branch(head, width, local_taps(), _body(body, width, blocks, dilation=2), stride=4)


def global_branch(
    width: int = 128, *, head: int = 24, blocks: int = 6, body: str = "transformer", attention: bool = True
) -> Branch:
    """21x21 taps, then transformer blocks and a dilated convolution.

    attention: across channels, pooled over all positions, and so not blind; without it the blocks are.
    """
    layers = _body(body, width, blocks, dilation=3, attention=attention)
    layers.append(nn.Conv2d(width, width, 3, padding=3, dilation=3))
    return Branch(head, width, global_taps(), layers, stride=5)


def _body(kind: str, width: int, blocks: int, dilation: int, attention: bool = True) -> nn.Sequential:
    if kind == "dilated":
        start = [layer for _ in range(2) for layer in (nn.Conv2d(width, width, 1), nn.ReLU(inplace=True))]
        end = [nn.Conv2d(width, width, 1), nn.ReLU(inplace=True)]
        return nn.Sequential(nn.ReLU(), *start, *(Dilated(width, dilation) for _ in range(blocks)), *end)
    if kind == "transformer":
        return nn.Sequential(*(Transformer(width, dilation, attention=attention) for _ in range(blocks)))
    raise ValueError(f"a branch is made of dilated convolutions or of a transformer; {kind!r} was given")


class Transformer(nn.Module):
    """A block of Restormer (Zamir et al. 2022) with dilated convolutions: x + mix(norm(x)), then x + gate(norm(x))."""

    def __init__(self, width: int, dilation: int, *, heads: int = 2, factor: float = 2.66, attention: bool = True):
        super().__init__()
        self.norms = nn.ModuleList(_Norm(width) for _ in range(2))
        self.mix = _Attention(width, dilation, heads) if attention else _depthwise(width, width, dilation)
        self.gate = _Gate(width, int(factor * width), dilation)

    @property
    def added(self) -> list[nn.Module]:
        return [self.mix.out if isinstance(self.mix, _Attention) else self.mix[0], self.gate.out]

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.mix(self.norms[0](x))
        return x + self.gate(self.norms[1](x))


class _Norm(nn.Module):
    """x / its deviation over the channels, times a weight; the mean stays."""

    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return (
            x
            / torch.sqrt(x.float().var(dim=1, keepdim=True, correction=0) + 1e-5).to(x.dtype)
            * self.weight[:, None, None].to(x.dtype)
        )


class _Attention(nn.Module):
    """Each channel as a mixture of all, by how alike their pictures are."""

    def __init__(self, width: int, dilation: int, heads: int):
        super().__init__()
        self.heads, self.temperature = heads, nn.Parameter(torch.ones(heads, 1, 1))
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
    def __init__(self, width: int, hidden: int, dilation: int):
        super().__init__()
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


def _middle(hole: Tensor, side: int) -> Tensor:
    cut = (len(hole) - side) // 2
    return hole[cut : cut + side, cut : cut + side]


def local_global(
    channels: int = 3,
    width: int = 128,
    *,
    local: Literal["dilated", "transformer", "blind_spot"] | nn.Module | None = "dilated",
    wide: Literal["transformer"] | nn.Module | None = "transformer",
    local_blocks: int = 9,
    global_blocks: int = 6,
    attention: bool = True,
    fusion: Literal["concat", "average"] = "concat",
) -> BlindPatch:
    """LG-BPN's network, as published.

    local: how the branch around the diamond goes on; "blind_spot" puts a BlindSpotUNet with a 9x9 hole in its place,
        as wide in proportion as it was published. A network of `width` outputs does, too; None leaves the branch out.
    wide: the same for the global branch.   attention: of the global branch, see `global_branch`.
    Raises ValueError for another word.
    """
    if local == "blind_spot":
        local = BlindSpotUNet(channels, max(1, 48 * width // 128), outputs=width, shift=REACH + 1)
    elif isinstance(local, str):
        local = local_branch(width, blocks=local_blocks, body=local)
    if isinstance(wide, str):
        wide = global_branch(width, blocks=global_blocks, body=wide, attention=attention)
    return BlindPatch(channels, width, local=local, wide=wide, fusion=fusion)
