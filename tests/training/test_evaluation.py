import numpy as np
import pytest
import torch
from torch import nn

from dnlib.images.datasets import Example
from dnlib.methods import BlindSpotBayes, Estimate, Noise2Clean
from dnlib.networks import TwoWayBlindSpotUNet
from dnlib.noise import CorrelatedGaussian, Gaussian, Poisson
from dnlib.training import Crops, Scores, draw_noisy, evaluate, fit, score_pairs


class Nothing(Noise2Clean):
    """Returns the noisy image."""

    def __init__(self):
        super().__init__(nn.Conv2d(3, 3, 1))

    def estimate(self, noisy):
        return super().estimate(noisy)._replace(mean=noisy)


@pytest.fixture
def examples(rng):
    return [Example(str(i), clean=rng.integers(64, 192, (40, 50 + i, 3), dtype=np.uint8)) for i in range(3)]


def test_the_noisy_image_scores_what_its_noise_says(examples):
    scores = evaluate(Nothing(), examples, Gaussian(25), protocol="float", draws=4)
    assert scores.mean_psnr == pytest.approx(20.17, abs=0.1)
    assert scores.names == ("0",) * 4 + ("1",) * 4 + ("2",) * 4 and len(scores.psnr) == 12
    assert "12 images, protocol float" in str(scores) and "uniform" in str(scores)


def test_every_method_sees_the_same_noise_and_other_seeds_other_noise(examples):
    first, again, other = (evaluate(Nothing(), examples, Gaussian(25), seed=seed) for seed in (0, 0, 1))
    assert first == again and first.psnr != other.psnr
    alone = evaluate(Nothing(), examples[:1], Gaussian(25))
    assert alone.psnr[0] == first.psnr[0]


def test_numbers_left_out_of_a_key_are_zero_and_others_draw_different_noise():
    clean = torch.zeros(1, 1, 8, 8)
    same = [draw_noisy(clean, Gaussian(25), *key).image for key in [(7,), (7, 0), (7, 0, 0)]]
    assert all(torch.equal(image, same[0]) for image in same)
    keys = [(7,), (7, 1), (7, 0, 1), (7, 1, 1), (8,), (0, 7)]
    assert len({draw_noisy(clean, Gaussian(25), *key).image.numpy().tobytes() for key in keys}) == len(keys)


def test_seed_image_and_draw_draw_what_they_always_drew():
    """Records hold numbers of such noise."""
    image = draw_noisy(torch.zeros(1, 1, 1, 3), Gaussian(255), 7, 1, 0).image.flatten()
    assert image.tolist() == pytest.approx([-0.7474316, 1.8604454, -1.0947983], abs=1e-6)


def test_something_must_be_scored(examples):
    with pytest.raises(ValueError, match="0 and 1 were given"):
        evaluate(Nothing(), [], Gaussian(25))
    with pytest.raises(ValueError, match="3 and 0 were given"):
        evaluate(Nothing(), examples, Gaussian(25), draws=0)


def test_scores_need_clean_images():
    with pytest.raises(ValueError, match="x has none"):
        evaluate(Nothing(), [Example("x", noisy=np.zeros((8, 8, 3), np.uint8))], Gaussian(25))


def test_pairs_of_a_camera_are_scored_with_both_ssims(examples):
    pairs = [example._replace(noisy=255 - example.clean) for example in examples]
    right = score_pairs(lambda noisy: 1 - noisy, pairs)
    assert right.names == ("0", "1", "2") and min(right.psnr) > 100
    assert right.mean_ssim == {"uniform": pytest.approx(1), "volume": pytest.approx(1)}
    off = score_pairs(lambda noisy: 1 - noisy + 10 / 255, pairs)
    assert off.mean_psnr == pytest.approx(20 * np.log10(255 / 10))
    assert off.mean_ssim["uniform"] != off.mean_ssim["volume"]
    assert "(uniform), " in str(off) and "(volume), 3 images, protocol real_srgb" in str(off)


def test_methods_networks_and_functions_are_scored_alike(examples):
    pairs = [example._replace(noisy=example.clean[::-1]) for example in examples]

    def function(noisy):
        assert not torch.is_grad_enabled()
        return noisy

    denoisers = [Nothing(), function, lambda noisy: Estimate(noisy), nn.Identity()]
    for scored in (lambda d: evaluate(d, examples, Gaussian(25)), lambda d: score_pairs(d, pairs)):
        first, *others = (scored(denoiser) for denoiser in denoisers)
        assert isinstance(first, Scores) and all(other == first for other in others)


class Told(Nothing):
    """Notes the parameter it is given."""

    needs = frozenset({"noisy", "clean", "parameter"})

    def denoise(self, noisy, *, parameter):
        self.told = [*getattr(self, "told", []), float(parameter)]
        return super().denoise(noisy)


def test_a_method_that_needs_the_parameter_is_told_it(examples):
    method = Told()
    evaluate(method, examples, Gaussian((5, 50)), draws=2)
    drawn = [
        draw_noisy(torch.zeros(1, 3, 8, 8), Gaussian((5, 50)), 0, i, j).parameter for i in range(3) for j in (0, 1)
    ]
    assert method.told == [float(255 * parameter) for parameter in drawn] and len(set(method.told)) == 6


@pytest.mark.parametrize("answer", [None, 3.0, np.zeros((1, 3, 40, 50)), [1]])
def test_denoisers_that_answer_with_something_else_are_refused(examples, answer):
    with pytest.raises(ValueError, match=f"a denoiser answers with a tensor .*; {type(answer).__name__} came"):
        evaluate(lambda noisy: answer, examples, Gaussian(25))
    with pytest.raises(ValueError, match="differ in shape"):
        evaluate(lambda noisy: noisy[..., 1:], examples, Gaussian(25))
    with pytest.raises(ValueError, match="the protocol can be"):
        evaluate(lambda noisy: noisy, examples, Gaussian(25), protocol="best")


def test_methods_are_compared_image_by_image_and_on_the_same_ones(examples):
    pairs = [example._replace(noisy=example.clean[::-1]) for example in examples]
    noisy, gray = (score_pairs(f, pairs) for f in (lambda y: y, lambda y: torch.full_like(y, 0.5)))
    apart = gray.above(noisy)
    assert list(apart) == ["0", "1", "2"]
    assert np.mean(list(apart.values())) == pytest.approx(gray.mean_psnr - noisy.mean_psnr)
    with pytest.raises(ValueError, match="only one of the two was scored on 2"):
        gray.above(score_pairs(lambda y: y, pairs[:-1]))


def test_pairs_that_lack_an_image_are_refused(examples):
    with pytest.raises(ValueError, match="none was given"):
        score_pairs(lambda noisy: noisy, [])
    with pytest.raises(ValueError, match="0 has only one"):
        score_pairs(lambda noisy: noisy, examples)


def test_images_come_from_any_iterable_and_each_has_a_name_of_its_own(examples):
    assert evaluate(Nothing(), iter(examples), Gaussian(25)) == evaluate(Nothing(), examples, Gaussian(25))
    twice = [examples[0], examples[1]._replace(name=examples[0].name)]
    for score in (lambda: evaluate(Nothing(), twice, Gaussian(25)), lambda: score_pairs(Nothing(), twice)):
        with pytest.raises(ValueError, match="two images are called 0"):
            score()


def test_a_network_is_scored_as_it_denoises_and_is_left_as_it_was(examples):
    network = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.Dropout(0.5))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert network.training and evaluate(network, examples, Gaussian(25)) == evaluate(network, examples, Gaussian(25))
    assert network.training and all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert evaluate(network.eval(), examples, Gaussian(25)) == evaluate(network.train(), examples, Gaussian(25))


def test_no_other_quantity_is_taken_for_the_strength_that_a_method_is_told(examples):
    method = BlindSpotBayes(TwoWayBlindSpotUNet(3, 4), Gaussian((5, 50)))
    message = r"is told the sigma of Gaussian\(\(5, 50\)\); Poisson\(30\) has lambda"
    with pytest.raises(ValueError, match=message):
        evaluate(method, examples, Poisson(30))
    with pytest.raises(ValueError, match=message):
        fit(method, Crops([examples[0].clean], Poisson(30), size=16), steps=1)
    evaluate(method, examples[:1], CorrelatedGaussian(20, 3))  # sigma, too


def test_a_blind_spot_that_must_know_the_noise_is_evaluated(examples):
    method = BlindSpotBayes(TwoWayBlindSpotUNet(3, 4), Gaussian((5, 50)))
    assert "parameter" in method.needs
    assert len(evaluate(method, examples[:1], Gaussian((5, 50)), draws=2).psnr) == 2
