import numpy as np
import pytest
import torch
from torch import nn

from dnlib.images.datasets import Example
from dnlib.methods import Noise2Clean
from dnlib.noise import Gaussian
from dnlib.training.evaluation import draw_noisy, evaluate, score_pairs


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


def test_noise_depends_on_its_key_alone():
    clean = torch.zeros(1, 1, 8, 8)
    draws = [draw_noisy(clean, Gaussian(25), *key).image for key in [(0, 1, 2), (0, 1, 2), (0, 2, 1)]]
    assert torch.equal(draws[0], draws[1]) and not torch.equal(draws[0], draws[2])


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
    assert right.psnr > 100 and right.ssim_uniform == right.ssim_volume == 1
    off = score_pairs(lambda noisy: 1 - noisy + 10 / 255, pairs)
    assert off.psnr == pytest.approx(20 * np.log10(255 / 10))
    assert off.ssim_uniform != off.ssim_volume


def test_pairs_that_lack_an_image_are_refused(examples):
    with pytest.raises(ValueError, match="none was given"):
        score_pairs(lambda noisy: noisy, [])
    with pytest.raises(ValueError, match="0 has only one"):
        score_pairs(lambda noisy: noisy, examples)
