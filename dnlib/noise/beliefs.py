"""Beliefs about pixels: a Gaussian over the C channels of each pixel, and what can be computed from it.

Covariances are [N, C, C, H, W]. They are factored entry by entry (Cholesky), which for 1 or 3 channels is a handful of
operations on whole images, where a general solver would take every pixel by itself.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor


class Belief(NamedTuple):
    """What is known of each pixel: a Gaussian over its channels.

    Parameters
    ----------
    mean : Tensor [N, C, H, W]
        The most likely values.
    cov : Tensor [N, C, C, H, W]
        Symmetric and positive semidefinite.

    Examples
    --------
    >>> belief = Belief(torch.zeros(1, 3, 4, 5), diagonal(torch.full((1, 3, 4, 5), 0.04)))
    >>> belief.std.unique().tolist()
    [0.200000...]
    """

    mean: Tensor
    cov: Tensor

    @property
    def std(self) -> Tensor:
        """Standard deviation of each channel [N, C, H, W]."""
        return self.cov.diagonal(dim1=1, dim2=2).movedim(-1, 1).clamp(min=0).sqrt()


def log_density(value: Tensor, belief: Belief) -> Tensor:
    """The logarithm of N(value; mean, cov) at each pixel.

    Parameters
    ----------
    value : Tensor [N, C, H, W]
        What was measured.
    belief : Belief
        With a positive definite covariance, in float32 or float64.

    Returns
    -------
    Tensor [N, H, W]
        Natural logarithms.

    Examples
    --------
    >>> mean = torch.zeros(1, 1, 1, 1)
    >>> log_density(mean, Belief(mean, diagonal(mean + 1))).item()  # -log(2 pi) / 2
    -0.918938...
    """
    factor = cholesky(belief.cov)
    white = _forward(factor, value - belief.mean)
    channels = len(factor)
    log_det = 2 * sum(factor[i][i].log() for i in range(channels))
    return -0.5 * (sum(part**2 for part in white) + log_det + channels * math.log(2 * math.pi))


def condition(belief: Belief, observed: Tensor, noise: Tensor) -> Belief:
    """Bayes' rule for Gaussians: the belief about x after seeing observed = x + n, n ~ N(0, D), D = diag(noise).

    With S the covariance before, the mean moves by S (S + D)^-1 (observed - mean), and the covariance becomes
    S - S (S + D)^-1 S, a form which is stable when S vanishes.

    Parameters
    ----------
    belief : Belief
        About the clean pixels, in float32 or float64.
    observed : Tensor [N, C, H, W]
        The noisy pixels.
    noise : Tensor [N, C, H, W]
        Variances of their noise, > 0.

    Examples
    --------
    >>> before = Belief(torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, 1, 1))
    >>> after = condition(before, observed=torch.ones(1, 1, 1, 1), noise=torch.ones(1, 1, 1, 1))
    >>> round(after.mean.item(), 3), round(after.cov.item(), 3)  # both are trusted alike
    (0.5, 0.5)
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
    """The lower triangle L of cov = L L^T, entry by entry.

    Parameters
    ----------
    cov : Tensor [N, C, C, H, W]
        Covariances in float32 or float64.

    Returns
    -------
    list of list of Tensor
        L[i][j] is [N, H, W], for j <= i.

    Raises
    ------
    ValueError
        For another dtype.

    Examples
    --------
    >>> cov = torch.tensor([[4.0, 2.0], [2.0, 2.0]]).view(1, 2, 2, 1, 1)
    >>> [[entry.item() for entry in row] for row in cholesky(cov)]
    [[2.0], [1.0, 1.0]]
    """
    if cov.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"beliefs are computed in float32 or float64; {cov.dtype} was given")
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
    """Covariances [N, C, C, H, W] of channels that vary independently, from their variances [N, C, H, W].

    Examples
    --------
    >>> diagonal(torch.tensor([1.0, 2.0]).view(1, 2, 1, 1)).squeeze().tolist()
    [[1.0, 0.0], [0.0, 2.0]]
    """
    return torch.diag_embed(variances.movedim(1, -1)).movedim((-2, -1), (1, 2))


def outer(a: Tensor, b: Tensor) -> Tensor:
    """The outer product a b^T [N, C, C, H, W] of the channels of each pixel, of a and b [N, C, H, W].

    Examples
    --------
    >>> outer(torch.tensor([1, 2]).view(1, 2, 1, 1), torch.tensor([3, 4]).view(1, 2, 1, 1)).squeeze().tolist()
    [[3, 4], [6, 8]]
    """
    return a[:, :, None] * b[:, None, :]


def _forward(lower: list[list[Tensor]], vector: Tensor) -> list[Tensor]:
    """Solves L x = v, row by row from the top."""
    solved: list[Tensor] = []
    for i, row in enumerate(lower):
        solved.append((vector[:, i] - sum(row[j] * solved[j] for j in range(i))) / row[i])
    return solved


def _backward(lower: list[list[Tensor]], vector: list[Tensor]) -> list[Tensor]:
    """Solves L^T x = v, row by row from the bottom."""
    solved = list(vector)
    for i in reversed(range(len(lower))):
        solved[i] = (vector[i] - sum(lower[j][i] * solved[j] for j in range(i + 1, len(lower)))) / lower[i][i]
    return solved
