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
    """How the two branches look, the local one first.

    Parameters
    ----------
    strides : (int, int)
        Of the pixel shuffle.
    shrink : (float, float)
        To which share of its distance every tap is moved.

    Examples
    --------
    >>> SIDD[0]
    View(strides=(3, 4), shrink=(0.72, 0.8))
    """

    strides: tuple[int, int]
    shrink: tuple[float, float] = (1.0, 1.0)


SIDD = View((3, 4), (0.72, 0.80)), View((2, 4), (0.46, 0.43))  # first, and in the refinement
DND = View((2, 4), (0.5, 0.65)), View((2, 2), (0.4, 0.35))


class LGBPN(Method):
    """A hole of the noise's shape. Loss: the mean of |f(y) - y|, f with strides 4 (local) and 5 (global).

    In use the strides are smaller, and the hole is shrunk.

    Parameters
    ----------
    network : BlindPatch
        Its branches are adjusted.
    views : (View, View)
        How they look when they denoise, and in the refinement after it: `SIDD` or `DND`.
    refinements, share
        Of the refinement, as of `APBSN`.

    Raises
    ------
    ValueError
        For a network of another kind, or whose hole is not what it says.

    References
    ----------
    Wang et al., LG-BPN: Local and Global Blind-Patch Network for Self-Supervised Real-World Denoising, CVPR 2023.

    Examples
    --------
    >>> from dnlib.networks import local_global
    >>> method = LGBPN(local_global(3, 8, local_blocks=1, global_=None), refinements=1)
    >>> method.denoise(torch.rand(1, 3, 21, 30)).mean.shape
    torch.Size([1, 3, 21, 30])
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
    """The network's branches with other strides and holes, for a while. Branches of another kind stay as they are.

    Examples
    --------
    >>> from dnlib.networks import local_global
    >>> network = local_global(3, 8, local_blocks=1, global_=None)
    >>> with adjusted(network, SIDD[0]):
    ...     print(network.local.stride, network.local.shrink)
    3 0.72
    >>> network.local.stride
    4
    """
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
