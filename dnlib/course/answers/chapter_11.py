"""Reference answers of chapter 11."""

from dnlib.course.exercises import Exercise


def _frame():
    import torch

    return torch.rand(1, 1, 8, 12, generator=torch.Generator().manual_seed(0))


def _pack(frame):
    from dnlib.noise import raw

    return raw.pack(frame, "GBRG")


EXERCISES = {
    "11.1": Exercise(_pack, lambda: [(_frame(),)]),
    "11.2": Exercise(
        lambda: 1 / 2,
        lambda: [()],
        because="with variance s^2 of each, the covariance with the mean of four is s^2/4 and the mean's "
        "deviation s/2.",
    ),
    "11.3": Exercise(
        "wrong colours",
        choices=("the same picture", "more noise", "wrong colours"),
        because="green light is taken for red and for blue, which the balance amplifies: all becomes magenta.",
    ),
    "11.4": Exercise(
        "worse",
        choices=("better", "within a tenth of a decibel", "worse"),
        because="there was no shared noise to hide, and the nearest pixels know most about the picture.",
    ),
    "11.5": Exercise(
        "neither",
        choices=("there is no difference", "before is better", "neither"),
        because="it contains zero and half a decibel alike: undecided is no proof of equality.",
    ),
}
