"""Patch-craft targets (PCST): a noisy target for the middle frame of a burst, pieced together from the other frames.

For every patch of the middle frame the nearest patch of the other frames is sought. Laid out like tiles, these patches
make an image of the same scene whose noise is that of other frames. Where the match is poor, the target is wrong in a
way that depends on the noise of the input, and `keep` finds such tiles by a covariance.
"""

from typing import NamedTuple

import numpy as np
import torch
from numba import njit, prange
from torch import Tensor

BAND = 48  # rows of patches that one thread takes at a time


class Neighbours(NamedTuple):
    """For every place of the padded middle frame where a patch may begin: the nearest patch of the other frames.

    Places are the rows and columns 1 - patch ... H - 1 (W - 1) of the frame: [H + patch - 1, W + patch - 1].
    """

    frame: np.ndarray  # its frame
    row: np.ndarray  # how many rows below
    column: np.ndarray  # and columns to the right it lies
    distance: np.ndarray  # mean squared difference of the pixels


def search(burst: Tensor, *, patch: int, radius: int) -> Neighbours:
    """The nearest patches, of patch x patch pixels and all channels, for up to `radius` rows and columns of motion.

    burst: [M, C, H, W]; frame M // 2 is the middle. Beyond the border frames are mirrored by patch - 1 pixels; farther
    out there are no candidates. Of equal distances the first counts, in the order of frames, rows, columns.
    Raises ValueError for a patch or radius that the frames do not allow.
    """
    frames, _, height, width = burst.shape
    if not 1 <= patch <= min(height, width):
        raise ValueError(f"a patch of {patch}x{patch} does not fit into frames of {height}x{width}")
    if radius < 1:
        raise ValueError(f"patches are sought at least 1 pixel away; a radius of {radius} was given")
    padded = np.ascontiguousarray(_mirrored(burst, patch).transpose(1, 2).float().numpy())
    best = np.full((height + patch - 1, width + patch - 1), np.finfo(np.float32).max, np.float32)
    frame, row, column = (np.zeros(best.shape, np.int16) for _ in range(3))
    middle = frames // 2
    for other in range(frames):
        if other != middle:
            _search_frame(padded[middle], padded[other], patch, radius, other, best, frame, row, column)
    return Neighbours(frame, row, column, best / (patch**2 * burst.shape[1]))


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


def dense_covariance(noisy: Tensor, target: Tensor, side: int) -> Tensor:
    """The same for every tile of side x side pixels in images [1, C, H, W]: [H - side + 1, W - side + 1]."""
    y, r = noisy.double(), (target - noisy).double()
    y, r = y - y.mean(), r - r.mean()  # changes nothing, and keeps the sums small
    mean_yr, mean_y, mean_r = (
        torch.nn.functional.avg_pool2d(part.mean(dim=1, keepdim=True), side, stride=1) for part in (y * r, y, r)
    )
    return (mean_yr - mean_y * mean_r)[0, 0]


def lowest_allowed(statistic: np.ndarray, bins: int = 50_001) -> tuple[float, float]:
    """Where to cut off the left tail of s_yr, and its peak.

    Under independence s_yr scatters evenly about its peak, so that the mean lies there; poor matches add a tail on the
    left. The cut is where what is left of the tail balances the right side: the first moments about the peak are equal.
    Raises ValueError for values that are empty or not finite.
    """
    statistic = np.asarray(statistic, dtype=float).ravel()
    if not len(statistic) or not np.isfinite(statistic).all():
        raise ValueError("the covariances of at least one tile are needed, all finite")
    counts, edges = np.histogram(statistic, bins=bins)
    centres = (edges[1:] + edges[:-1]) / 2
    peak = int(counts.argmax())
    right = float((counts[peak + 1 :] * (centres[peak + 1 :] - centres[peak])).sum())
    left = np.cumsum((counts[:peak] * (centres[peak] - centres[:peak]))[::-1])
    beyond = np.flatnonzero(left > right)
    return float(centres[peak - 1 - beyond[0]] if len(beyond) else edges[0]), float(centres[peak])


def keep(statistic: np.ndarray, mean_difference: np.ndarray, *, cut: float, width: float = 3.0) -> np.ndarray:
    """Which tiles to learn from: s_yr above `cut`, and the mean of target - input within `width` deviations of usual.

    Raises ValueError if none is left.
    """
    kept = np.asarray(statistic) > cut
    if kept.any():
        usual, scatter = mean_difference[kept].mean(), mean_difference[kept].std()
        kept &= np.abs(mean_difference - usual) <= width * max(scatter, 1e-12)
    if not kept.any():
        raise ValueError(
            f"none of {len(kept)} tiles is left: all have a covariance below {cut:.3g}. Is the burst of one scene, and "
            "are its frames noisy?"
        )
    return kept


def _mirrored(burst: Tensor, patch: int) -> Tensor:
    return torch.nn.functional.pad(burst, (patch - 1,) * 4, mode="reflect") if patch > 1 else burst


@njit(parallel=True, fastmath={"contract"}, cache=True)
def _search_frame(middle, other, patch, radius, number, best, frame, row, column):
    """Compare all patches of `middle` with those of `other` within the radius, [H, C, W] each; sums of squares.

    All sideways motions are treated at once, as one vector, so that the running sums over a patch, first down the rows
    and then along them, are vector operations.
    """
    height, _, width = middle.shape
    places, across = best.shape
    candidates = 2 * radius + 1
    for band in prange((places + BAND - 1) // BAND):
        first, last = band * BAND, min((band + 1) * BAND, places)
        columns = np.empty((width, candidates), np.float32)
        run = np.empty(candidates, np.float32)
        for dy in range(-radius, radius + 1):
            low, high = max(first, -dy), min(last, height - patch + 1 - dy)
            if low >= high:
                continue
            columns[:] = 0
            for y in range(low, low + patch):
                _add_row(middle[y], other[y + dy], radius, columns, np.float32(1))
            for y in range(low, high):
                if y > low:
                    _add_row(middle[y - 1], other[y - 1 + dy], radius, columns, np.float32(-1))
                    _add_row(middle[y + patch - 1], other[y + patch - 1 + dy], radius, columns, np.float32(1))
                run[:] = 0
                for x in range(patch):
                    for d in range(candidates):
                        run[d] += columns[x, d]
                for x in range(across):
                    if x > 0:
                        for d in range(candidates):
                            run[d] += columns[x + patch - 1, d] - columns[x - 1, d]
                    start, stop = max(0, radius - x), min(candidates, across - x + radius)
                    least, place = best[y, x], -1
                    for d in range(start, stop):
                        if run[d] < least:
                            least, place = run[d], d
                    if place >= 0:
                        best[y, x], frame[y, x], row[y, x], column[y, x] = least, number, dy, place - radius


@njit(fastmath={"contract"}, cache=True)
def _add_row(here, there, radius, columns, sign):
    """Add sign * |here(x) - there(x + d)|^2 to columns[x, d] for all x and all motions d that stay inside."""
    channels, width = here.shape
    for x in range(width):
        start, stop = max(0, radius - x), min(2 * radius + 1, width - x + radius)
        for c in range(channels):
            value = here[c, x]
            for d in range(start, stop):
                difference = value - there[c, x + d - radius]
                columns[x, d] += sign * difference * difference
