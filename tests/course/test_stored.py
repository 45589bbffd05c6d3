"""What committed chapters show: it follows the ledger, and a published run."""

import json
import re

import nbformat
import pytest
import samples

from dnlib.course import claims, jobs, records, report, stored, verdicts
from dnlib.course.claims import Claim
from dnlib.course.verdicts import judge

CHAPTERS = jobs.chapters()
by_name = pytest.mark.parametrize("notebook", CHAPTERS, ids=lambda path: path.stem)
CLAIM = Claim("c", "01_x", "s", "It gains 1 dB [or more].", "gain", {"at_least": 1}, unit="dB")


def judgements(*gains):
    return judge([CLAIM], [samples.record(seed, gain=gain) for seed, gain in enumerate(gains)])


def chapter(path, *sources):
    cells = [nbformat.v4.new_code_cell(source, id=f"c{n}") for n, source in enumerate(sources)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


@by_name
def test_a_committed_chapter_shows_the_committed_verdicts(notebook):
    """So that no chapter contradicts the ledger."""
    judged = verdicts.judge(claims.load_claims(chapter=notebook.stem), records.committed(notebook.stem))
    text = "".join(output.text for output in stored.recording(nbformat.read(notebook, as_version=4)))
    assert text == stored.shown(text, judged)
    assert text.count("; this run ") >= min(5, len(judged))


def test_the_verdict_follows_the_ledger_and_the_run_s_own_number_stays():
    before = f"a line of its own\n{judgements(1.0)[0].line('1.3 dB')}\n"
    assert "UNDECIDED    It gains 1 dB [or more]. [1 dB (1 seed); this run 1.3 dB]" in before
    after = stored.shown(before, judgements(2.0, 2.1, 2.2))
    assert after == (
        "a line of its own\nHELD         It gains 1 dB [or more]. [2.1 ± 0.25 dB (3 seeds); this run 1.3 dB]\n"
    )
    assert stored.shown(after, judgements(2.0, 2.1, 2.2)) == after
    assert stored.shown("", judgements()) == "NOT TESTED   It gains 1 dB [or more]. [–]\n"


@by_name
def test_a_committed_chapter_says_what_the_benchmark_measured(notebook):
    runs = json.loads(report.TIMES.read_text(encoding="utf-8"))["runs"]
    seconds = [run["chapters"][notebook.stem]["seconds"] for run in runs.values()]
    head = nbformat.read(notebook, as_version=4).cells[0].source
    said = re.search(
        r"\*Time\*: (\d+)(?: to (\d+))? minutes? \(\[as measured\]\(\.\./README\.md#the-chapters\)\)", head
    )
    first, last = said[1], said[2] or said[1]
    assert abs(int(first) - min(seconds) / 60) <= 0.5 and abs(int(last) - max(seconds) / 60) <= 0.5


def test_only_the_minutes_and_the_cell_that_records_are_changed(tmp_path):
    path = chapter(tmp_path / "01_x.ipynb", "print('HELD it')", "run.record(gain=1)")
    document = nbformat.read(path, as_version=4)
    document.cells[0].source = "*You need*: 00. *Time*: days ([as measured](x)). *Time*"
    for cell in document.cells:
        cell.outputs = [nbformat.v4.new_output("stream", text=judgements(1.0)[0].line("1 dB") + "\n")]
    nbformat.write(document, path)
    stored.refresh(path, judgements(2.0, 2.1, 2.2), "1 minute")
    cells = nbformat.read(path, as_version=4).cells
    assert cells[0].source == "*You need*: 00. *Time*: 1 minute ([as measured](x)). *Time*"
    first, second = (cell.outputs[0].text for cell in cells)
    assert first.startswith("UNDECIDED") and second.startswith("HELD")


def test_a_published_run_lends_its_outputs_to_the_chapter(tmp_path):
    path = chapter(tmp_path / "01_x.ipynb", "seed = 0", "print(1)", "2")
    ran = nbformat.read(path, as_version=4)
    ran.cells.insert(1, nbformat.v4.new_code_cell("seed = 0", metadata={"tags": ["injected-parameters"]}))
    for count, cell in enumerate(ran.cells, start=1):
        cell.execution_count = count
    ran.cells[2].outputs = [nbformat.v4.new_output("stream", text=part) for part in ("1", "\n")]  # in two messages
    ran.cells[3].outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "2"}, execution_count=4)]
    nbformat.write(ran, tmp_path / "ran.ipynb")
    document = nbformat.read(path, as_version=4)
    document.cells.append(nbformat.v4.new_markdown_cell("It printed 2."))  # written when the numbers were seen
    nbformat.write(document, path)
    stored.adopt(tmp_path / "ran.ipynb", path)
    cells = nbformat.read(path, as_version=4).cells
    assert [cell.execution_count for cell in cells[:3]] == [1, 2, 3] and cells[3].source == "It printed 2."
    assert cells[1].outputs[0].text == "1\n" and cells[2].outputs[0].execution_count == 3
    before = path.read_bytes()
    ran.cells[2].source = "print(7)"
    nbformat.write(ran, tmp_path / "ran.ipynb")
    with pytest.raises(ValueError, match=r"the code of 01_x\.ipynb has changed since ran\.ipynb ran; run it again"):
        stored.adopt(tmp_path / "ran.ipynb", path)
    assert path.read_bytes() == before
