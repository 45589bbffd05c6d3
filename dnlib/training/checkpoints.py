"""What a training is made of between two steps: weights, their average, the optimiser, the history; on disk, too.

Stored with safetensors: numbers and text, nothing that runs when it is read.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from dnlib.images import atomic, check_destination

FASTEST = 10  # steps over which the weights are averaged at the very beginning


@dataclass
class History:
    """What happened in a training, an entry every few steps.

    Attributes
    ----------
    steps, losses : list
        After which steps an entry was made, and the mean loss since the entry before. Each of several processes has
        its own losses.
    psnr : list of (step, dB)
        Where it was monitored.
    seconds, cpu_seconds : float
        By the wall clock; and the time of all cores together, which does not grow with other programs on the machine.
    device, precision : str
        Where it ran, and in which numbers.

    Examples
    --------
    >>> History([50, 100], [0.21, 0.12], [(100, 25.0)]).curve(before=1000)
    [{'steps': 1100, 'loss': 0.12, 'psnr': 25.0}]
    """

    steps: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    psnr: list[tuple[int, float]] = field(default_factory=list)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    device: str = ""
    precision: str = ""

    @property
    def last_step(self) -> int:
        """How many steps are done, 0 before the first entry."""
        return self.steps[-1] if self.steps else 0

    def curve(self, before: int = 0) -> list[dict[str, float]]:
        """Loss and PSNR wherever it was monitored, by the steps of this training and of those `before` it."""
        losses = dict(zip(self.steps, self.losses, strict=True))
        return [
            {"steps": before + step, "loss": float(f"{losses[step]:.5g}"), "psnr": round(psnr, 3)}
            for step, psnr in self.psnr
        ]


class State:
    """The module and optimiser of a training, a moving average of its weights, and the history.

    Parameters are averaged, with a decay in [0, 1). Buffers, such as the statistics of batch normalisation and
    counters, are taken as they are. Raises ValueError for a module that keeps a state that is no tensor.
    """

    def __init__(self, module: nn.Module, optimizer: torch.optim.Optimizer, decay: float):
        self.module, self.optimizer, self.decay = module, optimizer, decay
        if others := [name for name, value in module.state_dict().items() if not isinstance(value, Tensor)]:
            raise ValueError(f"weights and buffers are tensors; {others[0]} of {type(module).__name__} is none")
        self.average = _copy(dict(self._parameters()))
        self.good = self._averaged_weights()
        self.history = History()

    @torch.no_grad()
    def update_average(self, step: int) -> None:
        """Take the weights after a step into their average."""
        share = 1 - min(self.decay, (1 + step) / (FASTEST + step))
        for name, parameter in self._parameters():
            self.average[name].lerp_(parameter, share)

    def keep(self) -> bool:
        """Remember the averaged weights as good, unless one is not a number."""
        if not all(torch.isfinite(tensor).all() for tensor in self.module.state_dict().values()):
            return False
        self.good = self._averaged_weights()
        return True

    def restore_good(self) -> None:
        """The module has its last good averaged weights from now on."""
        self.module.load_state_dict(self.good)

    @contextlib.contextmanager
    def averaged(self) -> Iterator[None]:
        """The module has its averaged weights for a while."""
        current = _copy(self.module.state_dict())
        self.module.load_state_dict(self._averaged_weights())
        try:
            yield
        finally:
            self.module.load_state_dict(current)

    def _parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        return self.module.named_parameters(remove_duplicate=False)  # weights in two places have two names on disk

    def _averaged_weights(self) -> dict[str, Tensor]:
        return _copy(self.module.state_dict() | self.average)

    def check_destination(self, path: Path, configuration: dict[str, Any]) -> None:
        """Find out before any work is done whether the state can be saved.

        Raises OSError for a path that cannot be written to, ValueError for tensors that safetensors does not know.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        check_destination(path, overwrite=True)
        try:
            save(*self._contents(configuration))
        except Exception as error:
            raise ValueError(f"{type(self.module).__name__} cannot be saved in a checkpoint: {error}") from error

    def save(self, path: Path, configuration: dict[str, Any]) -> None:
        """Write everything as one file; all or nothing."""
        tensors, words = self._contents(configuration)
        with atomic(path) as temporary:
            temporary.write_bytes(save(tensors, words))

    def _contents(self, configuration: dict[str, Any]) -> tuple[dict[str, Tensor], dict[str, str]]:
        tensors = {f"weights.{name}": tensor for name, tensor in self.module.state_dict().items()}
        tensors |= {f"average.{name}": tensor for name, tensor in self.average.items()}
        for index, slots in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{index}.{slot}": tensor for slot, tensor in slots.items()}
        # copies of each, for safetensors takes no two that share memory
        apart = {name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()}
        return apart, {"configuration": json.dumps(configuration), "history": json.dumps(asdict(self.history))}

    def load(self, path: Path, configuration: dict[str, Any]) -> None:
        """Take up a training where `path` left it.

        Raises ValueError, naming the difference, if the file belongs to another training or is damaged.
        """
        try:
            with safe_open(path, "pt") as file:
                words = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
            before, history = json.loads(words["configuration"]), json.loads(words["history"])
        except (SafetensorError, KeyError, json.JSONDecodeError) as error:
            raise ValueError(f"{path} is not a checkpoint or is damaged ({error}); delete it to begin anew") from error
        _compare(path, before, configuration)
        weights, average = _part(tensors, "weights."), _part(tensors, "average.")
        for part, expected in ((weights, self.module.state_dict()), (average, self.average)):
            check_architecture(str(path), part, expected, type(self.module).__name__)
        self.module.load_state_dict(weights)
        for name, tensor in self.average.items():
            tensor.copy_(average[name])
        self.good = self._averaged_weights()
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": self._slots(tensors)})
        history["psnr"] = [tuple(pair) for pair in history["psnr"]]
        self.history = History(**history)

    def _slots(self, tensors: dict[str, Tensor]) -> dict[int, dict[str, Tensor]]:
        """Adam's moments, each in the memory layout of its weight, which the fused step takes for granted."""
        weights = [weight for group in self.optimizer.param_groups for weight in group["params"]]
        slots: dict[int, dict[str, Tensor]] = {index: {} for index in range(len(weights))}
        for name, tensor in tensors.items():
            kind, _, rest = name.partition(".")
            if kind == "adam":
                index, slot = rest.split(".")
                like = weights[int(index)]
                slots[int(index)][slot] = torch.empty_like(like).copy_(tensor) if tensor.shape == like.shape else tensor
        return slots


def check_architecture(where: str, given: dict[str, Tensor], expected: dict[str, Tensor], what: str) -> None:
    """Raises ValueError, naming the first tensor that differs, unless names and shapes agree.

    Parameters
    ----------
    where : str
        What holds the given tensors, a file such as "x.safetensors", as the subject of the error.
    given, expected : dict
        Tensors by name, as `state_dict` has them.
    what : str
        What the expected ones belong to, such as "this network".

    Examples
    --------
    >>> check_architecture("a file", {"w": torch.ones(2)}, {"w": torch.ones(3)}, "this network")
    Traceback (most recent call last):
    ValueError: a file holds another architecture than this network: w is [2] there, [3] here
    """
    for name in sorted(given.keys() | expected.keys()):
        here, there = (list(tensors[name].shape) if name in tensors else "missing" for tensors in (expected, given))
        if here != there:
            raise ValueError(f"{where} holds another architecture than {what}: {name} is {there} there, {here} here")


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _copy(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def _compare(path: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            raise ValueError(
                f"{path} belongs to another training: {name} was {before.get(name)!r} there and is {now.get(name)!r} "
                f"here; delete it or name another file"
            )
