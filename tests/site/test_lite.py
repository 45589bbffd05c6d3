"""What Pyodide must have before chapters run inside a page."""

import json

import lite
import pytest


@pytest.fixture
def pyodide(tmp_path):
    """A distribution of Pyodide that has everything; arguments say what is otherwise."""

    def folder(python="3.13.2", **versions):
        bounds = {"numba": "0.61", "pillow": "12.2.0", "scikit-image": "0.26.0", "torch": "2.13.0"}
        packages = {}
        for name in lite.COMPILED:
            version = versions.get(name, bounds.get(name, "3.10.8"))
            if version:
                packages[name] = {"version": version, "file_name": f"{name}.whl"}
                (tmp_path / f"{name}.whl").touch()
        lock = {"info": {"python": python}, "packages": packages}
        (tmp_path / "pyodide-lock.json").write_text(json.dumps(lock))
        return tmp_path

    return folder


def test_a_whole_distribution_misses_nothing(pyodide):
    assert lite.missing(pyodide()) == []


def test_all_that_is_missing_is_named(pyodide):
    folder = pyodide(python="3.14.2", torch=None, **{"scikit-image": "0.25.2"})
    (folder / "numpy.whl").unlink()
    assert lite.missing(folder) == [
        "its Python is 3.14.2",
        "numpy: its file numpy.whl is not in the folder",
        "scikit-image 0.25.2 is outside <1.1,>=0.26",
        "torch was never built for it",
    ]


def test_without_a_distribution_it_says_what_it_needs(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.argv", ["lite.py", str(tmp_path)])
    with pytest.raises(SystemExit, match="make lite PYODIDE=FOLDER: a full distribution of Pyodide, unpacked"):
        lite.main()
