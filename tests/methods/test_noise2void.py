import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import nn

from dnlib.methods import Batch, Noise2Void
from dnlib.methods.noise2void import MANIPULATORS, stratified_places, windows


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def everywhere(image):
    return torch.cartesian_prod(*(torch.arange(n) for n in image.shape))


def written(name, image, radius=2, seed=0):
    return MANIPULATORS[name](image, everywhere(image), radius, generator(seed)).view(image.shape)


def test_one_place_per_box_and_channel():
    shape = torch.Size((3, 2, 44, 66))
    places = stratified_places(shape, 0.00198, generator())
    assert len(places) == 3 * 2 * 2 * 3  # boxes of 22 x 22
    boxes = places.clone()
    boxes[:, 2:] //= 22
    assert len(boxes.unique(dim=0)) == len(boxes)
    columns = [{tuple(p[2:].tolist()) for p in places if p[1] == channel} for channel in (0, 1)]
    assert columns[0] != columns[1]


@settings(max_examples=30)
@given(height=st.integers(1, 40), width=st.integers(1, 40), share=st.floats(0.001, 0.25))
def test_places_lie_inside_and_are_few(height, width, share):
    """One in each box that lies inside, at most one in each that is cut."""
    places = stratified_places(torch.Size((2, 1, height, width)), share, generator())
    assert (places >= 0).all() and (places < torch.tensor([2, 1, height, width])).all()
    box = round(share**-0.5)
    assert len((places // torch.tensor([1, 1, box, box])).unique(dim=0)) == len(places)
    assert 2 * (height // box) * (width // box) <= len(places) <= 2 * -(-height // box) * -(-width // box)


def test_the_published_share_hides_eight_and_a_half_pixels_of_64x64():
    counts = [len(stratified_places(torch.Size((1, 1, 64, 64)), 0.00198, generator(seed))) for seed in range(400)]
    assert np.mean(counts) == pytest.approx(8.5, abs=0.1)


def test_windows_are_cut_at_the_borders():
    image = torch.arange(12.0).view(1, 1, 3, 4)
    values, inside = windows(image, torch.tensor([[0, 0, 0, 0], [0, 0, 1, 1]]), 1)
    assert values[1].tolist() == [0, 1, 2, 4, 5, 6, 8, 9, 10] and inside[1].all()
    assert inside[0].tolist() == [False] * 4 + [True, True, False, True, True]


@pytest.mark.parametrize("name", ["uniform_withoutCP", "median", "mean"])
def test_blind_manipulators_ignore_the_pixel_itself(name):
    image = torch.rand(1, 1, 9, 11)
    for row, column in [(0, 0), (0, 5), (4, 4), (8, 10)]:
        changed = image.clone()
        changed[0, 0, row, column] += 5
        for seed in range(20):
            place = torch.tensor([[0, 0, row, column]])
            values = [MANIPULATORS[name](y, place, 2, generator(seed)) for y in (image, changed)]
            assert torch.equal(*values)


@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("uniform_withCP", 1 / 25),
        ("uniform_withoutCP", 0),
        ("normal_withoutCP", (2 * 0.549738 - 1) ** 2),  # both offsets round to 0: |N(0, 4)| < 1/2
        ("identity", 1),
    ],
)
def test_the_pixel_itself_is_written_as_often_as_theory_says(name, share):
    image = torch.rand(1, 1, 200, 200)
    kept = (written(name, image) == image)[..., 12:-12, 12:-12].double().mean()
    assert kept == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 30_000) + 1e-12)


def test_values_are_what_the_names_say():
    image = torch.rand(1, 1, 30, 30)
    window = image[0, 0, 8:13, 8:13].flatten()
    others = torch.cat([window[:12], window[13:]])
    assert written("median", image)[0, 0, 10, 10] == pytest.approx(float(np.median(others)))
    assert written("mean", image)[0, 0, 10, 10] == pytest.approx(float(others.mean()))
    fitted = MANIPULATORS["normal_fitted"](image, torch.tensor([[0, 0, 10, 10]]).repeat(3000, 1), 2, generator())
    assert fitted.mean() == pytest.approx(float(window.mean()), abs=0.03)
    assert fitted.std() == pytest.approx(float(window.std(correction=0)), rel=0.06)
    assert (written("normal_additive", image) - image).std() == pytest.approx(1, abs=0.1)
    near = torch.nn.functional.unfold(image, 3)[0].T.view(28, 28, 9)
    drawn = written("uniform_withCP", image, radius=1)[0, 0, 1:-1, 1:-1, None]
    assert (near == drawn).any(dim=2).all()


def test_only_the_hidden_pixels_are_changed_and_counted():
    method = Noise2Void(nn.Identity(), manipulator="mean", share=0.01, mean=0, deviation=1)
    image = torch.rand(2, 1, 40, 40)
    places = stratified_places(image.shape, 0.01, generator())
    masked = method.hide(image, places, generator())
    changed = (masked != image).nonzero()
    assert {tuple(p) for p in changed.tolist()} == {tuple(p) for p in places.tolist()}
    loss = method.loss(Batch(generator(), noisy=image))
    hidden = tuple(places.T)
    assert loss == pytest.approx(((masked - image)[hidden] ** 2).mean())


def test_struct_hides_what_the_kernel_names_and_counts_the_centres_only():
    method = Noise2Void(nn.Identity(), struct=[1, 1, 0, 1, 1], share=0.004, mean=0, deviation=1)
    image = torch.full((1, 1, 32, 64), 9.0)
    places = torch.tensor([[0, 0, 10, 30], [0, 0, 20, 0]])
    masked = method.hide(image, places, generator())
    assert (masked != image).nonzero()[:, 2:].tolist() == [[10, 28], [10, 29], [10, 31], [10, 32], [20, 1], [20, 2]]
    assert masked[masked != image].abs().max() <= 2
    column = Noise2Void(nn.Identity(), struct=np.array([[1], [0], [1]]))
    assert column.offsets.tolist() == [[-1, 0], [1, 0]]


def test_a_crop_without_a_hidden_pixel_teaches_nothing_and_breaks_nothing():
    method = Noise2Void(nn.Conv2d(1, 1, 1))
    losses = [method.loss(Batch(generator(seed), noisy=torch.rand(1, 1, 8, 8))) for seed in range(40)]
    assert all(loss.isfinite() for loss in losses) and any(loss == 0 for loss in losses)


def test_denoising_normalises_and_hides_nothing():
    image = torch.rand(1, 3, 8, 8)
    assert torch.allclose(Noise2Void(nn.Identity()).denoise(image).mean, image, atol=1e-6)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"manipulator": "uniform"}, "the manipulator can be uniform_withCP, .*; 'uniform' was given"),
        ({"radius": 0}, "radius >= 1, .*; radius 0, share 0.00198, .* were given"),
        ({"share": 0}, r"a share in \(0, 1/4\].*, share 0, .* were given"),
        ({"share": 0.5}, r"a share in \(0, 1/4\].*, share 0.5, .* were given"),
        ({"power": 3}, "power 1 or 2 .*, power 3, .* were given"),
        ({"deviation": 0}, "deviation > 0 .*, deviation 0 were given"),
        ({"struct": [1, 1]}, r"has odd sides; \[\[1, 1\]\] was given"),
        ({"struct": [0, 2, 0]}, r"holds zeros and ones .*; \[\[0, 2, 0\]\] was given"),
        ({"struct": np.ones((3, 3, 3))}, r"a StructN2V kernel .*; \[\[\[1.0, .* was given"),
    ],
)
def test_impossible_settings_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        Noise2Void(nn.Identity(), **wrong)
