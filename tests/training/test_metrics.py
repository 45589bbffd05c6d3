import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from dnlib.images.arrays import photo
from dnlib.training import metrics
from dnlib.training.metrics import PROTOCOLS, psnr, quantise, score, ssim

CLEAN = photo("astronaut")[:96, 100:196]
NOISY = CLEAN + 25 / 255 * np.random.default_rng(0).standard_normal(CLEAN.shape).astype(np.float32)


def test_psnr_is_its_definition_in_the_float_protocol():
    assert psnr(NOISY, CLEAN) == pytest.approx(-10 * np.log10(np.mean((NOISY - CLEAN).astype(float) ** 2)), abs=1e-4)
    assert psnr(NOISY, CLEAN) == pytest.approx(20.17, abs=0.1)
    assert psnr(CLEAN, CLEAN) == float("inf")


def test_protocols_differ_as_they_say():
    values = {name: psnr(NOISY, CLEAN, name) for name in PROTOCOLS}
    assert values["float"] < values["clamped"]
    assert values["synthetic_rgb"] == values["real_srgb"]
    rounded = np.floor(np.clip(NOISY, 0, 1) * 255 + 0.5)
    assert values["real_srgb"] == pytest.approx(
        10 * np.log10(255**2 / np.mean((rounded - CLEAN * 255.0) ** 2)), abs=1e-4
    )


def test_quantise_rounds_half_up_like_the_papers():
    np.testing.assert_array_equal(quantise(np.array([-1, 0.5 / 255, 1.49 / 255, 2])) * 255, [0, 1, 1, 255])


def test_ssim_variants_are_what_they_are_called():
    assert ssim(NOISY, CLEAN) == pytest.approx(
        structural_similarity(CLEAN, NOISY, data_range=1, channel_axis=-1), abs=1e-5
    )
    values = {variant: ssim(NOISY, CLEAN, variant) for variant in ("uniform", "gaussian", "volume")}
    assert values["volume"] > values["uniform"] + 0.04
    for variant in values:
        assert ssim(CLEAN, CLEAN, variant) == pytest.approx(1)


def test_on_gray_images_the_volume_variant_is_the_gaussian_one_up_to_borders():
    x, y = CLEAN[..., 0], NOISY[..., 0]
    inner = structural_similarity(
        x, y, data_range=1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )[1]
    assert ssim(y, x, "volume") == pytest.approx(inner.mean(), abs=0.01)


def test_tensors_and_arrays_give_the_same_mean_over_images():
    from dnlib.images.arrays import to_tensor

    both = torch.cat([to_tensor(NOISY), to_tensor(CLEAN + 0.1)])
    clean = torch.cat([to_tensor(CLEAN)] * 2)
    assert psnr(both, clean) == pytest.approx((psnr(NOISY, CLEAN) + 20) / 2, abs=1e-4)


def test_a_score_names_its_protocol_and_its_ssim():
    text = str(score(NOISY, CLEAN, "real_srgb"))
    assert "real_srgb" in text and "volume" in text


def test_wrong_inputs_are_refused():
    with pytest.raises(ValueError, match="shape"):
        psnr(NOISY[1:], CLEAN)
    with pytest.raises(ValueError, match=r"'sidd'.*real_srgb"):
        psnr(NOISY, CLEAN, "sidd")
    with pytest.raises(ValueError, match=r"'best'.*volume"):
        ssim(NOISY, CLEAN, "best")
    with pytest.raises(ValueError, match="uint8"):
        psnr((CLEAN * 255).astype(np.uint8), (CLEAN * 255).astype(np.uint8))


def test_every_protocol_names_datasets_of_the_registry():
    from dnlib.images import datasets

    assert all(datasets.find(name) for rule in metrics.PROTOCOLS.values() for name in rule.draws)
