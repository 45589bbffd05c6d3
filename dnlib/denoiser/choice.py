"""The 60-second denoiser: choose between classical filters and a network without ground truth, and apply the choice.

The candidate of smallest self-supervised loss is applied with the pixel's own value back in view: filters directly, in
one pass, which chapter 01 compares with the J-invariant image and with mixing; the blind-spot network by Bayes' rule
(chapter 04).

It assumes noise that is independent from pixel to pixel. Noise of a phone or a JPEG is not.
"""

import math
from dataclasses import dataclass

import numpy as np
from tqdm.auto import tqdm

from dnlib.denoiser.candidates import BLIND_SPOT, CANDIDATES, Judged, judge
from dnlib.denoiser.sampling import noise_level, sample_tiles
from dnlib.filters import Setting
from dnlib.images import Picture, one_of


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

    @property
    def summary(self) -> str:
        """All of it in one line."""
        setting = ", ".join(f"{name} {value:.4g}" for name, value in self.setting.items())
        return (
            f"{self.filter} ({setting}), self-supervised loss {self.loss:.4g}, "
            f"estimated noise standard deviation {self.noise:.4g}"
        )


def denoise(
    image: np.ndarray,
    *,
    channels: bool | None = None,
    filter: str = "auto",
    device: str = "auto",
    progress: bool = False,
    return_choice: bool = False,
) -> np.ndarray | tuple[np.ndarray, Choice]:
    """Denoise one image or a stack, with the filter or network that predicts its noisy pixels best.

    No clean image and no noise level is needed. Noise is taken to be independent from pixel to pixel, which that of a
    phone or of a JPEG is not.

    Parameters
    ----------
    image : ndarray
        [H, W], [H, W, C] or a stack of these along leading axes; integers or floats in any range, at least 8x8
        pixels. C = 2 and 4 carry alpha last, which is left alone.
    channels : bool, optional
        Whether the last axis holds colours; by default a last axis of 1 to 4 entries does.
    filter : str
        "auto", one of `CANDIDATES`, or "blind_spot", the network (three colours).
    device : str
        Where the network computes: auto, cpu, cuda, cuda:1, mps.
    progress : bool
        Whether to show progress bars.
    return_choice : bool
        Whether to return what was chosen, too.

    Returns
    -------
    ndarray
        Of the image's type, shape and range; with `return_choice` a pair with the `Choice`.

    Raises
    ------
    ValueError
        For images that cannot be denoised: empty, constant, NaN, infinite, too small, of complex or boolean type; for
        an unknown filter, and a device that is not here when the network is asked for.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> noisy = np.add.outer(np.arange(32.0), np.arange(32.0)) + rng.normal(0, 5, (32, 32))
    >>> denoised, choice = denoise(noisy, return_choice=True)
    >>> denoised.shape, choice.loss == min(choice.losses.values())
    ((32, 32), True)
    """
    picture = Picture.of(image, channels)
    result, choice = denoise_picture(picture, filter=filter, device=device, progress=progress)
    return (result.pixels, choice) if return_choice else result.pixels


def denoise_picture(
    picture: Picture, *, filter: str = "auto", device: str = "auto", progress: bool = False
) -> tuple[Picture, Choice]:
    """As `denoise`, for a Picture: what was read from a file can be written back.

    Examples
    --------
    >>> import numpy as np
    >>> picture = Picture.of(np.random.default_rng(0).integers(0, 256, (16, 16)))
    >>> denoise_picture(picture, filter="median")[0].pixels.shape
    (16, 16)
    """
    colours = picture.colours
    names = _names(filter, colours.shape[-1])
    low, high = float(colours.min()), float(colours.max())
    _check_range(low, high, colours.dtype)
    span = high - low
    unit = ((colours.astype(np.float64) - low) / span).astype(np.float32)  # filters see [0, 1] whatever the units
    frames = list(unit.reshape(-1, *unit.shape[-3:]))
    judged = _judge_all(names, frames, device, progress)
    name = min(judged, key=lambda name: judged[name].loss)
    best = judged[name]
    results = [best.denoise(frame) for frame in tqdm(frames, desc="denoising", disable=not progress, leave=False)]
    means, deviations = zip(*results, strict=True)
    restored = np.stack(means).reshape(unit.shape).astype(np.float64) * span + low
    choice = Choice(
        name,
        {key: value * span if key in best.in_image_units else value for key, value in best.setting.items()},
        best.loss * span**2,
        best.noise * span,
        {name: one.loss * span**2 for name, one in judged.items()},
        None if deviations[0] is None else np.stack(deviations).reshape(unit.shape) * span,
    )
    return picture.with_colours(_as_type(restored, colours.dtype, low, high)), choice


def _names(filter: str, channels: int) -> list[str]:
    """The candidates to judge."""
    one_of(filter, ("auto", BLIND_SPOT, *CANDIDATES), "the filter")
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
    if low == high:
        raise ValueError(f"the image is constant (every value is {low:g}): there is nothing to denoise")
    exact = 2**53 if np.issubdtype(kind, np.integer) else 1e150
    if max(-low, high) > exact:
        raise ValueError(f"the values range from {low:g} to {high:g}; at most {exact:g} can be handled without loss")


def _judge_all(names: list[str], frames: list[np.ndarray], device: str, progress: bool) -> dict[str, Judged]:
    """Candidates with a loss that is a finite number; there is at least one."""
    tiles = sample_tiles(frames)
    sigma = max(noise_level(tiles), 1e-4)  # a noise-free image: the gentlest settings
    judged = {}
    for name in (bar := tqdm(names, desc="calibrating", disable=not progress, leave=False)):
        bar.set_postfix_str(name)
        judged[name] = judge(name, tiles, sigma, device)
    finite = {name: one for name, one in judged.items() if math.isfinite(one.loss)}
    if not finite:
        raise ValueError(f"no loss of {', '.join(names)} is a finite number on this image; try another filter")
    return finite


def _as_type(values: np.ndarray, kind: np.dtype, low: float, high: float) -> np.ndarray:
    """Back to the input's type; integers are rounded and kept within the input's own range."""
    if np.issubdtype(kind, np.integer):
        values = np.clip(np.rint(values), low, high)
    return values.astype(kind)
