"""Pixel-shuffle downsampling (PD): every stride-th pixel of an image, in rows and columns, makes a small image.

There are stride^2 of them. What are neighbours in a small image lie `stride` pixels apart in the large one, farther
than correlated noise reaches if the stride is large enough. (Zhou et al. 2020; Lee, Son, Lee 2022: AP-BSN.)
"""

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional


def split(image: Tensor, stride: int) -> Tensor:
    """The small images of [N, C, H, W] as a batch [N * stride^2, C, h, w], those of an image one after the other.

    Sides that are no multiple of `stride` are filled up with zeros, at the bottom and at the right. (Mirroring would
    put some pixels beside themselves, and a blind network could see them there.) Raises ValueError for a stride below
    1.

    Examples
    --------
    >>> import torch
    >>> split(torch.arange(9.0).view(1, 1, 3, 3), 2)[:, 0].tolist()
    [[[0.0, 2.0], [6.0, 8.0]], [[1.0, 0.0], [7.0, 0.0]], [[3.0, 5.0], [0.0, 0.0]], [[4.0, 0.0], [0.0, 0.0]]]
    """
    if stride < 1:
        raise ValueError(f"a stride is a whole number >= 1; {stride} was given")
    height, width = image.shape[2:]
    filled = functional.pad(image, (0, -width % stride, 0, -height % stride))
    parts = functional.pixel_unshuffle(filled, stride)  # [N, C * stride^2, h, w]
    small = parts.unflatten(1, (image.shape[1], stride**2)).transpose(1, 2)
    return small.flatten(0, 1)


def join(small: Tensor, stride: int, size: tuple[int, int]) -> Tensor:
    """The inverse of `split`: [N * stride^2, C, h, w] to [N, C, H, W], cut to `size`, (H, W).

    Examples
    --------
    >>> import torch
    >>> image = torch.rand(2, 3, 13, 17)
    >>> torch.equal(join(split(image, 5), 5, (13, 17)), image)
    True
    """
    parts = small.unflatten(0, (-1, stride**2)).transpose(1, 2).flatten(1, 2)
    return functional.pixel_shuffle(parts, stride)[..., : size[0], : size[1]]


def tile(small: Tensor, stride: int, border: int) -> Tensor:
    """The small images of each image side by side in one, each with a border of zeros, as AP-BSN has it.

    [N * stride^2, C, h, w] to [N, C, stride * (h + 2 border), stride * (w + 2 border)]. A network whose answer depends
    on more than 2 border pixels around then looks across into other small images.
    """
    framed = functional.pad(small, (border,) * 4)
    grid = framed.unflatten(0, (-1, stride, stride))  # [N, stride, stride, C, h, w]
    return grid.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)


def untile(tiled: Tensor, stride: int, border: int) -> Tensor:
    """The inverse of `tile`: [N, C, ...] to [N * stride^2, C, h, w]."""
    grid = tiled.unflatten(3, (stride, -1)).unflatten(2, (stride, -1))  # [N, C, stride, h, stride, w]
    framed = grid.permute(0, 2, 4, 1, 3, 5).flatten(0, 2)
    height, width = framed.shape[2:]
    return framed[..., border : height - border, border : width - border]


def apply(network: Callable[[Tensor], Tensor], image: Tensor, stride: int, *, border: int | None = None) -> Tensor:
    """What a network says about the small images, put together again: [N, any, H, W].

    Parameters
    ----------
    network : callable
        From images to images of the same size.
    image : Tensor [N, C, H, W]
        Of any size.
    stride : int
        1 leaves the image whole.
    border : int, optional
        Tile the small images with it, as AP-BSN does; None gives them to the network as a batch, each on its own.

    Examples
    --------
    >>> import torch
    >>> apply(torch.nn.AvgPool2d(3, 1, 1), torch.rand(1, 3, 13, 17), 4).shape
    torch.Size([1, 3, 13, 17])
    """
    if stride == 1:
        return network(image)
    small, size = split(image, stride), image.shape[2:]
    if border is None:
        return join(network(small), stride, size)
    return join(untile(network(tile(small, stride, border)), stride, border), stride, size)
