"""The correlation maps of many images: together, and image by image to find those that stand out."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from dnlib.noise.correlation import lag_sums


@dataclass(frozen=True)
class Survey:
    """The correlation map over all images, and that of each by its name.

    Parameters
    ----------
    pooled : array [K, K]
        Over all pixels of all images.
    maps : dict of array [K, K]
        Of each image.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> found = survey((f"image {i}", rng.standard_normal((20, 20))) for i in range(3))
    >>> sorted(found.maps), found.pooled.shape
    (['image 0', 'image 1', 'image 2'], (21, 21))
    """

    pooled: np.ndarray
    maps: dict[str, np.ndarray]

    def at(self, lag: tuple[int, int]) -> dict[str, float]:
        """The correlation of every image at one lag (rows, columns); a lag beyond the maps is refused."""
        reach = len(self.pooled) // 2
        if max(map(abs, lag)) > reach:
            raise ValueError(f"the maps hold lags up to {reach} pixels; {lag} was given: survey with a larger reach")
        return {name: float(values[reach + lag[0], reach + lag[1]]) for name, values in self.maps.items()}

    def outliers(self, lag: tuple[int, int]) -> dict[str, float]:
        """The images whose correlation at a lag lies 1.5 interquartile ranges outside the quartiles (Tukey)."""
        values = self.at(lag)
        low, high = np.nanquantile(list(values.values()), [0.25, 0.75])
        margin = 1.5 * (high - low)
        return {name: value for name, value in values.items() if not low - margin <= value <= high + margin}


def survey(images: Iterable[tuple[str, np.ndarray]], reach: int = 10) -> Survey:
    """The correlation maps of many images, one in memory at a time.

    Parameters
    ----------
    images : iterable of (name, noise)
        Noise as `correlation_map` takes it.
    reach : int
        Largest lag.

    Raises
    ------
    ValueError
        If there is no image, and as `correlation_map`, naming the image.

    Examples
    --------
    >>> survey([("small", np.ones((3, 3)))])
    Traceback (most recent call last):
    ValueError: small: lags up to 10 pixels do not fit into an image of 3x3; the reach is at least 0 and at most 2
    """
    sums, maps = None, {}
    for name, noise in images:
        try:
            own = lag_sums(noise, reach)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        maps[name] = own.correlation
        sums = own if sums is None else sums + own
    if sums is None:
        raise ValueError("at least one image is needed; none was given")
    return Survey(sums.correlation, maps)
