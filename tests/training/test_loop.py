import json
import math
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from conftest import ROOT
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from dnlib.methods import Noise2Clean, Noise2Noise, Noise2Self, Noise2Void
from dnlib.networks import BabyUNet, DnCNN, Noise2CleanUNet
from dnlib.noise import Gaussian
from dnlib.training.checkpoints import State
from dnlib.training.crops import Crops
from dnlib.training.loop import Diverged, computes_in_bfloat16, fit, rate


@pytest.fixture
def batches(rng):
    from dnlib.images.arrays import photo

    return Crops([photo("camera")[::4, ::4], photo("coins")[::2, ::2]], Gaussian(25), size=16)


def method(width=6, kind=Noise2Clean, start=0, **options):
    torch.manual_seed(start)
    return kind(Noise2CleanUNet(1, width), **options)


def weights(method):
    return torch.cat([tensor.flatten().float() for tensor in method.state_dict().values()])


def test_training_lowers_the_loss_and_notes_it(batches):
    seen = []
    trained = method()
    history = fit(
        trained,
        batches,
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


def test_equal_seeds_give_equal_weights_and_others_do_not(batches):
    results = []
    for seed in (0, 0, 1):
        trained = method()
        fit(trained, batches, steps=20, seed=seed)
        results.append(weights(trained))
    assert torch.equal(results[0], results[1]) and not torch.equal(results[0], results[2])


def with_norms(start=0):
    torch.manual_seed(start)
    return Noise2Self(BabyUNet(1, 4))


def test_monitoring_changes_nothing(batches):
    plain, watched = with_norms(), with_norms()
    fit(plain, batches, steps=100)
    look = torch.rand(1, 1, 20, 20)
    fit(watched, batches, steps=100, monitor=lambda m: float(m.mixed(look, 25).mean.mean()), monitor_every=50)
    assert torch.equal(weights(plain), weights(watched))


@pytest.mark.parametrize(("every", "steps"), [(33, [33, 66, 99, 120]), (60, [60, 120]), ([1, 2, 64], [1, 2, 64, 120])])
def test_monitoring_happens_exactly_when_asked_for(batches, every, steps):
    history = fit(method(), batches, steps=120, monitor=lambda m: 1.0, monitor_every=every)
    assert [step for step, _ in history.psnr] == steps
    assert [entry["steps"] for entry in history.curve(1000)] == [1000 + step for step in steps]


def test_a_slow_training_is_saved_between_its_notes(batches, tmp_path):
    def stop(m):
        raise KeyboardInterrupt

    path = tmp_path / "run.safetensors"
    with pytest.raises(KeyboardInterrupt):
        fit(method(), batches, steps=120, checkpoint=path, save_every=0, monitor=stop, monitor_every=[8])
    with safe_open(path, "pt") as file:
        assert json.loads(file.metadata()["history"])["steps"][-1] == 7


@pytest.mark.parametrize("make", [method, with_norms])
@pytest.mark.parametrize("precision", ["auto", "float32"])
def test_an_interrupted_training_goes_on_to_the_same_weights(batches, tmp_path, make, precision):
    straight, interrupted, resumed = make(start=0), make(start=0), make(start=1)
    path = tmp_path / "here" / "run.safetensors"
    whole = fit(straight, batches, steps=170, precision=precision)

    def stop_at_150(m):
        raise KeyboardInterrupt

    settings = {"steps": 170, "checkpoint": path, "precision": precision}
    with pytest.raises(KeyboardInterrupt):
        fit(interrupted, batches, **settings, save_every=0, monitor=stop_at_150, monitor_every=150)
    history = fit(resumed, batches, **settings)
    assert torch.equal(weights(straight), weights(resumed))
    assert history.steps[-1] == 170 and history.losses[-1] == whole.losses[-1]


KILLED = """
import sys, torch
from pathlib import Path
from dnlib.batches import Crops
from dnlib.images import photo
from dnlib.methods import Noise2Noise
from dnlib.networks import Noise2CleanUNet
from dnlib.noise import Gaussian
from dnlib.training import fit
torch.manual_seed(int(sys.argv[3]))
torch.set_num_threads(1)
method = Noise2Noise(Noise2CleanUNet(1, 6))
batches = Crops([photo("camera")[::4, ::4]], Gaussian(25), size=16)
fit(method, batches, steps=600, checkpoint=Path(sys.argv[1]), save_every=0, progress=False)
from safetensors.torch import save_file
save_file({k: v.contiguous() for k, v in method.state_dict().items()}, sys.argv[2])
"""


def test_a_training_killed_with_sigkill_goes_on_to_the_same_weights(tmp_path):
    def start(name, seed=0):
        arguments = [tmp_path / f"{name}.checkpoint", tmp_path / name, str(seed)]
        return subprocess.Popen([sys.executable, "-c", KILLED, *arguments], cwd=ROOT, env=os.environ)

    assert start("straight").wait(240) == 0
    victim = start("resumed")
    checkpoint = tmp_path / "resumed.checkpoint"
    while not checkpoint.exists() and victim.poll() is None:
        time.sleep(0.01)
    victim.send_signal(signal.SIGKILL)
    assert victim.wait() == -signal.SIGKILL
    assert not (tmp_path / "resumed").exists()
    assert start("resumed", seed=1).wait(240) == 0  # other weights to begin with: they must come from the checkpoint
    assert (tmp_path / "resumed").read_bytes() == (tmp_path / "straight").read_bytes()


def test_a_checkpoint_of_another_training_is_refused_by_name(batches, tmp_path):
    path = tmp_path / "run.safetensors"
    fit(method(), batches, steps=50, checkpoint=path)
    before = path.read_bytes()
    for changed, message in [
        ({"learning_rate": 1e-5}, "learning_rate was 0.0003 there and is 1e-05 here"),
        ({"steps": 60}, "steps was 50"),
        ({"seed": 3}, "seed was 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            fit(method(), batches, **{"steps": 50, "checkpoint": path} | changed)
    for other, message in [
        (method(kind=Noise2Noise), "class was 'Noise2Clean' there and is 'Noise2Noise' here"),
        (method(width=9), "in_channels was 12 there and is 18 here"),
    ]:
        with pytest.raises(ValueError, match=message):
            fit(other, batches, steps=50, checkpoint=path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (method(kind=Noise2Noise), method(kind=Noise2Noise, loss="l1"), "norm was 'l2' there and is 'l1' here"),
        (method(kind=Noise2Void), method(kind=Noise2Void, manipulator="median"), "manipulator was 'uniform_withCP'"),
        (method(kind=Noise2Void), method(kind=Noise2Void, struct=[1, 1, 1]), "offsets was None there"),
        (method(kind=Noise2Self), method(kind=Noise2Self, masks="random"), "masks was 'grid' there"),
        (Noise2Clean(DnCNN(1, 3, 4)), Noise2Clean(DnCNN(1, 3, 4, residual=False)), "network.residual was True"),
    ],
)
def test_options_without_weights_of_their_own_count_too(batches, tmp_path, first, second, message):
    path = tmp_path / "run.safetensors"
    fit(first, batches, steps=1, checkpoint=path)
    with pytest.raises(ValueError, match=message):
        fit(second, batches, steps=1, checkpoint=path)


def test_half_a_checkpoint_is_refused(batches, tmp_path):
    path = tmp_path / "run.safetensors"
    fit(method(), batches, steps=50, checkpoint=path)
    with safe_open(path, "pt") as file:
        words = file.metadata()
    tensors = {name: tensor for name, tensor in load_file(path).items() if not name.startswith("average")}
    save_file(tensors, path, words)
    with pytest.raises(ValueError, match=r"another architecture.* is missing there"):
        fit(method(), batches, steps=50, checkpoint=path)


TWO_PROCESSES = """
import os, sys, torch
from dnlib.batches import Crops
from dnlib.images import photo
from dnlib.methods import Noise2Clean
from dnlib.networks import Noise2CleanUNet
from dnlib.noise import Gaussian
from dnlib.training import fit
from pathlib import Path
torch.manual_seed(0)
method = Noise2Clean(Noise2CleanUNet(1, 6))
batches = Crops([photo("camera")[::4, ::4]], Gaussian(25), size=16)
folder = Path(sys.argv[1])
history = fit(method, batches, steps=20, device="cpu", devices=2, checkpoint=folder / "c.safetensors", progress=False)
total = sum(float(p.double().abs().sum()) for p in method.parameters())
(folder / f"rank{os.environ.get('LOCAL_RANK', 0)}").write_text(f"{total:.12g} {len(history.losses)}")
"""


def test_two_processes_train_one_network(tmp_path):
    script = tmp_path / "two.py"
    script.write_text(TWO_PROCESSES)
    result = subprocess.run([sys.executable, script, tmp_path], cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert result.returncode == 0, result.stderr[-2000:]
    first, second = (tmp_path / "rank0").read_text(), (tmp_path / "rank1").read_text()
    assert first == second and first.endswith(" 1")
    assert (tmp_path / "c.safetensors").exists()


def test_compiling_is_an_option(batches, monkeypatch):
    compiled = []
    monkeypatch.setattr(Noise2CleanUNet, "compile", lambda network: compiled.append(network))
    fit(trained := method(), batches, steps=2, compile=True)
    assert compiled == [trained.network]


class NeedsALevel(Noise2Clean):
    needs = frozenset({"noisy", "parameter"})


def test_a_missing_noise_parameter_is_named(rng):
    measured = Crops([rng.random((20, 20)).astype(np.float32)], size=16)
    with pytest.raises(ValueError, match="NeedsALevel needs parameter"):
        fit(method(kind=NeedsALevel), measured, steps=1)


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_damaged_checkpoint_is_refused(batches, tmp_path, content):
    path = tmp_path / "run.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="not a checkpoint or is damaged"):
        fit(method(), batches, steps=50, checkpoint=path)


def test_a_truncated_checkpoint_is_refused(batches, tmp_path):
    path = tmp_path / "run.safetensors"
    fit(method(), batches, steps=50, checkpoint=path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="not a checkpoint or is damaged"):
        fit(method(), batches, steps=50, checkpoint=path)


class Breaking(Noise2Clean):
    """Gives a loss that is not a number from step 70 on."""

    calls = 0

    def loss(self, batch):
        self.calls += 1
        return super().loss(batch) * (math.nan if self.calls > 70 else 1)


def test_a_loss_that_is_not_a_number_stops_and_keeps_the_last_good_state(batches, tmp_path):
    path = tmp_path / "run.safetensors"
    broken = method(kind=Breaking)
    with pytest.raises(Diverged, match=r"at step 70; .*weights of step 70.*holds an earlier state"):
        fit(broken, batches, steps=300, checkpoint=path, save_every=0)
    assert weights(broken).isfinite().all()
    assert all(tensor.isfinite().all() for tensor in load_file(path).values())


def test_a_learning_rate_that_diverges_is_told(batches):
    trained = Noise2Clean(nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 1, 3, padding=1)))
    with pytest.raises(Diverged, match="lower learning rate"):
        fit(trained, batches, steps=400, learning_rate=1e30, ramp_up=0)
    assert weights(trained).isfinite().all()


def test_the_average_is_of_the_weights():
    module = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(module.weight)
    state = State(module, torch.optim.Adam(module.parameters()), 0.9)
    nn.init.ones_(module.weight)
    for step in range(1000, 1010):
        state.update_average(step)
    assert state.average["weight"].item() == pytest.approx(1 - 0.9**10)
    with state.averaged():
        assert module.weight.item() == pytest.approx(1 - 0.9**10)
    assert module.weight.item() == 1


def test_counters_are_copied_not_averaged(batches):
    trained = Noise2Clean(DnCNN(1, 3, 4))
    fit(trained, batches, steps=50)
    assert trained.network.layers[3].num_batches_tracked == 50


def test_the_schedule_is_the_papers():
    assert rate(0, 0.1, 0.3) == 0
    assert rate(0.05, 0.1, 0.3) == pytest.approx(0.5)
    assert rate(0.5, 0.1, 0.3) == 1
    assert rate(0.85, 0.1, 0.3) == pytest.approx(0.25)
    assert rate(1, 0.1, 0.3) == pytest.approx(0)
    assert rate(0, 0, 0) == rate(1, 0, 0) == 1


def test_precision_follows_the_hardware(batches):
    assert isinstance(computes_in_bfloat16("cpu"), bool)
    chosen = fit(method(), batches, steps=1, device="cpu").precision
    assert chosen == ("bf16-mixed" if computes_in_bfloat16("cpu") else "32-true")
    assert fit(method(), batches, steps=1, precision="float32").precision == "32-true"
    with pytest.raises(ValueError, match="float16"):
        fit(method(), batches, steps=1, precision="float16")


def test_missing_images_are_named_before_anything_is_trained(rng):
    measured = Crops([rng.random((20, 20)).astype(np.float32)], size=16)
    with pytest.raises(ValueError, match="Noise2Clean needs clean, but these batches offer only noisy"):
        fit(method(), measured, steps=10)
    with pytest.raises(ValueError, match="Noise2Noise needs second_noisy"):
        fit(method(kind=Noise2Noise), measured, steps=10)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 0}, "at least one step; 0"),
        ({"steps": -5}, "at least one step"),
        ({"learning_rate": 0}, "learning rate"),
        ({"learning_rate": math.nan}, "learning rate"),
        ({"ramp_up": 1.5}, "ramps"),
        ({"ramp_down": -0.1}, "ramps"),
        ({"average": 1}, "decay"),
        ({"device": "tpu"}, "tpu"),
        ({"monitor_every": 0}, "monitor_every"),
        ({"devices": 0}, "devices"),
        ({"seed": -1}, "seed"),
    ],
)
def test_impossible_settings_are_refused(batches, wrong, message):
    with pytest.raises(ValueError, match=message):
        fit(method(), batches, **{"steps": 10} | wrong)


def test_progress_shows_loss_psnr_and_time_left(batches, capsys):
    fit(method(), batches, steps=60, progress=True, monitor=lambda m: 21.5, monitor_every=50)
    shown = capsys.readouterr().err
    assert "60/60" in shown and "loss=" in shown and "PSNR=21.50 dB" in shown
    fit(method(), batches, steps=60)
    assert capsys.readouterr().err == ""
