"""Pairs of two folders, measured together: one range, every pixel alike, each refusal with the name of its file."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from dnlib.cli import main
from dnlib.images import Picture, write
from dnlib.noise import correlation_map, inspect_folders


@pytest.fixture
def folders(tmp_path):
    """Writes pairs (noisy, clean) into two folders, which it returns."""

    def written(**pairs):
        for folder in ("noisy", "clean"):
            (tmp_path / folder).mkdir()
        for name, pair in pairs.items():
            for folder, pixels in zip(("noisy", "clean"), pair, strict=True):
                write(tmp_path / folder / f"{name}.tif", Picture.of(pixels))
        return tmp_path / "noisy", tmp_path / "clean"

    return written


def ramp(low, high, side=96):
    return np.broadcast_to(np.linspace(low, high, side), (side, side))


def counts(rng, brightest):
    """A pair of a 14-bit camera whose noise has 40 counts."""
    clean = ramp(500, brightest).round()
    return (clean + rng.normal(0, 40, clean.shape)).round().astype(np.uint16), clean.astype(np.uint16)


def test_a_dark_and_a_bright_scene_of_one_camera_have_one_range(folders, rng):
    pair = folders(dark=counts(rng, 2900), bright=counts(rng, 15_000))
    found = inspect_folders(*pair)
    assert found.level == pytest.approx(255 * 40 / 16_383, rel=0.03) and found.unit == "of 255"
    told = inspect_folders(*pair, range=(0, 16_383))
    assert told.level == pytest.approx(40, rel=0.03) and told.unit == "of 16383"
    names = [str(pair[0]), "--clean", str(pair[1])]
    result = CliRunner().invoke(main, ["noise", *names, "--range", "0", "16383", "--json"])
    assert json.loads(result.stdout)[""]["level"] == pytest.approx(told.level)
    with pytest.raises(ValueError, match="from black up to white"):
        inspect_folders(*pair, range=(9, 9))


def test_dark_floats_are_of_the_range_of_the_others(folders, rng):
    pairs = {}
    for name, top in (("dark", 0.015), ("bright", 0.9)):
        clean = ramp(0.001, top).astype(np.float32)
        pairs[name] = (clean + rng.normal(0, 0.003, clean.shape)).astype(np.float32), clean
    assert inspect_folders(*folders(**pairs)).level == pytest.approx(255 * 0.003, rel=0.03)


def test_pairs_of_other_types_keep_ranges_of_their_own(folders, rng):
    clean = ramp(0.2, 0.8)
    images = clean + rng.normal(0, 0.05, clean.shape), clean
    pairs = {kind: [np.rint(np.iinfo(kind).max * one).astype(kind) for one in images] for kind in ("uint8", "uint16")}
    assert inspect_folders(*folders(**pairs)).level == pytest.approx(255 * 0.05, rel=0.03)


def test_a_tiny_pair_tells_of_near_lags_only(folders, rng):
    large, tiny = ((0.5 + rng.normal(0, 0.1, shape), np.full(shape, 0.5)) for shape in ((96, 96), (8, 9)))
    found = inspect_folders(*folders(large=large, tiny=tiny))
    assert found.map.shape == (21, 21) and np.isfinite(found.map).all()
    alone = correlation_map(large[0] - 0.5, 10)
    far = np.abs(np.arange(-10, 11)) > 2
    assert np.allclose(found.map[far], alone[far], atol=1e-5)
    assert np.abs(found.map - alone)[8:13, 8:13].max() > 1e-4


@pytest.mark.parametrize(
    ("noisy", "clean", "message"),
    [
        (ramp(0, 1), ramp(0, 1), "the two images are equal"),
        (ramp(0.2, 1), np.zeros((96, 96)), "is black or white"),
        (ramp(0, 1), ramp(0, 1, 80), "must have the same shape"),
        (ramp(-1e200, 1e200), ramp(-1e200, 0.9e200), "without loss: scale them"),
    ],
)
def test_what_is_refused_is_named(folders, rng, noisy, clean, message):
    with pytest.raises(ValueError, match=rf"noisy/spoilt\.tif: .*{message}"):
        inspect_folders(*folders(spoilt=(noisy, clean)))


def test_black_and_white_are_a_share_of_all_pixels(folders, rng):
    small, large = np.full((64, 64), 0.5), np.full((320, 320), 0.5)
    clipped = rng.integers(0, 2, small.shape).astype(float)
    found = inspect_folders(*folders(a=(clipped, small), b=(large + rng.normal(0, 0.05, large.shape), large)))
    assert found.saturated == pytest.approx(small.size / (small.size + large.size))
