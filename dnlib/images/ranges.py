"""Which values an image can take: the bits in use of integers, [0, 1] or a range of its own of floats."""

import math
from dataclasses import dataclass

import numpy as np

BITS = (8, 10, 12, 14, 16)  # of cameras
ROWS = 200  # of a frame, whose values tell the step between two


@dataclass(frozen=True)
class Range:
    """Black and white of an image, in its own units.

    Attributes
    ----------
    low, high
        Black and white.
    white
        What levels of noise are stated of: 255 for floats in [0, 1], else `high - low`.

    Examples
    --------
    >>> str(Range(0, 4095, 4095)), str(Range(-1, 1, 2)), str(Range(0, 1, 255))
    ('of 4095', "in the image's own units, which run from -1 to 1", 'of 255')
    """

    low: float
    high: float
    white: float

    @classmethod
    def told(cls, low: float, high: float) -> "Range":
        """One that a user names."""
        if not -math.inf < low < high < math.inf:
            raise ValueError(f"a range goes from black up to white, as 0 4095; {low:g} and {high:g} were given")
        return cls(low, high, high - low)

    def __str__(self) -> str:
        if self.low == 0 and float(self.white).is_integer():
            return f"of {self.white:.0f}"
        return f"in the image's own units, which run from {self.low:.6g} to {self.high:.6g}"

    def to_unit(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels as float32, black 0 and white 1."""
        return ((pixels.astype(np.float64) - self.low) / (self.high - self.low or 1)).astype(np.float32)


def check_size(kind: np.dtype, low: float, high: float) -> None:
    """Raises ValueError where arithmetic does not hold values of a type, from `low` to `high`, as they are."""
    exact = 2**53 if np.issubdtype(kind, np.integer) else 1e150 if kind.itemsize >= 8 else 1e30
    if max(-low, high) > exact:
        raise ValueError(
            f"the values range from {low:g} to {high:g}; at most {exact:g} can be handled without loss: scale them"
        )


def range_in_use(pixels: np.ndarray) -> Range:
    """The range of an image, found from its type and values.

    Parameters
    ----------
    pixels
        Those that count, of any shape.

    Returns
    -------
    Range
        8 bits go from 0 to 255. 16 bits go up to the largest value of the fewest bits of a camera (8, 10, 12, 14 or 16)
        that hold them, shifted as they are. Floats near [0, 1] have that range; all others that of their values.

    Examples
    --------
    >>> range_in_use(np.array([100, 3000], np.uint16)), range_in_use(np.array([16, 65520], np.uint16)).high
    (Range(low=0.0, high=4095.0, white=4095.0), 65520.0)
    """
    if pixels.dtype == np.uint8:
        return Range(0.0, 255.0, 255.0)
    low, high = float(pixels.min()), float(pixels.max())
    if pixels.dtype == np.uint16:
        white = next(2**bits - 1 for bits in BITS if high < 2**bits)
        white = float(white + 1 - step_of(pixels)) if white == 65535 else float(white)
        return Range(0.0, white, white)
    if pixels.dtype.kind == "f":
        dark, bright = np.quantile(pixels, (0.01, 0.99))
        if dark >= -0.5 and bright <= 1.5 and (bright > 0.02 or low == high):
            return Range(0.0, 1.0, 255.0)
    return Range(low, high, high - low)


def step_of(pixels: np.ndarray) -> int:
    """The largest power of two that divides all integers: 16 for 12 bits in the upper part of 16.

    Examples
    --------
    >>> step_of(np.array([16, 48, 64])), step_of(np.array([0, 1]))
    (16, 1)
    """
    bits = int(np.bitwise_or.reduce(pixels, axis=None))
    return bits & -bits or 1


def step_between(frame: np.ndarray) -> float:
    """How far the values of a frame [H, W, C] usually lie apart: whole numbers by one, in the frame's units.

    Examples
    --------
    >>> round(1 / step_between(np.random.default_rng(0).integers(0, 256, (32, 32, 1)) / 255))
    255
    """
    values = np.unique(frame[:: 1 + len(frame) // ROWS])
    return float(np.median(np.diff(values))) if len(values) > 1 else 0.0
