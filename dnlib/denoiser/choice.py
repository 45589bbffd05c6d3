"""The 60-second denoiser: choose between classical filters and a network without ground truth, and apply the choice.

The candidate of smallest self-supervised loss is applied with the pixel's own value back in view: filters directly, in
one pass, which chapter 01 compares with the J-invariant image and with mixing; the blind-spot network by Bayes' rule
(chapter 04).

It assumes noise that is independent from pixel to pixel. Noise of a phone or a JPEG is not.
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np
from tqdm.auto import tqdm

from dnlib.denoiser.candidates import BLIND_SPOT, CANDIDATES, Judged, judge
from dnlib.denoiser.sampling import noise_level, sample_tiles
from dnlib.filters import Setting
from dnlib.images import Part

FOR_COUNTS = "total_variation"  # of few photons: losses of filters differ less than they scatter, and it keeps means


@dataclass(frozen=True)
class Choice:
    """What was chosen and how well it predicts noisy pixels it cannot see; all in units of the input image.

    Attributes
    ----------
    filter : str
        A name in `CANDIDATES`, or "blind_spot".
    setting : dict
        The arguments of the filter; the noise level that the network took for granted.
    loss : float
        Mean squared self-supervised loss of the winner.
    noise : float
        Estimated standard deviation of the noise.
    losses : dict
        The best loss of each candidate, where it is a finite number.
    uncertainty : ndarray or None
        The standard deviation of every value, where the network denoised.
    parts : dict
        The choices for all channels, by their names, where each is denoised by itself; the rest is that of the first.
    notes : tuple of str
        What a user should know of the result, in sentences.

    Examples
    --------
    >>> Choice("median", {"radius": 2}, 0.25, 0.5, {"median": 0.25}).summary
    'median (radius 2), self-supervised loss 0.25, estimated noise standard deviation 0.5'
    """

    filter: str
    setting: Setting
    loss: float
    noise: float
    losses: dict[str, float]
    uncertainty: np.ndarray | None = None
    parts: "dict[str, Choice]" = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """All of it in one line."""
        if self.parts:
            return "; ".join(f"{name}: {replace(choice, parts={}).summary}" for name, choice in self.parts.items())
        setting = ", ".join(f"{name} {value:.4g}" for name, value in self.setting.items())
        return (
            f"{self.filter} ({setting}), self-supervised loss {self.loss:.4g}, "
            f"estimated noise standard deviation {self.noise:.4g}"
        )


def denoise_part(
    part: Part, filter: str, device: str, range: tuple[float, float] | None, progress: bool
) -> tuple[np.ndarray, Choice]:
    """What a part becomes, as floats in its units, and how; it judges the candidates on it.

    Parameters
    ----------
    part : Part
        Of a picture.
    filter, device, range, progress
        As `denoise` has them.
    """
    values = part.pixels[part.inside]
    names = _names(filter, part.pixels.shape[-1])
    if part.counts and filter == "auto":
        names = [FOR_COUNTS]
    low, high = (float(values.min()), float(values.max())) if range is None else range
    _check_range(low, high, values.dtype)
    span = high - low
    unit = ((part.pixels.astype(np.float64) - low) / span).astype(np.float32)  # filters see [0, 1] whatever the units
    sigma = float(np.sqrt(values.mean())) / span if part.counts else None
    judged = _judge_all(
        names, [unit[k] for k in part.holding], [part.inside[k] for k in part.holding], sigma, device, progress
    )
    name = min(judged, key=lambda name: judged[name].loss)
    best = judged[name]
    restored, deviations = unit.copy(), None
    for number in tqdm(part.holding, desc="denoising", disable=not progress, leave=False):
        restored[number], deviation = best.denoise(unit[number])
        if deviation is not None:
            deviations = np.zeros_like(unit) if deviations is None else deviations
            deviations[number] = deviation
    restored = restored.astype(np.float64) * span + low
    if part.counts:  # filters for noise that is as strong everywhere lose some
        restored = np.maximum(restored, 0)
        restored *= values.mean() / restored[part.inside].mean()
    choice = Choice(
        name,
        {key: value * span if key in best.in_image_units else value for key, value in best.setting.items()},
        best.loss * span**2,
        best.noise * span,
        {name: one.loss * span**2 for name, one in judged.items()},
        None if deviations is None else deviations * span,
    )
    return restored, choice


def _names(filter: str, channels: int) -> list[str]:
    """The candidates to judge."""
    if filter == BLIND_SPOT and channels != 3:
        raise ValueError(f"{BLIND_SPOT} was trained on images of 3 colours; this one has {channels} channel(s)")
    if filter != "auto":
        return [filter]
    if channels == 3:
        from dnlib.denoiser import network  # and with it torch, which takes seconds that gray images need not wait

        if network.is_there():
            return [*CANDIDATES, BLIND_SPOT]
    return list(CANDIDATES)


def _check_range(low: float, high: float, kind: np.dtype) -> None:
    exact = 2**53 if np.issubdtype(kind, np.integer) else 1e150
    if max(-low, high) > exact:
        raise ValueError(f"the values range from {low:g} to {high:g}; at most {exact:g} can be handled without loss")


def _judge_all(
    names: list[str],
    frames: list[np.ndarray],
    inside: list[np.ndarray],
    sigma: float | None,
    device: str,
    progress: bool,
) -> dict[str, Judged]:
    """Candidates with a loss that is a finite number; there is at least one. sigma: of the noise, if it is known."""
    tiles = sample_tiles(frames, inside)
    sigma = max(noise_level(tiles), 1e-4) if sigma is None else sigma  # a noise-free image: the gentlest settings
    judged = {}
    for name in (bar := tqdm(names, desc="calibrating", disable=not progress, leave=False)):
        bar.set_postfix_str(name)
        judged[name] = judge(name, tiles, sigma, device)
    finite = {name: one for name, one in judged.items() if math.isfinite(one.loss)}
    if not finite:
        raise ValueError(f"no loss of {', '.join(names)} is a finite number on this image; try another filter")
    return finite
