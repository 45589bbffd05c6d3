"""Noise whose kind differs from image to image, and what is wrapped around other noise."""

import pytest
import torch
from hypothesis import given, settings, strategies as st

from dnlib.noise import (
    AnyCorrelated,
    Camera,
    CorrelatedGaussian,
    Gaussian,
    Lines,
    Mixture,
    Poisson,
    Resized,
    Sensor,
    Stored,
    Sum,
    Turned,
    read_noise,
)
from dnlib.noise.stored import stored_as_jpeg, to_eight_bit

CLEAN = torch.rand(3, 3, 32, 40, generator=torch.Generator().manual_seed(1))
FAINT = 1e-6  # sigma in 8-bit units: nothing to see
EVERY = Mixture(
    [
        Stored(Resized(Turned(Camera((100, 3200), eight_bit=False)), (0.6, 2.5)), (30, 95)),
        AnyCorrelated((0, 40), 5),
        Sum([Gaussian((0, 30)), Turned(Lines((2, 20)))]),
        Stored(Mixture([Sensor(1600), Poisson((10, 200))])),
    ],
    [3, 1, 1, 2],
)


def draw(model, clean=CLEAN, seed=0):
    return model.sample(clean, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("model", [Gaussian(25), Poisson(30), CorrelatedGaussian(20, 3), Camera(1600), Lines(20)])
def test_a_mixture_of_one_model_is_that_model(model):
    one = CLEAN[:1]
    generator, again = (torch.Generator().manual_seed(3) for _ in range(2))
    torch.multinomial(torch.ones(1, dtype=torch.float64), 1, generator=again)  # which one
    assert torch.equal(Mixture([model]).sample(one, generator).image, model.sample(one, again).image)


def test_kinds_come_as_often_as_their_weights_say():
    clean = torch.full((400, 1, 8, 8), 0.5)
    noisy = draw(Mixture([Gaussian(FAINT), Gaussian(51)], [3, 1]), clean)
    strong = noisy.parameter > 0.05
    assert strong.float().mean() == pytest.approx(0.25, abs=0.06)
    assert noisy.parameter[strong].mean() == pytest.approx(0.2, rel=0.03)
    assert not (draw(Mixture([Gaussian(FAINT), Gaussian(51)], [1, 0]), clean).parameter > 0.05).any()


def test_equal_seeds_draw_equal_noise_and_nothing_comes_from_the_global_generator():
    before = torch.get_rng_state()
    first, again, other = draw(EVERY), draw(EVERY), draw(EVERY, seed=1)
    assert torch.equal(first.image, again.image) and torch.equal(first.parameter, again.parameter)
    assert not torch.equal(first.image, other.image)
    assert torch.equal(before, torch.get_rng_state())


def test_the_parameter_is_the_standard_deviation_in_the_image():
    noisy = draw(EVERY)
    assert torch.allclose(noisy.parameter, (noisy.image - CLEAN).flatten(1).std(dim=1))
    assert EVERY.to_paper(noisy.parameter[0]).item() == pytest.approx(255 * noisy.parameter[0].item())


@pytest.mark.parametrize("shape", [(2, 1, 1, 1), (2, 3, 1, 1), (2, 1, 8, 8)])
def test_the_parameter_is_a_number_in_images_of_one_value_and_in_constant_ones(shape):
    """A single value has no deviation, which was stated as NaN."""
    parameter = draw(Mixture([Gaussian(25)]), torch.full(shape, 0.5)).parameter
    assert ((parameter > 0) & parameter.isfinite()).all() if shape[1:] != (1, 1, 1) else (parameter == 0).all()


@pytest.mark.parametrize("wrap", [Turned, Stored, lambda n: Stored(n, 60), lambda n: Resized(n, 1.7)])
@pytest.mark.parametrize("around", [lambda n: n, lambda n: Sum([n, n]), lambda n: Mixture([n])])
def test_without_noise_the_noisy_image_is_the_clean_one(wrap, around):
    eight_bit = to_eight_bit(CLEAN)
    assert torch.allclose(draw(wrap(around(Gaussian(FAINT))), eight_bit).image, eight_bit, atol=1e-6)


def test_a_pair_shares_kind_and_strength_and_not_the_noise():
    clean = torch.full((60, 1, 48, 48), 0.5)
    model = Mixture([Gaussian((5, 50)), CorrelatedGaussian((5, 50), 4)])
    first, second = model.pair(clean, torch.Generator().manual_seed(0))
    assert torch.allclose(first.parameter, second.parameter, rtol=0.3)
    noises = [noisy.image - clean for noisy in (first, second)]
    smooth, again = ((n[..., 1:] * n[..., :-1]).mean(dim=(1, 2, 3)) > 0.4 * n.var(dim=(1, 2, 3)) for n in noises)
    assert torch.equal(smooth, again) and smooth.any() and not smooth.all()
    together = (noises[0] * noises[1]).mean() / (noises[0].std() * noises[1].std())
    assert abs(together) < 0.02


def test_noises_of_a_sum_add_up():
    noisy = draw(Sum([Gaussian(30), Lines(40)]), torch.full((4, 3, 200, 200), 0.5))
    assert noisy.parameter.mean() * 255 == pytest.approx(50, rel=0.05)


def test_lines_become_columns_when_they_are_turned():
    noise = draw(Turned(Lines(20)), torch.zeros(40, 3, 8, 8)).image
    rows = (noise == noise[:, :, :, :1]).flatten(1).all(dim=1)
    columns = (noise == noise[:, :, :1, :]).flatten(1).all(dim=1)
    assert (rows ^ columns).all() and 10 < rows.sum() < 30


@pytest.mark.parametrize("way", range(8))
def test_what_is_turned_is_turned_back(way):
    assert torch.allclose(draw(Turned(Gaussian(FAINT), way)).image, CLEAN, atol=1e-6)
    lines = draw(Turned(Lines(20), way), torch.zeros(1, 1, 8, 12)).image[0, 0]
    assert (lines == (lines[:1] if way & 4 else lines[:, :1])).all()


def test_turning_lets_the_pattern_of_a_camera_begin_with_any_colour():
    """Bilinear demosaicking leaves a colour's noise alone where it was measured, and averages it elsewhere."""
    clean = torch.full((1, 3, 64, 64), 0.5)
    camera = Camera(1600, demosaic="bilinear", balance=False, matrix=False, gamma=False, eight_bit=False)
    found = set()
    for seed in range(40):
        red = (draw(Turned(camera), clean, seed).image - clean)[0, 0]
        found.add(max((red[a::2, b::2].var().item(), (a, b)) for a in (0, 1) for b in (0, 1))[1])
    assert found == {(0, 0), (0, 1), (1, 0), (1, 1)}


@pytest.mark.parametrize(("scale", "wider"), [(3, True), (0.5, False)])
def test_noise_that_was_enlarged_is_broad(scale, wider):
    noise = draw(Resized(Gaussian(25), scale), torch.full((4, 1, 90, 90), 0.5)).image - 0.5
    neighbours = (noise[..., 1:] * noise[..., :-1]).mean() / noise.var()
    assert (neighbours > 0.5) == wider
    assert wider or noise.std() * 255 < 20  # a mean of four


def test_stored_pictures_have_256_steps_and_the_artefacts_of_their_quality():
    clean = to_eight_bit(CLEAN[:1])
    stored, packed = draw(Stored(Gaussian(60)), clean).image, draw(Stored(Gaussian(60), 20), clean).image
    assert stored.min() >= 0 and stored.max() <= 1
    assert torch.allclose(255 * stored, torch.round(255 * stored), atol=1e-3)
    assert torch.allclose(packed, clean + stored_as_jpeg(stored, 20) - stored_as_jpeg(clean, 20), atol=1e-6)


def test_correlations_differ_from_image_to_image():
    models = [AnyCorrelated((5, 40), 4).settled(torch.Generator().manual_seed(seed)) for seed in range(200)]
    sides = {tuple(model.kernel.shape) for model in models}
    assert sides == {(h, w) for h in range(1, 5) for w in range(1, 5)}
    shares = torch.tensor([model.between for model in models])
    assert (shares == 0).float().mean() == pytest.approx(0.25, abs=0.1)
    assert (shares == 1).float().mean() == pytest.approx(0.25, abs=0.1)
    assert all((model.kernel**2).sum() == pytest.approx(1) for model in models)
    assert (min(model.kernel.min() for model in models)) < 0
    assert all(5 <= model.strength[0] <= 40 for model in models)


leaves = st.one_of(
    st.builds(Gaussian, st.floats(0.01, 100)),
    st.builds(Lines, st.tuples(st.floats(0, 5), st.floats(5, 50))),
    st.builds(AnyCorrelated, st.floats(0.01, 60), st.integers(1, 6)),
)
nested = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(Mixture, st.lists(inner, min_size=1, max_size=3)),
        st.builds(Sum, st.lists(inner, min_size=1, max_size=3)),
        st.builds(Resized, inner, st.tuples(st.floats(0.5, 1), st.floats(1, 3))),
        st.builds(Stored, inner, st.none() | st.tuples(st.floats(5, 40), st.floats(50, 95))),
        st.builds(Turned, inner),
    ),
    max_leaves=4,
)


@given(nested)
@settings(max_examples=30)
def test_what_is_nested_is_read_back_from_its_text(model):
    again = read_noise(repr(model))
    assert repr(again) == repr(model)
    clean = CLEAN[:1, :, :12, :16]
    assert torch.equal(draw(model, clean).image, draw(again, clean).image)
    assert draw(model.settled(), clean).image.shape == clean.shape


def test_weights_are_written_where_they_differ():
    assert repr(Mixture([Gaussian(5), Poisson(30)], [2, 2])) == "Mixture([Gaussian(5), Poisson(30)])"
    assert repr(read_noise("Mixture([Gaussian(5), Poisson(30)], weights=[1, 3])")).endswith("[1, 3])")


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_the_dtype_stays(dtype):
    noisy = draw(EVERY, CLEAN.to(dtype))
    assert noisy.image.dtype == dtype and noisy.image.isfinite().all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Mixture([]), "a mixture is made of a list of noise models"),
        (lambda: Mixture(Gaussian(25)), r"a list of noise models, such as \[Gaussian\(25\)\]; Gaussian"),
        (lambda: Sum([25]), "a sum is made of"),
        (lambda: Stored("Gaussian(25)"), r"Stored goes around a noise model, such as Gaussian\(25\); 'Gaussian"),
        (lambda: Mixture([Gaussian(5)], [1, 2]), "one for each of the 1 models"),
        (lambda: Mixture([Gaussian(5)], [0]), "not all 0"),
        (lambda: Mixture([Gaussian(5)], [-1]), "numbers >= 0"),
        (lambda: Mixture([Gaussian(5)], 3), "weights are numbers"),
        (lambda: Resized(Gaussian(5), 0.01), "a scale is a number from 0.1 to 10"),
        (lambda: Resized(Gaussian(5), (2, 1)), r"or a range \(low, high\) of them; \(2, 1\)"),
        (lambda: Stored(Gaussian(5), 100), "a quality of JPEG is a number from 1 to 95"),
        (lambda: Turned(Gaussian(5), 9), "a way to turn is a number from 0 to 8"),
        (lambda: AnyCorrelated(20, 0), "the largest width of a kernel is from 1 to 32 pixels; 0"),
        (lambda: AnyCorrelated(-1), "sigma is a number > 0"),
        (lambda: read_noise("Mixture([Gauss(25)])"), "noise is written as"),
        (lambda: draw(Stored(Gaussian(5), 50), torch.zeros(1, 2, 8, 8)), "one or three colours"),
        (lambda: draw(EVERY, torch.zeros(3, 8, 8)), r"a float tensor \[N, C, H, W\]"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
