"""Blindness by exact gradients, for every blind network."""

from functools import partial

import pytest
import torch
from hypothesis import given, settings, strategies as st

from dnlib.images import by_tiles
from dnlib.methods import APBSN, LGBPN, SIDD, BlindSpotBayes, View, adjusted
from dnlib.networks import (
    BlindPatch,
    BlindSpotUNet,
    DilatedBlindSpot,
    TwoWayBlindSpotUNet,
    global_branch,
    local_branch,
)
from dnlib.noise import Gaussian
from dnlib.training import Crops, fit


def patches(channels, width=8, differences=False, **options):
    local, global_ = (make(width, head=8, blocks=1, differences=differences, **choice) for make, choice in BRANCHES)
    return BlindPatch(channels, width, head=8, local=local, global_=global_, **options)


BRANCHES = (local_branch, {}), (global_branch, {"attention": False})
PUBLISHED = {
    "four ways": lambda channels, **mean: BlindSpotUNet(channels, 4, **mean),
    "four ways, hole of 9": lambda channels, **mean: BlindSpotUNet(channels, 4, shift=5, **mean),
    "two ways": lambda channels, **mean: TwoWayBlindSpotUNet(channels, 4, **mean),
    "dilated": lambda channels, **mean: DilatedBlindSpot(channels, 32, outputs=9, blocks=2, **mean),
    "blind patch": lambda channels, **mean: patches(channels, 16, **mean),
    "square patch": lambda channels, **mean: BlindPatch(
        channels, 16, head=8, local=local_branch(16, head=8, blocks=1, hole="square"), global_=None, **mean
    ),
}
MEAN = {f"{name}, mean": partial(make, mean=True) for name, make in PUBLISHED.items()}
MEAN |= {
    f"{name}, mean and differences": partial(make, mean=True, differences=True)
    for name, make in PUBLISHED.items()
    if name != "square patch"
}
BLIND = PUBLISHED | MEAN
WIDE = {name for name in BLIND if "patch" not in name}  # their answer sees all that lies beside the hole
every_blind = pytest.mark.parametrize("name", BLIND)


def assert_blind(network, image, *places, seen=True):
    """At each (row, column); every answer is one of a single run."""
    image = image.clone().requires_grad_()
    answer, hole = network(image)[0], network.hole
    generator, reach = torch.Generator().manual_seed(1), len(network.hole) // 2
    weights = torch.randn(len(answer), generator=generator, dtype=answer.dtype)
    for row, column in places:
        said = (weights * answer[:, row, column]).sum()
        change = torch.autograd.grad(said, image, retain_graph=True)[0][0].abs().sum(dim=0)
        padded = torch.nn.functional.pad(change, (reach, reach, reach, reach))
        around = padded[row : row + len(hole), column : column + len(hole)]
        assert (around[hole] == 0).all()
        if seen:  # and no blinder than it says, right beside the hole
            ring = torch.nn.functional.pad(change, (reach + 1,) * 4)
            beside = [(reach + 1, 0), (reach + 1, -1), (0, reach + 1), (-1, reach + 1)]
            size = 2 * reach + 3
            window = ring[row : row + size, column : column + size]
            inside = torch.nn.functional.pad(torch.ones_like(change), (reach + 1,) * 4)
            inside = inside[row : row + size, column : column + size]
            assert all(window[place] > 0 for place in beside if inside[place])


@every_blind
@pytest.mark.parametrize(("size", "channels"), [((64, 64), 1), ((37, 50), 7), ((50, 33), 1), ((1, 7), 7), ((3, 3), 1)])
def test_the_answer_ignores_the_hole_and_nothing_else(name, channels, size):
    torch.manual_seed(0)
    network = BLIND[name](channels).double()
    image = torch.rand(1, channels, *size, dtype=torch.float64)
    height, width = size
    if name in MEAN and max(size) <= len(network.hole):
        with pytest.raises(ValueError, match=f"nothing is left to see in {height}x{width} pixels"):
            network(image)
        return
    rows, columns = (0, height - 1, height // 2, height // 2 + 1), (0, width - 1, width // 3, width // 3 + 1)
    pairs = [pair for turned in (columns, columns[::-1]) for pair in zip(rows, turned, strict=True)]
    assert_blind(network, image, *{(row % height, column % width) for row, column in pairs}, seen=name in WIDE)


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_place_in_the_pooling_grid_is_blind(name):
    torch.manual_seed(0)
    network = PUBLISHED[name](1).double()
    image = torch.rand(1, 1, 40, 40, dtype=torch.float64)
    assert_blind(network, image, *((place, 7 * place % 32) for place in range(32)), seen=False)


@pytest.mark.parametrize("shift", [1, 2, 3, 5])
def test_the_hole_follows_the_shift(shift):
    network = BlindSpotUNet(1, 4).double()
    network.shift = shift
    assert len(network.hole) == 2 * shift - 1
    assert_blind(network, torch.rand(1, 1, 30, 30, dtype=torch.float64), (15, 14))
    with pytest.raises(ValueError, match="see the pixel itself"):
        network.shift = 0


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@every_blind
def test_training_in_any_precision_leaves_the_network_blind(name, precision):
    torch.manual_seed(0)
    network = BLIND[name](3)
    method = BlindSpotBayes(network, Gaussian(25), covariance="none" if "patch" in name else "full")
    batches = Crops([torch.rand(40, 40, 3).numpy()], Gaussian(25), size=32, count=2)
    fit(method, batches, steps=3, precision=precision, progress=False)
    assert_blind(network.eval(), torch.rand(1, 3, 33, 47), (16, 20), seen=False)


@every_blind
def test_tiles_are_blind_too(name):
    torch.manual_seed(0)
    network = BLIND[name](1).double()
    image = torch.rand(1, 1, 85, 58, dtype=torch.float64)

    def by_parts(image):
        return by_tiles(lambda part: (network(part),), image, side=40, margin=8, multiple=network.multiple)[0]

    by_parts.hole = network.hole
    assert_blind(by_parts, image, (0, 0), (39, 20), (40, 21), (45, 57), (84, 30), seen=False)  # where tiles meet, too


STRIDES, SIZES = range(1, 7), st.integers(1, 33)


@settings(max_examples=30)
@given(
    st.sampled_from(STRIDES), st.tuples(SIZES, SIZES), st.sampled_from([1, 2, 3]), st.sampled_from([None, 2]), st.data()
)
def test_the_shuffle_leaves_a_network_blind_whatever_stride_and_size(stride, size, channels, border, data):
    torch.manual_seed(0)
    method = APBSN(DilatedBlindSpot(channels, 8, blocks=2), stride=stride, border=border, refinements=0).double()
    image = torch.rand(1, channels, *size, dtype=torch.float64)
    place = [data.draw(st.sampled_from([0, side // 2, side - 1, max(0, side - 1 - stride // 2)])) for side in size]
    assert_blind(as_network(method), image, place, seen=False)


def as_network(method):
    """What a method says, as a network whose hole is the pixel itself."""

    def said(image):
        return method.estimate(image).mean

    said.hole = torch.ones(1, 1, dtype=torch.bool)
    return said


@pytest.mark.parametrize("stride", STRIDES)
@pytest.mark.parametrize("size", [(23, 25), (24, 22), (5, 2)])
def test_the_published_stride_pairs_are_blind_at_every_place_of_the_border(stride, size):
    """A pixel mirrored beside itself would be seen: stride 2 on 23x25 had a gradient of 0.26 at row 21."""
    torch.manual_seed(0)
    method = APBSN(DilatedBlindSpot(1, 8, blocks=2), stride=stride, refinements=0).double()
    image = torch.rand(1, 1, *size, dtype=torch.float64, requires_grad=True)
    answer = method.estimate(image).mean
    for row in range(max(0, size[0] - stride - 2), size[0]):
        for column in {0, size[1] // 2, size[1] - 2, size[1] - 1}:
            change = torch.autograd.grad(answer[0, 0, row, column], image, retain_graph=True)[0]
            assert change[0, 0, row, column] == 0


@pytest.mark.parametrize("view", SIDD)
@pytest.mark.parametrize("size", [(61, 45), (64, 41), (45, 61)])
def test_lg_bpn_is_blind_at_every_row_and_column_near_the_end_of_an_image(view, size):
    """With mirrored features beyond the end, rows 56 and 57 of 61 and row 59 of 64 saw themselves."""
    torch.manual_seed(0)
    local, global_ = (make(8, head=8, blocks=2, **options) for make, options in BRANCHES)
    network = BlindPatch(1, 8, head=8, local=local, global_=global_).double()
    image = torch.rand(1, 1, *size, dtype=torch.float64, requires_grad=True)
    with adjusted(network, view):
        answer = network(image)[0, 0]
        ends = [(row, 20) for row in range(size[0] - 9, size[0])] + [(20, col) for col in range(size[1] - 9, size[1])]
        for row, column in ends:
            change = torch.autograd.grad(answer[row, column], image, retain_graph=True)[0]
            assert change[0, 0, row, column] == 0


@settings(max_examples=25)
@given(
    st.tuples(st.sampled_from(STRIDES[1:]), st.sampled_from(STRIDES[1:])),
    st.tuples(SIZES, SIZES),
    st.sampled_from([1, 3]),
    st.data(),
)
def test_lg_bpn_never_sees_the_pixel_itself_whatever_the_strides(strides, size, channels, data):
    """With taps moved as the published views have it. At stride 1 the body would lead back into any hole."""
    torch.manual_seed(0)
    shrinks = [{2: 0.46, 3: 0.72}.get(stride, 1.0) for stride in strides]
    method = LGBPN(patches(channels), views=(View(strides, shrinks), View(strides, shrinks)), refinements=0).double()
    image = torch.rand(1, channels, *size, dtype=torch.float64)
    place = [data.draw(st.sampled_from([0, side // 2, side - 1, max(0, side - 3)])) for side in size]
    assert_blind(as_network(method), image, place, seen=False)


@every_blind
def test_images_of_one_batch_do_not_meet(name):
    network = BLIND[name](3).double()
    images = torch.rand(2, 3, 20, 30, dtype=torch.float64)
    assert torch.allclose(network(images)[1:], network(images[1:]), rtol=1e-9)
