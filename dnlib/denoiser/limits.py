"""Black and white of a part of a picture, as a user names them or as its values have them, and the type they fit."""

import numpy as np
from scipy.ndimage import median_filter

from dnlib.images import Part, Range, check_size, one_of, range_in_use

DTYPES = ("uint8", "uint16", "float32", "float64")  # that can be asked for
FITTING = 0.5  # the share of the values that the range which a user names has to hold
LOST = 0.25  # the share of the values that may lie outside of the type that is written
FAR_OUT = 4.0  # single pixels that make the range this many times larger do not count in it
UNIT = Range(0.0, 1.0, 255.0)
LOOKED_AT = 100_000  # values, by which it is seen whether there may be such pixels


def told_range(range: tuple[float, float]) -> Range:
    """The range that a user names."""
    try:
        low, high = map(float, range)
    except (TypeError, ValueError):
        raise ValueError(f"the range is black and white, as (0, 4095); {range!r} was given") from None
    return Range.told(low, high)


def fitting(told: Range, part: Part) -> Range:
    """The range that a user named, in which at least half of the values have to lie."""
    values = part.pixels[part.inside]
    if (share := np.mean((values >= told.low) & (values <= told.high))) < FITTING:
        raise ValueError(
            f"{share:.0%} of the values lie in the range from {told.low:g} to {told.high:g} that was given: they go "
            f"from {values.min():g} to {values.max():g}; give the range from black to white, or none"
        )
    return told


def without_hot_pixels(part: Part, low: float, high: float) -> Range:
    """The range of the values, without single pixels far outside of it: then it is the range of local medians."""
    values, whole = part.pixels[part.inside], Range.told(low, high)
    some = values[:: 1 + len(values) // LOOKED_AT].astype(np.float64)
    if high - low <= FAR_OUT * np.ptp(np.quantile(some, (0.01, 0.99))):
        return whole
    medians = [median_filter(part.pixels[k].astype(np.float64), (3, 3, 1))[part.inside[k]] for k in part.holding]
    darkest, brightest = min(one.min() for one in medians), max(one.max() for one in medians)
    far = high - low > FAR_OUT * (brightest - darkest) > 0
    return Range.told(float(darkest), float(brightest)) if far else whole


def check_type(dtype) -> None:
    """Raises ValueError for what is no type that a result can be asked for in; None: the picture's own."""
    if dtype is None:
        return
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = str(dtype)
    one_of(name, DTYPES, "the type written")


def check_counts(parts: list[Part], kind: np.dtype) -> None:
    """Refuse to write photon rates as whole numbers."""
    for part in parts:
        if part.counts and np.issubdtype(kind, np.integer):
            raise ValueError(
                f"the image holds photon counts, {part.pixels[part.inside].mean():.2g} a pixel on average: rounded to "
                "whole numbers, their rate would be lost; give --dtype float32 (dtype='float32')"
            )


def check_kept(kept: list[float], missing: bool, kind: np.dtype) -> None:
    """Refuse a type that cannot hold what stays as it is: NaN where values are missing, and the numbers `kept`."""
    if not np.issubdtype(kind, np.integer):
        return
    limits = np.iinfo(kind)
    beyond = next((f"{value:g}" for value in kept if not limits.min <= value <= limits.max), "")
    if missing or beyond:
        what = "NaN" if missing else f"{beyond}, which stays as it is: transparent, missing or constant"
        raise ValueError(f"{kind} cannot hold {what}; give --dtype float32 (dtype='float32')")


def check_values(part: Part, kind: np.dtype, low: float, high: float) -> None:
    """Refuse values of a part, from `low` to `high`, that are too large to compute with or for the type written."""
    check_size(part.pixels.dtype, low, high)
    if not np.issubdtype(kind, np.integer) or kind == part.pixels.dtype:
        return
    values, limits = part.pixels[part.inside], np.iinfo(kind)
    lost = np.mean((values < limits.min) | (values > limits.max))
    if lost > LOST or (values.dtype.kind == "f" and range_in_use(values) == UNIT):
        raise ValueError(
            f"the values go from {low:g} to {high:g}, and {kind} holds whole numbers from {limits.min} to "
            f"{limits.max}: nothing is rescaled; scale the picture first, or give a type that holds its values"
        )
