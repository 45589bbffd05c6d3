"""Reference answers of chapter 08."""

import numpy as np

from dnlib.course.exercises import Exercise


def _tap(d):
    reach = int(np.ceil(d))
    return np.clip(1 - np.abs(np.arange(-reach, reach + 1) - d), 0, None)


EXERCISES = {
    "08.1": Exercise(
        lambda r: 2 * r**2 + 2 * r + 1,
        lambda: [(0,), (4,), (8,)],
        because="row dy holds 2 (r - |dy|) + 1 pixels; the sum over rows is 2 r^2 + 2 r + 1.",
    ),
    "08.2": Exercise(_tap, lambda: [(2.88,), (1.0,)]),
    "08.3": Exercise(
        28,
        because="a pixel of the diamond with |dy| + |dx| of 3 or 4 has a tap among its eight neighbours, and "
        "41 - 13 of them have.",
    ),
    "08.4": Exercise(
        "one pixel the loss, the diamond the picture",
        choices=("the diamond both", "one pixel both", "one pixel the loss, the diamond the picture"),
        because="whoever sees the neighbours predicts the noise that they share with the pixel: that lowers the "
        "loss, and leaves the noise in the picture.",
    ),
    "08.5": Exercise(
        "no, one seed has no interval",
        choices=("yes", "no, one seed has no interval", "no, both are still the blind mean"),
        because="both are more than 1 dB above the control, so they have learnt; but one difference does not say how "
        "far differences scatter from seed to seed. It takes several seeds of both rows.",
    ),
}
