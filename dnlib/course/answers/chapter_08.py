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
}
