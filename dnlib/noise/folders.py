"""What noise many images have together, measured with their clean versions, one pair in memory at a time."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from dnlib.images import Range, check_size, image_files
from dnlib.noise.correlation import lag_sums
from dnlib.noise.inspection import Inspection
from dnlib.noise.measure import BINS, noise_of, ranges_of_pair, reach_within
from dnlib.noise.patches import is_clipped
from dnlib.noise.pictures import read_pair

SAMPLE = 1_000  # pixels of an image, about, from which its range is found, besides its least and largest value


def inspect_folders(
    noisy: str | Path,
    clean: str | Path | None,
    *,
    range: tuple[float, float] | None = None,
    progress: bool = False,
) -> Inspection:
    """`inspect_pair` for all images of two folders that have the same names, together.

    One pair is in memory at a time. All pairs of the same types have one range; unless it is told, it is found first,
    and the files are read twice. The curve has up to 12 bins of equal width. The map reaches as far as that of
    `inspect_pair` for the largest image; small images tell of near lags only.

    Parameters
    ----------
    noisy, clean : path
        Two folders; a noisy and a clean image have the same name, whatever their suffixes.
    range : (black, white), optional
        Of all images, instead of what is found; levels are then stated in these units, and else of 255.
    progress : bool
        Whether progress bars are shown.

    Returns
    -------
    Inspection
        Of all pixels that count in both images of a pair, alike; of two stacks, of the first frame that varies in both.

    Raises
    ------
    ValueError
        For an image without a partner, for what is no folder or an empty one, and as `inspect_pair`, naming the image.

    Examples
    --------
    >>> inspect_folders("nowhere", "neither")
    Traceback (most recent call last):
    ValueError: two folders are measured together, of noisy and of clean images; nowhere, neither were given
    """
    told = Range.told(*range) if range else None
    pairs, sums, moments, clipped, counted = _paired(noisy, clean), None, np.zeros((3, BINS)), 0, 0
    known = {} if told else _ranges_in_use(pairs, progress)
    for paths in tqdm(pairs, desc="measuring", unit="image", disable=not progress):
        with _naming(paths):
            *pair, counting, _ = read_pair(*paths)
            ranges = (told, told) if told else known[_types(pair)]
            for one in ranges:
                check_size(np.dtype(np.float64), one.low, one.high)
            image, truth = (one.to_unit(image) for one, image in zip(ranges, pair, strict=True))
            noise, inside = noise_of(image, truth, counting)
            own = lag_sums(noise, reach_within(noise.shape), valid=None if inside.all() else inside)
        sums = own if sums is None else sums + own
        moments += _moments(truth[inside], noise[inside])
        clipped += np.count_nonzero(is_clipped(np.atleast_3d(image))[counting])
        counted += np.count_nonzero(counting)
    filled, stated = moments[0] > 0, told or Range(0.0, 1.0, 255.0)
    brightness, deviation = (np.arange(BINS)[filled] + 0.5) / BINS, stated.white * _deviation(*moments[:, filled])
    return Inspection(
        level=stated.white * float(_deviation(*moments.sum(axis=1))),
        brightness=brightness,
        deviation=deviation,
        map=sums.correlation,
        exact=True,
        saturated=clipped / counted,
        curves=np.array([[brightness, deviation]]),
        covariance=np.eye(1),
        range=stated,
    )


def _ranges_in_use(pairs: list[tuple[Path, Path]], progress: bool) -> dict[tuple[np.dtype, ...], tuple[Range, Range]]:
    """The ranges of noisy and clean images, by the types of a pair, over all pairs of these types.

    A single image may be too dark to tell the bits of its camera.
    """
    samples = defaultdict(list)
    for paths in tqdm(pairs, desc="finding black and white", unit="image", disable=not progress):
        with _naming(paths):
            *pair, counting, _ = read_pair(*paths)
        samples[_types(pair)].append([_sample_of(image[counting]) for image in pair])
    return {kinds: ranges_of_pair(*map(np.concatenate, zip(*found, strict=True))) for kinds, found in samples.items()}


def _types(pair: list[np.ndarray]) -> tuple[np.dtype, ...]:
    return tuple(image.dtype for image in pair)


def _sample_of(pixels: np.ndarray) -> np.ndarray:
    """Some pixels [P] or [P, C], evenly spread, and the least and the largest value: [N]."""
    some = pixels[:: 1 + len(pixels) // SAMPLE].ravel()
    return np.concatenate([some, [pixels.min(), pixels.max()]], dtype=pixels.dtype)


@contextmanager
def _naming(paths: tuple[Path, Path]) -> Iterator[None]:
    """Whatever is refused of a pair names its noisy image, unless it names one of the two already."""
    try:
        yield
    except ValueError as error:
        if any(str(path) in str(error) for path in paths):
            raise
        raise ValueError(f"{paths[0]}: {error}") from None


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
