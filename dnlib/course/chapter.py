"""What a chapter does around its subject: start, verify exact properties, check exercises, record.

run = dnlib.start("01_donut_vs_classic", profile, seed, device, noise_std=noise_std)
dnlib.verify("output ignores its own pixel", change == 0)
dnlib.check(reference, yours)
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

from dnlib.course import profiles, records
from dnlib.images import ROOT, arrays, datasets
from dnlib.training import choose_device
from dnlib.zoo import provenance

if TYPE_CHECKING:
    import torch


class Run:
    """One execution of a chapter: its sizes, its random generators, the data it used, its record.

    size: this profile's sizes, as attributes (run.size.side).   rng: NumPy generator.
    generator: torch generator, on the CPU, so that every device sees the same noise.   device: "cpu" or "cuda".
    """

    def __init__(self, chapter: str, profile: str, seed: int, device: str, parameters: dict[str, Any]):
        self.chapter, self.profile, self.seed = chapter, profile, seed
        self.parameters = parameters
        self.size = SimpleNamespace(**profiles.sizes(chapter, profile))
        self.device = choose_device(device)
        self.rng = np.random.default_rng(seed)
        self.datasets: dict[str, str] = {}
        self._started = time.perf_counter()

    @cached_property
    def generator(self) -> "torch.Generator":
        import torch

        return torch.Generator().manual_seed(self.seed)

    def photo(self, name: str, *, gray: bool = False) -> np.ndarray:
        """A bundled photograph, cut to the middle `run.size.side` pixels of either side."""
        self._note("bundled")
        return arrays.middle(arrays.photo(name, gray=gray), self.size.side)

    def load(self, name: str, **selection) -> list[datasets.Example]:
        """A dataset of the registry, noted in the record."""
        examples = datasets.load(name, **selection)
        self._note(name)
        return examples

    def camera_pairs(self, count: int, iso: float) -> tuple[list[datasets.Example], str]:
        """Noisy (8 bits) and clean images of cameras, and what they are: blocks of photographs of phones where
        `sidd_val_crops` is present, else bundled photographs through a simulated camera at `iso`, turn by turn.
        """
        from dnlib.noise import Camera
        from dnlib.training import draw_noisy

        if datasets.find("sidd_val_crops").is_present:
            return self.load("sidd_val_crops")[:count], "phones"
        photographs, pairs = [name for name in arrays.PHOTOS if arrays.photo(name).ndim == 3], []
        for index in range(count):
            name = photographs[index % len(photographs)]
            clean = self.photo(name)
            noisy = arrays.to_image(draw_noisy(arrays.to_tensor(clean), Camera(iso), self.seed, index).image)
            eight_bits = [np.rint(255 * image.clip(0, 1)).astype(np.uint8) for image in (clean, noisy)]
            pairs.append(datasets.Example(name, *eight_bits))
        return pairs, "simulation"

    def _note(self, name: str) -> None:
        if name not in self.datasets:
            self.datasets[name] = datasets.fingerprint(name)

    def record(self, **measured) -> None:
        """Write what was measured and print what it says about each claim of this chapter."""
        record = records.Record(
            chapter=self.chapter,
            profile=self.profile,
            seed=self.seed,
            device=self.device,
            parameters=self.parameters,
            datasets=self.datasets,
            measured=records.plain(measured),
            versions=provenance.versions(),
            commit=provenance.commit(),
            machine=provenance.machine(),
            seconds=round(time.perf_counter() - self._started, 1),
            peak_memory_mb=provenance.peak_memory_mb(),
        )
        records.write(record, _destination(record))
        judgements = records.judge(records.load_claims(chapter=self.chapter), [record])
        for judgement in judgements:
            if judgement.verdict != "not tested":
                print(judgement.line)
        untested = sum(judgement.verdict == "not tested" for judgement in judgements)
        if untested:
            print(f"({untested} more need another profile, dataset or parameter)")


def start(chapter: str, profile: str, seed: int, device: str = "auto", **parameters) -> Run:
    """Validate the parameters, seed every random generator, print one line of versions.

    profile: smoke, laptop or paper; the environment variable DNLIB_PROFILE overrides it.
    device: "auto" takes a CUDA device if there is one.   parameters: the chapter's own, for the record.
    Raises ValueError for an unknown profile or device or a negative seed.
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

    Raises AssertionError if it does not hold: the chapter has then failed.
    """
    print(f"{'PASS' if holds else 'FAIL'} {statement}")
    if not holds:
        raise AssertionError(f"this should hold in every profile: {statement}")


def check(reference: Any, yours: Any, tolerance: float = 1e-5) -> None:
    """Compare an exercise's answer with a reference: not attempted, right, or off by how much."""
    if yours is None:
        print("not attempted yet")
        return
    reference, yours = np.asarray(reference, dtype=float), np.asarray(yours, dtype=float)
    if reference.shape != yours.shape:
        print(f"not yet: the shape is {list(yours.shape)}, expected {list(reference.shape)}")
        return
    difference = float(np.max(np.abs(reference - yours), initial=0))
    if not difference <= tolerance:
        print(f"not yet: off by up to {difference:.3g} (allowed: {tolerance:g})")
    else:
        print("right")


def _destination(record: records.Record) -> Path:
    """The runner says where a record belongs; by hand it goes to runs/by_hand."""
    told = os.environ.get("DNLIB_RECORD")
    name = records.run_name(record.chapter, record.profile, record.seed)
    return Path(told) if told else ROOT / "runs" / "by_hand" / "records" / f"{name}.json"
