"""Where a training's random numbers come from: from its seed and the number of the step, and from nothing before.

So a resumed training needs no generator's state, and dropout, which draws from torch's global generators, is repeated
as exactly as everything else.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def global_generators_kept(device: torch.device | str = "cpu") -> Iterator[None]:
    """Torch's global generators, of the CPU and of a CUDA device, are afterwards as they were."""
    device = torch.device(device)
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        yield


def seed_global_generators(device: torch.device | str, seed: int) -> None:
    """As `torch.manual_seed`, but of the CPU and one device only."""
    torch.default_generator.manual_seed(seed)
    kind = torch.device(device).type
    if kind != "cpu":
        getattr(torch, kind).manual_seed(seed)


def seeds(*key: int) -> tuple[int, int]:
    """Two independent numbers for a key of fixed length, such as seed, process and step."""
    first, second = np.random.SeedSequence(key).generate_state(2, np.uint64) >> np.uint64(1)
    return int(first), int(second)
