"""The house: what is exported and explained, and that rooms are entered through their doors."""

import ast
import builtins
import functools
import importlib
import inspect
import keyword
import pydoc
import re
import subprocess
import sys

import pytest

from dnlib.images import ROOT

ROOMS = ("images", "noise", "filters", "networks", "methods", "training", "zoo", "denoiser", "course")


SOURCES = sorted((ROOT / "dnlib").rglob("*.py"))
NAMED = re.compile(r"(?<!`)`([A-Za-z_]\w*(?:\.\w+)*)(?:\(.*?\))?`(?!`)", re.DOTALL)  # `name` and `name(arguments)`


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


@functools.cache
def words():
    """Every name in the code: of files, of what is defined, imported, given or stored, and texts that are one word."""
    found = {*dir(builtins), *keyword.kwlist, *(path.stem for path in SOURCES)}
    for node in (node for path in SOURCES for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))):
        names = [getattr(node, field, None) for field in ("id", "arg", "attr", "name", "asname", "module", "value")]
        found |= {word for name in names if isinstance(name, str) for word in name.split(".")}
    return found


def exists(name):
    """Whether a docstring's `name` is something: below a room what the room has, else words that the code knows."""
    head, _, below = name.partition(".")
    if below and head in ("dnlib", *ROOMS):
        return pydoc.locate(f"dnlib.{name.removeprefix('dnlib.')}") is not None
    return set(name.split(".")) <= words() or (below and pydoc.locate(name) is not None)


def texts_of(path):
    """Docstrings, and the texts below constants."""
    found = [node.value for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Expr)]
    return [text.value for text in found if isinstance(text, ast.Constant) and isinstance(text.value, str)]


def test_the_names_in_docstrings_exist():
    """On the site they are links; one that leads nowhere would pass for code there."""
    named = {(path, name) for path in SOURCES for text in texts_of(path) for name in NAMED.findall(text)}
    assert len(named) > 300 and {(path.name, name) for path, name in named if not exists(name)} == set()


def test_a_name_that_is_nowhere_is_noticed():
    text = "`noise.gone`, `dnlib.gone(1)`, `torch.gone`, `a_gone_name`, ``gone``; `noise.Belief`, `torch.amp`, `fit(x)`"
    assert [name for name in NAMED.findall(text) if not exists(name)] == [
        "noise.gone", "dnlib.gone", "torch.gone", "a_gone_name",
    ]  # fmt: skip


def test_importing_dnlib_loads_nothing_heavy():
    heavy = ("torch", "numpy", "matplotlib", "skimage", "ipywidgets", "papermill", "numba")
    code = f"import dnlib, sys; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
