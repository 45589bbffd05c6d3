"""The network as a candidate of `dnlib.denoise`, with a quickly made stand-in for the shipped weights."""

import numpy as np
import pytest
import torch

import dnlib
from dnlib.denoiser import BLIND_SPOT, CANDIDATES, network
from dnlib.filters import single_mask
from dnlib.images import files
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
    cards.save_method(method, tmp_path / f"{network.NAME}.safetensors", CARD)
    return method


def test_colour_images_have_one_candidate_more(stand_in):
    _, choice = dnlib.denoise(NOISY, return_choice=True)
    assert set(choice.losses) == {*CANDIDATES, BLIND_SPOT}
    assert choice.filter != BLIND_SPOT and choice.uncertainty is None
    _, choice = dnlib.denoise(NOISY[..., 0], return_choice=True)
    assert set(choice.losses) == set(CANDIDATES)


@pytest.mark.parametrize(("loss", "wins"), [(0.0, True), (np.nan, False), (np.inf, False)])
def test_the_network_wins_where_its_loss_says_so(stand_in, monkeypatch, loss, wins):
    monkeypatch.setattr(network.BlindSpot, "_loss", lambda self, noisy: loss)
    _, choice = dnlib.denoise(NOISY, return_choice=True)
    assert (choice.filter == BLIND_SPOT) == (BLIND_SPOT in choice.losses) == wins
    assert choice.loss == min(choice.losses.values()) and "sigma" in choice.summary


def test_asked_for_it_gives_posterior_and_uncertainty_in_the_units_of_the_image(stand_in):
    result, choice = dnlib.denoise(NOISY * 1000, filter="blind_spot", return_choice=True)
    span = NOISY.max() - NOISY.min()
    unit = to_tensor((NOISY - NOISY.min()) / span)
    expected = stand_in.estimate(unit, stand_in.noise.to_internal(stand_in.estimate_parameter(unit)))
    assert np.allclose(result / 1000, to_array(expected.mean) * span + NOISY.min(), atol=3e-3)
    assert np.allclose(choice.uncertainty / 1000, to_array(expected.std) * span, atol=3e-3)
    assert choice.noise == pytest.approx(50 / 255 * span * 1000, rel=0.01)  # what it starts with
    seen = (NOISY - NOISY.min() - span / 2)[single_mask(NOISY.shape[:2])]  # where filters are judged
    assert choice.loss == pytest.approx(1e6 * np.mean(seen**2), rel=0.01)


def test_the_network_is_read_once(stand_in, monkeypatch):
    first = dnlib.denoise(NOISY, filter="blind_spot", device="cpu")
    monkeypatch.setattr(cards, "load_method", None)
    np.testing.assert_array_equal(dnlib.denoise(NOISY, filter="blind_spot", device="cpu"), first)


def test_an_unknown_device_is_refused(stand_in):
    with pytest.raises(ValueError, match="'tpu'"):
        dnlib.denoise(NOISY, filter="blind_spot", device="tpu")


def to_array(tensor):
    return tensor.detach()[0].permute(1, 2, 0).numpy()


def test_a_stack_gives_a_stack(stand_in):
    result, choice = dnlib.denoise(np.stack([NOISY, NOISY[::-1]]), filter="blind_spot", return_choice=True)
    assert result.shape == choice.uncertainty.shape == (2, *NOISY.shape)


def test_gray_images_and_missing_weights_are_refused(stand_in, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"images of 3 colours; this one has 1"):
        dnlib.denoise(NOISY[..., 0], filter="blind_spot")
    monkeypatch.setattr(cards, "HOME", tmp_path / "empty")
    with pytest.raises(ValueError, match="no weights 'blind_spot_rgb_sigma5to50_unknown'"):
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
    found = files.read(std).pixels
    assert found.shape == NOISY.shape and found.dtype == np.float32 and (found > 0).all()
    for arguments, message in (
        (["--uncertainty", tmp_path / "a.npy"], "goes with --filter blind_spot"),
        (["--uncertainty", tmp_path / "a.png", "--filter", "blind_spot"], "a .npy or .tif file of its own"),
        (["--uncertainty", std, "--filter", "blind_spot"], "exists"),
    ):
        result = call(image, "-o", tmp_path / "b.npy", *arguments)
        assert result.exit_code == 2 and message in " ".join(result.output.split()), result.output
        assert not (tmp_path / "b.npy").exists()
