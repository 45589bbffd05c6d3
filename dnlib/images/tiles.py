"""Large images worked through tile by tile, so that memory stays bounded."""

from collections.abc import Callable
from itertools import pairwise, product
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor


class Tile(NamedTuple):
    """Rows and columns of a tile: those kept, those seen, and those kept as counted within those seen.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.arange(12).reshape(3, 4)
    >>> all((image[tile.seen][tile.inner] == image[tile.kept]).all() for tile in tiles_of((3, 4), side=2, margin=1))
    True
    """

    kept: tuple[slice, slice]
    seen: tuple[slice, slice]
    inner: tuple[slice, slice]


def tiles_of(shape: tuple[int, int], *, side: int, margin: int, multiple: int = 1) -> list[Tile]:
    """The tiles of an image, which `by_tiles` explains; those that are kept cover it, once.

    Parameters
    ----------
    shape
        Its height and width.
    side, margin, multiple
        In pixels.

    Examples
    --------
    >>> [tile.seen[1] for tile in tiles_of((10, 90), side=50, margin=5)]
    [slice(0, 50, None), slice(40, 90, None)]
    """
    pieces = [_pieces(size, side, margin, multiple) for size in shape]
    return [Tile(*zip(rows, columns, strict=True)) for rows, columns in product(*pieces)]


def by_tiles(
    function: Callable[["Tensor"], tuple["Tensor", ...]],
    image: "Tensor",
    *,
    side: int,
    margin: int,
    multiple: int = 32,
) -> tuple["Tensor", ...]:
    """What a function says about an image, worked out tile by tile.

    The result is that of the whole image, to rounding, where a value depends on pixels no farther than `margin` away.
    That rules out what is pooled over the whole image, and noise or masks drawn to the image's size: draw these before,
    and tile the network alone.

    Networks that pool, or work on every n-th pixel, also depend on where an image begins: their 2x2 pixels, or those of
    their last level, are counted from the top left, and from the other corners in turned copies of the image
    (`networks.BlindSpotUNet`). Every tile therefore begins a multiple of `multiple` pixels after the image's beginning
    and ends a multiple of it before the image's end. Its sides leave the same remainder as the image's, and a network
    that fills up to a multiple adds as much to it.

    Parameters
    ----------
    function
        Takes [N, C, h, w] and returns a tuple of tensors [N, any, h, w].
    image
        [N, C, H, W], of any size.
    side
        How many pixels of a tile are kept, in height and width; the function sees at most
        `side + 2 * (margin + multiple - 1)`. An image no larger than `side + 2 * margin` is one tile.
    margin
        How many more pixels it sees at least on each side, unless the image ends there: no less than the network's
        reach. (`networks.BlindSpotUNet` reaches nearly 300 pixels with depth 5.)
    multiple
        A common multiple of the network's strides: 2^depth for a U-Net, times the stride of a pixel shuffle around it.

    Returns
    -------
    tuple of torch.Tensor
        As from the function, [N, any, H, W].

    Raises
    ------
    ValueError
        For what is no [N, C, H, W], a side or multiple below 1, or a margin below 0.

    Examples
    --------
    >>> import torch
    >>> image = torch.rand(1, 3, 203, 205)
    >>> (mean,) = by_tiles(lambda tile: (torch.nn.functional.avg_pool2d(tile, 5, 1, 2),), image, side=64, margin=2)
    >>> mean.shape
    torch.Size([1, 3, 203, 205])
    """
    if image.ndim != 4 or min(side, multiple) < 1 or margin < 0:
        raise ValueError(
            f"an image [N, C, H, W] is cut into tiles of side >= 1 with a margin >= 0 at multiples >= 1; "
            f"{list(image.shape)}, {side}, {margin} and {multiple} were given"
        )
    wholes = None
    for tile in tiles_of(image.shape[2:], side=side, margin=margin, multiple=multiple):
        parts = function(image[:, :, *tile.seen])
        if wholes is None:
            wholes = tuple(part.new_empty((*part.shape[:2], *image.shape[2:])) for part in parts)
        for whole, part in zip(wholes, parts, strict=True):
            whole[:, :, *tile.kept] = part[:, :, *tile.inner]
    return wholes


def _pieces(size: int, side: int, margin: int, multiple: int) -> list[tuple[slice, slice, slice]]:
    """Equal pieces of a line: what is kept of each, what is seen, and what is kept as counted within what is seen."""
    count = 1 if size <= side + 2 * margin else -(-size // side)
    pieces = []
    for start, stop in pairwise(size * number // count for number in range(count + 1)):
        first, last = _aligned(start - margin, multiple), size - _aligned(size - stop - margin, multiple)
        pieces.append((slice(start, stop), slice(first, last), slice(start - first, stop - first)))
    return pieces


def _aligned(distance: int, multiple: int) -> int:
    """The next multiple below a distance from the image's border; 0 beyond the border."""
    return max(0, distance // multiple * multiple)
