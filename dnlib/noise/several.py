"""The noise of image files one after the other: what `dnlib noise` does with several."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from dnlib.images import refusal
from dnlib.noise.inspection import Inspection
from dnlib.noise.pictures import inspect_files


class Inspected(NamedTuple):
    """What came of a file: the noise of its parts and what is to be said about it, or why it was refused."""

    image: Path
    parts: dict[str, Inspection]
    notes: tuple[str, ...] = ()
    refusal: str = ""

    @property
    def record(self) -> dict:
        """The file, and its parts as plain numbers and lists, or why it was refused: what can be written as JSON."""
        if self.refusal:
            return {"file": str(self.image), "refusal": self.refusal}
        parts = {name: {**found.record, "notes": [*self.notes]} for name, found in self.parts.items()}
        return {"file": str(self.image), "parts": parts}


def inspect_each(
    files: Sequence[Path], clean: Path | None = None, *, progress: bool = False, **options
) -> Iterator[Inspected]:
    """`inspect_files` for several files; one that is refused stops no other.

    Parameters
    ----------
    files : sequence of Path
        Noisy images.
    clean : Path, optional
        The clean version of every one of them.
    progress : bool
        Whether to show a bar, on stderr.
    **options
        As of `inspect_files`.

    Yields
    ------
    Inspected
        For every file, in their order.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/a.npy", np.random.default_rng(0).normal(100, 20, (64, 64)))
    ...     np.save(f"{folder}/b.npy", np.ones((64, 64)))
    ...     a, b = inspect_each([Path(folder, "a.npy"), Path(folder, "b.npy")])
    >>> round(a.parts[""].level), "there is no noise in it" in b.refusal
    (20, True)
    """
    with tqdm(total=len(files), desc="files", unit="file", disable=not progress, leave=False) as bar:
        for file in files:
            try:
                parts, notes = inspect_files(file, clean, **options)
                one = Inspected(file, parts, tuple(notes))
            except (ValueError, OSError, FloatingPointError) as error:
                one = Inspected(file, {}, refusal=refusal(error, file))
            bar.clear()
            yield one
            bar.update()
