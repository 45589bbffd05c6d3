"""A first look at every piece of a picture, to choose samples. A piece is a frame, or a tile of a large frame."""

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from dnlib.images import Part, Picture, Tile, step_of, tiles_of

SIDE = 1024  # pixels that a tile of a large frame is high and wide
SAMPLES = 8  # pieces on which candidates are judged, about
LOOK = 8  # pixels around a tile that are seen with it, at least
MULTIPLE = 32  # tiles for the first look begin at multiples of it
GRID = 96  # tiles to be denoised begin at multiples of it: 32 for networks, which halve images; 6 for groups of patches


class Glance(NamedTuple):
    """What a first look at a piece shows: which colours vary [C] where it counts, and whether it has colour at all.

    number: of its frame. unequal: whether the colours of a pixel differ anywhere.
    """

    number: int
    tile: Tile
    varying: np.ndarray
    unequal: bool


def pieces_of(shape: tuple[int, int], reach: int | None = None, stride: int = 1) -> list[Tile]:
    """The tiles of a frame [H, W], to be denoised by what looks `reach` pixels far; without it, for a first look.

    stride: the part that is denoised has every `stride`-th pixel of the frame.
    """
    margin, multiple = (LOOK, MULTIPLE) if reach is None else (max(reach, LOOK), GRID)
    return tiles_of(shape, side=SIDE, margin=margin * stride, multiple=multiple * stride)


def look_at(picture: Picture, progress: bool) -> tuple[list[Glance], bool, list[float]]:
    """Look at every piece; whether values are missing, and the extremes of the values that stay as they are.

    These are transparency, and values that do not count or are constant.
    """
    glances, missing, kept = [], False, []
    for number in tqdm(range(picture.count), desc="looking", disable=not progress, leave=False, unit="frame"):
        frame = picture.frame(number)
        colours, inside = frame.colours, frame.inside
        missing |= colours.dtype.kind == "f" and bool(np.isnan(colours.min()))
        kept += _extremes(colours[~inside]) + (_extremes(frame.pixels[..., -1]) if frame.alpha else [])
        for tile in pieces_of(inside.shape):
            values = colours[tile.kept][inside[tile.kept]]
            varying = values.min(axis=0) < values.max(axis=0) if len(values) else np.zeros(colours.shape[-1], bool)
            glances.append(Glance(number, tile, varying, bool((values != values[:, :1]).any())))
            kept += _extremes(values[:1, ~varying])
    return glances, missing, kept


def _extremes(values: np.ndarray) -> list[float]:
    """The smallest and the largest number among values, if there are any."""
    values = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    return [values.min().item(), values.max().item()] if values.size else []


def samples_of(holding: list[Glance]) -> list[Glance]:
    """Pieces spread evenly, and others if these miss something: a colour that varies, pixels that are not gray."""
    count = min(SAMPLES, len(holding))
    samples = [holding[k * len(holding) // count] for k in range(count)]
    for shows in (lambda one: one.varying, lambda one: np.array([one.unequal])):
        seen = np.any([shows(one) for one in samples], axis=0)
        for one in holding:
            if (shows(one) & ~seen).any():
                samples.append(one)
                seen = seen | shows(one)
    return samples


def seen_in(picture: Picture, glances: list[Glance]) -> Iterator[tuple[Glance, np.ndarray, np.ndarray]]:
    """Every piece with its pixels [h, w, C] and where they count [h, w]; one frame is in memory at a time."""
    for number, pieces in groupby(glances, key=lambda one: one.number):
        frame = picture.frame(number)
        colours, inside = frame.colours, frame.inside
        for one in pieces:
            yield one, colours[one.tile.seen], inside[one.tile.seen]


def together(picture: Picture, samples: list[Glance]) -> Picture:
    """Pieces as the frames of one picture; tiles are cut to one size."""
    sizes = [[part.stop - part.start for part in one.tile.seen] for one in samples]
    height, width = np.min(sizes, axis=0)
    pieces = [
        (colours[:height, :width].copy(), inside[:height, :width].copy())
        for _, colours, inside in seen_in(picture, samples)
    ]
    colours, inside = (np.stack(values) for values in zip(*pieces, strict=True))
    return Picture(colours, "QYXC" if picture.separate else "QYXS", valid=inside)


def limits_of(
    picture: Picture, parts: list[Part], holding: list[Glance], samples: list[Glance]
) -> list[tuple[float, float, int]]:
    """The smallest and largest value of every part, and the step of its values."""
    pieces = [[part.pixels[part.inside]] for part in parts]
    found = [[_limits(values) for values in piece] for piece in pieces]
    if len(holding) > len(samples) or len({one.number for one in holding}) < len(holding):
        for one, colours, inside in seen_in(picture, holding):
            for part, limits in zip(parts, found, strict=True):
                piece = part.at(colours[None], inside[None])
                values = piece.pixels[0][piece.inside[0] & kept_of(one.tile)[part.source[1:3]]]
                limits += [_limits(values)] if len(values) else []
    lows, highs, steps = zip(*(zip(*limits, strict=True) for limits in found), strict=True)
    return [(min(low), max(high), min(step)) for low, high, step in zip(lows, highs, steps, strict=True)]


def _limits(values: np.ndarray) -> tuple[float, float, int]:
    step = step_of(values) if np.issubdtype(values.dtype, np.integer) else 1
    return values.min().item(), values.max().item(), step


def kept_of(tile: Tile) -> np.ndarray:
    """Which of the pixels seen are kept: bool [h, w]."""
    kept = np.zeros([part.stop - part.start for part in tile.seen], bool)
    kept[tile.inner] = True
    return kept
