"""Reference answers of chapter 10."""

import numpy as np

from dnlib.course.exercises import Exercise


def _verdict(differences):
    half = 4.30 * np.std(differences, ddof=1) / np.sqrt(3)
    return int(np.mean(differences) + half < 0)


EXERCISES = {
    "10.1": Exercise(
        lambda d, s: int(np.floor((2 * s / d) ** 2)) + 1,
        lambda: [(0.5, 1.0), (0.17, 1.0), (3.0, 1.0)],
        because="2 s / sqrt(n) < d means n > (2 s / d)^2: for 0.17 dB over a hundred images, if the cost "
        "varies by 1 dB.",
    ),
    "10.2": Exercise(
        _verdict,
        lambda: [([-1.0, -1.1, -0.9],), ([-0.1, -0.3, 0.0],), ([0.2, 0.3, 0.25],)],
        because="three values say little: their interval is 2.5 deviations wide to each side.",
    ),
}
