"""Bursts with known noise in, tiles to learn from out."""

import pytest
import torch

from dnlib.images import arrays
from dnlib.images.bursts import set_in_motion
from dnlib.methods import PatchCraft
from dnlib.methods.patch_craft import craft_tiles
from dnlib.networks import BabyUNet
from dnlib.noise import CorrelatedGaussian, noisy_burst
from dnlib.training import fit, tile_crops

SIZES = {"patch": 9, "radius": 5, "side": 24, "stride": 12}


@pytest.fixture(scope="module")
def noisy():
    clean = set_in_motion(arrays.photo("coffee"), frames=5, shape=(96, 120), shift=1.5)
    return noisy_burst(clean, CorrelatedGaussian(20, 3), torch.Generator().manual_seed(0)).image


def test_targets_show_the_scene_with_noise_of_other_frames(noisy):
    tiles = craft_tiles([noisy], **SIZES)
    assert len(tiles.noisy) == len(tiles.target) == len(tiles.covariance) == 7 * 9
    assert tiles.peak == pytest.approx(-((20 / 255) ** 2), rel=0.35)
    assert not torch.equal(tiles.noisy, tiles.target)


def test_the_filter_leaves_out_what_does_not_match(noisy):
    burst = noisy.clone()
    burst[[0, 1, 3, 4], :, :48] = noisy[[0, 1, 3, 4], :, 48:].flip(3)  # the upper half shows something else
    tiles = craft_tiles([burst], **SIZES)

    good, left = tiles.good(), tiles.filtered()
    assert 0 < good.sum() == len(left.noisy) < len(tiles.noisy)
    assert left.covariance.min() > tiles.cut > tiles.covariance.min()
    assert torch.equal(left.noisy, tiles.noisy[good])
    assert abs((left.target - left.noisy).mean()) < 1e-5


def test_the_same_seed_gives_the_same_tiles(noisy):
    one, two, other = (craft_tiles([noisy], **SIZES, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(one.target, two.target)
    assert one.target.shape != other.target.shape or not torch.equal(one.target, other.target)


def test_a_network_is_trained_on_them(noisy):
    method = PatchCraft(BabyUNet(3, 4))
    history = fit(method, tile_crops(craft_tiles([noisy], **SIZES).filtered(), 4), steps=4, device="cpu")
    assert history.losses[-1] > 0 and method.denoise(noisy[:1]).mean.shape == noisy[:1].shape


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda noisy: craft_tiles([], **SIZES), "at least one burst"),
        (lambda noisy: craft_tiles([noisy[:4]], **SIZES), "odd number of frames"),
        (lambda noisy: craft_tiles([noisy], **SIZES | {"side": 100}), "larger than frames of 96x120"),
        (lambda noisy: craft_tiles([noisy[:1].repeat(3, 1, 1, 1)], **SIZES), "are equal"),
        (lambda noisy: craft_tiles([noisy], **SIZES | {"patch": 200}), "does not fit into frames"),
    ],
)
def test_bad_input_is_told(noisy, call, message):
    with pytest.raises(ValueError, match=message):
        call(noisy)
