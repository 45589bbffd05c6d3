"""AP-BSN (Lee, Son, Lee 2022): a blind-spot network on every fifth pixel to learn, on every second to denoise."""

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Generator, Tensor, nn

from dnlib.methods.base import Estimate, Method, channels_of, check_blind
from dnlib.methods.batch import Batch
from dnlib.networks import shuffle


class APBSN(Method):
    """A blind-spot network on small images of every `train_stride`-th pixel; loss: the mean of |f(y) - y|.

    Parameters
    ----------
    network : nn.Module
        A blind one; it must say so by its `hole`.
    train_stride, stride : int
        Of the pixel shuffle in training and in use. A large one takes the noise's correlation apart, a small one keeps
        detail.
    border : int, optional
        Of zeros around the small images, which are tiled into one, as published; None makes them a batch.
    refinements : int
        How many mixtures `refine` averages in use; 0 leaves it out.
    share : float
        Of noisy pixels in each of them.

    Raises
    ------
    ValueError
        For a network that is not blind or does not answer with an image; for strides below 1.

    References
    ----------
    Lee, Son, Lee, AP-BSN: Self-Supervised Denoising for Real-World Images via Asymmetric PD and Blind-Spot Network,
    CVPR 2022.

    Examples
    --------
    >>> from dnlib.networks import DilatedBlindSpot
    >>> method = APBSN(DilatedBlindSpot(3, 8, blocks=1), refinements=1)
    >>> method.denoise(torch.rand(1, 3, 21, 30)).mean.shape
    torch.Size([1, 3, 21, 30])
    """

    needs: ClassVar = frozenset({"noisy"})

    def __init__(
        self,
        network: nn.Module,
        *,
        train_stride: int = 5,
        stride: int = 2,
        border: int | None = 2,
        refinements: int = 8,
        share: float = 0.16,
    ):
        super().__init__(network)
        check_blind(network, channels_of(network))
        if min(train_stride, stride) < 1:
            raise ValueError(f"strides are whole numbers >= 1; {train_stride} and {stride} were given")
        self.train_stride, self.stride, self.border = train_stride, stride, border
        self.refinements, self.share = refinements, share

    def loss(self, batch: Batch) -> Tensor:
        check_crop(batch.noisy, self.network.hole, self.train_stride)
        answer = shuffle.apply(self.network, batch.noisy, self.train_stride, border=self.border)
        return torch.mean((answer - batch.noisy).abs())

    def estimate(self, noisy: Tensor) -> Estimate:
        first = shuffle.apply(self.network, noisy, self.stride, border=self.border)
        if not self.refinements:
            return Estimate(first)
        return Estimate(refine(self.network, noisy, first, times=self.refinements, share=self.share))


def check_crop(noisy: Tensor, hole: Tensor, stride: int) -> None:
    """Raises ValueError for crops whose small images show nothing beside the hole, from which nothing is learnt.

    Examples
    --------
    >>> check_crop(torch.zeros(1, 3, 8, 8), torch.ones(1, 1), stride=5)
    Traceback (most recent call last):
    ValueError: a crop of 8x8 pixels is too small for a hole of 1x1 and a stride of 5: take 10 pixels or more
    """
    height, width = noisy.shape[2:]
    least = (len(hole) + 1) * stride
    if min(height, width) < least:
        raise ValueError(
            f"a crop of {height}x{width} pixels is too small for a hole of {len(hole)}x{len(hole)} and a stride of "
            f"{stride}: take {least} pixels or more"
        )


def refine(
    network: Callable[[Tensor], Tensor],
    noisy: Tensor,
    first: Tensor,
    *,
    times: int = 8,
    share: float = 0.16,
) -> Tensor:
    """Random-replacing refinement (R3): the mean of what a network says to mixtures of first estimate and noisy image.

    What is noisy again has few noisy neighbours, so its noise is nearly independent, and detail comes back.

    Parameters
    ----------
    network : callable
        From images to images.
    noisy, first : Tensor [N, C, H, W]
        The noisy images, and denoised ones.
    times : int
        How many mixtures.
    share : float
        Of the values, pixel by pixel and channel by channel, that are noisy again; in [0, 1]. Always the same ones.

    Raises
    ------
    ValueError
        For a share outside [0, 1], or for no mixtures.

    Examples
    --------
    >>> noisy, first = torch.zeros(1, 1, 50, 50), torch.ones(1, 1, 50, 50)
    >>> round(refine(lambda mixed: mixed, noisy, first, share=0.16).mean().item(), 2)
    0.84
    """
    if times < 1 or not 0 <= share <= 1:
        raise ValueError(f"at least one mixture is made, of shares in [0, 1]; {times} and {share} were given")
    total, generator = torch.zeros_like(first), Generator().manual_seed(0)
    for _ in range(times):
        again = torch.rand(noisy.shape, generator=generator).to(noisy.device) < share
        total += network(torch.where(again, noisy, first))
    return total / times
