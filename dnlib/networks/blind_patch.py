"""The local and global blind-patch network (LG-BPN; Wang et al. 2023): a hole as large as the noise's correlation.

Two branches. Each begins with one large convolution whose taps leave out a diamond around the pixel, and goes on with
steps so wide that they never come back into it: dilated layers on every stride-th pixel of the features.
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from dnlib.images import one_of
from dnlib.networks import shuffle
from dnlib.networks.blind_mean import add_blind_mean, start_at_the_mean
from dnlib.networks.dilated import Dilated, initialise_blind, pointwise
from dnlib.networks.half_plane import BlindSpotUNet
from dnlib.networks.masked import REACH, MaskedConv, diamond, global_taps, shrunk
from dnlib.networks.restormer import Attention, Transformer
from dnlib.networks.shapes import chain_reach, check, check_channels

HOLES = {"diamond": diamond(9), "square": functional.pad(torch.ones(7, 7, dtype=torch.bool), (1, 1, 1, 1))}
"""What the local branch can leave out of its 9x9 taps: the published diamond of 41 pixels, or a square of 49."""


class BlindPatch(nn.Module):
    """A head of 1x1, branches side by side, and a tail of 1x1. 4.56 million parameters as published, with masked ones.

    Parameters
    ----------
    channels : int
        Of the images, in [0, 1].
    width : int
        Channels of what a branch answers; 128 as published.
    head : int
        Channels that branches look at; 24 as published.
    local, global_ : nn.Module or None
        The two branches, made by `local_branch` and `global_branch`, or another network of `width` outputs that is
        blind itself and looks at the image, such as `BlindSpotUNet(3, 48, outputs=128, shift=5)`; None leaves one out.
        Their weights are drawn anew.
    fusion : {"concat", "average"}
        "concat" as published.
    mean : bool
        Add the mean of the pixels right around the hole, as `BlindSpotUNet` does. Where taps are moved closer, it stays
        around the hole of training.

    Raises
    ------
    ValueError
        For no branch, or another fusion.

    References
    ----------
    Wang et al., LG-BPN: Local and Global Blind-Patch Network, CVPR 2023.

    Examples
    --------
    >>> network = BlindPatch(3, 16, head=6, local=local_branch(16, head=6, blocks=1), global_=None)
    >>> network(torch.rand(1, 3, 21, 30)).shape, network.hole.sum()
    (torch.Size([1, 3, 21, 30]), tensor(41))
    """

    def __init__(
        self,
        channels: int = 3,
        width: int = 128,
        *,
        head: int = 24,
        local: nn.Module | None,
        global_: nn.Module | None,
        fusion: Literal["concat", "average"] = "concat",
        mean: bool = False,
    ):
        super().__init__()
        self.channels = check_channels(channels)
        if local is None and global_ is None:
            raise ValueError("at least one branch is needed: local, global_")
        self.head = nn.Sequential(nn.Conv2d(channels, head, 1), nn.ReLU(inplace=True))
        self.local, self.global_ = local, global_
        self.fusion = one_of(fusion, ("concat", "average"), "what joins the branches")
        joined = width * (len(self._branches) if fusion == "concat" else 1)
        sizes = (joined, width, width // 2, width // 2)
        self.tail = nn.Sequential(*pointwise(*sizes), nn.Conv2d(width // 2, channels, 1))
        initialise_blind(self)
        self.mean = mean
        if mean:
            start_at_the_mean(self.tail[-1], channels)

    def forward(self, image: Tensor) -> Tensor:
        check(image, self.channels)
        features = self.head(image)
        answers = [branch(features if isinstance(branch, Branch) else image) for branch in self._branches]
        joined = torch.cat(answers, dim=1) if self.fusion == "concat" else torch.stack(answers).mean(dim=0)
        answer = self.tail(joined)
        return add_blind_mean(answer, image, self.hole) if self.mean else answer

    @property
    def _branches(self) -> list[nn.Module]:
        return [branch for branch in (self.local, self.global_) if branch is not None]

    @property
    def hole(self) -> Tensor:
        """The offsets the answer does not depend on with the strides of training: True in a square array.

        Nearly: channel attention, where a branch has it, pools over the whole image.
        """
        holes = [branch.hole for branch in self._branches]
        side = min(len(hole) for hole in holes)
        middles = [functional.pad(hole, ((side - len(hole)) // 2,) * 4) for hole in holes]  # a negative pad cuts off
        return torch.stack(middles).all(dim=0)

    @property
    def reach(self) -> int | None:
        """How far it sees with the strides as they are; None with attention, which pools over the whole image."""
        reaches = [branch.reach for branch in self._branches]
        return None if None in reaches else max(reaches)

    @property
    def multiple(self) -> int:
        return math.lcm(*(branch.multiple for branch in self._branches))


class Branch(nn.Module):
    """A masked convolution, and a body that works on every stride-th pixel of its answer: [N, width, H, W].

    Parameters
    ----------
    inputs, width : int
        Channels of what it looks at, and of its answer.
    taps : Tensor [k, k] of bool
        Where the first convolution looks.
    body : nn.Module
        From `width` channels to `width`.
    hole : Tensor [9, 9] of bool
        What it does not depend on with the stride of training, at which no step of the body leads back into it.
    stride : int
        Of the pixel shuffle; may be changed at any time. The small images are a batch (published for training: tiles of
        one image), and beyond them all is zero (published: mirrored, in which a pixel can meet itself).
    differences : bool
        Look at how features differ from the mean of those at all taps, see `MaskedConv`.

    Attributes
    ----------
    shrink : float
        Moves every tap of the convolution towards the pixel by this factor ("kernel shift"); 1 leaves it. May be
        changed at any time, but not to where a tap would reach the pixel itself.

    Examples
    --------
    >>> branch = local_branch(16, head=6, blocks=1)
    >>> branch.stride, branch.shrink = 3, 0.72
    >>> branch(torch.rand(1, 6, 21, 30)).shape
    torch.Size([1, 16, 21, 30])
    """

    def __init__(
        self,
        inputs: int,
        width: int,
        taps: Tensor,
        body: nn.Module,
        *,
        hole: Tensor,
        stride: int,
        differences: bool = False,
    ):
        super().__init__()
        self.look, self.body = MaskedConv(inputs, width, taps, differences), body
        self.hole, self.stride, self.shrink = hole, stride, 1.0

    @property
    def shrink(self) -> float:
        return self._shrink

    @shrink.setter
    def shrink(self, ratio: float) -> None:
        if not 0 < ratio <= 1:
            raise ValueError(f"taps are moved to a share of their distance in (0, 1]; {ratio} was given")
        moved = shrunk(self.look.taps[None, None], ratio)[0, 0]
        if moved[len(moved) // 2, len(moved) // 2]:
            raise ValueError(
                f"taps moved to a share of {ratio} of their distance reach the pixel itself; take a larger one"
            )
        self._shrink = ratio

    def forward(self, x: Tensor) -> Tensor:
        return shuffle.apply(self.body, self.look(x, self.shrink), self.stride)

    @property
    def reach(self) -> int | None:
        pools = any(isinstance(part, Attention) for part in self.body.modules())
        return None if pools else chain_reach(self.look) + self.stride * chain_reach(self.body)

    @property
    def multiple(self) -> int:
        return self.stride


def local_branch(
    width: int = 128,
    *,
    head: int = 24,
    blocks: int = 9,
    body: str = "dilated",
    hole: str = "diamond",
    differences: bool = False,
) -> Branch:
    """9x9 taps around the hole, then dilated convolutions or, with body="transformer", transformer blocks.

    Parameters
    ----------
    width, head, blocks : int
        Channels of its answer, channels that it looks at, and how many blocks.
    body : {"dilated", "transformer"}
        What the blocks are.
    hole : {"diamond", "square"}
        The published diamond, or 7x7 pixels.
    differences : bool
        As of `Branch`.

    Examples
    --------
    >>> local_branch(16, head=6, blocks=1).stride
    4
    """
    left_out = HOLES[one_of(hole, HOLES, "the hole of a branch")]
    layers = _body(body, width, blocks, dilation=2)
    return Branch(head, width, ~left_out, layers, hole=left_out, stride=4, differences=differences)


def global_branch(
    width: int = 128,
    *,
    head: int = 24,
    blocks: int = 6,
    body: str = "transformer",
    attention: bool = True,
    differences: bool = False,
) -> Branch:
    """21x21 taps, then transformer blocks and a dilated convolution.

    Parameters
    ----------
    width, head, blocks, body
        As of `local_branch`.
    attention : bool
        Across channels, pooled over all positions, and so not blind; without it the blocks are.
    differences : bool
        As of `Branch`.

    Examples
    --------
    >>> global_branch(16, head=6, blocks=1).reach is None, global_branch(16, head=6, blocks=1, attention=False).reach
    (True, 55)
    """
    layers = _body(body, width, blocks, dilation=3, attention=attention)
    layers.append(nn.Conv2d(width, width, 3, padding=3, dilation=3))
    return Branch(head, width, global_taps(), layers, hole=diamond(9), stride=5, differences=differences)


def _body(kind: str, width: int, blocks: int, dilation: int, attention: bool = True) -> nn.Sequential:
    one_of(kind, ("dilated", "transformer"), "what a branch is made of")
    if kind == "dilated":
        start, end = pointwise(width, width, width), pointwise(width, width)
        return nn.Sequential(nn.ReLU(), *start, *(Dilated(width, dilation) for _ in range(blocks)), *end)
    return nn.Sequential(*(Transformer(width, dilation, attention=attention) for _ in range(blocks)))


def local_global(
    channels: int = 3,
    width: int = 128,
    *,
    local: Literal["dilated", "transformer", "blind_spot"] | nn.Module | None = "dilated",
    global_: Literal["transformer"] | nn.Module | None = "transformer",
    local_blocks: int = 9,
    global_blocks: int = 6,
    attention: bool = True,
    fusion: Literal["concat", "average"] = "concat",
    hole: Literal["diamond", "square"] = "diamond",
    mean: bool = False,
    differences: bool = False,
) -> BlindPatch:
    """LG-BPN's network, as published.

    Parameters
    ----------
    channels, width : int
        As of `BlindPatch`.
    local : {"dilated", "transformer", "blind_spot"}, nn.Module or None
        How the branch around the diamond goes on; "blind_spot" puts a BlindSpotUNet with a 9x9 hole in its place, as
        wide in proportion as it was published. A network of `width` outputs does, too; None leaves the branch out.
    global_ : {"transformer"}, nn.Module or None
        The same for the global branch.
    local_blocks, global_blocks : int
        How many blocks each has.
    attention : bool
        Of the global branch, see `global_branch`.
    fusion : {"concat", "average"}
        As of `BlindPatch`.
    hole : {"diamond", "square"}
        Of the local branch, see `local_branch`.
    mean : bool
        As of `BlindPatch`.
    differences : bool
        Each branch that is made here looks at differences from a mean, as of `Branch` and `BlindSpotUNet`.

    Raises
    ------
    ValueError
        For another word.

    Examples
    --------
    >>> local_global(3, 16, local_blocks=1, global_=None)(torch.rand(1, 3, 21, 30)).shape
    torch.Size([1, 3, 21, 30])
    """
    if local == "blind_spot":
        part = max(1, 48 * width // 128)
        local = BlindSpotUNet(channels, part, outputs=width, shift=REACH + 1, differences=differences)
    elif isinstance(local, str):
        local = local_branch(width, blocks=local_blocks, body=local, hole=hole, differences=differences)
    if isinstance(global_, str):
        global_ = global_branch(width, blocks=global_blocks, body=global_, attention=attention, differences=differences)
    return BlindPatch(channels, width, local=local, global_=global_, fusion=fusion, mean=mean)
