"""No step of a training makes a GPU wait for the processor or the processor for it, but for what is named here.

There may be no GPU: what would wait there is counted here, by torch's own hooks, on the CPU.
"""

from collections import Counter

import pytest
import torch
from little import method
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from dnlib.images import photo
from dnlib.methods import (
    APBSN,
    BlindSpotBayes,
    Distilled,
    Noise2Clean,
    Noise2Noise,
    Noise2Self,
    Noise2Void,
    Perceptual,
    Recorrupted2Recorrupted,
)
from dnlib.methods.perceptual import Features
from dnlib.networks import BabyUNet, BlindSpotUNet, DilatedBlindSpot, Noise2CleanUNet, Noise2VoidUNet
from dnlib.noise import CorrelatedGaussian, Gaussian, Impulse, Lines, Mixture, Poisson, Resized, Stored, Turned
from dnlib.training import Crops, fit, loop

STEPS = range(1, 4)  # that are looked at: the first may copy images to the device, the last notes the losses
READ = {"cpu", "numpy", "tolist", "cuda", "__array__"}
MADE = {"tensor", "as_tensor", "new_tensor", "from_numpy"}  # of Python's numbers, and copied
SIZED_BY_VALUES = {"nonzero", "masked_select", "multinomial", "equal", "_unique2", "unique_dim", "unique_consecutive"}


class Transfers(TorchFunctionMode):
    """Counts tensors that Python reads, makes of its numbers, or sends to a device and waits for their arrival."""

    def __init__(self, seen: Counter):
        super().__init__()
        self.seen = seen

    def __torch_function__(self, function, types, args=(), kwargs=None):
        name, kwargs = getattr(function, "__name__", ""), kwargs or {}
        sent = name == "to" and any(isinstance(one, str | torch.device | torch.Tensor) for one in args[1:])
        if name in READ | MADE:
            self.seen[name] += 1
        elif (sent or (name == "to" and "device" in kwargs)) and not kwargs.get("non_blocking"):
            self.seen["to"] += 1
        return function(*args, **kwargs)


class Waits(TorchDispatchMode):
    """Counts numbers that Python asks for (item, float, if), copies between devices, and results sized by values."""

    def __init__(self, seen: Counter):
        super().__init__()
        self.seen = seen

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if kind := _wait(function.overloadpacket.__name__, args, kwargs or {}):
            self.seen[kind] += 1
        return function(*args, **(kwargs or {}))


def _wait(name, args, kwargs):
    """What an operation waits for, if it does."""
    if name == "_local_scalar_dense":
        return "item"
    if name in SIZED_BY_VALUES:
        return name
    if name.startswith("index") and len(args) > 1 and isinstance(args[1], list | tuple):
        places = [one for one in args[1] if one is not None]
        return "index by a mask" if any(one.dtype == torch.bool for one in places) else None
    goes = {"copy_": lambda: args[1].device, "_to_copy": lambda: kwargs.get("device", args[0].device)}
    return "copy" if name in goes and goes[name]() != args[0].device else None


def counted_generator(seen: Counter):
    """A kind of generator whose state is not moved about unseen."""

    class Counted(torch.Generator):
        def get_state(self):
            seen["generator"] += 1
            return super().get_state()

        def set_state(self, state):
            seen["generator"] += 1
            return super().set_state(state)

    return Counted


def counted_move(seen: Counter, move=nn.Module.to):
    """`Module.to`, counted as one: of a network that is there already nothing moves."""

    def to(module, *where, **how):
        seen["network to"] += 1
        with torch._C.DisableTorchFunction():
            return move(module, *where, **how)

    return to


class Watched:
    """Batches that note what had been counted when each was asked for."""

    def __init__(self, source, seen: Counter):
        self.source, self.seen, self.before = source, seen, []
        self.offers, self.description = source.offers, source.description

    def draw(self, *asked):
        self.before.append(self.seen.copy())
        return self.source.draw(*asked)


def counted(trained, noise, monkeypatch, **options):
    """What was counted in `STEPS`, all parts of a step: its batch, loss, gradients, Adam, average and notes."""
    seen = Counter()
    images = [photo("camera")[::4, ::4], photo("coins")[::2, ::2]]
    watched = Watched(Crops(images, noise, size=16, count=2, **options), seen)
    monkeypatch.setattr(loop, "Generator", counted_generator(seen))
    monkeypatch.setattr(nn.Module, "to", counted_move(seen))
    with Transfers(seen), Waits(seen):
        fit(trained, watched, steps=STEPS.stop + 1, device="cpu")
    return watched.before[STEPS.stop] - watched.before[STEPS.start]


class Asking(Noise2Clean):
    """In its loss, asks for what its argument names."""

    def __init__(self, network, ask=lambda batch, loss: None):
        super().__init__(network)
        self.ask = ask

    def loss(self, batch):
        loss = super().loss(batch)
        self.ask(batch, loss.detach())
        return loss


ASKED = {
    "item": lambda batch, loss: loss.item(),
    "item, of an if": lambda batch, loss: 1 if loss > 0 else 2,
    "cpu": lambda batch, loss: loss.cpu(),
    "numpy": lambda batch, loss: loss.numpy(),
    "tolist": lambda batch, loss: loss.tolist(),
    "to": lambda batch, loss: loss.to("cpu"),
    "copy": lambda batch, loss: torch.empty((), device="meta").copy_(loss),
    "copy, by to": lambda batch, loss: loss.to(device="meta", non_blocking=True),
    "tensor": lambda batch, loss: torch.tensor(3.0, device="cpu"),
    "index by a mask": lambda batch, loss: batch.clean[batch.clean > 0.5],
    "nonzero": lambda batch, loss: (batch.clean > 0.5).nonzero(),
    "generator": lambda batch, loss: batch.generator.get_state(),
}


@pytest.mark.parametrize("what", ASKED)
def test_what_waits_is_counted(what, monkeypatch):
    asking = Asking(BabyUNet(1, 4), ASKED[what])
    assert counted(asking, Gaussian(25), monkeypatch) == {what.partition(",")[0]: len(STEPS)}


def u_net(**options):
    return Noise2CleanUNet(1, 4, depth=2, pointwise=0, **options)


FREE = {
    "Noise2Clean": (lambda: Noise2Clean(BabyUNet(1, 4)), Gaussian(25)),
    "Noise2Clean, batch normalisation": (method, Gaussian((5, 50))),
    "Noise2Noise": (lambda: Noise2Noise(u_net(mean=True)), CorrelatedGaussian((5, 50), 3)),
    "Noise2Noise, lines": (lambda: Noise2Noise(BabyUNet(1, 4), "l0"), Lines(20)),
    "Noise2Self": (lambda: Noise2Self(BabyUNet(1, 4)), Gaussian(25)),
    "Noise2Self, random": (lambda: Noise2Self(BabyUNet(1, 4), masks="random", fill="random"), Gaussian(25)),
    "R2R": (lambda: Recorrupted2Recorrupted(BabyUNet(1, 4), Gaussian(25), draws=2), Gaussian(25)),
    "R2R, direct": (lambda: Recorrupted2Recorrupted(BabyUNet(1, 4), "CorrelatedGaussian(25, 3)"), Gaussian(25)),
    "AP-BSN": (lambda: APBSN(DilatedBlindSpot(1, 8, blocks=1), train_stride=2), Gaussian(25)),
    "blind mean": (lambda: Noise2Noise(BlindSpotUNet(1, 4, outputs=1, depth=2, shift=3, mean=True)), Gaussian(25)),
    "blind spot, told": (lambda: BlindSpotBayes(BlindSpotUNet(1, 4, outputs=2), Gaussian((5, 50))), Gaussian((5, 50))),
    "blind spot, impulses": (lambda: BlindSpotBayes(BlindSpotUNet(1, 4, outputs=2), Impulse(0.5)), Impulse(0.5)),
    "blind spot, unknown": (
        lambda: BlindSpotBayes(
            BlindSpotUNet(1, 4, outputs=2), Gaussian((1, 200)), parameter="per_image", estimator_width=4
        ),
        Gaussian((1, 200)),
    ),
}


@pytest.mark.parametrize("name", FREE)
def test_a_step_waits_for_nothing(name, monkeypatch):
    make, noise = FREE[name]
    assert counted(make(), noise, monkeypatch) == {}


@pytest.mark.parametrize("options", [{"frozen": True}, {"turn": False}])
def test_neither_do_crops_of_other_kinds(options, monkeypatch):
    told = BlindSpotBayes(BlindSpotUNet(1, 4, outputs=2), Gaussian((5, 50)))
    assert counted(told, Gaussian((5, 50)), monkeypatch, **options) == {}


NAMED = {
    # how many of the drawn places lie within a crop is not known before; what is drawn there has that many numbers
    "Noise2Void": (lambda: Noise2Void(Noise2VoidUNet(1, 4)), Gaussian(25), {"index by a mask": 1, "multinomial": 1}),
    "StructN2V": (
        lambda: Noise2Void(Noise2VoidUNet(1, 4), struct=[1, 1, 1]),
        Gaussian(25),
        {"index by a mask": 2, "multinomial": 1},
    ),
    # negative light is refused in one line; on a GPU torch.poisson would end the process
    "Poisson": (lambda: Noise2Clean(BabyUNet(1, 4)), Poisson(30), {"index by a mask": 1}),
    # what is drawn once per image, for two images, decides which program runs: in what size, with which model
    "resized": (lambda: Noise2Clean(BabyUNet(1, 4)), Resized(Gaussian(20), (1, 2)), {"item": 2}),
    "turned": (lambda: Noise2Clean(BabyUNet(1, 4)), Turned(Lines((5, 20))), {"item": 4}),
    "stored": (lambda: Noise2Clean(BabyUNet(1, 4)), Stored(Gaussian((5, 20))), {"item": 2}),
    "mixture": (
        lambda: Noise2Clean(BabyUNet(1, 4)),
        Mixture([Gaussian(25), Lines(10)]),
        {"item": 2, "tensor": 2, "multinomial": 2},
    ),
    # a teacher comes along to the device at the first step; later it is there
    "Perceptual": (
        lambda: Perceptual(Noise2Noise(u_net()), Features(Noise2CleanUNet(1, 4, depth=2)), 0.1),
        Gaussian(25),
        {"network to": 2},
    ),
    # and whether it is trained is a number among its weights
    "Distilled": (
        lambda: Distilled(u_net(), teacher=BlindSpotUNet(1, 4, outputs=1, depth=2, shift=3, mean=True)),
        Gaussian(25),
        {"network to": 1, "item": 1},
    ),
    # JPEG is made by Pillow, of the picture without and with noise
    "JPEG": (lambda: Noise2Clean(BabyUNet(1, 4)), Stored(Gaussian(5), 80), {"cpu": 4, "numpy": 4, "to": 4}),
}


@pytest.mark.parametrize("name", NAMED)
def test_what_a_step_waits_for_has_a_reason(name, monkeypatch):
    make, noise, waits = NAMED[name]
    assert counted(make(), noise, monkeypatch) == {what: times * len(STEPS) for what, times in waits.items()}
