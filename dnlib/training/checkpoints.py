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
from safetensors.torch import save_file
from torch import Tensor, nn

from dnlib.images import atomic

FASTEST = 10  # steps over which the weights are averaged at the very beginning


@dataclass
class History:
    """What happened, an entry every few steps. psnr: (step, dB) pairs where it was monitored; seconds: wall clock;
    cpu_seconds: of all cores together, which another program on the machine does not lengthen.
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
        return self.steps[-1] if self.steps else 0

    def curve(self, before: int = 0) -> list[dict[str, float]]:
        """Loss and PSNR wherever it was monitored, by the steps of this training and of those `before` it."""
        losses = dict(zip(self.steps, self.losses, strict=True))
        return [
            {"steps": before + step, "loss": float(f"{losses[step]:.5g}"), "psnr": round(psnr, 3)}
            for step, psnr in self.psnr
        ]


class State:
    """The module and optimiser of a training, a moving average of the weights with the given decay, and the history."""

    def __init__(self, module: nn.Module, optimizer: torch.optim.Optimizer, decay: float):
        self.module, self.optimizer, self.decay = module, optimizer, decay
        self.current = module.state_dict()  # the module's own tensors, which every step changes in place
        self.average = _copy(self.current)
        self.good = _copy(self.average)
        self.history = History()

    @torch.no_grad()
    def update_average(self, step: int) -> None:
        share = 1 - min(self.decay, (1 + step) / (FASTEST + step))
        for name, tensor in self.current.items():
            if tensor.is_floating_point():
                self.average[name].lerp_(tensor, share)
            else:  # a counter
                self.average[name].copy_(tensor)

    def keep(self) -> bool:
        """Remember the averaged weights as good, unless one is not a number."""
        if not all(torch.isfinite(tensor).all() for tensor in self.current.values()):
            return False
        self.good = _copy(self.average)
        return True

    def restore_good(self) -> None:
        self.module.load_state_dict(self.good)

    @contextlib.contextmanager
    def averaged(self) -> Iterator[None]:
        """The module has its averaged weights for a while."""
        current = _copy(self.current)
        self.module.load_state_dict(self.average)
        try:
            yield
        finally:
            self.module.load_state_dict(current)

    def save(self, path: Path, configuration: dict[str, Any]) -> None:
        """Write everything as one file; all or nothing."""
        tensors = {f"weights.{name}": tensor for name, tensor in self.current.items()}
        tensors |= {f"average.{name}": tensor for name, tensor in self.average.items()}
        for index, slots in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{index}.{slot}": tensor for slot, tensor in slots.items()}
        tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
        words = {"configuration": json.dumps(configuration), "history": json.dumps(asdict(self.history))}
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic(path) as temporary:
            save_file(tensors, temporary, words)

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
        for part in (weights, average):
            check_architecture(str(path), part, self.current, type(self.module).__name__)
        self.module.load_state_dict(weights)
        for name, tensor in self.average.items():
            tensor.copy_(average[name])
        self.good = _copy(self.average)
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
    """Raises ValueError, naming the first tensor that differs, unless names and shapes agree."""
    for name in sorted(given.keys() | expected.keys()):
        here, there = (list(tensors[name].shape) if name in tensors else "missing" for tensors in (expected, given))
        if here != there:
            raise ValueError(f"{where} holds another architecture than {what}: {name} is {there} there, {here} here")


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _copy(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def settings(module: nn.Module) -> dict[str, Any]:
    """Every plain attribute of a module and of the modules in it: what was built, beyond the shapes of the weights."""
    found = {}
    for where, part in module.named_modules():
        found[f"{where}.class".strip(".")] = type(part).__name__
        for name, value in vars(part).items():
            if name.startswith("_") or name == "training":
                continue
            if isinstance(value, Tensor):
                value = value.tolist()
            elif hasattr(value, "sample"):  # a noise model
                value = repr(value)
            elif callable(value):
                value = getattr(value, "__name__", type(value).__name__)
            if isinstance(value, bool | int | float | str | tuple | list | None):
                found[f"{where}.{name}".strip(".")] = value
    return found


def _compare(path: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    now = json.loads(json.dumps(now))
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            raise ValueError(
                f"{path} belongs to another training: {name} was {before.get(name)!r} there and is {now.get(name)!r} "
                f"here; delete it or name another file"
            )
