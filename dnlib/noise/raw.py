"""Raw frames: the mosaic of a sensor taken apart into one plane per filter, and put together again.

Behind Bayer's filters neighbours have different colours, so that a network which slides over the mosaic would meet
another colour at every step. Packed, each plane [H/2, W/2] has one colour, and the four see the same 2x2 pixels. The
noise is that of the sensor: independent from pixel to pixel, its strength following the light (`noise.Sensor`).
"""

from torch import Tensor
from torch.nn import functional

PATTERNS = ("RGGB", "BGGR", "GRBG", "GBRG")
"""Bayer's filters, row by row of the 2x2 pixels in the upper left corner of a frame."""


def pack(raw: Tensor, pattern: str = "RGGB") -> Tensor:
    """The four planes [N, 4, H/2, W/2] of a mosaic [N, 1, H, W]; no value is changed.

    For every pattern the planes are red, green in red's rows, green in blue's rows, blue.
    Raises ValueError for an unknown pattern, odd sides, or what is no mosaic.
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
    """The inverse of `pack`: the mosaic [N, 1, H, W] of four planes [N, 4, H/2, W/2].

    Raises ValueError for an unknown pattern, or another number of planes.
    """
    order = _order(pattern)
    if planes.ndim != 4 or planes.shape[1] != 4:
        raise ValueError(
            f"the planes of a mosaic are [N, 4, H/2, W/2], as `pack` makes them; {list(planes.shape)} given"
        )
    return functional.pixel_shuffle(planes[:, [order.index(place) for place in range(4)]], 2)


def _order(pattern: str) -> list[int]:
    """Where in the 2x2 pixels, counted row by row, red, its green, blue's green and blue are."""
    if pattern not in PATTERNS:
        raise ValueError(
            f"there is no Bayer pattern {pattern!r}; there are: {', '.join(PATTERNS)}, named row by row after the 2x2 "
            f"pixels in the upper left corner. The camera's raw file says which one it is"
        )
    red, blue = pattern.index("R"), pattern.index("B")
    return [red, red ^ 1, blue ^ 1, blue]  # its neighbour in the same row differs in the last bit
