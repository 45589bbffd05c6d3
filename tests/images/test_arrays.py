import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from dnlib.images import Picture, arrays, datasets, middle, photo, to_image, to_tensor, to_unit


@pytest.mark.parametrize("name", arrays.PHOTOS + arrays.MORE_COLOUR)
def test_every_bundled_photograph_is_there_without_a_network(name):
    picture = photo(name)
    assert picture.dtype == np.float32 and 0 <= picture.min() < picture.max() <= 1
    assert photo(name, gray=True).ndim == 2


def test_more_photographs_are_in_colour_and_none_is_in_the_bundled_dataset():
    assert all(photo(name).ndim == 3 for name in arrays.MORE_COLOUR)
    assert not {example.name for example in datasets.load("bundled")} & set(arrays.MORE_COLOUR)


def test_an_unknown_photograph_names_the_known_ones():
    with pytest.raises(ValueError, match=r"camera, .*'lena' was given"):
        photo("lena")


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_tensors_and_arrays_convert_both_ways(rng, shape):
    image = rng.standard_normal(shape).astype(np.float32)
    assert to_tensor(image).shape == (1, 3 if len(shape) == 3 else 1, 5, 7)
    np.testing.assert_array_equal(to_image(to_tensor(image)), image)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16"])
def test_integers_are_scaled_by_their_type(dtype):
    largest = np.iinfo(dtype).max
    assert to_tensor(np.array([[0, largest]], dtype)).tolist() == [[[[0.0, 1.0]]]]
    assert to_unit(np.array([largest], np.dtype(dtype).newbyteorder())).tolist() == [1.0]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble", ">f4"])
def test_floats_are_taken_as_they_are(dtype):
    assert to_unit(np.array([-0.5, 1.5], dtype)).tolist() == [-0.5, 1.5]
    assert to_tensor(np.array([[-0.5, 1.5]], dtype)).dtype == torch.float32


@pytest.mark.parametrize("convert", [to_unit, to_tensor])
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint32", "uint64", "bool", "complex64", "object", "U3", "M8[s]"])
def test_types_whose_range_nobody_knows_are_refused_by_name(convert, dtype):
    with pytest.raises(
        ValueError, match=rf"{np.dtype(dtype)}.*; convert to uint8 or uint16, or to floats in".replace("[", ".")
    ):
        convert(np.zeros((8, 8), dtype))


@given(st.sampled_from("?bBhHiIlLqQefdgFDOUS"), hnp.array_shapes(min_dims=0, max_dims=4, max_side=5), st.data())
@settings(max_examples=150)
def test_whatever_is_converted_comes_back(dtype, shape, data):
    elements = {"min_value": -1e3, "max_value": 1e3} if dtype in "efdg" else None
    image = data.draw(hnp.arrays(dtype, shape, elements=elements, fill=None if elements else st.nothing()))
    try:
        tensor = to_tensor(image)
    except ValueError as error:
        assert str(list(image.shape)) in str(error) or image.dtype.name in str(error) or image.dtype.str in str(error)
        return
    assert tensor.dtype == torch.float32 and tensor.ndim == 4
    back = to_image(tensor)
    assert back.dtype == np.float32 and back.flags.c_contiguous
    one = image[..., 0] if image.ndim == 3 and image.shape[-1] == 1 else image
    np.testing.assert_array_equal(back, to_unit(one))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_float_tensor_becomes_a_float32_image(dtype, channels):
    tensor = torch.full((1, channels, 4, 5), 0.5, dtype=dtype, requires_grad=True)
    image = to_image(tensor)
    assert image.dtype == np.float32 and image.shape == (4, 5, 3)[: 2 + (channels > 1)] and (image == 0.5).all()
    image[:] = 0
    assert (tensor == 0.5).all()  # a copy


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.bool, torch.complex64])
def test_tensors_that_are_no_floats_are_refused_by_name(dtype):
    with pytest.raises(ValueError, match=f"float tensor.*{dtype}"):
        to_image(torch.zeros(1, 1, 4, 5, dtype=dtype))


@pytest.mark.parametrize("shape", [(4, 5), (3, 4, 5), (2, 1, 4, 5)])
def test_tensors_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"\[1, C, H, W\]"):
        to_image(torch.zeros(shape))


@given(hnp.array_shapes(min_dims=2, max_dims=4, max_side=9), st.integers(1, 12))
def test_the_middle_is_in_the_middle(shape, side):
    distance = np.indices(shape[:2]).sum(axis=0).reshape(shape[:2] + (1,) * (len(shape) - 2))
    part = middle(np.broadcast_to(distance, shape), side)
    height, width = (min(size, side) for size in shape[:2])
    assert part.shape == (height, width, *shape[2:])
    assert part.flat[0] == (shape[0] - height) // 2 + (shape[1] - width) // 2


def test_a_middle_of_no_pixels_is_refused():
    with pytest.raises(ValueError, match=r"at least 1 pixel.*0 was given"):
        middle(np.zeros((9, 9)), 0)


def test_alpha_is_kept_apart_from_the_colours(rng):
    picture = Picture.of(rng.integers(0, 255, (9, 9, 4)).astype(np.uint8))
    assert picture.alpha and picture.colours.shape == (9, 9, 3)
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


@pytest.mark.parametrize(
    ("shape", "axes", "said"),
    [
        ((160, 160, 3), "CYX", r"\[160, 160, 3\]: as CYX .* 160 pixels high and 3 wide, .* say --axes YXS or YXC"),
        ((5, 160, 160, 2), "TCYX", r"as TCYX .* 160 pixels high and 2 wide, .* say --axes TYXS or TYXC"),
        ((4, 160, 160), "YXC", r"as YXC it would be 4 pixels high and 160 wide, and at least 8x8 are needed$"),
    ],
)
def test_axes_that_were_told_and_make_a_tiny_picture_are_answered_with_what_may_be_meant(shape, axes, said):
    with pytest.raises(ValueError, match=said):
        Picture.of(np.zeros(shape), axes=axes)


@given(hnp.array_shapes(min_dims=0, max_dims=5, max_side=12), st.sampled_from(["uint8", "int32", "float32", "bool"]))
@settings(max_examples=200)
def test_any_shape_is_either_accepted_or_refused_with_its_shape_named(shape, dtype):
    try:
        picture = Picture.of(np.zeros(shape, dtype))
    except ValueError as error:
        assert str(list(shape)) in str(error) or dtype in str(error)
    else:
        colours = picture.colours.shape
        assert min(colours[-3:-1]) >= 8 and picture.separate == (colours[-1] not in (1, 3))


def test_the_view_is_the_first_frame_without_alpha(rng):
    stack = rng.integers(0, 255, (3, 9, 10, 4)).astype(np.uint8)
    np.testing.assert_array_equal(Picture.of(stack).view, stack[0, ..., :3])
    assert Picture.of(stack[..., 0], axes="TYX").view.shape == (9, 10)
