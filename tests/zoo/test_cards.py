import pickle

import pytest
import torch
import yaml

from dnlib.methods import Noise2Clean
from dnlib.networks import Noise2CleanUNet
from dnlib.noise import CorrelatedGaussian
from dnlib.zoo import cards, recipes

CARD = {
    "method": "Noise2Clean",
    "method_arguments": {},
    "network": "Noise2CleanUNet",
    "network_arguments": {"channels": 3, "width": 6, "bias": False},
    "command": "dnlib train x",
}


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
        (lambda card: card["method_arguments"]["lan"].pop("network_arguments"), "of lan lacks network_arguments; a"),
        (lambda card: card["method_arguments"].update(bnn={}), "of bnn lacks network, network_arguments; a card"),
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


@pytest.mark.parametrize("damage", [lambda card: card.pop("sha256"), lambda card: card.update(network="ResNet")])
def test_a_damaged_card_is_told(saved, damage):
    _, path = saved
    card = cards.read_card(path)
    damage(card)
    path.with_suffix(".yaml").write_text(yaml.safe_dump(card))
    with pytest.raises(ValueError, match=r"lacks sha256|there is no network 'ResNet'"):
        cards.load_method(path)
    path.with_suffix(".yaml").write_text("")
    with pytest.raises(ValueError, match="not a model card"):
        cards.read_card(path)


def test_weights_beyond_half_precision_are_not_stored(tmp_path):
    method = Noise2Clean(Noise2CleanUNet(1, 6))
    torch.nn.init.constant_(method.network.tail[-1].bias, 1e6)
    with pytest.raises(ValueError, match="not finite in half precision"):
        cards.save_method(method, tmp_path / "x.safetensors", CARD)
    assert list(tmp_path.iterdir()) == []


def test_gray_images_into_colour_weights_are_refused(saved):
    with pytest.raises(ValueError, match=r"colour images \(3 channels\); an image with 1 was given"):
        cards.load_method(saved[1]).denoise(torch.rand(1, 1, 32, 32))


def test_what_ships_has_a_recipe_and_is_not_the_same_twice():
    assert set(cards.available()) == set(recipes.RECIPES)
    hashes = [cards.read_card(name)["sha256"] for name in cards.available()]
    assert len(set(hashes)) == len(hashes)


@pytest.mark.parametrize("name", cards.available())
def test_what_ships_loads_is_small_and_says_where_it_comes_from(name):
    card, recipe = cards.read_card(name), recipes.RECIPES[name]
    assert card["bytes"] <= 3_000_000
    assert (card["title"], card["method"], card["network"]) == (recipe.title, recipe.method, recipe.network)
    assert card["noise"] == str(recipe.noise or "as photographed")
    assert card.items() >= recipes.sizes("laptop", recipe).items()
    assert card["command"] == f"dnlib train {name}" and not card["commit"].endswith("+")
    for known in ("data_sha256", "steps", "seconds", "device", "scores", "licence", "seed", "versions"):
        assert card[known] not in (None, "", {}), known
    method = cards.load_method(name)
    flat = torch.full((1, 3, 64, 64), 0.5)
    noise = recipe.monitored if recipe.noise else CorrelatedGaussian(20, 3)  # something like a phone's
    noisy, _ = noise.sample(flat, torch.Generator().manual_seed(0))
    left = (method.denoise(noisy).mean - flat).std() / (noisy - flat).std()
    repeats_noise = recipe.method_arguments.get("lan_target") == "noisy"  # S-2, which is there to show it
    assert left < (0.3 if recipe.noise else 0.8 if repeats_noise else 0.6)


def test_the_bias_free_weights_serve_whole_photographs_and_every_level():
    """With a deeper network they failed on images larger than the crops of their training."""
    method = cards.load_method("bias_free_rgb_sigma0to55")
    clean = torch.full((1, 3, 320, 480), 0.5)
    for sigma in (5, 50):
        noise = sigma / 255 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
        assert (method.denoise(clean + noise).mean - clean).std() < 0.2 * noise.std()
