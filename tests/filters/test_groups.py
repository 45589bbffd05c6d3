import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import ndimage

from dnlib.filters import group_loops, ridge, ridge_cascade
from dnlib.images import photo

CLEAN = photo("astronaut")[60:132, 180:250]
SIGMA = 0.1
NOISY = (CLEAN + SIGMA * np.random.default_rng(0).standard_normal(CLEAN.shape)).astype(np.float32)
FILTERS = pytest.mark.parametrize("filter", [ridge, ridge_cascade])


def group(rng, number=5, pixels=400):
    clean = rng.standard_normal((number, number)) @ rng.standard_normal((number, pixels))
    noise = rng.uniform(0.5, 2, number).astype(np.float32)
    return clean, noise


def without_pilot(products, noise):
    theta = products.astype(np.float32)
    group_loops._without_pilot(theta, noise)
    return theta.astype(float)


def test_step_1_has_the_least_unbiased_risk(rng):
    clean, noise = group(rng)
    noisy = clean + np.sqrt(noise / clean.shape[1])[:, None] * rng.standard_normal(clean.shape)
    told, theta = group_loops.BULK * np.diag(noise), without_pilot(noisy @ noisy.T, noise)

    def risk(theta):
        return ((theta @ noisy - noisy) ** 2).sum() + 2 * np.trace(theta @ told) - np.trace(told)

    np.testing.assert_allclose(theta, np.eye(len(noise)) - told @ np.linalg.inv(noisy @ noisy.T), atol=1e-5)
    for _ in range(50):
        assert risk(theta) < risk(theta + 0.1 * rng.standard_normal(theta.shape))


def test_the_unbiased_risk_is_the_risk_on_average(rng):
    """|Theta Y - Y|^2 + 2 tr(Theta D) - tr(D), for a Theta that does not depend on the noise."""
    clean, noise = group(rng)
    theta, unbiased = 0.5 * np.eye(len(noise)) + 0.1, []
    for _ in range(400):
        noisy = clean + np.sqrt(noise / clean.shape[1])[:, None] * rng.standard_normal(clean.shape)
        unbiased.append(((theta @ noisy - noisy) ** 2).sum() + 2 * (np.diag(theta) * noise).sum() - noise.sum())
    true = ((theta @ clean - clean) ** 2).sum() + (theta**2 @ noise).sum()
    assert abs(np.mean(unbiased) - true) < 4 * np.std(unbiased) / 20


def test_step_1_without_signal_keeps_nothing():
    assert np.abs(without_pilot(np.zeros((4, 4)), np.ones(4, np.float32))).max() == 0


def test_step_2_with_the_clean_group_is_the_best_linear_estimate(rng):
    clean, noise = group(rng)
    clean /= 10
    theta = (clean @ clean.T).astype(np.float32)
    group_loops._with_pilot(theta, noise, np.empty_like(theta))
    stacked = np.vstack([clean.T, np.diag(np.sqrt(noise))])
    wanted = np.vstack([clean.T, np.zeros((len(noise), len(noise)))])
    best = np.linalg.lstsq(stacked, wanted)[0]  # minimises |Theta X - X|^2 + tr(Theta D Theta')
    np.testing.assert_allclose(theta, best.T, atol=1e-4)


@pytest.mark.parametrize("scale", [1e-9, 1e-4, 65535])
def test_units_do_not_matter(rng, scale):
    image = rng.random((40, 44)).astype(np.float32)
    pilot = ndimage.gaussian_filter(image, 2)
    pilot[:24, :24] = 0  # where it is exactly black there is nothing but noise
    ours, scaled = ridge(image, 0.2, pilot=pilot), ridge(scale * image, scale * 0.2, pilot=scale * pilot)
    np.testing.assert_allclose(scaled / scale, ours, atol=1e-3)
    assert ours[:16, :16].std() < 0.3 * image[:16, :16].std()


@pytest.mark.parametrize("seed", range(5))
def test_a_group_of_hardly_any_energy_and_hardly_any_noise_is_kept(seed):
    """Its patches are alike, and of all its numbers none is larger than 1e-9."""
    rng = np.random.default_rng(seed)
    clean = 1e-10 * rng.standard_normal((64, 3)) @ rng.standard_normal((3, 16))
    theta = (clean @ clean.T).astype(np.float32)
    group_loops._with_pilot(theta, np.full(64, 1e-37, np.float32), np.empty_like(theta))
    np.testing.assert_allclose(theta, np.eye(64), atol=1e-4)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 18, 31, 64, 97])
def test_the_inverse_is_that_of_linear_algebra(rng, number):
    matrix = rng.standard_normal((number, 2 * number))
    matrix = matrix @ matrix.T + np.eye(number)
    inverse = matrix.astype(np.float32)
    group_loops._invert(inverse, np.full_like(inverse, np.nan), np.float32(0))
    np.testing.assert_allclose(inverse, np.linalg.inv(matrix), atol=1e-5)


@pytest.mark.parametrize("number", [5, 32, 64])
def test_a_bright_group_with_little_noise_is_kept(rng, number):
    """Its products have one large eigenvalue, and else hardly more than float32 resolves."""
    pilot = np.outer(rng.uniform(0.5, 2, number), rng.uniform(0.5, 2, 49))
    theta, noise = (pilot @ pilot.T).astype(np.float32), np.full(number, 1e-6 * (pilot**2).sum(), np.float32)
    group_loops._with_pilot(theta, noise, np.empty_like(theta))
    np.testing.assert_allclose(theta @ pilot, pilot, atol=1e-5 * pilot.max())


@pytest.mark.parametrize("number", [1, 7, 100, 256])
def test_the_nearest_are_those_that_sorting_finds(rng, number):
    distance = rng.integers(0, 50, (16, 16)).astype(np.float32)  # with ties
    distance[3, 4] = -1
    places = np.empty((number, 2), np.int64)
    group_loops._nearest(distance, number, 0, 0, places)
    assert len(np.unique(places, axis=0)) == number and [3, 4] in places.tolist()
    np.testing.assert_array_equal(np.sort(distance[*places.T]), np.sort(distance, axis=None)[:number])


@FILTERS
def test_no_noise_returns_the_image(filter):
    np.testing.assert_array_equal(filter(NOISY, 0), NOISY)


@FILTERS
def test_image_and_sigma_scale_together(filter):
    np.testing.assert_array_equal(filter(4 * NOISY, 4 * SIGMA), 4 * filter(NOISY, SIGMA))
    difference = filter(255 * NOISY, 255 * SIGMA) - 255 * filter(NOISY, SIGMA)
    assert np.abs(difference).max() < 5 and np.mean(np.abs(difference) > 0.05) < 0.03  # other patches may be nearest


def test_a_constant_may_be_added():
    np.testing.assert_allclose(ridge(NOISY + 2, SIGMA), ridge(NOISY, SIGMA) + 2, atol=2e-3)


@FILTERS
def test_threads_change_no_bit(filter, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    once = filter(NOISY, SIGMA)
    for threads in "235":
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        np.testing.assert_array_equal(filter(NOISY, SIGMA), once)


@FILTERS
def test_a_constant_map_is_its_number(filter):
    expected = filter(NOISY, SIGMA)
    for shape in (NOISY.shape[:2], NOISY.shape):
        np.testing.assert_array_equal(filter(NOISY, np.full(shape, SIGMA)), expected)


def test_a_constant_image_goes_to_its_mean(rng):
    noisy = 0.5 + SIGMA * rng.standard_normal((64, 64))
    assert ridge(noisy, SIGMA).std() < 0.15 * noisy.std()


def test_less_noise_is_left_and_less_still_with_a_better_pilot():
    def error(estimate):
        return ((estimate - CLEAN) ** 2).mean()

    assert error(ridge(NOISY, SIGMA)) < 0.25 * SIGMA**2
    assert error(ridge(NOISY, SIGMA, pilot=CLEAN, rounds=1)) < 0.7 * error(ridge(NOISY, SIGMA))


def test_a_map_of_the_noise_beats_its_mean(rng):
    clean = photo("camera")[100:180, 100:180]
    deviation = np.where(clean > 0.5, 0.2, 0.02)
    noisy = clean + deviation * rng.standard_normal(clean.shape)
    errors = [((ridge(noisy, s) - clean) ** 2).mean() for s in (deviation, np.sqrt((deviation**2).mean()))]
    assert errors[0] < 0.9 * errors[1]


@FILTERS
def test_too_strong_a_level_blurs_but_does_not_blow_up(filter):
    """Negative eigenvalues, left in, would: where all patches are alike, (Y Y')^-1 is huge."""
    smooth = np.add.outer(np.linspace(0, 1, 48), np.zeros(48))
    smooth[20:24, 20:24] += 1e-3
    result = filter(smooth, 0.3)
    assert result.min() > -0.1 and result.max() < 1.1


@settings(max_examples=25)
@given(st.data(), st.integers(8, 20), st.integers(8, 20), st.sampled_from([(), (1,), (2,), (3,), (5,)]))
def test_any_small_image_keeps_shape_and_stays_finite(data, height, width, colours):
    values = st.floats(-1e3, 1e3, width=32)
    image = data.draw(hnp.arrays(np.float32, (height, width, *colours), elements=values, fill=values))
    for filter in (ridge, ridge_cascade):
        result = filter(image, 1.0)
        assert result.shape == image.shape and result.dtype == image.dtype and np.isfinite(result).all()


@FILTERS
@pytest.mark.parametrize(
    ("image", "sigma", "message"),
    [
        (np.full((8, 8), np.nan), 1, "NaN"),
        (np.zeros((7, 9)), 1, r"8x8 pixels or more; \[7, 9\]"),
        (np.zeros(64), 1, r"\[H, W\]"),
        (np.zeros((8, 8)), -1, "0 or more"),
        (np.zeros((8, 8)), np.nan, "0 or more"),
        (np.zeros((8, 8)), "much", "0 or more"),
        (np.zeros((8, 8, 3)), np.ones((8, 9)), r"\[8, 8, 3\]; \[8, 9\]"),
        (np.zeros((8, 8)), np.ones((8, 8, 1)), r"\[8, 8\]; \[8, 8, 1\]"),
    ],
)
def test_bad_input_is_named(filter, image, sigma, message):
    with pytest.raises(ValueError, match=message):
        filter(image, sigma)


@pytest.mark.parametrize(
    "arguments", [{"pilot": np.zeros((8, 8, 3))}, {"pilot": np.full((8, 8), np.nan)}, {"rounds": 0}, {"number": 0}]
)
def test_bad_arguments_are_named(arguments):
    with pytest.raises(ValueError, match=r"pilot|NaN|rounds"):
        ridge(np.zeros((8, 8)), 1, **arguments)
