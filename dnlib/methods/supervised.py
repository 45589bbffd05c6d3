"""Noise2Clean and Noise2Noise: regression onto a clean image, or onto a second noisy one."""

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from dnlib.images import one_of
from dnlib.methods.base import Method
from dnlib.methods.batch import Batch

FLOOR = 1e-5  # mean squared error, 50 dB: to be better than this gains nothing


def l2(difference: Tensor, progress: float) -> Tensor:
    """The mean square: smallest at the mean of what a target may be."""
    return torch.mean(difference**2)


def l1(difference: Tensor, progress: float) -> Tensor:
    """The mean absolute value: smallest at the median."""
    return torch.mean(difference.abs())


def l0(difference: Tensor, progress: float) -> Tensor:
    """The mean of |d|^gamma, gamma going from 2 to 0 during training: in the end smallest at the mode."""
    return torch.mean((difference.abs() + 1e-8) ** (2 * (1 - progress)))


def psnr(difference: Tensor, progress: float) -> Tensor:
    """The mean over images of the logarithm of their mean square [N, C, H, W]."""
    return torch.mean(torch.log((difference**2).mean(dim=(1, 2, 3)) + FLOOR))


LOSSES = {loss.__name__: loss for loss in (l2, l1, l0, psnr)}


class Noise2Clean(Method):
    """The upper bound every other method is compared with: x is the clean image.

    Parameters
    ----------
    network : nn.Module
        Any.
    loss : {"l2", "psnr"}
        "l2": the mean of (f(y) - x)^2; "psnr": the mean over images of the logarithm of that, with 1e-5 added, so that
        a decibel counts alike in each. Where the strength of noise differs widely from image to image, the strongest
        would otherwise decide alone, and weak noise would be smoothed away with its picture.

    Raises
    ------
    ValueError
        For another loss.

    Examples
    --------
    >>> from dnlib.networks import DnCNN
    >>> Noise2Clean(DnCNN(3, 3, 8)).denoise(torch.rand(1, 3, 21, 30)).mean.shape
    torch.Size([1, 3, 21, 30])
    """

    needs: ClassVar = frozenset({"noisy", "clean"})

    def __init__(self, network: nn.Module, loss: Literal["l2", "psnr"] = "l2"):
        super().__init__(network)
        self.norm = one_of(loss, ("l2", "psnr"), "the loss")

    def loss(self, batch: Batch) -> Tensor:
        return LOSSES[self.norm](self.network(batch.noisy) - batch.clean, batch.progress)


class Noise2Noise(Method):
    """The target y' is a second noisy image of the same scene.

    The best answer is the same as with clean targets, as long as noise does not change what the loss looks for: the
    mean, the median or the mode of the targets.

    Parameters
    ----------
    network : nn.Module
        Any.
    loss : {"l2", "l1", "l0", "psnr"}
        "l2" looks for the mean: (f(y) - y')^2, any zero-mean noise; "l1" for the median: |f(y) - y'|, for example text
        over less than half of the pixels; "l0" for the mode: (|f(y) - y'| + 1e-8)^gamma, gamma going from 2 to 0 during
        training: impulses of random value; "psnr" for the mean, as in `Noise2Clean`: images with weak noise weigh more.

    References
    ----------
    Lehtinen et al., Noise2Noise: Learning Image Restoration without Clean Data, ICML 2018.

    Examples
    --------
    >>> from dnlib.networks import DnCNN
    >>> sorted(Noise2Noise(DnCNN(3, 3, 8), "l1").needs)
    ['noisy', 'second_noisy']
    """

    needs: ClassVar = frozenset({"noisy", "second_noisy"})

    def __init__(self, network: nn.Module, loss: Literal["l2", "l1", "l0", "psnr"] = "l2"):
        super().__init__(network)
        self.norm = one_of(loss, LOSSES, "the loss")

    def loss(self, batch: Batch) -> Tensor:
        return LOSSES[self.norm](self.network(batch.noisy) - batch.second_noisy, batch.progress)
