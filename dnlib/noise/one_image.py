"""Noise estimated from one noisy image: from small patches that are so calm that nothing but noise can be in them.

A patch counts with all its colours: three times the pixels, so that the energies of pure noise scatter little and the
lowest of an image tell, by how they are spread, how many patches are pure. How energies of pure noise scatter, and how
strong the noise is at which colour, the pure patches tell in turn.
"""

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

SIDE = 10  # of the patches
COUNT = 25_000  # of them, about: they overlap in small images and leave gaps in large ones
REACH = 4  # of the map estimated from patches; correlation beyond is taken for zero
WINDOWS, CALMEST = 7, 0.02  # ranges of brightness, and the share of each that is taken for pure to begin with
TAIL = 0.01  # share of the patches, those of lowest energy, to which the distribution of pure noise is fitted
PURE = 0.8  # share of the pure patches that is kept
STIFFNESS = 0.2  # of the noise's dependence on colour
ROUNDS = 6
NARROW = 5  # side of the colour patches that tell white noise
WHITE = 0.7  # the least of its principal components, over their mean, at least


def estimate(image: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of an image [H, W, C] float: brightness [P, C] and noise variance [P, C] all over it, and the map [9, 9].

    inside: [H, W], False where pixels do not count.
    Raises ValueError where too little is left.
    """
    values, brightness = _patches(image, inside)
    if len(values) < 50:
        raise ValueError(
            "hardly any part of the image has noise and is not saturated: there is nothing to estimate from"
        )
    seen = (values.astype(float) ** 2).sum(axis=2) / _dimensions()
    pure = _calmest(seen, brightness)
    for _ in range(ROUNDS):  # what patches of pure noise look like decides which patches are pure, and the reverse
        variance = _of_colour(seen, brightness, pure)
        covariance = _covariance(values[pure] / np.sqrt(variance[pure])[..., None])
        energies = _drawn(_powers(covariance, pure.sum()))
        logs = np.log((seen / variance).mean(axis=1))
        move = _fit_tail(np.sort(logs), energies)
        pure = logs <= max(move + np.quantile(energies, PURE), np.sort(logs)[49])
    colours = range(image.shape[2])
    maps = [_correlation(covariance[c, :, c]) for c in colours]
    kept = np.array([_left(found).trace() / _dimensions() for found in maps])
    variance *= np.exp(move) / kept
    return brightness, variance, np.average(maps, axis=0, weights=variance.mean(axis=0))


def white_variance(image: np.ndarray, inside: np.ndarray) -> float | None:
    """The noise variance of a colour image [H, W, C] if its noise is white, in all channels alike; else None.

    Among all colour patches of an image the picture itself takes but a few directions, for its colours go together;
    white noise takes all alike. The least principal components are then equal, and their mean is the variance. Of how
    many, their symmetry tells: mean and median agree (Chen, Zhu, Heng, ICCV 2015).
    """
    seen = sliding_window_view(inside, (NARROW, NARROW))[::2, ::2].all(axis=(2, 3))
    patches = sliding_window_view(image, (NARROW, NARROW), axis=(0, 1))[::2, ::2][seen].reshape(-1, NARROW**2 * 3)
    if len(patches) < 50 * patches.shape[1]:
        return None
    powers = np.linalg.eigvalsh(np.cov(patches.astype(np.float32), rowvar=False).astype(float))
    count = next(n for n in range(len(powers), 0, -1) if powers[:n].mean() <= np.median(powers[:n]) or n == 1)
    alike = count >= len(powers) / 8 and powers[0] > WHITE * powers[:count].mean()
    return float(powers[:count].mean()) if alike else None


def _patches(image: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Patches of all colours, each less its mean and slope, [P, C, SIDE^2], and the means, [P, C].

    The step is even: the mosaic of a camera, and with it the noise, repeats every second pixel.
    """
    step = 2 * int(np.ceil(np.sqrt(inside.size / COUNT) / 2))
    counts = sliding_window_view(inside, (SIDE, SIDE))[::step, ::step].mean(axis=(2, 3)) >= 0.95
    pixels = sliding_window_view(image, (SIDE, SIDE), axis=(0, 1))[::step, ::step][counts]
    pixels = pixels.reshape(*pixels.shape[:2], SIDE**2)
    slope = _slope().astype(np.float32)
    values = pixels - (pixels @ slope) @ slope.T
    noisy = (values.var(axis=2) > 1e-10).all(axis=1)
    return values[noisy], pixels[noisy].mean(axis=2)


def _calmest(seen: np.ndarray, brightness: np.ndarray) -> np.ndarray:
    """The patches of lowest variance among those about as bright: [P] bool."""
    calmest, total = np.zeros(len(seen), bool), seen.sum(axis=1)
    for window in np.array_split(np.argsort(brightness.mean(axis=1)), WINDOWS):
        calmest[window[np.argsort(total[window])][: max(10, int(CALMEST * len(window)))]] = True
    return calmest


def _of_colour(seen: np.ndarray, brightness: np.ndarray, pure: np.ndarray) -> np.ndarray:
    """The variance of the noise at the brightnesses of every patch [P, C], from what is `seen` in the pure ones.

    Its logarithm is linear in that of the colour's own brightness, as behind a camera's gamma, and in the brightness of
    all colours, which a camera mixes. What is seen is distributed like chi-square: fitted by Fisher's scoring for
    gamma distributions (McCullagh and Nelder 1989, chapter 8).
    """
    variance, light = np.empty_like(seen), brightness.clip(0, 1)
    for colour, one in enumerate(seen.T):
        every = np.column_stack([np.ones(len(light)), np.log(light[:, colour] + 0.05), light])
        known, truth = every[pure], one[pure]
        stiff = STIFFNESS * np.diag([0.0] + [1.0] * (every.shape[1] - 1))
        weights = np.linalg.solve(known.T @ known + stiff, known.T @ np.log(truth))
        for _ in range(6):
            slope = known.T @ (truth / np.exp(known @ weights) - 1) - stiff @ weights
            weights += np.linalg.solve(known.T @ known + stiff, slope)
        variance[:, colour] = np.exp(every @ weights)
    return variance


def _covariance(values: np.ndarray) -> np.ndarray:
    """Of patches [P, C, N], all pixels of all colours: [C, N, C, N]."""
    flat = values.reshape(len(values), -1).astype(np.float32)
    return (flat.T @ flat / len(flat)).astype(float).reshape(*values.shape[1:], *values.shape[1:])


def _powers(covariance: np.ndarray, count: int) -> np.ndarray:
    """The power of each principal component, their mean 1, of a covariance measured on `count` patches.

    Measured powers are further apart than true ones: their squares sum to their squared sum / count more (Ledoit and
    Wolf 2004). They are drawn together by that.
    """
    colours = len(covariance)
    size = colours * _dimensions()
    powers = np.linalg.eigvalsh(covariance.reshape(colours * SIDE**2, -1))[-size:].clip(min=0)
    powers /= powers.mean()
    spread = ((powers - 1) ** 2).sum()
    return 1 + np.sqrt(max(0, 1 - size**2 / count / spread)) * (powers - 1)


def _drawn(powers: np.ndarray) -> np.ndarray:
    """Log energies, sorted, of patches of noise whose principal components have these powers; their mean is 1."""
    return np.sort(np.log(_squares(len(powers)) @ (powers / powers.sum()))).astype(float)


@cache
def _squares(size: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((8_000, size), dtype=np.float32) ** 2


def _fit_tail(logs: np.ndarray, pure: np.ndarray) -> float:
    """By how much the log energies of pure noise must be moved so that the lowest of `logs` come from them.

    logs, pure: sorted. Of the patches an unknown share is pure; texture only adds patches above. The share is the one
    with which all low quantiles ask for the same move.
    """
    first = max(TAIL / 20, min(0.05, 10 / len(logs)))
    low = np.geomspace(first, max(TAIL, 2 * first), 12)
    shares = np.geomspace(2 * low[-1], 1, 40)[:, None]
    moves = np.quantile(logs, low) - np.quantile(pure, low / shares)
    return float(moves[np.argmin(moves.std(axis=1))].mean())


def _correlation(covariance: np.ndarray) -> np.ndarray:
    """The correlation map up to REACH of noise whose patches, less mean and slope, have this covariance."""
    seen = [covariance[pair].mean() for pair in _pairs()]
    autocovariance = np.linalg.solve(_seen(), seen)
    half = np.concatenate([autocovariance[:0:-1], autocovariance]) / autocovariance[0]
    return half.reshape(2 * REACH + 1, 2 * REACH + 1)


def _lags() -> list[tuple[int, int]]:
    """Half of the lags up to REACH, the centre first; the others follow by symmetry."""
    every = [(dy, dx) for dy in range(REACH + 1) for dx in range(-REACH, REACH + 1)]
    return every[REACH:]


def _apart() -> tuple[np.ndarray, np.ndarray]:
    """How far any two pixels of a patch are apart, down and to the right: twice [SIDE^2, SIDE^2]."""
    rows, columns = np.divmod(np.arange(SIDE**2), SIDE)
    return rows[:, None] - rows, columns[:, None] - columns


@cache
def _pairs() -> list[np.ndarray]:
    """For each of _lags, which pixels of a patch are that far apart: [SIDE^2, SIDE^2] bool."""
    down, right = _apart()
    return [(down == dy) & (right == dx) for dy, dx in _lags()]


@cache
def _seen() -> np.ndarray:
    """What is left of autocovariances once mean and slope are taken off a patch: seen = _seen @ true, in _lags."""
    keep = np.eye(SIDE**2) - _slope() @ _slope().T
    lefts = [keep @ (pair | pair.T) @ keep for pair in _pairs()]
    return np.array([[left[pair].mean() for left in lefts] for pair in _pairs()])


def _left(found: np.ndarray) -> np.ndarray:
    """Covariance of a patch's pixels once its slope is off, [SIDE^2, SIDE^2], of noise of variance 1 and this map."""
    down, right = _apart()
    near = np.maximum(abs(down), abs(right)) <= REACH
    true = np.where(near, found[down.clip(-REACH, REACH) + REACH, right.clip(-REACH, REACH) + REACH], 0)
    keep = np.eye(SIDE**2) - _slope() @ _slope().T
    return keep @ true @ keep


def _dimensions() -> int:
    """Of a patch's pixels once mean and slope are off."""
    return SIDE**2 - _slope().shape[1]


@cache
def _slope() -> np.ndarray:
    """An orthonormal basis of planes over a patch: [SIDE^2, 3]."""
    line = np.linspace(-1, 1, SIDE)
    planes = np.stack([np.ones(SIDE**2), np.repeat(line, SIDE), np.tile(line, SIDE)], axis=1)
    return np.linalg.qr(planes)[0]
