"""A picture taken apart into what has one range and one noise: channels, the colours of a mosaic, photon counts.

Constant areas, missing and invisible pixels take part in nothing and stay as they are.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from dnlib.images.areas import constant_areas, filled
from dnlib.images.pictures import Picture

COUNTED = 8  # photons a pixel on average, above which counts are taken for what they look like: a usual image


Place = tuple[slice | list[int], ...]  # in frames [F, H, W, C]


@dataclass(frozen=True)
class Part:
    """What is denoised by itself.

    name: what a user may call it, or "". source, target: where it is read from and written to in frames [F, H, W, C].
    pixels, inside: [F, h, w, c] and [F, h, w], False where they do not count. counts: they are photons.
    areas: whether constant areas do not count, either.
    """

    name: str
    source: Place
    target: Place
    pixels: np.ndarray
    inside: np.ndarray
    counts: bool
    areas: bool

    def at(self, frames: np.ndarray, inside: np.ndarray) -> "Part":
        """The same part of other frames [F, H, W, C] that count where [F, H, W] is True."""
        frames = filled(frames.astype(np.float32) if frames.dtype == np.float16 else frames, inside)
        pixels, counting = frames[self.source], inside[self.source[:3]]
        counting = counting & ~constant_areas(pixels) if self.areas else counting
        return replace(self, pixels=pixels, inside=counting)

    @property
    def holding(self) -> list[int]:
        """The frames that are not constant."""
        pairs = enumerate(zip(self.pixels, self.inside, strict=True))
        return [number for number, (frame, inside) in pairs if _varies(frame, inside)]


def _varies(frame: np.ndarray, inside: np.ndarray) -> bool:
    """Whether a frame [h, w, c] holds more than one value where it counts."""
    values = frame if inside.all() else frame[inside]
    return bool(values.size and (values != values.flat[0]).any())


def parts_of(
    picture: Picture, *, unlike: Callable[[np.ndarray, np.ndarray], bool] | None = None, samples: bool = False
) -> tuple[list[Part], list[str]]:
    """The parts of a picture that hold something, and what is to be said about them.

    Parameters
    ----------
    picture
        Of any kind.
    unlike
        Says whether three colours [F, H, W, 3] have to be taken apart, looking where a mask [F, H, W] is True. None:
        colours always stay together, even equal ones.
    samples
        Whether the frames are samples of a picture: then nothing is said of constant ones.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(0, 1, (2, 16, 16))
    >>> [part.name for part in parts_of(Picture.of(noise, axes="CYX"))[0]]
    ['channel 0', 'channel 1']
    """
    frames = picture.colours.reshape(-1, *picture.colours.shape[-3:])
    inside = picture.inside.reshape(-1, *picture.inside.shape[-2:])
    if not inside.any():
        raise ValueError("every pixel of the image is transparent or missing: there is no noise to be seen")
    frames = filled(frames.astype(np.float32) if frames.dtype == np.float16 else frames, inside)
    places, notes = _places(frames, inside, picture.separate, unlike)
    parts = [_part(name, source, target, frames, inside) for name, source, target in places]
    held = [part for part in parts if part.holding]
    if not held:
        value = frames[inside].flat[0]
        raise ValueError(f"the image is constant (every value is {value:g}): there is no noise in it")
    empty = [part.name for part in parts if not part.holding]
    notes += [f"{', '.join(empty)}: constant, left alone"] if empty else []
    black = 0 if samples else len(frames) - len({number for part in held for number in part.holding})
    notes += [f"{black} of {len(frames)} frames are constant and left alone"] if black else []
    return held, notes


def _places(
    frames: np.ndarray, inside: np.ndarray, apart: bool, unlike: Callable[[np.ndarray, np.ndarray], bool] | None
) -> tuple[list[tuple[str, Place, Place]], list[str]]:
    """The name of each part, where it is read from in frames [F, H, W, C] and written to; and what is to be said.

    apart: whether the channels are no colours of one picture.
    """
    count, plane, notes = frames.shape[-1], (slice(None), slice(None), slice(None)), []
    if count == 1 and looks_like_mosaic(frames[..., 0]):
        phases = [(slice(i, None, 2), slice(j, None, 2)) for i in (0, 1) for j in (0, 1)]
        found = {f"place {n} of 2x2": (slice(None), *phase, slice(0, 1)) for n, phase in enumerate(phases)}
        notes = ["it looks like the raw mosaic of a sensor: its four colours are taken apart (dnlib.noise.pack)"]
        return [(name, place, place) for name, place in found.items()], notes
    if count == 3 and not apart and unlike and (frames == frames[..., :1]).all():
        return [("", (*plane, slice(0, 1)), (*plane, slice(None)))], ["the three colours are equal: a gray image"]
    if count == 3 and not apart and unlike and unlike(frames, inside):
        notes, apart = ["the noise of the colours is very unlike: each is taken by itself"], True
    varying = [c for c in range(count) if _varies(frames[..., c : c + 1], inside)]
    if apart:
        found = {f"channel {c}": (*plane, slice(c, c + 1)) for c in range(count)}
    elif unlike and 0 < len(varying) < count:
        notes += [f"channel {c}: constant, left alone" for c in range(count) if c not in varying]
        found = {"": (*plane, varying)}
    else:
        found = {"": (*plane, slice(None))}
    return [(name, place, place) for name, place in found.items()], notes


def _part(name: str, source: Place, target: Place, frames: np.ndarray, inside: np.ndarray) -> Part:
    pixels, counting = frames[source], inside[source[:3]]
    counts, areas = are_counts(pixels[counting]), False
    if not counts:
        noisy = counting & ~constant_areas(pixels)
        areas = any(_varies(frame, mask) for frame, mask in zip(pixels, noisy, strict=True))
        counting = noisy if areas else counting
    return Part(name, source, target, pixels, counting, counts, areas)


def are_counts(values: np.ndarray) -> bool:
    """Whether these are numbers of photons, few enough to matter: whole, with a variance as large as their mean.

    Values [P, C] come row by row; the variance is that between neighbours.

    Examples
    --------
    >>> draw = np.random.default_rng(0).poisson(0.3, (5000, 1))
    >>> are_counts(draw), are_counts(draw * 20)
    (True, False)
    """
    values = values[..., 0].astype(np.float64) if values.shape[-1] == 1 else np.empty(0)
    mean = values.mean() if len(values) > 1 else 0
    if not 0 < mean < COUNTED or values.min() < 0 or (values != np.rint(values)).any():
        return False
    return bool(0.6 < (np.diff(values) ** 2).mean() / 2 / mean < 1.6)


def looks_like_mosaic(frames: np.ndarray) -> bool:
    """Whether gray frames [F, H, W] alternate from pixel to pixel, both along rows and along columns, as a mosaic does.

    Then the amplitudes at half the sampling frequency stand out of those around them.

    Examples
    --------
    >>> frame = np.random.default_rng(0).normal(0, 1, (1, 32, 32))
    >>> looks_like_mosaic(frame), looks_like_mosaic(frame + np.tile([[9, 5], [5, 2]], (16, 16)))
    (False, True)
    """
    height, width = (side - side % 2 for side in frames.shape[1:])
    if min(height, width) < 16:
        return False
    with np.errstate(over="ignore", invalid="ignore"):  # of values that are refused later
        spreads = frames.reshape(len(frames), -1).std(axis=1, dtype=np.float64)
        frame = frames[np.argmax(spreads), :height, :width].astype(np.float64)
        window = np.outer(np.hanning(height), np.hanning(width))
        power = np.abs(np.fft.fft2((frame - frame.mean()) * window)) ** 2
    y, x = height // 2, width // 2

    def stands_out(row: int, column: int) -> bool:
        rows, columns = np.arange(row - 6, row + 7) % height, np.arange(column - 6, column + 7) % width
        around = power[np.ix_(rows, columns)]
        far = np.maximum(*np.abs(np.indices(around.shape) - 6)) > 2
        return bool(np.isfinite(around).all() and around[6, 6] > 50 * around[far].mean())

    return (stands_out(y, 0) and stands_out(0, x)) or (stands_out(y, x) and (stands_out(y, 0) or stands_out(0, x)))
