"""Reference answers of chapter 03b."""

from dnlib.course.exercises import Exercise

EXERCISES = {
    "03b.1": Exercise(
        lambda k: (1 - 1 / k) ** 2,
        lambda: [(1,), (2,), (3,), (7,)],
        because="they share k - 1 of k values, so the correlation is 1 - 1/k, and one neighbour tells its square: 4/9 "
        "for 3 pixels. More neighbours tell more.",
    ),
    "03b.2": Exercise(
        ["a tenth of it", "half a unit brighter"],
        choices=("a tenth of it", "half a unit brighter", "negative", "squared"),
        because="mean and variance undo any positive factor and any summand; not a sign, and not a curve.",
    ),
    "03b.3": Exercise(
        "as bad as hiding the pixel alone",
        choices=("as good as the right kernel", "as bad as hiding the pixel alone"),
        because="the neighbours that know the noise stand in the row; the kernel hides those in the column.",
    ),
    "03b.4": Exercise(
        "undecided",
        choices=("held", "did not hold", "undecided"),
        because="the mean is +0.08 dB; with three values the interval is the mean +- 4.3 s / sqrt(3), "
        "here from -0.6 to +0.8.",
    ),
}
