"""Noise in frame after frame, which a camera may share from one to the next."""

import math

from torch import Generator, Tensor

from dnlib.noise.models import Noise, NoisyImage


def noisy_burst(burst: Tensor, noise: Noise, generator: Generator, *, temporal: float = 0.0) -> NoisyImage:
    """Noise in every frame of a burst, independent or correlated from frame to frame.

    Parameters
    ----------
    burst : Tensor [T, C, H, W]
        Clean frames in their order.
    noise : Noise
        With `temporal`, one whose noise does not depend on the image: what it adds to one frame is mixed into the next.
    generator : torch.Generator
        Where all randomness comes from.
    temporal : float
        In [0, 1): the noise of frames t apart correlates by temporal^t.

    Returns
    -------
    NoisyImage
        As `Noise.sample`, one image per frame.

    Raises
    ------
    ValueError
        For a correlation outside [0, 1).

    Examples
    --------
    >>> import torch
    >>> from dnlib.noise import Gaussian
    >>> clean = torch.full((3, 1, 100, 100), 0.5)
    >>> noisy = noisy_burst(clean, Gaussian(25), torch.Generator().manual_seed(0), temporal=0.9).image
    >>> first, second, _ = (noisy - clean).flatten(1)
    >>> round(torch.corrcoef(torch.stack([first, second]))[0, 1].item(), 1)
    0.9
    """
    if not 0 <= temporal < 1:
        raise ValueError(f"the correlation from frame to frame lies in [0, 1); {temporal} was given")
    noisy, parameter = noise.sample(burst, generator)
    if temporal:
        added = noisy - burst
        for t in range(1, len(added)):
            added[t] = temporal * added[t - 1] + math.sqrt(1 - temporal**2) * added[t]
        noisy = burst + added
    return NoisyImage(noisy, parameter)
