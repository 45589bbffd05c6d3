"""The network as a candidate of `dnlib.denoise`, with a quickly made stand-in for the shipped weights."""

import numpy as np
import pytest
import torch

import dnlib
from dnlib.denoiser import BLIND_SPOT, CANDIDATES, UNCHANGED, learned
from dnlib.denoiser.candidates import BLIND_SPOT_WEIGHTS
from dnlib.images import read
from dnlib.images.arrays import photo, to_tensor
from dnlib.methods import BlindSpotBayes
from dnlib.networks import TwoWayBlindSpotUNet
from dnlib.zoo import cards

PHOTO = photo("astronaut")[60:140, 160:250]
NOISY = PHOTO + 25 / 255 * np.random.default_rng(0).standard_normal(PHOTO.shape).astype(np.float32)
CARD = {
    "method": "BlindSpotBayes",
    "method_arguments": {"noise": "Gaussian((5, 50))", "parameter": "per_image", "estimator_width": 4},
    "network": "TwoWayBlindSpotUNet",
    "network_arguments": {"channels": 3, "width": 4},
    "command": "dnlib train nothing",
}


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """A method that knows nothing and says so, but for the noise level: its prior is wide, its loss bad."""
    torch.manual_seed(0)
    monkeypatch.setattr(cards, "HOME", tmp_path)
    method = BlindSpotBayes(TwoWayBlindSpotUNet(3, 4), "Gaussian((5, 50))", parameter="per_image", estimator_width=4)
    last = method.network.join[-1]
    torch.nn.init.zeros_(last.weight)
    last.bias.data = torch.tensor([0.5, 0.5, 0.5, 0.3, 0.0, 0.0, 0.3, 0.0, 0.3])
    cards.save_method(method, tmp_path / f"{BLIND_SPOT_WEIGHTS}.safetensors", CARD)
    return method


def test_it_is_asked_for_by_name_alone(stand_in):
    _, choice = dnlib.denoise(NOISY, return_choice=True)
    assert BLIND_SPOT not in choice.risks and choice.uncertainty is None
    assert not any(CANDIDATES[name].weights for name in choice.risks if name != UNCHANGED)  # no other weights are there


def test_asked_for_it_gives_posterior_and_uncertainty_in_the_units_of_the_image(stand_in):
    result, choice = dnlib.denoise(NOISY * 1000, filter="blind_spot", return_choice=True)
    span = NOISY.max() - NOISY.min()
    unit = to_tensor((NOISY - NOISY.min()) / span)
    expected = stand_in.estimate(unit, torch.tensor([choice.noise / span / 1000]))
    assert np.allclose(result / 1000, to_array(expected.mean) * span + NOISY.min(), atol=3e-3)
    assert np.allclose(choice.uncertainty / 1000, to_array(expected.std) * span, atol=3e-3)
    assert choice.setting["sigma"] == pytest.approx(choice.noise, rel=1e-6)
    assert choice.uncertainty_kind == "posterior" and choice.doubt == "as the network states it"


def test_large_images_are_worked_through_in_tiles(stand_in, monkeypatch):
    monkeypatch.setattr(learned, "SIDE", 32)
    in_tiles = CANDIDATES[BLIND_SPOT].filter(NOISY, 0.1)
    monkeypatch.setattr(learned, "SIDE", 1024)
    np.testing.assert_allclose(in_tiles, CANDIDATES[BLIND_SPOT].filter(NOISY, 0.1), atol=1e-5)


def test_the_network_is_read_once(stand_in, monkeypatch):
    first = dnlib.denoise(NOISY, filter="blind_spot", device="cpu")
    monkeypatch.setattr(cards, "load_method", None)
    np.testing.assert_array_equal(dnlib.denoise(NOISY, filter="blind_spot", device="cpu"), first)


def to_array(tensor):
    return tensor.detach()[0].permute(1, 2, 0).numpy()


def test_a_stack_gives_a_stack(stand_in):
    result, choice = dnlib.denoise(np.stack([NOISY, NOISY[::-1]]), filter="blind_spot", return_choice=True)
    assert result.shape == choice.uncertainty.shape == (2, *NOISY.shape)


def test_gray_images_and_missing_weights_are_refused(stand_in, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"images of 3 colours; this one has 1"):
        dnlib.denoise(NOISY[..., 0], filter="blind_spot")
    monkeypatch.setattr(cards, "HOME", tmp_path / "empty")
    with pytest.raises(ValueError, match="no weights 'blind_spot_rgb_sigma5to50_unknown_long'"):
        dnlib.denoise(NOISY, filter="blind_spot")


def test_the_command_writes_the_uncertainty(stand_in, tmp_path):
    from click.testing import CliRunner

    from dnlib.cli import main

    def call(*arguments):
        return CliRunner().invoke(main, ["denoise", *map(str, arguments)])

    image, out, std = tmp_path / "in.npy", tmp_path / "out.npy", tmp_path / "std.tif"
    np.save(image, NOISY)
    result = call(image, "-o", out, "--filter", "blind_spot", "--uncertainty", std)
    assert result.exit_code == 0, result.output
    found = read(std).pixels
    assert found.shape == NOISY.shape and found.dtype == np.float32 and (found > 0).all()
    for arguments, message in (
        (["--uncertainty", tmp_path / "a.png", "--filter", "blind_spot"], "a .npy or .tif file of its own"),
        (["--uncertainty", std, "--filter", "blind_spot"], "exists"),
    ):
        result = call(image, "-o", tmp_path / "b.npy", *arguments)
        assert result.exit_code == 2 and message in " ".join(result.output.split()), result.output
        assert not (tmp_path / "b.npy").exists()
