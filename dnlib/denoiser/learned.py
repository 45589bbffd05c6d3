"""The shipped networks as filters of arrays: each is read once per process, and works through large images by tiles.

torch, which takes seconds to load, is imported when the first of them is used.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dnlib.filters import Filter
from dnlib.images import by_tiles, to_image, to_tensor

if TYPE_CHECKING:
    from torch import Tensor

    from dnlib.methods import Method

SIDE = 1024  # of a tile, in pixels


def is_there(name: str) -> bool:
    """Whether the weights called `name` are installed."""
    from dnlib.zoo import cards

    return name in cards.available()


def filter_of(name: str) -> Filter:
    """A network as a filter of images [H, W, 3] in [0, 1]; `sigma`, of the noise, for those that want to be told it."""

    def filter(image: np.ndarray, sigma: float | None = None, *, device: str = "auto") -> np.ndarray:
        return to_image(estimate(method_of(name, device), image, sigma)[0])

    return filter


def filter_by(method: "Method") -> Filter:
    """The same for a method that is at hand, on the device where it is."""

    def filter(image: np.ndarray, *, device: str = "auto") -> np.ndarray:
        return to_image(estimate(method, image, None)[0])

    return filter


def with_deviation(
    name: str, image: np.ndarray, sigma: float, *, device: str = "auto"
) -> tuple[np.ndarray, np.ndarray]:
    """The posterior mean of an image [H, W, 3] in [0, 1], and its standard deviation, pixel by pixel."""
    mean, deviation = estimate(method_of(name, device), image, sigma)
    return to_image(mean), to_image(deviation)


def estimate(method: "Method", image: np.ndarray, sigma: float | None) -> "tuple[Tensor, ...]":
    """What a method says of an image [H, W, 3] in [0, 1], tile by tile: the mean and, if it knows, its deviation."""
    import torch

    device = next(method.parameters()).device
    told = {} if sigma is None else {"parameter": torch.tensor([sigma], device=device)}
    with torch.no_grad():
        return by_tiles(
            lambda tile: tuple(part for part in method.estimate(tile, **told) if part is not None),
            to_tensor(image).to(device),
            side=SIDE,
            margin=method.network.reach,
            multiple=method.network.multiple,
        )


def method_of(name: str, device: str) -> "Method":
    """The trained method called `name`, which nobody may change: it is read once."""
    from dnlib.training import choose_device
    from dnlib.zoo import cards

    return _read(name, cards.HOME, choose_device(device))


@cache
def _read(name: str, home: Path, device: str) -> "Method":
    from dnlib.zoo import cards

    return cards.load_method(name, device=device)
