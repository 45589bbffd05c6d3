"""The compiled loops under `patch_targets.search`."""

import numpy as np
from numba import get_num_threads, njit, prange

FAST = {"contract", "nnan", "nsz"}  # none of them changes the order of a sum


def search(frames, patch, radius):
    """Compare all patches of the middle frame with those of the others, [M, H, C, W], moved by up to `radius` pixels.

    Returns for each place the smallest sum of squares and the number of its motion, in the order of frames, rows,
    columns.
    """
    places = get_num_threads(), frames.shape[1] - patch + 1, frames.shape[3] - patch + 1
    bests, motions = np.full(places, np.finfo(np.float32).max, np.float32), np.zeros(places, np.int32)
    _search(frames, patch, radius, bests, motions)
    first = bests.argmin(axis=0)[None]  # of equal sums the thread with the smaller numbers
    return tuple(np.take_along_axis(part, first, 0)[0] for part in (bests, motions))


@njit(parallel=True, fastmath=FAST, cache=True)
def _search(frames, patch, radius, bests, motions):
    """Each thread takes some of the motions.

    Squares are summed down the columns as the patch moves down, and along the rows by fours; every loop is over
    neighbouring pixels, so that it runs in vectors, on a few rows in cache.
    """
    count, height, _, width = frames.shape
    side, threads, places = 2 * radius + 1, len(bests), bests.shape[1]
    middle, every = frames[count // 2], (count - 1) * side
    for thread in prange(threads):
        columns, work = np.empty((side, width), np.float32), np.empty((3, width), np.float32)
        for row in range(thread * every // threads, (thread + 1) * every // threads):
            frame, dy = row // side, row % side - radius
            other = frames[frame + (1 if frame >= count // 2 else 0)]
            low, high = max(0, -dy), min(places, height - patch + 1 - dy)
            for y in range(low, high):
                best, motion = bests[thread, y], motions[thread, y]
                for j in range(side):
                    dx = j - radius
                    left, right = max(0, -dx), min(width, width - dx)
                    if right - left < patch:
                        continue
                    column = columns[j][: right - left]
                    if y == low:
                        column[:] = 0
                        for inside in range(y, y + patch):
                            _add(middle[inside], other[inside + dy], left, dx, column)
                    else:
                        last = y + patch - 1
                        _exchange(middle[last], other[last + dy], middle[y - 1], other[y - 1 + dy], left, dx, column)
                    _keep_nearer(_along(column, patch, work), row * side + j, best[left:], motion[left:])


@njit(fastmath=FAST, cache=True)
def _add(here, there, left, dx, column):
    """Add |here(x) - there(x + dx)|^2 to the column of each x from `left` on."""
    for c in range(len(here)):
        a, b = here[c][left:], there[c][left + dx :]
        for x in range(len(column)):
            column[x] += (a[x] - b[x]) ** 2


@njit(fastmath=FAST, cache=True)
def _exchange(here, there, here_before, there_before, left, dx, column):
    """The same for a row that enters the patch, less what the row that leaves it had added."""
    for c in range(len(here)):
        a, b = here[c][left:], there[c][left + dx :]
        a_before, b_before = here_before[c][left:], there_before[c][left + dx :]
        for x in range(len(column)):
            column[x] += (a[x] - b[x]) ** 2 - (a_before[x] - b_before[x]) ** 2


@njit(fastmath=FAST, cache=True)
def _along(column, patch, work):
    """Sums of `patch` neighbours, put together from sums of 1, 4, 16, ... of them."""
    total = work[0][: len(column) - patch + 1]
    total[:] = 0
    power, spare, next_power = column, work[1], work[2]
    length, done, width = len(column), 0, 1
    while True:
        times = patch // width % 4
        _grow(total, power[done:], width, times)
        done += times * width
        if done == patch:
            return total
        length -= 3 * width
        _four(power, width, next_power[:length])
        power, next_power, spare = next_power, spare, next_power
        width *= 4


@njit(fastmath=FAST, cache=True)
def _grow(total, part, width, times):
    """Add to total(x) the sums that begin at x, x + width, ...: so many of them, at most three."""
    if times == 1:
        for x in range(len(total)):
            total[x] += part[x]
    elif times == 2:
        second = part[width:]
        for x in range(len(total)):
            total[x] += part[x] + second[x]
    elif times == 3:
        second, third = part[width:], part[2 * width :]
        for x in range(len(total)):
            total[x] += part[x] + second[x] + third[x]


@njit(fastmath=FAST, cache=True)
def _four(part, width, into):
    second, third, fourth = part[width:], part[2 * width :], part[3 * width :]
    for x in range(len(into)):
        into[x] = part[x] + second[x] + third[x] + fourth[x]


@njit(fastmath=FAST, cache=True)
def _keep_nearer(sums, number, best, motion):
    for x in range(len(sums)):
        nearer = sums[x] < best[x]
        best[x] = sums[x] if nearer else best[x]
        motion[x] = number if nearer else motion[x]
