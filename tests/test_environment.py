"""What a user installs is the same on every path, and importing costs little."""

import json
import re
import socket
import subprocess
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from dnlib.images import ROOT
from dnlib.training.device import PRECISIONS

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA_NAMES = {"torch": "pytorch"}


def needed(*extras: str) -> dict[str, SpecifierSet]:
    texts = [*PROJECT["dependencies"], *(text for extra in extras for text in PROJECT["optional-dependencies"][extra])]
    return {(r := Requirement(text)).name.lower(): r.specifier for text in texts}


def test_conda_users_get_the_same_packages_and_bounds():
    entries = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    conda = {}
    for entry in entries:
        if isinstance(entry, str):
            name, bounds = re.fullmatch(r"([\w-]+)(.*)", entry).groups()
            conda[name] = SpecifierSet(bounds)
    assert conda.pop("python") == SpecifierSet(PROJECT["requires-python"])
    conda.pop("pip")
    assert conda == {CONDA_NAMES.get(name, name): bounds for name, bounds in needed("test").items()}


def test_no_build_strings_and_no_plain_torch_in_the_pins():
    assert not re.search(r"^ *- *[\w-]+==?[^=<>]+=[^=]", (ROOT / "environment.yml").read_text(), flags=re.MULTILINE)
    assert "torch==2.13.0" in (ROOT / "constraints.txt").read_text().splitlines()


def test_the_pins_fit_the_bounds_and_cover_them():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    pins = {canonicalize_name((r := Requirement(line)).name): next(iter(r.specifier)).version for line in lines}
    for name, bounds in needed("test", "site", "browser").items():
        pin = pins.get(canonicalize_name(name))
        assert pin and pin in bounds, name


def test_what_is_optional_is_part_of_the_test_extra():
    extras = PROJECT["optional-dependencies"]
    assert {*extras["cluster"], *extras["zarr"]} <= set(extras["test"])


LIGHT = {
    "dnlib.cli": ["torch", "numpy", "matplotlib", "papermill"],
    "dnlib.images.reading": ["zarr", "tifffile", "torch"],
    "dnlib.denoiser.choosing": ["torch", "matplotlib", "ipywidgets"],
    "dnlib.filters.calibration, dnlib.filters.groups, dnlib.filters.recorrupted, dnlib.filters.stripes": [
        "torch",
        "numba",
    ],
    "dnlib.course.diagrams, dnlib.course.widgets, dnlib.training.metrics": [
        "torch",
        "numba",
    ],  # chapter 01's, but `start`
    "dnlib.course.tables, dnlib.course.plots, dnlib.course.rows": ["nbformat"],  # its JSON schema loads slowly
    "dnlib.course": ["matplotlib", "ipywidgets", "papermill", "distributed"],
}


@pytest.mark.parametrize("module", LIGHT)
def test_importing_stays_light(module):
    code = f"import sys, {module}; print([m for m in {LIGHT[module]} if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True, cwd=ROOT).strip() == "[]"


def test_no_test_reaches_another_machine():
    with socket.socket() as one:
        for connect in (one.connect, one.connect_ex):
            with pytest.raises(pytest.fail.Exception, match=r"wanted to reach 192\.0\.2\.1"):
                connect(("192.0.2.1", 9))  # kept for examples: nobody has it


def test_continuous_integration_calls_the_readme_s_command():
    assert "make test" in (ROOT / ".ci" / "run").read_text()
    assert "make test" in (ROOT / ".github" / "workflows" / "test.yml").read_text()
    assert "make test" in (ROOT / "README.md").read_text()


def test_continuous_integration_sets_a_precision_that_there_is():
    (line,) = re.findall(r"DNLIB_PRECISION: (.*)", (ROOT / ".github" / "workflows" / "test.yml").read_text())
    values = re.findall(r"(?:&&|\|\|) '(.*?)'", line)
    assert len(values) == 2 and set(values) <= {*PRECISIONS, ""}


def test_the_version_is_one():
    version = PROJECT["version"]
    assert f'__version__ = "{version}"' in (ROOT / "dnlib" / "__init__.py").read_text()
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == version
    assert json.loads((ROOT / "codemeta.json").read_text())["version"] == version
    assert f"## [{version}] - " in (ROOT / "CHANGELOG.md").read_text()
