"""The compiled loops under `patchcraft.search`."""

import numpy as np
from numba import njit, prange

BAND = 48  # rows of patches that one thread takes at a time


@njit(parallel=True, fastmath={"contract"}, cache=True)
def search_frame(middle, other, patch, radius, number, best, frame, row, column):
    """Compare all patches of `middle` with those of `other` within the radius, [H, C, W] each; sums of squares.

    All sideways motions are treated at once, as one vector, so that the running sums over a patch, first down the rows
    and then along them, are vector operations.
    """
    height, _, width = middle.shape
    places, across = best.shape
    candidates = 2 * radius + 1
    for band in prange((places + BAND - 1) // BAND):
        first, last = band * BAND, min((band + 1) * BAND, places)
        columns = np.empty((width, candidates), np.float32)
        run = np.empty(candidates, np.float32)
        for dy in range(-radius, radius + 1):
            low, high = max(first, -dy), min(last, height - patch + 1 - dy)
            if low >= high:
                continue
            columns[:] = 0
            for y in range(low, low + patch):
                _add_row(middle[y], other[y + dy], radius, columns, np.float32(1))
            for y in range(low, high):
                if y > low:
                    _add_row(middle[y - 1], other[y - 1 + dy], radius, columns, np.float32(-1))
                    _add_row(middle[y + patch - 1], other[y + patch - 1 + dy], radius, columns, np.float32(1))
                run[:] = 0
                for x in range(patch):
                    for d in range(candidates):
                        run[d] += columns[x, d]
                for x in range(across):
                    if x > 0:
                        for d in range(candidates):
                            run[d] += columns[x + patch - 1, d] - columns[x - 1, d]
                    start, stop = max(0, radius - x), min(candidates, across - x + radius)
                    least, place = best[y, x], -1
                    for d in range(start, stop):
                        if run[d] < least:
                            least, place = run[d], d
                    if place >= 0:
                        best[y, x], frame[y, x], row[y, x], column[y, x] = least, number, dy, place - radius


@njit(fastmath={"contract"}, cache=True)
def _add_row(here, there, radius, columns, sign):
    """Add sign * |here(x) - there(x + d)|^2 to columns[x, d] for all x and all motions d that stay inside."""
    channels, width = here.shape
    for x in range(width):
        start, stop = max(0, radius - x), min(2 * radius + 1, width - x + radius)
        for c in range(channels):
            value = here[c, x]
            for d in range(start, stop):
                difference = value - there[c, x + d - radius]
                columns[x, d] += sign * difference * difference
