"""What noise many images have together, measured with their clean versions, one pair in memory at a time."""

from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from dnlib.images import Range, image_files
from dnlib.noise.correlation import lag_sums
from dnlib.noise.inspection import Inspection
from dnlib.noise.measure import BINS, noise_of, ranges_of_pair
from dnlib.noise.patches import is_clipped
from dnlib.noise.pictures import read_pair


def inspect_folders(noisy: str | Path, clean: str | Path | None, *, progress: bool = False) -> Inspection:
    """`inspect_pair` for all images of two folders that have the same names, together.

    One pair is in memory at a time. The curve has up to 12 bins of equal width.

    Parameters
    ----------
    noisy, clean : path
        Two folders; a noisy and a clean image have the same name, whatever their suffixes.
    progress : bool
        Whether a progress bar is shown.

    Returns
    -------
    Inspection
        Of all pixels of all images.

    Raises
    ------
    ValueError
        For an image without a partner, for what is no folder or an empty one, and as `inspect_pair`.

    Examples
    --------
    >>> inspect_folders("nowhere", "neither")
    Traceback (most recent call last):
    ValueError: two folders are measured together, of noisy and of clean images; nowhere, neither were given
    """
    sums, moments, clipped = None, np.zeros((3, BINS)), []
    for paths in tqdm(_paired(noisy, clean), desc="measuring", unit="image", disable=not progress):
        *pair, counting, _ = read_pair(*paths)
        ranges = ranges_of_pair(*(image[counting] for image in pair))
        image, truth = (one.to_unit(image) for one, image in zip(ranges, pair, strict=True))
        noise, inside = noise_of(image, truth, counting)
        own = lag_sums(noise, valid=None if inside.all() else inside)
        sums = own if sums is None else sums + own
        moments += _moments(truth[inside], noise[inside])
        clipped.append(is_clipped(np.atleast_3d(image))[counting].mean())
    filled = moments[0] > 0
    brightness, deviation = (np.arange(BINS)[filled] + 0.5) / BINS, 255 * _deviation(*moments[:, filled])
    return Inspection(
        level=255 * float(_deviation(*moments.sum(axis=1))),
        brightness=brightness,
        deviation=deviation,
        map=sums.correlation,
        exact=True,
        saturated=float(np.mean(clipped)),
        curves=np.array([[brightness, deviation]]),
        covariance=np.eye(1),
        range=Range(0.0, 1.0, 255.0),
    )


def _paired(noisy: str | Path, clean: str | Path | None) -> list[tuple[Path, Path]]:
    """The images of two folders, in pairs of the same name."""
    folders = [Path(folder) for folder in (noisy, clean) if folder is not None]
    if len(folders) < 2 or not all(folder.is_dir() for folder in folders):
        given = f"only {noisy} was given" if clean is None else f"{noisy}, {clean} were given"
        raise ValueError(f"two folders are measured together, of noisy and of clean images; {given}")
    first, second = (_by_name(folder) for folder in folders)
    if alone := sorted(first.keys() ^ second.keys()):
        raise ValueError(
            f"{len(alone)} images have no partner of the same name in the other folder: {', '.join(alone[:10])}"
        )
    if not first:
        raise ValueError(f"there are no images in {noisy}")
    return [(first[name], second[name]) for name in first]


def _by_name(folder: Path) -> dict[str, Path]:
    """The images of a folder by their names without endings; no hidden files."""
    paths = sorted(image_files(folder))
    found = {path.stem: path for path in paths}
    if twins := sorted({path.name for path in paths} - {path.name for path in found.values()}):
        partners = ", ".join(f"{name} and {found[Path(name).stem].name}" for name in twins[:5])
        raise ValueError(f"{folder} holds two images of one name: {partners}; remove one of them")
    return found


def _moments(brightness: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Number of pixels, sum and sum of squares of their noise, in BINS of brightness: [3, BINS]."""
    values, bins = noise.ravel(), (BINS * brightness.ravel()).astype(int).clip(0, BINS - 1)
    return np.stack([np.bincount(bins, weights=values**power, minlength=BINS) for power in (0, 1, 2)])


def _deviation(count: np.ndarray, total: np.ndarray, squares: np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum(squares / count - (total / count) ** 2, 0))
