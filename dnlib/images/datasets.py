"""Real image data by name: found under DNLIB_DATA, or fetched and verified, never bundled.

The registry is `data/registry.yaml` (what, which scenes, licence, citation) with `data/files/NAME.txt` (path, sha256
and address of every file). A dataset lies in the folder NAME below `home()`; `bundled` stands for the
photographs inside scikit-image, which are always there.
"""

import contextlib
import hashlib
import itertools
import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import yaml

from dnlib.images.arrays import PHOTOS, photo
from dnlib.images.checks import one_of
from dnlib.images.layouts import Example, examples, image_paths
from dnlib.images.places import SHIPPED, home
from dnlib.images.scenes import scene_of, scene_rules
from dnlib.images.writing import atomic_folder

if TYPE_CHECKING:
    import pooch


@dataclass(frozen=True)
class Dataset:
    """One entry of the registry.

    Attributes
    ----------
    kind
        What it holds: clean images; pairs, of equal names in noisy/ and clean/ or in SIDD's two MATLAB files; bursts, a
        folder of .jpg frames per sequence; noisy images without clean ones.
    images
        How many: a pair counts once, in bursts every frame.
    bytes
        Size of the download.
    scene
        Which images show one scene: "each" where none do, else as `scenes.scene_rules`. No dataset goes without it.
    unpack
        "zip" where the download is an archive.
    """

    name: str
    title: str
    kind: Literal["clean", "pairs", "bursts", "noisy"]
    images: int
    bytes: int
    home: str
    licence: str
    redistribution: str
    citation: str
    scene: str | dict[str, str] | None = None
    note: str = ""
    unpack: str = ""

    def __post_init__(self):
        scene_rules(self.name, self.scene)

    @property
    def folder(self) -> Path:
        return home() / self.name

    @property
    def expected(self) -> int:
        """How many files hold its images."""
        if self.kind != "pairs":
            return self.images
        return 2 if self.unpack else 2 * self.images  # in an archive: SIDD's two MATLAB files

    @property
    def is_present(self) -> bool:
        """Whether it is here, whole."""
        return len(self.contents()) >= self.expected

    def contents(self) -> list[Path]:
        """The files that hold its images, in order; none if it is not here."""
        return image_paths(self.folder, self.kind)

    def downloads(self) -> "pooch.Pooch":
        """What fetches it: `registry` and `urls` state the hash and the address of each path below the folder."""
        import pooch

        found = pooch.create(path=self.folder, base_url="")
        found.load_registry(SHIPPED / "files" / f"{self.name}.txt")
        return found


@cache
def registry() -> dict[str, Dataset]:
    """All known datasets by name.

    Examples
    --------
    >>> registry()["kodak24"].images
    24
    """
    text = (SHIPPED / "registry.yaml").read_text(encoding="utf-8")
    return {name: Dataset(name, **entry) for name, entry in yaml.safe_load(text).items()}


def find(name: str) -> Dataset:
    """The registry's entry. Raises ValueError for an unknown name.

    Examples
    --------
    >>> find("set12").title
    'Set12'
    """
    return registry()[one_of(name, registry(), "the dataset")]


def load(name: str, *, split: str | None = None, limit: int | None = None) -> list[Example]:
    """The images of a dataset in the order of their names, as stored.

    Parameters
    ----------
    name
        Of the registry, or "bundled" for the photographs inside scikit-image.
    split
        A folder in it ("train"); of the bundled photographs, "gray" leaves out those in colour.
    limit
        Only the first so many.

    Raises
    ------
    ValueError
        For an unknown name or split, or a negative limit.
    FileNotFoundError
        If the dataset is not here, or not whole.

    Examples
    --------
    >>> [example.name for example in load("bundled", split="gray", limit=2)]
    ['camera', 'brick']
    """
    if limit is not None and limit < 0:
        raise ValueError(f"the first 0 images or more are taken; limit={limit} was given")
    if name == "bundled":
        one_of(split, (None, "gray"), "the split of the bundled photographs")
        pictures = ((name, np.rint(photo(name) * 255).astype(np.uint8)) for name in PHOTOS)
        found = (Example(name, clean=pixels) for name, pixels in pictures if split is None or pixels.ndim == 2)
        return list(itertools.islice(found, limit))
    dataset = find(name)
    if not dataset.is_present:
        raise FileNotFoundError(
            f"{len(dataset.contents())} of {dataset.expected} files of {name} are in {dataset.folder}; `dnlib data "
            f"{name}` fetches it ({dataset.bytes / 1e6:.0f} MB), or set DNLIB_DATA to the folder that holds {name}/"
        )
    folder = dataset.folder / (split or "")
    if not folder.is_dir():
        raise ValueError(f"dataset {name} has no split {split!r}; {folder} is no folder")
    rules = scene_rules(name, dataset.scene)
    found = itertools.islice(examples(folder, dataset.kind), limit)
    return [example._replace(scene=scene_of(example.name, rules)) for example in found]


def fingerprint(name: str) -> str:
    """One hash that changes with any file of a dataset (as for `load`), for records and for --resume.

    It is the sha256 over the names and contents of all files; for the bundled photographs, scikit-image's version.

    Examples
    --------
    >>> fingerprint("bundled").split()[0]
    'scikit-image'
    """
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
    """Download what is missing of a dataset of the registry, verify every file's hash, unpack archives.

    Returns its folder. A download whose hash differs is discarded, and what was there before is kept; folders that were
    made for nothing are taken away. An archive is unpacked whole or not at all. progress: show a bar.

    Raises ConnectionError without a network; ValueError for an unknown name, or a download with another hash than the
    registry's; PermissionError if nothing can be written into the folder.

    Examples
    --------
    >>> fetch("set12")  # doctest: +SKIP
    PosixPath('data/downloads/set12')
    """
    import requests
    from tqdm.auto import tqdm

    dataset = find(name)
    logging.getLogger("pooch").setLevel(logging.WARNING)
    downloads = dataset.downloads()
    try:
        for path in tqdm(downloads.registry, desc=f"fetching {name}", unit="file", disable=not progress):
            with _in_its_folder(dataset.folder / path):
                archive = downloads.fetch(path, progressbar=progress and len(downloads.registry) == 1)
            if dataset.unpack and not dataset.is_present:
                with atomic_folder(Path(archive).with_name("unpacked")) as folder:
                    shutil.unpack_archive(archive, folder, dataset.unpack)
    except requests.exceptions.RequestException as error:
        raise ConnectionError(
            f"{downloads.urls[path]} cannot be reached ({type(error).__name__}); is there a network? "
            f"What is already in {dataset.folder} is kept"
        ) from error
    except ValueError as error:
        raise ValueError(
            f"{downloads.urls[path]} does not have the hash that the registry states; "
            f"the download was discarded and what was there before is kept"
        ) from error
    except PermissionError as error:
        raise PermissionError(
            f"nothing can be written into {dataset.folder}; set DNLIB_DATA to a folder of yours"
        ) from error
    return dataset.folder


@contextlib.contextmanager
def _in_its_folder(path: Path) -> Iterator[None]:
    """A file's folder is made, and with all above it is gone again where nothing came to lie there."""
    new = [folder for folder in path.parents if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for folder in new:
            with contextlib.suppress(OSError):  # by now it holds something
                folder.rmdir()
        raise
