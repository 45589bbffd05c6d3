"""How the images of a dataset lie in its folder: single, in pairs, in sequences."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dnlib.images.files import image_files, listed
from dnlib.images.reading import read


class _Fields(NamedTuple):
    name: str
    clean: np.ndarray | None = None
    noisy: np.ndarray | None = None
    scene: str = ""


class Example(_Fields):
    """One image as stored, or a burst.

    Attributes
    ----------
    name
        Of the file, the sequence, or the photograph.
    clean, noisy
        [H, W] or [H, W, 3], uint8 or uint16; a burst has a leading frame axis. None for what there is not.
    scene
        What it shows: images of one scene are one sample, for a bootstrap over scenes. Its name, unless told.

    Examples
    --------
    >>> black = Example("black", clean=np.zeros((64, 64), np.uint8))
    >>> black.noisy is None, black.scene
    (True, 'black')
    """

    __slots__ = ()

    def __new__(
        cls, name: str, clean: np.ndarray | None = None, noisy: np.ndarray | None = None, scene: str = ""
    ) -> "Example":
        return super().__new__(cls, name, clean, noisy, scene or name)


def image_paths(folder: Path, kind: str) -> list[Path]:
    """The files that hold the images, in order; none if the folder is not there.

    Frames of a sequence come in natural order. Other images come letter by letter, 10 before 2: trainings and scores on
    record took the first images of this order.
    """
    found = image_files(folder, deep=True)
    if kind == "bursts":
        return [path for path in found if path.suffix == ".jpg"]
    return sorted(found) + _blocks(folder)


def examples(folder: Path, kind: str) -> Iterator[Example]:
    """The images one by one, in the order of `image_paths`."""
    if kind == "pairs":
        yield from _sidd_blocks(blocks) if (blocks := _blocks(folder)) else _pairs(folder)
    elif kind == "bursts":
        for sequence, frames in itertools.groupby(image_paths(folder, kind), key=lambda path: path.parent):
            yield Example(sequence.name, clean=np.stack([read(path).pixels for path in frames]))
    else:
        for path in image_paths(folder, kind):
            yield Example(path.stem, **{kind: read(path).pixels})  # clean or noisy


def _pairs(folder: Path) -> Iterator[Example]:
    noisy, clean = ({path.stem: path for path in image_paths(folder / side, side)} for side in ("noisy", "clean"))
    if unpaired := sorted(noisy.keys() ^ clean.keys()):
        raise ValueError(f"{folder}: noisy/ and clean/ do not hold the same names ({', '.join(unpaired[:5])})")
    for stem in noisy:
        yield Example(stem, clean=read(clean[stem]).pixels, noisy=read(noisy[stem]).pixels)


def _blocks(folder: Path) -> list[Path]:
    return listed(folder, [".mat"], deep=True)


def _sidd_blocks(paths: list[Path]) -> Iterator[Example]:
    """SIDD's validation set: two MATLAB arrays [40 images, 32 blocks, 256, 256, 3]."""
    from scipy.io import loadmat

    found = {}
    for path in paths:
        found |= loadmat(path)
    noisy, clean = found["ValidationNoisyBlocksSrgb"], found["ValidationGtBlocksSrgb"]
    for i, j in np.ndindex(noisy.shape[:2]):
        yield Example(f"{i:02d}_{j:02d}", clean=clean[i, j], noisy=noisy[i, j])
