"""Reference answers of chapter 01."""

import numpy as np
from scipy import ndimage

from dnlib.course.exercises import Exercise
from dnlib.filters import jinvariance


def _donut_mean(image):
    weights = jinvariance.donut(2) / jinvariance.donut(2).sum()
    return ndimage.correlate(jinvariance.blind_pad(image, 2), weights)[2:-2, 2:-2]


def _median_with_its_centre(image, radius):
    disk = jinvariance.donut(radius)
    disk[radius, radius] = True
    padded = jinvariance.blind_pad(image, radius)
    return ndimage.median_filter(padded, footprint=disk)[radius:-radius, radius:-radius]


def _image():
    return np.random.default_rng(0).random((20, 23))


EXERCISES = {
    "01.1": Exercise(_donut_mean, lambda: [(_image(),)]),
    "01.2": Exercise(
        lambda noise_variance, loss: float(10 * np.log10(loss / noise_variance)),
        lambda: [(0.01, 0.0125), (0.02, 0.05)],
        because="the mean squared error falls from V to UV / (U + V), by the factor U / (U + V) = sigma^2 / L.",
    ),
    "01.3": Exercise(
        _median_with_its_centre,
        lambda: [(_image(), 1), (_image(), 3)],
        because="one pixel is enough: the loss rewards keeping it, and the smallest disk keeps most of it.",
    ),
    "01.4": Exercise(
        "larger",
        choices=("smaller", "the same", "larger"),
        because="stronger noise asks for more averaging, though more detail goes; the loss finds that, too.",
    ),
    "01.5": Exercise(
        "something leaks",
        choices=("an excellent filter", "something leaks", "nothing"),
        because="a blind estimate's loss is the noise variance plus an error, and no error is negative. Either the "
        "filter sees its pixel, or neighbours share their noise, or the variance is wrong.",
    ),
}
