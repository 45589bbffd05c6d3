"""The start page of the course, and the server it is opened in."""

import json
import shutil
import socket
from dataclasses import replace

import pytest

from dnlib.course import jobs, lab, records, report


@pytest.fixture
def folder(tmp_path):
    """Two chapters in a folder of their own."""
    for chapter in jobs.chapters()[:2]:
        shutil.copy(chapter, tmp_path)
    return tmp_path


def ran(runs, chapter, seconds, profile="laptop"):
    """Leave the record of a run behind."""
    record = replace(records.committed("00_start_here")[0], chapter=chapter, profile=profile, seconds=seconds)
    records.write(
        replace(record, finished="2026-01-02T03:04:05+00:00"), runs / "by_hand" / "records" / f"{chapter}.json"
    )


def line(page, chapter):
    return [part.strip() for part in next(one for one in page.splitlines() if chapter in one).strip("|").split("|")]


def test_chapters_are_linked_and_those_of_no_copy_left_out(folder):
    (folder / "mine.ipynb").write_text("{}")
    page = lab.start_page(folder, folder / "runs")
    assert "[00_start_here](00_start_here.ipynb)" in page
    assert "mine" not in page and "02_" not in page


def test_a_chapter_that_ran_shows_its_minutes_and_scales_the_others(folder, monkeypatch):
    times = folder / "times.json"
    chapters = {"00_start_here": {"seconds": 60}, "01_donut_vs_classic": {"seconds": 120}}
    times.write_text(json.dumps({"runs": {"with": {"chapters": chapters}}}))
    monkeypatch.setattr(report, "TIMES", times)
    assert line(lab.start_page(folder, folder / "runs"), "00_")[2:] == ["about 1.0", "–"]
    ran(folder / "runs", "00_start_here", 90.0)
    page = lab.start_page(folder, folder / "runs")
    assert line(page, "00_")[2:] == ["1.5", "2026-01-02"]
    assert line(page, "01_")[2:] == ["about 3.0", "–"]


def test_a_chapter_that_the_benchmark_does_not_have_is_timed_by_its_quickest_committed_run(folder, monkeypatch):
    (folder / "times.json").write_text(json.dumps({"runs": {"with": {"chapters": {"00_start_here": {"seconds": 60}}}}}))
    monkeypatch.setattr(report, "TIMES", folder / "times.json")
    runs = records.committed("01_donut_vs_classic")
    quickest = min(record.seconds for record in runs if record.profile == "laptop")
    page = lab.start_page(folder, folder / "runs")
    assert line(page, "00_")[2] == "about 1.0" and line(page, "01_")[2] == f"about {quickest / 60:.1f}"


def test_a_run_in_the_smoke_profile_is_not_done(folder):
    ran(folder / "runs", "00_start_here", 9.0, profile="smoke")
    assert line(lab.start_page(folder, folder / "runs"), "00_")[3] == "–"


def test_missing_data_comes_with_its_command(folder, monkeypatch):
    monkeypatch.setenv("DNLIB_DATA", str(folder / "nothing"))
    page = lab.start_page(folder, folder / "runs")
    assert "`dnlib data kodak24`" in page and str(folder / "nothing") in page


def test_a_folder_without_chapters_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="dnlib course copy"):
        lab.open_lab(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_port_in_use_is_named_and_another_proposed(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"{port} is in use.*--port {port + 1}"):
            lab.open_lab(folder, port)
    assert not (folder / lab.START).exists()
