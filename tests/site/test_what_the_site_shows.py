"""What is committed for the site fits what it shows; these tests need nothing of what builds it."""

import json
import re

import nbformat
import pytest
import yaml
from building import charts

from dnlib.course import jobs, lab, report, states
from dnlib.images import ROOT

HEAVIEST = 1_900_000  # bytes of a chapter's pictures and views; a page, all told, may weigh 3 MB

VIEWS = [
    found[1]
    for notebook in jobs.chapters()
    for cell in nbformat.read(notebook, as_version=4).cells
    if (found := re.search(r"widgets\.explore\(\s*(\w+)", cell.source))
]
STATES = ROOT / "results" / "states"


def test_every_view_of_the_course_was_drawn_and_no_other():
    assert {path.name for path in STATES.iterdir()} == set(VIEWS), "run `make sliders` for these chapters"


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_was_drawn_by_the_function_that_the_chapter_has_in_the_settings_named(name):
    said = json.loads((STATES / name / "states.json").read_text(encoding="utf-8"))
    sources = [cell.source for notebook in jobs.chapters() for cell in nbformat.read(notebook, as_version=4).cells]
    assert sum(said["source"].strip() in source for source in sources) == 1, "run `make sliders` for this chapter"
    counts = [len(knob["values"]) for knob in said["knobs"]]
    drawn = {tuple(picture["at"]) for picture in said["pictures"]}
    assert drawn == set(states.settings(counts, tuple(said["start"])))
    assert len(drawn) >= (6 if name == "show_radius" else 7)  # chapter 01 compares six radii and has no seventh
    assert {picture["file"] for picture in said["pictures"]} == {path.name for path in STATES.glob(f"{name}/*.webp")}


def test_the_course_has_one_name():
    """In the README, in what is cited, in the report, on the start page; on the site: tests/site/test_site_build.py."""
    assert (ROOT / "README.md").read_text(encoding="utf-8").startswith(f"# {jobs.TITLE}\n")
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["title"]
    assert cited.startswith(f"{jobs.TITLE}: ") and lab._OWN.startswith(f"# {jobs.TITLE}\n")
    page = (report.PUBLISHED / "report.html").read_text(encoding="utf-8")
    assert f"<title>Claims and records — {jobs.TITLE}</title>" in page and f"<header>{jobs.TITLE}</header>" in page


def test_every_benchmark_has_results_and_a_chart():
    assert {path.stem for path in (ROOT / "benchmarks" / "results").glob("*.json")} == set(charts.CHARTS)


@pytest.mark.parametrize("notebook", jobs.chapters(), ids=lambda path: path.stem)
def test_a_chapter_and_its_views_are_light_enough_for_a_page(notebook):
    cells = nbformat.read(notebook, as_version=4).cells
    outputs = [output.get("data", {}) for cell in cells if cell.cell_type == "code" for output in cell.outputs]
    pictures = sum(len(text) * 3 // 4 for data in outputs for kind, text in data.items() if kind.startswith("image/"))
    shown = [view for cell in cells for view in re.findall(r"widgets\.explore\(\s*(\w+)", cell.source)]
    views = sum(path.stat().st_size for view in shown for path in (STATES / view).glob("*.webp"))
    assert pictures + views < HEAVIEST, "crop pictures, or offer fewer settings"
