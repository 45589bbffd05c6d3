"""Large frames in tiles: what a tile says is what the whole image says, whatever its size."""

import tracemalloc
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import dnlib
from dnlib.denoiser import before, choosing, glances, plan as plans
from dnlib.denoiser.candidates import CANDIDATES
from dnlib.images import Picture, parts_of, photo, tiles_of
from dnlib.noise import impulses_in

CLEAN = photo("camera")[64:224, 40:232]
NOISY = (CLEAN + np.random.default_rng(0).normal(0, 0.1, CLEAN.shape)).astype(np.float32)


@pytest.fixture
def median_alone(monkeypatch):
    """Nothing else is tried, where all that matters is what is done beforehand."""
    monkeypatch.setattr(choosing, "CANDIDATES", {"median": CANDIDATES["median"]})


@pytest.mark.parametrize("name", [name for name, one in CANDIDATES.items() if one.reach is not None])
def test_a_candidate_that_states_its_reach_says_in_tiles_what_it_says_of_the_whole(name, rng):
    clean = photo("camera" if CANDIDATES[name].channels != 3 else "astronaut")[100:301, 60:349]
    noisy = (clean + rng.normal(0, 0.1, clean.shape)).astype(np.float32)
    filter, reach = partial(CANDIDATES[name].filter, **CANDIDATES[name].settings(0.1)[-1]), CANDIDATES[name].reach
    whole, tiled = filter(noisy), np.zeros_like(noisy)
    tiles = tiles_of(noisy.shape[:2], side=96, margin=reach, multiple=glances.GRID)
    for tile in tiles:
        tiled[tile.kept] = filter(np.ascontiguousarray(noisy[tile.seen]))[tile.inner]
    assert len(tiles) > 3 and np.abs(tiled - whole).max() < 1e-4
    assert np.abs(whole - noisy).max() > 0.05


@pytest.mark.parametrize("filter", ["auto", "median", "nl_means", "total_variation"])
def test_the_size_of_tiles_does_not_matter(filter, monkeypatch):
    colours = np.stack([NOISY, NOISY[::-1], NOISY[:, ::-1]], axis=-1)[:130]
    constant = np.zeros(colours.shape[:2], bool)
    constant[:20], constant[90:120, 90:130] = True, True
    colours[constant] = 0
    results, chosen = [], []

    def choose_once(*arguments, **options):
        chosen.append(chosen[0] if chosen else choose(*arguments, **options))
        return chosen[0]

    choose = plans.choose
    monkeypatch.setattr(plans, "choose", choose_once)
    for side in (32, 64):
        monkeypatch.setattr(glances, "SIDE", side)
        results.append(dnlib.denoise(colours, filter=filter))
    assert np.abs(results[0] - results[1]).max() < 1e-5
    assert (results[0] == colours)[~constant].mean() < 0.7
    np.testing.assert_array_equal(results[0][constant], 0)


def test_what_the_samples_do_not_show_is_looked_for(rng, monkeypatch):
    """The only frame with unequal colours, and the only one in which blue varies, are far from all samples."""
    monkeypatch.setattr(glances, "SAMPLES", 2)
    frames = np.repeat(rng.normal(100, 10, (9, 32, 32, 1)), 3, axis=-1)
    frames[5] += rng.normal(0, 10, (32, 32, 3))
    result, choice = dnlib.denoise(frames, filter="median", return_choice=True)
    assert (result[5][..., 0] != result[5][..., 1]).any() and not choice.notes
    frames[..., 2] = 7
    frames[5, ..., 2] = rng.normal(100, 10, (32, 32))
    result = dnlib.denoise(frames, filter="median")
    assert result[5, ..., 2].std() < 0.7 * frames[5, ..., 2].std()


def test_the_range_is_that_of_all_frames(rng, monkeypatch):
    """A frame that no sample shows is ten times as bright and stays so."""
    monkeypatch.setattr(glances, "SAMPLES", 2)
    frames = rng.normal(100, 10, (9, 32, 32)).astype(np.uint16)
    frames[5] = 10 * frames[5]
    result = dnlib.denoise(frames, filter="median")
    assert result[5].mean() == pytest.approx(frames[5].mean(), rel=0.02)


def test_a_mosaic_in_tiles_keeps_its_colours_apart(rng, monkeypatch):
    monkeypatch.setattr(glances, "SIDE", 50)
    gains = np.tile([[1, 0.7], [0.7, 0.4]], (80, 96))
    noisy = 1000 * gains * NOISY
    result, choice = dnlib.denoise(noisy, filter="median", return_choice=True)
    assert len(choice.parts) == 4
    for i, j in np.ndindex(2, 2):
        assert result[i::2, j::2].mean() == pytest.approx(noisy[i::2, j::2].mean(), rel=0.02)


@pytest.mark.parametrize(("megapixels", "channels"), [(0.1, 3), (24, 3), (45, 3), (100, 1)])
@pytest.mark.parametrize("white", [False, True])
def test_photographs_of_any_size_get_a_network_and_small_ones_a_refined_one(megapixels, channels, white):
    size = int(1e6 * megapixels * channels)
    names, *_ = choosing._names("auto", channels, white, size, plans.patience_for(size))
    assert any(name.endswith("network") or name.endswith("refined") for name in names)
    assert any(name.endswith("refined") for name in names) == (megapixels < 12)


def test_a_photograph_of_twelve_megapixels_takes_a_minute():
    assert plans.patience_for(36_000_000) == 60


@pytest.mark.parametrize(("told", "given"), [(None, 60), (0.01, 0.01)])
def test_small_pictures_have_a_minute_unless_patience_is_told(monkeypatch, told, given):
    choose, asked = plans.choose, []
    monkeypatch.setattr(plans, "choose", lambda *all, **named: asked.append(named["patience"]) or choose(*all, **named))
    dnlib.denoise(NOISY, filter="median", patience=told)
    assert asked == [given]


def test_how_long_a_large_picture_may_take_is_said_before_the_work(capsys):
    made = plans.plan(Picture.of(NOISY), filter="ridge")
    for size, said in (
        (NOISY.size, "denoising:"),
        (24_000_000, "denoising, about 2 minutes on two cores of a laptop:"),
    ):
        replace(made, tasks=[replace(made.tasks[0], size=size)]).whole(True)
        assert said in capsys.readouterr().err


@pytest.mark.parametrize("along", ["rows", "columns"])
def test_offsets_of_whole_rows_are_those_of_the_whole_frame_in_tiles(along, rng, monkeypatch, median_alone):
    offsets = rng.normal(0, 0.05, (256, 1))
    clean = photo("camera")[100:356, 100:356]
    noisy = (clean + (offsets if along == "rows" else offsets.T)).astype(np.float32)
    whole = dnlib.denoise(noisy)
    monkeypatch.setattr(glances, "SIDE", 128)
    tiled, choice = dnlib.denoise(noisy, return_choice=True)
    assert choice.beforehand == (f"{along} levelled",)
    assert np.abs(tiled - whole).max() < 1e-5
    assert np.mean((tiled - clean) ** 2) < np.mean((noisy - clean) ** 2) / 4


def test_offsets_that_change_along_the_row_are_no_offsets_of_a_frame_in_tiles(rng, monkeypatch, median_alone):
    """As in a picture put together of three, whose rows the camera read one by one."""
    monkeypatch.setattr(glances, "SIDE", 96)
    clean = photo("camera")[100:356, 100:388]
    noisy = clean + np.repeat(rng.normal(0, 0.05, (256, 3)), 96, axis=1)
    assert dnlib.denoise(noisy, return_choice=True)[1].beforehand == ()


@pytest.mark.parametrize("noisy_ones", [[2, 3], [0, 1]])
def test_rows_are_levelled_in_the_frames_of_a_stack_that_have_such_noise(rng, noisy_ones, median_alone):
    clean = photo("camera")[100:356, 100:356].astype(np.float32)
    stack = np.stack(4 * [clean])
    stack[noisy_ones] += rng.normal(0, 0.05, (2, 256, 1))
    result, choice = dnlib.denoise(stack, axes="TYX", return_choice=True)
    assert choice.beforehand == ("rows levelled",)
    assert [note for note in choice.notes if "whole" in note] == [
        "whole rows share an offset in some frames, which is taken off"
    ]
    for number, (frame, given) in enumerate(zip(result, stack, strict=True)):
        if number in noisy_ones:
            assert np.mean((frame - clean) ** 2) < np.mean((given - clean) ** 2) / 4
        else:
            np.testing.assert_allclose(frame, given, atol=1e-6)


@pytest.mark.parametrize("first", [0, 3])
def test_impulses_of_later_frames_of_a_stack_are_replaced(rng, first, median_alone):
    clean = photo("camera")[100:356, 100:356].astype(np.float32)
    drawn, stack = rng.random((4, 256, 256)), np.stack(4 * [clean])
    stack[first:] = np.where(drawn < 0.01, 0, np.where(drawn > 0.99, 1, stack))[first:]
    result, choice = dnlib.denoise(stack, axes="TYX", return_choice=True)
    assert "impulses replaced" in choice.beforehand[0] and sum("impulses" in note for note in choice.notes) == 1
    assert np.mean((result[first:] - clean) ** 2) < np.mean((stack[first:] - clean) ** 2) / 10


def test_what_only_a_later_frame_shows_is_said_where_a_filter_was_asked_for(rng):
    stack = np.stack(4 * [photo("camera")[100:356, 100:356]]) + rng.normal(0, 0.04, (4, 256, 256))
    stack[2] += rng.normal(0, 0.04, (256, 1))
    _, choice = dnlib.denoise(stack, axes="TYX", filter="median", return_choice=True)
    assert [note for note in choice.notes if note.startswith("in parts of it, whole rows are too bright")]


def test_what_several_frames_show_is_said_once_however_large_its_number(rng):
    stack = 40000 * np.stack(4 * [photo("camera")[100:356, 100:356]]) + rng.normal(0, 500, (4, 256, 256))
    stack[1:3] += rng.normal(0, 1, (2, 256, 1)) * [[[800]], [[2000]]]
    _, choice = dnlib.denoise(stack, axes="TYX", filter="median", return_choice=True)
    assert len([note for note in choice.notes if "whole rows are too bright" in note]) == 1


def test_rows_of_frames_whose_borders_are_missing_are_levelled(rng, median_alone):
    clean = photo("camera")[100:356, 100:356].astype(np.float32)
    stack = np.stack(3 * [clean]) + rng.normal(0, 0.05, (3, 256, 1)).astype(np.float32)
    stack[1, :40], stack[2] = np.nan, np.nan
    result = dnlib.denoise(stack, axes="TYX", ignore_nan=True)
    assert np.array_equal(np.isnan(result), np.isnan(stack))
    for frame, given, rows in ((result[0], stack[0], slice(None)), (result[1], stack[1], slice(40, None))):
        assert np.mean((frame - clean)[rows] ** 2) < np.mean((given - clean)[rows] ** 2) / 4


def test_no_lines_are_levelled_that_are_not_told_of(rng, median_alone):
    """Eight of nine frames are samples; the last, with columns, is none."""
    clean = photo("camera")[100:356, 100:356].astype(np.float32)
    stack = np.stack(9 * [clean])
    stack[:8] += rng.normal(0, 0.05, (8, 256, 1))
    stack[8] += rng.normal(0, 0.05, 256)
    result, choice = dnlib.denoise(stack, axes="TYX", return_choice=True)
    assert choice.beforehand == ("rows levelled",)
    assert np.mean((result[0] - clean) ** 2) < np.mean((stack[0] - clean) ** 2) / 4
    np.testing.assert_allclose(result[8], stack[8], atol=1e-6)


def test_where_nothing_is_done_beforehand_there_is_no_second_copy():
    (part,), _ = parts_of(Picture.of(NOISY))
    assert before.NOTHING.prepared(part) is part


def test_rows_of_a_mosaic_are_levelled_in_tiles(rng, monkeypatch, median_alone):
    monkeypatch.setattr(glances, "SIDE", 64)
    clean = 1000 * np.tile([[1, 0.7], [0.7, 0.4]], (128, 128)) * photo("camera")[100:356, 100:356]
    noisy = clean + rng.normal(0, 40, (256, 1))
    result, choice = dnlib.denoise(noisy, return_choice=True)
    assert [part.beforehand for part in choice.parts.values()] == 4 * [("rows levelled",)]
    assert np.mean((result - clean) ** 2) < np.mean((noisy - clean) ** 2) / 4


def test_impulses_are_replaced_in_tiles_as_in_the_whole(rng, monkeypatch, median_alone):
    noisy, drawn = photo("camera")[100:356, 100:356].astype(np.float32), rng.random((256, 256))
    noisy[drawn < 0.01], noisy[drawn > 0.99] = 0, 1
    known = impulses_in(noisy[:192, :192, None], np.ones((192, 192), bool))
    monkeypatch.setattr(glances, "SIDE", 64)
    monkeypatch.setattr(before, "impulses_in", lambda *_: known)
    tiled, choice = dnlib.denoise(noisy, return_choice=True)
    assert choice.beforehand and choice.filter == "unchanged"
    low, span = noisy.min(), np.ptp(noisy)
    np.testing.assert_allclose(tiled, low + span * known.replaced((noisy - low) / span), atol=1e-6)


def test_samples_of_a_large_frame_need_no_copies_of_it(rng, monkeypatch):
    monkeypatch.setattr(glances, "SIDE", 128)
    picture = Picture.of(rng.integers(0, 255, (1024, 1024), np.uint8))
    samples = glances.samples_of(glances.look_at(picture, False)[0])
    tracemalloc.start()
    found = glances.together(picture, samples)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found.pixels) == 8 and peak < 3 * picture.pixels.nbytes
    for one, piece in zip(samples, found.pixels, strict=True):
        np.testing.assert_array_equal(piece[..., 0], picture.pixels[one.tile.seen][: len(piece), : piece.shape[1]])
