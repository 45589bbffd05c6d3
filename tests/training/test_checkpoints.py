import json
import os
import subprocess
import sys

import pytest
import torch
from little import Stop, crops, method, stop_at, weights
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from dnlib.images import ROOT
from dnlib.methods import Noise2Clean, Noise2Noise, Noise2Self, Noise2Void
from dnlib.networks import BabyUNet, DnCNN, Noise2CleanUNet
from dnlib.training import fit
from dnlib.training.checkpoints import State


def u_net():
    return Noise2CleanUNet(1, 6, depth=2)


def with_dropout():
    return nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.Dropout(0.5), nn.Conv2d(8, 1, 3, padding=1))


def tied():
    """One layer that stands in two places."""
    layer = nn.Conv2d(1, 1, 3, padding=1)
    return nn.Sequential(layer, nn.ReLU(), layer)


@pytest.mark.parametrize(
    ("kind", "network"),
    [(Noise2Noise, u_net), (Noise2Self, lambda: BabyUNet(1, 4)), (Noise2Clean, with_dropout), (Noise2Clean, tied)],
)
@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
def test_an_interrupted_training_goes_on_to_the_same_weights(tmp_path, kind, network, precision):
    straight, interrupted, resumed = (method(kind, start, network) for start in (0, 0, 1))
    path = tmp_path / "here" / "run.safetensors"
    whole = fit(straight, crops(), steps=25, precision=precision, average=0.9)

    def stop(m):
        raise KeyboardInterrupt

    settings = {"steps": 25, "checkpoint": str(path), "precision": precision, "average": 0.9}
    with pytest.raises(KeyboardInterrupt):
        fit(interrupted, crops(), **settings, save_every=0, monitor=stop, monitor_every=16)
    history = fit(resumed, crops(), **settings)
    assert torch.equal(weights(straight), weights(resumed))
    assert history.steps[-1] == 25 and whole.last_step == 25


def test_a_disk_that_fills_up_leaves_the_checkpoint_that_was_there(tmp_path, full_disk):
    path, trained = tmp_path / "run.safetensors", method()
    with pytest.raises(Stop):
        fit(trained, crops(), steps=9, checkpoint=path, on_step=stop_at(2))
    before = path.read_bytes()
    full_disk(".safetensors")
    with pytest.raises(OSError, match=r"run\.safetensors was not written: the disk is full; make room"):
        fit(trained, crops(), steps=9, checkpoint=path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path] and not trained.training


def test_a_slow_training_is_saved_between_its_notes(tmp_path):
    def stop(m):
        raise KeyboardInterrupt

    path = tmp_path / "run.safetensors"
    with pytest.raises(KeyboardInterrupt):
        fit(method(), crops(), steps=120, checkpoint=path, save_every=0, monitor=stop, monitor_every=[8])
    with safe_open(path, "pt") as file:
        assert json.loads(file.metadata()["history"])["steps"][-1] == 7


KILLED = """
import os, random, signal, sys, time
sys.path.insert(0, "tests/training")
import torch
from safetensors.torch import save_file
from little import crops, method
from dnlib.training import fit

torch.set_num_threads(1)
folder = sys.argv[1]

def start(name, seed):
    if child := os.fork():
        return child
    trained = method(start=seed)
    fit(trained, crops(), steps=60, checkpoint=f"{folder}/{name}.checkpoint", save_every=0, progress=False)
    save_file({k: v.contiguous() for k, v in trained.state_dict().items()}, f"{folder}/{name}")
    os._exit(0)

began = time.perf_counter()
assert os.waitpid(start("straight", 0), 0)[1] == 0
took, moments, killed = time.perf_counter() - began, random.Random(0), 0
for turn in range(10):
    victim = start("resumed", turn)  # but for the first other weights to begin with: they must come from the checkpoint
    while not os.path.exists(f"{folder}/resumed.checkpoint"):
        time.sleep(0.002)
    time.sleep(moments.uniform(0, took / 6))
    os.kill(victim, signal.SIGKILL)
    killed += os.waitpid(victim, 0)[1] == signal.SIGKILL
assert killed > 0, "each time all was done before the signal came"
assert os.waitpid(start("resumed", 99), 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_a_training_killed_at_ten_moments_goes_on_to_the_same_weights(tmp_path):
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", KILLED, tmp_path], cwd=ROOT, env=environment, check=True, timeout=120)
    assert (tmp_path / "resumed").read_bytes() == (tmp_path / "straight").read_bytes()


def test_a_checkpoint_of_another_training_is_refused_by_name(tmp_path):
    path = tmp_path / "run.safetensors"
    fit(method(), crops(), steps=5, checkpoint=path)
    before = path.read_bytes()
    for changed, message in [
        ({"learning_rate": 1e-5}, "learning_rate was 0.0003 there and is 1e-05 here"),
        ({"steps": 60}, "steps was 5"),
        ({"seed": 3}, "seed was 0"),
        ({"clip": 1.0}, "clip was None there and is 1.0 here"),
    ]:
        with pytest.raises(ValueError, match=message):
            fit(method(), crops(), **{"steps": 5, "checkpoint": path} | changed)
    for other, message in [
        (method(kind=Noise2Noise), "class was 'Noise2Clean' there and is 'Noise2Noise' here"),
        (method(network=lambda: DnCNN(1, 3, 5)), "out_channels was 4 there and is 5 here"),
    ]:
        with pytest.raises(ValueError, match=message):
            fit(other, crops(), steps=5, checkpoint=path)
        assert not other.training
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
def test_options_without_weights_of_their_own_count_too(tmp_path, first, second, message):
    path = tmp_path / "run.safetensors"
    fit(first, crops(), steps=1, checkpoint=path)
    with pytest.raises(ValueError, match=message):
        fit(second, crops(), steps=1, checkpoint=path)


def test_half_a_checkpoint_is_refused(tmp_path):
    path = tmp_path / "run.safetensors"
    fit(method(), crops(), steps=5, checkpoint=path)
    with safe_open(path, "pt") as file:
        words = file.metadata()
    tensors = {name: tensor for name, tensor in load_file(path).items() if not name.startswith("average")}
    save_file(tensors, path, words)
    with pytest.raises(ValueError, match=r"another architecture.* is missing there"):
        fit(method(), crops(), steps=5, checkpoint=path)


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"\x08\0\0\0\0\0\0\0{}      ", None])
def test_a_damaged_checkpoint_is_refused(tmp_path, content):
    path = tmp_path / "run.safetensors"
    if content is None:  # cut short
        fit(method(), crops(), steps=5, checkpoint=path)
        content = path.read_bytes()[:-100]
    path.write_bytes(content)
    with pytest.raises(ValueError, match="not a checkpoint or is damaged"):
        fit(method(), crops(), steps=5, checkpoint=path)


class Fails(Noise2Clean):
    def loss(self, batch):
        raise AssertionError("a step was taken")


def test_what_cannot_be_saved_is_told_before_the_first_step(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    for path, error in [(tmp_path, FileExistsError), (file / "run.safetensors", (FileExistsError, NotADirectoryError))]:
        with pytest.raises(error):
            fit(method(Fails), crops(), steps=5, checkpoint=path)
    strange = method(Fails)
    strange.register_buffer("strange", torch.zeros(3, dtype=torch.complex128))
    with pytest.raises(ValueError, match="Fails cannot be saved in a checkpoint"):
        fit(strange, crops(), steps=5, checkpoint=tmp_path / "run.safetensors")


class Remembers(nn.Conv2d):
    def get_extra_state(self):
        return {"seen": 3}

    def set_extra_state(self, state):
        pass


def test_a_state_that_is_no_tensor_is_refused():
    with pytest.raises(ValueError, match=r"weights and buffers are tensors; network\._extra_state of Fails is none"):
        fit(method(Fails, network=lambda: Remembers(1, 1, 3, padding=1)), crops(), steps=5)


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


class Counting(Noise2Clean):
    """Puts a new tensor in the place of a buffer at each step, and a module's own weights in two places."""

    def __init__(self, network):
        super().__init__(network)
        self.register_buffer("steps", torch.zeros(()))

    def loss(self, batch):
        self.steps = self.steps + 1.0
        return super().loss(batch)


def test_buffers_are_as_they_were_last_neither_averaged_nor_stale(tmp_path):
    path = tmp_path / "run.safetensors"
    trained = method(Counting)
    statistics = []
    norm = trained.network.layers[3]
    fit(trained, crops(), steps=20, checkpoint=path, on_step=lambda *_: statistics.append(norm.running_mean.clone()))
    assert torch.equal(norm.running_mean, statistics[-1]) and norm.num_batches_tracked == 20
    assert trained.steps == 20 and load_file(path)["weights.steps"] == 20
    with pytest.raises(Stop):
        fit(method(Counting), crops(), steps=20, checkpoint=tmp_path / "other", on_step=stop_at(9))
    fit(resumed := method(Counting), crops(), steps=20, checkpoint=tmp_path / "other")
    assert torch.equal(weights(resumed), weights(trained))
