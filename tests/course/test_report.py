import base64
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import unquote

import nbformat
import numpy as np
import pytest
from PIL import Image

from dnlib.course import claims, curves, jobs, moves, records, report, tables
from dnlib.course.claims import Claim
from dnlib.course.records import Record
from dnlib.course.verdicts import judge
from dnlib.zoo import available, read_card

CLAIMS = [
    Claim(
        "a", "01_x", "A paper", "It <holds>.", "v - 1v", {"at_least": 1}, published="2 dB", unit="dB", headline="Yes"
    ),
    Claim("b", "01_x", "A |paper|", "It fails.", "w.*", {"equals": 0}, "Is it so?", work="talk", sample="nothing"),
    Claim("c", "01_x", "A paper", "Untested.", "u", {"equals": 0}, where={"dataset": "kodak24"}, profiles=["paper"]),
    Claim("d", "01_x", "A paper", "In time.", "t", {"at_least": 0}, unit="dB", length="steps", headline="At last"),
]


def run(seed, steps=100):
    measured = {"v": 1.5 + seed / 100, "1v": 0.0, "w": {"moon": 1, "cat": 0}, "t": steps - 150.0 + seed}
    return Record(
        "01_x", "laptop", seed, "cpu", {"steps": steps}, {"bundled": "h"}, measured, {"numpy": "2"}, "abc", "a machine",
        3.2, 400, "2026-01-01T00:00:00+00:00",
    )  # fmt: skip


RUNS = {f"01_x-laptop-s{seed}-steps={steps}": run(seed, steps) for steps in (100, 200) for seed in (0, 1)}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "load_claims", lambda: CLAIMS)
    for name, record in RUNS.items():
        records.write(record, tmp_path / "records" / f"{name}.json")
    (tmp_path / "notebooks").mkdir()
    for name in ("01_x-laptop-s0-steps=100", "01_x-laptop-s0.failed"):
        nbformat = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        (tmp_path / "notebooks" / f"{name}.ipynb").write_text(json.dumps(nbformat))
    return tmp_path


class Page(HTMLParser):
    """The rows of the ledger by id, the sort keys of each, and all links and ids."""

    def __init__(self, path):
        super().__init__()
        self.rows, self.links, self.ids = {}, [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.links += [attributes["href"]] if tag == "a" else []
        self.ids += [attributes["id"]] if "id" in attributes else []
        if tag == "tr" and "data-verdict" in attributes:
            self.rows[attributes["id"]] = attributes | {"keys": []}
        if tag == "td" and "data-key" in attributes:
            list(self.rows.values())[-1]["keys"].append(attributes["data-key"])


def check_links(path):
    """Every link leads somewhere, inside the page or to a file, and no name is used twice."""
    page = Page(path)
    assert len(page.ids) == len(set(page.ids))
    for link in page.links:
        file, _, name = link.partition("#")
        assert (path.parent / unquote(file)).is_file() if file else name in page.ids, link  # sections: of the site
    return page


def test_the_page_shows_every_verdict_source_number_and_run(folder):
    assert [j.verdict for j in report.write(folder)] == ["held", "did not hold", "not tested", "held"]
    page = (folder / "report.html").read_text(encoding="utf-8")
    for text in (
        "It &lt;holds&gt;.",
        "2 dB",
        "1.505 ± 0.064 dB (2 seeds, steps = 100, the least sure of 2)",
        "P(A &gt; B) = 1.00",
        "needs profile paper, dataset = kodak24",
        "did not hold at 100 steps, held at 200",
        'id="forest-a"',
        'id="stages-d"',
        "a machine",
        "400",
    ):
        assert text in page, text
    assert page.count("P(A &gt; B) =") == 1 and "<holds>" not in page
    assert not re.search(r"(src|href)=.?(http|//)|@import|url\(|fetch\(", page)  # nothing comes from a network


def test_rows_carry_what_they_are_filtered_and_sorted_by_and_links_lead_somewhere(folder):
    report.write(folder)
    page = check_links(folder / "report.html")
    rows = page.rows
    assert list(rows) == [claim.id for claim in CLAIMS]
    assert rows["b"]["data-source"] == "Laine et al.'s talk" and rows["b"]["data-chapter"] == "01_x"
    assert [row["data-verdict"] for row in rows.values()] == ["held", "did not hold", "not tested", "held"]
    *keys, margin = rows["a"]["keys"]  # verdict, source's number, ours, protocol, bound
    assert keys == ["0", "2", "1.505", "laptop; data: bundled", "1"] and float(margin) == pytest.approx(
        0.505 / 0.0635, rel=1e-3
    )
    needed = "needs profile paper, dataset = kodak24"
    assert rows["c"]["keys"] == ["3", "", "", needed, "0", ""]
    assert "notebooks/01_x-laptop-s0-steps%3D100.ipynb" in page.links
    assert "notebooks/01_x-laptop-s0-steps%3D100.ipynb#Is-it-so%3F" in page.links  # where b's number is computed
    assert {f"records/{name}.json".replace("=", "%3D") for name in RUNS} <= set(page.links)


def brightness(colour):
    """The relative luminance of #rgb or #rrggbb, as WCAG 2 defines it."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    values = np.array([*bytes.fromhex(digits)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4) @ (0.2126, 0.7152, 0.0722)


def test_whatever_is_written_is_legible_in_the_light_and_in_the_dark(folder):
    report.write(folder)
    page = (folder / "report.html").read_text(encoding="utf-8")
    light, dark = {}, {}
    for in_the_dark, body in re.findall(r"(prefers-color-scheme: dark\) \{\s*)?:root \{(.+?)\}", page):
        (dark if in_the_dark else light).update(re.findall(r"--([\w-]+): (#\w+)", body))
    assert len(light) == len(dark) > 10
    for scheme in (light, dark):
        assert (brightness(scheme["ink"]) > brightness(scheme["paper"])) == (scheme is dark)
        for below in ("paper", "row", "open", "box"):
            for name in ("ink", "quiet", "mark", "held", "did-not-hold", "undecided", "not-tested"):
                darker, lighter = sorted((brightness(scheme[name]), brightness(scheme[below])))
                assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (name, below, scheme[name])


def test_wide_things_scroll_in_a_box_of_their_own_and_the_icon_is_inside(folder):
    report.write(folder)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.count("<table") == page.count("</table></div>") == 3
    assert page.count("<svg") == page.count("</svg></div>") > 2
    assert re.findall('<link rel="icon" href="(.{18})', page) == ["data:image/svg+xml"]


def test_an_adjusted_verdict_that_differs_stands_beside_the_plain_one(folder, monkeypatch):
    """One claim that holds by a little, among twenty that do not."""
    many = [Claim("a", "01_x", "s", "Near.", "v", {"at_least": 1.45}, unit="dB")]
    many += [Claim(f"n{n}", "01_x", "s", "Far.", "v", {"at_least": 1.505}, unit="dB") for n in range(20)]
    monkeypatch.setattr(claims, "load_claims", lambda: many)
    for seed, v in enumerate((1.49, 1.5, 1.525)):
        records.write(replace(run(0), seed=seed, measured={"v": v}), folder / "records" / f"{seed}.json")
    near = report.write(folder, ["0", "1", "2"])[0]
    assert (near.verdict, near.adjusted) == ("held", "undecided")
    assert "undecided if corrected" in (folder / "report.html").read_text(encoding="utf-8")
    table = (folder / "claims.md").read_text(encoding="utf-8")
    assert "| held (undecided if adjusted for all claims) |" in table
    for text in (table, (folder / "report.html").read_text(encoding="utf-8")):
        assert "1 verdict would differ after the correction of Benjamini and Hochberg" in text


def test_the_markdown_tables_are_grouped_by_source_and_escaped(folder):
    judgements = report.write(folder)
    text = (folder / "claims.md").read_text(encoding="utf-8")
    assert "0 verdicts would differ" in text and tables.moved(judgements) in text
    assert re.findall("^## .*", text, re.MULTILINE) == ["## Laine et al.'s talk", "## Other papers, and our own checks"]
    assert (
        "| not tested | Untested. (A paper) | – | – | needs profile paper, dataset = kodak24 | equals 0 | [01_x]("
        in text
    )
    assert "| did not hold | It fails. (A \\|paper\\|) | – | 1 (2 seeds, moon, " in text
    assert "; did not hold at 100 steps, held at 200 | laptop; data: bundled | at least 0 dB | [01_x](" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 * 2 + len(CLAIMS) and {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {8}
    links = [unquote(link) for link in re.findall(r"\]\(([^)#]+)(?:#Is-it-so%3F)?\)", text)]
    expected = {"notebooks/01_x-laptop-s0-steps=100.ipynb", *(f"records/{name}.json" for name in RUNS)}
    assert set(links) == expected and all((folder / link).is_file() for link in links)


def test_the_readme_s_parts_are_counts_and_headlines(monkeypatch, tmp_path):
    monkeypatch.setattr(report, "ROOT", tmp_path)
    text = "A\n<!-- verdicts: made -->\nold\n<!-- end -->\nB\n<!-- headlines: made -->\n<!-- end -->\nC\n"
    (tmp_path / "README.md").write_text(text)
    assert (
        report.refreshed_readme(judge(CLAIMS, RUNS.values()))
        == """A
<!-- verdicts: made -->
| source | held | did not hold | undecided | not tested |
|---|---|---|---|---|
| Laine et al.'s talk | 0 | 1 | 0 | 0 |
| Other papers, and our own checks | 2 | 0 | 0 | 1 |
| **all** | 2 | 1 | 0 | 1 |
<!-- end -->
B
<!-- headlines: made -->
| verdict | claim | source's number | ours | held if |
|---|---|---|---|---|
| held | Yes | 2 dB | 1.505 ± 0.064 dB (2 seeds, steps = 100, the least sure of 2) | at least 1 dB |
| held | At last | – | 50.5 ± 6.4 dB (2 seeds) | at least 0 dB |
<!-- end -->
C
"""
    )


def test_a_report_without_records_tests_nothing(tmp_path):
    (tmp_path / "records").mkdir()
    assert {j.verdict for j in report.write(tmp_path)} == {"not tested"}


def test_the_committed_report_and_readme_are_those_of_the_committed_records():
    found = records.read_all(records.COMMITTED)
    judgements = judge(claims.load_claims(), found.values())
    assert (report.ROOT / "README.md").read_text(encoding="utf-8") == report.refreshed_readme(judgements)
    stems = {record.sha256: stem for stem, record in found.items()}
    notebooks = {path.stem: f"../notebooks/{path.name}" for path in jobs.chapters()}
    assert (report.PUBLISHED / "claims.md").read_text(encoding="utf-8") == tables.ledger(judgements, notebooks, stems)
    written = moves.written(judgements, stems)
    assert (report.PUBLISHED / moves.NAME).read_text(encoding="utf-8") == written
    page = check_links(report.PUBLISHED / "report.html")
    assert {name: row["data-verdict"] for name, row in page.rows.items()} == {j.claim.id: j.verdict for j in judgements}
    text = (report.PUBLISHED / "report.html").read_text(encoding="utf-8")
    assert len(re.findall("data:image/(?:png|jpeg);base64,", text)) == len(jobs.chapters())
    cards = {name: read_card(name) for name in available()}
    assert curves.of_cards(cards) in text, "weights were published since: run `dnlib report results`"


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_the_readme_s_picture_is_a_png_whatever_the_notebook_holds(tmp_path, monkeypatch, rng, kind):
    content = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (8, 9, 3), dtype=np.uint8)).save(content, kind)
    picture = {f"image/{kind}": base64.b64encode(content.getvalue()).decode()}
    cell = nbformat.v4.new_code_cell("", outputs=[nbformat.v4.new_output("display_data", picture)])
    cell.metadata["tags"] = ["readme-figure"]
    (tmp_path / "notebooks").mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "notebooks" / "00_x-laptop-s0.ipynb")
    monkeypatch.setattr(report, "PUBLISHED", tmp_path)
    monkeypatch.setattr(report, "refresh", lambda: None)
    report.publish(tmp_path, [])
    strip = Image.open(tmp_path / "strip.png")
    assert (strip.format, strip.size) == ("PNG", (9, 8))
