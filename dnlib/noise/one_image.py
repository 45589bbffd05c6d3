"""Noise estimated from one noisy image, by the patches in which nothing but noise varies.

A patch of sky, less its mean and slope, is noise alone; one of grass is noise and texture, and so has more *energy*:
the mean square of what remains. The patches of lowest energy are therefore *pure*, noise and nothing else, and show how
strong the noise is, how it depends on brightness, and how neighbours share it.

Taking the lowest alone would make the noise too weak, for pure energies scatter by chance. By how much follows from the
covariance of pure patches: their energies are simulated, and the simulated distribution is moved until its lower tail
meets that of the image. As each step needs the other's result, they take turns. The three colours of a patch are taken
as one energy, which scatters less.
"""

from functools import cache

import numpy as np

from dnlib.noise.patches import (
    DIMENSIONS,
    SIDE,
    colours_from,
    correlation_from,
    covariance_of,
    residual_covariance,
    residuals_of,
)

FEWEST = 50  # patches that an estimate needs
GROUPS, LOWEST = 7, 0.02  # of brightness, and the share of each group that is taken for pure to begin with
TAIL = 0.01  # share of the patches, those of lowest energy, where simulated and measured energies are compared
PURE = 0.8  # share of the simulated energies below which a patch counts as pure
STIFFNESS = 0.2  # how strongly the noise's dependence on brightness is drawn towards none
ROUNDS = 6


def estimate(image: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The noise of an image [H, W, C] of float32.

    inside: [H, W], False where pixels do not count.
    Returns the brightness [P, C] of P patches all over the image, the noise's variance there [P, C], its
    correlation map [9, 9] and its correlation between colours [C, C]. Raises ValueError where too few patches are left.
    """
    residuals, brightness = residuals_of(image, inside)
    if len(residuals) < FEWEST:
        raise ValueError(
            "hardly any part of the image has noise and is not saturated: there is nothing to estimate from"
        )
    energy = (residuals.astype(float) ** 2).sum(axis=2) / DIMENSIONS
    pure = _lowest_of_each_brightness(energy, brightness)
    for _ in range(ROUNDS):
        variance = _variance_by_brightness(energy, brightness, pure)
        covariance = covariance_of(residuals[pure] / np.sqrt(variance[pure])[..., None])
        simulated = _simulated_log_energies(_component_powers(covariance, pure.sum()))
        measured = np.log((energy / variance).mean(axis=1))
        ordered = np.sort(measured)
        shift = _align_lower_tails(ordered, simulated)
        pure = measured <= max(shift + np.quantile(simulated, PURE), ordered[FEWEST - 1])
    maps = [correlation_from(covariance[colour, :, colour]) for colour in range(image.shape[2])]
    lost = np.array([residual_covariance(found).trace() / DIMENSIONS for found in maps])  # to the planes taken off
    variance *= np.exp(shift) / lost
    return brightness, variance, np.average(maps, axis=0, weights=variance.mean(axis=0)), colours_from(covariance)


def _lowest_of_each_brightness(energy: np.ndarray, brightness: np.ndarray) -> np.ndarray:
    """The patches [P] bool of lowest energy among those about as bright."""
    lowest, total = np.zeros(len(energy), bool), energy.sum(axis=1)
    for group in np.array_split(np.argsort(brightness.mean(axis=1)), GROUPS):
        lowest[group[np.argsort(total[group])][: max(10, int(LOWEST * len(group)))]] = True
    return lowest


def _variance_by_brightness(energy: np.ndarray, brightness: np.ndarray, pure: np.ndarray) -> np.ndarray:
    """The noise's variance [P, C] at the brightness of every patch, fitted to the energies of the pure ones.

    Its logarithm is linear in that of the colour's own brightness, as behind a camera's gamma, and in the brightness of
    all colours, which a camera mixes. Energies of noise are distributed like chi-square, so the fit is Fisher's scoring
    for gamma distributions (McCullagh and Nelder, Generalized Linear Models, 1989, chapter 8).
    """
    variance, light = np.empty_like(energy), brightness.clip(0, 1)
    for colour, energies in enumerate(energy.T):
        terms = np.column_stack([np.ones(len(light)), np.log(light[:, colour] + 0.05), light])
        known, target = terms[pure], energies[pure]
        penalty = STIFFNESS * np.diag([0.0] + [1.0] * (terms.shape[1] - 1))
        weights = np.linalg.solve(known.T @ known + penalty, known.T @ np.log(target))
        for _ in range(6):
            gradient = known.T @ (target / np.exp(known @ weights) - 1) - penalty @ weights
            weights += np.linalg.solve(known.T @ known + penalty, gradient)
        variance[:, colour] = np.exp(terms @ weights)
    return variance


def _component_powers(covariance: np.ndarray, count: int) -> np.ndarray:
    """The power of each principal component, their mean 1, of a covariance [C, N, C, N] measured on `count` patches.

    Powers measured on few patches scatter more than the true ones: the sum of their squares exceeds the true one by the
    square of their sum, divided by count (Ledoit and Wolf 2004). They are drawn towards their mean by that much.
    """
    colours = len(covariance)
    size = colours * DIMENSIONS
    powers = np.linalg.eigvalsh(covariance.reshape(colours * SIDE**2, -1))[-size:].clip(min=0)
    powers /= powers.mean()
    spread = ((powers - 1) ** 2).sum()
    return 1 + np.sqrt(max(0, 1 - size**2 / count / spread)) * (powers - 1)


def _simulated_log_energies(powers: np.ndarray) -> np.ndarray:
    """Sorted log energies of simulated noise patches whose principal components have these powers; their mean is 1."""
    return np.sort(np.log(_squared_normals(len(powers)) @ (powers / powers.sum()))).astype(float)


@cache
def _squared_normals(size: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((8_000, size), dtype=np.float32) ** 2


def _align_lower_tails(measured: np.ndarray, simulated: np.ndarray) -> float:
    """By how much simulated log energies of pure noise must be moved so that the lowest measured ones come from them.

    Both are sorted. An unknown share of the measured patches is pure; texture only adds patches above. The right share
    is the one for which all low quantiles ask for the same move.
    """
    first = max(TAIL / 20, min(0.05, 10 / len(measured)))
    low = np.geomspace(first, max(TAIL, 2 * first), 12)
    shares = np.geomspace(2 * low[-1], 1, 40)[:, None]
    moves = np.quantile(measured, low) - np.quantile(simulated, low / shares)
    return float(moves[np.argmin(moves.std(axis=1))].mean())
