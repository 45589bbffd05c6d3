"""What may denoise a picture: classical filters in several strengths, and the shipped networks."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from dnlib.denoiser import learned
from dnlib.filters import Filter, Setting, median, nl_means, ridge, ridge_cascade, total_variation

if TYPE_CHECKING:
    from dnlib.denoiser.judging import Judged

BLIND_SPOT = "blind_spot"  # the candidate that knows how uncertain it is
BLIND_SPOT_WEIGHTS = "blind_spot_rgb_sigma5to50_unknown_long"
NETWORK, PATCHES = 37, 42  # pixels on each side that networks look at, and groups of similar patches beyond them
ROUNDS = 50  # of total variation: for few photons it has to look far
ADAPTED = "_adapted"  # behind the name of a network that was trained further
TOGETHER = " and "  # between the names of two candidates whose mean is taken
EVEN = 9 / 255  # of the range in use: the noise at which a filter and a network count the same in their mean
UNCHANGED = "unchanged"  # what is chosen where every candidate would do harm


@dataclass(frozen=True)
class Candidate:
    """A filter or network that `denoise` may choose.

    Attributes
    ----------
    filter : Filter or None
        filter(image, **setting), for float images [H, W] or [H, W, C]; None for a mean of others.
    settings : callable
        The settings to try, given the standard deviation of the noise. Floats are in units of the image, as the
        deviation is; whole numbers are counts, of pixels or rounds.
    seconds : float
        About how long it takes for a megapixel of one channel, on two cores of a laptop without bfloat16 units.
    noise : {"any", "white", "shared", "asked for"}
        What it is tried on: any noise, white noise, noise that neighbours share, or only where it is asked for.
    by_pixel : bool
        Whether its `sigma` may be an array of the image's shape, for noise that depends on brightness.
    reach : int or None
        How many pixels on each side a value depends on at most; None: it has to see whole images.
    channels : int or None
        How many colours the images of a network have, whose range is [0, 1]; None: any number.
    weights : str
        The name of a network's weights; "" for a filter.
    refining : float or None
        Not None: a network's estimate is refined by similar patches, for this many times the noise's deviation.
    instead_of : tuple of str
        Candidates that need not be tried where this one is.
    deviation : callable, optional
        Takes what the filter takes, and also tells the standard deviation of every value.
    words : str
        What it is, in words for someone who takes pictures.
    members : tuple of Judged
        The candidates whose mean it is.

    Examples
    --------
    >>> CANDIDATES["nl_means"].settings(0.1)[0]
    {'h': 0.05, 'sigma': 0.1}
    """

    filter: Filter | None
    settings: Callable[[float], list[Setting]]
    seconds: float = 1.0
    noise: str = "any"
    by_pixel: bool = False
    reach: int | None = None
    channels: int | None = None
    weights: str = ""
    refining: float | None = None
    instead_of: tuple[str, ...] = ()
    deviation: Callable[..., tuple[np.ndarray, np.ndarray]] | None = None
    words: str = ""
    members: "tuple[Judged, ...]" = ()

    def unfit(self, channels: int, white: bool) -> str:
        """Why it is not tried on images of so many channels, with white noise or not; "" if it is."""
        if self.noise == "asked for":
            return "only if it is asked for"
        if self.noise not in ("any", "white" if white else "shared"):
            return f"made for noise that neighbours {'share' if white else 'do not share'}"
        if self.channels not in (None, channels):
            made = "gray pictures" if self.channels == 1 else f"pictures of {self.channels} colours"
            return f"made for {made}; this one has {channels} channel{'s' if channels > 1 else ''}"
        return "" if self.is_there() else "its weights are not installed"

    def is_there(self) -> bool:
        """Whether it can be tried: weights may not be installed."""
        return not self.weights or learned.is_there(self.weights)


def averaged(candidates: list[Candidate], estimates: list[np.ndarray], level: float) -> np.ndarray:
    """The weighted mean of what candidates make of an image with noise of a level (of the range in use, which is 1).

    A network's share is level^3 / (level^3 + EVEN^3): where noise was weak the filter was mostly the better of the two,
    where it was strong the network (`benchmarks/shares.py`).
    """
    counts = np.array([level**3 if one.weights else EVEN**3 for one in candidates], np.float32)
    return np.average(estimates, axis=0, weights=counts)


def candidates_in(name: str) -> list[Candidate]:
    """The candidates in a choice's name: two for a mean, none for "unchanged"; an adapted one as it was before."""
    names = [one.removesuffix(ADAPTED) for one in name.split(TOGETHER)]
    return [CANDIDATES[one] for one in names if one in CANDIDATES]


def _times(name: str, *factors: float) -> Callable[[float], list[Setting]]:
    """Settings that are multiples of the noise's standard deviation."""
    return lambda level: [{name: factor * level} for factor in factors]


def _network(weights: str, words: str, noise: str, channels: int = 3, seconds: float = 1.0) -> Candidate:
    return Candidate(
        learned.filter_by(lambda device: learned.method_of(weights, device)),
        lambda level: [{}],
        seconds,
        noise,
        reach=NETWORK,
        channels=channels,
        weights=weights,
        words=words,
    )


def _refined(name: str, factor: float, *also: str) -> Candidate:
    """The network called so, refined by similar patches, for noise of `factor` times the deviation."""
    network = NETWORKS[name]
    return replace(
        network,
        filter=learned.filter_by(lambda device: learned.method_of(network.weights, device), factor),
        settings=_times("sigma", 1.0),
        seconds=network.seconds + 0.7,
        by_pixel=True,
        reach=NETWORK + PATCHES,
        words=f"{network.words}, and what patches that are alike make of it",
        refining=factor,
        instead_of=(name, *also),
    )


NETWORKS = {
    "white_noise_network": _network("bias_free_rgb_sigma0to55", "a network for independent noise", "white"),
    "shared_noise_network": _network(
        "patch_craft_rgb_sigma20_box3", "a network for noise that neighbours share", "shared"
    ),
    "photographs_network": _network("photographs_rgb", "a network for photographs with any noise", "any"),
    "gray_white_noise_network": _network(
        "bias_free_gray_sigma0to55", "a network for independent noise in gray pictures", "white", channels=1
    ),
    "gray_network": _network("photographs_gray", "a network for gray photographs with any noise", "any", channels=1),
}
SHARED = 2.0  # times the noise's deviation: what patches are told where neighbours share the noise

CANDIDATES = {
    "median": Candidate(
        median,
        lambda level: [{"radius": radius} for radius in (1, 2)],
        seconds=0.2,
        reach=2,
        words="the median of the pixels around",
    ),
    "total_variation": Candidate(
        partial(total_variation, rounds=ROUNDS),
        _times("weight", 0.75, 1.5, 3.0, 6.0),
        seconds=0.7,
        reach=ROUNDS,
        words="total variation, which makes areas smooth and keeps edges",
    ),
    "nl_means": Candidate(
        nl_means,
        lambda level: [{"h": factor * level, "sigma": level} for factor in (0.5, 0.8, 1.2)],
        seconds=0.8,
        reach=2 + 6,  # half a patch, and the distance of the search
        words="non-local means, an average of pixels with similar surroundings",
    ),
    "ridge": Candidate(
        ridge,
        _times("sigma", 1.0),
        seconds=3.0,
        noise="white",
        by_pixel=True,
        words="a weighted sum of similar patches",
    ),
    "ridge_cascade": Candidate(
        ridge_cascade,
        _times("sigma", 1.0),
        seconds=2.5,
        noise="shared",
        by_pixel=True,
        words="a weighted sum of similar patches, in two resolutions",
        instead_of=("total_variation", "nl_means"),
    ),
    **NETWORKS,
    "white_noise_network_refined": _refined("white_noise_network", 1.0, "ridge"),
    "shared_noise_network_refined": _refined("shared_noise_network", SHARED),
    "photographs_network_refined": _refined("photographs_network", SHARED),
    "gray_white_noise_network_refined": _refined("gray_white_noise_network", 1.0),
    "gray_network_refined": _refined("gray_network", SHARED),
    BLIND_SPOT: replace(
        _network(BLIND_SPOT_WEIGHTS, "a blind-spot network, which says how sure it is", "asked for", seconds=3.5),
        settings=_times("sigma", 1.0),
        reach=None,  # it looks farther, at whole frames
        deviation=partial(learned.with_deviation, BLIND_SPOT_WEIGHTS),
    ),
}
