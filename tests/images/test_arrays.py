import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings, strategies as st

from dnlib.images import arrays
from dnlib.images.arrays import Picture, by_tiles, photo, to_image, to_tensor

quietly = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


sides = st.integers(8, 20)


def pixels_of(dtype, shape):
    elements = {"min_value": -1e3, "max_value": 1e3} if np.dtype(dtype).kind == "f" else {}
    return hnp.arrays(dtype, shape, elements=elements or None)


@pytest.mark.parametrize("name", arrays.PHOTOS)
def test_every_bundled_photograph_is_there_without_a_network(name):
    picture = photo(name)
    assert picture.dtype == np.float32 and 0 <= picture.min() < picture.max() <= 1
    assert photo(name, gray=True).ndim == 2


def test_an_unknown_photograph_names_the_known_ones():
    with pytest.raises(ValueError, match=r"'lena'.*camera"):
        photo("lena")


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_tensors_and_arrays_convert_both_ways(rng, shape):
    image = rng.standard_normal(shape).astype(np.float32)
    assert to_tensor(image).shape == (1, 3 if len(shape) == 3 else 1, 5, 7)
    np.testing.assert_array_equal(to_image(to_tensor(image)), image)


def test_integers_are_scaled_by_their_type():
    assert to_tensor(np.array([[0, 65535]], dtype=np.uint16)).tolist() == [[[[0.0, 1.0]]]]
    with pytest.raises(ValueError, match=r"\[4\]"):
        to_tensor(np.zeros(4))


def test_alpha_is_kept_apart_from_the_colours(rng):
    picture = Picture.of(rng.integers(0, 255, (9, 9, 4)).astype(np.uint8))
    assert picture.has_alpha and picture.colours.shape == (9, 9, 3)
    changed = picture.with_colours(np.zeros_like(picture.colours))
    np.testing.assert_array_equal(changed.pixels[..., 3], picture.pixels[..., 3])


BAD_ARRAYS = [
    (np.zeros(0), "at least|shape"), (np.zeros((0, 9)), "8x8"), (np.zeros((1, 1)), "8x8"), (np.zeros(9), r"\[9\]"),
    (np.zeros((9, 9, 5, 5)), "8x8|shape"), (np.zeros((9, 9), bool), "bool"), (np.zeros((9, 9), complex), "complex"),
    (np.full((9, 9), np.nan), "81 NaN"), (np.full((9, 9), np.inf), "infinite"),
]  # fmt: skip


@pytest.mark.parametrize(("pixels", "message"), BAD_ARRAYS)
def test_arrays_that_are_no_images_are_refused_in_one_line(pixels, message):
    with pytest.raises(ValueError, match=message) as error:
        Picture.of(pixels)
    assert "\n" not in str(error.value)


@given(hnp.array_shapes(min_dims=0, max_dims=5, max_side=12), st.sampled_from(["uint8", "int32", "float32", "bool"]))
@settings(max_examples=200, deadline=None)
def test_any_shape_is_either_accepted_or_refused_with_its_shape_named(shape, dtype):
    try:
        picture = Picture.of(np.zeros(shape, dtype))
    except ValueError as error:
        assert str(list(shape)) in str(error) or dtype in str(error)
    else:
        assert min(picture.colours.shape[-3:-1]) >= 8 and picture.colours.shape[-1] in (1, 3)


def test_the_view_is_the_first_frame_without_alpha(rng):
    stack = rng.random((3, 9, 10, 4))
    np.testing.assert_array_equal(Picture.of(stack).view, stack[0, ..., :3])
    assert Picture.of(stack[..., 0]).view.shape == (9, 10)


@pytest.mark.parametrize("size", [(40, 50), (128, 64), (150, 333), (1, 400)])
def test_tiles_give_what_the_whole_image_gives(size):
    image = torch.rand(2, 3, *size)
    kernel = torch.rand(4, 3, 9, 9)

    def function(part):
        assert max(part.shape[2:]) <= 128
        return torch.nn.functional.conv2d(part, kernel, padding=4), part

    (blurred, same), whole = by_tiles(function, image, side=64, margin=32), torch.conv2d(image, kernel, padding=4)
    assert torch.equal(same, image)
    assert torch.allclose(blurred, whole, atol=1e-4)
