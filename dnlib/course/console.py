"""What the command line shows: live progress, tables. Plain lines where the output is not a terminal."""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress as Bars, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

from dnlib.course.evidence import VERDICTS
from dnlib.course.jobs import Outcome, Progress
from dnlib.course.moves import Move
from dnlib.course.verdicts import Judgement

_COLOURS = {"held": "green", "did not hold": "red", "undecided": "yellow", "not tested": "dim"}
_MARKS = {"good": Text("ok", "green"), "limited": Text("!", "yellow"), "broken": Text("x", "red")}


def plain_console() -> Console:
    """Standard output, as wide as the terminal, or wide enough for tables where there is none; no text is markup."""
    return Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 130)


class Display:
    """Shows a run of chapters: a live bar per chapter on a terminal, a line per event elsewhere."""

    def __init__(self, jobs: int):
        self.console = plain_console()
        self.jobs, self.ended = jobs, 0
        self._shown, self._task, self._said = None, None, 0  # which job, its bar, how many of its verdicts
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("cell"),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[verdicts]}"),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )

    def __enter__(self) -> "Display":
        self._bars.start()
        return self

    def __exit__(self, *error) -> None:
        self._bars.stop()

    def progress(self, progress: Progress) -> None:
        if progress.job != self._shown:
            if self._shown:
                self._bars.remove_task(self._task)
            head = f"[{self.ended + 1}/{self.jobs}] {progress.job.name}"
            self._shown, self._task, self._said = progress.job, self._bars.add_task(head, verdicts=""), 0
            if not self.console.is_terminal:
                self._line(f"{head} ...")
        self._bars.update(self._task, completed=progress.cell, total=progress.cells, verdicts=_tally(progress.verdicts))
        if not self.console.is_terminal:
            for line in progress.verdicts[self._said :]:  # of the cell before
                self._line(f"  {progress.seconds:5.0f} s  cell {progress.cell - 1}/{progress.cells}  {line}")
        self._said = len(progress.verdicts)

    def finished(self, outcome: Outcome) -> None:
        self.ended += 1
        head = f"[{self.ended}/{self.jobs}] {outcome.job.name}: "
        tail = {
            "ok": f"done in {outcome.seconds:.0f} s ({_tally(outcome.verdicts)})",
            "unchanged": "unchanged since it last succeeded",
            "failed": f"FAILED{_where(outcome, ' in')} after {outcome.seconds:.0f} s: {outcome.error}",
        }[outcome.status]
        self._line(head + tail)

    def interrupted(self, outcomes: Sequence[Outcome]) -> None:
        self._bars.stop()
        self._line(f"interrupted; {len(outcomes)} finished chapters are kept, --resume goes on from there")

    def summary(
        self, outcomes: Sequence[Outcome], here: Sequence[Judgement], committed: Sequence[Judgement], folder: Path
    ) -> None:
        """What came of a run: its numbers beside the committed verdicts, what failed, where all is."""
        self._bars.stop()
        tested = [(kept, judgement) for kept, judgement in zip(committed, here, strict=True) if judgement.evidence]
        if tested:
            claims_table(*zip(*tested, strict=True), console=self.console)
        if untested := len(here) - len(tested):
            self._line(f"{untested} more claims are not tested by these runs; report.html lists them")
        for outcome in outcomes:
            if outcome.status == "failed":
                self._line(f"FAILED  {outcome.job.chapter}{_where(outcome, ',')}: {outcome.error}")
                if outcome.job.failed_notebook.is_file():
                    self._line(f"        {outcome.job.failed_notebook}")
        self._line(f"executed notebooks  {folder / 'notebooks'}")
        self._line(f"records             {folder / 'records'}")
        self._line(f"report              {folder / 'report.html'}")

    def _line(self, text: str) -> None:
        self.console.print(text, soft_wrap=True)


def _where(outcome: Outcome, before: str) -> str:
    """In which cell it failed; nothing if it did not begin."""
    return f"{before} cell {outcome.cell}" if outcome.cell else ""


def _tally(verdicts: Iterable[str]) -> str:
    counts = Counter(
        next(word for word in ("PASS", "FAIL", *(word.upper() for word in VERDICTS)) if verdict.startswith(word))
        for verdict in verdicts
    )
    return ", ".join(f"{count} {word}" for word, count in counts.items()) or "no verdicts yet"


def claims_table(
    judgements: Sequence[Judgement], here: Sequence[Judgement] = (), console: Console | None = None
) -> None:
    """Print the claims with their verdicts and what was measured, a row each; and what the runs `here` measured."""
    table = Table("verdict", "claim", "source says", "committed runs" if here else "measured here")
    if here:
        table.add_column("this run")
    for index, judgement in enumerate(judgements):
        table.add_row(
            Text(judgement.verdict, _COLOURS[judgement.verdict]),
            _two_lines(judgement.claim.statement, judgement.claim.source),
            judgement.claim.published or "–",
            _two_lines(judgement.measured, "\n".join(filter(None, [judgement.by_length, judgement.reason]))),
            *([here[index].measured] if here else []),
        )
    (console or plain_console()).print(table)


def moves_table(moves: Sequence[Move]) -> None:
    """Print the verdicts that moved, a row each, with the reason."""
    table = Table("claim", "before", "", "after", "why")
    for move in moves:
        table.add_row(move.claim, _two_lines(*move.before), "->", _two_lines(*move.after), move.why)
    plain_console().print(table if moves else "no verdict moved")


def _two_lines(text: str, beside: str) -> Text:
    return Text.assemble(text, (f"\n{beside}" if beside else "", "dim"))


def datasets_table(datasets) -> None:
    """Print the datasets of the registry, and which of them are here."""
    table = Table("name", "what", "images", "MB", "may be passed on", "here")
    for dataset in datasets:
        here = "yes" if dataset.is_present else ""
        table.add_row(
            dataset.name, dataset.title, str(dataset.images), f"{dataset.bytes / 1e6:.0f}", dataset.redistribution, here
        )
    plain_console().print(table)


def weights_table(recipes, cards) -> None:
    """What ships, or could be trained: size, length of training, PSNR on held-out images, scores on test sets."""
    table = Table(Column("name", no_wrap=True), "what", "MB", "steps", "held out, dB", "scores")
    for name, recipe in recipes.items():
        card = cards.read_card(name) if name in cards.available() else {}
        size = f"{card['bytes'] / 1e6:.1f}" if card else "not here"
        held_out = f"{card['held_out']:.2f}" if "held_out" in card else ""
        scores = "\n".join(f"{_brief(where)}: {score.split(',')[0]}" for where, score in card.get("scores", {}).items())
        table.add_row(name, recipe.title, size, str(card.get("steps", "")), held_out, scores)
    plain_console().print(table)


def _brief(where: str) -> str:
    """A test set and its noise; of a mixture only that it is one."""
    return where if len(where) < 60 else f"{where.partition('(')[0]}(...)"


def outlook_table(outlooks: Iterable, profile: str, device: str) -> None:
    """How far trainings are, what a step takes, and what time here would buy: an `Outlook` a row."""
    columns = "steps done", "held out, dB", "behind source, dB", "an hour buys, dB", "steps an hour"
    table = Table(Column("name", no_wrap=True), *columns, "GFLOP a step", "MB a step", "steps in all", "PFLOP", "hours")
    for one in outlooks:
        table.add_row(
            one.name,
            str(one.steps or ""),
            "" if one.held_out is None else f"{one.held_out:.2f}",
            "" if one.behind is None else f"{one.behind:.2f}",
            "no curve" if one.hour is None else f"{one.hour[0]:+.2f} ± {one.hour[1]:.2f}",
            f"{3600 / one.seconds:.0f}",
            f"{one.operations / 1e9:.3g}",
            f"{one.bytes / 1e6:.0f}",
            str(one.planned),
            f"{one.operations * one.planned / 1e15:.3g}",
            f"{one.planned * one.seconds / 3600:.3g}",
        )
    console = plain_console()
    console.print(table)
    console.print(
        f"Profile {profile}, device {device}; a few steps were timed, on made-up pictures. What an hour buys: the last "
        "looks of the learning curve prolonged, ± one standard error; most first. In one training the falling rate is "
        "part of its slope, so this is hopeful."
    )


def doctor_table(findings) -> None:
    """Print what the doctor found, a row each."""
    table = Table("", "what", "found")
    for finding in findings:
        table.add_row(_MARKS[finding.state], finding.what, finding.found)
    plain_console().print(table)
