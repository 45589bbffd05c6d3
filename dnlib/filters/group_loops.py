"""The compiled loops under `groups.filtered`.

A group is kept as [n, k]: pixel by pixel, the k patches side by side, so that the inner loops run over patches, in
vectors. They release Python's lock; bands of the image are filtered in threads, each into sums of its own.
"""

import numpy as np
from numba import njit

FAST = {"contract", "nnan", "nsz", "reassoc"}
BULK = 1.2  # pure noise's eigenvalues scatter around 1: the variance is taken for so many times the one told
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
    group, pilot = np.empty((patch**2, number), np.float32), np.empty((patch**2, number), np.float32)
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
                    _gram(pilot, theta)
                    _with_pilot(theta, noise, work)
                else:
                    _gram(group, theta)
                    _without_pilot(theta, noise)
                _certainty(theta, certain)
                _multiply(group, theta, pilot)
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
    low, high = np.float32(-2), flat.max()  # fewer than `number` are within low, at least as many within high
    for _ in range(26):
        middle, within = (low + high) / np.float32(2), 0
        for value in flat:
            within += value <= middle
        if within >= number:
            high = middle
        else:
            low = middle
    found = 0
    for least, most in ((np.float32(-2), low), (low, high)):
        for i in range(len(flat)):
            if least < flat[i] <= most and found < number:
                places[found, 0], places[found, 1] = first_row + i // wide, first_column + i % wide
                found += 1


@njit(fastmath=FAST, nogil=True, cache=True)
def _gather(plane, places, patch, group):
    """The patches less the mean of all their pixels, which is returned."""
    mean = np.float32(0)
    for a in range(patch):
        for b in range(patch):
            row = group[a * patch + b]
            for i in range(len(places)):
                row[i] = plane[places[i, 0] + a, places[i, 1] + b]
                mean += row[i]
    mean /= np.float32(group.size)
    for row in group:
        for i in range(len(row)):
            row[i] -= mean
    return mean


@njit(fastmath=FAST, nogil=True, cache=True)
def _gram(group, product):
    """The products [k, k] of all pairs of patches."""
    size, number = group.shape
    product[:] = 0
    for q in range(0, size - size % 4, 4):
        r0, r1, r2, r3 = group[q], group[q + 1], group[q + 2], group[q + 3]
        for i in range(number):
            a0, a1, a2, a3, row = r0[i], r1[i], r2[i], r3[i], product[i]
            for j in range(i + 1):
                row[j] += a0 * r0[j] + a1 * r1[j] + a2 * r2[j] + a3 * r3[j]
    for q in range(size - size % 4, size):
        r0 = group[q]
        for i in range(number):
            a0, row = r0[i], product[i]
            for j in range(i + 1):
                row[j] += a0 * r0[j]
    _mirror(product)


@njit(nogil=True, cache=True)
def _mirror(matrix):
    for i in range(len(matrix)):
        for j in range(i):
            matrix[j, i] = matrix[i, j]


@njit(fastmath=FAST, nogil=True, cache=True)
def _with_pilot(theta, noise, work):
    """The pilot's products become the transpose of theta = I - D (X X' + D)^-1."""
    number, energy = len(theta), np.float32(0)
    for i in range(number):
        energy += theta[i, i]
    for i in range(number):
        theta[i, i] += noise[i] + np.float32(FLOOR) * energy + np.float32(1e-30)
    _invert(theta, work)
    for j in range(number):
        for i in range(number):
            theta[j, i] *= -noise[i]
        theta[j, j] += 1


@njit(nogil=True, cache=True)
def _without_pilot(theta, noise):
    """The noisy group's products become the transpose of theta = I - D (Y Y')^-1, without negative eigenvalues.

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
                theta[j, i] += kept * vector[j] * vector[i] * deviation[i] / deviation[j]


@njit(fastmath=FAST, nogil=True, cache=True)
def _invert(matrix, work):
    """The inverse of a positive definite matrix in its own place, by Cholesky: M = U'U, so M^-1 = U^-1 (U^-1)'."""
    number = len(matrix)
    for i in range(number):
        row = matrix[i]
        scale = 1 / np.sqrt(row[i])
        for j in range(i, number):
            row[j] *= scale
        for m in range(i + 1, number):
            factor, below = row[m], matrix[m]
            for j in range(m, number):
                below[j] -= factor * row[j]
    work[:] = 0
    for i in range(number):  # the rows of (U')^-1
        row = work[i]
        row[i] = 1
        for m in range(i):
            factor, above = matrix[m, i], work[m]
            for j in range(m + 1):
                row[j] -= factor * above[j]
        scale = 1 / matrix[i, i]
        for j in range(i + 1):
            row[j] *= scale
    matrix[:] = 0
    for m in range(number):
        below = work[m]
        for i in range(m + 1):
            factor, row = below[i], matrix[i]
            for j in range(i + 1):
                row[j] += factor * below[j]
    _mirror(matrix)


@njit(fastmath=FAST, nogil=True, cache=True)
def _certainty(theta, certain):
    """A patch's estimate counts by the inverse of its noise's variance, that of the noisy patch being 1."""
    certain[:] = 0
    for row in theta:
        for i in range(len(row)):
            certain[i] += row[i] ** 2
    for i in range(len(certain)):
        certain[i] = 1 / min(max(certain[i], np.float32(1 / len(certain))), np.float32(1))


@njit(fastmath=FAST, nogil=True, cache=True)
def _multiply(group, theta, estimate):
    size, number = group.shape
    for q in range(size):
        row, into = group[q], estimate[q]
        into[:] = 0
        for j in range(0, number - number % 4, 4):
            a0, a1, a2, a3 = row[j], row[j + 1], row[j + 2], row[j + 3]
            t0, t1, t2, t3 = theta[j], theta[j + 1], theta[j + 2], theta[j + 3]
            for i in range(number):
                into[i] += a0 * t0[i] + a1 * t1[i] + a2 * t2[i] + a3 * t3[i]
        for j in range(number - number % 4, number):
            a0, t0 = row[j], theta[j]
            for i in range(number):
                into[i] += a0 * t0[i]


@njit(fastmath=FAST, nogil=True, cache=True)
def _add(estimate, mean, certain, places, patch, top, total, weight):
    """Put the estimated patches back to their places."""
    for i in range(len(places)):
        y, x, w = places[i, 0] - top, places[i, 1], certain[i]
        for a in range(patch):
            sums, weights = total[y + a][x:], weight[y + a][x:]
            for b in range(patch):
                sums[b] += w * (estimate[a * patch + b, i] + mean)
                weights[b] += w
