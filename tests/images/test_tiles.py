import pytest
import torch
from hypothesis import given, settings, strategies as st

from dnlib.images import by_tiles
from dnlib.networks import (
    BabyUNet,
    BlindSpotUNet,
    DilatedBlindSpot,
    Noise2CleanUNet,
    Noise2VoidUNet,
    TwoWayBlindSpotUNet,
)

NETWORKS = {  # a small one, how far it reaches at most, and the multiple that its poolings need
    "halves of the plane": (lambda: BlindSpotUNet(1, 4, outputs=1, depth=2), 38, 4),
    "9x9 hole": (lambda: BlindSpotUNet(1, 4, outputs=1, depth=3, shift=5), 79, 8),
    "two ways": (lambda: TwoWayBlindSpotUNet(1, 4, outputs=1, depth=2), 60, 4),
    "U-Net": (lambda: Noise2CleanUNet(1, 4, depth=3), 37, 8),
    "Noise2Void": (lambda: Noise2VoidUNet(1, 4, blur_pool=True), 32, 4),
    "Noise2Self": (lambda: BabyUNet(1, 4), 32, 4),
    "dilated": (lambda: DilatedBlindSpot(1, 4, blocks=2), 12, 1),
}


@pytest.mark.parametrize("size", [(40, 50), (128, 64), (150, 333), (1, 400)])
def test_tiles_give_what_the_whole_image_gives(size):
    image = torch.rand(2, 3, *size)
    kernel = torch.rand(4, 3, 9, 9)

    def function(part):
        assert max(part.shape[2:]) <= 64 + 2 * (4 + 7)
        return torch.nn.functional.conv2d(part, kernel, padding=4), part

    (blurred, same), whole = (
        by_tiles(function, image, side=64, margin=4, multiple=8),
        torch.conv2d(image, kernel, padding=4),
    )
    assert torch.equal(same, image)
    assert torch.allclose(blurred, whole, atol=1e-4)


@pytest.mark.parametrize("size", [(203, 205), (120, 129), (96, 230)])
@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_poolings_fall_as_in_the_whole_image_in_turned_copies_too(name, size):
    make, reach, multiple = NETWORKS[name]
    network, image = make().eval(), torch.rand(1, 1, *size, generator=torch.Generator().manual_seed(0))
    (tiled,) = by_tiles(lambda tile: (network(tile),), image, side=40, margin=reach, multiple=multiple)
    assert (tiled - network(image)).abs().max() < 1e-5


@settings(max_examples=25)
@given(*[st.integers(1, 120)] * 2, st.integers(1, 70), st.integers(0, 40), st.integers(1, 40))
def test_every_tile_keeps_its_promises(height, width, side, margin, multiple):
    places = torch.arange(height * width).reshape(1, 1, height, width)

    def function(tile):
        for axis, size in ((2, height), (3, width)):
            first, last = (divmod(int(corner), width)[axis - 2] for corner in (tile[0, 0, 0, 0], tile[0, 0, -1, -1]))
            assert first % multiple == 0 and (size - 1 - last) % multiple == 0
            assert tile.shape[axis] <= side + 2 * (margin + multiple - 1)
        return (tile,)

    assert torch.equal(by_tiles(function, places, side=side, margin=margin, multiple=multiple)[0], places)


@pytest.mark.parametrize("wrong", [{"side": 0}, {"margin": -1}, {"multiple": 0}])
def test_impossible_tiles_are_refused(wrong):
    with pytest.raises(ValueError, match="tiles of side >= 1"):
        by_tiles(lambda tile: (tile,), torch.zeros(1, 1, 9, 9), **{"side": 4, "margin": 1} | wrong)
    with pytest.raises(ValueError, match=r"\[N, C, H, W\].*\[9, 9\]"):
        by_tiles(lambda tile: (tile,), torch.zeros(9, 9), side=4, margin=1)
