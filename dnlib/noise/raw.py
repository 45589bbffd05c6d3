"""Raw frames: the mosaic of a sensor taken apart into one plane per colour filter, and put together again.

Behind Bayer's filters neighbouring pixels have different colours, so a network that slides over the mosaic would meet
another colour at every step. Packed, each plane [H/2, W/2] has one colour, and the four show the same 2x2 pixels. The
noise is the sensor's (`Sensor`): independent from pixel to pixel, stronger where there is more light.
"""

from torch import Tensor
from torch.nn import functional

from dnlib.images import one_of

PATTERNS = ("RGGB", "BGGR", "GRBG", "GBRG")
"""Bayer's filters, row by row of the 2x2 pixels in the upper left corner of a frame."""


def pack(raw: Tensor, pattern: str = "RGGB") -> Tensor:
    """The four planes of a mosaic: no value is changed.

    Parameters
    ----------
    raw : Tensor [N, 1, H, W]
        A mosaic with even sides, of any dtype.
    pattern : {"RGGB", "BGGR", "GRBG", "GBRG"}
        The filters of its first 2x2 pixels, row by row.

    Returns
    -------
    Tensor [N, 4, H/2, W/2]
        For every pattern red, green in red's rows, green in blue's rows, blue.

    Raises
    ------
    ValueError
        For an unknown pattern, odd sides, or what is no mosaic.

    Examples
    --------
    >>> import torch
    >>> pack(torch.tensor([[[[1, 2], [3, 4]]]]), "BGGR").flatten().tolist()
    [4, 3, 2, 1]
    """
    order = _order(pattern)
    if raw.ndim != 4 or raw.shape[1] != 1:
        raise ValueError(f"a mosaic is [N, 1, H, W]; shape {list(raw.shape)} was given")
    height, width = raw.shape[2:]
    if height % 2 or width % 2 or 0 in (height, width):
        raise ValueError(
            f"a raw frame is made of 2x2 pixels, so its sides are even and at least 2; {height}x{width} was given: "
            f"cut off the last row or column, for a cut at the first one changes the pattern"
        )
    return functional.pixel_unshuffle(raw, 2)[:, order]


def unpack(planes: Tensor, pattern: str = "RGGB") -> Tensor:
    """The mosaic [N, 1, H, W] that `pack` took apart into `planes` [N, 4, H/2, W/2], with the same pattern.

    Raises
    ------
    ValueError
        For an unknown pattern, or another number of planes.

    Examples
    --------
    >>> import torch
    >>> frame = torch.rand(2, 1, 4, 6)
    >>> torch.equal(unpack(pack(frame, "GRBG"), "GRBG"), frame)
    True
    """
    order = _order(pattern)
    if planes.ndim != 4 or planes.shape[1] != 4:
        raise ValueError(
            f"the planes of a mosaic are [N, 4, H/2, W/2], as `pack` makes them; {list(planes.shape)} given"
        )
    return functional.pixel_shuffle(planes[:, [order.index(place) for place in range(4)]], 2)


def _order(pattern: str) -> list[int]:
    """Where in the 2x2 pixels, counted row by row, red, its green, blue's green and blue are."""
    one_of(pattern, PATTERNS, "the Bayer pattern, which the camera's raw file names,")
    red, blue = pattern.index("R"), pattern.index("B")
    return [red, red ^ 1, blue ^ 1, blue]  # its neighbour in the same row differs in the last bit
