import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from little import Stop, crops, method, stop_at, weights
from torch import nn

from dnlib.images import ROOT
from dnlib.methods import Batch, Noise2Clean, Noise2Noise, Noise2Self
from dnlib.networks import BabyUNet, Noise2CleanUNet
from dnlib.training import Crops, Diverged, fit, rate
from dnlib.training.randomness import seeds


def test_training_lowers_the_loss_and_notes_it():
    seen = []
    trained = method(network=lambda: Noise2CleanUNet(1, 6, depth=3))
    history = fit(
        trained,
        crops(),
        steps=200,
        learning_rate=2e-3,
        monitor=lambda m: seen.append(m.training) or 20.0,
        monitor_every=100,
    )
    assert history.steps == [50, 100, 150, 200] and len(history.losses) == 4
    assert history.losses[-1] < 0.5 * history.losses[0]
    assert history.psnr == [(100, 20.0), (200, 20.0)]
    assert history.seconds > 0 and history.cpu_seconds > 0 and history.precision in ("bf16-mixed", "32-true")
    assert not trained.training


def test_equal_seeds_give_equal_weights_and_others_do_not():
    results = []
    for seed in (0, 0, 1):
        trained = method()
        fit(trained, crops(), steps=10, seed=seed)
        results.append(weights(trained))
    assert torch.equal(results[0], results[1]) and not torch.equal(results[0], results[2])


def with_dropout():
    return nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.Dropout2d(0.5), nn.Conv2d(8, 1, 3, padding=1))


def test_dropout_depends_on_the_seed_alone():
    results = []
    for before in (1, 2):
        trained = method(network=with_dropout)
        torch.manual_seed(before)
        state = torch.get_rng_state()
        fit(trained, crops(), steps=5)
        assert torch.equal(torch.get_rng_state(), state)  # whoever called draws on as if nothing had been
        results.append(weights(trained))
    assert torch.equal(*results)


def test_monitoring_changes_nothing():
    plain, watched = method(Noise2Self), method(Noise2Self)
    fit(plain, crops(), steps=60)
    look = torch.rand(1, 1, 20, 20)
    fit(watched, crops(), steps=60, monitor=lambda m: float(m.denoise(look).mean.mean()), monitor_every=20)
    assert torch.equal(weights(plain), weights(watched))


@pytest.mark.parametrize(
    ("every", "steps"), [(33, [33, 66, 70]), (np.int64(35), [35, 70]), ([1, 2, 64], [1, 2, 64, 70])]
)
def test_monitoring_happens_exactly_when_asked_for(every, steps):
    history = fit(method(), crops(), steps=70, monitor=lambda m: 1.0, monitor_every=every)
    assert [step for step, _ in history.psnr] == steps
    assert [entry["steps"] for entry in history.curve(1000)] == [1000 + step for step in steps]


def test_a_callback_follows_every_step():
    seen = []

    def look(step, loss, method):
        method.eval()  # a mode that a callback leaves behind does no harm
        seen.append((step, loss, method))

    trained, plain = method(), method()
    history = fit(trained, crops(), steps=4, on_step=look)
    assert [step for step, *_ in seen] == [1, 2, 3, 4] and all(who is trained for *_, who in seen)
    assert history.losses == [pytest.approx(np.mean([loss for _, loss, _ in seen]))]
    fit(plain, crops(), steps=4)
    assert torch.equal(weights(trained), weights(plain))


def test_a_callback_that_raises_leaves_what_was_learnt(tmp_path):
    stopped, straight, resumed = method(), method(), method(start=1)
    path = tmp_path / "run.safetensors"
    with pytest.raises(Stop):
        fit(stopped, crops(), steps=12, checkpoint=path, on_step=stop_at(7))
    assert not any(part.training for part in stopped.modules()) and stopped.network.layers[3].num_batches_tracked == 7
    assert fit(resumed, crops(), steps=12, checkpoint=path).steps == [7, 12]
    fit(straight, crops(), steps=12)
    assert torch.equal(weights(resumed), weights(straight))


def test_ctrl_c_leaves_averaged_weights_in_evaluation_mode():
    class Interrupted(Noise2Clean):
        def loss(self, batch):
            if self.network.layers[3].num_batches_tracked == 7:
                self.last = [weight.detach().clone() for weight in self.parameters()]
                raise KeyboardInterrupt
            return super().loss(batch)

    trained = method(Interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit(trained, crops(), steps=100, average=0.5, learning_rate=1e-2)
    assert not any(part.training for part in trained.modules())
    assert not any(torch.equal(now, last) for now, last in zip(trained.parameters(), trained.last, strict=True))


@pytest.mark.parametrize("loaded", [False, True])
def test_frozen_batch_normalisation_stays_frozen(loaded):
    trained = method()
    norm = trained.network.layers[3].requires_grad_(False)
    (trained if loaded else norm).eval()  # as methods are loaded, or as one who freezes leaves them
    before = {name: tensor.clone() for name, tensor in norm.state_dict().items()}
    modes = []
    fit(trained, crops(), steps=3, on_step=lambda step, loss, m: modes.append((m.training, norm.training)))
    assert modes == [(True, False)] * 3 and not norm.training
    assert all(torch.equal(before[name], tensor) for name, tensor in norm.state_dict().items())


def test_clipping_bounds_the_gradient():
    norms = []

    def measure(step, loss, trained):
        norms.append(torch.nn.utils.get_total_norm([weight.grad for weight in trained.parameters()]).item())

    for clip in (None, 1e-3):
        fit(method(), crops(), steps=1, clip=clip, on_step=measure)
    assert norms[0] > 1e-2 and norms[1] == pytest.approx(1e-3, rel=1e-3)


class Volumes(Noise2Clean):
    """Bursts, through convolutions over time, too."""

    needs = frozenset({"burst"})

    def loss(self, batch):
        return (self.network(batch.burst.transpose(1, 2)) - batch.burst.transpose(1, 2)).abs().mean()


def test_any_parts_and_any_layers():
    trained = method(Volumes, network=lambda: nn.Conv3d(1, 1, 3, padding=1))
    fit(trained, [{"burst": torch.rand(2, 3, 1, 8, 8)}], steps=2)


TWO_PROCESSES = """
import json, os, socket, sys
sys.path.insert(0, "tests/training")
import torch
from little import crops, method
from dnlib.training import fit

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = str(free.getsockname()[1])
torch.set_num_threads(1)
folder = sys.argv[1]
together = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "0", "MASTER_ADDR": "127.0.0.1"}
os.environ |= together | {"MASTER_PORT": port, "TORCHELASTIC_RUN_ID": "1"}  # as torchrun says it
children = []
for rank in (0, 1):
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank)}
    if child := os.fork():
        children.append(child)
        continue
    trained, losses = method(start=rank), []
    options = {"steps": 20, "learning_rate": 3e-3, "seed": 3, "precision": "float32", "progress": False}
    options["on_step"] = lambda step, loss, method: losses.append(loss)
    history = fit(trained, crops(), device="cpu", devices=2, checkpoint=f"{folder}/checkpoint", **options)
    total = sum(float(p.double().abs().sum()) for p in trained.parameters())
    with open(f"{folder}/rank{rank}", "w") as file:
        json.dump({"losses": losses, "total": total, "noted": len(history.losses)}, file)
    os._exit(0)
sys.exit(sum(os.waitpid(child, 0)[1] for child in children))
"""


class DrawnByBoth:
    """What processes 0 and 1 draw at each step, in one batch."""

    offers, description = crops().offers, "crops of two processes"

    def __init__(self, seed):
        self.seed, self.step = seed, 0

    def draw(self, needs, generator, progress):
        halves = []
        for process in (0, 1):
            generator.manual_seed(seeds(self.seed, process, self.step)[0])
            halves.append(crops().draw(needs, generator, progress))
        self.step += 1
        return Batch(
            generator, progress, **{part: torch.cat([getattr(half, part) for half in halves]) for part in needs}
        )


class HalfByHalf(Noise2Clean):
    """Sees the halves of a batch one after the other, each normalised by itself, as two processes do."""

    def loss(self, batch):
        halves = zip(batch.noisy.chunk(2), batch.clean.chunk(2), strict=True)
        return sum(((self.network(noisy) - clean) ** 2).mean() for noisy, clean in halves) / 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_two_processes_train_one_network_as_one_process_does(tmp_path):
    command = [sys.executable, "-c", TWO_PROCESSES, tmp_path]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr[-2000:]
    first, second = (json.loads((tmp_path / f"rank{rank}").read_text()) for rank in (0, 1))
    assert first["total"] == second["total"] and first["noted"] == second["noted"] == 1
    assert (tmp_path / "checkpoint").exists()
    options, alone = {"steps": 20, "learning_rate": 3e-3, "seed": 3, "precision": "float32"}, []
    fit(method(HalfByHalf), DrawnByBoth(seed=3), device="cpu", **options, on_step=lambda s, loss, m: alone.append(loss))
    together = np.mean([first["losses"], second["losses"]], axis=0)
    assert first["losses"] != second["losses"] and together[-1] < 0.8 * together[0]
    assert np.abs(together - alone).max() < 1e-5


class Breaking(Noise2Clean):
    """Gives a loss that is not a number from step 70 on."""

    calls = 0

    def loss(self, batch):
        self.calls += 1
        return super().loss(batch) * (math.nan if self.calls > 70 else 1)


def test_a_loss_that_is_not_a_number_stops_and_keeps_the_last_good_state(tmp_path):
    path = tmp_path / "run.safetensors"
    broken = method(kind=Breaking)
    with pytest.raises(Diverged, match=r"the loss .* at step 71; .*weights of step 70.*holds an earlier state"):
        fit(broken, crops(), steps=300, checkpoint=path, save_every=0)
    assert weights(broken).isfinite().all() and not broken.training
    assert fit(method(kind=Noise2Clean), crops(), steps=1).last_step == 1  # and another one is not troubled


@pytest.mark.parametrize("clip", [None, 1.0])
def test_a_learning_rate_that_diverges_is_told(clip):
    trained = Noise2Clean(nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 1, 3, padding=1)))
    with pytest.raises(Diverged, match="lower learning rate"):
        fit(trained, crops(), steps=400, learning_rate=1e30, ramp_up=0, clip=clip)
    assert weights(trained).isfinite().all()


def test_the_schedule_is_the_papers():
    assert rate(0, 0.1, 0.3) == 0
    assert rate(0.05, 0.1, 0.3) == pytest.approx(0.5)
    assert rate(0.5, 0.1, 0.3) == 1
    assert rate(0.85, 0.1, 0.3) == pytest.approx(0.25)
    assert rate(1, 0.1, 0.3) == pytest.approx(0)
    assert rate(0, 0, 0) == rate(1, 0, 0) == 1


class NeedsALevel(Noise2Clean):
    needs = frozenset({"noisy", "parameter"})


def test_missing_parts_are_named_before_anything_is_trained(rng):
    measured = Crops([rng.random((20, 20)).astype(np.float32)], size=16)
    for kind, message in [
        (Noise2Clean, "Noise2Clean needs clean, but these batches offer only noisy"),
        (Noise2Noise, "Noise2Noise needs second_noisy"),
        (NeedsALevel, "NeedsALevel needs parameter"),
    ]:
        with pytest.raises(ValueError, match=message):
            fit(method(kind=kind), measured, steps=10)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 0}, "at least one step; 0"),
        ({"steps": -5}, "at least one step"),
        ({"steps": 2.5}, "steps is a whole number; 2.5"),
        ({"learning_rate": 0}, "learning rate"),
        ({"learning_rate": math.nan}, "learning rate"),
        ({"ramp_up": 1.5}, "ramps"),
        ({"ramp_down": -0.1}, "ramps"),
        ({"average": 1}, "decay"),
        ({"clip": 0}, "norm > 0"),
        ({"clip": math.nan}, "norm > 0"),
        ({"device": "tpu"}, "tpu"),
        ({"precision": "float16"}, "float16"),
        ({"monitor_every": 0}, "monitor_every"),
        ({"monitor_every": 2.5}, "monitor_every is a whole number; 2.5"),
        ({"devices": 0}, "devices"),
        ({"seed": -1}, "seed"),
    ],
)
def test_impossible_settings_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        fit(method(), crops(), **{"steps": 10} | wrong)


def test_weights_of_another_precision_are_refused():
    with pytest.raises(ValueError, match=r"learn in float32; some of these are torch.float64: call .float\(\)"):
        fit(method().double(), crops(), steps=1)


def test_progress_shows_loss_psnr_and_time_left(capsys):
    fit(method(network=lambda: BabyUNet(1, 4)), crops(), steps=60, progress=True, monitor=lambda m: 21.5)
    shown = capsys.readouterr().err
    assert "60/60" in shown and "loss=" in shown and "PSNR=21.50 dB" in shown
    fit(method(), crops(), steps=2)
    assert capsys.readouterr().err == ""
