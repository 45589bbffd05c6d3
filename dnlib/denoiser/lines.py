"""Whole rows or columns that are too bright or too dark: taken off before anything else where that is noise."""

from dataclasses import replace

import numpy as np

from dnlib.denoiser.sampling import noise_level
from dnlib.filters import without_lines
from dnlib.images import Part
from dnlib.noise import line_noise

SMALLEST, FULL = 64, 0.9  # rows and columns, and the share of pixels that have to count


def lines_of(part: Part) -> tuple[str, ...]:
    """Along what the first frame with content has such noise: "rows", "columns"."""
    frame, inside = part.pixels[part.holding[0]].astype(np.float64), part.inside[part.holding[0]]
    if min(inside.shape) < SMALLEST or inside.mean() < FULL:
        return ()
    return tuple(line_noise(frame, np.array(noise_level([frame]) ** 2)))


def levelled(frame: np.ndarray, lines: tuple[str, ...]) -> np.ndarray:
    """A frame [H, W, C] in float64 without such noise along `lines`."""
    frame = frame.astype(np.float64)
    for along in lines:
        frame = without_lines(frame, along)
    return frame


def levelled_part(part: Part, lines: tuple[str, ...]) -> Part:
    """A part whose frames are levelled; itself without lines."""
    return replace(part, pixels=np.stack([levelled(frame, lines) for frame in part.pixels])) if lines else part
