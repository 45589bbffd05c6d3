"""The compiled loops under `groups.filtered`.

A group is kept as [k, n]: k patches, the pixels of each side by side, so that all products between patches, and the
weighted sums of patches, are products of matrices. The loops release Python's lock; bands of the image are filtered in
threads, each into sums of its own.
"""

import numpy as np
from numba import njit

FAST = {"contract", "nnan", "nsz", "reassoc"}
BULK = 1.2  # times the stated variance: the eigenvalues of pure noise scatter around 1
PIVOTS = 4  # rows that `_eliminate` subtracts at once, where they are written out
FLOOR = 1e-6  # share of a group's energy below which float32 does not resolve it


@njit(fastmath=FAST, nogil=True, cache=True)
def filter_band(noisy, guide, variance, rows, columns, top, bottom, patch, number, window, piloted):
    """Weighted sums of the estimated patches of a band, and sums of their weights: two arrays [C, bottom - top, W].

    noisy, guide: [C, H, W]; patches are found in guide[0]; with `piloted` the guide is the pilot.
    variance: [C, H - patch + 1, W - patch + 1], summed over the patch that begins there.
    rows, columns: where the patches begin whose groups are filtered; the groups lie within top to bottom.
    """
    channels, height, width = noisy.shape
    high, wide = min(window, height - patch + 1), min(window, width - patch + 1)
    shape = (channels, bottom - top, width)
    total, weight = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    distance, places = np.empty((high, wide), np.float32), np.empty((number, 2), np.int64)
    group, pilot = np.empty((number, patch**2), np.float32), np.empty((number, patch**2), np.float32)
    theta, work = np.empty((number, number), np.float32), np.empty((number, number), np.float32)
    noise, certain = np.empty(number, np.float32), np.empty(number, np.float32)
    for y in rows:
        first_row = min(max(0, y - high // 2), height - patch + 1 - high)
        for x in columns:
            first_column = min(max(0, x - wide // 2), width - patch + 1 - wide)
            _compare(guide[0], y, x, first_row, first_column, patch, distance)
            distance[y - first_row, x - first_column] = -1  # the patch itself is always of the group
            _nearest(distance, number, first_row, first_column, places)
            for c in range(channels):
                mean = _gather(noisy[c], places, patch, group)
                for i in range(number):
                    noise[i] = variance[c, places[i, 0], places[i, 1]]
                if piloted:
                    _gather(guide[c], places, patch, pilot)
                    np.dot(pilot, pilot.T, theta)
                    _with_pilot(theta, noise, work)
                else:
                    np.dot(group, group.T, theta)
                    _without_pilot(theta, noise)
                _certainty(theta, certain)
                np.dot(theta, group, pilot)
                _add(pilot, mean, certain, places, patch, top, total[c], weight[c])
    return total, weight


@njit(fastmath=FAST, nogil=True, cache=True)
def _compare(guide, y, x, first_row, first_column, patch, distance):
    """Squared distances from the patch at y, x to all of its window."""
    high, wide = distance.shape
    for i in range(high):
        row = distance[i]
        row[:] = 0
        for a in range(patch):
            other = guide[first_row + i + a]
            for b in range(patch):
                here, there = guide[y + a, x + b], other[first_column + b :]
                for j in range(wide):
                    row[j] += (there[j] - here) ** 2


@njit(nogil=True, cache=True)
def _nearest(distance, number, first_row, first_column, places):
    """Where the `number` nearest patches begin; their largest distance is found by halving an interval."""
    flat, wide = distance.reshape(-1), distance.shape[1]
    low, high = np.float32(0), flat.max()  # at least `number` are within high, and fewer within low if that is above 0
    for _ in range(26):
        middle, within = (low + high) / np.float32(2), 0
        for value in flat:
            within += value <= middle
        if within >= number:
            high = middle
        else:
            low = middle
        if within == number:
            break
    found = 0
    for least, most in ((np.float32(-2), np.float32(-0.5)), (np.float32(-0.5), low), (low, high)):  # itself first
        for i in range(len(flat)):
            if least < flat[i] <= most and found < number:
                places[found, 0], places[found, 1] = first_row + i // wide, first_column + i % wide
                found += 1


@njit(fastmath=FAST, nogil=True, cache=True)
def _gather(plane, places, patch, group):
    """The patches less the mean of all their pixels, which is returned."""
    mean = np.float32(0)
    for i in range(len(places)):
        for a in range(patch):
            pixels, into = plane[places[i, 0] + a][places[i, 1] :], group[i][a * patch :]
            for b in range(patch):
                into[b] = pixels[b]
                mean += pixels[b]
    mean /= np.float32(group.size)
    flat = group.reshape(-1)
    for q in range(len(flat)):
        flat[q] -= mean
    return mean


@njit(fastmath=FAST, nogil=True, cache=True)
def _with_pilot(theta, noise, work):
    """The pilot's products become theta = I - D (X X' + D)^-1; all are divided by their trace, so that units cancel."""
    number, trace = len(theta), np.float32(1e-30)
    for i in range(number):
        trace += theta[i, i] + noise[i]
    for i in range(number):
        row = theta[i]
        for j in range(number):
            row[j] /= trace
        row[i] += noise[i] / trace + np.float32(FLOOR)
    _invert(theta, work, np.float32(FLOOR))
    for i in range(number):
        row, variance = theta[i], noise[i] / trace
        for j in range(number):
            row[j] *= -variance
        row[i] += 1


@njit(nogil=True, cache=True)
def _without_pilot(theta, noise):
    """The noisy group's products become theta = I - D (Y Y')^-1, without negative eigenvalues.

    With S = D^(-1/2) Y Y' D^(-1/2) this is D^(1/2) (I - S^-1) D^(-1/2), whose eigenvalues are 1 - 1 / those of S.
    """
    number, energy = len(theta), np.float32(0)
    for i in range(number):
        energy += theta[i, i]
    deviation = np.sqrt(np.maximum(noise, np.float32(FLOOR) * energy + np.float32(1e-30)))
    for i in range(number):
        for j in range(number):
            theta[i, j] /= deviation[i] * deviation[j]
    values, vectors = np.linalg.eigh(theta)
    theta[:] = 0
    for value, vector in zip(values, vectors.T):  # noqa: B905, the compiler knows no strict
        kept = max(0, 1 - BULK / max(value, 1e-3))
        for j in range(number):
            for i in range(number):
                theta[j, i] += kept * vector[j] * vector[i] * deviation[j] / deviation[i]


@njit(fastmath=FAST, nogil=True, cache=True)
def _invert(matrix, work, least):
    """The inverse of a positive definite matrix in its own place: of M = L D L' it is (L^-1)' D^-1 L^-1.

    No pivot in D is below the smallest eigenvalue, and so below `least`, but what rounding makes of it may be.

    Rows are eliminated four at a time, so that those below are read and written once for the four. Left of its pivot
    a row then holds its part of L^-1; divided by the root of the pivot it goes to work [k, k].
    """
    number = len(matrix)
    four, pivots = np.zeros((PIVOTS, number), np.float32), np.zeros((PIVOTS, PIVOTS), np.float32)
    for p in range(0, number, PIVOTS):
        count = min(PIVOTS, number - p)
        for q in range(count):
            for j in range(number):
                four[q, j] = matrix[p + q, j]
        for q in range(count):
            for i in range(q, count):
                pivots[q, i] = four[q, p + i]
            pivots[q, q] = max(pivots[q, q], least)
            four[q, p + q] = 1
            for i in range(q + 1, count):
                factor = four[i, p + q] / pivots[q, q]
                four[i, p + q] = 0
                for j in range(number):
                    four[i, j] -= factor * four[q, j]
        for q in range(count):
            for i in range(q + 1, count):
                four[q, p + i] = 0
        _eliminate(matrix, four, pivots, p)
        for q in range(count):
            scale = 1 / np.sqrt(pivots[q, q])
            for j in range(number):
                work[p + q, j] = scale * four[q, j] if j <= p + q else 0
    np.dot(work.T, work, matrix)


@njit(fastmath=FAST, nogil=True, cache=True)
def _eliminate(matrix, four, pivots, p):
    """Subtract four rows from those below, which are 0 in columns p to p + 3 then. pivots: [4, 4], upper triangle."""
    r0, r1, r2, r3 = four[0], four[1], four[2], four[3]
    for i in range(p + PIVOTS, len(matrix)):
        row = matrix[i]
        f0 = row[p] / pivots[0, 0]
        f1 = (row[p + 1] - f0 * pivots[0, 1]) / pivots[1, 1]
        f2 = (row[p + 2] - f0 * pivots[0, 2] - f1 * pivots[1, 2]) / pivots[2, 2]
        f3 = (row[p + 3] - f0 * pivots[0, 3] - f1 * pivots[1, 3] - f2 * pivots[2, 3]) / pivots[3, 3]
        row[p] = row[p + 1] = row[p + 2] = row[p + 3] = 0
        for j in range(len(row)):
            row[j] -= f0 * r0[j] + f1 * r1[j] + f2 * r2[j] + f3 * r3[j]


@njit(fastmath=FAST, nogil=True, cache=True)
def _certainty(theta, certain):
    """A patch's estimate counts by the inverse of its noise's variance, that of the noisy patch being 1."""
    for i in range(len(certain)):
        variance = np.float32(0)
        for weight in theta[i]:
            variance += weight**2
        certain[i] = 1 / min(max(variance, np.float32(1 / len(certain))), np.float32(1))


@njit(fastmath=FAST, nogil=True, cache=True)
def _add(estimate, mean, certain, places, patch, top, total, weight):
    """Put the estimated patches back to their places."""
    for i in range(len(places)):
        y, x, w = places[i, 0] - top, places[i, 1], certain[i]
        for a in range(patch):
            sums, weights, pixels = total[y + a][x:], weight[y + a][x:], estimate[i][a * patch :]
            for b in range(patch):
                sums[b] += w * (pixels[b] + mean)
                weights[b] += w
