"""Impulses are found and replaced; letters, combs, screens, dithers, stars and photographs are none."""

import numpy as np
import pytest

from dnlib.images import photo
from dnlib.noise import impulses_in

ROWS, COLUMNS = np.mgrid[:256, :256]
CAMERA = photo("camera")[100:356, 100:356]
ALL = np.ones((256, 256), bool)


def spoilt(image, share, rng):
    drawn = rng.random(image.shape)
    return np.where(drawn < share / 2, 0, np.where(drawn > 1 - share / 2, 1, image))


def print_of(rng, height, levels):
    """Letters of strokes one pixel wide, height pixels high, in two levels."""
    page = np.ones((256, 256), bool)
    for top in range(2, 256 - height, height + 3):
        for left in range(2, 250, 6):
            page[top : top + height, left : left + 4] = rng.random((height, 4)) < 0.45
    return np.where(page, *levels[::-1])


@pytest.mark.parametrize("name", ["camera", "coffee"])
@pytest.mark.parametrize("sigma", [0, 10])
@pytest.mark.parametrize("share", [0.01, 0.05])
def test_impulses_are_found_and_replaced(rng, name, sigma, share):
    clean = np.atleast_3d(photo(name)[100:292, 100:292])
    noisy = clean + rng.normal(0, 1, clean.shape) * sigma / 255
    image = spoilt(noisy, share, rng).clip(0, 1)
    found = impulses_in(image, np.ones(image.shape[:2], bool))
    assert share / 3 < found.share < share
    errors = [np.mean((one - clean) ** 2) for one in (image, found.replaced(image))]
    assert errors[1] < errors[0] / 2
    assert (found.replaced(noisy) == noisy).mean() > 0.985


@pytest.mark.parametrize("sigma", [0, 3, 10])
@pytest.mark.parametrize(
    "picture",
    [
        lambda rng: print_of(rng, 5, (0.0, 1.0)),
        lambda rng: print_of(rng, 8, (0.2, 0.8)),
        lambda rng: np.where(ROWS % 2, np.roll(CAMERA, 8, axis=1), CAMERA),
        lambda rng: np.where(ROWS % 2, np.roll(CAMERA, 2, axis=1), CAMERA),
        lambda rng: np.where(ROWS + COLUMNS & 7, 0.5, np.where(ROWS & 1, 0.9, 0.1)),
        lambda rng: 0.1 + 0.8 * (rng.random(CAMERA.shape) < CAMERA),
        lambda rng: np.where(rng.random(CAMERA.shape) < 0.005, 0.9, 0.2),
        lambda rng: CAMERA,
        lambda rng: photo("grass")[:256, :256],
        lambda rng: photo("coins")[:256, :256],
    ],
    ids=["letters", "gray letters", "comb", "fine comb", "dots", "dither", "stars", "camera", "grass", "coins"],
)
def test_what_is_no_impulse_is_not_called_one(rng, picture, sigma):
    clean = picture(rng)
    assert impulses_in((clean + rng.normal(0, 1, clean.shape) * sigma / 255).clip(0, 1)[..., None], ALL) is None


def test_pixels_that_do_not_count_are_none(rng):
    image = spoilt(CAMERA[..., None], 0.02, rng)
    assert impulses_in(image, ALL) and impulses_in(image, ~ALL) is None


def test_where_all_around_are_impulses_a_pixel_is_kept(rng):
    image = np.full((64, 64, 1), 0.5) + rng.normal(0, 0.01, (64, 64, 1))
    image[30:33, 30:33] = 1
    found = impulses_in(spoilt(image, 0.02, rng), ALL[:64, :64])
    assert found.replaced(image)[31, 31] == 1 and np.isfinite(found.replaced(image)).all()
