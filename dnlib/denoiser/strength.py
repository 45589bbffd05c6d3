"""What noise a part of a picture has, as the judge needs it: its variance pixel by pixel, and draws of its kind."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from dnlib.denoiser.drawn import has_soft_edges, is_drawn
from dnlib.denoiser.sampling import noise_level
from dnlib.filters import Filter
from dnlib.images import Range, are_counts, step_between
from dnlib.noise import DITHERED, Inspection, inspect_image

TEXTURED = 0.2  # share of pixels with noise alone around that pictures of nothing but texture may have
PURE = 0.4  # share above which there is no doubt that it is noise
SMALLEST = 64  # pixels of each side of an image whose noise is inspected
CLIPPED = 0.9  # share of black and white pixels, above which the others tell too little
DOUBT = 2 / 255  # of the range: texture as fine as noise of this standard deviation cannot be told from it
TEXTURE = 16 / 255  # where all is texture: grass, gravel and 34 of BSDS500's photographs seem to have less noise
GRAIN = 4 / 255  # about weaker noise the network is not asked
DISAGREED, AGREED = 0.2, 0.35  # shares of the noise that a network removes, from which on it is trusted, and fully
SENSOR = 0.6  # of texture, colours share more than this; of a sensor's noise, less
SETTLED = 0.9  # of the noise, that is certain: no more opinions are asked for
PATTERN = 0.05  # share of all pixels with noise alone around, below which all may be a pattern
ROUNDED = 0.3  # steps: rounding leaves up to 0.29, and up to 0.5 with a dither before it
FINER = 1.5  # times as far apart as values are written
FEW = 32  # values, below which a picture was made of few levels
SMOOTH = 0.9  # correlation with the next pixel in both directions, above which it is shading, and no noise


@dataclass(frozen=True)
class WhiteNoise:
    """Noise that is equally strong everywhere and independent from pixel to pixel: all that a tiny picture can tell.

    level: its standard deviation in [0, 1]. white: whether neighbours do not share it.
    pure: of the pixels that are neither black nor white, the share that surely has nothing but noise.
    agreed: the share of its variance that a network for photographs takes for noise, too.
    alike: the mean correlation between its colours; 1 where that is not known.
    drawn: whether the picture was drawn, without any noise. levels: how many values a frame has.
    clipped: the share of the pixels that are black or white.
    found: the inspection in units of the picture; or in a sentence why there is none.

    Examples
    --------
    >>> WhiteNoise(0.1).variance(np.zeros((2, 2))).tolist()
    [[0.010000000000000002, 0.010000000000000002], [0.010000000000000002, 0.010000000000000002]]
    """

    level: float
    pure: float = 1.0
    found: str = ""
    agreed: float = 0.0
    drawn: bool = False
    levels: int = 0
    clipped: float = 0.0
    alike = 1.0
    white = True

    def variance(self, image: np.ndarray) -> np.ndarray:
        """The noise's variance at every pixel of an image [H, W, C] or [H, W] in [0, 1], of its shape."""
        return np.full(image.shape, self.level**2)

    def draw(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Fresh noise of the same kind, of the image's shape."""
        return self.level * rng.standard_normal(image.shape)


@dataclass(frozen=True)
class InspectedNoise:
    """Noise as an inspection found it; attributes that are not explained here are those of `WhiteNoise`.

    known: the inspection of the image in [0, 1]. step: between the values that there are, in the same unit; 0 for
    photon counts. finer: whether the result is written in finer steps.
    """

    known: Inspection
    found: Inspection
    agreed: float = 0.0
    drawn: bool = False
    levels: int = 0
    step: float = 0.0
    finer: bool = False

    @property
    def white(self) -> bool:
        return self.known.radius == 0

    @property
    def rounded(self) -> bool:
        """Whether it is no more than what rounding leaves, or a dither before it.

        White noise before rounding is a dither as well: from it the values between the steps can be recovered, if the
        result is written in finer steps. After rounding it is still white, with a twelfth of the step squared added to
        its variance, and is told from rounding by that. Rounding alone leaves contours, which neighbours share, and
        error diffusion makes neighbours differ.
        """
        return self.known.level <= (ROUNDED if self.white and self.finer else DITHERED) * self.step

    @property
    def pure(self) -> float:
        if self.drawn or self.rounded or min(self.known.lag_1) > SMOOTH:
            return 0.0
        told_apart = np.count_nonzero(self.known.map) == 1  # as white noise, which no texture is
        return 1.0 if told_apart and self.known.saturated < CLIPPED else self.known.pure

    @property
    def clipped(self) -> float:
        return self.known.saturated

    @property
    def alike(self) -> float:
        shares = self.known.covariance[~np.eye(len(self.known.covariance), dtype=bool)]
        return float(shares.mean()) if shares.size else 1.0

    def variance(self, image: np.ndarray) -> np.ndarray:
        return self.known.variance(image)

    def draw(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return self.known.draw(image, rng)


Strength = WhiteNoise | InspectedNoise


def strength_of(
    frame: np.ndarray, inside: np.ndarray, used: Range, unit: Range, tiles: list[np.ndarray], written: float
) -> Strength:
    """The noise of a frame [H, W, C] by inspection; where that fails, by the finest wavelets of the tiles.

    inside: [H, W], False where pixels do not count. used: black and white. unit: the values that are 0 and 1 in the
    frame. written: the step of the values that are written, 0 for floats. All three are in units of the picture.
    """
    levels = len(np.unique(frame[inside]))
    span, drawn = unit.high - unit.low, is_drawn(frame, inside)
    here = Range.told((used.low - unit.low) / span, (used.high - unit.low) / span)
    try:
        known = inspect_image(frame, inside=inside, range=here)
    except ValueError as error:  # too small to be inspected, or nothing in it can be said to be noise
        small = min(frame.shape[:2]) < SMALLEST
        why = f"it has fewer than {SMALLEST} pixels on a side" if small else str(error)
        clipped = float(((frame <= here.low) | (frame >= here.high)).any(axis=2)[inside].mean())
        return WhiteNoise(noise_level(tiles), float(small and not drawn), why, 0.0, drawn, levels, clipped)
    drawn = drawn or has_soft_edges(frame, inside, known)
    step = step_between(frame)
    photons = step > 0 and are_counts(np.rint(frame[inside] / step))
    finer = span * step > written * FINER
    return InspectedNoise(known, known.stated_in(used), 0.0, drawn, levels, 0.0 if photons else step, finer)


def trust(level: float, known: Strength) -> float:
    """The share of a variance level^2 that is certain to be noise and not fine texture; level in [0, 1].

    Examples
    --------
    >>> trust(DOUBT, WhiteNoise(DOUBT)), round(trust(10 / 255, WhiteNoise(10 / 255)), 2)
    (0.0, 0.96)
    >>> trust(2 * TEXTURE, WhiteNoise(2 * TEXTURE, pure=0.1))
    0.75
    """
    if level <= 0 or known.pure * (1 - known.clipped) < PATTERN:
        return 0.0
    told_apart = float(np.clip((known.pure - TEXTURED) / (PURE - TEXTURED), 0, 1))
    agreed = float(np.clip((known.agreed - DISAGREED) / (AGREED - DISAGREED), 0, 1))
    texture = TEXTURE / (1 - known.clipped) ** 2  # what raises contrast until much is clipped raises texture, too
    doubts = ((told_apart, DOUBT), (agreed, GRAIN), (1.0, texture))
    return max(0.0, *(share * (1 - doubt**2 / level**2) for share, doubt in doubts))


def in_doubt(level: float, known: Strength) -> bool:
    """Whether it may be texture and is worth asking a network: strong, and its colours as unlike as a sensor's noise.

    Examples
    --------
    >>> in_doubt(0.1, WhiteNoise(0.1))
    False
    """
    return level > GRAIN and known.alike < SENSOR and trust(level, known) < SETTLED


def taken_for_noise(network: Filter, tiles: list[np.ndarray], known: Strength) -> float:
    """The share of the noise's variance that a network for photographs removes, where it differs little: a median.

    A network has seen what lawns, gravel and stone walls look like; an estimate from one image has not. It errs, too
    (`benchmarks/texture.py`).

    tiles: images [H, W, 3] in [0, 1], as the network takes them. known: of the noise that they seem to have.
    """
    removed = [np.square(network(tile) - tile) / known.variance(tile).clip(1e-12) for tile in tiles]
    return float(np.median(np.concatenate([one.ravel() for one in removed])) / chi2.median(1))
