import importlib
import os
import pickle
import re
import subprocess
import sys
from collections import OrderedDict

import numpy as np
import pytest
import torch
import yaml

from dnlib.images import ROOT, refused
from dnlib.methods import APBSN, Noise2Clean
from dnlib.networks import DilatedBlindSpot, Noise2CleanUNet
from dnlib.noise import CorrelatedGaussian, Gaussian
from dnlib.zoo import cards, recipes

CARD = {
    "method": "Noise2Clean",
    "method_arguments": {},
    "network": "Noise2CleanUNet",
    "network_arguments": {"channels": 3, "width": 6, "bias": False},
    "command": "dnlib train x",
}
DILATED = {"network_arguments": {"channels": 1, "width": 4, "blocks": 1}}


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(0)
    method = Noise2Clean(Noise2CleanUNet(3, 6, bias=False))
    cards.save_method(method, tmp_path / "x.safetensors", CARD)
    return method, tmp_path / "x.safetensors"


def test_what_was_saved_is_loaded_to_half_precision(saved):
    method, path = saved
    image = torch.rand(1, 3, 20, 30)
    loaded = cards.load_method(path)
    assert not loaded.training and next(loaded.parameters()).dtype == torch.float32
    assert torch.allclose(loaded.denoise(image).mean, method.denoise(image).mean, atol=2e-3)
    assert path.stat().st_size < 2.2 * sum(parameter.numel() for parameter in method.parameters()) + 8000
    assert cards.read_card(path)["bytes"] == path.stat().st_size


@pytest.mark.parametrize("tamper", [lambda b: b[:-10], lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda b: b""])
def test_a_truncated_or_tampered_file_is_refused(saved, tamper):
    _, path = saved
    path.write_bytes(tamper(path.read_bytes()))
    with pytest.raises(ValueError, match=r"not the file its card describes.*dnlib train x"):
        cards.load_method(path)


def test_a_pickle_is_never_loaded(saved):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was loaded",))

    _, path = saved
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ValueError, match="not the file"):
        cards.load_method(path)
    import hashlib

    card = cards.read_card(path) | {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    path.with_suffix(".yaml").write_text(yaml.safe_dump(card))
    with pytest.raises(ValueError, match="not a safetensors file"):
        cards.load_method(path)


def test_weights_of_another_architecture_are_refused(saved):
    _, path = saved
    card = cards.read_card(path)
    card["network_arguments"]["width"] = 9
    path.with_suffix(".yaml").write_text(yaml.safe_dump(card))
    with pytest.raises(ValueError, match="another architecture"):
        cards.load_method(path)


@pytest.mark.parametrize("name", ["net_v1.2", "net_v1.2.safetensors", "net_v1.2.yaml", "v1.2/net"])
def test_a_name_with_dots_keeps_them(tmp_path, monkeypatch, name):
    method = Noise2Clean(Noise2CleanUNet(3, 6, bias=False))
    path = cards.save_method(method, tmp_path / name, CARD)
    stem = name.removesuffix(".safetensors").removesuffix(".yaml")
    files = {file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*") if file.is_file()}
    assert files == {f"{stem}.safetensors", f"{stem}.yaml"} and path == tmp_path / f"{stem}.safetensors"
    monkeypatch.setattr(cards, "HOME", tmp_path)
    for found in (stem, tmp_path / stem, path, path.with_name(f"{path.stem}.yaml")):
        if found != "v1.2/net":  # a path, and not one of what ships
            assert cards.load_method(found).network.channels == 3


def test_what_the_card_would_build_otherwise_is_told(tmp_path):
    method, path = Noise2Clean(Noise2CleanUNet(3, 6, bias=False)), tmp_path / "x"
    with pytest.raises(ValueError, match="another architecture than the card builds"):
        cards.save_method(method, path)
    with pytest.raises(ValueError, match=r"stride is 2 there and 3 in the one given.*method_arguments"):
        cards.save_method(APBSN(DilatedBlindSpot(1, 4, blocks=1), stride=3), path, DILATED)
    with pytest.raises(ValueError, match=r"do not fit Noise2CleanUNet\(channels.*'colour'"):
        cards.save_method(method, path, {"network_arguments": {"colour": 3}})
    assert list(tmp_path.iterdir()) == []
    cards.save_method(
        APBSN(DilatedBlindSpot(1, 4, blocks=1), stride=3), path, DILATED | {"method_arguments": {"stride": 3}}
    )
    assert cards.load_method(path).stride == 3


OWN = """
import torch
from torch import nn
from dnlib.methods import Noise2Noise

class Net(nn.Module):
    def __init__(self, channels=2, slope=0.1):
        super().__init__()
        self.channels = channels
        self.layers = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.LeakyReLU(slope))

    def forward(self, image):
        return self.layers(image)

class Mine(Noise2Noise):
    def __init__(self, network, share=1.0):
        super().__init__(network)
        self._share, self._asked = share, 0  # private, as a cache would be

    def estimate(self, noisy):
        self._asked += 1
        estimate = super().estimate(noisy)
        return estimate._replace(mean=self._share * estimate.mean)

def function(channels):
    return Net(channels)

class NoChannels(nn.Conv2d):
    hole = torch.ones(1, 1, dtype=torch.bool)

class NoNetwork:
    pass

class Hidden(nn.Conv2d):
    # what it was made with is in no public attribute; it takes images of a multiple of so many pixels
    def __init__(self, scale=1.0, multiple=1, noise=0.0):
        super().__init__(1, 1, 3, padding=1)
        self._scale, self._multiple, self._noise = scale, multiple, noise

    def forward(self, image):
        if image.shape[-1] % self._multiple:
            raise ValueError("not a multiple")
        return self._scale * super().forward(image) + self._noise * torch.randn_like(image)

class Shared(nn.Module):
    # weights that are tied, in half precision, and a buffer with two names
    def __init__(self):
        super().__init__()
        self.first, self.second = (nn.Conv2d(1, 1, 3, padding=1).half() for _ in range(2))
        self.second.weight = self.first.weight
        self.register_buffer("order", torch.arange(5))
        self.register_buffer("again", self.order)

    def forward(self, image):
        return self.second(self.first(image))
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module of one's own, and the path of a method of its classes."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "own_nets.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path / "code")
    own = importlib.import_module("own_nets")
    path = cards.save_method(own.Mine(own.Net(2, 0.3)), tmp_path / "own", {"network_arguments": {"slope": 0.3}})
    yield own, path
    sys.modules.pop("own_nets", None)


def test_networks_and_methods_of_one_s_own_are_imported_only_when_asked_for(own):
    module, path = own
    card = cards.read_card(path)
    assert (card["method"], card["network"]) == ("own_nets:Mine", "own_nets:Net")
    sys.modules.pop("own_nets")
    with pytest.raises(ValueError, match=r"own_nets:Mine, which is not dnlib's.*trust=True"):
        cards.load_method(path)
    assert "own_nets" not in sys.modules
    loaded, image = cards.load_method(path, trust=True), torch.rand(1, 2, 9, 11)
    assert type(loaded).__qualname__ == "Mine" and loaded.network.layers[1].negative_slope == 0.3
    assert loaded.denoise(image).mean.shape == image.shape
    with pytest.raises(ValueError, match=r"negative_slope is 0.1 there and 0.3 in the one given"):
        cards.save_method(module.Mine(module.Net(2, 0.3)), path)


def test_what_answers_otherwise_is_told_though_no_public_attribute_differs(own, tmp_path):
    module, _ = own
    for method in (module.Mine(module.Hidden(5.0)), module.Mine(module.Hidden(), 5.0)):
        with pytest.raises(ValueError, match=r"with the same weights it answers otherwise.*network_arguments"):
            cards.save_method(method, tmp_path / "x")
    method = module.Mine(module.Hidden(), 5.0)
    method.denoise(torch.rand(1, 1, 9, 9))  # what it remembers of this is no other method
    path = cards.save_method(method, tmp_path / "x", {"method_arguments": {"share": 5.0}})
    assert cards.load_method(path, trust=True)._share == 5.0
    state = torch.get_rng_state()
    for arguments in ({"scale": 5.0}, {"noise": 1.0}, {"scale": 5.0, "multiple": 32}, {"scale": 5.0, "multiple": 48}):
        method = module.Mine(module.Hidden(**arguments)).train()
        torch.set_rng_state(state)
        path = cards.save_method(method, tmp_path / "x", {"network_arguments": arguments})
        assert torch.equal(torch.get_rng_state(), state) and method.training
        assert cards.load_method(path, trust=True).network._scale == arguments.get("scale", 1.0)


def test_tied_weights_and_buffers_of_two_names_are_stored(own, tmp_path):
    module, _ = own
    method, image = module.Mine(module.Shared()), torch.rand(1, 1, 9, 9)
    loaded = cards.load_method(cards.save_method(method, tmp_path / "x"), trust=True)
    assert torch.equal(loaded.network.second.weight, loaded.network.first.weight)
    assert torch.equal(loaded.network.again, torch.arange(5))
    assert torch.allclose(loaded.denoise(image).mean, method.float().denoise(image).mean, atol=1e-2)


def test_whatever_else_should_be_known_is_written(tmp_path):
    card = {
        "held_out": np.float64(30.5), "runs": np.int64(3), "curve": np.array([1.0, 2.0]), "data": tmp_path,
        "noise": Gaussian(25), "sizes": (1, 2), "more": OrderedDict(a=torch.tensor(2)), "class": Gaussian,
    }  # fmt: skip
    arguments = {"network_arguments": {"channels": np.int64(3), "width": 6, "bias": np.bool_(False)}}
    path = cards.save_method(Noise2Clean(Noise2CleanUNet(3, 6, bias=False)), tmp_path / "x", card | arguments)
    known = cards.read_card(path)
    assert {name: known[name] for name in card} == {
        "held_out": 30.5, "runs": 3, "curve": [1.0, 2.0], "data": str(tmp_path),
        "noise": "Gaussian(25)", "sizes": [1, 2], "more": {"a": 2}, "class": str(Gaussian),
    }  # fmt: skip
    assert cards.load_method(path).network.channels == 3


@pytest.mark.parametrize(
    ("key", "name", "message"),
    [
        ("network", "nowhere_nets:Net", "no module nowhere_nets here; install it"),
        ("network", "own_nets.inside:Net", "no module own_nets.inside here"),
        ("network", "own_nets:Nat", "own_nets has no Nat"),
        ("network", "own_nets:", "own_nets has no "),
        ("network", ":Net", "the network :Net; an import path is written like package.module:Class"),
        ("method", "..own_nets:Mine", "an import path is written like package.module:Class"),
        ("network", "own_nets:function", "no class derived from torch.nn.Module"),
        ("network", "own_nets:NoNetwork", "no class derived from torch.nn.Module"),
        ("method", "own_nets:Net", "no class derived from dnlib.methods.Method"),
        ("network", "Net", "there is no network 'Net'; there are: BabyUNet, .*package.module:Class"),
        ("network", "half_plane", "there is no network 'half_plane'"),
        ("network", "diamond", "there is no network 'diamond'"),
        ("method", "outputs", "there is no method 'outputs'"),
    ],
)
def test_an_import_path_that_leads_nowhere_is_told(own, key, name, message):
    _, path = own
    card = cards.read_card(path)
    path.with_suffix(".yaml").write_text(yaml.safe_dump(card | {key: name}))
    with pytest.raises(ValueError, match=message):
        cards.load_method(path, trust=True)


def test_a_network_without_channels_is_told_where_the_method_counts_them(own):
    _, path = own
    arguments = {"in_channels": 2, "out_channels": 2, "kernel_size": 1}
    card = cards.read_card(path) | {"network": "own_nets:NoChannels", "network_arguments": arguments}
    path.with_suffix(".yaml").write_text(yaml.safe_dump(card | {"method": "APBSN"}))
    with pytest.raises(ValueError, match="NoChannels does not say for how many channels it is: give it `channels`"):
        cards.load_method(path, trust=True)


def test_a_module_with_an_error_of_its_own_keeps_it(own):
    _, path = own
    (path.parent / "code" / "broken_nets.py").write_text("import a_module_that_is_missing")
    path.with_suffix(".yaml").write_text(yaml.safe_dump(cards.read_card(path) | {"network": "broken_nets:Net"}))
    with pytest.raises(ModuleNotFoundError, match="a_module_that_is_missing"):
        cards.load_method(path, trust=True)


def test_what_nobody_can_import_again_is_not_saved(tmp_path):
    class Local(Noise2CleanUNet):
        pass

    with pytest.raises(ValueError, match="move it into a module"):
        cards.save_method(Noise2Clean(Local(3, 6)), tmp_path / "x")


def teacher(network, **arguments):
    return {"network": network, "network_arguments": {"channels": 3, "width": 6} | arguments}


SSID_CARD = {
    "method": "SSID",
    "method_arguments": {
        "lan_target": "noisy",
        "bnn": teacher("BlindSpotUNet", outputs=3, depth=2, shift=3),
        "lan": teacher("LocallyAware", blocks=1),
    },
    **teacher("Noise2CleanUNet", depth=2, pointwise=0),
    "command": "dnlib train x",
}


def test_a_method_of_several_networks_comes_back_whole(tmp_path):
    torch.manual_seed(0)
    method, image = cards.build(SSID_CARD), torch.rand(1, 3, 20, 30)
    for stage in method.stages:
        stage.take_as_trained()
    cards.save_method(method, tmp_path / "x.safetensors", SSID_CARD)
    loaded = cards.load_method(tmp_path / "x.safetensors")
    assert (loaded.lan.target, loaded.bnn.side) == ("noisy", 5)
    assert [int(stage.trained) for stage in loaded.stages[:2]] == [5, 5]
    for before, after in zip((*method.stages, method), (*loaded.stages, loaded), strict=True):
        assert torch.allclose(after.denoise(image).mean, before.denoise(image).mean, atol=3e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda card: card["method_arguments"]["bnn"].update(network="ResNet"), "there is no network 'ResNet'; there"),
        (lambda card: card["method_arguments"]["lan"].pop("network_arguments"), "card's lan: it lacks network_arg"),
        (lambda card: card["method_arguments"].update(bnn={}), "card's bnn: it lacks network, network_arg"),
        (lambda card: card.update(method="SSDI"), "there is no method 'SSDI'; there are"),
        (
            lambda card: card["method_arguments"]["lan"]["network_arguments"].update(width=9),
            "architecture than SSID: l",
        ),
        (lambda card: card["method_arguments"]["bnn"]["network_arguments"].update(shift=2), "hole of 5x5 pixels, and "),
    ],
)
def test_a_damaged_card_of_several_networks_is_told(tmp_path, change, message):
    method, path = cards.build(SSID_CARD), tmp_path / "x.safetensors"
    method.bnn.take_as_trained()
    cards.save_method(method, path, SSID_CARD)
    card = cards.read_card(path)
    change(card)
    path.with_suffix(".yaml").write_text(yaml.safe_dump(card))
    with pytest.raises(ValueError, match=message):
        cards.load_method(path)


def test_unknown_names_and_missing_files_are_told(saved, tmp_path):
    with pytest.raises(ValueError, match="there are no weights 'nonsense'; there are"):
        cards.load_method("nonsense")
    with pytest.raises(FileNotFoundError, match="no model card"):
        cards.load_method(tmp_path / "y.safetensors")
    saved[1].unlink()
    with pytest.raises(FileNotFoundError, match="is missing"):
        cards.load_method(saved[1])


@pytest.mark.parametrize(
    "wrong", [{"width": "6"}, {"width": -6}, {"width": 0}, {"depth": "3"}, {"depth": [3]}, {"colour": 3}, {1: 2}]
)
def test_arguments_that_build_nothing_are_told_with_the_path(saved, wrong):
    path = saved[1].with_suffix(".yaml")
    card = cards.read_card(path)
    path.write_text(yaml.safe_dump(card | {"network_arguments": card["network_arguments"] | wrong}))
    given = re.escape(str(wrong)[1:-1])
    told = rf"x\.safetensors: the card's arguments .*{given}.* do not fit Noise2CleanUNet\(channels"
    with pytest.raises(ValueError, match=told):
        cards.load_method(saved[1])


def test_a_card_is_built_only_if_it_is_whole(tmp_path):
    for key in ("method", "method_arguments", "network", "network_arguments"):
        with pytest.raises(ValueError, match=f"the card: it lacks {key}$"):
            cards.build({name: value for name, value in CARD.items() if name != key})
    with pytest.raises(ValueError, match="the card: network is 5, and no str"):
        cards.build(CARD | {"network": 5})
    with pytest.raises(ValueError, match="the card: network_arguments is None, and no dict"):
        cards.save_method(Noise2Clean(Noise2CleanUNet(3, 6)), tmp_path / "x", {"network_arguments": None})


@pytest.mark.parametrize("damage", [lambda card: card.pop("sha256"), lambda card: card.update(network="ResNet")])
def test_a_damaged_card_is_told(saved, damage):
    _, path = saved
    card = cards.read_card(path)
    damage(card)
    path.with_suffix(".yaml").write_text(yaml.safe_dump(card))
    with pytest.raises(ValueError, match=r"lacks sha256|there is no network 'ResNet'"):
        cards.load_method(path)
    for text, message in (
        (b"", "it lacks method, method_arguments, network"),
        (b"- a list", "it lacks method"),
        (b"method: [", "not a model card: while parsing"),
        (b"method: \xff", "not a model card: 'utf-8' codec"),
        (yaml.safe_dump(CARD | {"sha256": 7}).encode(), "sha256 is 7, and no str"),
        (
            yaml.safe_dump(CARD | {"sha256": "", "network_arguments": None}).encode(),
            "network_arguments is None, and no",
        ),
    ):
        path.with_suffix(".yaml").write_bytes(text)
        with pytest.raises(ValueError, match=message):
            cards.read_card(path)


def test_weights_beyond_half_precision_are_not_stored(tmp_path):
    method = Noise2Clean(Noise2CleanUNet(1, 6))
    torch.nn.init.constant_(method.network.tail[-1].bias, 1e6)
    with pytest.raises(ValueError, match="not finite in half precision"):
        cards.save_method(method, tmp_path / "x.safetensors", {"network_arguments": {"channels": 1, "width": 6}})
    assert list(tmp_path.iterdir()) == []


def test_gray_images_into_colour_weights_are_refused(saved):
    with pytest.raises(ValueError, match=r"colour images \(3 channels\); an image with 1 was given"):
        cards.load_method(saved[1]).denoise(torch.rand(1, 1, 32, 32))


def test_what_ships_has_a_recipe_and_is_not_the_same_twice():
    rows = {name for row, name in recipes.ROWS.items() if row not in ("SSID", "S-1", "S-2")}
    without_weights = {"photographs_rgb_pairs", "distilled_phones_pepper", *rows}
    assert set(cards.available()) == set(recipes.RECIPES) - without_weights
    hashes = [cards.read_card(name)["sha256"] for name in cards.available()]
    assert len(set(hashes)) == len(hashes)


@pytest.mark.parametrize("name", cards.available())
def test_what_ships_loads_is_small_and_says_where_it_comes_from(name):
    card, recipe = cards.read_card(name), recipes.RECIPES[name]
    assert card["bytes"] <= 3_000_000
    assert (card["title"], card["method"], card["network"]) == (recipe.title, recipe.method, recipe.network)
    assert card["noise"] == str(recipe.noise or "as photographed")
    instalments = cards.instalments(card)
    assert (card | {"steps": instalments[0]["steps"]}).items() >= recipes.sizes("laptop", recipe).items()
    assert card["steps"] == sum(instalment["steps"] for instalment in instalments)
    assert card["command"].startswith("dnlib train ") and not card["commit"].endswith("+")
    for known in ("data_sha256", "steps", "seconds", "device", "scores", "licence", "seed", "versions"):
        assert card[known] not in (None, "", {}), known
    method = cards.load_method(name)
    flat = torch.full((1, method.network.channels, 64, 64), 0.5)
    noise = recipe.monitored if recipe.noise else CorrelatedGaussian(20, 3)  # something like a phone's
    noisy, _ = noise.sample(flat, torch.Generator().manual_seed(0))
    left = (method.denoise(noisy).mean - flat).std() / (noisy - flat).std()
    repeats_noise = recipe.method_arguments.get("lan_target") == "noisy"  # S-2, which is there to show it
    assert left < (0.3 if recipe.noise else 0.9 if repeats_noise else 0.6)


def test_the_bias_free_weights_serve_whole_photographs_and_every_level():
    """With a deeper network they failed on images larger than the crops of their training."""
    method = cards.load_method("bias_free_rgb_sigma0to55")
    clean = torch.full((1, 3, 320, 480), 0.5)
    for sigma in (5, 50):
        noise = sigma / 255 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
        assert (method.denoise(clean + noise).mean - clean).std() < 0.2 * noise.std()


@pytest.mark.parametrize("suffix", [".safetensors", ".yaml"])
def test_publication_onto_a_disk_that_fills_up_leaves_the_pair_that_was_there(tmp_path, monkeypatch, full_disk, suffix):
    monkeypatch.setattr(cards, "HOME", tmp_path / "shipped")
    for name, width in (("old", 4), ("new", 6)):
        method = Noise2Clean(Noise2CleanUNet(1, width))
        cards.save_method(method, tmp_path / name / "x", {"network_arguments": {"channels": 1, "width": width}})
    cards.publish(tmp_path / "old" / "x.yaml")
    before = {path: path.read_bytes() for path in cards.HOME.iterdir()}
    full_disk(suffix)
    with pytest.raises(OSError, match=r"x\.\w+ was not written: the disk is full; make room") as error:
        cards.publish(tmp_path / "new" / "x.yaml")
    assert refused(error.value) and "\n" not in str(error.value)
    assert {path: path.read_bytes() for path in cards.HOME.iterdir()} == before and len(before) == 2
    cards.load_method("x")


PUBLISHING = """
import os, random, signal, sys, time
from pathlib import Path
from dnlib.methods import Noise2Noise
from dnlib.networks import BabyUNet
from dnlib.zoo import cards

folder = Path(sys.argv[1])
cards.HOME = folder / "shipped"
for name, width in (("old", 4), ("new", 24)):
    card = {"network_arguments": {"channels": 1, "width": width}}
    cards.save_method(Noise2Noise(BabyUNet(1, width)), folder / name / "net", card)
cards.publish(folder / "old" / "net.yaml")
(cards.HOME / ".0123.yaml").touch()  # as a killed process may leave it
moments = random.Random(0)
for turn in range(10):
    if not (victim := os.fork()):
        while True:
            for name in ("new", "old"):
                cards.publish(folder / name / "net.yaml")
    time.sleep(moments.uniform(0, 0.05))
    os.kill(victim, signal.SIGKILL)
    os.waitpid(victim, 0)
    assert cards.available() == ["net"], cards.available()
    try:
        cards.load_method("net")
    except ValueError as error:  # between the two files' places: known by the hash, and the same command mends it
        assert "is not the file its card describes" in str(error)
        cards.publish(folder / "old" / "net.yaml")
        cards.load_method("net")
cards.publish(folder / "new" / "net.yaml")
print(cards.read_card("net")["network_arguments"]["width"])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_publication_killed_at_ten_moments_leaves_whole_weights_or_a_pair_that_is_refused_and_mended(tmp_path):
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    options = {"cwd": ROOT, "env": environment, "capture_output": True, "text": True, "timeout": 60}
    found = subprocess.run([sys.executable, "-c", PUBLISHING, tmp_path], **options)
    assert (found.returncode, found.stdout) == (0, "24\n"), found.stderr
