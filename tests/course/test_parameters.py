import nbformat
import pytest
from samples import GOOD

from dnlib.course.parameters import declared, typed


def test_parameters_are_read_with_their_types(chapters):
    folder = chapters(a=GOOD)
    found = declared(folder / "a.ipynb")
    assert list(found)[:3] == ["profile", "seed", "device"]
    assert (found["strength"], found["steps"], found["fast"], found["label"]) == (float, int, bool, str)


def test_text_becomes_the_declared_type(chapters):
    notebook = chapters(a=GOOD) / "a.ipynb"
    given = {"strength": "2", "steps": "7", "fast": "false", "label": "12"}
    assert typed(notebook, given) == {"strength": 2.0, "steps": 7, "fast": False, "label": "12"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", "1.5"),
        ("steps", "many"),
        ("steps", "True"),
        ("fast", "1"),
        ("strength", "strong"),
        ("strength", "[1]"),
        ("strength", "1e999"),
    ],
)
def test_values_of_the_wrong_type_are_refused(chapters, name, value):
    with pytest.raises(ValueError, match=f"'{name}' is of type"):
        typed(chapters(a=GOOD) / "a.ipynb", {name: value})


def test_a_parameters_cell_holds_only_annotated_literals(chapters):
    folder = chapters(a=GOOD)
    document = nbformat.read(folder / "a.ipynb", as_version=4)
    document.cells[1].source = "seed: int = 0\nsteps = 3"
    nbformat.write(document, folder / "a.ipynb")
    declared.cache_clear()
    with pytest.raises(ValueError, match="'steps = 3'"):
        declared(folder / "a.ipynb")
    document.cells[1].metadata.tags = []
    nbformat.write(document, folder / "a.ipynb")
    declared.cache_clear()
    with pytest.raises(ValueError, match="0 cells tagged"):
        declared(folder / "a.ipynb")
