"""Which axis of an array is what: tifffile's and OME's letters, told or found, or refused where it would be a guess.

Y and X are height and width, S samples of one pixel (colours, and alpha last), C channels of which each has noise of
its own. All other letters (T, Z, Q ...) count frames.
"""

from collections.abc import Sequence

import numpy as np

FRAME_LETTERS = "QTZRPAHIVE"  # for axes of frames that have no letter of their own
MOST_SAMPLES = 4  # a last axis of up to this many entries holds samples


def axes_of(shape: tuple[int, ...], axes: str | None = None, channels: bool | None = None) -> str:
    """A letter for every axis of an array of this shape.

    axes: the letters, if they are known: "YX", "CYX", "TZYXS"
    channels: True: the last axis holds channels, or colours if there are three, and none is alpha; False: the last two
        axes are height and width; None: a last axis of 1 to 4 entries holds samples

    Raises ValueError for letters that do not fit the shape, and for shapes that could be read in two ways.

    Examples
    --------
    >>> axes_of((64, 48, 3)), axes_of((20, 64, 48)), axes_of((3, 64, 48), "cyx")
    ('YXS', 'QYX', 'CYX')
    >>> axes_of((3, 64, 48))
    Traceback (most recent call last):
    ValueError: the image has shape [3, 64, 48]: the axis of 3 may hold channels or frames; say --axes CYX or ...
    """
    if axes is not None:
        return _told(axes.upper(), shape)
    if channels is None:
        last = "S" if len(shape) > 2 and shape[-1] <= MOST_SAMPLES else ""
        if len(shape) > 2 and not last:
            _refuse_guesses(shape)
    else:
        last = "" if not channels else "S" if shape[-1] in (1, 3) else "C"
    frames = len(shape) - 2 - len(last)
    if frames < 0:
        raise ValueError(
            f"the image has shape {list(shape)}; [H, W], [H, W, C] with C from 1 to 4, and stacks of these are accepted"
        )
    return FRAME_LETTERS[:frames] + "YX" + last


def _told(axes: str, shape: tuple[int, ...]) -> str:
    if len(axes) != len(shape) or len(set(axes)) < len(axes) or not {"Y", "X"} <= set(axes) or not axes.isalpha():
        raise ValueError(
            f"axes are a letter for each axis, Y and X among them, none twice, as CYX or TYXS; {axes!r} was given for "
            f"the shape {list(shape)}"
        )
    return axes


def too_small(shape: tuple[int, ...], axes: str, told: bool) -> str:
    """What to say of a shape whose height or width is less than 8, and how its axes may be meant if these were told.

    Examples
    --------
    >>> too_small((160, 160, 3), "CYX", told=True)
    ': as CYX it would be 160 pixels high and 3 wide, and at least 8x8 are needed; say --axes YXS or YXC (axes=... in \
Python)'
    """
    if not told:
        return "; at least 8x8 pixels are needed; if an axis holds channels, name the axes, as --axes CYX"
    height, width = (shape[axes.index(letter)] for letter in "YX")
    colours_last = axes[-1] == "X" and width <= MOST_SAMPLES and len(axes) > 2
    frames = "".join(letter for letter in axes if letter not in "YXSC")[: len(axes) - 3]
    instead = f"; say --axes {frames}YXS or {frames}YXC (axes=... in Python)" if colours_last else ""
    return f": as {axes} it would be {height} pixels high and {width} wide, and at least 8x8 are needed{instead}"


def _refuse_guesses(shape: tuple[int, ...]) -> None:
    """Frames may be channels, and the last axis a spectrum."""
    last, frames = shape[-1], FRAME_LETTERS[: len(shape) - 3]
    if few := [size for size in shape[:-2] if 1 < size <= MOST_SAMPLES]:
        says, may, size = f"{frames}CYX or {frames}{'Z' if frames else 'T'}YX", "channels or frames", few[0]
    elif len(shape) == 3 and (2 * last < min(shape[:2]) or shape[0] == shape[1] > last):
        says, may, size = "YXC or TYX", "channels (bands) or the pixels of a row", last
    else:
        return
    raise ValueError(
        f"the image has shape {list(shape)}: the axis of {size} may hold {may}; say --axes {says} (axes=... in Python)"
    )


def distinct(letters: Sequence[str]) -> str:
    """Every letter once: an axis whose letter is taken, or empty, gets one for frames."""
    spare = [letter for letter in FRAME_LETTERS if letter not in letters]
    return "".join(
        letter if letter and letter not in letters[:place] else spare.pop(0) for place, letter in enumerate(letters)
    )


def frames_last(pixels: np.ndarray, axes: str) -> np.ndarray:
    """The array with its axes in the order frames, Y, X, channels: [..., H, W, C]."""
    moved = np.transpose(pixels, [axes.index(letter) for letter in in_order(axes)])
    return moved if channel_axis(axes) else moved[..., None]


def frames_back(moved: np.ndarray, axes: str) -> np.ndarray:
    """The inverse of `frames_last`."""
    order = in_order(axes)
    return np.transpose(moved if channel_axis(axes) else moved[..., 0], [order.index(letter) for letter in axes])


def in_order(axes: str) -> str:
    """The letters in the order frames, Y, X, channels."""
    last = f"YX{channel_axis(axes)}"
    return "".join(letter for letter in axes if letter not in last) + last


def channel_axis(axes: str) -> str:
    """The letter of the axis that holds samples or channels; empty if there is none."""
    return "S" if "S" in axes else "C" if "C" in axes else ""


def upright(pixels: np.ndarray, axes: str, orientation: int) -> np.ndarray:
    """Pixels turned as the orientation tag (1 to 8) of TIFF and EXIF says."""
    y, x = axes.index("Y"), axes.index("X")
    if orientation in (5, 6, 7, 8):
        pixels = np.swapaxes(pixels, y, x)
    flipped = {2: [x], 3: [y, x], 4: [y], 6: [x], 7: [y, x], 8: [y]}.get(orientation, [])
    return np.ascontiguousarray(np.flip(pixels, flipped))
