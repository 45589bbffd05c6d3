"""Patch-Craft Self-Supervised Training (PCST): Noise2Noise, with targets pieced together from a burst's other frames.

The noise may be anything of mean zero that is independent from frame to frame, correlated from pixel to pixel or not.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from dnlib.images import check_burst
from dnlib.methods import patch_targets
from dnlib.methods.supervised import Noise2Noise


class PatchCraft(Noise2Noise):
    """Noise2Noise between middle frames of bursts and patch-craft targets t: the mean of (f(y) - t)^2.

    Parameters
    ----------
    network : nn.Module
        Any; PCST starts from a bias-free one that was trained blindly for independent Gaussian noise.

    References
    ----------
    Vaksman and Elad, Patch-Craft Self-Supervised Training for Correlated Image Denoising, CVPR 2023.

    Examples
    --------
    >>> from dnlib.networks import BiasFreeDnCNN
    >>> sorted(PatchCraft(BiasFreeDnCNN(3, 4, 8)).needs)
    ['noisy', 'second_noisy']
    """

    def __init__(self, network: nn.Module):
        super().__init__(network, "l2")


class Tiles(NamedTuple):
    """Tiles to learn from, and what tells the good targets from the wrong ones.

    Parameters
    ----------
    noisy, target : Tensor [N, C, side, side]
        Inputs, and what is asked for.
    covariance : ndarray [N]
        s_yr of every tile.
    cut : float
        The lowest s_yr of good targets.
    peak : float
        Of the histogram of s_yr: minus the variance of the noise, if the targets are good.

    Examples
    --------
    >>> noisy = torch.rand(3, 1, 8, 8)
    >>> tiles = Tiles(noisy, noisy + 0.1, covariance=np.array([-1.0, 0, 0]), cut=-0.5, peak=0.0)
    >>> tiles.good()
    array([False,  True,  True])
    """

    noisy: Tensor
    target: Tensor
    covariance: np.ndarray
    cut: float
    peak: float

    def good(self, width: float = 3.0) -> np.ndarray:
        """[N], False where s_yr says that the target is wrong, or where its mean lies `width` deviations off.

        Raises ValueError where no tile is left.
        """
        differences = (self.target - self.noisy).mean(dim=(1, 2, 3)).numpy()
        return patch_targets.keep(self.covariance, differences, cut=self.cut, width=width)

    def only(self, chosen: np.ndarray) -> "Tiles":
        return self._replace(noisy=self.noisy[chosen], target=self.target[chosen], covariance=self.covariance[chosen])

    def filtered(self, width: float = 3.0) -> "Tiles":
        """The good tiles, what is left of the mean difference taken off their targets."""
        tiles = self.only(self.good(width))
        return tiles._replace(target=tiles.target - (tiles.target - tiles.noisy).mean())


def craft_tiles(
    bursts: Sequence[Tensor],
    *,
    patch: int,
    radius: int,
    side: int = 50,
    stride: int = 30,
    seed: int = 0,
    progress: bool = False,
) -> Tiles:
    """Inputs and targets from noisy bursts: each tile of the middle frames once, its target crafted with one offset.

    Tiles come in the order of bursts, rows, columns.

    Parameters
    ----------
    bursts : sequence of Tensor [M, C, H, W]
        Noisy frames in their order; M odd.
    patch, radius : int
        Of the search; patches must be large enough to be recognised under the noise (33 to 45 for sigma 20).
    side, stride : int
        Of the tiles.
    seed : int
        Of the offsets.
    progress : bool
        Show a bar.

    Raises
    ------
    ValueError
        For bursts that cannot be learnt from.

    Examples
    --------
    >>> burst = torch.rand(3, 1, 20, 24, generator=torch.Generator().manual_seed(0))
    >>> craft_tiles([burst], patch=5, radius=1, side=10, stride=10).noisy.shape
    torch.Size([4, 1, 10, 10])
    """
    if not bursts:
        raise ValueError("at least one burst is needed; none was given")
    generator = torch.Generator().manual_seed(seed)
    every, samples = [], []
    for burst in tqdm(bursts, desc="patch craft", unit="burst", disable=not progress):
        check_burst(burst)
        if min(burst.shape[2:]) < side:
            raise ValueError(f"tiles of {side}x{side} are larger than frames of {burst.shape[2]}x{burst.shape[3]}")
        tops, lefts = (range(0, size - side + 1, stride) for size in burst.shape[2:])
        windows = [np.s_[:, :, top : top + side, left : left + side] for top in tops for left in lefts]
        offsets = patch_targets.deal(len(windows), patch, generator)
        pairs, covariances = _pairs_of(burst, windows, offsets, patch, radius, side)
        every += pairs
        samples += covariances
    noisy, target = (torch.cat(parts) for parts in zip(*every, strict=True))
    covariance = patch_targets.covariance(noisy, target).numpy()
    return Tiles(noisy, target, covariance, *patch_targets.lowest_allowed(torch.cat(samples).numpy()))


def _pairs_of(
    burst: Tensor, windows: list[tuple[slice, ...]], offsets: list[tuple[int, int]], patch: int, radius: int, side: int
) -> tuple[list[tuple[Tensor, Tensor]], list[Tensor]]:
    """Input and target of a burst in each window, by its offset; and the covariances of tiles all over the targets."""
    noisy, found = burst[len(burst) // 2][None], patch_targets.search(burst, patch=patch, radius=radius)
    pairs, covariances = [None] * len(windows), []
    for offset in dict.fromkeys(offsets):
        target = patch_targets.craft(burst, found, patch=patch, offset=offset)
        covariances.append(patch_targets.dense_covariance(noisy, target, side, step=patch).flatten().cpu())
        for number, (window, own) in enumerate(zip(windows, offsets, strict=True)):
            if own == offset:
                pairs[number] = noisy[window].cpu(), target[window].cpu()
    return pairs, covariances
