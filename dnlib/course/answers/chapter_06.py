"""Reference answers of chapter 06."""

from dnlib.course.exercises import Exercise


def _covariance(noisy, target):
    r = target - noisy
    return float((noisy * r).mean() - noisy.mean() * r.mean())


def _tiles():
    import torch

    generator = torch.Generator().manual_seed(0)
    noisy, target = torch.rand(2, 3, 12, 12, generator=generator, dtype=torch.float64)
    return [(noisy, target), (noisy, noisy)]


EXERCISES = {
    "06.1": Exercise(
        lambda variance, rho: -(1 - rho**2) * variance,
        lambda: [(0.04, 0.75), (0.01, 0.0)],
        because="cov(w, z - w) = rho^2 sigma^2 - sigma^2.",
    ),
    "06.2": Exercise(_covariance, _tiles, tolerance=1e-7),
    "06.3": Exercise(
        0.0,
        because="then r = t - y = 0: the best match of all, and chapter 02's identity trap. The statistic shows it.",
    ),
    "06.4": Exercise(
        "less than half a decibel",
        choices=("less than half a decibel", "about two decibels", "all of the gain"),
        because="the network knows pictures already; to adapt it to a kind of noise few tiles are enough.",
    ),
    "06.5": Exercise(
        "did not hold",
        choices=("held", "did not hold", "undecided"),
        because="all of -0.80 +- 0.67 lies below zero. That the sentence says something else is no evidence.",
    ),
}
