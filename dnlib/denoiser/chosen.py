"""A candidate chosen for a part of a picture, and how it denoises a frame of it or a tile of one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dnlib.denoiser.choice import FOR_COUNTS, Choice, _check_range, _judge_all, _names
from dnlib.denoiser.steady import steady
from dnlib.images import Part


@dataclass(frozen=True)
class Chosen:
    """What was chosen for a part.

    choice: what and why. apply: takes a frame [h, w, c] of the part, or a tile of one, and where it counts [h, w], and
    returns it restored, in the part's units, and the standard deviation of every value, or None. reach: how many pixels
    on each side a value depends on; None: only whole frames may be given.
    """

    choice: Choice
    apply: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray | None]]
    reach: int | None


def choose(
    part: Part, filter: str, device: str, range: tuple[float, float] | None, progress: bool, *, in_tiles: bool = False
) -> Chosen:
    """Judge the candidates on a part.

    Parameters
    ----------
    part : Part
        Its sample frames.
    filter, device, range, progress
        As `denoise` has them.
    in_tiles : bool
        Whether frames come in tiles: then filters that look at all of an image are made steady.
    """
    values = part.pixels[part.inside]
    names = [FOR_COUNTS] if part.counts and filter == "auto" else _names(filter, part.pixels.shape[-1])
    low, high = (float(values.min()), float(values.max())) if range is None else range
    _check_range(low, high, values.dtype)
    span = high - low

    def to_unit(pixels: np.ndarray) -> np.ndarray:
        return ((pixels.astype(np.float64) - low) / span).astype(np.float32)  # filters see [0, 1] whatever the units

    frames, inside = [to_unit(part.pixels[k]) for k in part.holding], [part.inside[k] for k in part.holding]
    sigma = float(np.sqrt(values.mean())) / span if part.counts else None
    judged = _judge_all(names, frames, inside, sigma, device, progress)
    name = min(judged, key=lambda name: judged[name].loss)
    best = judged[name]
    filtered, reach = steady(name, best, frames) if in_tiles else (best.denoise, None)

    def apply(frame: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        restored, deviation = filtered(to_unit(frame))
        restored = restored.astype(np.float64) * span + low
        if part.counts:  # filters for noise that is as strong everywhere lose some
            restored = np.maximum(restored, 0)
            restored *= frame[inside].mean() / max(restored[inside].mean(), 1e-12)
        return restored, None if deviation is None else deviation * span

    choice = Choice(
        name,
        {key: value * span if key in best.in_image_units else value for key, value in best.setting.items()},
        best.loss * span**2,
        best.noise * span,
        {name: one.loss * span**2 for name, one in judged.items()},
    )
    return Chosen(choice, apply, reach)
