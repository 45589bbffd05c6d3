"""`dnlib noise` of several files: each has its line, none stops the others, and all may share a clean image."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from dnlib.cli import main
from dnlib.images import Picture, write

LEVELS = {"a": 20, "b": 40}


@pytest.fixture(autouse=True)
def shots(tmp_path, monkeypatch, rng):
    """Two noisy pictures and what is no picture in the folder shots, and their clean version beside it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shots").mkdir()
    clean = np.broadcast_to(np.linspace(100, 150, 80).round(), (80, 80))
    write(tmp_path / "clean.png", Picture.of(clean.astype(np.uint8)))
    for name, level in LEVELS.items():
        noisy = (clean + rng.normal(0, level, clean.shape)).clip(0, 255)
        write(tmp_path / "shots" / f"{name}.png", Picture.of(noisy.round().astype(np.uint8)))
    (tmp_path / "shots" / "broken.tif").write_text("no picture")


def call(*arguments):
    return CliRunner().invoke(main, ["noise", *arguments])


@pytest.mark.parametrize("names", [["shots/a.png", "shots/b.png"], ["shots/*.png"]])
def test_each_of_several_files_has_its_sentence(names):
    result = call(*names)
    lines = result.stdout.splitlines()
    assert result.exit_code == 0 and len(lines) == 2
    for line, name in zip(lines, LEVELS, strict=True):
        assert line.startswith(f"{Path('shots', name)}.png: Noise of standard deviation") and "estimated" in line


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_file_that_is_refused_stops_no_other(more):
    result = call("shots", "missing.png", *more)
    assert result.exit_code == 2 and "Error: 2 of 4 files were refused" in result.stderr
    assert "broken.tif cannot be read" in result.stderr and "missing.png is not there" in result.stderr
    assert result.stdout.count("b.png") == 1


def test_several_are_a_list_for_programs_and_share_a_clean_image():
    result = call("shots", "--clean", "clean.png", "--json")
    found = {Path(one["file"]).name: one for one in json.loads(result.stdout)}
    assert list(found) == ["a.png", "b.png", "broken.tif"]
    for name, level in LEVELS.items():
        part = found[f"{name}.png"]["parts"][""]
        assert part["measured"] and part["level"] == pytest.approx(level, rel=0.05)
    assert "cannot be read" in found["broken.tif"]["refusal"] and "parts" not in found["broken.tif"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["shots", "--picture", "noise.png"], "--picture goes with one picture or with two folders"),
        (["shots/a.png", "shots/b.png", "--clean", "shots"], "a folder of clean images goes with one of noisy ones"),
        (["shots/*.jpg"], "no file is called like"),
        ([""], "an empty name was given"),
        ([], "Missing argument"),
    ],
)
def test_what_cannot_be_asked_is_refused(arguments, message):
    result = call(*arguments)
    assert result.exit_code == 2 and message in result.stderr and not result.stdout
