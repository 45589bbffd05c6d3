"""The 60-second denoiser: choose between classical filters and a network without ground truth, and apply the choice.

Every candidate is judged by its self-supervised loss (see `dnlib.filters`) on the same pixels, one in 16, of sample
tiles of the noisy image itself. The winner is then applied with the pixel's own value back in view: filters directly,
in one pass, which chapter 01 compares with the J-invariant image and with mixing; the blind-spot network by Bayes' rule
(chapter 04).

It assumes noise that is independent from pixel to pixel. Noise of a phone or a JPEG is not.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from skimage.restoration import estimate_sigma
from tqdm.auto import tqdm

from dnlib.filters import (
    Calibration,
    Filter,
    Setting,
    calibrate,
    channel_axis,
    donut_median,
    median,
    nl_means,
    total_variation,
    wavelet,
)
from dnlib.images import Picture, one_of

TILE, TILES = 256, 4  # calibration looks at up to four tiles of 256x256 pixels
BLIND_SPOT = "blind_spot"  # the candidate that is a network, for colour images


@dataclass(frozen=True)
class Candidate:
    """A classical filter that `denoise` may choose.

    Attributes
    ----------
    filter : Filter
        filter(image, **setting), for float images [H, W] or [H, W, C].
    settings : callable
        The settings to try, given the standard deviation of the noise, in units of the image.
    blind_twin : Filter, optional
        A filter that takes the same settings and ignores each pixel's own value; it is judged in the filter's place.
    in_image_units : frozenset of str
        The arguments that are in units of the image, as `Choice.setting` reports them.

    Examples
    --------
    >>> CANDIDATES["wavelet"].settings(0.1)[0]
    {'sigma': 0.05}
    """

    filter: Filter
    settings: Callable[[float], list[Setting]]
    blind_twin: Filter | None = None
    in_image_units: frozenset[str] = frozenset()

    def calibrate(self, tile: np.ndarray, settings: list[Setting]) -> Calibration:
        """The losses of these settings on the pixels of `single_mask`."""
        filter, blind = (self.blind_twin, True) if self.blind_twin else (self.filter, False)
        return calibrate(filter, tile, settings, blind=blind, all_masks=False)


CANDIDATES = {
    "median": Candidate(median, lambda sigma: [{"radius": r} for r in (1, 2, 3, 4)], donut_median),
    "total_variation": Candidate(
        total_variation,
        lambda sigma: [{"weight": k * sigma} for k in (0.25, 0.5, 0.75, 1.0, 1.4, 2.0, 3.0)],
        in_image_units=frozenset({"weight"}),
    ),
    "wavelet": Candidate(
        wavelet,
        lambda sigma: [{"sigma": k * sigma} for k in (0.5, 0.75, 1.0, 1.5, 2.0, 3.0)],
        in_image_units=frozenset({"sigma"}),
    ),
    "nl_means": Candidate(
        nl_means,
        lambda sigma: [{"h": k * sigma, "sigma": sigma} for k in (0.3, 0.5, 0.7, 0.9, 1.2, 1.8)],
        in_image_units=frozenset({"h", "sigma"}),
    ),
}


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
        The best loss of each candidate.
    uncertainty : ndarray or None
        The standard deviation of every value, where the network denoised.
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
        an unknown filter or device.

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
    one_of(filter, ("auto", BLIND_SPOT, *CANDIDATES), "the filter")
    if filter == BLIND_SPOT and colours.shape[-1] != 3:
        raise ValueError(
            f"{BLIND_SPOT} was trained on images of 3 colours; this one has {colours.shape[-1]} channel(s)"
        )
    low, high = float(colours.min()), float(colours.max())
    _check_range(low, high, colours.dtype)
    span = high - low
    unit = ((colours.astype(np.float64) - low) / span).astype(np.float32)  # filters see [0, 1] whatever the units
    frames = list(unit.reshape(-1, *unit.shape[-3:]))
    every = [*CANDIDATES, BLIND_SPOT] if _suits_network(colours) else list(CANDIDATES)
    choice, apply = _choose(frames, every if filter == "auto" else [filter], device, progress)
    results = [apply(frame) for frame in tqdm(frames, desc="denoising", disable=not progress, leave=False)]
    means, deviations = zip(*results, strict=True)
    if choice.filter == BLIND_SPOT:
        choice = replace(choice, uncertainty=np.stack(deviations).reshape(unit.shape))
    restored = np.stack(means).reshape(unit.shape).astype(np.float64) * span + low
    return picture.with_colours(_as_type(restored, colours.dtype, low, high)), _in_units(choice, span)


def _check_range(low: float, high: float, kind: np.dtype) -> None:
    if low == high:
        raise ValueError(f"the image is constant (every value is {low:g}): there is nothing to denoise")
    exact = 2**53 if np.issubdtype(kind, np.integer) else 1e150
    if max(-low, high) > exact:
        raise ValueError(f"the values range from {low:g} to {high:g}; at most {exact:g} can be handled without loss")


def _choose(frames: list[np.ndarray], names: list[str], device: str, progress: bool) -> tuple[Choice, Callable]:
    """The candidate of smallest loss, and a function from frames to (result, standard deviation or None)."""
    tiles = _sample_tiles(frames)
    sigma = max(noise_level(tiles), 1e-4)  # a noise-free image: the gentlest settings
    best, losses = {}, {}
    for name in (bar := tqdm(names, desc="calibrating", disable=not progress, leave=False)):
        bar.set_postfix_str(name)
        if name == BLIND_SPOT:
            from dnlib.denoiser.network import BlindSpot

            network = BlindSpot(tiles, device)
            best[name], losses[name] = {"sigma": network.sigma}, float(np.mean([network.loss(tile) for tile in tiles]))
            continue
        pooled = [CANDIDATES[name].calibrate(tile, CANDIDATES[name].settings(sigma)) for tile in tiles]
        found = sum(pooled[1:], start=pooled[0])
        best[name], losses[name] = found.best, found.loss / len(tiles)
    winner = min(losses, key=losses.get)
    if winner == BLIND_SPOT:
        return Choice(winner, best[winner], losses[winner], network.sigma, losses), network.denoise
    apply = partial(CANDIDATES[winner].filter, **best[winner])
    return Choice(winner, best[winner], losses[winner], sigma, losses), lambda frame: (_apply(apply, frame), None)


def _suits_network(colours: np.ndarray) -> bool:
    if colours.shape[-1] != 3:
        return False
    from dnlib.denoiser import network  # and with it torch, which takes seconds that gray images need not wait

    return network.is_there()


def noise_level(tiles: list[np.ndarray]) -> float:
    """Standard deviation of the noise, estimated from the finest wavelets, as the mean over tiles and colours.

    Parameters
    ----------
    tiles : list of ndarray
        Float images [H, W] or [H, W, C], whose units are those of the result.

    Examples
    --------
    >>> import numpy as np
    >>> noise_level([np.random.default_rng(0).normal(0, 3, (64, 64))]).__round__()
    3
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a colour without any detail: no noise in it
        levels = [estimate_sigma(tile, channel_axis=channel_axis(tile)) for tile in tiles]
    return float(np.nan_to_num(np.array(levels)).mean())


def _sample_tiles(frames: list[np.ndarray]) -> list[np.ndarray]:
    """Up to TILES tiles of equal size, spread evenly over the stack and over each image."""
    height, width = frames[0].shape[:2]
    th, tw = min(TILE, height), min(TILE, width)
    # corners of a coarse grid, in an order that spreads early picks over frames and image
    tops = sorted({0, (height - th) // 2, height - th})
    lefts = sorted({0, (width - tw) // 2, width - tw})
    places = [(top, left) for top in tops for left in lefts]
    count = min(TILES, len(places) * len(frames))
    tiles = []
    for k in range(count):
        frame = frames[k * len(frames) // count]
        top, left = places[k * len(places) // count if len(places) >= count else k % len(places)]
        tiles.append(_drop_single_channel(frame[top : top + th, left : left + tw]))
    return tiles


def _apply(filter: Filter, frame: np.ndarray) -> np.ndarray:
    result = filter(_drop_single_channel(frame))
    return result.reshape(frame.shape)


def _drop_single_channel(frame: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(frame[..., 0] if frame.shape[-1] == 1 else frame)


def _as_type(values: np.ndarray, kind: np.dtype, low: float, high: float) -> np.ndarray:
    """Back to the input's type; integers are rounded and kept within the input's own range."""
    if np.issubdtype(kind, np.integer):
        values = np.clip(np.rint(values), low, high)
    return values.astype(kind)


def _in_units(choice: Choice, span: float) -> Choice:
    """Settings and losses, measured on the image scaled to [0, 1], in the units of the input."""
    scaled = {"sigma"} if choice.filter == BLIND_SPOT else CANDIDATES[choice.filter].in_image_units
    setting = {name: value * span if name in scaled else value for name, value in choice.setting.items()}
    return replace(
        choice,
        setting=setting,
        loss=choice.loss * span**2,
        noise=choice.noise * span,
        losses={name: loss * span**2 for name, loss in choice.losses.items()},
        uncertainty=None if choice.uncertainty is None else choice.uncertainty * span,
    )
