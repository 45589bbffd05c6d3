"""What is measured and estimated of made-up noise on smooth and real pictures."""

import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import gaussian_filter

from dnlib.cli import main
from dnlib.images import Picture, arrays, write
from dnlib.noise import (
    Camera,
    CorrelatedGaussian,
    Gaussian,
    correlation_map,
    inspect_files,
    inspect_folders,
    inspect_image,
    inspect_pair,
    one_image,
    patches,
)
from dnlib.noise.white import WHOLE, _patch_covariance, white_variance
from dnlib.training import draw_noisy


def noisy_of(clean, model, draw=0):
    return arrays.to_image(draw_noisy(arrays.to_tensor(clean), model, 0, draw).image)


@pytest.fixture(scope="module")
def smooth():
    field = gaussian_filter(np.random.default_rng(0).standard_normal((256, 256, 3)), (30, 30, 0))
    return (0.25 + 0.5 * (field - field.min()) / np.ptp(field)).astype(np.float32)


def test_a_pair_is_measured_exactly(smooth):
    noisy = noisy_of(smooth, CorrelatedGaussian(20, 3))
    found = inspect_pair(noisy, smooth)
    assert found.exact and found.level == pytest.approx(255 * (noisy - smooth).std(), rel=1e-5)
    assert np.allclose(found.map, correlation_map(noisy - smooth, 10))
    assert found.radius == 2 and found.lag_1 == pytest.approx((2 / 3, 2 / 3), abs=0.03)
    assert "20." in found.sentence and "5 pixels wide" in found.sentence


def test_a_pair_of_which_no_pixel_counts_is_refused(smooth):
    with pytest.raises(ValueError, match="no pixel of the images counts"):
        inspect_pair(smooth, smooth, inside=np.zeros(smooth.shape[:2], bool))


def test_noise_against_brightness(smooth):
    noise = np.random.default_rng(0).standard_normal(smooth.shape).astype(np.float32) * 0.1 * smooth
    found = inspect_pair(smooth + noise, smooth)
    assert np.allclose(found.deviation, 25.5 * found.brightness, rtol=0.05)
    assert "times as strong in the brightest" in found.sentence


def test_saturated_pixels_are_left_out(smooth):
    bright = smooth + 0.3
    noisy = np.clip(noisy_of(bright, Gaussian(20)), 0, 1)
    found = inspect_pair(noisy, bright)
    assert found.saturated == pytest.approx(1 - ((noisy > 0) & (noisy < 1)).all(axis=2).mean())
    assert found.saturated > 0.02


@pytest.mark.parametrize("model", [Gaussian(5), Gaussian(40), CorrelatedGaussian(25, 3), Camera(800, gamma=False)])
def test_one_smooth_image_is_enough_for_an_estimate(smooth, model):
    noisy = noisy_of(smooth, model)
    measured, estimated = inspect_pair(noisy, smooth), inspect_image(noisy)
    assert not estimated.exact and "estimated" in estimated.sentence
    assert estimated.level == pytest.approx(measured.level, rel=0.15)
    assert estimated.lag_1 == pytest.approx(measured.lag_1, abs=0.08)


def test_no_correlation_exceeds_one():
    """Clean bars were said to have noise with a correlation of 1.01."""
    bars = np.full((190, 190), 0.1)
    for i in range(9):
        bars[:, 20 * i + 5 : 20 * i + 15] = 0.2 + 0.08 * i
    found = inspect_image(np.rint(255 * bars).astype(np.uint8))
    assert np.abs(found.map).max() <= 1 and np.abs(found.covariance).max() <= 1


def test_an_estimate_on_a_photograph(smooth):
    clean = arrays.photo("coffee")[:256, :300]
    for sigma in (15, 40):
        estimated = inspect_image(noisy_of(clean, Gaussian(sigma)))
        assert estimated.level == pytest.approx(sigma, rel=0.15)
        assert max(map(abs, estimated.lag_1)) < 0.15


def test_gray_images_and_8_bits(smooth):
    pixels = np.rint(255 * noisy_of(smooth, Gaussian(20)).clip(0, 1)).astype(np.uint8)
    assert inspect_image(pixels[..., 0]).level == pytest.approx(20, rel=0.15)


def box_map(width=3):
    away = np.maximum(0, 1 - abs(np.arange(-patches.REACH, patches.REACH + 1)) / width)
    return np.outer(away, away)


def test_autocovariances_of_patches_are_corrected_exactly():
    """Taking mean and slope off a patch changes its autocovariance; solving undoes it."""
    covariance = patches.residual_covariance(box_map())
    assert covariance.trace() < 0.9 * patches.DIMENSIONS
    assert np.allclose(patches.correlation_from(covariance), box_map())


def test_noise_may_depend_on_every_colour(rng, monkeypatch):
    """Found exactly where its logarithm is linear in what it may depend on, and where it is constant."""
    brightness, pure = rng.random((500, 3)), rng.random(500) < 0.2
    above = (brightness - np.quantile(brightness, 0.001, axis=0)).clip(0)
    own = np.log(above + 0.2 * np.median(above, axis=0) + 0.001)
    slopes = own * (-2, -1, 0.5) + brightness @ rng.standard_normal((3, 3))
    constant = np.full((500, 3), 0.01)
    patches = SimpleNamespace(energy=constant, brightness=brightness, white_clipped=False)
    assert np.allclose(one_image._variance_by_brightness(patches, pure), constant)
    monkeypatch.setattr(one_image, "STIFFNESS", 0)
    monkeypatch.setattr(one_image, "BOUND", np.inf)
    patches.energy = np.exp(slopes)
    assert np.allclose(one_image._variance_by_brightness(patches, pure), np.exp(slopes))


def test_the_lowest_energies_tell_the_level_whatever_share_is_pure(rng):
    powers = np.linspace(0, 2, 291)
    energies = one_image._simulated_log_energies(powers)
    assert np.exp(energies).mean() == pytest.approx(1, abs=0.01)
    assert np.exp(energies).var() == pytest.approx(2 * (powers**2).sum() / powers.sum() ** 2, rel=0.05)
    for share in (0.2, 1):
        logs = 0.7 + rng.permutation(energies)
        logs[int(share * len(logs)) :] += rng.uniform(0.5, 3, len(logs) - int(share * len(logs)))
        assert one_image._align_lower_tails(np.sort(logs), energies) == pytest.approx(0.7, abs=0.03)


def test_principal_components_measured_on_few_patches_are_drawn_together(rng):
    shape = (600, 3, patches.SIDE**2)
    planes, drawn = patches.plane_basis(), rng.standard_normal(shape)
    covariance = patches.covariance_of(drawn - (drawn @ planes) @ planes.T)
    measured = np.linalg.eigvalsh(covariance.reshape(300, 300))[9:]
    assert measured.std() > 0.6 and one_image._component_powers(covariance, len(drawn)).std() < 0.1


@pytest.mark.parametrize("model", [CorrelatedGaussian(25, 3), Camera(200), Camera(1600)])
def test_correlated_noise_on_a_photograph(model):
    clean = arrays.photo("astronaut")
    noisy = noisy_of(clean, model)
    if isinstance(model, Camera):
        noisy = np.rint(255 * noisy.clip(0, 1)).astype(np.uint8)
    measured, estimated = inspect_pair(noisy, clean), inspect_image(noisy)
    assert estimated.level == pytest.approx(measured.level, rel=0.15)
    assert estimated.lag_1 == pytest.approx(measured.lag_1, abs=0.1)


@pytest.mark.parametrize("sigma", [5, 25])
def test_white_noise_is_told_from_the_texture_of_a_photograph(sigma):
    astronaut = arrays.photo("astronaut")
    noisy = noisy_of(astronaut, Gaussian(sigma))
    everywhere = np.ones(noisy.shape[:2], bool)
    assert 255 * white_variance(noisy, everywhere) ** 0.5 == pytest.approx(sigma, rel=0.1)
    found = inspect_image(noisy)
    assert found.level == pytest.approx(sigma, rel=0.1) and found.lag_1 == (0, 0) and found.radius == 0


@pytest.mark.parametrize("sigma", [6, 10])
def test_white_noise_is_told_from_a_gray_picture_that_is_texture_all_over(sigma):
    """It was measured 2 gray levels too strong, with the bricks in it."""
    clean = arrays.photo("brick")[:256, :256]
    found = inspect_image(noisy_of(clean, Gaussian(sigma)))
    assert found.level == pytest.approx(sigma, rel=0.05) and np.count_nonzero(found.map) == 1


def test_white_noise_is_told_from_fine_stripes_and_single_stars_are_not_taken_for_it(rng):
    clean, (rows, columns) = 0.3 + 0.3 * arrays.photo("camera")[:256, :256], np.mgrid[:256, :256]
    cloth = 0.1 * np.sin(2 * np.pi * (0.8 * rows + 0.6 * columns) / 4.3) * (columns < 128)
    found = inspect_image(clean + cloth + rng.normal(0, 25 / 255, clean.shape))
    assert found.radius == 0 and found.level == pytest.approx(25, rel=0.05)
    sky = 0.1 + rng.normal(0, 5 / 255, clean.shape)
    sky[rng.integers(256, size=100), rng.integers(256, size=100)] += 0.5
    assert inspect_image(sky).level == pytest.approx(5, rel=0.1)


@pytest.mark.parametrize("name", ["brick", "grass", "gravel", "camera", "coins", "moon"])
def test_a_clean_gray_picture_has_no_white_noise_in_the_whole_of_it(name):
    clean = arrays.photo(name)[:256, :256, None]
    assert white_variance(clean, np.ones(clean.shape[:2], bool), *WHOLE[1]) is None


def test_correlated_noise_and_small_images_are_not_taken_for_white(smooth):
    everywhere = np.ones(smooth.shape[:2], bool)
    for model in (CorrelatedGaussian(25, 2), Camera(800)):
        assert white_variance(noisy_of(smooth, model), everywhere) is None
    assert white_variance(smooth[:64, :64], everywhere[:64, :64]) is None


def test_white_noise_is_measured_in_little_memory_to_the_same_numbers(rng):
    """At 12 megapixels the covariance of all patches at once took 3.6 GB; its own memory must not grow with them."""
    image = (0.5 + 0.1 * rng.standard_normal((600, 600, 3))).astype(np.float32)
    inside = rng.random(image.shape[:2]) < 0.99
    usable = sliding_window_view(inside, (5, 5))[::2, ::2].all(axis=(2, 3))
    chosen = sliding_window_view(image, (5, 5), axis=(0, 1))[::2, ::2][usable].reshape(-1, 75)
    tracemalloc.start()
    found = _patch_covariance(image, inside, 5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 15e6 < chosen.nbytes
    expected = np.cov(chosen, rowvar=False)
    assert np.abs(found - expected).max() < 1e-6 * np.abs(expected).max()
    assert np.linalg.eigvalsh(found) == pytest.approx(np.linalg.eigvalsh(expected), rel=1e-6)


@pytest.fixture
def folders(tmp_path, smooth):
    for index in range(3):
        for folder, image in (("noisy", noisy_of(smooth, Gaussian(20), index)), ("clean", smooth)):
            (tmp_path / folder).mkdir(exist_ok=True)
            write(tmp_path / folder / f"{index}.tif", Picture.of(image))
    return tmp_path


def test_folders_are_measured_together(folders, smooth):
    found = inspect_folders(folders / "noisy", folders / "clean")
    noise = np.concatenate([noisy_of(smooth, Gaussian(20), index) - smooth for index in range(3)])
    assert found.level == pytest.approx(255 * noise.std(), rel=1e-4)
    assert found.map[10, 11] == pytest.approx(0, abs=0.01) and found.radius == 0
    (folders / "clean" / "1.tif").rename(folders / "clean" / "other.tif")
    with pytest.raises(ValueError, match=r"2 images have no partner .*: 1, other"):
        inspect_folders(folders / "noisy", folders / "clean")


@pytest.mark.parametrize("option", [["--axes", "CYX"], ["--channels"], ["--ignore-nan"]])
def test_of_folders_no_option_is_passed_over_in_silence(folders, option):
    result = CliRunner().invoke(main, ["noise", str(folders / "noisy"), "--clean", str(folders / "clean"), *option])
    assert result.exit_code and f"measure the files one by one; {option[0]} was given" in result.output


def test_the_command_says_it_in_a_sentence_and_draws_it(folders):
    noisy, clean, picture = folders / "noisy" / "0.tif", folders / "clean" / "0.tif", folders / "noise.png"
    measured = CliRunner().invoke(main, ["noise", str(noisy), "--clean", str(clean), "--picture", str(picture)])
    assert measured.exit_code == 0, measured.output
    assert "measured against the clean image" in measured.output and picture.stat().st_size > 5000
    estimated = CliRunner().invoke(main, ["noise", str(noisy)])
    assert "estimated from this one image" in estimated.output
    both = CliRunner().invoke(main, ["noise", str(noisy.parent), "--clean", str(clean.parent)])
    assert "Noise of standard deviation" in both.output


def test_what_is_measured_is_not_drawn_over(tmp_path, smooth):
    pixels = np.rint(255 * noisy_of(smooth, Gaussian(20)).clip(0, 1)).astype(np.uint8)
    for name, image in (("noisy.png", pixels), ("clean.png", np.rint(255 * smooth).astype(np.uint8))):
        write(tmp_path / name, Picture.of(image))
    pair = [str(tmp_path / "noisy.png"), "--clean", str(tmp_path / "clean.png")]
    folders = [str(tmp_path), "--clean", str(tmp_path)]
    before = [(tmp_path / name).read_bytes() for name in ("noisy.png", "clean.png")]
    for measured, picture in ((pair[:1], pair[0]), (pair, pair[2]), (folders, pair[0])):
        result = CliRunner().invoke(main, ["noise", *measured, "--picture", picture, "--force"])
        assert result.exit_code == 2 and f"{picture} is what is measured" in result.output
    assert [(tmp_path / name).read_bytes() for name in ("noisy.png", "clean.png")] == before


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda image: inspect_pair(image, image[:-1]), "must have the same shape"),
        (lambda image: inspect_pair(image, image), "no noise to measure"),
        (
            lambda image: inspect_pair(np.ones_like(image), 0 * image),
            "every pixel of the clean image is black or white",
        ),
        (lambda image: inspect_image(image[:40]), "at least 64x64"),
        (lambda image: inspect_image(np.full((80, 80), 0.5, np.float32)), "nothing to estimate from"),
        (lambda image: inspect_image(np.where(image > 0.4, np.nan, image)), "NaN or infinite"),
        (lambda image: inspect_folders(Path("nowhere"), Path("nowhere")), "two folders"),
    ],
)
def test_bad_input_is_told(smooth, call, message):
    with pytest.raises(ValueError, match=message):
        call(smooth)


@pytest.mark.parametrize(("factor", "offset"), [(255, 0), (65535, 0), (2e-6, 0), (3, -1.5)])
def test_levels_are_in_the_units_of_the_image(smooth, factor, offset):
    noisy = noisy_of(smooth, Gaussian(20))
    unit, scaled = inspect_image(noisy), inspect_image(factor * noisy + offset)
    assert scaled.level == pytest.approx(factor / 255 * unit.level, rel=0.02)
    assert unit.unit == "of 255" and "own units" in scaled.sentence


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_levels_are_of_the_bits_in_use(smooth, bits):
    white = 2**bits - 1
    counts = np.rint(white * (noisy_of(smooth, Gaussian(20)) + 0.3).clip(0, 1)).astype(np.uint16)
    found = inspect_image(counts)
    assert found.unit == f"of {white}" and found.level == pytest.approx(20 / 255 * white, rel=0.15)
    assert found.saturated == pytest.approx(1 - (counts < white).all(axis=2).mean())


def test_empty_channels_masks_and_borders_take_part_in_nothing(smooth, rng):
    noisy = noisy_of(smooth, Gaussian(20))
    noisy[..., 2] = 0
    assert inspect_image(noisy).level == pytest.approx(inspect_image(noisy[..., :2]).level)
    inside = np.ones(noisy.shape[:2], bool)
    inside[:100] = False
    spoilt = np.where(inside[..., None], noisy, rng.normal(0, 5, noisy.shape))
    assert inspect_image(spoilt, inside=inside).level == pytest.approx(20, rel=0.15)


@pytest.mark.parametrize(("axis", "along"), [(1, "rows"), (0, "columns")])
def test_noise_along_rows_or_columns_is_named(smooth, rng, axis, along):
    noise = rng.normal(0, 0.05, smooth.shape[:2])
    noise = sum(np.roll(noise, shift, axis) for shift in range(4))
    assert f"along {along}" in inspect_image(smooth[..., 0] + noise).sentence


def test_pairs_of_other_types_are_brought_to_one_scale_or_refused(smooth):
    noisy = noisy_of(smooth, Gaussian(20)).clip(0, 1)
    eight = np.rint(255 * noisy).astype(np.uint8)
    level = inspect_pair(eight, np.rint(255 * smooth).astype(np.uint8)).level
    for clean in (smooth, 255 * smooth, np.rint(65535 * smooth).astype(np.uint16)):
        assert inspect_pair(eight, clean).level == pytest.approx(level, rel=0.01)
    with pytest.raises(ValueError, match="different scales"):
        inspect_pair(noisy, 255 * smooth)


def test_files_are_inspected_part_by_part(tmp_path, smooth):
    clean, noisy = arrays.photo("camera")[100:228, 200:328], noisy_of(smooth, Gaussian(20))
    write(tmp_path / "clean.tif", Picture.of(clean))
    write(tmp_path / "moved.tif", Picture.of(np.roll(noisy_of(clean, Gaussian(20)), 2, axis=1)))
    assert "2 right of the clean one" in inspect_files(tmp_path / "moved.tif", tmp_path / "clean.tif")[1][0]
    black = np.stack([np.zeros_like(noisy[..., 0]), noisy[..., 0]])
    write(tmp_path / "movie.tif", Picture.of(black, axes="TYX"))
    found, notes = inspect_files(tmp_path / "movie.tif")
    assert found[""].level == pytest.approx(20, rel=0.15) and "frame 1 of 2 is inspected" in notes


@pytest.fixture
def pair(smooth):
    """Noisy and clean image of 8 bits, and where both are to be seen."""
    inside = np.ones(smooth.shape[:2], bool)
    inside[:, :108] = False
    images = (noisy_of(smooth, Gaussian(20)).clip(0, 1), smooth)
    return *(np.rint(255 * image).astype(np.uint8) for image in images), inside


def test_of_folders_black_and_white_are_counted_in_the_noisy_images_as_in_one_pair(tmp_path, smooth, rng):
    clean = np.clip(3 * smooth - 1, 0, 1)
    noisy = np.clip(clean + rng.normal(0, 0.1, clean.shape), 0, 1)
    for name, image in (("noisy", noisy), ("clean", clean)):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "a.tif", Picture.of(image.astype(np.float32)))
    (found,) = inspect_files(tmp_path / "noisy" / "a.tif", tmp_path / "clean" / "a.tif")[0].values()
    assert found.saturated > 0.1
    assert inspect_folders(tmp_path / "noisy", tmp_path / "clean").saturated == pytest.approx(found.saturated)


@pytest.mark.parametrize("kind", ["colours", "gray"])
@pytest.mark.parametrize("hidden", ["garbage", "unlike"])
def test_of_a_pair_what_is_transparent_takes_part_in_nothing(tmp_path, pair, rng, kind, hidden):
    noisy, clean, inside = pair
    alpha = 255 * inside.astype(np.uint8)
    for name, image, value in (("noisy", noisy, 0), ("clean", clean, 255)):
        image = image if kind == "colours" else image[..., :1]
        garbage = rng.integers(0, 256, image.shape) if hidden == "garbage" else value
        spoilt = np.where(inside[..., None], image, garbage).astype(np.uint8)
        (tmp_path / name).mkdir()
        write(tmp_path / name / "a.png", Picture.of(np.dstack([spoilt, alpha]), alpha="unassociated"))
    found, notes = inspect_files(tmp_path / "noisy" / "a.png", tmp_path / "clean" / "a.png")
    visible = (noisy.astype(float) - clean)[inside]
    level = (visible if kind == "colours" else visible[:, 0]).std()
    assert found[""].level == pytest.approx(level, rel=1e-4) and not [note for note in notes if "lies" in note]
    assert inspect_folders(tmp_path / "noisy", tmp_path / "clean").level == pytest.approx(level, rel=1e-3)


def test_of_a_pair_what_is_missing_takes_part_in_nothing(tmp_path, pair):
    noisy, clean, inside = pair
    level = (noisy.astype(float) - clean)[inside].std()
    missing = np.where(inside[..., None], noisy, np.nan)
    for values, option in ((missing, {"ignore_nan": True}), (np.nan_to_num(missing, nan=-9999.0), {})):
        np.save(tmp_path / "noisy.npy", values)
        np.save(tmp_path / "clean.npy", clean.astype(float))
        found = inspect_files(tmp_path / "noisy.npy", tmp_path / "clean.npy", **option)[0][""]
        assert found.level == pytest.approx(level, rel=1e-3) and found.range.low >= 0 and found.radius == 0
    write(tmp_path / "nowhere.png", Picture.of(np.dstack([clean, 0 * clean[..., :1]]), alpha="unassociated"))
    with pytest.raises(ValueError, match="no pixel counts in both images"):
        inspect_files(tmp_path / "nowhere.png", tmp_path / "nowhere.png")
    np.save(tmp_path / "clean.npy", clean[:99])
    with pytest.raises(ValueError, match="must have the same shape"):
        inspect_files(tmp_path / "noisy.npy", tmp_path / "clean.npy")


def test_hidden_files_have_no_partner_and_twins_are_named(folders):
    (folders / "noisy" / ".DS_Store").touch()
    (folders / "noisy" / "Thumbs.db").touch()
    inspect_folders(folders / "noisy", folders / "clean")
    (folders / "noisy" / "1.png").touch()
    with pytest.raises(ValueError, match=r"two images of one name: 1\.png and 1\.tif"):
        inspect_folders(folders / "noisy", folders / "clean")


def test_counts_need_no_estimate_and_unlike_colours_have_a_level_each(tmp_path, smooth, rng):
    write(tmp_path / "counts.tif", Picture.of(rng.poisson(0.3, (80, 80)).astype(np.uint8)))
    with pytest.raises(ValueError, match="photon counts"):
        inspect_files(tmp_path / "counts.tif")
    noisy = smooth + rng.normal(0, (0.02, 0.02, 0.2), smooth.shape).astype(np.float32)
    write(tmp_path / "blue.tif", Picture.of(noisy))
    levels = [one.level for one in inspect_files(tmp_path / "blue.tif")[0].values()]
    assert levels == pytest.approx([255 * 0.02, 255 * 0.02, 255 * 0.2], rel=0.15)


def test_an_image_whose_middle_hardly_counts_is_inspected(rng):
    image, inside = rng.normal(0.02, 0.02, (640, 640)).clip(0, 1), np.ones((640, 640), bool)
    inside[64:-64, 64:-64] = False
    inside[300, 300:303], image[300, 300:303] = True, 0
    assert 0.1 < inspect_image(image, inside=inside).black < 0.5


@pytest.mark.parametrize("clean", [[], ["--clean", "clean.npy"]])
def test_values_too_large_to_be_squared_are_one_line_and_no_traceback(tmp_path, rng, monkeypatch, clean):
    monkeypatch.chdir(tmp_path)
    truth = np.linspace(0.5e300, 1.5e300, 6400).reshape(80, 80)
    np.save("large.npy", truth + 1e300 * rng.normal(0, 0.1, (80, 80)))
    np.save("clean.npy", truth)
    result = CliRunner().invoke(main, ["noise", "large.npy", *clean, "--json"])
    assert result.exit_code == 2 and "can be handled without loss: scale them" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("kind", ["int8", "int16"])
def test_signed_values_whose_differences_do_not_fit_their_type_have_the_noise_of_floats(rng, kind):
    top = np.iinfo(kind).max
    noisy = (top * rng.normal(0, 0.2, (80, 80))).clip(-top, top).round()
    found, known = inspect_image(noisy.astype(kind)), inspect_image(noisy)
    np.testing.assert_allclose(found.curves, known.curves, rtol=1e-5)
    assert found.variance(noisy.astype(kind)).mean() == pytest.approx((0.2 * top) ** 2, rel=0.1)
