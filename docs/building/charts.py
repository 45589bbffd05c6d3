"""Benchmarks as charts: a row for each number in benchmarks/results, with a bar from zero.

Decibels have no zero that means anything: they are dots, on one axis for all charts of a benchmark.
"""

import html
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

CHARTS = {  # file -> what is drawn of it: title, unit, and where the numbers stand (* for every entry)
    "denoise": [("PSNR", "dB", "psnr"), ("Time for an image", "s", "seconds_per_image")],
    "ridge": [("Noisy", "dB", "rows.*.noisy"), ("After ridge regression", "dB", "rows.*.ridge")],
    "blind_spot": [("Whole photograph", "dB", "whole_image.*.psnr"), ("Time for it", "s", "whole_image.*.seconds")],
    "uncertainty": [("Errors within one stated deviation; should be 0.68", "of 1", "by_noise.*.fresh draws.within_68")],
    "calibration": [
        ("In 68 % intervals, as trained", "of 1", "table.*.as trained.kodak24.within.68%"),
        ("In 68 % intervals, with the floor that ships", "of 1", "table.*.as it ships.kodak24.within.68%"),
    ],
    "inspection": [("Noise level right to 10 %", "of 1", "found.*.level_within_10_percent")],
    "one_image": [("Noise level right to 15 %, held back", "of 1", "found.*.held back.level_within_15_percent")],
    "judge": [("Gain by the judge's choice, held back, all noise", "dB", "table.held back.all.*.gain_db")],
    "large": [("Time", "s", "outcome.*.seconds"), ("Peak memory", "MB", "outcome.*.peak_megabytes")],
    "patch_craft": [("At the start", "dB", "grid.*.start"), ("Adapted", "dB", "grid.*.adapted")],
    "adapt": [
        ("Gain by training on one picture", "dB", "adapted.gain"),
        ("Gain by training on shots of one scene", "dB", "adapted to the burst.gain"),
    ],
    "regulariser": [("At sigma 25, told nothing, by seed", "dB", "rows.*.*.sigma 25.psnr")],
    "clean_input": [("Answer to a clean picture", "dB", "psnr.*.*.of clean")],
    "burst_kinds": [("Share of tiles kept", "of 1", "kinds.*.kept")],
    "noise2void": [
        ("dnlib: time until a PSNR", "s", "dnlib.seconds_until"),
        ("CAREamics: time until a PSNR", "s", "CAREamics.seconds_until"),
    ],
    "ssid": [("Time for one block of a photograph", "s", "block")],
    "blind_patch": [("Time within LG-BPN", "s", "inference.parts"), ("Time of a training step", "s", "step.seconds")],
    "training": [("Time of a training step", "s", "seconds")],
    "workers": [("Time of four trainings", "s", "seconds")],
    "length": [("After the longest training", "dB", "psnr.*.9600")],
    "lag": [("After 2,400 steps", "dB", "rows.2400 steps, seed 0.*.psnr")],
    "talk": [("PSNR on BSD300's test photographs", "dB", "psnr.BSD300")],
    "donut": [("Time for all radii", "s", "seconds")],
    "correlation": [("Time for a correlation map", "s", "seconds")],
    "patches": [("Ours", "s", "*.seconds"), ("With tensors", "s", "*.tensors")],
    "host": [("Time after dnlib against before", "times", "outcome.*.ratio")],
    "texture": [("Pictures in which the network is asked and believed", "", "rows.*.trusted")],
    "harmless": [("Mean gain by the noise's level", "dB", "mean_gain_db")],
    "clean_or_pairs": [("What clean targets bought, and second noisy shots did not", "dB", "rows.*.bought")],
    "drawn": [("Recognised as drawn, shading or rounding", "of 1", "rows.*.share")],
    "shares": [("The rule, below the best share", "dB", "sets.*.held_back.the rule")],
    "any_picture": [
        ("Noisy", "dB", "sets.*.noisy"),
        ("After dnlib.denoise", "dB", "sets.*.dnlib"),
        ("After BM3D, told the level where it is known", "dB", "sets.*.bm3d"),
    ],
    "course": [("Time of a chapter", "s", "runs.with.chapters.*.seconds")],
}
_HEAD = """# Benchmarks

Each question is a script. `make bench` asks these again on your machine: {asked}; the others are asked one
by one, by `.venv/bin/python benchmarks/NAME.py`. Times of two programs were taken on one machine, one after the other.
"""
_BENCH = re.compile(r"^bench:.*\n\t@for question in (.+?);", re.MULTILINE)


def values(data: Any, where: str) -> dict[str, float]:
    """The numbers at a place of a benchmark's results, by name; of repeated ones the median.

    Examples
    --------
    >>> values({"rows": {"a": {"psnr": 30.5}, "b": {"psnr": [29, 31, 30]}}}, "rows.*.psnr")
    {'a': 30.5, 'b': 30}
    >>> values({"seconds": {"ours": 1.5, "theirs": 3}}, "seconds")
    {'ours': 1.5, 'theirs': 3}
    """
    return {", ".join(path): number for path, number in _found(data, where.split("."), ())}


def _found(data: Any, steps: list[str], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], float]]:
    if isinstance(data, list):
        data = median(data)
    if not isinstance(data, Mapping):
        if not steps:
            yield path, data
    elif not steps or steps[0] == "*":
        for name, inner in data.items():
            yield from _found(inner, steps[1:], (*path, name))
    elif steps[0] in data:
        yield from _found(data[steps[0]], steps[1:], path)


def fitted(numbers: Sequence[float]) -> tuple[float, float]:
    """The ends of an axis on which the distances of numbers show: round ones, just around them.

    Examples
    --------
    >>> fitted([29.33, 29.63, 29.5])
    (29.3, 29.65)
    >>> fitted([20.2, 31.5])
    (20.0, 32.0)
    """
    low, high = min(numbers), max(numbers)
    quarter = (high - low) / 4 or 1.0
    power = 10.0 ** math.floor(math.log10(quarter))
    step = power * max((factor for factor in (2, 5) if factor * power <= quarter), default=1)
    return round(step * math.floor(low / step), 9), round(step * math.ceil(high / step + 1e-9), 9)


def chart(title: str, unit: str, numbers: Mapping[str, float], axis: tuple[float, float] | None = None) -> str:
    """A table with a bar from zero for each number, as HTML; a dot within the ends of an axis, if that is given."""
    low, high = axis or (0, max([*numbers.values(), 1e-9]))
    said = f"{title} [{unit}]" if unit else title
    said += f"; the axis goes from {low:g} to {high:g}" if axis else ""
    rows = []
    for label, number in numbers.items():
        at = 100 * (number - low) / (high - low)
        mark = f'<i class="dot" style="left: {at:.1f}%"></i>' if axis else f'<i style="width: {at:.1f}%"></i>'
        name = f'<th scope="row">{html.escape(label)}</th>'
        rows.append(f'<tr>{name}<td class="track">{mark}</td><td>{number:.4g}</td></tr>\n')
    return f'<table class="chart">\n<caption>{html.escape(said)}</caption>\n{"".join(rows)}</table>\n\n'


def page(results: Path) -> str:
    """All benchmarks in Markdown: the question, charts, machine, and links to script and numbers.

    Raises
    ------
    ValueError
        If there is a benchmark that nobody has chosen charts for, or a chart finds no numbers.
    """
    files = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob("*.json"))}
    if files.keys() != CHARTS.keys():
        raise ValueError(f"these benchmarks and CHARTS differ: {sorted(files.keys() ^ CHARTS.keys())}")
    makefile = (results.parents[1] / "Makefile").read_text(encoding="utf-8")
    asked = ", ".join(f"`{name}.py`" for name in _BENCH.search(makefile)[1].split())
    return "\n".join([_HEAD.format(asked=asked), *(_section(stem, files[stem]) for stem in CHARTS)])


def _section(stem: str, data: Any) -> str:
    files = f"[Script](../benchmarks/{stem}.py), [numbers](../benchmarks/results/{stem}.json)"
    drawn = [(title, unit, _numbers(stem, data, where)) for title, unit, where in CHARTS[stem]]
    decibels = [number for _, unit, numbers in drawn if unit == "dB" for number in numbers.values()]
    charts = "".join(chart(*one, fitted(decibels) if one[1] == "dB" else None) for one in drawn)
    return f"## {data['question']}\n\nMeasured on {data['machine']}. {files}.\n\n{charts}"


def _numbers(stem: str, data: Any, where: str) -> dict[str, float]:
    numbers = values(data, where)
    if not numbers:
        raise ValueError(f"benchmarks/results/{stem}.json has nothing at {where}")
    return numbers
