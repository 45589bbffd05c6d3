"""Say what keeps chapters 00 and 01 from running inside a page, by JupyterLite: `make lite PYODIDE=FOLDER`.

FOLDER is a full distribution of Pyodide, unpacked: Python for the browser, with its packages and pyodide-lock.json.
"""

import argparse
import json
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
COMPILED = ("matplotlib", "numba", "numpy", "pillow", "pywavelets", "scikit-image", "scipy", "torch")
"""What the two chapters import that is no pure Python, and so must have been built for the browser."""


def main() -> None:
    """Exit with what is missing, if anything is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="Of Pyodide.")
    given = parser.parse_args().folder
    folder = Path(given)
    if not (folder / "pyodide-lock.json").is_file():
        sys.exit(f"make lite PYODIDE=FOLDER: a full distribution of Pyodide, unpacked; {given!r} was given")
    found = missing(folder)
    if found:
        sys.exit("\n".join(["chapters 00 and 01 cannot run in a page yet:", *found]))
    print("nothing is missing; `jupyter lite build --contents notebooks` of jupyterlite-pyodide-kernel can build it")


def missing(folder: Path) -> list[str]:
    """What dnlib's bounds ask for and this Pyodide does not have, a line each."""
    lock = json.loads((folder / "pyodide-lock.json").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {canonicalize_name((one := Requirement(line)).name): one.specifier for line in project["dependencies"]}
    python = lock["info"]["python"]
    said = [] if python in SpecifierSet(project["requires-python"]) else [f"its Python is {python}"]
    return said + [line for name in COMPILED if (line := _fault(name, needed[name], lock["packages"], folder))]


def _fault(name: str, bounds: SpecifierSet, packages: dict, folder: Path) -> str:
    """What is wrong with one package; empty if it will do."""
    if name not in packages:
        return f"{name} was never built for it"
    version, file = packages[name]["version"], packages[name]["file_name"]
    if version not in bounds:
        return f"{name} {version} is outside {bounds}"
    return "" if (folder / file).is_file() else f"{name}: its file {file} is not in the folder"


if __name__ == "__main__":
    main()
