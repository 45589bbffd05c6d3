"""Noise2Self for networks (Batson and Royer 2019): the loss on a group of pixels J that the network does not see.

The paper hides a random 25th of the pixels behind random values; the repository hides one phase of a grid behind
the mean of its neighbours. At test time all groups together give a J-invariant image, or one plain pass a better one.
"""

from typing import ClassVar, Literal

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from dnlib.filters import jinvariance
from dnlib.images import one_of
from dnlib.methods.base import Estimate, Method, one_for_each
from dnlib.methods.batch import Batch

NEIGHBOURS = torch.tensor([[0.5, 1, 0.5], [1, 0, 1], [0.5, 1, 0.5]])


class Noise2Self(Method):
    """The loss on pixels that the network does not see: mean (f(hidden y)_J - y_J)^2, one group J of pixels per batch.

    A pixel of J is hidden in all its channels.

    Parameters
    ----------
    network : nn.Module
        Any.
    masks : {"grid", "random"}
        The width^2 phases of a grid, or as many random groups (the paper's 25: width 5).
    width : int
        At least 2.
    fill : {"mean", "random", "zero"}
        What hidden pixels show: the mean of the 8 neighbours (diagonals count half), values from U[0, 1], or zero.
    inference : {"direct", "invariant", "mixed"}
        One pass over the noisy image; or width^2 passes, each keeping its own J, so that no pixel's estimate depends on
        its own noisy value; or these with the noisy pixel mixed back in, lambda = sigma^2 / L: `denoise` then needs
        sigma as its `parameter`.

    Raises
    ------
    ValueError
        For unknown names or a width below 2.

    References
    ----------
    Batson and Royer, Noise2Self: Blind Denoising by Self-Supervision, ICML 2019.

    Examples
    --------
    >>> from dnlib.networks import BabyUNet
    >>> method = Noise2Self(BabyUNet(1, 8), width=2, inference="mixed")
    >>> method.denoise(torch.rand(1, 1, 21, 30), parameter=25).mean.shape
    torch.Size([1, 1, 21, 30])
    """

    needs: ClassVar = frozenset({"noisy"})

    def __init__(
        self,
        network: nn.Module,
        *,
        masks: Literal["grid", "random"] = "grid",
        width: int = 4,
        fill: Literal["mean", "random", "zero"] = "mean",
        inference: Literal["direct", "invariant", "mixed"] = "direct",
    ):
        super().__init__(network)
        if width < 2:
            raise ValueError(f"there are width^2 groups of pixels, so width >= 2; {width} was given")
        self.width, self.masks = width, one_of(masks, ("grid", "random"), "what is hidden")
        self.fill = one_of(fill, ("mean", "random", "zero"), "what hidden pixels show")
        self.inference = one_of(inference, ("direct", "invariant", "mixed"), "the inference")

    def loss(self, batch: Batch) -> Tensor:
        group = torch.randint(self.width**2, (), generator=batch.generator, device=batch.noisy.device)
        mask = self.groups(batch.noisy.shape, batch.generator) == group
        shown = self.hide(batch.noisy, mask, batch.generator)
        square = (self.network(shown) - batch.noisy) ** 2
        return (square * mask).sum() / (mask.sum() * batch.noisy.shape[1]).clamp(min=1)

    def groups(self, shape: torch.Size, generator: Generator) -> Tensor:
        """The number of the group that each pixel is in, 0 ... width^2 - 1: [N, 1, H, W]."""
        count, _, height, width = shape
        if self.masks == "random":
            return torch.randint(self.width**2, (count, 1, height, width), generator=generator, device=generator.device)
        rows, columns = (torch.arange(n, device=generator.device) % self.width for n in (height, width))
        return (rows[:, None] * self.width + columns).expand(count, 1, height, width)

    def hide(self, image: Tensor, mask: Tensor, generator: Generator) -> Tensor:
        """The image with the pixels of `mask` [N, 1, H, W] replaced."""
        if self.fill == "mean":
            hidden = visible_mean(image, ~mask)
        elif self.fill == "random":
            hidden = torch.rand(image.shape, generator=generator, device=image.device)
        else:
            hidden = torch.zeros_like(image)
        return torch.where(mask, hidden, image)

    def estimate(self, noisy: Tensor, parameter: Tensor | None = None) -> Estimate:
        """As `Method.estimate`; `parameter` [N] for "mixed": sigma / 255 of each image."""
        if self.inference == "mixed" and parameter is None:
            raise ValueError("mixing needs the noise level: give denoise its `parameter`, sigma in 8-bit units")
        if self.inference == "direct":
            return Estimate(self.network(noisy))
        blind = self.invariant(noisy)
        if self.inference == "invariant":
            return Estimate(blind)
        losses = ((blind - noisy) ** 2).mean(dim=(1, 2, 3)).tolist()
        weights = [jinvariance.mixing_weight(s**2, loss) for s, loss in zip(parameter.tolist(), losses, strict=True)]
        return Estimate(jinvariance.mix(blind, noisy, noisy.new_tensor(weights)[:, None, None, None]))

    def _strength(self, noisy: Tensor, parameter: Tensor | float | None) -> Tensor | None:
        if self.inference == "mixed" and parameter is not None:
            return one_for_each(parameter, noisy) / 255
        return super()._strength(noisy, parameter)

    def invariant(self, noisy: Tensor) -> Tensor:
        """f(y)_J = g(y with J hidden)_J for every group J: no pixel's estimate depends on its own noisy value."""
        generator = torch.Generator(noisy.device).manual_seed(0)
        groups = self.groups(noisy.shape, generator)
        estimate = torch.zeros_like(noisy)
        for number in range(self.width**2):
            mask = groups == number
            estimate = torch.where(mask, self.network(self.hide(noisy, mask, generator)), estimate)
        return estimate


def visible_mean(image: Tensor, visible: Tensor) -> Tensor:
    """For each pixel the mean of those of its 8 neighbours that are visible, diagonals with half weight.

    Channel by channel; 0 where no neighbour is visible. (The repository takes hidden neighbours, too, which lets random
    groups leak, and pads with zeros, which darkens borders.)

    Parameters
    ----------
    image : Tensor [N, C, H, W]
        Of any values.
    visible : Tensor [N, 1, H, W] of bool
        Which pixels count.

    Examples
    --------
    >>> visible_mean(torch.arange(9.0).view(1, 1, 3, 3), torch.ones(1, 1, 3, 3, dtype=torch.bool))[0, 0, 1, 1]
    tensor(4.)
    """
    kernel = NEIGHBOURS.to(image, non_blocking=True)[None, None]
    weight = functional.conv2d(visible.to(image.dtype), kernel, padding=1)
    planes = (image * visible).flatten(0, 1)[:, None]
    total = functional.conv2d(planes, kernel, padding=1).view_as(image)
    return torch.where(weight > 0, total / weight.clamp(min=0.5), 0)
