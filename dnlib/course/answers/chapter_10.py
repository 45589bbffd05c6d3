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
    "10.3": Exercise(
        float(10 * np.log10((255**2 * 10**-3.7 + 5**2) / (255**2 * 10**-3.7))),
        tolerance=0.1,
        because="the squares add up: 13 + 25 for 13, which is 4.7 dB of PSNR. The columns of flat areas and texture "
        "leave the error of colour out and stay as they were, and SSIM hardly moves, for no structure changed. Only "
        "the column of colours says what happened.",
    ),
    "10.4": Exercise(
        "colours",
        choices=("flat areas", "texture", "colours"),
        because="after so few steps a network without the blind mean is still looking for the right colours, and PSNR "
        "ranks how far it has come. With the mean it has them before the first step.",
    ),
    "10.5": Exercise(
        "not yet, it is one training",
        choices=("yes, zero is left out", "no, three subjects are too few", "not yet, it is one training"),
        because="the interval over subjects is of these two networks. What other trainings of the same rows would give "
        "it does not contain: that takes other seeds.",
    ),
}
