"""Reference answers of chapter 03a."""

from dnlib.course.exercises import Exercise

EXERCISES = {
    "03a.1": Exercise(
        1.0,
        tolerance=0.05,
        because="the mean of nine has variance 1/9 and shares 1/9 with each of them, and their ratio is 1. A network "
        "that also sees the eight neighbours gets the pixel itself: nine times the mean minus their sum.",
    ),
    "03a.2": Exercise(
        lambda loss, error: 255 * (loss - error) ** 0.5,
        lambda: [((25 / 255) ** 2 + 0.002, 0.002), (0.04, 0.001)],
        tolerance=0.01,
        because="L = V + sigma^2, in units of [0, 1].",
    ),
    "03a.3": Exercise(
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
        because="with radius 1 it writes each of nine pixels equally often, the pixel itself among them, and the "
        "network copies about a ninth of it. (`normal_fitted` lets as much of it through, in the mean of the window, "
        "but never writes it.)",
    ),
    "03a.4": Exercise(
        "hardly a difference",
        choices=("direct is better", "hardly a difference"),
        because="shown random numbers, it learns not to use what stands there; shown means, it uses it as one. (The "
        "paper filled with random numbers, too, and found half a decibel with far longer trainings.)",
    ),
    "03a.5": Exercise(
        "a leak, or noise that neighbours share",
        choices=("an excellent network", "chance", "a leak, or noise that neighbours share"),
        because="the loss of a blind answer is its error plus the noise variance, and no error is below zero; eight "
        "standard errors are no chance.",
    ),
}
