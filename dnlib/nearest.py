"""The compiled loops under `patchcraft.search`."""

import numpy as np
from numba import njit, prange

BAND = 96  # rows of patches that one thread takes at a time
LANES = 16  # sideways motions are treated in multiples of this, the widest vector of today's processors
FAST = {"contract", "nnan", "nsz"}  # neither changes a sum's order


def search_frame(middle, other, patch, radius, number, best, frame, row, column):
    """Compare all patches of `middle` with those of `other` within the radius, [H, C, W] each; sums of squares.

    Where the nearest so far is beaten, best, frame, row and column take the new one.
    """
    motions = -(-(2 * radius + 1) // LANES) * LANES
    around = np.pad(other, ((0, 0), (0, 0), (radius, motions)))  # values out there count for nothing
    _search(middle, around, patch, radius, motions, number, best, frame, row, column)


@njit(parallel=True, fastmath=FAST, cache=True)
def _search(middle, other, patch, radius, motions, number, best, frame, row, column):
    """All sideways motions at once, as one vector: the running sums, down the rows and then along them, are vectors."""
    height, _, width = middle.shape
    places, across = best.shape
    for band in prange((places + BAND - 1) // BAND):
        first, last = band * BAND, min((band + 1) * BAND, places)
        columns, run = np.empty((width, motions), np.float32), np.empty(motions, np.float32)
        for dy in range(-radius, radius + 1):
            low, high = max(first, -dy), min(last, height - patch + 1 - dy)
            for y in range(low, high):
                if y == low:
                    columns[:] = 0
                    for inside in range(y, y + patch):
                        _add(middle[inside], other[inside + dy], columns)
                else:
                    _exchange(
                        middle[y + patch - 1], other[y + patch - 1 + dy], middle[y - 1], other[y - 1 + dy], columns
                    )
                run[:] = 0
                for x in range(patch - 1):
                    for d in range(motions):
                        run[d] += columns[x, d]
                for x in range(across):
                    entering, leaving = columns[x + patch - 1], columns[max(x - 1, 0)]
                    if x > 0:
                        for d in range(motions):
                            run[d] += entering[d] - leaving[d]
                    else:
                        for d in range(motions):
                            run[d] += entering[d]
                    start, stop = max(0, radius - x), min(2 * radius + 1, across - x + radius)
                    nearest = run[start:stop]
                    least = nearest[0]
                    for d in range(len(nearest)):
                        if nearest[d] < least:
                            least = nearest[d]
                    if least < best[y, x]:
                        d = 0
                        while nearest[d] != least:
                            d += 1
                        best[y, x], frame[y, x], row[y, x], column[y, x] = least, number, dy, start + d - radius


@njit(fastmath=FAST, cache=True)
def _add(here, there, columns):
    """Add |here(x) - there(x + d)|^2 to columns[x, d] for all x and all motions d."""
    channels, width = here.shape
    for x in range(width):
        sums = columns[x]
        for c in range(channels):
            value, others = here[c, x], there[c, x : x + len(sums)]
            for d in range(len(sums)):
                sums[d] += (value - others[d]) ** 2


@njit(fastmath=FAST, cache=True)
def _exchange(here, there, here_before, there_before, columns):
    """The same for a row that enters the patch, less what the row that leaves it had added."""
    channels, width = here.shape
    for x in range(width):
        sums = columns[x]
        for c in range(channels):
            value, others = here[c, x], there[c, x : x + len(sums)]
            old, others_before = here_before[c, x], there_before[c, x : x + len(sums)]
            for d in range(len(sums)):
                sums[d] += (value - others[d]) ** 2 - (old - others_before[d]) ** 2
