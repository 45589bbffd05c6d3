"""Where an image is noise and nothing else."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from dnlib.images import photo
from dnlib.noise import inspect_image
from dnlib.noise.patches import SIDE, covered


def test_patches_cover_the_pixels_below_and_right_of_their_corners():
    inside = covered(np.array([[3, 7]]), (30, 40))
    assert np.argwhere(inside).tolist() == [[3 + i, 7 + j] for i in range(SIDE) for j in range(SIDE)]


@pytest.mark.parametrize(("blur", "contrast"), [(0.6, 0.15), (0.8, 0.1), (0.8, 0.15)])
def test_dark_texture_before_a_bright_sky_is_not_taken_for_noise(blur, contrast):
    """Neighbours share it, and noise of the sky they do not."""
    rng = np.random.default_rng(3)
    texture = gaussian_filter(rng.standard_normal((128, 256)), blur)
    clean = np.concatenate([np.full((128, 256), 0.9), 0.4 + contrast * texture / texture.std()])
    found = inspect_image(clean + 15 / 255 * rng.standard_normal(clean.shape))
    assert found.level == pytest.approx(15, rel=0.1) and found.radius == 0


@pytest.mark.parametrize("sigma", [3, 10])
def test_the_rims_of_coins_are_not_taken_for_noise(rng, sigma):
    noisy = 255 * photo("coins")[:256, :256] + rng.normal(0, sigma, (256, 256))
    found = inspect_image(noisy.clip(0, 255).round().astype(np.uint8))
    assert found.level == pytest.approx(sigma, rel=0.1) and found.radius == 0


@pytest.mark.parametrize(
    "dark", [photo("brick")[:256, :256] - 0.4, photo("coins")[:256, :256] - 0.2], ids=["brick", "coins"]
)
def test_noise_that_is_clipped_at_white_is_as_that_clipped_at_black(rng, dark):
    noisy = np.rint(255 * (dark + 0.08 * rng.standard_normal(dark.shape)).clip(0, 1)).astype(np.uint8)
    black, white = inspect_image(noisy), inspect_image(255 - noisy)
    assert white.level == pytest.approx(black.level, rel=0.07) and min(black.pure, white.pure) > 0.4


@pytest.mark.parametrize("smoothed", [0, 90])
def test_a_jpeg_that_was_smoothed_in_places_has_a_rough_level_and_says_so(rng, smoothed):
    picture = 0.5 + np.linspace(-0.1, 0.1, 256)[:, None, None] + rng.normal(0, 20 / 255, (256, 256, 3))
    picture[:, :smoothed] = gaussian_filter(picture[:, :smoothed], (0.6, 0.6, 0)) if smoothed else picture[:, :0]
    file = io.BytesIO()
    Image.fromarray(np.rint(255 * picture).clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=50)
    found = inspect_image(np.asarray(Image.open(file)))
    assert found.weakest == pytest.approx(0.64 if smoothed else 0.9, abs=0.06)
    assert found.blocks and ("rough one" in found.paragraph) == bool(smoothed)
