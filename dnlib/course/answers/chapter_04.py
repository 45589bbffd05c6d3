"""Reference answers of chapter 04."""

import numpy as np

from dnlib.course.exercises import Exercise


def _probability(y, mean, width, alpha):
    g = np.exp(-0.5 * ((y - mean) / width) ** 2) / (width * np.sqrt(2 * np.pi))
    return (1 - alpha) * g / (alpha + (1 - alpha) * g)


EXERCISES = {
    "04.1": Exercise(
        lambda width, noise: width**2 / (width**2 + noise**2),
        lambda: [(50.0, 25.0), (10.0, 25.0)],
        because="it is the factor in front of (y - mu).",
    ),
    "04.2": Exercise(
        _probability,
        lambda: [(0.4, 0.3, 0.05, 0.5), (0.35, 0.3, 0.1, 0.2)],
        tolerance=1e-2,
        because="two deviations away, and still as likely clean as not: a random value hits a given place so rarely.",
    ),
    "04.3": Exercise(
        lambda depth: 2**depth - 1,
        lambda: [(1,), (3,), (5,)],
        because="a row at the top of a block of 2^depth rows hears of all of them. The move at the "
        "end, down by one row, mends one of them.",
    ),
    "04.4": Exercise(
        "it grows without end",
        choices=("it goes to zero", "it grows without end", "it stays as it was"),
        because="unsure costs nothing any more, and wrong costs less the more unsure one is.",
    ),
    "04.5": Exercise(
        "too sure of itself",
        choices=("right", "too sure of itself", "too modest"),
        because="68 % were promised and 56 % are inside: its deviations are too small.",
    ),
}
