"""The house: what is exported and explained, and that rooms are entered through their doors."""

import ast
import importlib
import inspect
import subprocess
import sys

import pytest

from dnlib.images import ROOT

ROOMS = ("images", "noise", "filters", "networks", "methods", "training", "zoo", "denoiser", "course")


def exported(room):
    tree = ast.parse((ROOT / "dnlib" / room / "__init__.pyi").read_text(encoding="utf-8"))
    return {alias.name for node in tree.body for alias in node.names}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_in_three_lines_what_it_is(room):
    assert len(inspect.getdoc(importlib.import_module(f"dnlib.{room}")).splitlines()) == 3


@pytest.mark.parametrize("path", sorted((ROOT / "dnlib").glob("*/*.py")), ids=lambda path: path.stem)
def test_other_rooms_are_entered_through_their_door(path):
    """Between rooms, `from dnlib.ROOM import NAME` with an exported name is the only import."""
    own = path.parent.name
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dnlib."):
            room, *inside = node.module.removeprefix("dnlib.").split(".")
            names = {alias.name for alias in node.names}
            if room != own:
                assert not inside and names <= exported(room), ast.unparse(node)


@pytest.mark.parametrize("room", ROOMS)
def test_everything_exported_is_there_and_explained(room):
    module = importlib.import_module(f"dnlib.{room}")
    assert set(module.__all__) == exported(room)
    for name in module.__all__:
        thing = getattr(module, name)
        if inspect.isfunction(thing) or (inspect.isclass(thing) and thing.__module__.startswith("dnlib")):
            assert inspect.getdoc(thing), f"{room}.{name} has no docstring"


def test_importing_dnlib_loads_nothing_heavy():
    heavy = ("torch", "numpy", "matplotlib", "skimage", "ipywidgets", "papermill", "numba")
    code = f"import dnlib, sys; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
