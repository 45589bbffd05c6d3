"""The one training loop: every method of the course is trained by `fit`.

Adam; a learning rate that rises and falls as in the papers; an average of the weights over the last steps;
bfloat16 where the hardware has it; checkpoints from which a killed run goes on, to the very same weights on the same
processor and number of threads. (On GPUs some sums are made in changing order.)
"""

import logging
import math
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Generator, Tensor
from tqdm.auto import tqdm

from dnlib.methods import Batch, Method
from dnlib.training.checkpoints import History, State, settings
from dnlib.training.device import choose_device, precision_of
from dnlib.training.progress import headless

logging.getLogger("lightning_fabric.utilities.rank_zero").setLevel(logging.WARNING)
LOG_EVERY = 50  # steps between entries of the history and checks for NaN


class Batches(Protocol):
    """Where batches come from; `batches.Crops` is one such source."""

    offers: frozenset[str]
    description: str

    def draw(self, needs: frozenset[str], generator: Generator, progress: float) -> Batch:
        """One batch, all its randomness from `generator`, on the generator's device."""


class Diverged(FloatingPointError):
    """The loss, or a weight, is no longer a number."""


def fit(
    method: Method,
    batches: Batches,
    *,
    steps: int,
    learning_rate: float = 3e-4,
    ramp_up: float = 0.1,
    ramp_down: float = 0.3,
    average: float = 0.999,
    seed: int = 0,
    device: str = "auto",
    devices: int = 1,
    precision: Literal["auto", "float32", "bfloat16"] = "auto",
    compile: bool = False,
    checkpoint: Path | None = None,
    save_every: float = 120.0,
    monitor: Callable[[Method], float] | None = None,
    monitor_every: int | Collection[int] = 1000,
    progress: bool | None = None,
) -> History:
    """Train `method` in place on `steps` batches, and leave it with its averaged weights.

    learning_rate: of Adam with betas (0.9, 0.99), times `rate` at the middle of each step.
    average: the decay of the exponential moving average of the weights; 0 takes the last weights.
    precision: "auto" computes in bfloat16 where processor or GPU do so natively, else in float32.
    devices: more than one train data-parallel, each on batches of its own.
    checkpoint: a file, written every `save_every` seconds and at the end; if it is there, training goes on from it.
    monitor: called every `monitor_every` steps, or after the steps named there, and at the end; shown and noted, never
        used: PSNR in dB where a clean image exists.
    progress: a bar with loss, PSNR and time left; None shows it unless nobody is looking.
    Raises ValueError for impossible arguments, for images the batches do not offer, for a checkpoint of another
    training; Diverged, naming the step, and with the last good weights in the method.
    """
    _check(method, batches, steps, learning_rate, ramp_up, ramp_down, average, monitor_every, devices, seed)
    kind, built = precision_of(precision, device), settings(method)
    fabric = Fabric(accelerator=choose_device(device), devices=devices, precision=kind)
    fabric.launch()
    if compile:
        method.network.compile()
    method.train().to(memory_format=torch.channels_last)
    learner, optimizer = fabric.setup(method, _adam(method, learning_rate))
    state = State(method, optimizer, average)
    configuration = built | {
        "steps": steps,
        "learning_rate": learning_rate,
        "ramp_up": ramp_up,
        "ramp_down": ramp_down,
        "average": average,
        "seed": seed,
        "devices": devices,
        "precision": kind,
        "batches": batches.description,
    }
    if checkpoint is not None and checkpoint.exists():
        state.load(checkpoint, configuration)
    history = state.history
    history.device, history.precision = str(fabric.device), kind
    generator, losses, watch = Generator(fabric.device), [], _Watch(history)
    for step in _progress(range(history.last_step, steps), history, progress, fabric.is_global_zero):
        _reseed(generator, seed, fabric.global_rank, step)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * rate((step + 0.5) / steps, ramp_up, ramp_down)
        loss = learner(batches.draw(method.needs, generator, step / steps))
        optimizer.zero_grad()
        fabric.backward(loss)
        optimizer.step()
        state.update_average(step)
        losses.append(loss.detach())
        done = step + 1
        look = monitor is not None and (done == steps or _falls_on(monitor_every, done))
        save = checkpoint is not None and (done == steps or watch.unsaved > save_every)
        if not (look or save or done % LOG_EVERY == 0 or done == steps):
            continue
        _note(state, done, losses, checkpoint)
        if look:
            with state.averaged():
                history.psnr.append((done, float(monitor(method))))
        watch.update()
        if save and fabric.is_global_zero:
            state.save(checkpoint, configuration)
            watch.saved()
    state.restore_good()
    method.eval()
    return history


def rate(t: float, ramp_up: float, ramp_down: float) -> float:
    """The papers' schedule over t in [0, 1]: 1/2 - 1/2 cos rises at first, (1/2 + 1/2 cos)^2 falls at last.

    Lehtinen et al. only fall (over 0.3, or 0.5 in long runs); Laine et al. rise as well (over 0.1).
    """
    up, down = 1.0, 1.0
    if t < ramp_up:
        up = 0.5 - 0.5 * math.cos(math.pi * t / ramp_up)
    if t > 1 - ramp_down:
        down = (0.5 + 0.5 * math.cos(math.pi * (t - 1 + ramp_down) / ramp_down)) ** 2
    return up * down


def _falls_on(every: int | Collection[int], step: int) -> bool:
    return step % every == 0 if isinstance(every, int) else step in every


def _note(state: State, done: int, losses: list[Tensor], checkpoint: Path | None) -> None:
    """Add the steps since the last call to the history, or stop."""
    values = torch.stack(losses).tolist()
    bad = next((i for i, value in enumerate(values) if not math.isfinite(value)), None)
    if bad is not None or not state.keep():
        state.restore_good()
        step = done - len(values) + bad if bad is not None else done
        kept = f"; {checkpoint} holds an earlier state" if checkpoint is not None and checkpoint.exists() else ""
        raise Diverged(
            f"the loss is no longer a number at step {step}; try a lower learning rate (the method has the weights "
            f"of step {state.history.last_step}{kept})"
        )
    losses.clear()
    state.history.steps.append(done)
    state.history.losses.append(float(np.mean(values)))


class _Watch:
    """Adds wall-clock and processor seconds to a history, and knows how long ago it was saved."""

    def __init__(self, history: History):
        self.history = history
        self.last = time.perf_counter(), time.process_time()
        self.saved()

    def update(self) -> None:
        now = time.perf_counter(), time.process_time()
        self.history.seconds += now[0] - self.last[0]
        self.history.cpu_seconds += now[1] - self.last[1]
        self.last = now

    def saved(self) -> None:
        self.last_saved = time.perf_counter()

    @property
    def unsaved(self) -> float:
        return time.perf_counter() - self.last_saved


def _progress(steps: range, history: History, wanted: bool | None, first_process: bool):
    shown = (not headless() if wanted is None else wanted) and first_process
    with tqdm(steps, initial=steps.start, total=steps.stop, unit="step", disable=not shown, mininterval=1) as bar:
        for step in bar:
            yield step
            if history.last_step == step + 1:
                psnr = {"PSNR": f"{history.psnr[-1][1]:.2f} dB"} if history.psnr else {}
                bar.set_postfix({"loss": f"{history.losses[-1]:.3g}"} | psnr, refresh=False)


def _reseed(generator: Generator, seed: int, rank: int, step: int) -> None:
    """A stream of its own for every step and process, so that a resumed training needs no generator's state."""
    generator.manual_seed(
        int(np.random.SeedSequence([seed, rank, step]).generate_state(1, np.uint64)[0] >> np.uint64(1))
    )


def _adam(method: Method, learning_rate: float) -> torch.optim.Optimizer:
    return torch.optim.Adam(method.parameters(), lr=learning_rate, betas=(0.9, 0.99), fused=True)


def _check(
    method, batches, steps, learning_rate, ramp_up, ramp_down, average, monitor_every, devices: int, seed: int
) -> None:
    if missing := method.needs - batches.offers:
        raise ValueError(
            f"{type(method).__name__} needs {', '.join(sorted(missing))}, "
            f"but these batches offer only {', '.join(sorted(batches.offers))}"
        )
    if steps < 1:
        raise ValueError(f"training takes at least one step; {steps} were given")
    if not 0 < learning_rate < math.inf:
        raise ValueError(f"a learning rate is a number > 0; {learning_rate} was given")
    if not (0 <= ramp_up <= 1 and 0 <= ramp_down <= 1 and 0 <= average < 1):
        raise ValueError(
            f"ramps are shares of the training in [0, 1], and the average's decay lies in [0, 1); "
            f"{ramp_up}, {ramp_down} and {average} were given"
        )
    if (isinstance(monitor_every, int) and monitor_every < 1) or devices < 1 or seed < 0:
        raise ValueError(
            f"monitor_every and devices are at least 1, a seed at least 0; "
            f"{monitor_every}, {devices} and {seed} were given"
        )
