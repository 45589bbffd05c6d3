"""The search against brute force, the collage against its definition."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
import torch

from dnlib.methods.patch_targets import (
    _by_loops,
    _by_tensors,
    covariance,
    craft,
    deal,
    dense_covariance,
    keep,
    lowest_allowed,
    search,
)


@pytest.fixture
def burst():
    return torch.rand(3, 2, 13, 17, generator=torch.Generator().manual_seed(0))


def brute_force(burst, patch, radius):
    """Distances [frames - 1, motions, places, places]; infinite where there is no candidate."""
    padded = torch.nn.functional.pad(burst, (patch - 1,) * 4, mode="reflect").double().numpy()
    windows = np.lib.stride_tricks.sliding_window_view(padded, (patch, patch), axis=(2, 3))
    rows, columns = windows.shape[2:4]
    found = {}
    for frame in range(len(burst)):
        if frame == len(burst) // 2:
            continue
        for dy, dx in itertools.product(range(-radius, radius + 1), repeat=2):
            distance = np.full((rows, columns), np.inf)
            y, x = slice(max(0, -dy), min(rows, rows - dy)), slice(max(0, -dx), min(columns, columns - dx))
            moved = slice(y.start + dy, y.stop + dy), slice(x.start + dx, x.stop + dx)
            here, there = windows[len(burst) // 2][:, y, x], windows[frame][:, *moved]
            distance[y, x] = ((here - there) ** 2).mean(axis=(0, 3, 4))
            found[frame, dy, dx] = distance
    return found


@pytest.mark.parametrize(("patch", "radius"), [(1, 2), (3, 1), (5, 4), (7, 3)])
def test_the_nearest_patch_is_found(burst, patch, radius):
    every = brute_force(burst, patch, radius)
    best = np.min(list(every.values()), axis=0)
    found = search(burst, patch=patch, radius=radius)
    assert np.allclose(found.distance, best, atol=1e-5)
    chosen = np.array(
        [
            [every[int(f), int(dy), int(dx)][y, x] for x, (f, dy, dx) in enumerate(zip(*parts, strict=True))]
            for y, parts in enumerate(zip(found.frame, found.row, found.column, strict=True))
        ]
    )
    assert np.allclose(chosen, best, atol=1e-5)
    assert len(burst) // 2 not in found.frame


@pytest.mark.parametrize("radius", [1, 3, 20])
def test_loops_and_tensors_find_the_same(burst, radius):
    for one, other in zip(*(by(burst, 3, radius) for by in (_by_loops, _by_tensors)), strict=True):
        assert np.allclose(one, other, atol=1e-4)


def test_a_scene_that_moves_is_followed():
    scene = torch.rand(1, 3, 40, 50, generator=torch.Generator().manual_seed(2))
    frames = [scene[..., 8 + t : 32 + t, 8 - 2 * t : 40 - 2 * t] for t in (-1, 0, 1)]
    found = search(torch.cat(frames), patch=5, radius=3)
    inside = np.s_[8:-8, 8:-8]
    assert (found.distance[inside] < 1e-6).all()
    motion = {0: (1, -2), 2: (-1, 2)}
    for frame, row, column in zip(*(part[inside].ravel() for part in found[:3]), strict=True):
        assert (row, column) == motion[int(frame)]


@pytest.mark.parametrize("patch", [1, 3, 4])
def test_a_patch_craft_image_is_made_of_the_nearest_patches(burst, patch):
    found = search(burst, patch=patch, radius=2)
    padded = torch.nn.functional.pad(burst, (patch - 1,) * 4, mode="reflect")
    for k, m in itertools.product(range(patch), repeat=2):
        image = craft(burst, found, patch=patch, offset=(k, m))
        assert image.shape == burst[:1].shape
        for y, x in ((0, 0), (6, 9), (12, 16)):
            top = k + (y + patch - 1 - k) // patch * patch  # where the tile of this pixel begins, in padded places
            left = m + (x + patch - 1 - m) // patch * patch
            row = y + patch - 1 + int(found.row[top, left])
            column = x + patch - 1 + int(found.column[top, left])
            assert torch.equal(image[0, :, y, x], padded[int(found.frame[top, left]), :, row, column])


def test_offsets_are_dealt_evenly():
    dealt = deal(19, 3, torch.Generator().manual_seed(0))
    counts = [dealt.count(offset) for offset in itertools.product(range(3), repeat=2)]
    assert sorted(counts) == [2] * 8 + [3]


def test_the_covariance_is_minus_the_noise_variance(rng):
    """r is target minus input: were it the reverse, the peak would lie at plus the variance."""
    clean, w, z = (torch.from_numpy(part) for part in rng.standard_normal((3, 40, 3, 32, 32)))
    tiles = covariance(clean + 0.5 * w, clean + 0.5 * z)
    assert tiles.mean().item() == pytest.approx(-0.25, abs=0.01)
    wrong = covariance(clean + 0.5 * w, clean.roll(5, dims=3) + 0.5 * z)
    assert wrong.mean() < -1


def test_dense_covariances_are_those_of_the_tiles(burst):
    noisy, target = burst[:1], burst[1:2] + 3
    dense = dense_covariance(noisy, target, side=4)
    tiles = [part.unfold(2, 4, 1).unfold(3, 4, 1)[0].permute(1, 2, 0, 3, 4) for part in (noisy, target)]
    direct = covariance(*(part.reshape(-1, 2, 4, 4) for part in tiles))
    assert torch.allclose(dense.flatten(), direct, atol=1e-7)


def test_the_tail_is_cut_where_the_moments_balance(rng):
    good, bad = rng.normal(-1, 0.1, 200_000), -1 - rng.exponential(1.0, 20_000)
    cut, peak = lowest_allowed(np.concatenate([good, bad]))
    assert peak == pytest.approx(-1, abs=0.05)
    kept = np.concatenate([good, bad])
    kept = kept[kept > cut]
    assert kept.mean() == pytest.approx(peak, abs=0.01)
    assert cut < -1.1 and (bad > cut).mean() < 0.6
    symmetric = rng.normal(0, 1, 1000)
    assert lowest_allowed(np.concatenate([symmetric, -symmetric]))[0] < -1.5


def test_few_tiles_have_a_peak_as_well(rng):
    peaks = [
        lowest_allowed(np.concatenate([rng.normal(-1, 0.1, 800), -1 - rng.exponential(1, 200)]))[1] for _ in range(9)
    ]
    assert np.allclose(peaks, -1, atol=0.05)
    assert lowest_allowed(np.array([-1.0])) == (pytest.approx(-1), -1)


def test_tiles_of_other_brightness_are_left_out():
    statistic, mean = np.full(100, -1.0), np.zeros(100)
    mean[:3] = 10
    statistic[5] = -9
    kept = keep(statistic, mean + np.linspace(0, 0.1, 100), cut=-2, width=3)
    assert not kept[:3].any() and not kept[5] and kept.sum() == 96
    with pytest.raises(ValueError, match="none of 100 tiles is left: all have a covariance below 0"):
        keep(statistic, mean, cut=0)
    with pytest.raises(ValueError, match="none of 100 tiles is left: each is off by more"):
        keep(statistic, mean + np.resize([-1.0, 1.0], 100), cut=-2, width=0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda burst: search(burst, patch=14, radius=2), "does not fit into frames of 13x17"),
        (lambda burst: search(burst, patch=0, radius=2), "does not fit"),
        (lambda burst: search(burst, patch=3, radius=0), "a radius of 0"),
        (
            lambda burst: craft(burst, search(burst, patch=3, radius=1), patch=3, offset=(3, 0)),
            r"lie in 0 ... 2; \(3, 0\)",
        ),
    ],
)
def test_bad_input_is_told(burst, call, message):
    with pytest.raises(ValueError, match=message):
        call(burst)


THREADS = """
import torch
from dnlib.methods import patch_targets
torch.set_num_threads(1)
patch_targets.search(torch.rand(3, 1, 40, 40), patch=5, radius=2)
print(torch.get_num_threads())
"""


def test_a_search_leaves_torch_its_number_of_threads():
    """Small trainings after a search were thirty times slower where two processes shared two cores."""
    found = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "1"
