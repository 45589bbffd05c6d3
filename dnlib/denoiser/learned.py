"""The shipped networks as filters of arrays: each is read once per process, and works through large images by tiles.

torch, which takes seconds to load, is imported when the first of them is used.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dnlib.filters import Filter, refined
from dnlib.images import by_tiles, to_image, to_tensor

if TYPE_CHECKING:
    from torch import Tensor

    from dnlib.methods import Method

SIDE = 1024  # of a tile, in pixels


def is_there(name: str) -> bool:
    """Whether the weights called `name` are installed."""
    from dnlib.zoo import cards

    return name in cards.available()


def filter_by(read: Callable[[str], "Method"], refining: float | None = None) -> Filter:
    """A network as a filter of images [H, W, C] or [H, W] in [0, 1].

    read: gives the network for a device. refining: the estimate is refined by similar patches, for noise of so many
    times the deviation `sigma`; None: it is not, and `sigma` is for networks that want to be told it.
    """

    def filter(image: np.ndarray, sigma: float | np.ndarray | None = None, *, device: str = "auto") -> np.ndarray:
        mean, *_ = estimate(read(device), image, sigma if refining is None else None)
        result = to_image(mean).reshape(image.shape)
        return result if refining is None else refined(image, refining * np.asarray(sigma), result)

    return filter


def with_deviation(
    name: str, image: np.ndarray, sigma: float, *, device: str = "auto"
) -> tuple[np.ndarray, np.ndarray]:
    """The posterior mean of an image [H, W, 3] in [0, 1], and its standard deviation, pixel by pixel."""
    mean, deviation = estimate(method_of(name, device), image, sigma)
    return to_image(mean), to_image(deviation)


def estimate(method: "Method", image: np.ndarray, sigma: float | None) -> "tuple[Tensor, ...]":
    """What a method says of an image [H, W, C] or [H, W] in [0, 1]: the mean and, if it knows, its deviation."""
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
