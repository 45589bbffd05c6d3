"""What may denoise a picture, and how each is judged without a clean one: on the same pixels of the same tiles.

The loss is self-supervised (see `dnlib.filters`) and taken over one pixel in 16 of sample tiles of the noisy image.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dnlib.denoiser.sampling import without_single_channel
from dnlib.filters import (
    Filter,
    Setting,
    calibrate,
    donut_median,
    median,
    nl_means,
    total_variation,
    wavelet,
)

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


class Judged(NamedTuple):
    """A candidate in its best setting: the mean of its loss over all tiles, NaN where it fails, and how it denoises.

    `denoise` takes a frame [H, W, C] and returns its estimate and the standard deviation of that, or None.
    """

    setting: Setting
    in_image_units: frozenset[str]
    loss: float
    noise: float
    denoise: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray | None]]


def judge(name: str, tiles: list[np.ndarray], sigma: float, device: str) -> Judged:
    """One of `CANDIDATES`, or the network, on tiles whose noise has the standard deviation sigma."""
    if name == BLIND_SPOT:
        from dnlib.denoiser.network import BlindSpot  # and with it torch, which takes seconds

        network = BlindSpot(tiles, device)
        return Judged({"sigma": network.sigma}, frozenset({"sigma"}), network.loss, network.sigma, network.denoise)
    candidate = CANDIDATES[name]
    judged, blind = (candidate.blind_twin, True) if candidate.blind_twin else (candidate.filter, False)
    settings = candidate.settings(sigma)
    losses = [calibrate(judged, tile, settings, blind=blind, all_masks=False).losses for tile in tiles]
    means = np.mean(losses, axis=0)
    best = int(np.argmin(np.where(np.isfinite(means), means, np.inf)))

    def denoise(frame: np.ndarray) -> tuple[np.ndarray, None]:
        return candidate.filter(without_single_channel(frame), **settings[best]).reshape(frame.shape), None

    return Judged(settings[best], candidate.in_image_units, float(means[best]), sigma, denoise)
