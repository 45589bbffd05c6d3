"""LG-BPN (Wang et al. 2023): a hole of the shape that the noise's correlation has, made smaller in use."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from dnlib.methods.ap_bsn import refine
from dnlib.methods.base import Estimate, Method, check_blind
from dnlib.methods.batch import Batch
from dnlib.networks import BlindPatch, Branch


class View(NamedTuple):
    """How the branches look, in their order: stride of the pixel shuffle, and share of the taps' distance."""

    strides: tuple[int, int]
    shrink: tuple[float, float] = (1.0, 1.0)


SIDD = View((3, 4), (0.72, 0.80)), View((2, 4), (0.46, 0.43))  # first, and in the refinement
DND = View((2, 4), (0.5, 0.65)), View((2, 2), (0.4, 0.35))


class LGBPN(Method):
    """Loss: the mean of |f(y) - y|, f with strides 4 (local) and 5 (global). In use smaller strides, and a hole shrunk.

    views: how the branches look when they denoise, and in the random-replacing refinement after it.
    refinements, share: of the refinement; none with 0.
    Raises ValueError for a network of another kind.
    """

    needs: ClassVar = frozenset({"noisy"})

    def __init__(
        self,
        network: BlindPatch,
        *,
        views: tuple[View, View] = SIDD,
        refinements: int = 8,
        share: float = 0.16,
    ):
        super().__init__(network)
        if not isinstance(network, BlindPatch):
            raise ValueError(
                f"LG-BPN works with a BlindPatch, whose branches it adjusts; {type(network).__name__} was given"
            )
        check_blind(network)
        (self.first, self.again), self.refinements, self.share = views, refinements, share

    def loss(self, batch: Batch) -> Tensor:
        return torch.mean((self.network(batch.noisy) - batch.noisy).abs())

    def estimate(self, noisy: Tensor) -> Estimate:
        with adjusted(self.network, self.first):
            result = self.network(noisy)
        if self.refinements:
            with adjusted(self.network, self.again):
                result = refine(self.network, noisy, result, times=self.refinements, share=self.share)
        return Estimate(result)


@contextmanager
def adjusted(network: BlindPatch, view: View) -> Iterator[None]:
    """The network's branches with other strides and holes, for a while. Branches of another kind stay as they are."""
    looks = zip((network.local, network.global_), zip(*view, strict=True), strict=True)
    looks = {branch: look for branch, look in looks if isinstance(branch, Branch)}
    before = {branch: (branch.stride, branch.shrink) for branch in looks}
    try:
        _adjust(looks)
        yield
    finally:
        _adjust(before)


def _adjust(looks: dict[Branch, tuple[int, float]]) -> None:
    for branch, (stride, shrink) in looks.items():
        branch.stride, branch.shrink = stride, shrink
