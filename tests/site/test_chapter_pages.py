"""Chapters as pages: pictures with their texts, sliders, and what is refused."""

import base64
import json

import nbformat
import pytest
from building import chapters, sliders
from building.links import Links
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from dnlib.images import ROOT

PRINTED = new_output("stream", name="stdout", text="a line\n")
PNG = base64.b64encode(b"a picture").decode()


@pytest.fixture
def chapter(tmp_path):
    """Write a chapter with one code cell, and turn it into a page."""

    def page(source="draw()", outputs=(PRINTED,), count=1, home="", states=tmp_path / "none"):
        cells = [
            new_markdown_cell("# 04 · Title\n\n**Question?**"),
            new_code_cell(source, outputs=list(outputs), execution_count=count, metadata={"tags": ["key-figure"]}),
        ]
        notebook = tmp_path / "04_title.ipynb"
        nbformat.write(new_notebook(cells=cells), notebook)
        folder = tmp_path / "pages"
        folder.mkdir(exist_ok=True)
        links = Links(ROOT, {"notebooks/04_title.ipynb": "notebooks/04_title.ipynb"}, home)
        figures = chapters.write(notebook, folder, tmp_path / "beside", links, states)
        return figures, nbformat.read(folder / notebook.name, as_version=4)

    return page


def picture(alt):
    return new_output("display_data", {"image/png": PNG, "text/plain": alt}, metadata={"image/png": {"alt": alt}})


def test_a_picture_becomes_a_file_with_a_name_and_its_text(chapter, tmp_path):
    (figure,), document = chapter(outputs=[picture("Two cats: one noisy.")])
    assert (figure.anchor, figure.alt, figure.is_key) == ("figure-04-1", "Two cats: one noisy.", True)
    assert (tmp_path / "pages" / "pictures" / figure.file).read_bytes() == b"a picture"
    shown = document.cells[1].outputs[0].data["text/markdown"]
    assert ":alt: Two cats: one noisy.\n" in shown and ":name: figure-04-1\n" in shown
    assert "image/png" not in document.cells[1].outputs[0].data


def test_a_cell_that_never_ran_and_a_picture_without_text_are_refused(chapter):
    with pytest.raises(ValueError, match=r"04_title.ipynb holds a cell without outputs; `make notebooks`"):
        chapter(count=None)
    with pytest.raises(ValueError, match="no alternative text, in the cell that begins 'draw"):
        chapter(outputs=[picture("")])


def test_a_chapter_without_any_output_is_refused_by_name(chapter):
    with pytest.raises(ValueError, match=r"^04_title.ipynb holds no outputs; `make notebooks` runs it$"):
        chapter(outputs=[])


def test_run_this_leads_where_the_repository_is_hosted_and_nowhere_without(chapter):
    without = chapter()[1].cells[0].source
    assert 'href="04_title.ipynb" download' in without and "Run this" not in without and "://" not in without
    told = chapter(home="https://example.org/a/b")[1].cells[0].source
    assert "mybinder.org/v2/git/https%3A%2F%2Fexample.org%2Fa%2Fb/main?labpath=notebooks/04_title.ipynb" in told


RADIUS = {"name": "radius", "kind": "slider", "values": [1, 2, 3]}
EDGES = {"name": "edges", "kind": "choice", "values": [False, True]}


def view(knobs, *settings):
    """What states.json says of the pictures at these settings, drawn where all knobs stand at 0 at first."""
    drawn = [
        {"at": at, "file": f"{'-'.join(map(str, at))}.webp", "width": 300, "height": 100, "alt": f'"{at[0]}"'}
        for at in settings
    ]
    return {"source": "", "knobs": knobs, "start": [0] * len(knobs), "pictures": drawn}


def test_an_interactive_view_becomes_controls_over_its_pictures(chapter, tmp_path):
    folder = tmp_path / "states" / "show_radius"
    folder.mkdir(parents=True)
    said = view([RADIUS, EDGES], *((r, e) for r in range(3) for e in range(2)))
    (folder / "states.json").write_text(json.dumps(said))
    for one in said["pictures"]:
        (folder / one["file"]).write_text(one["file"])
    printed = new_output("stream", name="stdout", text="(interactive: run this cell in JupyterLab to move radius)\n")
    source = "widgets.explore(\n    show_radius, radius=(1, 3), edges=False\n)"
    _, document = chapter(source, [printed], states=tmp_path / "states")
    shown = document.cells[1].outputs[0].data["text/html"]
    assert 'type="range" min="0" max="2" value="0"' in shown and "<select" in shown and ">no</option>" in shown
    assert 'src="pictures/show_radius-0-0.webp" alt="&quot;0&quot;"' in shown and "2-1" in shown
    assert len(list((tmp_path / "beside" / "pictures").glob("show_radius-*.webp"))) == 6


def test_without_states_a_view_stays_the_line_that_it_prints(chapter):
    printed = new_output("stream", name="stdout", text="(interactive: run this cell in JupyterLab to move x)\n")
    _, document = chapter("widgets.explore(show_it, x=(0, 2))", [printed])
    assert document.cells[1].outputs[0].text == printed.text


def test_where_not_all_settings_were_drawn_the_page_says_that_one_knob_moves_at_a_time():
    every = view([RADIUS, EDGES], *((r, e) for r in range(3) for e in range(2)))
    some = view([RADIUS, EDGES], (0, 0), (1, 0), (2, 0), (0, 1))
    assert "One knob at a time" in sliders.markup("v", some) and "One knob" not in sliders.markup("v", every)
