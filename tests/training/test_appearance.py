import numpy as np
import pytest
import torch

from dnlib.noise import Gaussian
from dnlib.training import Appearance, Crops

CROPS = torch.rand(60, 3, 32, 32, generator=torch.Generator().manual_seed(1))
AS_IS = {"scale": (1, 1), "blur": 0, "light": 1, "gray": 0}


def change(appearance, crops=CROPS, size=16):
    return appearance.change(crops, size, torch.Generator().manual_seed(0))


def test_with_nothing_to_change_crops_stay_as_they_are():
    appearance = Appearance(**AS_IS)
    assert appearance.cut(16) == 16
    assert torch.equal(change(appearance), CROPS[:, :, :16, :16])


def test_half_of_the_crops_are_darkened_down_to_the_least_light():
    crops = torch.full((400, 1, 8, 8), 0.8)
    light = change(Appearance(**AS_IS | {"light": 0.1}), crops, 8)[:, 0, 0, 0] / 0.8
    assert (light < 1).float().mean() == pytest.approx(0.5, abs=0.08)
    assert light.min() >= 0.1 and light.min() < 0.12
    assert light[light < 1].log10().mean() == pytest.approx(-0.5, abs=0.1)


def test_gray_crops_have_equal_colours_and_keep_their_mean():
    gray = change(Appearance(**AS_IS | {"gray": 1}))
    assert torch.equal(gray[:, 0], gray[:, 2])
    assert torch.allclose(gray[:, 0], CROPS[:, :, :16, :16].mean(dim=1))


def test_softened_crops_vary_less_and_keep_their_mean():
    crops = CROPS.repeat(5, 1, 1, 1)
    soft = change(Appearance(**AS_IS | {"blur": 2}), crops, 32)
    less = soft.std(dim=(1, 2, 3)) < 0.95 * crops.std(dim=(1, 2, 3))
    assert less.float().mean() == pytest.approx(0.44, abs=0.1)  # half, and an eighth of these by next to nothing
    assert torch.allclose(soft.mean(dim=(2, 3)), crops.mean(dim=(2, 3)), atol=0.05)


def test_shrunk_crops_show_what_lay_beyond():
    """Where everything below and to the right is white, a shrunk crop has a white border and an enlarged one not."""
    crops = torch.zeros(200, 1, 32, 32)
    crops[:, :, 16:], crops[..., 16:] = 1, 1
    changed = change(Appearance(**AS_IS | {"scale": (0.5, 2)}), crops)
    white = changed[:, 0, -1, -1] > 0.99
    assert 0.05 < white.float().mean() < 0.35  # resized in half of the crops, shrunk in half of those
    assert changed.min() >= 0 and changed.max() <= 1


def test_crops_teach_the_changed_picture_and_add_the_noise_to_it():
    image = np.full((64, 64, 3), 200, np.uint8)
    crops = Crops([image], Gaussian(1e-4), size=16, appearance=Appearance(**AS_IS | {"light": 0.1, "scale": (0.5, 2)}))
    batch = crops.draw(frozenset({"noisy", "clean"}), torch.Generator().manual_seed(1))
    assert batch.clean.shape == (4, 3, 16, 16) and batch.clean.min() < 0.6
    assert torch.allclose(batch.noisy, batch.clean, atol=1e-5)
    assert "light=0.1" in crops.description


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Appearance(scale=(0.2, 1)), r"between 0.5 and 2 times, .*; \(0.2, 1\) was given"),
        (lambda: Appearance(light=0), r"light in \(0, 1\]"),
        (lambda: Appearance(gray=2), r"gray in \[0, 1\]"),
        (lambda: Crops([np.zeros((40, 40), np.uint8)], size=16, appearance=Appearance()), "give a noise model"),
        (
            lambda: Crops([np.zeros((40, 40), np.uint8)], Gaussian(5), size=32, appearance=Appearance()),
            "crops of 64x64, cut for 32x32 of another appearance, are larger than an image of 40x40",
        ),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
