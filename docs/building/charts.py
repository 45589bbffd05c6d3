"""Benchmarks as charts: bars for the numbers in benchmarks/results, coloured by the page they stand in."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from dnlib.course import svg

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
WIDTH, LEFT, ROW = 900, 330, 26  # in pixels; names stand left of the bars, numbers right of them


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


def bars(name: str, title: str, unit: str, numbers: Mapping[str, float]) -> str:
    """A horizontal bar for each number, from zero, as SVG."""
    said = "; ".join(f"{label}: {number:.4g} {unit}" for label, number in numbers.items())
    root = svg.picture(name, title, said, WIDTH, ROW * len(numbers) + 8)
    longest = max([*numbers.values(), 1e-9])
    for k, (label, number) in enumerate(numbers.items()):
        y, length = ROW * k + 4.0, max(1.0, number / longest * (WIDTH - LEFT - 130))
        svg.add(root, "text", "end", label, x=LEFT - 10, y=y + 16)
        svg.add(root, "rect", "bar", x=LEFT, y=y, width=length, height=ROW - 6)
        svg.add(root, "text", "", f"{number:.4g} {unit}", x=LEFT + length + 8, y=y + 16)
    return svg.written(root)


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
    drawn = "".join(_drawn(stem, data, *chart) for chart in CHARTS[stem])
    return f"## {data['question']}\n\nMeasured on {data['machine']}. {files}.\n\n{drawn}"


def _drawn(stem: str, data: Any, title: str, unit: str, where: str) -> str:
    numbers = values(data, where)
    if not numbers:
        raise ValueError(f"benchmarks/results/{stem}.json has nothing at {where}")
    name = f"chart-{stem}-{title.lower().replace(' ', '-')}"
    caption = f"{title} [{unit}]"
    return f'<figure class="chart"><figcaption>{caption}</figcaption>{bars(name, title, unit, numbers)}</figure>\n\n'
