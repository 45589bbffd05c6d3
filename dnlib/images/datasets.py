"""Real image data by name: found under DNLIB_DATA, or fetched and verified, never bundled.

The registry is `data/registry.yaml` (what, licence, citation) with `data/files/NAME.txt` (path, sha256
and address of every file). A dataset lies in the folder NAME below `home()`; `bundled` stands for the
photographs inside scikit-image, which are always there.
"""

import hashlib
import itertools
import logging
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import yaml

from dnlib.images import arrays, files
from dnlib.images.places import SHIPPED, home

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")


@dataclass(frozen=True)
class Dataset:
    """One entry of the registry. bytes: size of the download. unpack: "zip" where the download is an archive."""

    name: str
    title: str
    kind: Literal["clean", "pairs", "bursts", "noisy"]
    images: int
    bytes: int
    home: str
    licence: str
    redistribution: str
    citation: str
    note: str = ""
    unpack: str = ""

    @property
    def folder(self) -> Path:
        return home() / self.name

    @property
    def expected(self) -> int:
        """How many image files it has; 1 where they come in an archive."""
        return 1 if self.unpack else self.images * (2 if self.kind == "pairs" else 1)

    @property
    def is_present(self) -> bool:
        return len(self.contents()) >= self.expected

    def contents(self) -> list[Path]:
        """The files that hold its images, in order; none if it is not here."""
        return _image_files(self.folder) + sorted(self.folder.rglob("*.mat"))

    def downloads(self) -> dict[str, tuple[str, str]]:
        """Path below the folder -> (hash, address), as the registry states them."""
        lines = (SHIPPED / "files" / f"{self.name}.txt").read_text().splitlines()
        return {path: (digest, url) for path, digest, url in map(shlex.split, lines)}


class Example(NamedTuple):
    """One image as stored, [H, W] or [H, W, 3] uint8 or uint16; a burst has a leading frame axis."""

    name: str
    clean: np.ndarray | None = None
    noisy: np.ndarray | None = None


@cache
def registry() -> dict[str, Dataset]:
    """All known datasets by name."""
    path = SHIPPED / "registry.yaml"
    if not path.is_file():
        raise FileNotFoundError(f"there is no registry at {path}; datasets need the course's checkout")
    return {name: Dataset(name, **entry) for name, entry in yaml.safe_load(path.read_text()).items()}


def find(name: str) -> Dataset:
    """The registry's entry. Raises ValueError for an unknown name."""
    if name not in registry():
        raise ValueError(f"there is no dataset {name!r}; there are: bundled, {', '.join(registry())}")
    return registry()[name]


def load(name: str, *, split: str | None = None, limit: int | None = None) -> list[Example]:
    """The images of a dataset in order of their names, as stored.

    split: a sub-folder ("train"). limit: only the first so many.
    Raises ValueError for an unknown name, FileNotFoundError if the dataset is not here.
    """
    if name == "bundled":
        gray = [photo for photo in arrays.PHOTOS if arrays.photo(photo).ndim == 2]
        names = gray if split == "gray" else arrays.PHOTOS
        return [Example(photo, clean=np.rint(arrays.photo(photo) * 255).astype(np.uint8)) for photo in names[:limit]]
    dataset = find(name)
    if not dataset.is_present:
        raise FileNotFoundError(
            f"{len(dataset.contents())} of {dataset.expected} files of {name} are in {dataset.folder}; "
            f"`dnlib data {name}` fetches it "
            f"({dataset.bytes / 1e6:.0f} MB), or set DNLIB_DATA to the folder that holds {name}/"
        )
    readers = {"clean": _clean, "noisy": _noisy, "pairs": _pairs, "bursts": _bursts}
    folder = dataset.folder / split if split else dataset.folder
    if not folder.is_dir():
        raise ValueError(f"dataset {name} has no split {split!r}")
    return list(itertools.islice(readers[dataset.kind](folder), limit))


def _clean(folder: Path) -> Iterator[Example]:
    return (Example(path.stem, clean=_pixels(path)) for path in _image_files(folder))


def _noisy(folder: Path) -> Iterator[Example]:
    return (Example(path.stem, noisy=_pixels(path)) for path in _image_files(folder))


def _pairs(folder: Path) -> Iterator[Example]:
    blocks = sorted(folder.rglob("*.mat"))
    if blocks:
        yield from _sidd_blocks(blocks)
        return
    noisy = {path.stem: path for path in _image_files(folder / "noisy")}
    clean = {path.stem: path for path in _image_files(folder / "clean")}
    if noisy.keys() != clean.keys():
        unpaired = ", ".join(sorted(noisy.keys() ^ clean.keys())[:5])
        raise ValueError(f"{folder}: noisy/ and clean/ do not hold the same names ({unpaired})")
    for stem in noisy:
        yield Example(stem, clean=_pixels(clean[stem]), noisy=_pixels(noisy[stem]))


def _sidd_blocks(paths: list[Path]) -> Iterator[Example]:
    """SIDD's validation set: two MATLAB arrays [40 images, 32 blocks, 256, 256, 3]."""
    from scipy.io import loadmat

    arrays = {}
    for path in paths:
        arrays |= {key: value for key, value in loadmat(path).items() if not key.startswith("__")}
    noisy, clean = arrays["ValidationNoisyBlocksSrgb"], arrays["ValidationGtBlocksSrgb"]
    for i, j in np.ndindex(noisy.shape[:2]):
        yield Example(f"{i:02d}_{j:02d}", clean=clean[i, j], noisy=noisy[i, j])


def _bursts(folder: Path) -> Iterator[Example]:
    for sequence in sorted({path.parent for path in folder.rglob("*.jpg")}):
        yield Example(sequence.name, clean=np.stack([_pixels(path) for path in _image_files(sequence)]))


def _image_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)


def _pixels(path: Path) -> np.ndarray:
    return files.read(path).pixels


def fingerprint(name: str) -> str:
    """One sha256 over the names and contents of all files of a dataset, for records and for --resume."""
    if name == "bundled":
        import skimage

        return f"scikit-image {skimage.__version__}"
    dataset = find(name)
    digest = hashlib.sha256()
    for path in dataset.contents():
        digest.update(path.relative_to(dataset.folder).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def fetch(name: str, *, progress: bool = False) -> Path:
    """Download what is missing of a dataset, verify every file's hash, and return its folder.

    A download whose hash differs is discarded, and what was there before is kept.
    Raises ConnectionError without a network, ValueError for a wrong hash, PermissionError for an unwritable folder.
    """
    import pooch
    import requests
    from tqdm.auto import tqdm

    dataset = find(name)
    logging.getLogger("pooch").setLevel(logging.WARNING)
    downloads = dataset.downloads()
    try:
        dataset.folder.mkdir(parents=True, exist_ok=True)
        store = pooch.create(
            path=dataset.folder,
            base_url="",
            registry={path: digest for path, (digest, _) in downloads.items()},
            urls={path: url for path, (_, url) in downloads.items()},
        )
        processor = pooch.Unzip(extract_dir="unpacked") if dataset.unpack == "zip" else None
        for path in tqdm(downloads, desc=f"fetching {name}", unit="file", disable=not progress):
            store.fetch(path, processor=processor, progressbar=progress and len(downloads) == 1)
    except requests.exceptions.RequestException as error:
        raise ConnectionError(
            f"{downloads[path][1]} cannot be reached ({type(error).__name__}); is there a network? "
            f"What is already in {dataset.folder} is kept"
        ) from error
    except ValueError as error:
        raise ValueError(
            f"{downloads[path][1]} does not have the hash that the registry states; "
            f"the download was discarded and what was there before is kept"
        ) from error
    except PermissionError as error:
        raise PermissionError(
            f"nothing can be written into {dataset.folder}; set DNLIB_DATA to a folder of yours"
        ) from error
    return dataset.folder
