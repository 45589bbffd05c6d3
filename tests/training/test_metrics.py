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
    with pytest.raises(ValueError, match=r"the protocol can be .*real_srgb.*'sidd'"):
        psnr(NOISY, CLEAN, "sidd")
    with pytest.raises(ValueError, match=r"the SSIM variant can be .*volume; 'best'"):
        ssim(NOISY, CLEAN, "best")
    with pytest.raises(ValueError, match=r"lie in \[0, 1\]; one holds 255: divide by the range"):
        psnr(NOISY, np.full(NOISY.shape, 255.0))
    with pytest.raises(ValueError, match="uint8"):
        psnr((CLEAN * 255).astype(np.uint8), (CLEAN * 255).astype(np.uint8))


def test_a_tensor_is_a_stack_of_images_or_refused():
    from dnlib.images import to_tensor

    x, y = to_tensor(NOISY), to_tensor(CLEAN)
    for function in (psnr, ssim, score):
        for wrong in (x[0], x[0, 0], x[None], x[:0]):
            with pytest.raises(ValueError, match=r"arrays \[H, W\] or \[H, W, C\] or tensors \[N, C, H, W\]"):
                function(wrong, wrong)
    assert psnr(x, y) == pytest.approx(psnr(NOISY, CLEAN), abs=1e-6)


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "bfloat16"])
def test_all_floats_are_read_right(kind):
    x, y = torch.full((2, 2, 16, 16), 0.75, dtype=getattr(torch, kind)), torch.full((2, 2, 16, 16), 0.5)
    assert psnr(x, y) == pytest.approx(-20 * np.log10(0.25)) and ssim(x, y, "volume") < 1
    if kind != "bfloat16":
        assert psnr(x[0, 0].numpy(), y[0, 0].numpy()) == pytest.approx(-20 * np.log10(0.25))
        assert quantise(x.numpy()).dtype == np.float64


@pytest.mark.parametrize("kind", ["uint8", "int64", "bool", "complex64"])
def test_what_is_no_float_is_refused_by_name(kind):
    x = torch.ones((1, 3, 16, 16), dtype=getattr(torch, kind))
    for function in (psnr, ssim, score, lambda x, _: quantise(x)):
        for wrong in (x, x[0].numpy()):
            with pytest.raises(ValueError, match=rf"images are floats in \[0, 1\]; (torch\.)?{kind} was given"):
                function(wrong, wrong)


def test_images_smaller_than_the_window_are_refused():
    for variant, side in [("uniform", 7), ("gaussian", 11), ("volume", 1)]:
        enough = np.random.default_rng(0).random((side, 12))
        assert ssim(enough, enough, variant) == pytest.approx(1)
        if side > 1:
            with pytest.raises(ValueError, match=f"takes images of {side}x{side} pixels or more; {side - 1}x12"):
                ssim(enough[1:], enough[1:], variant)


def test_every_protocol_names_datasets_of_the_registry():
    from dnlib.images import datasets

    assert all(datasets.find(name) for rule in metrics.PROTOCOLS.values() for name in rule.draws)
