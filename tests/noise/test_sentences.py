"""What is said of noise, to people and to programs; and how JPEG files and enlarged pictures are recognised."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays as made_up
from PIL import Image
from scipy.ndimage import gaussian_filter, zoom

from dnlib.cli import main
from dnlib.images import Picture, write
from dnlib.noise import inspect_files, inspect_image, inspect_pair
from dnlib.noise.sentences import lift_of
from dnlib.noise.traces import has_blocks, was_enlarged


@pytest.fixture(scope="module")
def clean():
    field = gaussian_filter(np.random.default_rng(0).standard_normal((128, 128, 3)), (20, 20, 0))
    return (0.3 + 0.4 * (field - field.min()) / np.ptp(field)).astype(np.float32)


@pytest.fixture(scope="module")
def noisy(clean):
    noise = 0.08 * np.random.default_rng(1).standard_normal(clean.shape)
    return np.rint(255 * (clean + noise).clip(0, 1)).astype(np.uint8)


def as_jpeg(pixels, quality):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


def test_blocks_of_jpeg_are_seen_wherever_the_picture_was_cropped(noisy):
    file = as_jpeg(noisy, 30)
    assert not has_blocks(noisy / 255)
    assert has_blocks(file / 255) and has_blocks(file[3:, 5:] / 255)
    assert "JPEG" in inspect_image(file).paragraph and "JPEG" not in inspect_image(noisy).paragraph


def test_enlarged_pictures_lack_high_frequencies(noisy):
    larger = zoom(noisy, (2, 2, 1), order=1)
    assert was_enlarged(larger / 255) and not was_enlarged(noisy / 255)
    assert "enlarging" in inspect_image(larger).paragraph


def test_jpeg_noise_is_not_estimated_far_too_low(clean, noisy):
    """Rounding empties many blocks: those of lowest energy say nothing."""
    file = as_jpeg(noisy, 60)
    truth = 255 * np.std(file / 255 - clean)
    assert inspect_image(file).level == pytest.approx(truth, rel=0.25)


def test_dark_pictures_clipped_at_black_are_estimated(rng):
    """Half of the pixels are black; what noise is left of them is what there is."""
    dark = np.broadcast_to(np.linspace(-0.05, 0.1, 128)[:, None], (128, 128))
    noisy = np.rint(255 * (dark + 0.05 * rng.standard_normal(dark.shape)).clip(0, 1)).astype(np.uint8)
    found = inspect_image(noisy)
    assert found.black > 0.3 and "clipped at black" in found.paragraph
    middle = noisy[64:].astype(float)
    truth = np.sqrt(np.mean([row.var() for row in middle]))
    assert np.sqrt(found.variance(noisy)[64:].mean()) == pytest.approx(truth, rel=0.15)


def test_clipping_at_white_is_told_of_as_that_at_black_is(rng):
    clean = np.rint(255 * np.broadcast_to(np.linspace(0, 0.5, 128)[:, None], (128, 128))).astype(np.uint8)
    noisy = np.rint((clean + 13 * rng.standard_normal(clean.shape)).clip(0, 255)).astype(np.uint8)
    dark, bright = inspect_pair(noisy, clean), inspect_pair(255 - noisy, 255 - clean)
    assert bright.bright == dark.black > 0.02 and bright.black == dark.bright == 0
    assert bright.record["white_share"] == bright.bright
    said = next(part for part in dark.paragraph.split(". ") if "clipped" in part)
    for word, mirrored in (
        ("black", "white"),
        ("brighten", "darken"),
        ("darkest", "brightest"),
        ("too bright", "too dark"),
    ):
        said = said.replace(word, mirrored)
    assert said in bright.paragraph and "clipped at black" not in bright.paragraph


@pytest.mark.parametrize(("offset", "told"), [(0.0, False), (0.75, True), (-0.75, True)])
def test_where_most_is_black_or_white_it_is_said_that_this_is_gone(rng, offset, told):
    places = np.broadcast_to(np.linspace(0.2, 0.8, 128)[:, None] + offset, (128, 128))
    noisy = np.rint(255 * (places + 0.05 * rng.standard_normal(places.shape)).clip(0, 1)).astype(np.uint8)
    text = inspect_image(noisy).paragraph
    assert ("where it is not clipped" in text) == told and ("is not in the picture" in text) == told


@pytest.mark.parametrize("share", [0.03, 0.1])
@pytest.mark.parametrize("bright", [True, False])
def test_single_black_pixels_are_not_told_of_as_clipped(clean, noisy, rng, share, bright):
    drawn, spoilt = rng.random(noisy.shape), noisy.copy()
    spoilt[drawn < share] = 0
    spoilt[drawn > 1 - share * bright] = 255
    for found in (inspect_image(spoilt), inspect_pair(spoilt, (255 * clean).round().astype(np.uint8))):
        assert found.black == 0 and "clipped" not in found.paragraph


@pytest.mark.parametrize("kind", ["transparent", "missing", "NaN", "border"])
def test_what_is_left_out_is_not_told_of_as_clipped(tmp_path, noisy, kind):
    left = np.arange(128) < 52
    pixels, path, options = noisy.copy(), tmp_path / "a.npy", {}
    if kind == "transparent":
        path, pixels = path.with_suffix(".png"), np.dstack([noisy, 255 * np.tile(~left, (128, 1)).astype(np.uint8)])
        write(path, Picture.of(pixels, alpha="unassociated"))
    else:
        pixels = pixels if kind == "border" else pixels.astype(float)
        pixels[:, left] = {"border": 0, "missing": -9999, "NaN": np.nan}[kind]
        np.save(path, pixels)
        options = {"ignore_nan": kind == "NaN"}
    found = inspect_files(path, **options)[0][""]
    assert found.saturated < 0.01 and found.black < 0.01 and found.record["saturated"] == found.saturated
    assert "0.0% of the pixels are at one of these" in found.paragraph and "clipped" not in found.paragraph
    if kind != "border":
        np.save(tmp_path / "clean.npy", (noisy // 2 * 2).astype(pixels.dtype))
        found = inspect_files(path, tmp_path / "clean.npy", **options)[0][""]
        assert found.saturated < 0.01 and found.black < 0.01


def test_black_places_without_noise_lift_nothing(noisy):
    """A black frame is black, and not by noise."""
    printed = noisy.copy()
    printed[:, :8] = 0
    found = inspect_pair(printed, printed // 2 * 2)
    assert found.black > 0.05 and "clipped" not in found.paragraph


@pytest.mark.parametrize("before", [-0.02, 0.0, 0.05, 0.3])
def test_what_clipping_adds_to_the_mean_is_found_from_what_is_left(before, rng):
    clipped = (before + 0.05 * rng.standard_normal(400_000)).clip(0)
    lift = clipped.mean() - before
    assert lift_of(clipped.mean(), clipped.std()) == pytest.approx(lift, abs=0.001)
    assert lift_of(before, clipped.std(), clean=True) == pytest.approx(lift, abs=0.001)


def test_noise_of_the_darkest_is_counted_where_only_noise_is_black(rng):
    clean = np.full((100, 100), 0.01)
    noisy = (clean + 0.05 * rng.standard_normal(clean.shape)).clip(0, 1)
    assert inspect_pair(noisy, clean).level == pytest.approx(255 * np.sqrt(np.mean((noisy - noisy.mean()) ** 2)))


def test_each_kind_of_noise_is_told_what_fits(clean, rng):
    white = rng.standard_normal(clean.shape[:2])
    gray = clean[..., 0]
    rows = gaussian_filter(white, (0, 2))
    said = {
        "03a and 04": 0.05 * white,
        "along rows": 0.05 * rows / rows.std(),
        "07 to 09": 0.05 * gaussian_filter(white, 1) / gaussian_filter(white, 1).std(),
    }
    for words, noise in said.items():
        assert words in inspect_pair(gray + noise, gray).paragraph.split("What fits")[1]


@pytest.mark.parametrize(
    ("shares", "words"),
    [((0, 1, 1), "none in the darkest areas"), ((0, 1, 0), "none in the darkest and brightest areas")],
)
def test_no_noise_in_the_darkest_areas_is_said_so(rng, shares, words):
    clean = np.repeat([0.2, 0.5, 0.8], 40)[:, None] * np.ones((120, 120))
    noise = 0.02 * rng.standard_normal(clean.shape) * np.repeat(shares, 40)[:, None]
    sentence = inspect_pair(clean + noise, clean).sentence
    assert words in sentence and "inf" not in sentence


def test_json_is_one_document_and_nothing_else(tmp_path, noisy):
    write(tmp_path / "noisy.png", Picture.of(noisy))
    result = CliRunner().invoke(main, ["noise", str(tmp_path / "noisy.png"), "--json"])
    assert result.exit_code == 0
    found = json.loads(result.stdout)[""]
    assert found["level"] == pytest.approx(0.08 * 255, rel=0.15) and found["unit"] == "of 255"
    assert np.shape(found["covariance"]) == (3, 3) and len(found["colours"]) == 3 and "What fits" in found["text"]


def test_json_holds_the_notes_too(tmp_path, rng):
    smooth = np.broadcast_to(np.linspace(0.3, 0.6, 128), (128, 128))
    rows = (255 * (smooth + 0.05 * rng.standard_normal((128, 1)))).astype(np.uint8)
    alpha = np.full(rows.shape, 255, np.uint8)
    np.save(tmp_path / "a.npy", np.dstack([rows, rows, rows, alpha]))
    notes = json.loads(CliRunner().invoke(main, ["noise", str(tmp_path / "a.npy"), "--json"]).stdout)[""]["notes"]
    for words in ("taken for alpha", "three colours are equal", "whole rows are too bright or too dark"):
        assert any(words in note for note in notes)
    channels = np.stack([rows, (255 * smooth + rng.normal(0, 5, rows.shape)).astype(np.uint8)])
    np.save(tmp_path / "b.npy", channels)
    found = json.loads(CliRunner().invoke(main, ["noise", str(tmp_path / "b.npy"), "--axes", "CYX", "--json"]).stdout)
    assert all("channel 0: whole rows" in part["notes"][0] for part in found.values()) and len(found) == 2


@settings(max_examples=15)
@given(made_up(np.uint8, st.tuples(st.integers(60, 70), st.integers(60, 70)), elements=st.integers(0, 255)))
def test_any_image_is_inspected_or_refused_in_one_line(pixels):
    try:
        assert np.isfinite(inspect_image(pixels).variance(pixels)).all()
    except ValueError as error:
        assert "\n" not in str(error)


def test_a_map_that_no_noise_can_have_is_said_to_be_taken_for_the_nearest(clean, noisy):
    found, possible = inspect_image(noisy), np.maximum(0, 1 - abs(np.arange(-4, 5)) / 3)
    flat = np.ones((9, 9))  # and 0 beyond: its transform swings below zero
    for map_, told in ((np.outer(possible, possible), False), (flat, True)):
        one = replace(found, map=map_)
        assert (one.impossible > 0.02) == told and ("No noise has exactly" in one.paragraph) == told
    assert replace(found, covariance=np.array([[1, 0.9, 0.9], [0.9, 1, -0.9], [0.9, -0.9, 1]])).impossible > 0.1
