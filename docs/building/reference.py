"""The pages of the API reference: every name that a room's `__init__.pyi` exports, from its docstring."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from numpydoc.xref import DEFAULT_LINKS

from dnlib.images import ROOT

_SECTION = re.compile(r"^[A-Z][\w ]+\n-{3,}$", re.MULTILINE)
_EXAMPLE = r"^ *>>>.*?(?:\n\s*\n|\Z)"
_SIGN = r"\||(?<=[ (/])\*+(?=[\w.])"  # what would be markup: bars, and stars that begin a word

_ADDRESSES = {
    "numpy": "https://numpy.org/doc/stable/",
    "skimage": "https://scikit-image.org/docs/stable/",
    "torch": "https://docs.pytorch.org/docs/stable/",
}
_THEIRS = {
    "array": "numpy.ndarray",
    "ndarray": "numpy.ndarray",
    "Tensor": "torch.Tensor",
    "nn.Module": "torch.nn.Module",
    "torch.Generator": "torch.Generator",
    "torch.device": "torch.device",
}

ROOMS = ("images", "noise", "filters", "networks", "methods", "training", "zoo", "denoiser", "course")


def exported(room: str) -> dict[str, str]:
    """The public names of a room and the file, without its ending, in which each is written."""
    tree = ast.parse((ROOT / "dnlib" / room / "__init__.pyi").read_text(encoding="utf-8"))
    return {alias.name: node.module or alias.name for node in tree.body for alias in node.names}


def types() -> dict[str, str]:
    """Words of docstrings' types and what they name: classes of the rooms, of NumPy and of torch."""
    classes = {
        name: f"dnlib.{room}.{name}"
        for room in ROOMS
        for name in exported(room)
        if inspect.isclass(getattr(importlib.import_module(f"dnlib.{room}"), name))
    }
    words = {word: word for word in DEFAULT_LINKS}  # numpydoc would link them into Python's own pages
    return words | classes | _THEIRS


def inventories(folder: Path) -> dict[str, tuple[str, str]]:
    """What Sphinx needs to link into NumPy's, scikit-image's and torch's pages, for each NAME.inv that a folder has."""
    files = {name: folder / f"{name}.inv" for name in _ADDRESSES}
    return {name: (_ADDRESSES[name], str(file)) for name, file in files.items() if file.is_file()}


def page(room: str) -> str:
    """One room in reStructuredText: a table of its names, then each with its docstring, then its modules."""
    names, module = exported(room), importlib.import_module(f"dnlib.{room}")
    things = {name: getattr(module, name) for name in names}
    callables = [name for name, thing in things.items() if inspect.isclass(thing) or inspect.isfunction(thing)]
    modules = {name: thing for name, thing in things.items() if isinstance(thing, ModuleType)}
    data = [name for name in names if name not in callables and name not in modules]
    parts = [
        _titled(f"dnlib.{room}", "="),
        rest(inspect.getdoc(module)),
        f".. currentmodule:: dnlib.{room}",
        ".. autosummary::\n   :nosignatures:\n\n"
        + "\n".join(f"   {name}" for name in sorted(callables, key=str.lower)),
        *(_entry(f"dnlib.{room}", name, things[name]) for name in sorted(callables, key=str.lower)),
        *(_constant(room, name, names[name]) for name in sorted(data, key=str.lower)),
        *(part for name in sorted(modules) for part in _module(modules[name], set(names))),
    ]
    return "\n\n".join(parts) + "\n"


def _entry(module: str, name: str, thing) -> str:
    kind = "class" if inspect.isclass(thing) else "function"
    return f".. auto{kind}:: {module}.{name}" + ("\n   :members:" if kind == "class" else "")


def _constant(room: str, name: str, file: str) -> str:
    """A value, with the text or the comment that stands with it in the source."""
    said = rest(_said_of(name, ROOT / "dnlib" / room / f"{file}.py")).replace("\n", "\n   ")
    return f".. py:data:: {name}\n\n   {said}"


def _said_of(name: str, path: Path) -> str:
    """The text below an assignment, else the comment behind it, else nothing."""
    source = path.read_text(encoding="utf-8")
    body = ast.parse(source).body
    for node, below in zip(body, [*body[1:], None], strict=True):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names = {part.id for target in targets if target for part in ast.walk(target) if isinstance(part, ast.Name)}
        if name not in names:
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str):
            return inspect.cleandoc(below.value.value)
        line = source.splitlines()[node.lineno - 1]
        return line.partition("  # ")[2].strip().capitalize()
    return ""


def _module(module: ModuleType, known: set[str]) -> Iterator[str]:
    """A module that is exported as a whole, with what it explains at length and the room does not export by itself."""
    yield _titled(module.__name__, "-")
    yield rest(inspect.getdoc(module) or "")
    for name, thing in sorted(vars(module).items()):
        is_code = inspect.isclass(thing) or inspect.isfunction(thing)
        is_own = is_code and thing.__module__ == module.__name__ and not name.startswith("_") and name not in known
        if is_own and _SECTION.search(inspect.getdoc(thing) or ""):
            yield _entry(module.__name__, name, thing)


def rest(text: str) -> str:
    r"""A docstring, written as one reads it, in reStructuredText: what is indented stays so, signs mean themselves.

    Examples
    --------
    >>> print(rest("The risk is |f(y)|.\n\n    E |x| = 0"))
    The risk is \|f(y)\|.
    <BLANKLINE>
    ::
    <BLANKLINE>
        E |x| = 0
    """
    first = _SECTION.search(text)
    head, sections = (text[: first.start()], text[first.start() :]) if first else (text, "")
    signs = re.compile(f"({_EXAMPLE})|{_SIGN}", re.DOTALL | re.MULTILINE)
    return _prose(head) + signs.sub(lambda found: found[0] if found[1] else "\\" + found[0], sections)


def _prose(text: str) -> str:
    lines, is_literal = [], False
    for line in text.split("\n"):
        if line.strip() and line.startswith("    ") != is_literal:
            is_literal = not is_literal
            before = [] if not lines or not lines[-1] else [""]
            lines += [*before, "::", ""] if is_literal else before
        lines.append(line if is_literal else re.sub(r"[|*]", r"\\\g<0>", line))
    return "\n".join(lines)


def _titled(title: str, line: str) -> str:
    return f"{title}\n{line * len(title)}"
