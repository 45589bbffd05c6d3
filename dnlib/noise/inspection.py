"""What is known of an image's noise, in numbers; fresh noise like it; and all of it in words."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter

from dnlib.images import Range
from dnlib.noise.correlation import radius
from dnlib.noise.draws import draw_standard, impossible_share
from dnlib.noise.sentences import CORRELATED, SURE, UNEVEN, paragraph_of, record_of, sentence_of

AROUND = 1.5  # pixels: the local brightness of an image is its average with Gaussian weights of this width


@dataclass(frozen=True)
class Inspection:
    """What noise an image has; standard deviations in the units that `unit` names.

    Parameters
    ----------
    level : float
        Standard deviation of the noise in the whole image.
    brightness, deviation : array [B]
        How strong the noise is at which brightness, from 0 to 1, of all colours together.
    map : array [K, K]
        The pooled correlation map, its centre the lag (0, 0); NaN at lags of which too few pairs of pixels are known.
    exact : bool
        Measured with a clean image, or with another shot; estimated otherwise.
    saturated : float
        Share of the pixels that are black or white in some colour, of those that count.
    curves : array [C, 2, B]
        Brightness and standard deviation for each colour by itself; [1, 2, B] stands for any number of colours.
    covariance : array [C, C]
        The covariance of the noise between the colours of a pixel, each divided by its standard deviation: that is,
        their correlation. Its diagonal is 1.
    range : Range
        Black and white of the image.
    black : float
        Of the values that count, the share that is black, in an image that never goes below black. 0 if many of them
        lie in places too bright for noise to reach black: then they are single pixels or fine print.
    bright : float
        The same of white.
    blocks : bool
        Whether it has the blocks of a JPEG file.
    enlarged : bool
        Whether it has next to nothing at high frequencies, as after enlarging.
    pure : float
        Of the pixels that are neither black nor white, the share in whose surroundings nothing but noise was found. If
        it is small, fine texture may have been taken for noise, unless the noise is white: texture is not.
    weakest : float
        How strong the noise is in the tenth of its surroundings where it is weakest, as a share of what it would be
        there by chance if it were equal all over. Well below 1 where the making of the file has smoothed some places
        more than others, or where texture was taken for noise: then the level is a rough one.
    shots : bool
        Measured by the difference of two shots, each of which has this noise.

    Examples
    --------
    >>> from dnlib.noise import inspect_pair
    >>> clean = np.full((64, 64), 0.5)
    >>> found = inspect_pair(clean + 0.1 * np.random.default_rng(0).standard_normal(clean.shape), clean)
    >>> round(found.level, 1), found.radius
    (25.4, 0)
    >>> print(found.sentence)
    Noise of standard deviation 25.4 of 255 (measured against the clean image), ...
    """

    level: float
    brightness: np.ndarray
    deviation: np.ndarray
    map: np.ndarray
    exact: bool
    saturated: float
    curves: np.ndarray
    covariance: np.ndarray
    range: Range
    black: float = 0.0
    bright: float = 0.0
    blocks: bool = False
    enlarged: bool = False
    pure: float = 1.0
    weakest: float = 1.0
    shots: bool = False

    @property
    def unit(self) -> str:
        """What the standard deviations are stated of: "of 255" for 8 bits and floats in [0, 1]."""
        return str(self.range)

    @property
    def white(self) -> float:
        """The range of the image in these units."""
        return self.range.white

    @property
    def radius(self) -> int:
        """Beyond it, in either direction, |correlation| stays below 0.1; below 0.15 if it is estimated."""
        return radius(self.map, CORRELATED if self.exact else SURE)

    @property
    def rough(self) -> bool:
        """Whether smooth places differ by so much that no single level is true of all."""
        return self.weakest < UNEVEN

    @property
    def lag_1(self) -> tuple[float, float]:
        """The correlation with the pixel to the right, and with the one below; NaN where it is not known."""
        reach = len(self.map) // 2
        if reach == 0:
            return np.nan, np.nan
        return float(self.map[reach, reach + 1]), float(self.map[reach + 1, reach])

    @property
    def impossible(self) -> float:
        """Share of the power that the map, or the covariance, states below zero: `draw` takes it for zero."""
        return impossible_share(self._known_map, self.covariance)

    @property
    def sentence(self) -> str:
        """All of it, said in one sentence, with what follows for a blind spot."""
        return sentence_of(self)

    @property
    def paragraph(self) -> str:
        """The sentence and more: range, colours, clipping, what the file went through, and what of this course fits."""
        return paragraph_of(self)

    @property
    def record(self) -> dict:
        """All of it as plain numbers and lists, which can be written as JSON."""
        return record_of(self)

    def stated_in(self, range: Range) -> "Inspection":
        """The same of the same image in other units, in which black and white are those of a range.

        Parameters
        ----------
        range : Range
            Black and white in the other units.

        Examples
        --------
        >>> from dnlib.noise import inspect_image
        >>> found = inspect_image(np.random.default_rng(0).normal(0.5, 0.1, (64, 64)), range=Range.told(0, 1))
        >>> round(found.stated_in(Range(0, 4095, 4095)).level / found.level)
        4095
        """
        times = range.white / self.white
        curves = self.curves * np.array([1, times])[:, None]
        return replace(self, level=times * self.level, deviation=times * self.deviation, curves=curves, range=range)

    def variance(self, image: np.ndarray) -> np.ndarray:
        """The variance of the noise at every pixel of an image, from the brightness around it.

        Parameters
        ----------
        image : array [H, W] or [H, W, C]
            In the units of the image that was inspected, as noisy as that or cleaner.

        Returns
        -------
        array of the image's shape
            float32, in the image's own units squared; float64 where these squares are too large or small for that.

        Raises
        ------
        ValueError
            For another number of colours.

        Examples
        --------
        >>> from dnlib.noise import inspect_image
        >>> image = np.random.default_rng(0).normal(100, 5, (64, 64)).round().astype(np.uint8)
        >>> bool(abs(np.sqrt(inspect_image(image).variance(image)) - 5).max() < 0.5)
        True
        """
        planes = self._planes(image)
        light = self.range.to_unit(planes)
        span = self.range.high - self.range.low
        scale = span / self.range.white
        found = np.empty(planes.shape, _type_of_squares(span, scale * self.curves[:, 1].max()))
        for colour in range(planes.shape[2]):
            brightness, deviation = self.curves[colour % len(self.curves)]
            around = gaussian_filter(light[..., colour], AROUND)
            found[..., colour] = (scale * np.interp(around, brightness, deviation)) ** 2
        return found.reshape(np.shape(image))

    def draw(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Fresh noise for an image: its variance that of `variance`, shared by neighbours and colours as here stated.

        Where the map or the covariance is not one that noise can have, the nearest that is possible is taken;
        `impossible` says how far that is, and so does `paragraph` where it is much.

        Parameters
        ----------
        image : array [H, W] or [H, W, C]
            As for `variance`.
        rng : numpy.random.Generator
            Where the randomness comes from.

        Returns
        -------
        array of the image's shape
            Noise alone, in the image's own units, of the type of `variance`.

        Examples
        --------
        >>> from dnlib.noise import inspect_image
        >>> rng = np.random.default_rng(0)
        >>> noisy = 0.5 + 0.1 * rng.standard_normal((100, 100))
        >>> round(float(inspect_image(noisy).draw(noisy, rng).std()), 1)
        0.1
        """
        planes = self._planes(image)
        colours = planes.shape[2]
        covariance = self.covariance if len(self.covariance) == colours else np.eye(colours)
        noise = draw_standard(planes.shape, self._known_map, covariance, rng)
        return noise.reshape(np.shape(image)) * np.sqrt(self.variance(image))

    @property
    def _known_map(self) -> np.ndarray:
        """The map with 0 where it is not known, and 1 for each pixel with itself."""
        known, reach = np.nan_to_num(self.map), len(self.map) // 2
        known[reach, reach] = 1
        return known

    def _planes(self, image: np.ndarray) -> np.ndarray:
        """The image as [H, W, C], with as many colours as were inspected."""
        image = np.asarray(image)
        planes = image[..., None] if image.ndim == 2 else image
        if planes.ndim != 3 or len(self.curves) not in (1, planes.shape[2]):
            raise ValueError(
                f"noise of {len(self.curves)} colours was inspected; an image [H, W, C] with as many is taken, "
                f"or [H, W] for one; shape {list(image.shape)} was given"
            )
        return planes


def _type_of_squares(*values: float) -> type:
    """float32 if it holds the squares of these numbers, and of others a thousand times weaker; else float64."""
    limits = np.finfo(np.float32)
    low, high = np.sqrt([limits.tiny / limits.eps, limits.max], dtype=np.float64)
    return np.float32 if all(value == 0 or low < value < high for value in values) else np.float64
