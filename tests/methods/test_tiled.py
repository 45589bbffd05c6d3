"""Tiles: the same answer as for the whole image, from whatever network, and who cannot work in them."""

import pytest
import torch
from torch import nn

from dnlib.methods import APBSN, LGBPN, BlindSpotBayes, Noise2Clean, Noise2Self, Noise2Void, View
from dnlib.networks import (
    BabyUNet,
    BiasFreeDnCNN,
    BlindPatch,
    BlindSpotUNet,
    DilatedBlindSpot,
    DnCNN,
    LocallyAware,
    Noise2CleanUNet,
    Noise2NoiseUNet,
    Noise2VoidUNet,
    TwoWayBlindSpotUNet,
    global_branch,
    local_branch,
)
from dnlib.noise import Gaussian
from dnlib.zoo import available, load_method


def lg_bpn(attention=False):
    local, global_ = local_branch(8, head=4, blocks=1), global_branch(8, head=4, blocks=1, attention=attention)
    return BlindPatch(1, 8, head=4, local=local, global_=global_)


NETWORKS = {
    "Noise2CleanUNet": lambda: Noise2CleanUNet(1, 4, depth=3),
    "Noise2NoiseUNet": lambda: Noise2NoiseUNet(1, 3),
    "DnCNN": lambda: DnCNN(1, 5, 8),
    "BiasFreeDnCNN": lambda: BiasFreeDnCNN(1, 5, 8),
    "BabyUNet": lambda: BabyUNet(1, 4),
    "Noise2VoidUNet": lambda: Noise2VoidUNet(1, 4),
    "N2V2": lambda: Noise2VoidUNet(1, 4, depth=3, size=5, residual=False, top_skip=False, blur_pool=True),
    "BlindSpotUNet": lambda: BlindSpotUNet(1, 4, depth=2, outputs=1),
    "BlindSpotUNet, hole of 9": lambda: BlindSpotUNet(1, 4, depth=2, outputs=1, shift=5),
    "BlindSpotUNet of differences": lambda: BlindSpotUNet(1, 4, depth=2, outputs=1, differences=True),
    "TwoWayBlindSpotUNet of differences": lambda: TwoWayBlindSpotUNet(1, 4, depth=2, outputs=1, differences=True),
    "TwoWayBlindSpotUNet": lambda: TwoWayBlindSpotUNet(1, 4, depth=2, outputs=1),
    "DilatedBlindSpot": lambda: DilatedBlindSpot(1, 8, blocks=3),
    "LocallyAware": lambda: LocallyAware(1, 8, reach=2, attention=False),
    "BlindPatch": lg_bpn,
    "local branch": lambda: BlindPatch(1, 8, head=4, local=local_branch(8, head=4, blocks=1), global_=None),
}
every_network = pytest.mark.parametrize("name", NETWORKS)


def assert_same(method, noisy, tile, **known):
    whole, parts = method.denoise(noisy, **known), method.denoise(noisy, tile=tile, **known)
    for one, other in zip(whole, parts, strict=True):
        assert one is other is None or torch.allclose(one, other, rtol=0, atol=1e-5)


def make(name):
    torch.manual_seed(0)
    network = NETWORKS[name]().eval()
    for part in network.modules():  # running statistics, as after training
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.1)
            part.running_var.uniform_(0.5, 2)
    return network


@every_network
def test_the_reach_is_how_far_it_sees(name):
    """By gradients, at every place in the grid of poolings; and it is not much more than that."""
    network = make(name).double()
    reach, (row, column) = network.reach, (network.reach + 20, network.reach + 21)
    image = torch.rand(1, 1, 2 * reach + 61, 2 * reach + 63, dtype=torch.float64, requires_grad=True)
    answer, found = network(image), 0
    for step in range(0, network.multiple, max(1, network.multiple // 4)):
        place = row + step, column + step
        seen = torch.autograd.grad(answer[0, 0][place], image, retain_graph=True)[0][0, 0].nonzero()
        found = max(found, *(int((seen[:, axis] - place[axis]).abs().max()) for axis in (0, 1)))
    assert 0.7 * reach - 2 <= found <= reach


@every_network
def test_tiles_of_any_network_are_the_whole_image(name):
    network = make(name)
    tile = max(network.reach, 16)
    size = 3 * tile + 37, 23
    assert_same(Noise2Clean(network), torch.rand(2, 1, *size), tile)
    assert_same(Noise2Clean(network), torch.rand(1, 1, *size[::-1]), tile)


@pytest.mark.parametrize("border", [None, 2])
@pytest.mark.parametrize("stride", [2, 3])
def test_tiles_of_ap_bsn_are_the_whole_image_refinement_included(border, stride):
    torch.manual_seed(0)
    method = APBSN(DilatedBlindSpot(1, 8, blocks=1), stride=stride, border=border, refinements=2)
    assert_same(method, torch.rand(1, 1, 97, 45), 16)


def test_tiles_of_lg_bpn_are_the_whole_image_in_every_view():
    torch.manual_seed(0)
    method = LGBPN(lg_bpn(), views=(View((3, 4), (0.7, 0.8)), View((2, 1), (0.5, 0.4))), refinements=2)
    assert_same(method, torch.rand(1, 1, 251, 21), 50)


@pytest.mark.parametrize("inference", ["invariant", "mixed"])
def test_tiles_of_hidden_pixels_are_the_whole_image(inference):
    torch.manual_seed(0)
    method = Noise2Self(BabyUNet(1, 4), masks="random", fill="random", width=2, inference=inference)
    assert_same(method, torch.rand(1, 1, 121, 33), 30, **({"parameter": 25} if inference == "mixed" else {}))


def test_the_noise_of_an_image_is_estimated_from_all_of_it():
    torch.manual_seed(0)
    network = TwoWayBlindSpotUNet(1, 4, depth=2, outputs=2)
    method = BlindSpotBayes(network, Gaussian((5, 50)), parameter="per_image", estimator_width=3)
    nn.init.normal_(method.estimator.tail[-1].weight)
    noisy = torch.cat([torch.rand(1, 1, 520, 24), 0.1 * torch.rand(1, 1, 520, 24)], dim=3)
    assert_same(method, noisy, 160)


def test_normalised_networks_work_in_tiles():
    assert_same(Noise2Void(make("Noise2VoidUNet"), mean=0.3, deviation=0.2), torch.rand(1, 1, 150, 20), 40)


@pytest.mark.parametrize("name", available())
def test_what_ships_says_the_same_in_tiles_or_refuses_them(name):
    method = load_method(name)
    noisy = 0.5 + 0.1 * torch.randn(1, method.network.channels, 32, 530, generator=torch.Generator().manual_seed(0))
    if hasattr(method, "refinements"):
        method.refinements, noisy = 1, noisy[..., :240]
    if method.network.reach is None:
        with pytest.raises(ValueError, match="pools over the whole image"):
            method.denoise(noisy, tile=160)
        noisy = noisy[..., :50]
        assert_same(method, noisy, 50)
    else:
        assert_same(method, noisy, 160 if noisy.shape[3] > 500 else method.network.reach)


def test_a_network_never_sees_more_than_a_tile_and_its_surroundings():
    sizes = []

    class Watched(DnCNN):
        def forward(self, image):
            sizes.append(image.shape)
            return super().forward(image)

    Noise2Clean(Watched(1, 3, 4)).denoise(torch.rand(3, 1, 90, 100), tile=20)
    assert len(sizes) > 3 * 16 and max(max(size) for size in sizes) <= 20 + 2 * 3
    assert all(size[0] == 1 for size in sizes)


def test_afterwards_a_network_sees_whole_images_again():
    method = Noise2Clean(DnCNN(1, 3, 8))
    with pytest.raises(ValueError, match="an image with 3 was given"):
        method.denoise(torch.rand(1, 3, 50, 50), tile=16)
    assert "forward" not in vars(method.network)
    network = DnCNN(1, 3, 8)
    plain = network.forward
    network.forward = own = lambda image: 2 * plain(image)
    Noise2Clean(network).denoise(torch.rand(1, 1, 50, 50), tile=16)
    assert network.forward is own


class Plain(nn.Module):
    def forward(self, image):
        return image


@pytest.mark.parametrize(
    ("network", "tile", "message"),
    [
        (
            lambda: Noise2CleanUNet(1, 4, depth=3),
            30,
            "sees 37 pixels on each side, so tiles have at least that many; 30",
        ),
        (lambda: LocallyAware(1, 8), 16, "LocallyAware pools over the whole image"),
        (lambda: lg_bpn(attention=True), 50, "BlindPatch pools over the whole image"),
        (Plain, 16, "Plain cannot work in tiles, for it does not say its reach and multiple"),
        (Plain, 0, "whole number of pixels >= 1.*; 0 was given"),
        (Plain, 16.0, "16.0 was given"),
        (Plain, True, "True was given"),
    ],
)
def test_impossible_tiles_are_refused_by_name(network, tile, message):
    with pytest.raises(ValueError, match=message):
        Noise2Clean(network()).denoise(torch.rand(1, 1, 130, 130), tile=tile)
