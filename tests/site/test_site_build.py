"""docs/build.py as it is called: what it refuses, in one line that names it."""

import build
import conf
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from dnlib.course import jobs


def document(said="# 04 · Title\n\n**Question?**", outputs=(), count=1):
    code = new_code_cell("1 + 1", outputs=list(outputs), execution_count=count)
    return nbformat.writes(new_notebook(cells=[new_markdown_cell(said), code]))


SUM = [new_output("execute_result", {"text/plain": "2"}, execution_count=1)]
BAD = {
    "04_title.ipynb holds a cell without outputs; `make notebooks` runs it: '1 + 1'": document(count=None),
    "04_title.ipynb holds no outputs; `make notebooks` runs it": document(),
    "04_title.ipynb cannot be read as a notebook: Notebook does not appear to be JSON": document(outputs=SUM)[:200],
    "04_title.ipynb cannot be read as a notebook: 'list' object": "[]",
    "notebooks/04_title.ipynb links to ../docs/gone.md, and there is no docs/gone.md": document(
        "# 04 · Title\n\n**[Question](../docs/gone.md)?**", SUM
    ),
}


@pytest.mark.parametrize("said", BAD)
def test_a_chapter_that_is_no_page_is_refused_in_a_line_that_names_it(said, tmp_path, monkeypatch, capsys):
    path = tmp_path / "04_title.ipynb"
    path.write_text(BAD[said], encoding="utf-8")
    monkeypatch.setattr(jobs, "chapters", lambda: [path])
    monkeypatch.setattr("sys.argv", ["build.py", "--out", str(tmp_path / "site")])
    assert build.main() == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(said)
    assert not (tmp_path / "site" / "html").exists()


def test_the_site_has_the_course_s_name_wherever_it_says_one():
    assert conf.project == conf.html_title == conf.html_theme_options["logo"]["text"] == jobs.TITLE
