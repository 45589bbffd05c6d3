"""What a picture went through before it came here: clipping at black and white, rounding in JPEG blocks, enlarging."""

import numpy as np
from scipy import fft

from dnlib.images import middle
from dnlib.noise.impulses import HALF, MIDDLE as PART, noise_around

SMALLEST = 64  # pixels of each side of an image of which blocks, frequencies and patches tell anything
CLIPPED = 0.01  # a share of black or white values above this is worth a sentence
BEYOND_NOISE, SINGLE = 4.0, 0.03  # deviations from black that noise does not bridge; share of the black values there
BLOCK = 8  # pixels
VISIBLE = 1.5  # steps across the borders of blocks are this many times as large as elsewhere
HIGH, MIDDLE = (0.42, 0.5), (0.15, 0.25)  # frequencies in cycles per pixel, the larger of the two directions
EMPTY = 0.015  # of the power at middle frequencies: with less at high ones, the picture was enlarged


def traces_of(image: np.ndarray, counting: np.ndarray) -> dict[str, float | bool]:
    """Clipping where pixels count, JPEG and enlarging of an image [H, W, C], by their names in `Inspection`."""
    large = min(image.shape[:2]) >= SMALLEST
    return {
        "black": _black_share(image, counting),
        "bright": _black_share(1 - image, counting),
        "blocks": large and has_blocks(image),
        "enlarged": large and was_enlarged(image),
    }


def _black_share(image: np.ndarray, counting: np.ndarray) -> float:
    """Share of the values that are black if none lies below; 0 where many in the middle lie in brighter places."""
    values = image[counting]
    share = float((values <= 0).mean()) if values.min() >= 0 else 0.0
    if share < CLIPPED:
        return share
    image, counting = middle(image, PART), middle(counting, PART)
    if not (black := (image <= 0)[counting]).any():
        return share
    around, deviation = noise_around(image, counting, HALF)
    single = black & (around > BEYOND_NOISE * deviation)[counting]
    return share if single.sum() < SINGLE * black.sum() else 0.0


def has_blocks(image: np.ndarray) -> bool:
    """Whether an image [H, W, C] has the blocks of 8x8 pixels of a JPEG file, wherever it was cropped."""
    gray = image.mean(axis=2)
    return min(_borders(gray), _borders(gray.T)) > VISIBLE


def was_enlarged(image: np.ndarray) -> bool:
    """Whether an image [H, W, C] has next to nothing at high frequencies, as interpolation leaves it."""
    gray = image.mean(axis=2, dtype=float)
    window = np.outer(np.hanning(gray.shape[0]), np.hanning(gray.shape[1]))
    power = np.abs(fft.rfft2((gray - gray.mean()) * window)) ** 2
    rows, columns = fft.fftfreq(gray.shape[0]), fft.rfftfreq(gray.shape[1])
    frequency = np.maximum(np.abs(rows)[:, None], columns)
    high, middle = (np.median(power[(frequency > low) & (frequency <= up)]) for low, up in (HIGH, MIDDLE))
    return bool(high < EMPTY * middle)


def _borders(gray: np.ndarray) -> float:
    """How much larger the steps between columns are at every eighth than elsewhere, less the slopes beside them."""
    slopes = np.diff(gray, axis=1)
    steps = np.abs(slopes[:, 1:-1] - (slopes[:, :-2] + slopes[:, 2:]) / 2).mean(axis=0)
    by_place = np.array([steps[place::BLOCK].mean() for place in range(BLOCK)])
    return float(by_place.max() / max(np.median(by_place), 1e-9))
