"""Blind-spot networks (Laine et al. 2019): the answer at a pixel depends on all pixels around it, never on its own.

A U-Net whose layers look only upwards sees at row r the rows up to r; its answer, moved down by one row, sees the rows
above r and nothing else. Turned copies of the image give the other directions, and 1x1 convolutions join them.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from dnlib.networks.blind_mean import add_blind_mean, local_mean, start_at_the_mean
from dnlib.networks.shapes import check, check_channels, pyramid_reach
from dnlib.networks.unet import SLOPE, UNet, initialise

# the pixels whose mean is taken off with differences=True:
ABOVE = torch.ones(9, 9, dtype=torch.bool)  # the pixel's own row and the four above it, nine columns wide
ABOVE[5:] = False
BEFORE = ABOVE.clone()  # the pixel and the four to its left
BEFORE[:4] = BEFORE[:, 5:] = False


class BlindSpot(nn.Module):
    """Runs `branch` on turned copies of the image, turns its answers back and joins them pixel by pixel.

    branch: image -> [N, features, H, W] that at a pixel depends only on what lies before it.
    turns: by how many quarter turns the copies are turned.   outputs: channels of the answer.
    mean: whether the mean of the pixels around the hole is added.
    """

    def __init__(
        self, branch: nn.Module, features: int, width: int, channels: int, outputs: int, turns: tuple, mean: bool
    ):
        super().__init__()
        self.channels, self.turns = check_channels(channels), turns
        self.branch, self.multiple = branch, branch.multiple
        joined = len(turns) * features
        self.join = nn.Sequential(
            nn.Conv2d(joined, joined, 1),
            nn.LeakyReLU(SLOPE, inplace=True),
            nn.Conv2d(joined, 2 * width, 1),
            nn.LeakyReLU(SLOPE, inplace=True),
            nn.Conv2d(2 * width, outputs, 1),
        )
        initialise(self)
        self.mean = mean
        if mean:
            start_at_the_mean(self.join[-1], channels)

    def forward(self, image: Tensor) -> Tensor:
        check(image, self.channels)
        return self._answer(image, self._looks(image, self.branch), self.hole)

    def _looks(self, image: Tensor, branch: Callable[[Tensor], Tensor]) -> dict[int, Tensor]:
        """What the branch says about each turned copy, by its turn, still turned. Copies of one size share a batch."""
        looks, alike = {}, image.shape[2] == image.shape[3] or 1 not in self.turns
        for turns in [self.turns] if alike else [(0, 2), (1, 3)]:
            turned = torch.cat([_turn(image, turn) for turn in turns])
            looks |= zip(turns, branch(turned).chunk(len(turns)), strict=True)
        return looks

    def _answer(self, image: Tensor, looks: dict[int, Tensor], hole: Tensor) -> Tensor:
        answer = self.join(torch.cat([_turn(looks[turn], -turn) for turn in self.turns], dim=1))
        return add_blind_mean(answer, image, hole) if self.mean else answer

    @property
    def reach(self) -> int:
        return self.branch.reach


class BlindSpotUNet(BlindSpot):
    """As published: half planes in four directions. 1,269,129 parameters with 9 outputs, 1,268,547 with 3.

    Parameters
    ----------
    channels : int
        Of the images, in [0, 1].
    width : int
        48 as published.
    outputs : int
        Channels of the answer; 9 are the mean of a colour and its covariance (`methods.outputs`).
    depth : int
        How often the image is halved; 5 as published.
    shift : int
        By how many rows the half planes keep away. The hole is a square of (2 shift - 1)^2 pixels: with 5 it is the 9x9
        of SSID's blind-neighbourhood network. The attribute may be changed at any time.
    mean : bool
        Add the mean of the pixels right around the hole to the first `channels` outputs (`blind_mean`); the last layer
        starts small. Not in the published form.
    differences : bool
        Half planes look at how a pixel differs from the mean of its row and the four above (`ABOVE`). Not in the
        published form.

    Raises
    ------
    ValueError
        For a shift below 1; with `mean`, for fewer outputs than channels, and for images that lie within the hole.

    References
    ----------
    Laine et al., High-Quality Self-Supervised Deep Image Denoising, NeurIPS 2019.

    Examples
    --------
    >>> network = BlindSpotUNet(1, 8, outputs=1, depth=2, shift=2)
    >>> network(torch.rand(1, 1, 21, 30)).shape, network.hole.shape
    (torch.Size([1, 1, 21, 30]), torch.Size([3, 3]))
    """

    def __init__(
        self,
        channels: int = 3,
        width: int = 48,
        *,
        outputs: int = 9,
        depth: int = 5,
        shift: int = 1,
        mean: bool = False,
        differences: bool = False,
    ):
        branch = HalfPlane(channels, width, depth=depth, differences=differences)
        super().__init__(branch, 2 * width, width, channels, outputs, turns=(0, 1, 2, 3), mean=mean)
        self.shift = shift

    @property
    def shift(self) -> int:
        return self.branch.shift

    @shift.setter
    def shift(self, rows: int) -> None:
        if rows < 1:
            raise ValueError(f"half planes that keep away by less than one row see the pixel itself; {rows} was given")
        self.branch.shift = rows

    @property
    def hole(self) -> Tensor:
        """The offsets the answer does not depend on: True in a square array around the pixel."""
        return _square(self.shift)

    def at_shifts(self, image: Tensor, shifts: Sequence[int]) -> Tensor:
        """What it says with each of several holes, of (2 shift - 1)^2 pixels, for little more work than with one.

        Returns [len(shifts), N, outputs, H, W].

        Parameters
        ----------
        image : Tensor [N, channels, H, W]
            In [0, 1].
        shifts : sequence of int
            0 lets it see the pixel itself as well.

        Examples
        --------
        >>> network = BlindSpotUNet(1, 8, outputs=1, depth=2, shift=5)
        >>> network.at_shifts(torch.rand(1, 1, 21, 30), (0, 1, 5)).shape, network.shift
        (torch.Size([3, 1, 1, 21, 30]), 5)
        """
        check(image, self.channels)
        looks = self._looks(image, self.branch.unmoved)
        moved = ({turn: _move(look, down=shift) for turn, look in looks.items()} for shift in shifts)
        return torch.stack([self._answer(image, at, _square(shift)) for at, shift in zip(moved, shifts, strict=True)])


class TwoWayBlindSpotUNet(BlindSpot):
    """The same with less work: the rows above, then what lies to the left; and both again for the image upside down.

    A few 1x3 convolutions look along the row, at the pixels and at what the half plane says about them (as PixelCNN
    does; van den Oord et al. 2016). The hole is the pixel itself. A few other pixels are not seen either: three or more
    columns to the right, up to a few rows above; and three or more to the left, up to a few rows below. How many rows
    depends on where the pixel lies in the squares that are pooled.

    Parameters
    ----------
    channels, width, outputs, mean, differences
        As of `BlindSpotUNet`.
    depth : int
        3 by default, so that crops of 64 pixels are enough to learn from; a half plane of depth 5 sees more than 300
        rows, and from small crops never learns what to do with them.

    Examples
    --------
    >>> network = TwoWayBlindSpotUNet(3, 8)
    >>> network(torch.rand(1, 3, 21, 30)).shape, network.hole.tolist()
    (torch.Size([1, 9, 21, 30]), [[True]])
    """

    hole = torch.ones(1, 1, dtype=torch.bool)

    def __init__(
        self,
        channels: int = 3,
        width: int = 48,
        *,
        outputs: int = 9,
        depth: int = 3,
        mean: bool = False,
        differences: bool = False,
    ):
        branch = _AboveAndLeft(channels, width, depth, differences)
        super().__init__(branch, 3 * width, width, channels, outputs, turns=(0, 2), mean=mean)


class HalfPlane(UNet):
    """At row r it sees the rows up to r - shift, all columns: [N, 2 width, H, W]. `shift` is 1 until it is changed.

    Images whose sides are no multiple of 2^depth are filled up below, where it does not look, and at the right.
    """

    def __init__(self, channels: int, width: int, *, depth: int = 5, differences: bool = False):
        tail = nn.Sequential(_Upwards(2 * width + check_channels(channels), 2 * width), _Upwards(2 * width, 2 * width))
        super().__init__(channels, width, tail, depth=depth, layer=_Upwards, pool=_pool)
        self.shift, self.differences = 1, differences

    def forward(self, image: Tensor) -> Tensor:
        return _move(self.unmoved(image), down=self.shift)

    def unmoved(self, image: Tensor) -> Tensor:
        """The half plane before it is moved down: row r still sees itself."""
        return super().forward(image - local_mean(image, ABOVE) if self.differences else image)

    @property
    def reach(self) -> int:
        """Upwards, where every convolution sees two rows and every pooling one; to the sides it is less."""
        return pyramid_reach([2 * 4 + 1, *[2 * 3 + 1] * (self.depth - 1), 2]) + self.shift + _compared(self.differences)


class _AboveAndLeft(nn.Module):
    """[N, 3 width, H, W]: what HalfPlane sees, and 31 pixels to the left with what HalfPlane sees there."""

    def __init__(self, channels: int, width: int, depth: int, differences: bool):
        super().__init__()
        self.above, self.differences = HalfPlane(channels, width, depth=depth, differences=differences), differences
        self.left = nn.Sequential(
            _Leftwards(2 * width + channels, width, 1), *(_Leftwards(width, width, dilation) for dilation in (2, 4, 8))
        )
        self.multiple = self.above.multiple

    def forward(self, image: Tensor) -> Tensor:
        above = self.above(image)
        if self.differences:
            image = image - local_mean(image, BEFORE)
        left = self.left(torch.cat([above, image.to(above.dtype)], dim=1))
        return torch.cat([above, _move(left, right=1)], dim=1)

    @property
    def reach(self) -> int:
        """Upwards, or 31 pixels to the left and from there as far as half planes see to the side."""
        sideways = pyramid_reach([4, *[3] * (self.above.depth - 1), 1]) + _compared(self.differences)
        return max(self.above.reach, 1 + sum(layer.reach for layer in self.left) + sideways)


def _compared(differences: bool) -> int:
    """How much farther a network sees that looks at differences, in rows or columns."""
    return len(ABOVE) // 2 if differences else 0


class _Upwards(nn.Module):
    """A 3x3 convolution over the pixel's row and the two above it, and a leaky ReLU."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=(0, 1))

    def forward(self, x: Tensor) -> Tensor:
        return functional.leaky_relu(self.conv(functional.pad(x, (0, 0, 2, 0))), SLOPE, inplace=True)


class _Leftwards(nn.Module):
    """A 1x3 convolution over the pixel and two to its left, `dilation` apart, and a leaky ReLU."""

    def __init__(self, inputs: int, outputs: int, dilation: int):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, (1, 3), dilation=(1, dilation))
        self.reach = 2 * dilation

    def forward(self, x: Tensor) -> Tensor:
        return functional.leaky_relu(self.conv(functional.pad(x, (self.reach, 0))), SLOPE, inplace=True)


def _pool(x: Tensor) -> Tensor:
    """The maximum of 2x2 pixels, rows 2k - 1 and 2k: not below row 2k, where it will be seen."""
    return functional.max_pool2d(_move(x, down=1), 2)


def _move(x: Tensor, *, down: int = 0, right: int = 0) -> Tensor:
    """The image moved, zeros where nothing moves in."""
    height, width = x.shape[2:]
    return functional.pad(x, (right, 0, down, 0))[:, :, :height, :width]


def _square(shift: int) -> Tensor:
    """The hole that half planes leave which keep away by so many rows; around the pixel itself even if they see it."""
    side = max(1, 2 * shift - 1)
    return torch.ones(side, side, dtype=torch.bool)


def _turn(x: Tensor, quarters: int) -> Tensor:
    return torch.rot90(x, quarters, (2, 3)).contiguous(memory_format=torch.channels_last)
