"""Noise estimated from one noisy image, by the patches in which nothing but noise varies.

A patch of sky, less its mean and slope, is noise alone; one of grass is noise and texture, and so has more *energy*:
the mean square of what remains. Patches are *pure* if they are noise and nothing else; they show how strong the noise
is, how it depends on brightness, and how neighbours and colours share it. They are found in one of two ways.

1. By their *structure*, which is what is left of them once the image is blurred. It hardly depends on the noise, so
   that the pure patches are an unbiased sample of it. This is enough where the smoothest patches have no more structure
   than white noise leaves, and it is all that can be done in JPEG files, whose rounding has emptied many patches of
   their noise.
2. Else by their energy: the patches of lowest energy are pure. Taking them alone would make the noise too weak, for
   pure energies scatter by chance. By how much follows from the covariance of pure patches: their energies are
   simulated, and the simulated distribution is moved until its lower tail meets that of the image. As each step needs
   the other's result, they take turns. The colours of a patch are taken as one energy, which scatters less.

At some brightnesses even the purest patches may hold texture, as leaves do before a bright sky. Neighbours share it,
and more of it than of the noise elsewhere; such patches can be left out, and the noise there is taken from the others.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from dnlib.noise.patches import (
    DIMENSIONS,
    REACH,
    SIDE,
    WHITE_STRUCTURE,
    Patches,
    colours_from,
    correlation_from,
    covariance_of,
    covered,
    is_clipped,
    patches_of,
    residual_covariance,
)

FEWEST = 50  # patches that an estimate needs
GROUPS, LOWEST = 7, 0.02  # of brightness, and the share of each group that is taken for pure to begin with
SMOOTHEST, ALIKE = 0.1, 4  # the smoothest share of each group, and how much more structure pure patches may have
NO_STRUCTURE = 1.6  # times the structure of white noise: no more than this and the smoothest patches are noise alone
FINER = 0.5  # times the structure of white noise: noise has more, a halftone screen has less
BEYOND = 1.3  # times the variance of all that the patches cover, which its noise cannot exceed
PATTERN = "that is a fine pattern, of stripes, a halftone print or a dither, and no noise to estimate"
TAIL = 0.01  # share of the patches, those of lowest energy, where simulated and measured energies are compared
WEAKEST = 0.1  # share of the pure patches, those of lowest energy, that are compared with what chance would leave
PURE = 0.8  # share of the simulated energies below which a patch counts as pure
BOUND = 5  # times the energy that is expected: what exceeds it is no noise
APART = 0.12  # correlation with the next pixel: noise of one image differs by less from brightness to brightness
RARELY = 0.05  # share of a patch's pixels that are clipped, below which neighbours share noise as elsewhere
STIFFNESS = 0.2  # how strongly the noise's dependence on brightness is drawn towards none
ROUNDS = 6


@dataclass(frozen=True)
class NoiseEstimate:
    """Noise of P patches all over an image, and of the image."""

    brightness: np.ndarray  # of the patches, [P, C]
    variance: np.ndarray  # of the noise there, [P, C]
    map: np.ndarray  # of the correlation, [9, 9]
    colours: np.ndarray  # the correlation between the colours of a pixel, [C, C]
    pure: np.ndarray  # [H, W], True in the pure patches
    pure_variance: float  # the mean of the noise's variance there
    textured: bool  # whether the smoothest patches have structure, so that texture may have been taken for noise
    weakest: float  # the noise's deviation where it is weakest, as a share of what equal noise would have there
    doubtful: np.ndarray  # of the patches, [P], True at brightnesses at which even the pure ones seem to hold texture


def estimate(
    image: np.ndarray, counting: np.ndarray, *, blocks: bool, without: np.ndarray | None = None
) -> NoiseEstimate:
    """The noise of an image [H, W, C] of float32.

    counting: [H, W], False where pixels do not count; blocks: whether the image was a JPEG file; without: the patches
    [P] that are left out, where the noise is taken to be as strong as at the nearest brightness.
    Raises ValueError where too few patches are left, and where these have a pattern finer than noise.
    """
    patches = patches_of(image, counting)
    if len(patches.residuals) < FEWEST:
        clipped = is_clipped(image)[counting].mean()
        raise ValueError(
            f"{clipped:.0%} of the pixels are black or white, and hardly any part of the rest has noise: there is "
            "nothing to estimate from; inspect a larger or less clipped part"
        )
    if without is None:
        variance, pure, structure = _of_patches(patches, blocks)
    else:
        known, pure = patches.only(~without), np.zeros(len(without), bool)
        variance, pure[~without], structure = _of_patches(known, blocks)
        variance = _at_every_brightness(patches, known, variance)
    covariance = _covariance_of_pure(patches, variance, pure)
    weakest = _weakest(patches.energy[pure] / variance[pure], covariance)
    maps = [correlation_from(covariance[colour, :, colour]) for colour in range(image.shape[2])]
    lost = np.array([residual_covariance(found).trace() / DIMENSIONS for found in maps])  # to the planes taken off
    variance = variance / lost
    if variance.mean() > BEYOND * image[covered(patches.corners, counting.shape)].var(axis=0).mean():
        raise ValueError(f"as noise it would be stronger than all that varies in the image: {PATTERN}")
    return NoiseEstimate(
        brightness=patches.brightness,
        variance=variance,
        map=np.average(maps, axis=0, weights=variance.mean(axis=0)),
        colours=colours_from(covariance),
        pure=covered(patches.corners[pure], counting.shape),
        pure_variance=float(variance[pure].mean()),
        textured=structure > NO_STRUCTURE,
        weakest=weakest,
        doubtful=_of_textured_brightness(patches, variance, pure),
    )


def _of_patches(patches: Patches, blocks: bool) -> tuple[np.ndarray, np.ndarray, float]:
    """Variance [P, C], the pure patches [P] bool, and their structure, in the way that fits."""
    variance, pure, structure = _by_structure(patches)
    if structure < FINER:
        raise ValueError(f"smooth areas vary by less than noise would leave after blurring: {PATTERN}")
    if not blocks and structure > NO_STRUCTURE:
        variance, pure = _by_energy(patches)
    return variance, pure, structure


def _of_textured_brightness(patches: Patches, variance: np.ndarray, pure: np.ndarray) -> np.ndarray:
    """The patches [P] bool of brightnesses at which even the pure ones hold texture.

    Neighbours share noise alike at every brightness. Where what seems to be noise is both stronger and more shared than
    where it is shared least, it is texture in part. Where much is clipped, less is shared: that does not tell.
    """
    light, none = patches.brightness.mean(axis=1), np.zeros(len(pure), bool)
    if pure.sum() < GROUPS * FEWEST:
        return none
    groups = np.array_split(np.flatnonzero(pure)[np.argsort(light[pure])], GROUPS)
    telling = np.array([patches.clipped[group].mean() < RARELY for group in groups])
    if not telling.any():
        return none
    shared = np.array([_shared_with_next(patches, variance, group) for group in groups])
    strength = np.array([variance[group].mean() for group in groups])
    least = np.argmin(np.where(telling, shared, np.inf))
    textured = (shared > shared[least] + APART) & (strength > strength[least])
    return textured[np.searchsorted([light[group[0]] for group in groups[1:]], light, side="right")]


def _shared_with_next(patches: Patches, variance: np.ndarray, chosen: np.ndarray) -> float:
    """The correlation of chosen patches with the next pixel, the mean of both directions and all colours."""
    covariance = _covariance_of_pure(patches, variance, chosen)
    maps = np.array([correlation_from(covariance[colour, :, colour]) for colour in range(len(covariance))])
    return float((maps[:, REACH, REACH + 1] + maps[:, REACH + 1, REACH]).mean() / 2)


def _at_every_brightness(patches: Patches, known: Patches, variance: np.ndarray) -> np.ndarray:
    """The variance [P, C] of all patches from that of those where it is known: of the nearest brightness."""
    found = []
    for light, seen, there in zip(patches.brightness.T, known.brightness.T, variance.T, strict=True):
        order = np.argsort(seen)
        found.append(np.interp(light, seen[order], there[order]))
    return np.stack(found, axis=1)


def _by_structure(patches: Patches) -> tuple[np.ndarray, np.ndarray, float]:
    """Variance [P, C], the pure patches [P] bool, and their structure as a multiple of what white noise would leave."""
    pure = _lowest_of_each_brightness(patches.energy.sum(axis=1), patches.brightness, LOWEST)
    for _ in range(ROUNDS):
        variance = _variance_by_brightness(patches, pure)
        structure = patches.structure / variance.sum(axis=1) / WHITE_STRUCTURE
        smoothest = _lowest_of_each_brightness(structure, patches.brightness, SMOOTHEST)
        pure = structure <= ALIKE * np.median(structure[smoothest])
    return variance, pure, float(np.median(structure[pure]))


def _by_energy(patches: Patches) -> tuple[np.ndarray, np.ndarray]:
    """Variance [P, C] and the pure patches [P] bool, by the lower tail of the energies."""
    pure = _lowest_of_each_brightness(patches.energy.sum(axis=1), patches.brightness, LOWEST)
    for _ in range(ROUNDS):
        variance = _variance_by_brightness(patches, pure)
        covariance = _covariance_of_pure(patches, variance, pure)
        simulated = _simulated_log_energies(_component_powers(covariance, pure.sum()))
        measured = np.log((patches.energy / variance).mean(axis=1))
        ordered = np.sort(measured)
        shift = _align_lower_tails(ordered, simulated)
        pure = measured <= max(shift + np.quantile(simulated, PURE), ordered[FEWEST - 1])
    return variance * np.exp(shift), pure


def _weakest(energy: np.ndarray, covariance: np.ndarray) -> float:
    """How strong the noise is in the pure patches of lowest energy, as a share of what chance alone would leave there.

    energy: of the pure patches, [P, C], as multiples of what is expected at their brightness. Equal noise gives about
    1. It is less where a camera has smoothed some places and not others, and where some pure patches hold texture.
    """
    measured = np.log(energy.mean(axis=1))
    simulated = _simulated_log_energies(_component_powers(covariance, len(energy)))
    return float(np.exp((np.quantile(measured, WEAKEST) - np.quantile(simulated, WEAKEST)) / 2))


def _covariance_of_pure(patches: Patches, variance: np.ndarray, pure: np.ndarray) -> np.ndarray:
    """The covariance [C, N, C, N] of the pure patches, each brought to variance 1."""
    return covariance_of(patches.residuals[pure] / np.sqrt(variance[pure])[..., None])


def _lowest_of_each_brightness(values: np.ndarray, brightness: np.ndarray, share: float) -> np.ndarray:
    """The patches [P] bool whose values [P] are the lowest, a share of those about as bright."""
    lowest = np.zeros(len(values), bool)
    for group in np.array_split(np.argsort(brightness.mean(axis=1)), GROUPS):
        lowest[group[np.argsort(values[group])][: max(10, int(share * len(group)))]] = True
    return lowest


def _variance_by_brightness(patches: Patches, pure: np.ndarray) -> np.ndarray:
    """The noise's variance [P, C] at the brightness of every patch, fitted to the energies of the pure ones.

    Its logarithm is linear in that of the colour's own brightness above the darkest patch, as of photons or behind a
    camera's gamma, and in the brightness of all colours, which a camera mixes. Where white is clipped it falls towards
    white as it does towards black. No energy counts more than BOUND times what is expected. Energies of noise are
    distributed like chi-square, so the fit is Fisher's scoring for gamma distributions (McCullagh and Nelder,
    Generalized Linear Models, 1989, chapter 8).
    """
    variance, light = np.empty_like(patches.energy), patches.brightness.clip(0, 1)
    for colour, energies in enumerate(patches.energy.T):
        logarithms = [_log_of_distance(light[:, colour])]
        if patches.white_clipped:
            logarithms.append(_log_of_distance(1 - light[:, colour]))
        terms = np.column_stack([np.ones(len(light)), *logarithms, light])
        known, target = terms[pure], energies[pure]
        penalty = STIFFNESS * np.diag([0.0] + [1.0] * (terms.shape[1] - 1))
        weights = np.linalg.solve(known.T @ known + penalty, known.T @ np.log(target))
        for _ in range(6):
            gradient = known.T @ ((target / np.exp(known @ weights)).clip(max=BOUND) - 1) - penalty @ weights
            weights += np.linalg.solve(known.T @ known + penalty, gradient)
        variance[:, colour] = np.exp(terms @ weights)
    return variance


def _log_of_distance(light: np.ndarray) -> np.ndarray:
    """How far patches [P] lie above the darkest, as a logarithm; finite for that, too."""
    above = (light - np.quantile(light, 0.001)).clip(0)
    return np.log(above + 0.2 * np.median(above) + 0.001)


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
