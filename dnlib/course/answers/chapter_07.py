"""Reference answers of chapter 07."""

import numpy as np

from dnlib.course.exercises import Exercise


def _join(small_images, stride):
    height, width = small_images[0].shape[:2]
    image = np.empty((stride * height, stride * width, 3), small_images[0].dtype)
    for number, small in enumerate(small_images):
        image[number // stride :: stride, number % stride :: stride] = small
    return image


EXERCISES = {
    "07.1": Exercise(
        lambda k, s: max(0, 1 - s / k),
        lambda: [(3, 2), (3, 5), (4, 2)],
        because="what was s apart is now one apart, and chapter 05's triangle is 1 - s/k there.",
    ),
    "07.2": Exercise(
        _join,
        lambda: [(np.random.default_rng(0).random((9, 4, 5, 3)), 3)],
        because="no pixel was lost, so sorting them back is exact.",
    ),
    "07.3": Exercise(
        "part of the noise comes back",
        choices=("nothing changes", "part of the noise comes back", "texture becomes sharper"),
        because="without a shuffle neighbours share their noise, and what they share the network takes for picture: "
        "over six images 26.3 dB, between the noisy 19.5 and the refined 30.5.",
    ),
    "07.4": Exercise(
        1,
        choices=(1, 5),
        because="white noise has nothing that neighbours share; the stride brings nothing and still costs detail.",
    ),
    "07.5": Exercise(
        "BM3D told what the noise is",
        choices=("more digits", "BM3D told what the noise is", "a larger network"),
        because="the same name stands for two filters: one that believes in hardly any noise, and one that knows it.",
    ),
}
