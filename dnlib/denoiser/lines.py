"""Whole rows or columns that are too bright or too dark: taken off before anything else where that is noise."""

from dataclasses import replace

import numpy as np

from dnlib.denoiser.sampling import noise_level
from dnlib.filters import line_offsets, without_lines
from dnlib.images import Part, Picture
from dnlib.noise import line_noise

SMALLEST, FULL = 64, 0.9  # rows and columns, and the share of pixels that have to count
STRIP, MULTIPLE = 512, 32  # rows or columns of a large frame that are looked at, in full length; where they begin


def lines_of(part: Part, frame: Picture) -> tuple[str, ...]:
    """Along what a part of a frame has such noise: "rows", "columns"."""
    found = [_lines_in(part, frame, strip) for strip in _strips(frame.inside.shape)]
    return tuple(along for along, seen in zip(("rows", "columns"), found, strict=True) if along in seen)


def _strips(shape: tuple[int, int]) -> list[tuple[slice, slice]]:
    """Rows in the middle of a frame [H, W], and columns."""
    starts = [max(0, size - STRIP) // 2 // MULTIPLE * MULTIPLE for size in shape]
    rows, columns = (slice(start, start + STRIP) for start in starts)
    return [(rows, slice(None)), (slice(None), columns)]


def _lines_in(part: Part, frame: Picture, strip: tuple[slice, slice]) -> dict[str, float]:
    part = part.at(frame.colours[strip][None], frame.inside[strip][None])
    pixels, inside = part.pixels[0].astype(np.float64), part.inside[0]
    if min(inside.shape) < SMALLEST or inside.mean() < FULL:
        return {}
    return line_noise(pixels, np.array(noise_level([pixels]) ** 2))


def offsets_of(part: Part, frame: Picture, lines: tuple[str, ...]) -> list[np.ndarray]:
    """What the rows of a part of a frame are too bright by, [h, 1, C], or the columns, [1, w, C]."""
    pixels, inside = frame.colours[part.source[1:]], frame.inside[part.source[1:3]]
    return [line_offsets(pixels, along, inside) for along in lines]


def levelled(pixels: np.ndarray, offsets: list[np.ndarray], corner: tuple[int, int]) -> np.ndarray:
    """Pixels [h, w, C] without the offsets of the frame in which they begin at this row and column."""
    for one in offsets:
        place = [
            slice(start, start + size) if length > 1 else slice(None)
            for start, size, length in zip(corner, pixels.shape, one.shape[:2], strict=False)
        ]
        pixels = pixels - one[tuple(place)]
    return pixels


def levelled_part(part: Part, lines: tuple[str, ...]) -> Part:
    """A part each of whose frames is levelled by itself; itself without lines."""
    pixels = part.pixels
    for along in lines:
        pixels = np.stack([without_lines(frame, along) for frame in pixels])
    return replace(part, pixels=pixels)
