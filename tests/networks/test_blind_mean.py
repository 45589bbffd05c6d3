"""The blind mean: by hand, at borders, in colour before anything is learnt, and refused where nothing is left to see.

That it is as blind as its network, `test_blindness` proves.
"""

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import nn

from dnlib.methods import APBSN, BlindSpotBayes
from dnlib.networks import (
    BlindSpotUNet,
    DilatedBlindSpot,
    LocallyAware,
    Noise2CleanUNet,
    TwoWayBlindSpotUNet,
    diamond,
    global_branch,
    local_branch,
    local_global,
)
from dnlib.networks.blind_mean import blind_mean, local_mean, ring_of
from dnlib.networks.half_plane import ABOVE
from dnlib.zoo import load_method

NETWORKS = {
    "four ways": lambda **mean: BlindSpotUNet(3, 8, **mean),
    "four ways, hole of 9": lambda **mean: BlindSpotUNet(3, 8, outputs=3, shift=5, **mean),
    "two ways": lambda **mean: TwoWayBlindSpotUNet(3, 8, **mean),
    "dilated": lambda **mean: DilatedBlindSpot(3, 16, blocks=2, **mean),
    "blind patch": lambda **mean: local_global(3, 16, local_blocks=1, global_blocks=1, **mean),
    "blind patch, local": lambda **mean: local_global(3, 16, local_blocks=1, global_=None, **mean),
}
every_network = pytest.mark.parametrize("name", NETWORKS)
HOLES = {"pixel": torch.ones(1, 1).bool(), "square": torch.ones(5, 5).bool(), "diamond": diamond(9)}


def test_a_ring_is_what_touches_the_hole():
    assert [int(ring_of(torch.ones(side, side).bool()).sum()) for side in (1, 3, 9)] == [8, 16, 40]
    ring = ring_of(diamond(9))
    assert ring.shape == (11, 11) and not (ring[1:-1, 1:-1] & diamond(9)).any()
    assert ring[0].nonzero().flatten().tolist() == [4, 5, 6] and ring[5].nonzero().flatten().tolist() == [0, 10]


@settings(max_examples=40)
@given(st.sampled_from(sorted(HOLES)), st.tuples(st.integers(1, 14), st.integers(1, 14)), st.data())
def test_it_is_the_mean_of_what_lies_around_the_hole_and_in_the_image(name, size, data):
    hole, image = HOLES[name], torch.rand(2, 3, *size, dtype=torch.float64)
    row, column = (data.draw(st.integers(0, side - 1)) for side in size)
    corner = row - len(hole) // 2 - 1, column - len(hole) // 2 - 1
    ring = [(corner[0] + y, corner[1] + x) for y, x in ring_of(hole).nonzero().tolist()]
    seen = [image[:, :, y, x] for y, x in ring if 0 <= y < size[0] and 0 <= x < size[1]]
    try:
        found = blind_mean(image, hole)[:, :, row, column]
    except ValueError:  # somewhere in an image this small nothing is seen
        assert max(size) <= len(hole)
    else:
        assert torch.allclose(found, torch.stack(seen).mean(dim=0))


@every_network
def test_off_it_is_the_published_network_and_on_it_starts_in_colour(name):
    torch.manual_seed(0)
    published = NETWORKS[name]()
    torch.manual_seed(0)
    network = NETWORKS[name](mean=True)
    assert not published.mean and network.mean
    colour = torch.tensor([0.8, 0.4, 0.1])[:, None, None].expand(1, 3, 40, 43)
    with torch.no_grad():
        published_answer, answer = published(colour), network(colour)
        wrong, right = ((found[:, :3] - colour).abs().mean() for found in (published_answer, answer))
        assert right < wrong / 3
        # a tenth of the published answer is added, and what stands beside the mean is the same
        assert torch.allclose(answer[:, :3] - colour, 0.1 * published_answer[:, :3], atol=1e-5)
        assert torch.equal(answer[:, 3:], published_answer[:, 3:])
        network.mean = False
        network.load_state_dict(published.state_dict())
        assert torch.equal(network(colour), published_answer)


def test_it_is_around_the_hole_as_it_is_now():
    network = BlindSpotUNet(1, 4, outputs=1, shift=5, mean=True)
    nn.init.zeros_(network.join[-1].weight)
    image = torch.rand(1, 1, 20, 23)
    for shift in (5, 3, 1):
        network.shift = shift
        assert torch.allclose(network(image), blind_mean(image, network.hole))


def test_a_belief_has_it_in_its_mean_and_not_in_its_covariance():
    torch.manual_seed(0)
    network = TwoWayBlindSpotUNet(3, 8, mean=True)
    method, image = BlindSpotBayes(network, "Gaussian(25)"), torch.rand(1, 3, 21, 30)
    with torch.no_grad():
        belief = method.belief(image)
        network.mean = False
        plain = method.belief(image)
    assert torch.allclose(belief.mean - plain.mean, blind_mean(image, network.hole).double(), atol=1e-6)
    assert torch.equal(belief.cov, plain.cov)


def test_in_half_precision_the_mean_is_not_rounded():
    network = DilatedBlindSpot(1, 8, blocks=1, mean=True)
    nn.init.zeros_(network.tail[-1].weight)
    image = torch.rand(1, 1, 16, 16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(network(image), blind_mean(image, network.hole))


def test_ap_bsn_takes_neighbours_of_the_small_image():
    network = DilatedBlindSpot(1, 8, blocks=1, mean=True)
    nn.init.zeros_(network.tail[-1].weight)
    rows, columns = torch.meshgrid(torch.arange(20), torch.arange(20), indexing="ij")
    image = ((rows % 2 + 2 * (columns % 2)) / 3)[None, None]  # each small image of stride 2 has one colour
    for stride in (2, 4):
        method = APBSN(network, stride=stride, border=None, refinements=0)
        assert torch.allclose(method.denoise(image).mean, image, atol=1e-6)


@pytest.mark.parametrize("size", [(9, 9), (1, 9), (4, 3)])
def test_crops_within_the_hole_are_refused_by_name(size):
    network = BlindSpotUNet(1, 4, outputs=1, shift=5, mean=True)
    named = rf"hole of 9x9 pixels nothing is left to see in {size[0]}x{size[1]} pixels.* 10 pixels or more"
    with pytest.raises(ValueError, match=named):
        network(torch.rand(1, 1, *size))
    assert network(torch.rand(1, 1, 1, 10)).shape == (1, 1, 1, 10)


def test_a_crop_smaller_than_the_hole_times_the_stride_is_refused():
    method = APBSN(DilatedBlindSpot(1, 4, blocks=1, mean=True), stride=4, border=None, refinements=0)
    with pytest.raises(ValueError, match=r"nothing is left to see in 1x1 pixels.*times its stride"):
        method.denoise(torch.rand(1, 1, 3, 4))


@pytest.mark.parametrize("make", [BlindSpotUNet, DilatedBlindSpot])
def test_features_have_no_colour_to_be_raised(make):
    with pytest.raises(
        ValueError, match=r"first 3 channels of the answer, and the network has 3 channels and outputs=2"
    ):
        make(3, 4, outputs=2, mean=True)


@pytest.mark.parametrize("name", ["blind_spot_rgb_sigma25_mean_only", "lg_bpn_phones", "ssid_phones"])
def test_what_ships_has_the_published_form(name):
    assert not any(getattr(part, "mean", False) for part in load_method(name).modules())


@pytest.mark.parametrize("make", [BlindSpotUNet, TwoWayBlindSpotUNet])
@given(shift=st.floats(-2, 2), seed=st.integers(0, 99))
@settings(max_examples=10)
def test_who_sees_differences_does_not_see_how_bright_a_picture_is(make, shift, seed):
    torch.manual_seed(seed)
    network = make(2, 4, outputs=2, depth=2, differences=True).double()
    image = torch.rand(1, 2, 21, 30, dtype=torch.float64)
    answer = network(image)
    assert torch.allclose(network(image + shift), answer, atol=1e-9)
    network.mean = True  # and with the mean beside them it says what is brighter by as much
    assert torch.allclose(network(image + shift) - network(image), torch.full_like(image, shift), atol=1e-9)


@pytest.mark.parametrize("shrink", [1.0, 0.72])
@pytest.mark.parametrize("branch", [local_branch, global_branch])
def test_the_weights_of_a_look_at_differences_sum_to_zero(branch, shrink):
    torch.manual_seed(0)
    branch = branch(16, head=2, blocks=1, differences=True).double()
    branch.shrink = shrink
    features = torch.rand(1, 2, 60, 60, dtype=torch.float64)
    kernel = branch.look.kernel
    assert kernel.sum(dim=(2, 3)).abs().max() < 1e-12
    assert not kernel[:, :, branch.look.taps == 0].any()
    middle = (..., slice(25, 35), slice(25, 35))  # beyond the image all is black, as ever
    branch.body = nn.Identity()
    assert torch.allclose(branch(features + 3)[middle], branch(features)[middle], atol=1e-9)


def test_a_local_mean_is_of_what_lies_in_the_image():
    image = torch.rand(1, 2, 7, 9)
    found = local_mean(image, ABOVE)
    assert torch.allclose(found[0, :, 6, 4], image[0, :, 2:, :].mean(dim=(1, 2)))
    assert torch.allclose(found[0, :, 0, 0], image[0, :, 0, :5].mean(dim=1))


@pytest.mark.parametrize(("make", "side"), [(LocallyAware, 3), (Noise2CleanUNet, 9)])
def test_networks_that_see_the_pixel_may_start_at_a_mean_as_well(make, side):
    torch.manual_seed(0)
    network, image = make(3, 8, mean=True), torch.rand(1, 3, 33, 40)
    with torch.no_grad():
        says = network(image) - local_mean(image, torch.ones(side, side, dtype=torch.bool))
        network.mean = False
        assert torch.allclose(says, network(image), atol=1e-6)
        assert says.abs().mean() < 0.2
