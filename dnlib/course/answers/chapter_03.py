"""Reference answers of chapter 03."""

from dnlib.course.exercises import Exercise

EXERCISES = {
    "03.1": Exercise(
        1.0,
        tolerance=0.05,
        because="the mean of nine has variance 1/9 and shares 1/9 with each of them, and their ratio is 1. A network "
        "that also sees the eight neighbours gets the pixel itself: nine times the mean minus their sum.",
    ),
    "03.2": Exercise(
        lambda loss, error: 255 * (loss - error) ** 0.5,
        lambda: [((25 / 255) ** 2 + 0.002, 0.002), (0.04, 0.001)],
        tolerance=0.01,
        because="L = V + sigma^2, in units of [0, 1].",
    ),
    "03.3": Exercise(
        "uniform_withCP",
        choices=(
            "uniform_withCP",
            "uniform_withoutCP",
            "median",
            "mean",
            "normal_withoutCP",
            "normal_additive",
            "normal_fitted",
            "identity",
        ),
        because="with radius 1 it writes the pixel itself in one of nine cases, and the network copies a ninth of it.",
    ),
    "03.4": Exercise(
        "as bad as hiding the pixel alone",
        choices=("as good as the right kernel", "as bad as hiding the pixel alone"),
        because="the neighbours that know the noise stand in the row; the kernel hides those in the column.",
    ),
    "03.5": Exercise(
        "undecided",
        choices=("held", "did not hold", "undecided"),
        because="the mean is +0.08 dB; with three values the interval is the mean +- 4.3 s / sqrt(3), "
        "here from -0.6 to +0.8.",
    ),
}
