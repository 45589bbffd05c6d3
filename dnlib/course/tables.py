"""Tables of text: the ledger and the README's parts in Markdown, scores and trainings as chapters print them."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np

from dnlib.course import jobs
from dnlib.course.claims import WORKS, Claim
from dnlib.course.evidence import VERDICTS
from dnlib.course.records import half_interval
from dnlib.course.verdicts import Judgement

if TYPE_CHECKING:
    from dnlib.training import Scores

HEAD = """# Claims

Verdicts of all claims, from the records of measured runs. A claim held if the 95 % interval of its margin, measured
minus bound, lies above zero, did not hold if it lies below, and is undecided if it contains zero. Where a claim
compares two rows, A and B, P(A > B) says in which part of all runs and images A lay above B.
"""


def by_work(judgements: Sequence[Judgement]) -> dict[str, list[Judgement]]:
    """The judgements of each of the course's sources, by its name; sources without claims are left out."""
    groups = {name: [j for j in judgements if j.claim.work == work] for work, name in WORKS.items()}
    return {name: group for name, group in groups.items() if group}


def ledger(judgements: Sequence[Judgement], notebooks: dict[str, str], stems: dict[str, str]) -> str:
    """Markdown: a table of claims for each source, under a heading.

    notebooks: where each chapter's lies, seen from the table. stems: as of `moves.written`.
    """
    head = ("verdict", "claim (source)", "source's number", "ours", "protocol", "bound", "chapter and records")
    parts = [
        f"## {name}\n\n{table(head, (_row(j, notebooks, stems) for j in group))}"
        for name, group in by_work(judgements).items()
    ]
    return "\n".join([HEAD, f"{moved(judgements)}\n", *parts])


def moved(judgements: Sequence[Judgement]) -> str:
    """How many verdicts would differ if all claims were judged at once, in a sentence."""
    count = sum(j.verdict != j.adjusted for j in judgements)
    return (
        f"{count} verdict{'s' * (count != 1)} would differ after the correction of Benjamini and Hochberg for judging "
        f"all claims at once; the table says so beside {'them' if count != 1 else 'it'}."
    )


def counts(judgements: Sequence[Judgement]) -> str:
    """How many claims of each source have which verdict, and in total."""
    rows = [(name, *_counted(group)) for name, group in by_work(judgements).items()]
    return table(("source", *VERDICTS), [*rows, ("**all**", *_counted(judgements))])


def headlines(judgements: Sequence[Judgement]) -> str:
    """The few claims that have a headline."""
    rows = [
        (j.verdict, j.claim.headline, j.claim.published or "–", j.measured, j.claim.bound_in_words)
        for j in judgements
        if j.claim.headline
    ]
    return table(("verdict", "claim", "source's number", "ours", "held if"), rows)


def chapters(runs: dict[str, dict]) -> str:
    """One row per chapter: its question, its minutes with and without bfloat16 units, its memory; and the whole course.

    runs: of `benchmarks/course.py`, by "with" and "without".
    """
    rows = [
        (f"[{path.stem}](notebooks/{path.name})", question(path), *_costs(runs, path.stem)) for path in jobs.chapters()
    ]
    everything = ("**all**", "", *together(runs))
    return table(("chapter", "question", "minutes with bfloat16", "without", "memory"), [*rows, everything])


def scores(rows: dict[str, "Scores"]) -> str:
    """What the error of each row is made of, a line each; rows: `Scores` with parts, by name.

    PSNR as a whole, over flat pixels and over textured ones, the colour error in 8-bit units, and both SSIMs.

    Examples
    --------
    >>> from dnlib.training import Parts, Scores
    >>> ssim = {"uniform": (0.8,), "volume": (0.9,)}
    >>> print(scores({"AP-BSN": Scores(("a",), (29.0,), ssim, "real_srgb", (Parts(30.0, 27.0, 1.0, 0.5),))}))
            PSNR   flat texture colour | SSIM uniform volume
    AP-BSN 29.00  30.00   27.00   1.00 |        0.800  0.900
    """
    wide = max(map(len, rows))
    lines = [f"{'':{wide}}  PSNR   flat texture colour | SSIM uniform volume"]
    for name, row in rows.items():
        parts, ssim = row.mean_parts, row.mean_ssim
        lines.append(
            f"{name:{wide}} {row.mean_psnr:5.2f} {parts['flat']:6.2f} {parts['texture']:7.2f} {parts['colour']:6.2f} | "
            f"{ssim['uniform']:12.3f} {ssim['volume']:6.3f}"
        )
    return "\n".join(lines)


def trainings(rows: dict[str, dict[int, dict[str, dict[str, float]]]]) -> str:
    """What kept trainings reach, a line each row: means over seeds, with the 95 % interval where there are several.

    rows: what `rows.Rows.of` finds, by name.

    Examples
    --------
    >>> one, two = ({part: {"a": psnr} for part in ("psnr", "flat", "texture", "colour")} for psnr in (29.9, 30.1))
    >>> print(trainings({"L-4": {0: one, 1: two}, "L-9": {}}))
         seeds        PSNR         flat      texture       colour
    L-4      2 30.00 ± 1.27 30.00 ± 1.27 30.00 ± 1.27 30.00 ± 1.27
    L-9      0  not trained yet
    """
    wide = max(map(len, rows))
    lines = [f"{'':{wide}} seeds{'PSNR':>12}{'flat':>13}{'texture':>13}{'colour':>13}"]
    for name, seeds in rows.items():
        values = [
            [float(np.mean(list(parts[part].values()))) for parts in seeds.values()]
            for part in ("psnr", "flat", "texture", "colour")
        ]
        numbers = " ".join(map(_over_seeds, values)) if seeds else " not trained yet"
        lines.append(f"{name:{wide}} {len(seeds):5} {numbers}")
    return "\n".join(lines)


def _over_seeds(values: Sequence[float]) -> str:
    spread = f" ± {half_interval(values):.2f}" if len(values) > 1 else ""
    return f"{np.mean(values):5.2f}{spread:7}"


def _costs(runs: dict[str, dict], name: str) -> tuple[str, str, str]:
    """Of a chapter: minutes with bfloat16 units and without, and memory; a dash where it was not timed."""
    timed = [runs.get(kind, {}).get("chapters", {}).get(name, {}) for kind in ("with", "without")]
    return *(_minutes(cost) for cost in timed), _gigabytes([max(cost.get("memory_mb", 0) for cost in timed)])


def together(runs: dict[str, dict]) -> tuple[str, str, str]:
    """Of the whole course, two chapters at a time: minutes with bfloat16 units, without, and memory of the two largest.

    Examples
    --------
    >>> chapters = {"00_a": {"memory_mb": 500}, "01_b": {"memory_mb": 900}, "02_c": {"memory_mb": 800}}
    >>> together({"with": {"seconds": 1200, "chapters": chapters}})
    ('20.0', '–', '1.7 GB')
    """
    kinds = [runs.get(kind, {}) for kind in ("with", "without")]
    memory = [sorted(cost["memory_mb"] for cost in run.get("chapters", {}).values()) for run in kinds]
    return *map(_minutes, kinds), _gigabytes(max((largest[-2:] for largest in memory), key=sum))


def time(runs: dict[str, dict], name: str) -> str:
    """The minutes of a chapter, in words: from the faster kind of processor to the slower one.

    runs: as `chapters` takes them.

    Examples
    --------
    >>> fast, slow = ({"chapters": {"00_a": {"seconds": seconds}}} for seconds in (76, 150))
    >>> time({"with": fast, "without": slow}, "00_a")
    '1 to 2 minutes'
    >>> time({}, "00_a")
    'not measured yet'
    """
    timed = [run["chapters"][name] for run in runs.values() if name in run["chapters"]]
    minutes = sorted({max(1, round(cost["seconds"] / 60)) for cost in timed})
    if not minutes:
        return "not measured yet"
    return " to ".join(map(str, minutes)) + (" minute" if minutes == [1] else " minutes")


def _minutes(timed: dict) -> str:
    return f"{timed['seconds'] / 60:.1f}" if "seconds" in timed else "–"


def _gigabytes(megabytes: Sequence[float]) -> str:
    return f"{sum(megabytes) / 1000:.1f} GB" if sum(megabytes) else "–"


def question(notebook: Path) -> str:
    """The question a chapter answers: the bold line under its title."""
    import nbformat  # slow to load

    first = nbformat.read(notebook, as_version=4).cells[0].source
    return re.search(r"\*\*(.+?)\*\*", first, flags=re.DOTALL)[1].replace("\n", " ")


def _row(judgement: Judgement, notebooks: dict[str, str], stems: dict[str, str]) -> tuple[str, ...]:
    claim, changed = judgement.claim, judgement.adjusted != judgement.verdict
    verdict = f"{judgement.verdict} ({judgement.adjusted} if adjusted for all claims)" if changed else judgement.verdict
    ours = "; ".join(filter(None, [judgement.measured, judgement.by_length, judgement.superior]))
    said = f"{claim.statement} ({claim.source})"
    names = [stems[record.sha256] for record in judgement.records]
    runs = [_link(str(number), f"records/{name}.json") for number, name in enumerate(names, start=1)]
    computed = place(claim, notebooks)
    chapter = f"[{claim.chapter}]({computed})" if computed else claim.chapter
    where = " ".join([f"{chapter}, {claim.section}:" if claim.section else chapter, *runs])
    return verdict, said, claim.published or "–", ours, judgement.protocol, claim.bound_in_words, where


def place(claim: Claim, notebooks: dict[str, str]) -> str:
    """The address of the section that computes a claim's number, as notebook viewers spell it; "" without its chapter.

    notebooks: as `ledger` takes them.

    Examples
    --------
    >>> claim = Claim("gain", "01_x", "A paper", "It gains.", "gain", {"at_least": 0}, "Any filter", unit="dB")
    >>> place(claim, {"01_x": "../notebooks/01_x.ipynb"})
    '../notebooks/01_x.ipynb#Any-filter'
    """
    if claim.chapter not in notebooks:
        return ""
    return quote(notebooks[claim.chapter]) + (claim.section and "#" + quote(claim.section.replace(" ", "-")))


def _link(text: str, path: str) -> str:
    return f"[{text}]({quote(path)})"


def _counted(judgements: Sequence[Judgement]) -> list[str]:
    found = Counter(judgement.verdict for judgement in judgements)
    return [str(found[verdict]) for verdict in VERDICTS]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    above, *below = ("| " + " | ".join(text.replace("|", "\\|") for text in line) + " |\n" for line in (head, *rows))
    return "".join([above, "|" + "---|" * len(head) + "\n", *below])
