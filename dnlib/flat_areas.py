"""Noise estimated from one noisy image: from small patches that are so calm that nothing but noise can be in them.

Which variance that is, the lowest variances of the image say, if one knows how those of pure noise scatter. Patches of
pure noise tell that: their principal components are those of the noise.
"""

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

SIDE, STEP = 8, 4  # of the patches that tell the level
WIDE = 16  # of those that tell the correlation
REACH = 4  # of a map estimated from patches; correlation beyond is taken for zero
WINDOWS, STIFFNESS = 7, 0.1  # of the curve of noise against brightness
TAIL = 0.005  # share of the patches, those of lowest variance, to which the distribution of pure noise is fitted
ROUNDS = 4
NARROW = 5  # side of the colour patches that tell white noise
WHITE = 0.7  # the least of its principal components, over their mean, at least


def estimate(plane: np.ndarray, inside: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of one colour [H, W] float: brightness and noise variance at quantiles of the image [bins], and the map [9, 9].

    inside: [H, W], False where pixels do not count.
    Raises ValueError where too little is left.
    """
    narrow, wide = _Patches(plane, inside, SIDE, STEP), _Patches(plane, inside, WIDE, WIDE // 2)
    if min(narrow.count, wide.count) < 50:
        raise ValueError(
            "hardly any part of the image has noise and is not saturated: there is nothing to estimate from"
        )
    logs, powers = np.log(narrow.variance), np.ones(SIDE**2 - _slope(SIDE).shape[1])  # white noise, to begin with
    for _ in range(ROUNDS):  # what patches of pure noise look like decides which patches are pure, and the reverse
        pure = _drawn(powers)
        curve = _lower_edge(narrow.brightness, logs, pure)
        powers = narrow.powers(logs < curve(narrow.brightness) + np.quantile(pure, 0.95))
    found = np.zeros((2 * REACH + 1, 2 * REACH + 1))
    found[REACH, REACH] = 1
    for _ in range(ROUNDS):
        lost = np.log(_left(found, SIDE).trace() / len(powers))
        left = _left(found, WIDE)
        spread = np.quantile(_drawn(np.linalg.eigvalsh(left), 2_000), 0.95)
        kept = np.log(left.trace() / (WIDE**2 - _slope(WIDE).shape[1]))
        found = wide.correlation(curve, kept - lost + spread)
    brightness = np.quantile(plane, (np.arange(bins) + 0.5) / bins).clip(0, 1)
    return brightness, np.exp(curve(brightness) - lost), found


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


class _Patches:
    """Patches side x side of one colour, each less its mean and slope.

    brightness [P], values [P, side, side], variance [P]: of the values, as if nothing had been taken off.
    """

    def __init__(self, plane: np.ndarray, inside: np.ndarray, side: int, step: int):
        def cut(array):
            windows = sliding_window_view(array, (side, side))[::step, ::step]
            return windows.reshape(-1, side * side)

        pixels, slope = cut(plane)[cut(inside).mean(axis=1) >= 0.95], _slope(side).astype(np.float32)
        values = pixels - (pixels @ slope) @ slope.T
        variance = (values**2).sum(axis=1) / (side**2 - slope.shape[1])
        noisy = variance > 1e-10
        self.side, self.count = side, int(noisy.sum())
        self.brightness, self.variance = pixels[noisy].mean(axis=1), variance[noisy].astype(float)
        self.values = values[noisy].reshape(self.count, side, side)

    def powers(self, flat: np.ndarray) -> np.ndarray:
        """The power of each principal component of the patches `flat`, each scaled to variance 1."""
        unit = (self.values[flat] / np.sqrt(self.variance[flat])[:, None, None]).reshape(-1, self.side**2)
        return np.linalg.eigvalsh(unit.T @ unit / max(1, len(unit)))[_slope(self.side).shape[1] :]

    def correlation(self, curve, highest: float) -> np.ndarray:
        """The correlation map up to REACH, from patches whose log variance is at most curve(brightness) + highest."""
        above = np.log(self.variance) - curve(self.brightness)
        flat = above < highest
        if flat.sum() < 20:
            flat = np.argsort(above)[:20]
        unit = self.values[flat] / np.sqrt(self.variance[flat])[:, None, None]
        lags = range(-REACH, REACH + 1)
        seen = np.array([[_lag_mean(unit, dy, dx) for dx in lags] for dy in range(REACH + 1)]).ravel()[REACH:]
        autocovariance = np.linalg.solve(_seen(self.side), seen)
        half = np.concatenate([autocovariance[:0:-1], autocovariance]) / autocovariance[0]
        return half.reshape(2 * REACH + 1, 2 * REACH + 1)


def _lag_mean(values: np.ndarray, dy: int, dx: int) -> float:
    side = values.shape[-1]
    x = values[..., : side - dy, max(0, -dx) : side - max(0, dx)]
    y = values[..., dy:, max(0, dx) : side - max(0, -dx)]
    return float((x * y).mean())


@cache
def _lags() -> list[tuple[int, int]]:
    """Half of the lags up to REACH, the centre first; the others follow by symmetry."""
    every = [(dy, dx) for dy in range(REACH + 1) for dx in range(-REACH, REACH + 1)]
    return every[REACH:]


@cache
def _seen(side: int) -> np.ndarray:
    """What is left of autocovariances once mean and slope are taken off a patch: seen = _seen @ true, in _lags."""
    slope = _slope(side)
    keep = np.eye(side**2) - slope @ slope.T
    rows, columns = np.divmod(np.arange(side**2), side)
    apart = np.stack([rows[:, None] - rows, columns[:, None] - columns])
    matrix = np.empty((len(_lags()), len(_lags())))
    pairs = [(apart[0] == dy) & (apart[1] == dx) for dy, dx in _lags()]
    for j, pair in enumerate(pairs):
        together = pair | pair.T
        left = keep @ together @ keep
        matrix[:, j] = [left[other].mean() for other in pairs]
    return matrix


def _left(found: np.ndarray, side: int) -> np.ndarray:
    """Covariance of a patch's pixels once its slope is off, [side^2, side^2], of noise of variance 1 and this map."""
    rows, columns = np.divmod(np.arange(side**2), side)
    dy, dx = rows[:, None] - rows, columns[:, None] - columns
    near = np.maximum(abs(dy), abs(dx)) <= REACH
    true = np.where(near, found[dy.clip(-REACH, REACH) + REACH, dx.clip(-REACH, REACH) + REACH], 0)
    slope = _slope(side)
    left = true - slope @ (slope.T @ true)
    return left - (left @ slope) @ slope.T


def _drawn(powers: np.ndarray, draws: int = 20_000) -> np.ndarray:
    """Log variances, sorted, of patches of noise whose principal components have these powers; their mean is 1."""
    weights = powers.clip(min=0) / powers.clip(min=0).sum()
    return np.sort(np.log(np.random.default_rng(0).chisquare(1, (draws, len(weights))) @ weights))


@cache
def _slope(side: int) -> np.ndarray:
    """An orthonormal basis of planes over a patch: [side^2, 3]."""
    line = np.linspace(-1, 1, side)
    planes = np.stack([np.ones(side**2), np.repeat(line, side), np.tile(line, side)], axis=1)
    return np.linalg.qr(planes)[0]


def _lower_edge(brightness: np.ndarray, logs: np.ndarray, pure: np.ndarray):
    """The log variance of pure noise at each brightness, of patches of which only some are pure.

    Each of WINDOWS ranges of brightness has its own lowest patches. Where few of them are pure, the neighbours count
    more: a curve is drawn through the windows, weighted by the share of pure patches, that bends as little as it can.
    """
    count = max(1, min(WINDOWS, len(logs) // 400))
    windows = np.array_split(np.argsort(brightness), count)
    moves, shares = np.transpose([_fit_tail(np.sort(logs[window]), pure) for window in windows])
    bend, trust = np.diff(np.eye(count), 2, axis=0), shares
    for _ in range(10):  # texture can only have moved a window up
        knots = np.linalg.solve(np.diag(trust) + STIFFNESS * bend.T @ bend, trust * moves)
        trust = np.where(moves > knots, 0.1, 1) * shares
    centres = np.array([np.median(brightness[window]) for window in windows])
    return lambda b: np.interp(b, centres, knots)


def _fit_tail(logs: np.ndarray, pure: np.ndarray) -> tuple[float, float]:
    """By how much the log variances of pure noise must be moved so that the lowest of `logs` come from them, and
    the share of pure patches.

    logs, pure: sorted. Of the patches an unknown share is pure; texture only adds patches above. The share is the one
    with which all low quantiles ask for the same move.
    """
    first = max(TAIL / 20, min(0.05, 10 / len(logs)))
    low = np.geomspace(first, max(TAIL, 2 * first), 12)
    shares = np.geomspace(2 * low[-1], 1, 40)[:, None]
    moves = np.quantile(logs, low) - np.quantile(pure, low / shares)
    best = int(np.argmin(moves.std(axis=1)))
    return float(moves[best].mean()), float(shares[best, 0])
