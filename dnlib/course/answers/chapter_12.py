"""Reference answers of chapter 12."""

from dnlib.course.exercises import Exercise

EXERCISES = {
    "12.1": Exercise(
        lambda sigma, a: ((1 + a**2) * sigma**2, (1 + 1 / a**2) * sigma**2),
        lambda: [(0.1, 0.5), (0.2, 1.0)],
        because="n and z are independent and equally strong, so variances add up.",
    ),
    "12.2": Exercise(
        lambda a: 2 / ((1 + a**2) * (1 + 1 / a**2)) ** 0.5,
        lambda: [(0.5,), (1.0,)],
        because="the covariance is 2 sigma^2; with a = 1 the two are one and the same picture, and as in chapter 02's "
        "identity trap the judge rewards keeping the noise.",
    ),
    "12.3": Exercise(
        1.0,
        because="the accident is multiplied by 2 (a + 1/a), least at a = 1; without the accident, small "
        "a have a limit.",
    ),
    "12.4": Exercise(
        ["C"],
        choices=tuple("ABCD"),
        because="A judges on what was learned by heart, B is within the scatter, D uses the judge that "
        "shared noise fools.",
    ),
}
