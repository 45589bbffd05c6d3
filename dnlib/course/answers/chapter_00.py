"""Reference answers of chapter 00."""

import numpy as np

from dnlib.course.exercises import Exercise
from dnlib.images import photo

KINDS = ("Gaussian", "Poisson", "impulse", "correlated", "rows")


def _noise_level(image):
    return np.median(np.abs(image[:, 1:] - image[:, :-1])) / 0.6745 / np.sqrt(2)


def _noisy_photographs():
    rng = np.random.default_rng(0)
    cat = photo("chelsea")[:96, :96]
    return [(cat + level * rng.standard_normal(cat.shape),) for level in (0.05, 0.2)]


EXERCISES = {
    "00.1": Exercise(_noise_level, _noisy_photographs),
    "00.2": Exercise(
        lambda sigma, exposures: float(10 * np.log10(exposures / (sigma / 255) ** 2)),
        lambda: [(25, 8), (50, 3)],
        because="averaging M independent values divides the variance by M.",
    ),
    "00.3": Exercise(
        ["impulse", "rows"],
        choices=KINDS,
        because="neighbours in a row share nearly all of their noise, so that their difference hardly holds any; and a "
        "median overlooks what strikes 15 of 100 pixels.",
    ),
    "00.4": Exercise(
        "next to nothing",
        choices=("nearly all", "about half", "next to nothing"),
        because="each pixel now shares half of its noise with the next, and that is enough: a hidden pixel is "
        "predicted best by keeping its neighbours' noise.",
    ),
    "00.5": Exercise(
        "nobody can tell",
        choices=("yes", "no", "nobody can tell"),
        because="clipping and rounding alone moved the same noisy image by 0.12 dB above. A "
        "denoised image moves less, but by how much nobody has said. Score both by one protocol.",
    ),
}
