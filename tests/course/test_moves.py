"""What moved between two files of verdicts, each reason by itself, and files that are none."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from dnlib import cli
from dnlib.course import claims, moves, records, report
from dnlib.course.claims import Claim
from dnlib.course.records import Record

CLAIM = Claim("gain", "01_x", "A paper", "It gains.", "v", {"at_least": 1.0}, unit="dB")
RUNS = [
    Record(
        "01_x", "laptop", seed, "cpu", {}, {"bundled": "h"}, {"v": 1.5 + seed / 100, "w": 0.5}, {}, "abc", "m", 1.0, 1,
        "2026-01-01T00:00:00+00:00",
    )
    for seed in (0, 1)
]  # fmt: skip


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Write a report of a claim and of records into a folder; without drawing weights, which takes longest."""
    monkeypatch.setattr(report, "available", list)

    def write(name, claim=CLAIM, runs=RUNS):
        monkeypatch.setattr(claims, "load_claims", lambda: [claim] if claim else [])
        (tmp_path / name / "records").mkdir(parents=True, exist_ok=True)
        for run in runs:
            records.write(run, tmp_path / name / "records" / f"s{run.seed}.json")
        report.write(tmp_path / name)
        return tmp_path / name

    return write


def changed(**values):
    """All runs, their numbers below the bound, and something else."""
    return [replace(run, measured={"v": -run.measured["v"]}, **values) for run in RUNS]


def test_the_file_says_what_was_decided_by_what(make):
    content = json.loads((make("new") / "verdicts.json").read_text(encoding="utf-8"))
    hashes = [record.sha256 for record in records.read_all(make("new") / "records").values()]
    assert content == {
        "form": 1,
        "claims": {
            "gain": {
                "verdict": "held",
                "adjusted": "held",
                "measured": "1.505 ± 0.064 dB (2 seeds)",
                "interval": [pytest.approx(1.505 - 12.706 * 0.005, abs=1e-4), pytest.approx(1.56853, abs=1e-4)],
                "bound": "at least 1.0 dB",
                "records": {
                    f"s{seed}": {"sha256": hashes[seed], "commit": "abc", "datasets": {"bundled": "h"}}
                    for seed in (0, 1)
                },
            }
        },
    }


def test_without_an_interval_there_is_none(make):
    for name, runs in (("one", RUNS[:1]), ("none", [])):
        entry = moves.read(make(name, runs=runs))["gain"]
        assert entry["interval"] is None and len(entry["records"]) == len(runs)


@pytest.mark.parametrize(
    ("why", "claim", "runs"),
    [
        ("claim", replace(CLAIM, check={"at_least": 2.0}), RUNS),
        ("data", CLAIM, changed(datasets={"bundled": "other"})),
        ("data", CLAIM, changed(datasets={"bundled": "h", "kodak24": "k"})),
        ("code", CLAIM, changed(commit="def")),
        ("record", CLAIM, changed()),
        ("record", CLAIM, RUNS[:1]),
        ("rule", replace(CLAIM, value="w"), RUNS),
        ("claim, data, code", replace(CLAIM, check={"at_least": 2.0}), changed(commit="d", datasets={"bundled": "o"})),
        ("code, record", CLAIM, changed(commit="def")[:1]),
    ],
)
def test_a_verdict_moves_for_a_reason(make, why, claim, runs):
    old, new = moves.read(make("old")), moves.read(make("new", claim, runs))
    (move,) = moves.between(old, new)
    assert move.why == why and move.claim == "gain"
    assert move.before == ("held", "1.505 ± 0.064 dB (2 seeds)") and move.after[0] == new["gain"]["verdict"] != "held"
    assert moves.between(new, new) == []


def test_a_new_claim_and_one_that_is_gone_are_moves(make):
    some, none = moves.read(make("some")), moves.read(make("none", claim=None))
    assert moves.between(none, some) == [moves.Move("gain", ("–", "–"), ("held", some["gain"]["measured"]), "claim")]
    assert moves.between(some, none) == [moves.Move("gain", ("held", some["gain"]["measured"]), ("–", "–"), "claim")]


ENTRY = {"verdict": "held", "measured": "1 dB", "bound": "b", "records": {}}


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "not json",
        "\xff",
        "[" * 100_000,
        "[]",
        '{"form": 2, "claims": {}}',
        '{"form": 1}',
        '{"form": 1, "claims": []}',
        json.dumps({"form": 1, "claims": {"a": {"verdict": "held"}}}),
        json.dumps({"form": 1, "claims": {"a": ENTRY | {"measured": 3}}}),
        json.dumps({"form": 1, "claims": {"a": ENTRY | {"records": {"r": {"sha256": "x"}}}}}),
        json.dumps({"form": 1, "claims": {"a": ENTRY | {"records": [1]}}}),
    ],
    ids=range(13),
)
def test_what_is_no_file_of_verdicts_is_named_and_nothing_is_written(make, content):
    new, old = make("new"), make("new").parent / "old.json"
    if content is not None:
        old.write_text(content, encoding="latin-1")
    for path in new.glob("*.*"):
        path.write_text("untouched") if path.is_file() else None
    result = CliRunner().invoke(cli.main, ["report", str(new), "--against", str(old)])
    assert result.exit_code == 2 and "Traceback" not in result.output
    error = result.output.splitlines()[-1]
    assert "old.json holds no verdicts to compare with" in error and "`dnlib report FOLDER` writes" in error
    assert [(new / name).read_text() for name in ("report.html", "claims.md", "verdicts.json")] == ["untouched"] * 3


def test_the_command_prints_what_moved_since_a_folder_or_a_file(make):
    new, old = make("new", runs=changed(commit="[def]")), make("old")
    for against in (old, old / "verdicts.json"):
        result = CliRunner().invoke(cli.main, ["report", str(new), "--against", str(against)])
        assert result.exit_code == 0, result.output
        (line,) = [line for line in result.output.splitlines() if "gain" in line]
        assert [word.strip() for word in line.split("│")[1:-1]] == ["gain", "held", "->", "did not hold", "code"]
    result = CliRunner().invoke(cli.main, ["report", str(new), "--against", str(new)])
    assert "no verdict moved" in result.output
