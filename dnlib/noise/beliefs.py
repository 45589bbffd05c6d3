"""Beliefs about pixels: a Gaussian over the C channels of each pixel, and what one can compute from it.

All covariances are [N, C, C, H, W]. They are factored entry by entry (Cholesky), which for 1 or 3 channels is a
handful of operations on whole images, where a general solver would take every pixel by itself.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor


class Belief(NamedTuple):
    mean: Tensor  # [N, C, H, W]
    cov: Tensor  # [N, C, C, H, W], symmetric, positive semidefinite

    @property
    def std(self) -> Tensor:
        """Standard deviation of each channel [N, C, H, W]."""
        return self.cov.diagonal(dim1=1, dim2=2).movedim(-1, 1).clamp(min=0).sqrt()


def log_density(value: Tensor, belief: Belief) -> Tensor:
    """Log N(value; mean, cov) of each pixel [N, H, W], for a cov that is positive definite."""
    factor = cholesky(belief.cov)
    white = _forward(factor, value - belief.mean)
    channels = len(factor)
    log_det = 2 * sum(factor[i][i].log() for i in range(channels))
    return -0.5 * (sum(part**2 for part in white) + log_det + channels * math.log(2 * math.pi))


def condition(belief: Belief, observed: Tensor, noise: Tensor) -> Belief:
    """The belief after seeing observed = x + n, n ~ N(0, diag(noise)): Bayes' rule for Gaussians.

    mean + S (S + D)^-1 (observed - mean) and S - S (S + D)^-1 S, which is stable when S vanishes.
    noise: variances [N, C, H, W] > 0.
    """
    mean, cov = belief
    factor = cholesky(cov + diagonal(noise))
    surprise = _backward(factor, _forward(factor, observed - mean))
    channels = range(len(factor))
    after = mean + torch.stack([sum(cov[:, i, j] * surprise[j] for j in channels) for i in channels], dim=1)
    shares = [_forward(factor, cov[:, :, j]) for j in channels]
    gained = [[sum(shares[i][k] * shares[j][k] for k in channels) for j in channels] for i in channels]
    return Belief(after, cov - torch.stack([torch.stack(row, dim=1) for row in gained], dim=1))


def cholesky(cov: Tensor) -> list[list[Tensor]]:
    """The lower triangle L of cov = L L^T, entry by entry: L[i][j] is [N, H, W], for j <= i."""
    lower: list[list[Tensor]] = []
    smallest = torch.finfo(cov.dtype).tiny
    for i in range(cov.shape[1]):
        row: list[Tensor] = []
        for j in range(i):
            rest = cov[:, i, j] - sum(row[k] * lower[j][k] for k in range(j))
            row.append(rest / lower[j][j])
        row.append((cov[:, i, i] - sum(entry**2 for entry in row)).clamp(min=smallest).sqrt())
        lower.append(row)
    return lower


def diagonal(variances: Tensor) -> Tensor:
    """Covariances [N, C, C, H, W] of channels that vary independently, from their variances [N, C, H, W]."""
    return torch.diag_embed(variances.movedim(1, -1)).movedim((-2, -1), (1, 2))


def outer(a: Tensor, b: Tensor) -> Tensor:
    """A b^T of each pixel: [N, C, C, H, W]."""
    return a[:, :, None] * b[:, None, :]


def _forward(lower: list[list[Tensor]], vector: Tensor) -> list[Tensor]:
    """L^-1 v."""
    found: list[Tensor] = []
    for i, row in enumerate(lower):
        found.append((vector[:, i] - sum(row[j] * found[j] for j in range(i))) / row[i])
    return found


def _backward(lower: list[list[Tensor]], vector: list[Tensor]) -> list[Tensor]:
    """L^-T v."""
    found = list(vector)
    for i in reversed(range(len(lower))):
        found[i] = (vector[i] - sum(lower[j][i] * found[j] for j in range(i + 1, len(lower)))) / lower[i][i]
    return found
