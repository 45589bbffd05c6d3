import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from dnlib.filters import (
    Risk,
    donut_median,
    median,
    recorrupt,
    recorrupted_risk,
    self_supervised_loss,
    stein_risk,
    thin,
    total_variation,
)
from dnlib.images import photo

CAMERA = photo("camera")[:192, :192]
SHAPE = (3, 4)
SIZE = 12
JUDGES = {"recorrupted": recorrupted_risk, "Stein": stein_risk}
both = pytest.mark.parametrize("judge", JUDGES.values(), ids=JUDGES)


@pytest.fixture
def covariance(rng):
    root = rng.standard_normal((SIZE, SIZE))
    return root @ root.T / SIZE + 0.1 * np.diag(np.arange(SIZE))  # neighbours share it, and it grows along the image


def points_of(covariance):
    """Noises whose mean is exactly zero and whose mean square is exactly the covariance: no luck takes part."""
    root = np.sqrt(len(covariance)) * np.linalg.cholesky(covariance).T
    return [noise.reshape(SHAPE) for noise in (*root, *-root)]


def linear(matrix):
    return lambda image: (matrix @ image.ravel()).reshape(image.shape)


def noisy_camera(sigma, rng):
    return (CAMERA + sigma * rng.standard_normal(CAMERA.shape)).astype(np.float32)


@pytest.mark.parametrize("strength", [0.2, 0.5, 1, 3])
def test_the_noises_of_a_pair_are_uncorrelated_whatever_their_covariance_is(covariance, strength):
    zero = np.zeros(SIZE)
    columns = [np.concatenate(recorrupt(one, zero, strength)) for one in np.eye(SIZE)]  # what becomes of y's noise
    columns += [np.concatenate(recorrupt(zero, one, strength)) for one in np.eye(SIZE)]  # and of what is drawn
    pair = np.array(columns).T
    drawn = np.kron(np.eye(2), covariance)
    found = pair @ drawn @ pair.T
    np.testing.assert_allclose(found[:SIZE, SIZE:], 0, atol=1e-12)
    np.testing.assert_allclose(found[:SIZE, :SIZE], (1 + strength**2) * covariance)
    np.testing.assert_allclose(found[SIZE:, SIZE:], (1 + strength**-2) * covariance)


@pytest.mark.parametrize("weight", [0, 0.3, 1])
@pytest.mark.parametrize("strength", [0.1, 0.5, 2])
@both
def test_of_linear_denoisers_the_expected_risk_is_the_true_one(rng, covariance, judge, strength, weight):
    """In closed form: |(A - 1) x|^2 + tr(A C A^T), C the covariance of the noise that A is shown."""
    clean, matrix = rng.random(SHAPE), rng.standard_normal((SIZE, SIZE))
    noises = points_of(covariance)
    found = np.mean(
        [judge(linear(matrix), clean + n, noises, strength=strength).at(weight) for n in noises],
    )
    shown = covariance * (1 + strength**2 if judge is recorrupted_risk else 1)
    blend = np.eye(SIZE) + weight * (matrix - np.eye(SIZE))
    bias = (blend - np.eye(SIZE)) @ clean.ravel()
    assert found == pytest.approx((bias @ bias + np.trace(blend @ shown @ blend.T)) / SIZE)


def test_on_recorrupted_pairs_the_loss_is_the_risk_and_the_noise_of_the_target(rng, covariance):
    """E |f(y1) - y2|^2 = risk + (1 + 1 / a^2) tr S: the change is measured, the rest known."""
    noisy, matrix, noises = rng.random(SHAPE), rng.standard_normal((SIZE, SIZE)), points_of(covariance)
    losses = {name: [] for name in ("denoised", "left")}
    for noise in noises:
        shown, target = recorrupt(noisy, noise, 0.5)
        losses["denoised"].append(np.mean((linear(matrix)(shown) - target) ** 2))
        losses["left"].append(np.mean((shown - target) ** 2))
    found = recorrupted_risk(linear(matrix), noisy, noises, strength=0.5)
    assert found.change(1) == pytest.approx(np.mean(losses["denoised"]) - np.mean(losses["left"]))


@both
@pytest.mark.parametrize("weight", [0, 0.25, 0.6, 1])
def test_the_parabola_is_the_risk_of_the_blend_itself(rng, judge, weight):
    noisy, noises = rng.random((40, 50, 3)), list(0.1 * rng.standard_normal((2, 40, 50, 3)))
    whole = judge(lambda y: total_variation(y, 0.2), noisy, noises)
    blend = judge(lambda y: y + weight * (total_variation(y, 0.2) - y), noisy, noises)
    for name in ("change", "at", "error"):
        assert getattr(whole, name)(weight) == pytest.approx(getattr(blend, name)(1))


@both
def test_no_weight_is_better_than_the_best(rng, judge):
    noisy, noises = noisy_camera(0.1, rng), [0.1 * rng.standard_normal(CAMERA.shape)]
    risk = judge(lambda y: median(y, 3), noisy, noises)
    assert 0 < risk.best_weight < 1
    assert all(risk.change(risk.best_weight) < risk.change(risk.best_weight + off) for off in (-0.01, 0.01))


@both
def test_doing_nothing_changes_nothing(rng, judge):
    noise = rng.standard_normal((20, 20))
    risk = judge(lambda y: y, rng.random((20, 20)), [noise])
    assert risk.best_weight == risk.change(1) == risk.error(1) == 0


@given(st.floats(1, 2), st.floats(-10, 10), st.floats(0.1, 10))
def test_noise_told_up_to_twice_its_variance_does_no_harm(factor, overlap, power):
    true = Risk(np.array([[overlap]]), np.array([[power]]), np.ones((1, 1)), np.ones((1, 1)))
    assert true.change(true.with_noise(factor).best_weight) <= 1e-9
    assert (
        Risk(np.array([[-1.0]]), np.array([[4.0]]), np.ones((1, 1)), np.ones((1, 1))).with_noise(3).best_weight == 0.75
    )


def test_more_noise_is_what_would_have_been_drawn_of_more_noise(rng):
    """Exactly so for linear denoisers: the trace is linear in the covariance."""
    image, noise, matrix = rng.random(SHAPE), rng.standard_normal(SHAPE), rng.standard_normal((SIZE, SIZE))
    scaled = stein_risk(linear(matrix), image, [noise]).with_noise(1.3)
    drawn = stein_risk(linear(matrix), image, [np.sqrt(1.3) * noise])
    for weight in (0, 0.4, 1):
        assert scaled.at(weight) == pytest.approx(drawn.at(weight))


@given(st.floats().filter(lambda factor: not 0 <= factor < np.inf))
def test_an_impossible_factor_is_refused(factor):
    with pytest.raises(ValueError, match="factor >= 0"):
        Risk(*np.ones((4, 1, 1))).with_noise(factor)


@both
@pytest.mark.parametrize("sigma", [0.05, 0.1])
def test_on_white_noise_it_agrees_with_the_j_invariant_loss_and_with_the_truth(rng, judge, sigma):
    noisy = noisy_camera(sigma, rng)
    noises = list(sigma * rng.standard_normal((4, *CAMERA.shape)))
    found = judge(lambda y: donut_median(y, 2), noisy, noises, strength=0.2)
    shown = noisy if judge is stein_risk else recorrupt(noisy, noises[0], 0.2)[0]
    estimate, level = donut_median(shown, 2), sigma**2 * (1 if judge is stein_risk else 1.04)
    blind = self_supervised_loss(estimate, shown) - level
    truth = np.mean((estimate - CAMERA) ** 2)
    assert found.at(1) == pytest.approx(blind, rel=0.1) and found.at(1) == pytest.approx(truth, rel=0.1)


@both
def test_under_shared_noise_it_still_agrees_with_the_truth_where_the_j_invariant_loss_does_not(rng, judge):
    def shared():
        white = rng.standard_normal((194, 194))
        return 0.1 / 3 * sum(white[dy : dy + 192, dx : dx + 192] for dy in range(3) for dx in range(3))

    noisy, found = CAMERA + shared(), {}
    noises = [shared() for _ in range(4)]
    for radius in (1, 2, 4):
        risk = judge(lambda y, radius=radius: donut_median(y, radius), noisy, noises, strength=0.1)
        estimate = donut_median(noisy, radius)
        found[radius] = (risk.at(1), np.mean((estimate - CAMERA) ** 2), self_supervised_loss(estimate, noisy))
    risks, truths, losses = np.transpose(list(found.values()))
    np.testing.assert_allclose(risks, truths, rtol=0.1)
    assert np.argmin(risks) == np.argmin(truths) != np.argmin(losses)


@both
def test_the_truth_lies_within_three_standard_errors(rng, judge):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        noisy = noisy_camera(0.1, rng)
        noises = [0.1 * rng.standard_normal(CAMERA.shape)]
        risk = judge(lambda y: median(y, 1), noisy, noises, strength=0.1)
        truth = np.mean((median(noisy, 1) - CAMERA) ** 2) - np.mean((noisy - CAMERA) ** 2)
        assert abs(risk.change(1) - truth) < 3 * risk.error(1) < 0.3 * abs(truth)


@both
def test_what_is_masked_does_not_count(rng, judge):
    noisy, noise = rng.random((2, 40, 40, 3))
    mask = np.arange(40)[:, None] + np.zeros(40, int) < 20
    spoilt = noisy.copy()
    spoilt[~mask] = 7
    for one in (mask, np.repeat(mask[..., None], 3, axis=2)):
        first, second = (judge(lambda y: 0.5 * y, image, [noise], mask=one) for image in (noisy, spoilt))
        assert first.change(1) == second.change(1)
        assert first.count.sum() == 20 * 40 * 3


def test_thinned_counts_are_independent_poissons(rng):
    rate, share, size = 6.0, 0.3, 40_000
    first, second = thin(rng.poisson(rate, size), share, rng)
    for found, mean in ((first, (1 - share) * rate), (second, share * rate)):
        top = int(stats.poisson(mean).ppf(0.999))
        expected = stats.poisson(mean).pmf(np.arange(top))
        observed = np.bincount(found, minlength=top)[:top]
        observed, expected = ([*part, total - sum(part)] for part, total in ((observed, size), (size * expected, size)))
        assert stats.chisquare(observed, expected).pvalue > 0.001
    table = [[np.sum((first == i) & (second == j)) for j in range(4)] for i in range(1, 8)]
    assert stats.chi2_contingency(table).pvalue > 0.001


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_on_thinned_counts_the_loss_of_a_linear_denoiser_is_the_true_risk_and_the_noise_of_the_target(rng, share):
    """Rates x: E |A y1 / (1 - s) - y2 / s|^2 = |(A - 1) x|^2 + tr(A X A^T) / (1 - s) + tr X / s, X = diag(x)."""
    rates, matrix, draws = rng.uniform(0.2, 5, SIZE), rng.standard_normal((SIZE, SIZE)) / 3, 40_000
    first, second = thin(rng.poisson(rates, (draws, SIZE)), share, rng)
    losses = np.sum((first / (1 - share) @ matrix.T - second / share) ** 2, axis=1)
    bias = matrix @ rates - rates
    risk = bias @ bias + np.trace(matrix * rates @ matrix.T) / (1 - share)
    error = losses.std() / np.sqrt(draws)
    assert abs(losses.mean() - rates.sum() / share - risk) < 4 * error < 0.1 * risk


@given(hnp.arrays(st.sampled_from([np.uint8, np.uint16, np.float32]), (4, 5), elements=st.integers(0, 200)))
def test_thinning_loses_no_photon_and_keeps_the_type(counts):
    first, second = thin(counts, 0.4, np.random.default_rng(0))
    assert first.dtype == second.dtype == counts.dtype
    np.testing.assert_array_equal(first + second, counts)
    assert (second >= 0).all() and (first >= 0).all()


@pytest.mark.parametrize("count", [0.5, -1, np.inf, np.nan, 1j])
def test_what_is_no_count_is_refused(count):
    with pytest.raises(ValueError, match="whole numbers >= 0"):
        thin(np.array([count]), 0.5, np.random.default_rng(0))


@given(st.floats().filter(lambda share: not 0 < share < 1))
def test_an_impossible_share_is_refused(share):
    with pytest.raises(ValueError, match="between 0 and 1"):
        thin(np.ones(3, int), share, np.random.default_rng(0))


@pytest.mark.parametrize(("kind", "exact"), [("float16", 2**11), ("float32", 2**24), ("float64", 2**53)])
def test_counts_are_thinned_up_to_what_their_type_holds_exactly_and_refused_beyond(rng, kind, exact):
    counts = np.full(200, exact, kind)
    np.testing.assert_array_equal(sum(part.astype(np.int64) for part in thin(counts, 0.25, rng)), exact)
    with pytest.raises(ValueError, match=rf"of type {kind} go up to {exact}, .* was given"):
        thin(2 * counts, 0.25, rng)


@given(st.floats().filter(lambda strength: not 0 < strength < np.inf))
def test_an_impossible_strength_is_refused_everywhere(strength):
    image = np.ones((4, 4))
    for judge in JUDGES.values():
        with pytest.raises(ValueError, match="strength > 0"):
            judge(lambda y: y, image, [image], strength=strength)
    with pytest.raises(ValueError, match="strength > 0"):
        recorrupt(image, image, strength)


@both
@given(shape=hnp.array_shapes(min_dims=1, max_dims=4, max_side=5).filter(lambda shape: shape != (4, 5)))
def test_noises_masks_and_answers_of_another_shape_are_refused(judge, shape):
    image = np.ones((4, 5))
    with pytest.raises(ValueError, match="shape"):
        judge(lambda y: y, image, [np.ones(shape)])
    with pytest.raises(ValueError, match="mask is boolean"):
        judge(lambda y: y, image, [image], mask=np.ones(shape, bool))
    with pytest.raises(ValueError, match="answers in the image's shape"):
        judge(lambda y: np.ones(shape), image, [image])


@both
def test_nothing_to_judge_by_is_refused(judge):
    image = np.ones((4, 5))
    with pytest.raises(ValueError, match="none were given"):
        judge(lambda y: y, image, [])
    with pytest.raises(ValueError, match="somewhere True"):
        judge(lambda y: y, image, [image], mask=np.zeros((4, 5), bool))
    with pytest.raises(ValueError, match="NaN"):
        judge(lambda y: y, np.full((4, 5), np.nan), [image])


@given(hnp.array_shapes(min_dims=2, max_dims=3, max_side=40))
def test_any_size_is_judged_and_a_single_block_says_that_it_knows_no_error(shape):
    image = np.random.default_rng(0).random(shape)
    risk = stein_risk(lambda y: 0.5 * y, image, [image])
    assert risk.count.sum() == image.size and np.isfinite(risk.change(1))
    assert np.isfinite(risk.error(1)) == (max(shape[:2]) > 16)
