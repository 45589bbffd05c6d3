"""What happens between two steps of a training: losses are noted, the monitor asked, checkpoints written."""

import math
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dnlib.methods import Method
from dnlib.training.checkpoints import State

NOTED_EVERY = 50  # steps between entries of the history and checks for NaN


class Diverged(FloatingPointError):
    """The loss, or a weight, is no longer a number. The message names the step and says what to do."""


@dataclass
class Bookkeeper:
    """The history, the checkpoints and the callbacks of a training; `fit` explains the arguments.

    It goes on from the checkpoint if there is one, and refuses at once what could not be saved in one. Only one of
    several processes `writes`.
    """

    state: State
    configuration: dict[str, Any]
    steps: int
    checkpoint: Path | None
    writes: bool
    save_every: float
    monitor: Callable[[Method], float] | None
    monitor_every: int | Collection[int]
    on_step: Callable[[int, float, Method], None] | None

    def __post_init__(self):
        if self.checkpoint is not None and self.writes:
            self.state.check_destination(self.checkpoint, self.configuration)
        if self.checkpoint is not None and self.checkpoint.exists():
            self.state.load(self.checkpoint, self.configuration)
        self.losses: list[Tensor] = []  # since the last note
        self.modes = [(part, part.training) for part in self.state.module.modules()]
        self.timed = time.perf_counter(), time.process_time()
        self.saved = time.perf_counter()

    def after(self, step: int, loss: Tensor) -> None:
        """All there is to do after a step, counted from 1. Raises Diverged."""
        self.losses.append(loss)
        last = step == self.steps
        look = self.monitor is not None and (last or self._is_monitored(step))
        save = self.checkpoint is not None and (last or time.perf_counter() - self.saved > self.save_every)
        if look or save or last or step % NOTED_EVERY == 0:
            self._note(step)
        if look:
            with self.state.averaged(), self._modes_kept():
                self.state.history.psnr.append((step, float(self.monitor(self.state.module))))
            self._add_time()
        if save:
            self._save()
        if self.on_step is not None:
            self._call(step, float(loss))

    @contextmanager
    def closed_whatever_happens(self) -> Iterator[None]:
        """However the training ends, the method then has averaged weights: of the last step if they are finite."""
        try:
            yield
        except Diverged:
            raise
        except BaseException:
            self.state.keep()
            raise
        finally:
            self.state.restore_good()

    def _call(self, step: int, loss: float) -> None:
        try:
            with self._modes_kept():
                self.on_step(step, loss, self.state.module)
        except BaseException:
            if self.losses:
                self._note(step)
            self._save()
            raise

    @contextmanager
    def _modes_kept(self) -> Iterator[None]:
        try:
            yield
        finally:
            for part, training in self.modes:
                part.training = training

    def _is_monitored(self, step: int) -> bool:
        every = self.monitor_every
        return step in every if isinstance(every, Collection) else step % every == 0

    def _note(self, step: int) -> None:
        """Add the steps since the last note to the history, or stop."""
        values = torch.stack(self.losses).tolist()
        good = len(list(takewhile(math.isfinite, values)))
        if good < len(values) or not self.state.keep():
            kept = f"; {self.checkpoint} holds an earlier state" if self.checkpoint and self.checkpoint.exists() else ""
            what, first = ("the loss", step - len(values) + good + 1) if good < len(values) else ("a weight", step)
            raise Diverged(
                f"{what} is no longer a number at step {first}; try a lower learning rate, or "
                f"clip gradients (the method has the weights of step {self.state.history.last_step}{kept})"
            )
        self.losses.clear()
        self.state.history.steps.append(step)
        self.state.history.losses.append(sum(values) / len(values))
        self._add_time()

    def _add_time(self) -> None:
        now = time.perf_counter(), time.process_time()
        self.state.history.seconds += now[0] - self.timed[0]
        self.state.history.cpu_seconds += now[1] - self.timed[1]
        self.timed = now

    def _save(self) -> None:
        if self.checkpoint is not None and self.writes:
            self.state.save(self.checkpoint, self.configuration)
        self.saved = time.perf_counter()
