"""The parameters of a chapter: read from its `parameters` cell, checked before anything runs."""

import ast
import contextlib
import math
from functools import cache
from pathlib import Path
from typing import Any

COMMON = ("profile", "seed", "device")  # the parameters that every chapter has

_TYPES = {"str": str, "int": int, "float": float, "bool": bool}


@cache
def declared(notebook: Path) -> dict[str, type]:
    """The parameters that a chapter's `parameters` cell declares, with their types.

    Raises ValueError if the cell is missing or holds anything but annotated literals.
    """
    import nbformat  # slow to load

    cells = [c for c in nbformat.read(notebook, as_version=4).cells if "parameters" in c.metadata.get("tags", [])]
    if len(cells) != 1:
        raise ValueError(f"{notebook.name} has {len(cells)} cells tagged 'parameters'; exactly one is needed")
    lines = cells[0].source.split("\n")
    found = {}
    for node in ast.parse(cells[0].source).body:
        plain = isinstance(node, ast.AnnAssign) and isinstance(node.annotation, ast.Name) and node.value
        if not plain or node.annotation.id not in _TYPES:
            raise ValueError(
                f"{notebook.name}: line {lines[node.lineno - 1]!r} of the parameters cell is not of the form "
                f"name: type = literal, with a type of {', '.join(_TYPES)}"
            )
        ast.literal_eval(node.value)  # nothing but a literal
        found[node.target.id] = _TYPES[node.annotation.id]
    return found


def typed(notebook: Path, overrides: dict[str, Any]) -> dict[str, Any]:
    """Check names and types of parameters against what a chapter declares; text becomes the declared type.

    Raises ValueError for an unknown name or a value of the wrong type.
    """
    known = declared(notebook)
    checked = {}
    for name, value in overrides.items():
        if name not in known:
            raise ValueError(f"chapter {notebook.stem} has no parameter {name!r}; it has: {', '.join(known)}")
        checked[name] = _typed(f"chapter {notebook.stem}: parameter {name!r}", known[name], value)
    return checked


def _typed(what: str, kind: type, value: Any) -> Any:
    if kind is str and isinstance(value, str):
        return value
    literal = value
    if isinstance(value, str):
        with contextlib.suppress(ValueError, SyntaxError):
            literal = ast.literal_eval({"true": "True", "false": "False"}.get(value.lower(), value))
    if kind is float and type(literal) is int:
        literal = float(literal)
    if type(literal) is not kind or (kind is float and not math.isfinite(literal)):
        raise ValueError(f"{what} is of type {kind.__name__}, {value!r} was given")
    return literal
