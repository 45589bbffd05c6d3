"""What was chosen for a picture, and how good it is, as far as one can know without a clean one."""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from dnlib.denoiser.candidates import UNCHANGED
from dnlib.filters import Setting
from dnlib.noise import Inspection

DRAWS = 4  # of fresh noise, for the uncertainty of a result (`dnlib.denoiser.uncertainty`)
DOUBTS = {
    "": "",
    "posterior": "as the network states it",
    "spread": f"the spread over {DRAWS} fresh draws of the noise, its scale calibrated on photographs",
    "noise": "that of the noise, which was left in",
}
WITHIN = 2.0  # standard errors of the risk: how far off the gain that is stated may be
REMOVED = {0.25: "nearly all", 0.45: "most", 0.65: "about half", 0.9: "some", 1.0: "hardly any"}  # by what is left


@dataclass(frozen=True)
class Choice:
    """What was chosen and how good it is, as far as one can know; all in units of the input image.

    Attributes
    ----------
    filter : str
        A name in `CANDIDATES`, the same with "_adapted", several with " and " whose mean is taken, or "unchanged".
    setting : dict
        The arguments of the filter.
    risk : float
        The estimated mean squared error of the result.
    risk_error : float
        Its standard error, if the noise is as estimated; infinite where it cannot be told.
    noise : float
        Estimated standard deviation of the noise.
    uneven : bool
        Whether the noise differs from place to place, and not by brightness: then all numbers are means.
    risks : dict
        The estimated mean squared error of each candidate in its best setting, and of "unchanged".
    weights : tuple of float
        For each channel, the share that was taken off of what the filter removes.
    uncertainty : ndarray or None
        The standard deviation of every value, where it was asked for or the blind spot denoised.
    uncertainty_kind : {"", "posterior", "spread", "noise"}
        What it is: what the blind spot states; the spread over fresh draws of the noise; the noise's own, where the
        picture is left as it is.
    parts : dict
        Where channels are denoised each by itself, their choices by name; all other attributes are the first one's.
    beforehand : tuple of str
        What was done before the filter, as "rows levelled".
    notes : tuple of str
        What a user should know of the result, in sentences.
    noise_found : Inspection or str
        What noise was found; or in a sentence why none could be inspected.
    untried : dict
        Why the other candidates were not tried, by their names.
    how : {"judged", "counted", "asked for"}
        Whether candidates were judged by their risk, by halves of the photons, or one was asked for by its name.

    Examples
    --------
    >>> Choice("median", {"radius": 2}, 0.01, 0.5, {"median": 0.01}, risk_error=0.001).summary
    'median (radius 2): noise of standard deviation 0.5, about 0.1 is left: nearly all of it removed, about 14.0 dB \
better, give or take 0.8, if the noise is as estimated'
    """

    filter: str
    setting: Setting
    risk: float
    noise: float
    risks: dict[str, float]
    weights: tuple[float, ...] = (1.0,)
    uncertainty: np.ndarray | None = None
    uncertainty_kind: str = ""
    parts: "dict[str, Choice]" = field(default_factory=dict)
    beforehand: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    noise_found: Inspection | str = ""
    untried: dict[str, str] = field(default_factory=dict)
    how: str = "judged"
    risk_error: float = math.inf
    uneven: bool = False

    @property
    def gain(self) -> float | None:
        """By how many dB of PSNR the result is better than the picture; None if there is no noise in either of them."""
        return 10 * math.log10(self.noise**2 / self.risk) if self.risk > 0 < self.noise else None

    @property
    def doubt_of_gain(self) -> float | None:
        """How far off `gain` may be, in dB, if the noise is as estimated; None where that is not known."""
        known = self.gain is not None and self.risk_error < math.inf
        return 10 * math.log10(1 + WITHIN * self.risk_error / self.risk) if known else None

    @property
    def doubt(self) -> str:
        """What the uncertainty is made from, in words; "" where there is none."""
        kinds = dict.fromkeys(one.uncertainty_kind for one in (self.parts or {"": self}).values())
        return "; ".join(DOUBTS[kind] for kind in kinds)

    @property
    def summary(self) -> str:
        """The whole choice in one line."""
        if self.parts:
            return "; ".join(f"{name}: {replace(choice, parts={}).summary}" for name, choice in self.parts.items())
        done = ", ".join(self.beforehand)
        if self.filter == UNCHANGED:
            rest = f"{done}, otherwise left as it is" if done else "left as it is"
            how = "on average, which differs from place to place" if self.uneven else "at most"
            return f"{rest}, with noise of standard deviation {self.noise:.4g} {how}"
        setting = ", ".join(f"{name} {value:.4g}" for name, value in self.setting.items())
        share = min(self.weights)
        taken = "" if share > 0.995 else f", {share:.0%} of what it removes"
        left = f"about {math.sqrt(self.risk):.2g}" if self.risk > 0 else "next to nothing"
        return (
            f"{f'{done}, then ' if done else ''}{self.filter}{f' ({setting})' if setting else ''}{taken}: "
            f"noise of standard deviation {self.noise:.4g}, {left} is left{self._in_words()}"
        )

    def _in_words(self) -> str:
        """How much of the noise was removed, and how sure that is."""
        if self.uneven:
            return "; what is said to be left is true of neither part, for the noise differs from place to place"
        share = math.sqrt(max(self.risk, 0)) / self.noise if self.noise > 0 else math.inf
        removed = next((f"{much} of it removed" for most, much in REMOVED.items() if share <= most), "more than before")
        if self.doubt_of_gain is None:
            return f": {removed}, if the noise is as estimated"
        better = f"about {abs(self.gain):.1f} dB {'better' if self.gain > 0 else 'worse'}"
        return f": {removed}, {better}, give or take {self.doubt_of_gain:.1f}, if the noise is as estimated"
