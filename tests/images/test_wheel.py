"""What a wheel carries, far from any checkout."""

import json
import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from dnlib.images import ROOT

IN_USE = """
import numpy as np
import dnlib
from dnlib import images, zoo
assert images.SHIPPED.parent.name == "dnlib" and not images.in_checkout()
assert "kodak24" in images.datasets.registry() and zoo.available()
image = np.random.default_rng(0).random((32, 32, 3), np.float32)
print(dnlib.denoise(image, filter="blind_spot", return_choice=True)[1].filter)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    pytest.importorskip("setuptools", "77")
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("dnlib", "data", "notebooks", "results", "benchmarks"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("downloads", "__pycache__"))
    (source / "data" / "downloads").mkdir()
    (source / "data" / "downloads" / "large.png").touch()
    build = ["wheel", "--no-index", "--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", built, source]
    subprocess.run([sys.executable, "-m", "pip", *build], check=True)
    (path,) = built.glob("*.whl")
    with zipfile.ZipFile(path) as file:
        file.extractall(built / "installed")
    return built / "installed"


def test_a_wheel_holds_all_code_and_data_and_no_downloads(wheel):
    def files(folder):
        found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
        beside = {"__pycache__", "downloads", "data", "notebooks", "results", "benchmarks"}
        return {path for path in found if not beside & set(path.parts)}

    assert files(wheel / "dnlib") == files(ROOT / "dnlib")
    shipped = {
        path.relative_to(ROOT / "data")
        for part in ("files", "weights", "trainings")
        for path in (ROOT / "data" / part).glob("*")
    }
    data = {
        path.relative_to(wheel / "dnlib" / "data") for path in (wheel / "dnlib" / "data").rglob("*") if path.is_file()
    }
    assert {path.as_posix() for path in data - shipped} == {"registry.yaml"} and shipped <= data
    assert {path.name.split("-")[0] for path in wheel.iterdir()} == {"dnlib"}


def test_a_wheel_holds_chapters_claims_and_records(wheel):
    def names(folder, pattern):
        return {path.name for path in folder.glob(pattern)}

    assert names(wheel / "dnlib" / "notebooks", "*") == names(ROOT / "notebooks", "*.ipynb")
    assert names(wheel / "dnlib" / "results", "*") == {"claims.yaml", "records"}
    assert names(wheel / "dnlib" / "results" / "records", "*") == names(ROOT / "results" / "records", "*.json")


def test_the_start_page_of_a_wheel_has_the_minutes_of_the_benchmark(wheel, tmp_path):
    code = "from dnlib.course import jobs, lab; print(lab.start_page(jobs.NOTEBOOKS))"
    python = {"cwd": tmp_path, "env": os.environ | {"PYTHONPATH": str(wheel)}, "capture_output": True, "text": True}
    page = subprocess.run([sys.executable, "-c", code], check=True, **python).stdout
    timed = json.loads((ROOT / "benchmarks" / "results" / "course.json").read_text(encoding="utf-8"))["runs"]
    for name in timed["with"]["chapters"]:
        line = next(line for line in page.splitlines() if f"[{name}]" in line)
        minutes = {f"about {run['chapters'][name]['seconds'] / 60:.1f}" for run in timed.values()}
        assert line.split(" | ")[2] in minutes, line


def test_chapters_are_copied_out_of_a_wheel(wheel, tmp_path):
    python = {"cwd": tmp_path, "env": os.environ | {"PYTHONPATH": str(wheel)}, "capture_output": True, "text": True}
    command = [sys.executable, "-m", "dnlib", "course", "copy", "mine"]
    assert "14 chapters are in mine" in subprocess.run(command, check=True, **python).stdout
    assert len(list((tmp_path / "mine").glob("*.ipynb"))) == 14
    (tmp_path / "mine" / "00_start_here.ipynb").write_text("my work")
    again = subprocess.run(command, check=False, **python)
    assert again.returncode == 2 and "mine is there already, perhaps with work in it" in again.stderr
    assert (tmp_path / "mine" / "00_start_here.ipynb").read_text() == "my work"


def test_a_wheel_knows_its_datasets_and_networks(wheel, tmp_path):
    python = {"cwd": tmp_path, "env": os.environ | {"PYTHONPATH": str(wheel)}}
    found = subprocess.run([sys.executable, "-c", IN_USE], capture_output=True, text=True, check=True, **python).stdout
    assert found.strip() == "blind_spot"
