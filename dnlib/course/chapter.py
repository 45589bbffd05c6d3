"""What a chapter does around its subject: start, verify exact properties, check exercises, record.

run = dnlib.start("01_donut_vs_classic", profile, seed, device, noise_std=noise_std)
dnlib.verify("output ignores its own pixel", change == 0)
dnlib.check("01.2", yours)
run.record(gap=0.01, ...)
"""

import os
import platform
import random
import time
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from dnlib.course import claims, profiles, records, verdicts
from dnlib.images import ROOT, arrays, datasets
from dnlib.training import choose_device, precision_of
from dnlib.zoo import provenance

if TYPE_CHECKING:
    import torch


class Run:
    """One execution of a chapter: its sizes, its random generators, the data it used, its record.

    Chapters get one from :func:`start`.

    Parameters
    ----------
    chapter : str
        The notebook's name without its ending.
    profile : str
        smoke, laptop or paper.
    seed : int
        Of both generators.
    device : str
        auto, cpu, cuda, cuda:1 or mps.
    parameters : dict
        The chapter's own, for the record: texts, booleans and finite numbers.

    Attributes
    ----------
    size : SimpleNamespace
        The sizes of this profile.
    device : str
        What "auto" chose, or what was given.
    rng : numpy.random.Generator
        For what is drawn with NumPy.
    generator : torch.Generator
        For what is drawn with torch; on the CPU, so that every device sees the same noise.

    Examples
    --------
    >>> run = Run("01_donut_vs_classic", "smoke", 0, "cpu", {})
    >>> run.size.side, run.photo("camera").shape
    (48, (48, 48))
    >>> list(run.datasets)
    ['bundled']
    """

    def __init__(self, chapter: str, profile: str, seed: int, device: str, parameters: dict[str, Any]):
        self.chapter, self.profile, self.seed = chapter, profile, seed
        records.plain(parameters, "parameters")
        self.parameters = parameters
        self.size = SimpleNamespace(**profiles.sizes(chapter, profile))
        self.device = choose_device(device)
        self.rng = np.random.default_rng(seed)
        self.datasets: dict[str, str] = {}
        self.scenes: dict[str, str] = {}
        self._started = time.perf_counter()

    @cached_property
    def generator(self) -> "torch.Generator":
        import torch

        return torch.Generator().manual_seed(self.seed)

    def photo(self, name: str, *, gray: bool = False) -> np.ndarray:
        """A bundled photograph, cut to the middle `run.size.side` pixels of either side."""
        self._note("bundled")
        self.scenes[name] = name
        return arrays.middle(arrays.photo(name, gray=gray), self.size.side)

    def load(self, name: str, **selection) -> list[datasets.Example]:
        """A dataset of the registry, noted in the record."""
        examples = datasets.load(name, **selection)
        self._note(name)
        self.scenes |= {example.name: example.scene for example in examples}
        return examples

    def camera_pairs(self, count: int, iso: float) -> tuple[list[datasets.Example], str]:
        """Noisy and clean images of cameras, of 8 bits: real ones where they are present, else simulated ones.

        Parameters
        ----------
        count : int
            How many pairs, at most.
        iso : float
            Sensitivity of the simulated camera.

        Returns
        -------
        pairs : list of Example
            Blocks of the dataset `sidd_val_crops`, or the bundled colour photographs in turn.
        source : str
            "phones" or "simulation".
        """
        from dnlib.noise import Camera
        from dnlib.training import draw_noisy

        if datasets.find("sidd_val_crops").is_present:
            return self.load("sidd_val_crops")[:count], "phones"
        pairs, names = [], [name for name in arrays.PHOTOS if arrays.photo(name).ndim == 3]
        for index in range(count):
            name = names[index % len(names)]
            clean = self.photo(name)
            noisy = arrays.to_image(draw_noisy(arrays.to_tensor(clean), Camera(iso), self.seed, index).image)
            pixels = (np.rint(255 * image.clip(0, 1)).astype(np.uint8) for image in (clean, noisy))
            pairs.append(datasets.Example(name, *pixels))
        return pairs, "simulation"

    def judges(self, side: int = 256) -> dict[str, list[datasets.Example]]:
        """Pairs of `zoo.phones.all_judges`, noted in the record: phones with texture, with a chart, a simulated phone.

        Of the simulated phone six photographs; the cards of rows (`rows.read`) have all 24.

        Parameters
        ----------
        side : int
            Of the middles, in pixels, at most.
        """
        from dnlib.zoo import phones

        return phones.all_judges(self.load, side, simulated=6)

    def _note(self, name: str) -> None:
        if name not in self.datasets:
            self.datasets[name] = datasets.fingerprint(name)

    def record(self, **measured) -> None:
        """Write what was measured; print the claims of this chapter with the committed verdicts.

        Parameters
        ----------
        **measured
            Numbers, booleans, texts, and dictionaries and lists of them.

        Raises
        ------
        ValueError
            For NaN or infinity, naming where it stands.
        TypeError
            For what is none of these.
        """
        import torch

        record = records.Record(
            chapter=self.chapter,
            profile=self.profile,
            seed=self.seed,
            device=self.device,
            parameters=self.parameters,
            datasets=self.datasets,
            scenes=self.scenes,
            measured=records.plain(measured, "measured"),
            versions=provenance.versions(),
            commit=provenance.commit(),
            machine=provenance.machine(),
            seconds=round(time.perf_counter() - self._started, 1),
            peak_memory_mb=provenance.peak_memory_mb(),
            precision=precision_of("auto", self.device),
            threads=torch.get_num_threads(),
        )
        by_hand = ROOT / "runs" / "by_hand" / "records" / f"{record.name}.json"
        records.write(record, Path(os.environ.get("DNLIB_RECORD") or by_hand))  # where the runner wants it
        known = claims.load_claims(chapter=self.chapter)
        committed = verdicts.judge(known, records.committed(self.chapter))
        for judgement, here in zip(committed, verdicts.judge(known, [record]), strict=True):
            print(judgement.line(here.named))


def start(chapter: str, profile: str, seed: int, device: str = "auto", **parameters) -> Run:
    """Validate the parameters, seed every random generator, print one line of versions.

    Parameters
    ----------
    chapter : str
        The notebook's name without its ending.
    profile : str
        smoke, laptop or paper; the environment variable DNLIB_PROFILE overrides it.
    seed : int
        Not negative.
    device : str
        auto, cpu, cuda, cuda:1 or mps; "auto" takes a GPU if there is one.
    **parameters
        The chapter's own, for the record.

    Raises
    ------
    ValueError
        For an unknown profile or device, a negative seed, or a parameter that is not finite.

    Examples
    --------
    >>> run = start("01_donut_vs_classic", "smoke", 0, "cpu", noise_std=0.1)
    Python 3... · seed 0 · cpu
    >>> run.rng.integers(10)
    np.int64(8)
    """
    import torch

    profile = os.environ.get("DNLIB_PROFILE") or profile
    if seed < 0:
        raise ValueError(f"a seed is a whole number >= 0; {seed} was given")
    run = Run(chapter, profile, seed, device, parameters)
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - scikit-image's and SciPy's fall-back generator
    torch.manual_seed(seed)
    packages = " · ".join(f"{name} {version(name)}" for name in ("dnlib", "numpy", "scikit-image", "torch"))
    print(f"Python {platform.python_version()} · {packages} · profile {profile} · seed {seed} · {run.device}")
    return run


def verify(statement: str, holds: bool) -> None:
    """Print the verdict of an exact property, one that holds in every profile and on every machine.

    Raises
    ------
    AssertionError
        If it does not hold: the chapter has then failed.

    Examples
    --------
    >>> verify("a donut has no middle", True)
    PASS a donut has no middle
    """
    print(f"{'PASS' if holds else 'FAIL'} {statement}")
    if not holds:
        raise AssertionError(f"this should hold in every profile: {statement}")
