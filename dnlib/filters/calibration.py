"""A filter's settings chosen without a clean image, by their self-supervised losses (`jinvariance`)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dnlib.filters.classical import Filter, Setting, floats
from dnlib.filters.jinvariance import blindly, grid_masks, self_supervised_loss
from dnlib.filters.threads import in_threads


@dataclass(frozen=True)
class Calibration:
    """A filter's settings and their self-supervised losses, in the order they were tried.

    Attributes
    ----------
    settings
        What was tried.
    losses
        Of each, in squared units of the image; NaN or infinite where the filter failed.

    Examples
    --------
    >>> Calibration(({"h": 1}, {"h": 2}, {"h": 3}), (0.3, float("nan"), 0.2)).best
    {'h': 3}
    """

    settings: tuple[Setting, ...]
    losses: tuple[float, ...]

    @property
    def best(self) -> Setting:
        """The setting of smallest loss. Raises ValueError if no loss is finite."""
        return self.settings[self._best]

    @property
    def loss(self) -> float:
        """The smallest loss. Raises ValueError if none is finite."""
        return self.losses[self._best]

    @property
    def _best(self) -> int:
        finite = np.isfinite(self.losses)
        if not finite.any():
            raise ValueError(f"no setting has a finite loss: {', '.join(map(str, self.settings))}")
        return int(np.argmin(np.where(finite, self.losses, np.inf)))


def calibrate(
    filter: Filter,
    image: np.ndarray,
    settings: Sequence[Setting],
    *,
    blind: bool = False,
    all_masks: bool = True,
) -> Calibration:
    """Try every setting of a filter and measure its self-supervised loss; no clean image is needed.

    Parameters
    ----------
    filter
        Any; it is called from several threads at once, with one setting in each. (torch's grad mode is not passed on to
        them.)
    image
        Noisy, [H, W] or [H, W, C], at least 4x4 pixels, its noise independent from pixel to pixel.
    settings
        What to try.
    blind
        The filter ignores each pixel's own value, as `donut_median` does: one plain pass measures every pixel.
        Otherwise it is made J-invariant on a 4x4 grid, as by `invariant`, in 16 passes.
    all_masks
        Measure on all pixels, or only on a sixteenth of them (scikit-image's choice), in one pass. Losses of two
        filters can be compared only if they were measured on the same pixels, whose noise they share.

    Raises
    ------
    ValueError
        For no settings, an image under 4x4 pixels, or for what is no finite image of real numbers.

    References
    ----------
    Batson, Royer: Noise2Self, ICML 2019.

    Examples
    --------
    >>> from dnlib.filters import donut_median
    >>> noisy = np.random.default_rng(0).normal(0.5, 0.1, (32, 32))  # nothing but noise: the wider the better
    >>> calibrate(donut_median, noisy, [{"radius": 1}, {"radius": 3}], blind=True).best
    {'radius': 3}
    """
    settings = list(settings)
    if not settings:
        raise ValueError("no settings were given to choose from")
    image = floats(image)
    if min(image.shape[:2]) < 4:
        raise ValueError(f"an image to calibrate on has at least 4x4 pixels; {list(image.shape)} was given")
    mask = None if all_masks else list(grid_masks(image.shape[:2]))[8]  # scikit-image's choice

    def loss_of(setting: Setting) -> float:
        estimate = filter(image, **setting) if blind else blindly(filter, image, setting, None if all_masks else [mask])
        return self_supervised_loss(estimate, image, mask)

    return Calibration(tuple(settings), tuple(in_threads(loss_of, settings)))
