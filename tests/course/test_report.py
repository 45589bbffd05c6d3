import re

import numpy as np
import pytest

from dnlib.course import claims, jobs, records, report
from dnlib.course.claims import Claim, judge
from dnlib.course.records import Record
from dnlib.denoiser import denoise_picture, write_picture_page
from dnlib.images import Picture

CLAIMS = [
    Claim("a", "01_x", "A paper", "It <holds>.", "v", {"at_least": 1}, published="2 dB", unit="dB"),
    Claim("b", "01_x", "A |paper|", "It fails.", "w.*", {"equals": 0}),
    Claim("c", "01_x", "A paper", "Untested.", "u", {"equals": 0}, where={"dataset": "kodak24"}, profiles=("paper",)),
]
RECORD = Record(
    "01_x", "laptop", 0, "cpu", {"p": 1}, {"bundled": "h"}, {"v": 1.5, "w": {"moon": 1, "cat": 0}}, {"numpy": "2"},
    "abc", "a machine", 3.2, 400, "2026-01-01T00:00:00+00:00",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "load_claims", lambda: CLAIMS)
    records.write(RECORD, tmp_path / "records" / "r.json")
    return tmp_path


def test_the_page_shows_every_verdict_source_number_and_run(folder):
    assert [j.verdict for j in report.write(folder)] == ["held", "did not hold", "not tested"]
    page = (folder / "report.html").read_text()
    for text in (
        "It &lt;holds&gt;.",
        "2 dB",
        "1.5 dB",
        "not for: moon",
        "needs profile paper, dataset = kodak24",
        "a machine",
        "400",
    ):
        assert text in page, text


def test_the_markdown_table_names_exceptions(folder):
    table = report.markdown(judge(CLAIMS, [RECORD]))
    assert "| did not hold | It fails. (A \\|paper\\|) | – | 0.5 (0 to 1); not for moon |" in table
    assert table.count("\n") == 5
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()} == {5}


def test_a_report_without_records_tests_nothing(tmp_path):
    (tmp_path / "records").mkdir()
    assert {j.verdict for j in report.write(tmp_path)} == {"not tested"}


def test_the_readme_s_tables_are_those_of_the_committed_records():
    assert (report.ROOT / "README.md").read_text(encoding="utf-8") == report.refreshed_readme()


def test_the_committed_report_is_that_of_the_committed_records():
    found = records.read_all(records.COMMITTED)
    judgements = judge(claims.load_claims(), found)
    assert (report.PUBLISHED / "claims.md").read_text(encoding="utf-8") == report.markdown(judgements)
    page = (report.PUBLISHED / "report.html").read_text(encoding="utf-8")
    assert all(f'<tr id="{judgement.claim.id}">' in page for judgement in judgements)
    assert page.count("data:image/png;base64,") == len(jobs.chapters())


@pytest.mark.parametrize("shape", [(40, 50), (40, 50, 3), (2, 40, 50), (40, 50, 4)])
def test_the_page_of_a_picture_shows_before_after_and_residual(tmp_path, rng, shape):
    before = Picture.of(rng.normal(100, 10, shape))
    after, choice = denoise_picture(before)
    write_picture_page(tmp_path / "page.html", "noisy <1>", before, after, choice)
    page = (tmp_path / "page.html").read_text()
    assert page.count("data:image/png;base64,") == 3 and page.count('alt="') == 3
    assert "noisy &lt;1&gt;" in page and choice.filter in page and "script" not in page
    assert np.isfinite(choice.loss)
