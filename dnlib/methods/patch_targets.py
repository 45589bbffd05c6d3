"""Patch-craft targets (PCST): a noisy target for the middle frame of a burst, pieced together from the other frames.

For every patch of the middle frame the nearest patch of the other frames is sought. Laid out like tiles, these patches
make an image of the same scene whose noise is that of other frames. Where the match is poor, the target is wrong in a
way that depends on the noise of the input, and `keep` finds such tiles by a covariance.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class Neighbours(NamedTuple):
    """For every place of the padded middle frame where a patch may begin: the nearest patch of the other frames.

    Places are the rows and columns 1 - patch ... H - 1 (W - 1) of the frame; every array is
    [H + patch - 1, W + patch - 1].
    """

    frame: np.ndarray  # the frame that the nearest patch is in
    row: np.ndarray  # how many rows farther down
    column: np.ndarray  # and columns farther right it begins
    distance: np.ndarray  # the mean squared difference of the pixels


def search(burst: Tensor, *, patch: int, radius: int) -> Neighbours:
    """The nearest patches of the middle frame, of patch x patch pixels and all channels, in the other frames.

    Beyond the border frames are mirrored by patch - 1 pixels; farther out there are no candidates. Of equal distances
    the first counts, in the order of frames, rows, columns. On the CPU compiled loops search, on a GPU tensors; both
    find the same up to rounding, which may decide between patches that are nearly equal.

    Parameters
    ----------
    burst : Tensor [M, C, H, W]
        Frame M // 2 is the middle.
    patch : int
        Side of a patch.
    radius : int
        How many rows and columns the scene may have moved.

    Raises
    ------
    ValueError
        For a patch larger than the frames, or a radius below 1.

    Examples
    --------
    >>> burst = torch.rand(3, 1, 20, 24, generator=torch.Generator().manual_seed(0))
    >>> burst[2] = burst[1].roll((1, 2), dims=(1, 2))  # moved down by a row, right by two columns
    >>> found = search(burst, patch=5, radius=2)
    >>> int(found.frame[12, 12]), int(found.row[12, 12]), int(found.column[12, 12])
    (2, 1, 2)
    """
    height, width = burst.shape[2:]
    if not 1 <= patch <= min(height, width):
        raise ValueError(f"a patch of {patch}x{patch} does not fit into frames of {height}x{width}")
    if radius < 1:
        raise ValueError(f"patches are sought at least 1 pixel away; a radius of {radius} was given")
    by = _by_loops if burst.device.type == "cpu" else _by_tensors
    best, motion = by(_mirrored(burst, patch).float(), patch, radius)
    found = _motions(len(burst), radius).astype(np.int16)[motion]
    return Neighbours(*np.moveaxis(found, -1, 0), best / (patch**2 * burst.shape[1]))


def _motions(frames: int, radius: int) -> np.ndarray:
    """All candidates in their order: frame, rows, columns: [number, 3]."""
    across = np.arange(-radius, radius + 1)
    others = np.delete(np.arange(frames), frames // 2)
    return np.stack(np.meshgrid(others, across, across, indexing="ij"), axis=-1).reshape(-1, 3)


def _by_loops(padded: Tensor, patch: int, radius: int) -> tuple[np.ndarray, np.ndarray]:
    """The smallest sums of squares, and the numbers of their motions."""
    from dnlib.methods import patch_search  # and with it the compiler, which nobody else should wait for

    rows_first = np.ascontiguousarray(padded.transpose(1, 2).numpy())  # [M, H, C, W]
    threads = torch.get_num_threads()
    try:
        return patch_search.search(rows_first, patch, radius)
    finally:
        torch.set_num_threads(threads)  # numba, when it starts, gives OpenMP, and so torch, all cores


def _by_tensors(padded: Tensor, patch: int, radius: int) -> tuple[np.ndarray, np.ndarray]:
    """The same, one motion of the whole frame at a time."""
    height, width = padded.shape[2:]
    shape, middle = (height - patch + 1, width - patch + 1), padded[len(padded) // 2]
    best = torch.full(shape, torch.inf, device=padded.device)
    motion = torch.zeros(shape, dtype=torch.int32, device=padded.device)
    for number, (other, dy, dx) in enumerate(_motions(len(padded), radius).tolist()):
        if abs(dy) >= shape[0] or abs(dx) >= shape[1]:
            continue
        (y, to_y), (x, to_x) = _overlap(height, dy), _overlap(width, dx)
        squares = ((middle[:, y, x] - padded[other, :, to_y, to_x]) ** 2).sum(dim=0)
        sums = torch.nn.functional.pad(squares.double().cumsum(0).cumsum(1), (1, 0, 1, 0))
        sums = (sums[patch:, patch:] - sums[:-patch, patch:] - sums[patch:, :-patch] + sums[:-patch, :-patch]).float()
        place = slice(y.start, y.start + sums.shape[0]), slice(x.start, x.start + sums.shape[1])
        nearer = sums < best[place]
        best[place] = torch.where(nearer, sums, best[place])
        motion[place] = torch.where(nearer, number, motion[place])
    return best.cpu().numpy(), motion.cpu().numpy()


def _overlap(size: int, shift: int) -> tuple[slice, slice]:
    """Where both exist: the places that have a partner `shift` farther on, and these partners."""
    return slice(max(0, -shift), size - max(0, shift)), slice(max(0, shift), size - max(0, -shift))


def craft(burst: Tensor, found: Neighbours, *, patch: int, offset: tuple[int, int]) -> Tensor:
    """The patch-craft image [1, C, H, W] whose tiles begin at `offset` (row, column), each in 0 ... patch - 1."""
    if not all(0 <= part < patch for part in offset):
        raise ValueError(f"offsets lie in 0 ... {patch - 1}; {offset} was given")
    height, width = burst.shape[2:]
    padded = _mirrored(burst, patch)
    rows, columns = np.arange(offset[0], height + patch - 1, patch), np.arange(offset[1], width + patch - 1, patch)
    inside = np.arange(patch)
    top, left = np.meshgrid(rows, columns, indexing="ij")
    y = (top + found.row[top, left])[:, :, None, None] + inside[:, None]
    x = (left + found.column[top, left])[:, :, None, None] + inside
    tiles = padded[found.frame[top, left].astype(int)[:, :, None, None], :, y, x]  # [rows, columns, patch, patch, C]
    image = tiles.permute(4, 0, 2, 1, 3).reshape(burst.shape[1], len(rows) * patch, len(columns) * patch)
    up, before = patch - 1 - offset[0], patch - 1 - offset[1]
    return image[None, :, up : up + height, before : before + width]


def deal(count: int, patch: int, generator: torch.Generator) -> list[tuple[int, int]]:
    """An offset for each of `count` tiles: all patch^2 offsets equally often, as far as that goes, in random order."""
    numbers = torch.arange(count) % patch**2
    order = torch.randperm(patch**2, generator=generator)[numbers][torch.randperm(count, generator=generator)]
    return [divmod(int(number), patch) for number in order]


def covariance(noisy: Tensor, target: Tensor) -> Tensor:
    """s_yr of each tile [N, C, H, W]: the covariance, over its values, of the input y with r = target - y: [N].

    If the target shows the same scene and its noise is independent, it is minus the variance of the input's noise. A
    target that is wrong differs from the input by more.
    """
    y, r = noisy.flatten(1).double(), (target - noisy).flatten(1).double()
    return (y * r).mean(dim=1) - y.mean(dim=1) * r.mean(dim=1)


def dense_covariance(noisy: Tensor, target: Tensor, side: int, step: int = 1) -> Tensor:
    """The same for the tiles of side x side pixels at every `step`-th row and column of images [1, C, H, W]."""
    y, r = noisy.double(), (target - noisy).double()
    y, r = y - y.mean(), r - r.mean()  # changes nothing, and keeps the sums small
    mean_yr, mean_y, mean_r = (
        torch.nn.functional.avg_pool2d(part.mean(dim=1, keepdim=True), side, stride=step) for part in (y * r, y, r)
    )
    return (mean_yr - mean_y * mean_r)[0, 0]


def lowest_allowed(statistic: np.ndarray) -> tuple[float, float]:
    """Where to cut off the left tail of s_yr, and its peak.

    Under independence s_yr scatters evenly about its peak, so that the mean lies there; poor matches add a tail on the
    left. The cut is where what is left of the tail balances the right side: the first moments about the peak are equal.
    The peak is the median of the shortest interval that holds a quarter of the values. (PCST takes the fullest of
    50,001 bins of a histogram, for which it has millions of values.)
    Raises ValueError for values that are empty or not finite.
    """
    ordered = np.sort(np.asarray(statistic, dtype=float).ravel())
    if not len(ordered) or not np.isfinite(ordered).all():
        raise ValueError("the covariances of at least one tile are needed, all finite")
    quarter = len(ordered) // 4
    first = int((ordered[quarter:] - ordered[: len(ordered) - quarter]).argmin())
    peak = float(np.median(ordered[first : first + quarter + 1]))
    right, below = (ordered[ordered > peak] - peak).sum(), ordered[ordered < peak][::-1]
    beyond = np.flatnonzero(np.cumsum(peak - below) > right)
    return float(below[beyond[0]] if len(beyond) else np.nextafter(ordered[0], -np.inf)), peak


def keep(statistic: np.ndarray, mean_difference: np.ndarray, *, cut: float, width: float = 3.0) -> np.ndarray:
    """Which tiles to learn from: s_yr above `cut`, and the mean of target - input within `width` deviations of usual.

    Raises ValueError if none is left.
    """
    kept = np.asarray(statistic) > cut
    if not kept.any():
        raise ValueError(
            f"none of {len(kept)} tiles is left: all have a covariance below {cut:.3g}. Is the burst of one scene, and "
            "are its frames noisy?"
        )
    usual, scatter = mean_difference[kept].mean(), mean_difference[kept].std()
    kept &= np.abs(mean_difference - usual) <= width * max(scatter, 1e-12)
    if not kept.any():
        raise ValueError(f"none of {len(kept)} tiles is left: each is off by more than {width:g} deviations")
    return kept


def _mirrored(burst: Tensor, patch: int) -> Tensor:
    return torch.nn.functional.pad(burst, (patch - 1,) * 4, mode="reflect") if patch > 1 else burst
