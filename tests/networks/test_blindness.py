"""Blindness by exact gradients, for every blind network; and what Laine et al.'s method does with it."""

from functools import partial

import pytest
import torch
from hypothesis import given, settings, strategies as st

from dnlib.images import by_tiles
from dnlib.methods import APBSN, LGBPN, SIDD, Batch, BlindSpotBayes, View, adjusted
from dnlib.methods.blind_spot import outputs
from dnlib.networks import (
    BlindPatch,
    BlindSpotUNet,
    DilatedBlindSpot,
    Noise2CleanUNet,
    TwoWayBlindSpotUNet,
    global_branch,
    local_branch,
)
from dnlib.noise import CorrelatedGaussian, Gaussian, Impulse, Poisson, Sensor
from dnlib.training import Crops, fit


def patches(channels, width=8, differences=False, **options):
    local, global_ = (make(width, head=8, blocks=1, differences=differences, **choice) for make, choice in BRANCHES)
    return BlindPatch(channels, width, head=8, local=local, global_=global_, **options)


BRANCHES = (local_branch, {}), (global_branch, {"attention": False})
PUBLISHED = {
    "four ways": lambda channels, **mean: BlindSpotUNet(channels, 4, **mean),
    "four ways, hole of 9": lambda channels, **mean: BlindSpotUNet(channels, 4, shift=5, **mean),
    "two ways": lambda channels, **mean: TwoWayBlindSpotUNet(channels, 4, **mean),
    "dilated": lambda channels, **mean: DilatedBlindSpot(channels, 32, outputs=9, blocks=2, **mean),
    "blind patch": lambda channels, **mean: patches(channels, 16, **mean),
    "square patch": lambda channels, **mean: BlindPatch(
        channels, 16, head=8, local=local_branch(16, head=8, blocks=1, hole="square"), global_=None, **mean
    ),
}
MEAN = {f"{name}, mean": partial(make, mean=True) for name, make in PUBLISHED.items()}
MEAN |= {
    f"{name}, mean and differences": partial(make, mean=True, differences=True)
    for name, make in PUBLISHED.items()
    if name != "square patch"
}
BLIND = PUBLISHED | MEAN
WIDE = {name for name in BLIND if "patch" not in name}  # their answer sees all that lies beside the hole
every_blind = pytest.mark.parametrize("name", BLIND)


def assert_blind(network, image, *places, seen=True):
    """At each (row, column); every answer is one of a single run."""
    image = image.clone().requires_grad_()
    answer, hole = network(image)[0], network.hole
    generator, reach = torch.Generator().manual_seed(1), len(network.hole) // 2
    weights = torch.randn(len(answer), generator=generator, dtype=answer.dtype)
    for row, column in places:
        said = (weights * answer[:, row, column]).sum()
        change = torch.autograd.grad(said, image, retain_graph=True)[0][0].abs().sum(dim=0)
        padded = torch.nn.functional.pad(change, (reach, reach, reach, reach))
        around = padded[row : row + len(hole), column : column + len(hole)]
        assert (around[hole] == 0).all()
        if seen:  # and no blinder than it says, right beside the hole
            ring = torch.nn.functional.pad(change, (reach + 1,) * 4)
            beside = [(reach + 1, 0), (reach + 1, -1), (0, reach + 1), (-1, reach + 1)]
            size = 2 * reach + 3
            window = ring[row : row + size, column : column + size]
            inside = torch.nn.functional.pad(torch.ones_like(change), (reach + 1,) * 4)
            inside = inside[row : row + size, column : column + size]
            assert all(window[place] > 0 for place in beside if inside[place])


@every_blind
@pytest.mark.parametrize(("size", "channels"), [((64, 64), 1), ((37, 50), 7), ((50, 33), 1), ((1, 7), 7), ((3, 3), 1)])
def test_the_answer_ignores_the_hole_and_nothing_else(name, channels, size):
    torch.manual_seed(0)
    network = BLIND[name](channels).double()
    image = torch.rand(1, channels, *size, dtype=torch.float64)
    height, width = size
    if name in MEAN and max(size) <= len(network.hole):
        with pytest.raises(ValueError, match=f"nothing is left to see in {height}x{width} pixels"):
            network(image)
        return
    rows, columns = (0, height - 1, height // 2, height // 2 + 1), (0, width - 1, width // 3, width // 3 + 1)
    pairs = [pair for turned in (columns, columns[::-1]) for pair in zip(rows, turned, strict=True)]
    assert_blind(network, image, *{(row % height, column % width) for row, column in pairs}, seen=name in WIDE)


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_place_in_the_pooling_grid_is_blind(name):
    torch.manual_seed(0)
    network = PUBLISHED[name](1).double()
    image = torch.rand(1, 1, 40, 40, dtype=torch.float64)
    assert_blind(network, image, *((place, 7 * place % 32) for place in range(32)), seen=False)


@pytest.mark.parametrize("shift", [1, 2, 3, 5])
def test_the_hole_follows_the_shift(shift):
    network = BlindSpotUNet(1, 4).double()
    network.shift = shift
    assert len(network.hole) == 2 * shift - 1
    assert_blind(network, torch.rand(1, 1, 30, 30, dtype=torch.float64), (15, 14))
    with pytest.raises(ValueError, match="see the pixel itself"):
        network.shift = 0


@every_blind
def test_training_in_any_precision_leaves_the_network_blind(name):
    torch.manual_seed(0)
    network = BLIND[name](3)
    method = BlindSpotBayes(network, Gaussian(25), covariance="none" if "patch" in name else "full")
    batches = Crops([torch.rand(40, 40, 3).numpy()], Gaussian(25), size=32, count=2)
    fit(method, batches, steps=3, progress=False)
    assert_blind(network.eval(), torch.rand(1, 3, 33, 47), (16, 20), seen=False)


@every_blind
def test_tiles_are_blind_too(name):
    torch.manual_seed(0)
    network = BLIND[name](1).double()
    image = torch.rand(1, 1, 85, 58, dtype=torch.float64)

    def by_parts(image):
        return by_tiles(lambda part: (network(part),), image, side=40, margin=8, multiple=network.multiple)[0]

    by_parts.hole = network.hole
    assert_blind(by_parts, image, (0, 0), (39, 20), (40, 21), (45, 57), (84, 30), seen=False)  # where tiles meet, too


STRIDES, SIZES = range(1, 7), st.integers(1, 33)


@settings(max_examples=30)
@given(
    st.sampled_from(STRIDES), st.tuples(SIZES, SIZES), st.sampled_from([1, 2, 3]), st.sampled_from([None, 2]), st.data()
)
def test_the_shuffle_leaves_a_network_blind_whatever_stride_and_size(stride, size, channels, border, data):
    torch.manual_seed(0)
    method = APBSN(DilatedBlindSpot(channels, 8, blocks=2), stride=stride, border=border, refinements=0).double()
    image = torch.rand(1, channels, *size, dtype=torch.float64)
    place = [data.draw(st.sampled_from([0, side // 2, side - 1, max(0, side - 1 - stride // 2)])) for side in size]
    assert_blind(as_network(method), image, place, seen=False)


def as_network(method):
    """What a method says, as a network whose hole is the pixel itself."""

    def said(image):
        return method.estimate(image).mean

    said.hole = torch.ones(1, 1, dtype=torch.bool)
    return said


@pytest.mark.parametrize("stride", STRIDES)
@pytest.mark.parametrize("size", [(23, 25), (24, 22), (5, 2)])
def test_the_published_stride_pairs_are_blind_at_every_place_of_the_border(stride, size):
    """A pixel mirrored beside itself would be seen: stride 2 on 23x25 had a gradient of 0.26 at row 21."""
    torch.manual_seed(0)
    method = APBSN(DilatedBlindSpot(1, 8, blocks=2), stride=stride, refinements=0).double()
    image = torch.rand(1, 1, *size, dtype=torch.float64, requires_grad=True)
    answer = method.estimate(image).mean
    for row in range(max(0, size[0] - stride - 2), size[0]):
        for column in {0, size[1] // 2, size[1] - 2, size[1] - 1}:
            change = torch.autograd.grad(answer[0, 0, row, column], image, retain_graph=True)[0]
            assert change[0, 0, row, column] == 0


@pytest.mark.parametrize("view", SIDD)
@pytest.mark.parametrize("size", [(61, 45), (64, 41), (45, 61)])
def test_lg_bpn_is_blind_at_every_row_and_column_near_the_end_of_an_image(view, size):
    """With mirrored features beyond the end, rows 56 and 57 of 61 and row 59 of 64 saw themselves."""
    torch.manual_seed(0)
    local, global_ = (make(8, head=8, blocks=2, **options) for make, options in BRANCHES)
    network = BlindPatch(1, 8, head=8, local=local, global_=global_).double()
    image = torch.rand(1, 1, *size, dtype=torch.float64, requires_grad=True)
    with adjusted(network, view):
        answer = network(image)[0, 0]
        ends = [(row, 20) for row in range(size[0] - 9, size[0])] + [(20, col) for col in range(size[1] - 9, size[1])]
        for row, column in ends:
            change = torch.autograd.grad(answer[row, column], image, retain_graph=True)[0]
            assert change[0, 0, row, column] == 0


@settings(max_examples=25)
@given(
    st.tuples(st.sampled_from(STRIDES[1:]), st.sampled_from(STRIDES[1:])),
    st.tuples(SIZES, SIZES),
    st.sampled_from([1, 3]),
    st.data(),
)
def test_lg_bpn_never_sees_the_pixel_itself_whatever_the_strides(strides, size, channels, data):
    """With taps moved as the published views have it. At stride 1 the body would lead back into any hole."""
    torch.manual_seed(0)
    shrinks = [{2: 0.46, 3: 0.72}.get(stride, 1.0) for stride in strides]
    method = LGBPN(patches(channels), views=(View(strides, shrinks), View(strides, shrinks)), refinements=0).double()
    image = torch.rand(1, channels, *size, dtype=torch.float64)
    place = [data.draw(st.sampled_from([0, side // 2, side - 1, max(0, side - 3)])) for side in size]
    assert_blind(as_network(method), image, place, seen=False)


@every_blind
def test_images_of_one_batch_do_not_meet(name):
    network = BLIND[name](3).double()
    images = torch.rand(2, 3, 20, 30, dtype=torch.float64)
    assert torch.allclose(network(images)[1:], network(images[1:]), rtol=1e-9)


def test_parameter_counts_are_the_published_ones():
    def count(outputs):
        return sum(parameter.numel() for parameter in BlindSpotUNet(outputs=outputs).parameters())

    assert count(9) == 1_269_129 and count(3) == 1_268_547


def method(covariance="full", noise=None, channels=3, **options):
    torch.manual_seed(0)
    network = TwoWayBlindSpotUNet(channels, 4, outputs=outputs(channels, covariance))
    return BlindSpotBayes(network, noise or Gaussian(25), covariance=covariance, estimator_width=4, **options)


def batch(channels=3, **parts):
    noisy = torch.rand(2, channels, 16, 16, generator=torch.Generator().manual_seed(0))
    return Batch(torch.Generator(), 0.5, noisy=noisy, **parts)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("covariance", ["full", "diagonal"])
def test_the_loss_is_the_negative_log_likelihood(channels, covariance):
    learner = method(covariance, channels=channels)
    data = batch(channels)
    mean, cov = learner.belief(data.noisy)
    cov = cov.permute(0, 3, 4, 1, 2) + (25 / 255) ** 2 * torch.eye(channels)
    reference = torch.distributions.MultivariateNormal(mean.movedim(1, -1), cov)
    expected = -reference.log_prob(data.noisy.double().movedim(1, -1)).mean()
    assert learner.loss(data).item() == pytest.approx(expected.item(), rel=1e-6)
    if covariance == "diagonal":
        assert (cov - torch.diag_embed(cov.diagonal(dim1=-2, dim2=-1))).abs().max() == 0


@pytest.mark.parametrize("channels", [2, 3, 4, 7])
def test_the_covariance_is_u_u_transposed(channels):
    learner = method(channels=channels)
    noisy = torch.rand(1, channels, 5, 6)
    entries = learner.network(noisy)[:, channels:].double()
    root = torch.zeros(1, channels, channels, 5, 6, dtype=torch.float64)
    rows, columns = torch.triu_indices(channels, channels)
    root[:, rows, columns] = entries
    assert torch.allclose(learner.belief(noisy).cov, torch.einsum("nikhw,njkhw->nijhw", root, root), atol=1e-12)


def test_without_covariance_it_is_regression_onto_the_noisy_pixel():
    data = batch()
    learner = method("none")
    expected = ((learner.network(data.noisy) - data.noisy) ** 2).mean()
    assert learner.loss(data).item() == pytest.approx(expected.item(), rel=1e-4)
    assert learner.denoise(data.noisy).std is None
    annealed = method("none", Impulse(0.5)).loss(data)  # half-way to the mode: the absolute difference
    assert annealed.item() == pytest.approx((learner.network(data.noisy) - data.noisy).abs().mean().item(), rel=1e-4)


@pytest.mark.parametrize(("channels", "weight"), [(3, 0.1), (1, 0.05)])
@pytest.mark.parametrize("noise", [Gaussian((5, 50)), Poisson((5, 50)), Sensor((800, 3200))])
def test_the_regulariser_rewards_the_noise_estimate(channels, weight, noise):
    learner = method(noise=noise, channels=channels, parameter="per_image")
    data = batch(channels)
    with_reward = learner.loss(data)
    learner.regularise = False
    parameter = noise.to_internal(learner.estimate_parameter(data.noisy))
    deviation = noise.variance(learner.belief(data.noisy).mean, parameter).sqrt().mean()
    assert (learner.loss(data) - with_reward).item() == pytest.approx(weight * deviation.item(), rel=1e-4)


@pytest.mark.parametrize("parameter", ["global", "per_image"])
def test_an_untrained_estimate_is_the_most_noise_or_what_was_asked_for(parameter):
    noisy = torch.rand(2, 3, 20, 31)
    for noise, most in ((Gaussian((5, 50)), 50), (Poisson((5, 50)), 5), (Impulse((0.1, 0.9)), 0.9)):
        untrained = method(noise=noise, parameter=parameter)
        assert untrained.estimate_parameter(noisy).tolist() == pytest.approx([most, most], rel=1e-3)
    published = method(noise=Gaussian((5, 50)), parameter=parameter, start=4.88)
    assert published.estimate_parameter(noisy).tolist() == pytest.approx([4.88] * 2, rel=1e-3)
    assert 255 * Gaussian(25).from_free(torch.zeros(1)).item() == pytest.approx(4.88, abs=0.01)


def test_the_known_parameter_of_each_image_is_used():
    learner = method(noise=Gaussian((5, 50)))
    assert learner.needs == {"noisy", "parameter"} and method().needs == {"noisy"}
    losses = [learner.loss(batch(parameter=torch.full((2,), sigma / 255))).item() for sigma in (5, 50)]
    assert losses[0] != losses[1]
    noisy = batch().noisy
    weak, strong = learner.denoise(noisy, 5), learner.denoise(noisy, torch.tensor([50, 50]))
    assert (weak.mean - noisy).abs().mean() < (strong.mean - noisy).abs().mean()
    assert (weak.std < strong.std).all()


@pytest.mark.parametrize("noise", [Gaussian(25), Poisson(30), Sensor(1600), Impulse(0.5)])
@pytest.mark.parametrize("channels", [1, 2, 3, 7])
def test_constant_and_tiny_images_are_denoised(noise, channels):
    learner = method(noise=noise, channels=channels)
    for image in (torch.full((1, channels, 9, 12), 0.5), torch.zeros(1, channels, 1, 1)):
        estimate = learner.denoise(image)
        assert estimate.mean.isfinite().all() and estimate.std.isfinite().all() and (estimate.std >= 0).all()


def test_the_estimate_lies_between_belief_and_measurement():
    learner, noisy = method("diagonal"), batch().noisy
    belief, estimate = learner.belief(noisy), learner.denoise(noisy)
    between = (estimate.mean - belief.mean) * (noisy - estimate.mean)
    assert between.min() > -1e-6
    assert (estimate.std <= belief.std + 1e-6).all() and (estimate.std <= 25 / 255 + 1e-6).all()


def test_noise_beyond_what_was_trained_is_named():
    learner = method(noise=Gaussian((5, 50)))
    with pytest.warns(UserWarning, match=r"100 lies outside 5 to 50.*Gaussian\(\(5, 50\)\)"):
        learner.denoise(batch().noisy, 100)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"covariance": "half"}, "full, diagonal or none"),
        ({"parameter": "guessed"}, "known, global or per_image"),
        ({"covariance": "diagonal"}, "outputs=6"),
        ({"covariance": "none", "parameter": "global"}, "no use for a noise parameter"),
        ({"noise": CorrelatedGaussian(25)}, "Gaussian, Poisson, Sensor and Impulse"),
        ({"noise": "Gauss(25)"}, "Gaussian\\(25\\)"),
        ({"network": Noise2CleanUNet(3, 4, outputs=9)}, "sees the pixel it estimates"),
    ],
)
def test_impossible_methods_are_refused(options, message):
    arguments = {"network": TwoWayBlindSpotUNet(3, 4), "noise": Gaussian(25)} | options
    with pytest.raises(ValueError, match=message):
        BlindSpotBayes(**arguments)


@pytest.mark.parametrize("parameter", [0.0, -1.0, float("nan"), torch.ones(3), torch.ones(2, 1)])
def test_impossible_parameters_are_refused(parameter):
    with pytest.raises(ValueError, match="one parameter > 0 is taken for each of the 2 images"):
        method(noise=Gaussian((5, 50))).denoise(batch().noisy, parameter)


def test_known_and_unknown_parameters_are_not_mixed_up():
    noisy = batch().noisy
    with pytest.raises(ValueError, match="needs `parameter`"):
        method(noise=Gaussian((5, 50))).denoise(noisy)
    with pytest.raises(ValueError, match="was trained for Gaussian\\(25\\)"):
        method().denoise(noisy, 0.1)
    with pytest.raises(ValueError, match="estimates it from the noisy image"):
        method(noise=Gaussian((5, 50)), parameter="per_image").denoise(noisy, 0.1)
    noisy[0, 0, 0, 0] = float("nan")
    with pytest.raises(ValueError, match="NaN or infinite"):
        method().denoise(noisy)


@pytest.mark.parametrize("noise", [Gaussian(25), Poisson(30), Impulse(0.5)])
def test_what_is_known_is_the_estimate_and_what_differs_from_image_to_image_is_none(noise):
    noisy = batch().noisy
    assert method(noise=noise).estimate_parameter(noisy).tolist() == pytest.approx([noise.strength[0]] * 2)
    with pytest.raises(ValueError, match=r"parameter of Gaussian\(\(5, 50\)\) known, this method cannot estimate it"):
        method(noise=Gaussian((5, 50))).estimate_parameter(noisy)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_parameters_are_estimated_in_any_precision_and_no_other_mode(dtype):
    learner = method(noise=Gaussian((5, 50)), parameter="per_image").train()
    found = learner.estimate_parameter(batch().noisy.to(dtype))
    assert found.dtype == dtype and found.tolist() == pytest.approx([50, 50], rel=0.01) and learner.training
    with pytest.raises(ValueError, match=r"torch\.int64"):
        learner.estimate_parameter(torch.ones(1, 3, 8, 8, dtype=torch.int64))


def test_large_images_are_updated_piece_by_piece(monkeypatch):
    learner, noisy = method(), torch.rand(1, 3, 20, 33)
    whole = learner.denoise(noisy)
    monkeypatch.setattr("dnlib.methods.blind_spot.PIECE", 7)
    for one, other in zip(whole, learner.denoise(noisy), strict=True):
        assert torch.equal(one, other)


def test_the_posterior_after_training_is_closer_than_prior_and_measurement():
    generator = torch.Generator().manual_seed(0)
    clean = (torch.rand(8, 8, 1, generator=generator) > 0.5).float().repeat_interleave(8, 0).repeat_interleave(8, 1)
    clean = clean.expand(64, 64, 3).numpy() * 0.5 + 0.25
    learner = method(noise=Gaussian(50))
    batches = Crops([clean], Gaussian(50), size=32, count=4)
    fit(learner, batches, steps=60, learning_rate=3e-3, progress=False, precision="float32")
    truth = torch.from_numpy(clean).permute(2, 0, 1)[None].float()
    noisy = Gaussian(50).sample(truth, generator).image
    prior, posterior = learner.belief(noisy).mean, learner.denoise(noisy).mean

    def error(image):
        return ((image - truth) ** 2).mean().item()

    assert error(posterior) < min(error(prior), error(noisy))
