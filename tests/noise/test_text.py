"""What is written about noise is read back exactly."""

import numpy as np
import pytest
import torch
from hypothesis import example, given, strategies as st

from dnlib.noise import Camera, CorrelatedGaussian, Gaussian, Impulse, Poisson, Sensor, read_noise

CLEAN = torch.linspace(0.1, 0.9, 2 * 3 * 6 * 5).view(2, 3, 6, 5)


def strengths(low, high):
    number = st.floats(low, high)
    return number | st.tuples(number, number).map(sorted).map(tuple) | st.integers(1, max(1, int(high)))


kernels = st.integers(1, 4) | st.lists(
    st.lists(st.floats(-10, 10), min_size=3, max_size=3), min_size=1, max_size=4
).filter(lambda rows: np.square(rows).sum() > 1e-3)
models = st.one_of(
    st.builds(Gaussian, strengths(0.01, 255)),
    st.builds(Poisson, strengths(0.01, 1000)),
    st.builds(Sensor, strengths(1, 12800)),
    st.builds(Impulse, strengths(0.01, 1)),
    st.builds(CorrelatedGaussian, strengths(0.01, 255), kernels, st.floats(0, 1)),
    st.builds(
        Camera,
        strengths(1, 12800),
        demosaic=st.sampled_from(["malvar", "bilinear", None]),
        balance=st.booleans(),
        gamma=st.booleans(),
        jpeg=st.none() | st.integers(1, 95),
    ),
)


@given(models)
@example(Gaussian(12.3456789))
@example(CorrelatedGaussian(20, between=0.5))
def test_a_model_is_read_back_from_its_own_text(model):
    again = read_noise(repr(model))
    assert type(again) is type(model) and repr(again) == repr(model)
    first, second = (noise.sample(CLEAN, torch.Generator().manual_seed(1)) for noise in (model, again))
    assert torch.equal(first.image, second.image) and torch.equal(first.parameter, second.parameter)


@pytest.mark.parametrize(
    "text",
    [
        "Gaussian(25)",
        "Poisson((5, 50))",
        "Sensor(1600)",
        "Impulse(0.5)",
        "CorrelatedGaussian(20, 3)",
        "CorrelatedGaussian((5, 50), 2, between=0.5)",
        "CorrelatedGaussian(20, [[0.6, -0.8]])",
    ],
)
def test_noise_is_written_as_one_would_write_it(text):
    assert repr(read_noise(text)) == text


def test_arguments_are_read_by_name_and_by_place():
    assert repr(read_noise("Gaussian(sigma=25)")) == "Gaussian(25)"
    assert repr(read_noise("Poisson(rate=(5, 50))")) == "Poisson((5, 50))"
    assert read_noise("CorrelatedGaussian(20, between=0.5)").between == 0.5
    assert (
        repr(read_noise("CorrelatedGaussian(between=0.5, kernel=2, sigma=20)"))
        == "CorrelatedGaussian(20, 2, between=0.5)"
    )
    assert read_noise("Sensor()").strength == (1600, 1600)
    assert read_noise("Camera(800, jpeg=None, demosaic='bilinear')").demosaic == "bilinear"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        *((text, "noise is written as Gaussian") for text in ("", "Gauss(25)", "Gaussian", "print(1)", "Gaussian(25")),
        *((text, "noise is written as Gaussian") for text in ("3", "a.b(1)", "\0", "(" * 5000, 25, None)),
        ("Gaussian(__import__('os'))", "Gaussian takes sigma, written out"),
        ("Gaussian(25, 3)", "too many positional arguments. Gaussian takes sigma"),
        ("Gaussian()", "missing a required argument: 'sigma'"),
        ("Gaussian(strength=25)", "Gaussian takes sigma"),
        ("Gaussian(25, strength=3)", "unexpected keyword argument 'strength'. Gaussian takes sigma"),
        ("Gaussian(sigma=25, sigma=3)", "given twice"),
        ("Gaussian(25, sigma=3)", "multiple values for argument 'sigma'"),
        ("Gaussian(**{'sigma': 25})", "keywords must be strings"),
        ("Gaussian(*(25,))", "cannot be read"),
        ("Gaussian('25')", "sigma is a number > 0"),
        ("Gaussian((1, 2, 3))", "sigma is a number > 0"),
        ("Impulse(2)", "at most 1"),
        ("CorrelatedGaussian(20, 'box')", "the kernel is a width"),
        ("CorrelatedGaussian(20, 100000)", "a width from 1 to 1000"),
        ("CorrelatedGaussian(20, between='all')", r"lies in \[0, 1\]; 'all'"),
        ("Camera(1600, jpeg='fine')", "from 1 to 95"),
        ("Camera(1600, demosaic=[])", "demosaic can be malvar"),
    ],
)
def test_other_texts_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        read_noise(text)


@given(st.text() | st.text().map("Gaussian({})".format) | st.text().map("CorrelatedGaussian(20, {})".format))
def test_any_text_is_read_or_refused_in_words(text):
    try:
        read_noise(text)
    except ValueError as error:
        assert "given" in str(error) or "cannot be read" in str(error)
