"""Batches from elsewhere: a `torch.utils.data.DataLoader`, or whatever else can be gone through again and again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from dnlib.images import one_of
from dnlib.methods import PARTS, Batch
from dnlib.training.randomness import global_generators_kept, seeds

END = object()  # of an epoch
DIMENSIONS = {"parameter": "[N]", "burst": "[N, M, C, H, W]"}  # of images it is [N, C, H, W]


class Loaded:
    """A DataLoader, or another iterable, as a source of batches; `fit` makes one of it where no names are needed.

    Each batch is a dict whose keys are of `methods.PARTS` (noisy, second_noisy, clean, parameter, burst), a named tuple
    with such fields, or a tuple or list in the order of `names`. Images are floats in [0, 1], [N, C, H, W], or uint8;
    parameters are above 0, in the internal units of `Noise`: sigma / 255, lambda, iso.

    A training goes through the batches as often as its steps ask for. A resumed one skips those that it had, and then
    has the same ones, as long as their order comes from torch: a DataLoader's generator is seeded anew in each epoch,
    from the seed of `fit`, and torch's global one at each batch. What comes from `numpy.random` or `random` is another.
    A checkpoint knows the form of a batch and not its pixels, so other data of this form are not refused. Of several
    `devices`, each takes batches of its own in turn.

    Parameters
    ----------
    loader : iterable
        What `iter` can begin again: a DataLoader, a list; no generator.
    names : sequence of str
        Of the parts, in the order of a tuple.

    Raises
    ------
    ValueError
        For what can be gone through only once, and for batches, the first one at once, the others as they come, with
        other names, shapes, dtypes, pixels that are not finite, or parameters that are not above 0.

    Examples
    --------
    >>> pairs = [(torch.rand(2, 1, 8, 8), torch.rand(2, 1, 8, 8))]
    >>> source = Loaded(pairs, ("noisy", "clean"))
    >>> sorted(source.offers)
    ['clean', 'noisy']
    >>> source.draw(frozenset({"noisy"}), Generator()).noisy.shape
    torch.Size([2, 1, 8, 8])
    """

    def __init__(self, loader: Iterable[Any], names: Sequence[str] | None = None):
        if not isinstance(loader, Iterable) or isinstance(loader, str | bytes | Tensor | np.ndarray | Mapping):
            raise ValueError(
                f"batches come from `Crops`, a DataLoader or a list of dicts; {type(loader).__name__} was given"
            )
        if isinstance(loader, Iterator):
            raise ValueError(
                "a generator can be gone through only once; give what can be begun again, such as a DataLoader, a "
                "list, or an object whose __iter__ makes the generator"
            )
        self.loader, self.names = loader, names
        self.begin(0, 0)

    @cached_property
    def _first(self) -> dict[str, Tensor]:
        return self._parts(next(_endless(self.loader, 0, 0)))

    @property
    def offers(self) -> frozenset[str]:
        """What a batch can be asked for."""
        return frozenset(self._first)

    @property
    def description(self) -> str:
        """The form of a batch, and how many there are where that is known."""
        parts = ", ".join(f"{name} {list(part.shape[1:])}" for name, part in sorted(self._first.items()))
        length = f"{_length(self.loader) or ''} batches".strip()
        return f"{length} of a {type(self.loader).__name__}: {parts}"

    def begin(self, step: int, seed: int, process: int = 0, processes: int = 1) -> None:
        """Go on as if `step` batches had been drawn in each of `processes`, of which this is one."""
        self.processes, self._batches = processes, _endless(self.loader, seed, step * processes + process)

    def draw(self, needs: frozenset[str], generator: Generator, progress: float = 0.0) -> Batch:
        """The next batch, what is needed of it, on the generator's device."""
        parts = self._parts(next(self._batches))
        for _ in range(self.processes - 1):
            next(self._batches)
        if missing := needs - parts.keys():
            raise ValueError(f"a batch lacks {', '.join(sorted(missing))}, which the first one had")
        return Batch(generator, progress, **{name: parts[name].to(generator.device) for name in needs})

    def _parts(self, item: Any) -> dict[str, Tensor]:
        parts = {name: _checked(name, part) for name, part in self._named(item).items()}
        if len({len(part) for part in parts.values()}) > 1:
            words = ", ".join(f"{name} has {len(part)}" for name, part in parts.items())
            raise ValueError(f"the parts of a batch belong to the same images; {words}")
        return parts

    def _named(self, item: Any) -> dict[str, Any]:
        if isinstance(item, Mapping) or hasattr(item, "_asdict"):
            return dict(item) if isinstance(item, Mapping) else item._asdict()
        parts = item if isinstance(item, tuple | list) else [item]
        if self.names is None or len(self.names) != len(parts):
            given = "no names" if self.names is None else ", ".join(self.names)
            raise ValueError(
                f"a batch of {len(parts)} {'part' if len(parts) == 1 else 'parts'} came, and {given} for them: give "
                f"dicts, or say what they are, as in Loaded(loader, names=('noisy', 'clean'))"
            )
        return dict(zip(self.names, parts, strict=True))


def _endless(loader: Iterable[Any], seed: int, position: int) -> Iterator[Any]:
    """Batches without end, beginning at a position; those before it in its epoch are passed over."""
    number = position // length * length if (length := _length(loader)) else 0
    while True:
        with _seeded(loader, seed, number):
            items, before = iter(loader), number
        while True:
            with _seeded(None, seed, number):
                item = next(items, END)
            if item is END:
                break
            number += 1
            if number > position:
                yield item
        if number == before:
            raise ValueError(f"the {type(loader).__name__} has no batches, or no more of them")


@contextmanager
def _seeded(loader: Iterable[Any] | None, seed: int, number: int) -> Iterator[None]:
    """Torch's global generator, and those of a loader, are seeded for this batch; the global one then is as before."""
    for_global, for_own = seeds(seed, number)
    samplers = [getattr(loader, "sampler", None), getattr(loader, "batch_sampler", None)]
    for part in (loader, *samplers, getattr(samplers[-1], "sampler", None)):
        if isinstance(own := getattr(part, "generator", None), Generator):
            own.manual_seed(for_own)
    with global_generators_kept():
        torch.default_generator.manual_seed(for_global)
        yield


def _length(loader: Iterable[Any]) -> int:
    """Batches in an epoch, 0 if unknown."""
    try:
        return len(loader)
    except TypeError:  # as torch says for data sets that only can be iterated
        return 0


def _checked(name: str, part: Any) -> Tensor:
    """The part as float32, if it is what its name says."""
    one_of(name, sorted(PARTS), "the name of a part of a batch")
    if isinstance(part, np.ndarray) and part.dtype.kind in "biufc":
        part = torch.from_numpy(part)
    shape, wanted = list(getattr(part, "shape", ())), DIMENSIONS.get(name, "[N, C, H, W]")
    if not isinstance(part, Tensor) or len(shape) != wanted.count(",") + 1:
        raise ValueError(
            f"{name} of a batch is a tensor {wanted}; {getattr(part, 'dtype', type(part).__name__)} {shape} was given"
        )
    if part.dtype == torch.uint8 and name != "parameter":
        return part.float() / 255
    if not part.is_floating_point():
        raise ValueError(f"{name} of a batch holds floats, or uint8 for images; {part.dtype} was given")
    if not torch.isfinite(part).all():
        raise ValueError(f"{name} of a batch holds NaN or infinite values; replace them before training")
    if name == "parameter" and not (part > 0).all():
        raise ValueError(f"{name} of a batch is above 0 (sigma / 255, lambda, iso); {part.min():g} was given")
    return part.float()
