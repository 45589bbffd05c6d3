"""Networks that see an image tile by tile, so that memory stays bounded."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from dnlib.images import by_tiles


@contextmanager
def tiled(networks: Iterable[nn.Module], tile: int | None) -> Iterator[None]:
    """For a while, networks see tiles of at most about `tile` pixels to a side, and one image of a batch at a time.

    A network says how far it sees on each side by its `reach`, None if it pools over the whole image, and where tiles
    may begin by `multiple`, the number of pixels after which its poolings or strides repeat.
    """
    if tile is None:
        yield
        return
    if not isinstance(tile, int) or isinstance(tile, bool) or tile < 1:
        raise ValueError(f"a tile is a whole number of pixels >= 1, or None for the whole image; {tile!r} was given")
    own = [(network, vars(network).get("forward")) for network in networks]
    for network, _ in own:
        network.forward = partial(_tile_by_tile, network, network.forward, tile)
    try:
        yield
    finally:
        for network, forward in own:
            del network.forward
            if forward is not None:  # set on it by somebody else
                network.forward = forward


def _tile_by_tile(network: nn.Module, whole: Callable[[Tensor], Tensor], tile: int, image: Tensor) -> Tensor:
    if max(image.shape[2:]) > tile:
        _check(network, tile)
        options = {"side": tile, "margin": network.reach, "multiple": network.multiple}
        parts = [by_tiles(lambda part: (whole(part),), one, **options)[0] for one in image.split(1)]
    else:
        parts = [whole(one) for one in image.split(1)]
    return torch.cat(parts)


def _check(network: nn.Module, tile: int) -> None:
    name = type(network).__name__
    if missing := [what for what in ("reach", "multiple") if not hasattr(network, what)]:
        raise ValueError(
            f"{name} cannot work in tiles, for it does not say its {' and '.join(missing)}: how many pixels it sees on "
            f"each side, and after how many its poolings repeat (1 without)"
        )
    if network.reach is None:
        raise ValueError(
            f"{name} pools over the whole image, so it cannot work in tiles; leave out `tile`, or give one as large as "
            f"the image"
        )
    if tile < network.reach:
        raise ValueError(
            f"{name} sees {network.reach} pixels on each side, so tiles have at least that many; {tile} were given"
        )
