"""Whether a picture was drawn, by equal neighbours: noise makes them differ, but where it is clipped."""

import numpy as np

from dnlib.images import step_between
from dnlib.noise import Inspection

EQUAL = 0.7  # share of neighbours with the same value, above which a picture was drawn
FEW = 0.2  # neighbours looked at for each pixel, below which they say nothing
BOTH, EITHER = 0.1, 0.5  # shares of the darkest and of the brightest value in black on white: each, and together
AREAS = 0.4  # share of all neighbours that are equal, at least, in a picture with soft edges
OFTEN = 2.5  # times as often as noise would leave them, neighbours between black and white are equal there, at least


def is_drawn(frame: np.ndarray, inside: np.ndarray) -> bool:
    """Whether a frame [H, W, C] was drawn, as masks, charts and codes are: areas of equal pixels, and no noise in them.

    Most neighbours of pixels between the darkest and the brightest are equal; or most pixels are the darkest or the
    brightest, some of each, and most of these have equal neighbours (impulses have others).

    Examples
    --------
    >>> noisy, inside = np.random.default_rng(0).normal(0.5, 0.1, (32, 32, 1)), np.ones((32, 32), bool)
    >>> is_drawn(noisy, inside), is_drawn(np.kron(noisy, np.ones((8, 8, 1))), np.kron(inside, np.ones((8, 8))) > 0)
    (False, True)
    """
    ends = _ends(frame, inside)
    shares = [end.sum() / inside.sum() for end in ends]
    black_and_white = min(shares) > BOTH and sum(shares) > EITHER
    equal = _equal(frame, ends[0] | ends[1] if black_and_white else inside & ~ends[0] & ~ends[1], inside)
    return bool(equal.size > FEW * inside.sum() and equal.mean() > EQUAL)


def has_soft_edges(frame: np.ndarray, inside: np.ndarray, known: Inspection) -> bool:
    """Whether a frame [H, W, C] was drawn with soft edges, as print, plots and screenshots are, taken for this noise.

    Black and white say nothing, for noise may be clipped there. Between them, values in steps of q with noise of
    standard deviation s are equal to their neighbours with a probability of q / (2 sqrt(pi) s) at most, if neighbours
    do not share it; soft edges of lines and letters are equal far more often. `benchmarks/drawn.py` has both.

    Examples
    --------
    >>> from dnlib.noise import inspect_image
    >>> noisy, inside = np.random.default_rng(0).normal(0.9, 0.1, (64, 64, 1)).clip(0, 1), np.ones((64, 64), bool)
    >>> has_soft_edges(noisy, inside, inspect_image(noisy))
    False
    """
    everywhere = np.ones_like(inside)
    if _equal(frame, everywhere, everywhere).mean() < AREAS:
        return False
    among = inside & ~np.any(_ends(frame, inside), axis=0)
    deviation = np.sqrt(known.variance(frame)).min(axis=2)[among]
    expected = (step_between(frame) / (2 * np.sqrt(np.pi) * deviation.clip(1e-9))).clip(max=1)
    equal = _equal(frame, among, inside)
    return bool(equal.size and equal.mean() > OFTEN * expected.mean())


def _ends(frame: np.ndarray, inside: np.ndarray) -> list[np.ndarray]:
    """Where a frame [H, W, C] is darkest and where it is brightest, twice [H, W]."""
    return [(frame == end).all(axis=2) & inside for end in (frame[inside].min(axis=0), frame[inside].max(axis=0))]


def _equal(frame: np.ndarray, among: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Whether pixels `among` those of a frame [H, W, C] equal the one above, and the one to the left, if inside."""
    return np.concatenate(
        [
            (frame[1:] == frame[:-1]).all(axis=2)[among[1:] & inside[:-1]],
            (frame[:, 1:] == frame[:, :-1]).all(axis=2)[among[:, 1:] & inside[:, :-1]],
        ]
    )
