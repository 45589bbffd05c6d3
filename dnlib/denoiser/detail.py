"""Lessons for a network that is good already: recorrupted pairs and shots teach it detail, not brightness."""

import copy
from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from dnlib.filters import recorrupt
from dnlib.methods import Batch, PatchCraft, Recorrupted2Recorrupted

SIDE = 9  # pixels to a side of the means that are kept


class Detail(Recorrupted2Recorrupted):
    """Recorrupted2Recorrupted for what differs from local means; these stay as the network had them before.

    Pairs are taken for noise of mean zero that neighbours share over a few pixels. That of a file seldom has mean zero:
    black cuts it off, a tone curve bends it; and over how many pixels it is shared a single picture hardly tells. A
    network that learnt from clean pictures knows better, and would unlearn it within a few steps.

    network : nn.Module, already trained. noise, strength as `Recorrupted2Recorrupted` has them; denoises in one pass.
    """

    def __init__(self, network: nn.Module, noise: Callable[[Tensor, Generator], Tensor], strength: float):
        super().__init__(network, noise, strength=strength, draws=0)
        self.before = (copy.deepcopy(network).eval(),)  # in a tuple PyTorch takes it for no part that is trained

    def loss(self, batch: Batch) -> Tensor:
        shown, target = recorrupt(batch.noisy, self.draw(batch.noisy, batch.generator), self.strength)
        return _loss(self.network, self.before[0], shown, target)


class DetailOfShots(PatchCraft):
    """Patch-Craft in the same way: what other shots show of the noisy one is its detail.

    network : nn.Module, already trained.
    """

    def __init__(self, network: nn.Module):
        super().__init__(network)
        self.before = (copy.deepcopy(network).eval(),)

    def loss(self, batch: Batch) -> Tensor:
        return _loss(self.network, self.before[0], batch.noisy, batch.second_noisy)


def _loss(network: nn.Module, before: nn.Module, shown: Tensor, target: Tensor) -> Tensor:
    """Details as in the target, local means as the network had them before."""
    with torch.no_grad():
        kept = before(shown)
    answer = network(shown)
    wrong = answer - target
    return ((wrong - _means(wrong)) ** 2).mean() + (_means(answer - kept) ** 2).mean()


def _means(images: Tensor) -> Tensor:
    return functional.avg_pool2d(images, SIDE, 1, SIDE // 2, count_include_pad=False)
