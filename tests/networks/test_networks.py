import pytest
import torch
from hypothesis import given, settings, strategies as st

from dnlib.networks import (
    BabyUNet,
    BiasFreeDnCNN,
    BlindSpotUNet,
    DnCNN,
    LocallyAware,
    Noise2CleanUNet,
    Noise2NoiseUNet,
    Noise2VoidUNet,
    TwoWayBlindSpotUNet,
)
from dnlib.networks.csbdeep_unet import MaxBlurPool
from dnlib.networks.shapes import fill_up, mirror

SMALL = {
    "Noise2CleanUNet": lambda channels: Noise2CleanUNet(channels, 6),
    "Noise2CleanUNet, bias-free": lambda channels: Noise2CleanUNet(channels, 6, bias=False),
    "Noise2CleanUNet, no pointwise layers": lambda channels: Noise2CleanUNet(channels, 6, pointwise=0),
    "Noise2NoiseUNet": lambda channels: Noise2NoiseUNet(channels, 6),
    "DnCNN": lambda channels: DnCNN(channels, 4, 8),
    "BiasFreeDnCNN": lambda channels: BiasFreeDnCNN(channels, 4, 8),
    "BabyUNet": lambda channels: BabyUNet(channels, 4),
    "BlindSpotUNet": lambda channels: BlindSpotUNet(channels, 4, outputs=channels),
    "TwoWayBlindSpotUNet": lambda channels: TwoWayBlindSpotUNet(channels, 4, outputs=channels),
    "LocallyAware": lambda channels: LocallyAware(channels, 8, blocks=2),
    "Noise2VoidUNet": lambda channels: Noise2VoidUNet(channels, 4),
    "N2V2": lambda channels: Noise2VoidUNet(channels, 4, residual=False, top_skip=False, blur_pool=True),
}
every_network = pytest.mark.parametrize("name", SMALL)


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_mean_of_the_image_is_added_to_the_first_answers_alone():
    torch.manual_seed(0)
    plain = Noise2CleanUNet(1, 6, outputs=2)
    with_mean, image = Noise2CleanUNet(1, 6, outputs=2, mean=True), torch.rand(1, 1, 16, 16)
    with_mean.load_state_dict(plain.state_dict())
    change = with_mean(image) - plain(image)
    assert change.shape == (1, 2, 16, 16) and (change[:, 0] > 0).all() and not change[:, 1].any()


def test_parameter_counts_are_the_published_ones():
    assert count(Noise2NoiseUNet()) == 991_203
    assert count(Noise2CleanUNet()) == 1_102_371
    assert count(BlindSpotUNet(outputs=9)) == 1_269_129
    assert count(DnCNN(1, 8, residual=False)) == 223_104
    stored = sum(tensor.numel() for tensor in BiasFreeDnCNN().state_dict().values())
    assert stored == 669_312
    assert stored - count(BiasFreeDnCNN()) == 1_152


@every_network
@settings(max_examples=12)
@given(size=st.tuples(st.integers(1, 40), st.integers(1, 40)), channels=st.sampled_from([1, 2, 3, 4, 7]))
def test_any_size_comes_back_in_its_size(name, size, channels):
    image = torch.rand(2, channels, *size)
    with torch.no_grad():
        out = SMALL[name](channels).eval()(image)
    assert out.shape == image.shape and out.isfinite().all()


@pytest.mark.parametrize("network", [Noise2CleanUNet(3, 16, bias=False), BiasFreeDnCNN(3, 8, 16)])
@pytest.mark.parametrize("scale", [0.01, 0.5, 3.0, 40.0])
def test_bias_free_networks_are_scale_equivariant(network, scale):
    with torch.no_grad():
        for _ in range(3):
            network.train()(torch.rand(2, 3, 32, 32))  # so that running deviations are not 1
        image = torch.rand(1, 3, 45, 38)
        out = network.eval()(image)
        assert torch.allclose(network(scale * image), scale * out, rtol=1e-4, atol=1e-4 * scale * out.abs().max())


def test_networks_with_biases_are_not():
    network, image = Noise2CleanUNet(3, 16), torch.rand(1, 3, 32, 32)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1) if parameter.ndim == 1 else None
    with torch.no_grad():
        assert not torch.allclose(network(3 * image), 3 * network(image), rtol=1e-2)


def test_filling_up_mirrors_without_repeating_the_edge():
    row = torch.arange(3.0)[None, None, None]
    assert fill_up(row, 8)[0, 0, 0].tolist() == [0, 1, 2, 1, 0, 1, 2, 1]
    assert fill_up(torch.ones(1, 1, 1, 1), 4).shape == (1, 1, 4, 4)
    image = torch.rand(1, 1, 8, 16)
    assert fill_up(image, 8) is image
    assert mirror(row, 4)[0, 0, 4].tolist() == [0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2]
    assert torch.equal(mirror(image, 3), torch.nn.functional.pad(image, (3, 3, 3, 3), mode="reflect"))


def seen_by(network, image, row, column):
    """By how much each pixel moves the answer at a place: [H, W]."""
    image = image.clone().requires_grad_()
    return torch.autograd.grad(network(image)[0, :, row, column].square().sum(), image)[0][0].abs().sum(dim=0)


@pytest.mark.parametrize("reach", [0, 1, 3])
@pytest.mark.parametrize("place", [(0, 0), (10, 7), (19, 22)])
def test_the_locally_aware_network_sees_its_window_and_nothing_else(reach, place):
    torch.manual_seed(0)
    network = LocallyAware(3, 8, reach=reach, blocks=2, attention=False).double()
    seen = seen_by(network, torch.rand(1, 3, 20, 23, dtype=torch.float64), *place) > 0
    window = torch.zeros(20 + 2 * reach, 23 + 2 * reach, dtype=torch.bool)
    side = len(network.window)
    window[place[0] : place[0] + side, place[1] : place[1] + side] = network.window
    assert torch.equal(seen, window[reach : 20 + reach, reach : 23 + reach])


def test_channel_attention_sees_a_little_of_the_whole_image():
    torch.manual_seed(0)
    seen = seen_by(LocallyAware(3, 16).double(), torch.rand(1, 3, 32, 32, dtype=torch.float64), 16, 16).square()
    assert (seen > 0).all() and seen[15:18, 15:18].sum() > 0.99 * seen.sum()


def test_blur_pool_hardly_changes_when_the_image_moves_by_a_pixel():
    torch.manual_seed(0)
    image = torch.rand(1, 2, 64, 64)
    moved = image.roll(1, dims=3)

    def change(pool):
        return (pool(moved) - pool(image))[..., 4:-4].pow(2).mean().sqrt()

    assert change(MaxBlurPool()) < 0.5 * change(torch.nn.MaxPool2d(2))
    assert torch.allclose(MaxBlurPool()(torch.full((1, 1, 6, 8), 0.7)), torch.tensor(0.7))
    assert MaxBlurPool()(image).shape == (1, 2, 32, 32)


@pytest.mark.parametrize("top_skip", [True, False])
def test_without_top_skip_nothing_passes_around_the_first_pooling(top_skip):
    class Nothing(torch.nn.Module):
        def forward(self, x):
            return torch.zeros_like(x[..., ::2, ::2])

    torch.manual_seed(0)
    network = Noise2VoidUNet(1, 8, residual=False, top_skip=top_skip).eval()
    network.pool = Nothing()
    with torch.no_grad():
        out = network(torch.rand(1, 1, 32, 32))[..., 8:-8, 8:-8]  # away from the padding of the convolutions
    assert (out.std() > 1e-3) == top_skip


@every_network
def test_wrong_images_are_refused_by_name(name):
    colour = SMALL[name](3)
    with pytest.raises(ValueError, match=r"colour images \(3 channels\); an image with 1 was given"):
        colour(torch.rand(1, 1, 32, 32))
    with pytest.raises(ValueError, match="float tensors"):
        colour(torch.zeros(1, 3, 32, 32, dtype=torch.uint8))
    with pytest.raises(ValueError, match=r"\[3, 32, 32\]"):
        colour(torch.rand(3, 32, 32))
    for number in (0, -1, 2.0, True):
        with pytest.raises(ValueError, match=f"any other number >= 1; {number} was given"):
            SMALL[name](number)


def test_impossible_shapes_of_networks_are_refused():
    with pytest.raises(ValueError, match="depth >= 2"):
        DnCNN(depth=1)
    with pytest.raises(ValueError, match="at least twice; depth 1 was given"):
        Noise2CleanUNet(3, 8, depth=1)
    with pytest.raises(ValueError, match="multiple of 3"):
        Noise2NoiseUNet(width=32)
    with pytest.raises(ValueError, match="0 or more pixels to each side; -1"):
        LocallyAware(reach=-1)
