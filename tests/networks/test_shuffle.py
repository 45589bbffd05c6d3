"""What is taken apart is put together again, and neighbours come from `stride` pixels away."""

import pytest
import torch
from hypothesis import given, settings, strategies as st

from dnlib.images.arrays import to_image
from dnlib.networks import shuffle
from dnlib.noise import CorrelatedGaussian
from dnlib.noise.correlation import correlation_map


@settings(max_examples=40)
@given(st.integers(1, 5), st.integers(1, 23), st.integers(1, 23), st.integers(0, 3), st.integers(1, 2))
def test_join_undoes_split_and_untile_undoes_tile(stride, height, width, border, count):
    image = torch.rand(count, 3, height, width)
    small = shuffle.split(image, stride)
    assert small.shape[:2] == (count * stride**2, 3)
    assert torch.equal(shuffle.join(small, stride, (height, width)), image)
    tiled = shuffle.tile(small, stride, border)
    assert tiled.shape == (count, 3, *(stride * (side + 2 * border) for side in small.shape[2:]))
    assert torch.equal(shuffle.untile(tiled, stride, border), small)


def test_a_small_image_holds_every_third_pixel():
    image = torch.rand(2, 3, 12, 15)
    small = shuffle.split(image, 3)
    for number, part in enumerate(small):
        which, row, column = number // 9, number % 9 // 3, number % 3
        assert torch.equal(part, image[which, :, row::3, column::3])
    tiled = shuffle.tile(small, 3, border=2)
    assert torch.equal(tiled[0, :, 2:6, 2:7], image[0, :, ::3, ::3])
    assert torch.equal(tiled[0, :, 8 + 2 : 8 + 6, 2:7], image[0, :, 1::3, ::3])


def test_the_stride_takes_correlation_away():
    clean = torch.full((1, 3, 240, 240), 0.5)
    noise = CorrelatedGaussian(25, 3).sample(clean, torch.Generator().manual_seed(0)).image - clean
    lag_1 = [float(correlation_map(to_image(shuffle.split(noise, stride)[:1]), 2)[2, 3]) for stride in (1, 2, 3)]
    assert lag_1 == pytest.approx([2 / 3, 1 / 3, 0], abs=0.06)


@pytest.mark.parametrize("border", [None, 0, 2])
def test_a_pointwise_network_does_not_notice(border):
    image = torch.rand(2, 3, 13, 17)
    assert torch.allclose(shuffle.apply(lambda x: 2 * x + 1, image, 4, border=border), 2 * image + 1)


def test_tiled_small_images_see_each_other_across_a_narrow_border():
    """As published: the border is 2, and networks look farther."""
    image = torch.rand(1, 1, 12, 12, requires_grad=True)
    blur = torch.nn.AvgPool2d(11, 1, padding=5)

    def sees(border):
        answer = shuffle.apply(blur, image, 2, border=border)[0, 0, 0, 10]
        return torch.autograd.grad(answer, image)[0][0, 0]

    assert sees(2)[:, 1::2].sum() > 0  # in the other columns lie the other small images
    assert sees(None)[:, 1::2].sum() == 0 and sees(3)[:, 1::2].sum() == 0


def test_a_stride_below_1_is_refused():
    with pytest.raises(ValueError, match="whole number >= 1; 0"):
        shuffle.split(torch.rand(1, 3, 8, 9), 0)
