"""What committed chapters show: outputs of a published run, verdicts that follow the ledger, minutes as measured."""

import re
from collections.abc import Sequence
from pathlib import Path

import nbformat

from dnlib.course.evidence import VERDICTS
from dnlib.course.verdicts import Judgement
from dnlib.images import atomic

_VERDICT = re.compile(rf"^(?:{'|'.join(verdict.upper() for verdict in VERDICTS)}) ")

_TIME = re.compile(r"(?<=\*Time\*: ).*?(?= \(\[as measured\])")


def adopt(executed: Path, chapter: Path) -> None:
    """Store the outputs of a run of a chapter, with its default parameters, in the chapter itself.

    What a cell printed is stored in one piece, however many messages it came in. Raises ValueError if the chapter's
    code is not that which ran; what it says of the outcome may be written afterwards.
    """
    from nbconvert.preprocessors import CoalesceStreamsPreprocessor  # slow to load

    ran, document = (nbformat.read(path, as_version=4) for path in (executed, chapter))
    cells, done_cells = ([cell for cell in each.cells if cell.cell_type == "code"] for each in (document, ran))
    done_cells = [cell for cell in done_cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    if [cell.source for cell in cells] != [cell.source for cell in done_cells]:
        raise ValueError(f"the code of {chapter.name} has changed since {executed.name} ran; run it again")
    for count, (cell, done) in enumerate(zip(cells, done_cells, strict=True), start=1):
        cell.outputs, cell.execution_count = done.outputs, count
        CoalesceStreamsPreprocessor().preprocess_cell(cell, {}, count)
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count
    _store(document, chapter)


def refresh(chapter: Path, judgements: Sequence[Judgement], time: str) -> None:
    """Make the verdicts that a chapter shows those of the committed records; what its own run measured stays.

    time: what it takes, for its first cell.
    """
    document = nbformat.read(chapter, as_version=4)
    document.cells[0].source = _TIME.sub(time, document.cells[0].source)
    for output in recording(document):
        output.text = shown(output.text, judgements)
    _store(document, chapter)


def shown(text: str, judgements: Sequence[Judgement]) -> str:
    """The lines that a chapter prints at its end, with the verdicts of these judgements.

    text: what it printed when it ran, from which the numbers of that run are taken.
    """
    lines = text.splitlines()
    kept = [line for line in lines if not _VERDICT.match(line)]
    judged = [judgement.line(_this_run(lines, judgement.claim.statement)) for judgement in judgements]
    return "\n".join([*kept, *judged]) + "\n"


def recording(document) -> list:
    """The output of the cell that records."""
    return [
        output
        for cell in document.cells
        if cell.cell_type == "code" and "run.record(" in cell.source
        for output in cell.outputs
        if output.output_type == "stream" and output.name == "stdout"
    ]


def _this_run(lines: Sequence[str], statement: str) -> str:
    for line in lines:
        if statement in line and (found := re.search(r"; this run (.*)\]$", line)):
            return found[1]
    return "–"


def _store(document, chapter: Path) -> None:
    with atomic(chapter) as temporary:
        nbformat.write(document, temporary)
