"""The correlation of colour triples, as the student report defined the noise correlation map."""

import numpy as np

from dnlib.noise.lags import as_planes, lag_products


def chroma_correlation_map(noise: np.ndarray, reach: int = 10) -> np.ndarray:
    """The student report's formula, literally: the mean Pearson correlation of two pixels' three colour values.

    With u the noise less its mean over the pixel's own three colours, scaled to length 1, it is the mean of
    u_i . u_(i + lag). What all three colours share is thus removed: gray noise, however correlated, does not count.
    Pixels whose three values are equal have no correlation and are left out.

    Parameters
    ----------
    noise : array [H, W, 3]
        Noisy minus clean, floats in any unit.
    reach : int
        Largest lag.

    Returns
    -------
    array [2 reach + 1, 2 reach + 1]
        NaN where no pair has a correlation.

    Raises
    ------
    ValueError
        For noise that is not [H, W, 3], not finite, or smaller than the reach.

    Examples
    --------
    >>> gray = np.repeat(np.random.default_rng(0).standard_normal((30, 30, 1)), 3, axis=2)
    >>> colour = np.random.default_rng(1).standard_normal((30, 30, 3))
    >>> np.allclose(chroma_correlation_map(gray + colour, 2), chroma_correlation_map(colour, 2))
    True
    """
    planes = as_planes(noise, reach)
    if len(planes) != 3:
        raise ValueError(
            f"the correlation of colour triples needs noise [H, W, 3]; shape {list(np.shape(noise))} was given"
        )
    chroma = planes - planes.mean(axis=0)
    length = np.sqrt((chroma**2).sum(axis=0))
    counts = length > 8 * np.finfo(planes.dtype).eps * np.abs(planes).max(axis=0)
    unit = np.where(counts, chroma / np.where(counts, length, 1), 0)
    mask = counts[None].astype(planes.dtype)
    sums, pairs = lag_products(unit, unit, reach), np.rint(lag_products(mask, mask, reach))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(pairs > 0, sums / pairs, np.nan)
