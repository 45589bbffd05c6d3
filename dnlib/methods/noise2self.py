"""Noise2Self for networks (Batson and Royer 2019): the loss on a group of pixels J that the network does not see.

The paper hides a random 25th of the pixels behind random values; the repository hides one phase of a grid behind
the mean of its neighbours. At test time all groups together give a J-invariant image, or one plain pass a better one.
"""

from typing import ClassVar, Literal

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from dnlib.filters import jinvariance
from dnlib.methods.base import Estimate, Method
from dnlib.methods.batch import Batch


class Noise2Self(Method):
    """Loss: mean (f(hidden y)_J - y_J)^2, one J per batch; a pixel of J is hidden in all its channels.

    masks: "grid", the width^2 phases of a grid, or "random", width^2 random groups (the paper's 25: width 5).
    fill: what hidden pixels show: the "mean" of the 8 neighbours (diagonals count half), "random" U[0, 1], or "zero".
    inference: "direct", one pass over the noisy image, or "invariant", width^2 passes, each keeping its own J.
    Raises ValueError for unknown names or a width below 2.
    """

    needs: ClassVar = frozenset({"noisy"})

    def __init__(
        self,
        network: nn.Module,
        *,
        masks: Literal["grid", "random"] = "grid",
        width: int = 4,
        fill: Literal["mean", "random", "zero"] = "mean",
        inference: Literal["direct", "invariant"] = "direct",
    ):
        super().__init__(network)
        for name, value, known in (
            ("masks", masks, ("grid", "random")),
            ("fill", fill, ("mean", "random", "zero")),
            ("inference", inference, ("direct", "invariant")),
        ):
            if value not in known:
                raise ValueError(f"{name} is one of {', '.join(known)}; {value!r} was given")
        if width < 2:
            raise ValueError(f"there are width^2 groups of pixels, so width >= 2; {width} was given")
        self.masks, self.width, self.fill, self.inference = masks, width, fill, inference

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

    def estimate(self, noisy: Tensor) -> Estimate:
        return Estimate(self.network(noisy) if self.inference == "direct" else self.invariant(noisy))

    def invariant(self, noisy: Tensor) -> Tensor:
        """f(y)_J = g(y with J hidden)_J for every group J: no pixel's estimate depends on its own noisy value."""
        generator = torch.Generator(noisy.device).manual_seed(0)
        groups = self.groups(noisy.shape, generator)
        estimate = torch.zeros_like(noisy)
        for number in range(self.width**2):
            mask = groups == number
            estimate = torch.where(mask, self.network(self.hide(noisy, mask, generator)), estimate)
        return estimate

    @torch.no_grad()
    def mixed(self, noisy: Tensor, sigma: float) -> Estimate:
        """The J-invariant estimate with the noisy pixel mixed back in, lambda = sigma^2 / L; sigma in 8-bit units."""
        if sigma is None or not sigma > 0:
            raise ValueError(f"mixing needs the noise level sigma > 0, in 8-bit units; {sigma} was given")

        def mix(noisy: Tensor) -> Estimate:
            blind = self.invariant(noisy)
            losses = ((blind - noisy) ** 2).mean(dim=(1, 2, 3)).tolist()
            weights = [jinvariance.mixing_weight((sigma / 255) ** 2, loss) for loss in losses]
            return Estimate(jinvariance.mix(blind, noisy, noisy.new_tensor(weights)[:, None, None, None]))

        return self._used(mix, noisy)


def visible_mean(image: Tensor, visible: Tensor) -> Tensor:
    """For each pixel the mean of those of its 8 neighbours that are `visible` [N, 1, H, W], diagonals with half weight.

    Channel by channel; 0 where no neighbour is visible. (The repository takes hidden neighbours, too, which lets random
    groups leak, and pads with zeros, which darkens borders.)
    """
    kernel = image.new_tensor([[0.5, 1, 0.5], [1, 0, 1], [0.5, 1, 0.5]])[None, None]
    weight = functional.conv2d(visible.to(image.dtype), kernel, padding=1)
    planes = (image * visible).flatten(0, 1)[:, None]
    total = functional.conv2d(planes, kernel, padding=1).view_as(image)
    return torch.where(weight > 0, total / weight.clamp(min=0.5), 0)
