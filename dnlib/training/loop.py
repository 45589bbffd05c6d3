"""The one training loop: every method of the course is trained by `fit`.

Adam; a learning rate that rises and falls as in the papers; an average of the weights over the last steps;
bfloat16 where the hardware has it; checkpoints from which a killed run goes on, to the very same weights on the same
processor and number of threads. (On GPUs some sums are made in changing order.)
"""

import logging
import math
import operator
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from lightning_fabric import Fabric
from torch import Generator

from dnlib.methods import Batch, Method
from dnlib.training.bookkeeping import Bookkeeper
from dnlib.training.checkpoints import History, State
from dnlib.training.device import choose_device, precision_of
from dnlib.training.evaluation import check_told
from dnlib.training.fingerprint import plain, settings, teachers
from dnlib.training.loaded import Loaded
from dnlib.training.progress import headless, progress_bar
from dnlib.training.randomness import global_generators_kept, seed_global_generators, seeds

logging.getLogger("lightning_fabric.utilities.rank_zero").setLevel(logging.WARNING)


class Batches(Protocol):
    """Where batches come from; `Crops` is one such source, `Loaded` another.

    A source that has an order has also `begin(step, seed, process, processes)`, called before the first batch is drawn.

    Attributes
    ----------
    offers : frozenset of str
        What a batch can be asked for, of `methods.PARTS`.
    description : str
        Everything that decides which batches come out; a checkpoint of others is refused.

    Examples
    --------
    >>> class Flat:
    ...     offers, description = frozenset({"noisy"}), "gray noise"
    ...
    ...     def draw(self, needs, generator, progress):
    ...         return Batch(generator, progress, noisy=0.5 + 0.1 * torch.randn(2, 1, 8, 8, generator=generator))
    >>> Flat().draw({"noisy"}, Generator(), 0.0).noisy.shape
    torch.Size([2, 1, 8, 8])
    """

    offers: frozenset[str]
    description: str

    def draw(self, needs: frozenset[str], generator: Generator, progress: float) -> Batch:
        """One batch, all its randomness from `generator`, on the generator's device."""


def fit(
    method: Method,
    batches: Batches | Iterable[Any],
    *,
    steps: int,
    learning_rate: float = 3e-4,
    ramp_up: float = 0.1,
    ramp_down: float = 0.3,
    average: float = 0.999,
    clip: float | None = None,
    seed: int = 0,
    device: str = "auto",
    devices: int = 1,
    precision: Literal["auto", "float32", "bfloat16"] = "auto",
    checkpoint: str | Path | None = None,
    save_every: float = 120.0,
    monitor: Callable[[Method], float] | None = None,
    monitor_every: int | Collection[int] = 1000,
    on_step: Callable[[int, float, Method], None] | None = None,
    progress: bool | None = None,
) -> History:
    """Train a method in place, and leave it in evaluation mode with its averaged weights.

    All randomness comes from `seed` and the number of the step; torch's global generators, from which dropout draws,
    are afterwards as they were. Whatever ends the training early, even Ctrl-C, leaves the method with its last good
    averaged weights.

    Parameters
    ----------
    method : Method
        What learns. Frozen parts stay in evaluation mode. They are those in evaluation mode of a method in training
        mode, such as frozen batch normalisation; and those without gradients (`requires_grad_(False)`) of a method in
        evaluation mode, as `load_method` returns it.
    batches : Batches or iterable
        A source such as `Crops`; or a DataLoader, or any iterable that can be begun again, of dicts with the keys of
        `methods.PARTS`. For tuples, see `Loaded`.
    steps : int
        How many batches to learn from.
    learning_rate : float
        Of Adam with betas (0.9, 0.99), times `rate` at the middle of each step.
    ramp_up, ramp_down : float
        The shares of the training in which the learning rate rises and falls, in [0, 1].
    average : float
        The decay of the exponential moving average of the weights, in [0, 1); 0 takes the last weights. Buffers, such
        as the statistics of batch normalisation, are not averaged.
    clip : float, optional
        The largest norm of all gradients together; longer ones are scaled down to it.
    seed : int
        At least 0.
    device : str
        As `choose_device` takes it: "auto", "cpu", "cuda", "cuda:1", "mps".
    devices : int
        More than one train data-parallel: each has batches of its own, and its batch normalisation sees only these.
    precision : {"auto", "float32", "bfloat16"}
        "auto" is bfloat16 where processor or GPU compute in it natively.
    checkpoint : str or Path, optional
        A file, written every `save_every` seconds, at the end, and when `on_step` raises. If it is there, training goes
        on from it.
    monitor : callable, optional
        Called with the method, which then has its averaged weights, every `monitor_every` steps, or after the steps
        named there, and at the end. What it returns is shown and noted, never used: PSNR in dB where a clean image
        exists.
    on_step : callable, optional
        Called as `on_step(step, loss, method)` after every step, counted from 1, in each process. What it returns is
        not used. What it raises ends the training with all that was learnt, in the checkpoint as well.
    progress : bool, optional
        A bar with loss, PSNR and time left; None shows it unless nobody is looking.

    Returns
    -------
    History
        Losses, PSNR where it was monitored, time.

    Raises
    ------
    ValueError
        Before the first step, for impossible arguments, parts that the batches do not offer, a checkpoint of another
        training or of other teachers, a method that could not be saved; and for batches as `Loaded` refuses them.
    Diverged
        When the loss or a weight is no longer a number; the error names the step.

    Examples
    --------
    >>> from dnlib.methods import Noise2Noise
    >>> from dnlib.networks import BabyUNet
    >>> method = Noise2Noise(BabyUNet(1, 4))
    >>> pairs = [{"noisy": torch.rand(2, 1, 16, 16), "second_noisy": torch.rand(2, 1, 16, 16)}]
    >>> fit(method, pairs, steps=3, progress=False).last_step
    3
    """
    source = batches if hasattr(batches, "draw") else Loaded(batches)
    _check(method, source, steps, learning_rate, ramp_up, ramp_down, average, clip, monitor_every, devices, seed)
    kind, shown = precision_of(precision, device), not headless() if progress is None else progress
    options = {"steps": steps, "learning_rate": learning_rate, "ramp_up": ramp_up, "ramp_down": ramp_down}
    options |= {"average": average, "clip": clip, "seed": seed, "devices": devices, "precision": kind}
    configuration = settings(method) | teachers(method) | plain(options) | {"batches": source.description}
    fabric = Fabric(**_accelerator(device, devices), precision=kind)
    fabric.launch()
    with global_generators_kept(fabric.device), _in_training(method):
        adam = torch.optim.Adam(method.parameters(), lr=learning_rate, betas=(0.9, 0.99), fused=True)
        learner, optimizer = fabric.setup(method, adam)
        state = State(method, optimizer, average)
        path, writes = None if checkpoint is None else Path(checkpoint), fabric.is_global_zero
        books = Bookkeeper(state, configuration, steps, path, writes, save_every, monitor, monitor_every, on_step)
        history, first = state.history, state.history.last_step
        history.device, history.precision = str(fabric.device), kind
        generator = Generator(fabric.device)
        if hasattr(source, "begin"):
            source.begin(first, seed, fabric.global_rank, fabric.world_size)
        with books.closed_whatever_happens():
            for step in progress_bar(range(first, steps), history, shown and fabric.is_global_zero):
                for_batch, for_rest = seeds(seed, fabric.global_rank, step)
                generator.manual_seed(for_batch)
                seed_global_generators(fabric.device, for_rest)
                for group in optimizer.param_groups:
                    group["lr"] = learning_rate * rate((step + 0.5) / steps, ramp_up, ramp_down)
                loss = learner(source.draw(method.needs, generator, step / steps))
                optimizer.zero_grad()
                fabric.backward(loss)
                if clip is not None:
                    fabric.clip_gradients(learner, optimizer, max_norm=clip, error_if_nonfinite=False)
                optimizer.step()
                state.update_average(step)
                books.after(step + 1, loss.detach())
    return history


def rate(t: float, ramp_up: float, ramp_down: float) -> float:
    """The papers' schedule over t in [0, 1]: 1/2 - 1/2 cos rises at first, (1/2 + 1/2 cos)^2 falls at last.

    Lehtinen et al. only fall (over 0.3, or 0.5 in long runs); Laine et al. rise as well (over 0.1).

    Examples
    --------
    >>> [round(rate(t, ramp_up=0.1, ramp_down=0.3), 3) for t in (0, 0.05, 0.5, 0.85, 1)]
    [0.0, 0.5, 1.0, 0.25, 0.0]
    """
    up, down = 1.0, 1.0
    if t < ramp_up:
        up = 0.5 - 0.5 * math.cos(math.pi * t / ramp_up)
    if t > 1 - ramp_down:
        down = (0.5 + 0.5 * math.cos(math.pi * (t - 1 + ramp_down) / ramp_down)) ** 2
    return up * down


@contextmanager
def _in_training(method: Method) -> Iterator[None]:
    """In training mode, except for what is frozen, and with the channels last in memory; then in evaluation mode."""
    frozen = [part for part in method.modules() if not part.training and (method.training or _without_gradients(part))]
    method.train()
    for part in frozen:
        part.training = False
    method._apply(lambda tensor: tensor.to(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor)
    try:
        yield
    finally:
        method.eval()


def _without_gradients(part: torch.nn.Module) -> bool:
    """Whether it has weights of its own, and none of them learns."""
    own = list(part.parameters(recurse=False))
    return bool(own) and not any(weight.requires_grad for weight in own)


def _accelerator(device: str, devices: int) -> dict[str, Any]:
    """What Fabric calls a device, or so many of its kind."""
    kind, _, index = choose_device(device).partition(":")
    if devices > 1 and (index or kind == "mps"):
        raise ValueError(f"device {device!r} is one device, {devices} were asked for; give device='cuda' or 'cpu'")
    if kind == "cuda" and devices > torch.cuda.device_count():
        raise ValueError(f"{devices} devices were asked for, but torch sees {torch.cuda.device_count()} CUDA devices")
    return {"accelerator": kind, "devices": [int(index)] if index else devices}


def _check(
    method, batches, steps, learning_rate, ramp_up, ramp_down, average, clip, monitor_every, devices, seed
) -> None:
    every = 1 if isinstance(monitor_every, Collection) else monitor_every
    for what, number in {"steps": steps, "devices": devices, "seed": seed, "monitor_every": every}.items():
        try:
            operator.index(number)
        except TypeError:
            raise ValueError(f"{what} is a whole number; {number!r} was given") from None
    if missing := method.needs - batches.offers:
        raise ValueError(
            f"{type(method).__name__} needs {', '.join(sorted(missing))}, "
            f"but these batches offer only {', '.join(sorted(batches.offers))}"
        )
    if steps < 1:
        raise ValueError(f"training takes at least one step; {steps} were given")
    if not 0 < learning_rate < math.inf:
        raise ValueError(f"a learning rate is a number > 0; {learning_rate} was given")
    if clip is not None and not clip > 0:
        raise ValueError(f"gradients are clipped to a norm > 0, or not at all (None); {clip} was given")
    if not (0 <= ramp_up <= 1 and 0 <= ramp_down <= 1 and 0 <= average < 1):
        raise ValueError(
            f"ramps are shares of the training in [0, 1], and the average's decay lies in [0, 1); "
            f"{ramp_up}, {ramp_down} and {average} were given"
        )
    if every < 1 or devices < 1 or seed < 0:
        raise ValueError(
            f"monitor_every and devices are at least 1, a seed at least 0; {every}, {devices} and {seed} were given"
        )
    if wide := {part.dtype for part in method.parameters() if part.is_floating_point()} - {torch.float32}:
        raise ValueError(f"weights learn in float32; some of these are {wide.pop()}: call .float() first")
    if (noise := getattr(batches, "noise", None)) is not None:
        check_told(method, noise)
