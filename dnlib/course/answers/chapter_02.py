"""Reference answers of chapter 02."""

from dnlib.course.exercises import Exercise

EXERCISES = {
    "02.1": Exercise(
        lambda sigma, tau: tau**2,
        lambda: [(0.1, 0.2), (0.3, 0.1)],
        because="the target's noise is zero on average and independent of the input, so its variance is added, "
        "whatever the input's.",
    ),
    "02.2": Exercise(
        lambda error, noise_variance: (error / (noise_variance - error)) ** 0.5,
        lambda: [(0.001, 0.005), (0.002, 0.01)],
        because="V + rho^2 (sigma^2 - V) = 2 V gives rho^2 = V / (sigma^2 - V).",
    ),
    "02.3": Exercise(
        ["L1", "L0"],
        choices=("L2", "L1", "L0"),
        because="the mean falls to 0.6 x 0.7 = 0.42; median and mode stay, for less than half of the values are lost.",
    ),
    "02.4": Exercise(
        lambda noisy, second_noisy: noisy,
        lambda: [([0.1, 0.5], [0.3, 0.4])],
        because="a network that is rewarded for returning its input does so, and the loss falls to zero; the noise "
        "stays.",
    ),
    "02.5": Exercise(
        "about the same",
        choices=("much worse", "about the same", "much better"),
        because="the best answer does not change, for the noise of targets is averaged away; only the "
        "way there is rougher.",
    ),
    "02.6": Exercise(
        "learnt by heart",
        choices=("an excellent network", "learnt by heart", "nothing"),
        because="no estimate that is independent of the target's noise gets below its variance.",
    ),
}
