"""What every committed chapter must be, checked without running it.

nbval passes vacuously where outputs or execution counts are missing; this does not.
"""

import ast
import json
import re
from collections import Counter
from functools import cache
from pathlib import Path

import nbformat
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dnlib.course import assumptions, claims, exercises, jobs, parameters, pictures, records

HEADINGS = ("When this fails", "Exercises", "Claims", "What you learned")
METHODS = ("02", "03a", "03b", "04", "06", "07", "08", "09")
LONGEST = 25  # lines of a code cell
SHORT = 12  # lines below which a code cell may draw as it likes
BY_HAND = {*dir(Axes), *dir(Figure)} - {"draw", "remove", "step", "update"}  # those have namesakes in the chapters
HELPERS = ("plots", "charts", "strips")
ELSEWHERE = re.compile(r"paper|publish|report|authors|benchmarks/|titles|\*Time\*|Student's")  # of others, in a picture
NOT_PROSE = re.compile(r"\$\$.*?\$\$|\$[^$]*\$|^\|.*$", re.DOTALL | re.MULTILINE)  # formulas and tables
DECIMAL = re.compile(r"(?<![\w.])\d+\.\d+(?![\w.]*\d)")
INTERVAL = re.compile(r"(-?\d+\.\d+) \+- (\d+\.\d+)")
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
SEEDS = re.compile(rf"\b(?:over|of|with|the) (\d+|{'|'.join(WORDS)}) (other )?seeds\b", re.IGNORECASE)
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:home|root|Users|tmp|work|opt|var)/|[A-Z]:\\\\")


def problems(notebook: Path) -> list[str]:
    """Everything that is wrong with a committed chapter; empty if nothing is."""
    document = nbformat.read(notebook, as_version=4)
    code = [cell for cell in document.cells if cell.cell_type == "code"]
    return [
        *_structure(notebook, document, code),
        *_teaching(notebook, document),
        *_numbers(notebook, document, code),
        *_seeds(notebook, document),
        *_outputs(code),
        *_checked(code),
        *_size_and_traces(notebook, document, code),
    ]


def _tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def _structure(notebook, document, code):
    text = "\n".join(cell.source for cell in document.cells if cell.cell_type == "markdown")
    if list(parameters.declared(notebook))[:3] != list(parameters.COMMON):
        yield f"the parameters do not begin with {', '.join(parameters.COMMON)}"
    if not re.match(r"# \d\d[a-z]? · .+\n\n\*\*.+\?\*\*", document.cells[0].source):
        yield "the first cell is not a numbered title and a question in bold"
    if "*Time*" not in document.cells[0].source:
        yield "the first cell does not say how long the chapter takes"
    for heading in HEADINGS:
        if f"\n## {heading}" not in f"\n{text}":
            yield f"there is no section '{heading}'"
    if "Predict, then run" not in text:
        yield "nothing is to be predicted"
    if sum("exercise" in _tags(cell) for cell in document.cells) < 2:
        yield "there are fewer than two cells tagged 'exercise'"
    if not any("widgets.explore(" in cell.source for cell in code):
        yield "there is no widget"
    if "run.record(" not in "\n".join(cell.source for cell in code[-1:]):
        yield "the last code cell does not record what was measured"


def _teaching(notebook, document):
    """Exercises, cells, diagrams, the map of assumptions, answers."""
    number, cells = jobs.number(notebook), document.cells
    maps = [cell.source.partition("\n\n")[2] for cell in cells if "assumptions" in _tags(cell)]
    if maps != [assumptions.table(number)]:
        yield f"the map of assumptions, in a cell tagged 'assumptions', is not assumptions.table({number!r})"
    yield from _exercises(number, cells)
    for cell in cells:
        if cell.cell_type == "code" and len(cell.source.splitlines()) > LONGEST:
            yield f"a code cell is longer than {LONGEST} lines: {cell.source[:40]!r}"
        if cell.cell_type == "code" and is_drawing(cell.source):
            yield f"the subject of a code cell is matplotlib, let `charts` draw: {cell.source[:40]!r}"
    if number in METHODS and not any("_diagrams." in cell.source for cell in cells):
        yield "no diagram shows the method"
    words = "\n".join(cell.source for cell in cells[1:] if cell.cell_type == "markdown").partition("\n## Exercises")[0]
    for question in re.split(r"\*{1,2}Predict", words)[1:]:
        if "**Answer.**" not in question:
            yield f"a question is not answered: {question[:60]!r}"


def is_drawing(source):
    """Whether more than half of the lines of a cell call axes or a figure; `plots.show`, mostly prose, is left out."""
    drawn, shown = set(), set()
    for statement in ast.walk(ast.parse(source)):
        if isinstance(statement, ast.stmt) and not hasattr(statement, "body"):
            lines = range(statement.lineno, statement.end_lineno + 1)
            calls = [node.func for node in ast.walk(statement) if isinstance(node, ast.Call)]
            methods = [(ast.unparse(call.value), call.attr) for call in calls if isinstance(call, ast.Attribute)]
            if ("plots", "show") in methods:
                shown.update(lines)
            elif any(name in BY_HAND and owner not in HELPERS for owner, name in methods):
                drawn.update(lines)
    count = len(source.splitlines())
    return count >= SHORT and len(drawn) > (count - len(shown)) / 2


def _exercises(number, cells):
    """Stub, check and hints; no answer in view; three questions at the end."""
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown").partition("\n## Exercises")[2]
    if "```" in text or any("solution" in _tags(cell) for cell in cells):
        yield "an answer to an exercise stands in view"
    stubs = [i for i, cell in enumerate(cells) if "exercise" in _tags(cell)]
    asked = [re.findall(r'dnlib\.check\("(\d\d[a-z]?\.\d)", \w+\)', cells[i + 1].source) for i in stubs]
    if [name for names in asked for name in names] != list(exercises.exercises(number)):
        yield f"the exercises are not those of the library, in its order: {asked}"
    if any("<summary>Hint 1</summary>" not in cells[i - 1].source for i in stubs):
        yield "an exercise has no hint"
    for name, exercise in exercises.exercises(number).items():
        for interval in INTERVAL.findall(exercise.because):
            if " ± ".join(interval) not in text:
                yield f"the answer to {name} has an interval that no exercise states: {' ± '.join(interval)}"
    if not re.search(r"\*\*Quiz\.\*\*.*(<details><summary>.*?</details>\s*){3}", text, re.DOTALL):
        yield "there is no quiz of three questions with folded answers"


def _numbers(notebook, document, code):
    """A measured number in prose is one that the chapter prints; where a record is named, one that a record holds."""
    printed = [
        output.get("text", "") or output.get("data", {}).get("text/plain", "") for c in code for output in c.outputs
    ]
    checks = [str(claim) for claim in claims.load_claims(chapter=notebook.stem)]
    here = set(DECIMAL.findall(" ".join([*printed, *checks, *(cell.source for cell in code)]).replace("-", " ")))
    words = "\n\n".join(cell.source for cell in document.cells if cell.cell_type == "markdown")
    prose = NOT_PROSE.sub("", words.partition("\n## Exercises")[0])
    for sentence in re.split(r"(?<=[.?])\s|\n\n", prose):
        if ELSEWHERE.search(sentence):
            continue
        for number in DECIMAL.findall(sentence):
            if any(_rounds_to(one, number) for one in here):
                continue
            if "record" not in sentence or not any(_rounds_to(one, number) for one in _recorded(notebook)):
                yield f"a number that the chapter does not print: {number}, in {sentence.strip()[:80]!r}"


def _recorded(notebook):
    return {f"{abs(number):.6f}" for record in _committed(notebook.stem) for number in _leaves(record.measured)}


_committed = cache(records.committed)


def _leaves(measured):
    if isinstance(measured, dict):
        for value in measured.values():
            yield from _leaves(value)
    elif isinstance(measured, int | float):
        yield measured


def _seeds(notebook, document):
    """How many seeds, or other seeds, a chapter speaks of: as many as the records of some parameters hold."""
    laptop = [record for record in _committed(notebook.stem) if record.profile == "laptop"]
    counts = set(Counter(str(sorted(record.parameters.items())) for record in laptop).values())
    for cell in document.cells:
        for said in SEEDS.finditer(cell.source if cell.cell_type == "markdown" else ""):
            count = int(said[1]) if said[1].isdigit() else WORDS.index(said[1].lower())
            if count + bool(said[2]) not in counts:
                yield f"no such number of seeds was recorded: {said[0]!r}; the records have {sorted(counts)}"


def _rounds_to(number, rounded):
    digits = len(rounded.partition(".")[2])
    return len(number.partition(".")[2]) >= digits and f"{float(number):.{digits}f}" == rounded


def _outputs(code):
    counts = [cell.execution_count for cell in code]
    if counts != list(range(1, len(code) + 1)):
        yield f"the execution counts are not those of one clean run: {counts}"
    for cell in code:
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"an error is stored: {output.ename}"
            if output.output_type == "stream" and output.name == "stderr":
                yield f"a warning is stored: {output.text[:80]!r}"
            data = output.get("data", {})
            if any("widget" in kind for kind in data):
                yield "a widget is stored"
            kind = pictures.kind_of(data)
            alt = output.metadata.get(kind, {}).get("alt") if kind else None
            if kind and not alt:
                yield f"a picture has no alt text, in the cell that begins {cell.source[:40]!r}"
            if alt and alt != data.get("text/plain"):
                yield f"a picture's alt text is not what its cell printed: {alt[:80]!r}"
    last = "".join(output.get("text", "") for cell in code[-1:] for output in cell.outputs)
    if not re.search(r"^(HELD|DID NOT HOLD|UNDECIDED|NOT TESTED) ", last, flags=re.MULTILINE):
        yield "the cell that records prints no verdict"
    if not any("profile laptop · seed 0" in str(output.get("text", "")) for cell in code for output in cell.outputs):
        yield "the stored outputs are not those of the laptop profile with seed 0"


def _checked(code):
    checked = [cell for cell in code if "nbval-check-output" in _tags(cell)]
    if not checked:
        yield "no cell is compared by nbval"
    for cell in code:
        lines = [line for output in cell.outputs for line in output.get("text", "").splitlines()]
        verdicts = [line for line in lines if line.startswith(("PASS ", "FAIL "))]
        if cell in checked and (not lines or verdicts != lines or cell.execution_count is None):
            yield f"a checked cell does not store verdicts alone: {cell.source[:40]!r}"
        if cell in checked and len(verdicts) != cell.source.count("verify("):
            yield f"a checked cell does not store one verdict per verify: {cell.source[:40]!r}"
        if cell not in checked and verdicts:
            yield f"a cell with verdicts is not compared by nbval: {cell.source[:40]!r}"
        if any(line.startswith("FAIL ") for line in verdicts):
            yield "a stored verdict is FAIL"


def _size_and_traces(notebook, document, code):
    if notebook.stat().st_size > 1.5e6:
        yield f"the file has {notebook.stat().st_size / 1e6:.1f} MB, 1.5 are allowed"
    if "widgets" in document.metadata:
        yield "widget state is stored"
    if document.metadata.get("kernelspec", {}).get("name") != "python3":
        yield "the kernel is not python3"
    for cell in code:
        texts = [output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
        if MACHINE_PATHS.search(cell.source) or any(MACHINE_PATHS.search(str(text)) for text in texts):
            yield f"a path of a machine stands in the cell that begins {cell.source[:40]!r}"
        if set(cell.metadata) - {"tags"}:
            yield f"a cell carries metadata beyond tags: {json.dumps(dict(cell.metadata))[:80]}"
