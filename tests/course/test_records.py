import json
from dataclasses import replace

import numpy as np
import pytest

from dnlib.course import records
from dnlib.course.claims import Claim, judge, load_claims, lookup
from dnlib.course.records import Record, plain

CLAIM = {"id": "c", "chapter": "01_x", "source": "s", "statement": "It holds."}


def record(seed=0, profile="laptop", measured=None, **parameters):
    return Record(
        "01_x", profile, seed, "cpu", parameters, {}, plain(measured or {"a": {"b": 3}}), {}, "", "", 1.0, 100
    )


def verdict(check, measured, value="a.b", **options):
    (judgement,) = judge([Claim(**CLAIM, value=value, check=check, **options)], [record(measured=measured)])
    return judgement.verdict


@pytest.mark.parametrize(
    ("check", "value", "expected"),
    [
        ({"equals": 3}, 3, "held"), ({"equals": 3}, 2, "did not hold"), ({"equals": True}, True, "held"),
        ({"at_least": 3}, 3, "held"), ({"at_least": 3}, 2.9, "did not hold"),
        ({"at_most": 3}, 3, "held"), ({"at_most": 3}, 3.1, "did not hold"),
        ({"between": [1, 2]}, 2, "held"), ({"between": [1, 2]}, 0.9, "did not hold"),
    ],
)  # fmt: skip
def test_every_check_can_hold_and_fail(check, value, expected):
    assert verdict(check, {"a": {"b": value}}) == expected


def test_a_claim_without_a_record_was_not_tested():
    assert verdict({"equals": 3}, {"other": 1}) == "not tested"
    claim = Claim(**CLAIM, value="a.b", check={"equals": 3}, where={"dataset": "kodak24"})
    assert judge([claim], [record(dataset="bundled")])[0].verdict == "not tested"
    assert judge([claim], [record(dataset="kodak24")])[0].verdict == "held"
    assert judge([claim], [record(profile="smoke", dataset="kodak24")])[0].verdict == "not tested"
    assert judge([claim], [])[0].measured == "–"


def test_every_entry_and_every_seed_must_hold_and_exceptions_are_named():
    claim = Claim(**CLAIM, value="p.*.gain", check={"at_least": 0.3})
    records = [record(seed, measured={"p": {"cat": {"gain": 0.5}, "moon": {"gain": 0.1 + seed}}}) for seed in (0, 1)]
    (judgement,) = judge([claim], records)
    assert judgement.verdict == "did not hold" and judgement.failures == ("moon, seed 0",)
    assert judgement.seeds == (0, 1)
    assert "DID NOT HOLD" in judgement.line and "moon" in judgement.line


def test_several_seeds_give_a_mean_with_student_interval():
    claim = Claim(**CLAIM, value="a", check={"at_least": 0}, unit="dB")
    (judgement,) = judge([claim], [record(seed, measured={"a": float(seed)}) for seed in (0, 1, 2)])
    assert judgement.measured == "1 ± 2.5 dB"  # t(0.975, 2) / sqrt(3) = 2.48


def test_stars_reach_every_entry():
    measured = {"p": {"x": {"g": 1}, "y": {"g": 2, "h": 3}, "z": 4}}
    assert list(lookup(measured, "p.*.g")) == [("x", 1), ("y", 2)]
    assert list(lookup(measured, "p.x.g")) == [("", 1)]
    assert list(lookup(measured, "q.r")) == []


def test_records_are_written_whole_and_read_back(tmp_path, monkeypatch):
    path = tmp_path / "records" / "r.json"
    records.write(record(), path)
    assert records.read_all(path.parent) == [replace(record(), finished=json.loads(path.read_text())["finished"])]
    assert records.read_all(path.parent, ["another"]) == []
    monkeypatch.setattr(records.json, "dumps", lambda *a, **k: (_ for _ in ()).throw(OSError("disk full")))
    before = path.read_bytes()
    with pytest.raises(OSError, match="disk full"):
        records.write(record(seed=5), path)
    assert path.read_bytes() == before and list(path.parent.iterdir()) == [path]


def test_something_else_is_not_taken_for_a_record(tmp_path):
    for text in ("{}", "not json", "[1]"):
        (tmp_path / "x.json").write_text(text)
        with pytest.raises(ValueError, match=r"x\.json is not a record"):
            records.read(tmp_path / "x.json")


def test_measured_values_become_plain_numbers():
    measured = {"a": np.float32(1.5), "b": np.bool_(True), 3: [np.int64(2)], "c": "text"}
    assert plain(measured) == {"a": 1.5, "b": True, "3": [2], "c": "text"}
    for value in (float("nan"), float("inf"), np.float32("-inf"), [1.0, np.inf]):
        with pytest.raises(ValueError, match=r"psnr\.cat(\[1\])? is (nan|-?inf); a record holds finite numbers only"):
            plain({"cat": value}, "psnr")


def test_a_record_is_json_as_everybody_reads_it(tmp_path):
    """JSON has no NaN and no Infinity; Python writes both unless told not to."""
    with pytest.raises(ValueError, match="JSON"):
        records.write(record(strength=float("inf")), tmp_path / "r.json")
    assert list(tmp_path.iterdir()) == []


def test_malformed_claims_are_refused(tmp_path):
    with pytest.raises(ValueError, match="equals"):
        Claim(**CLAIM, value="a", check={"about": 3})
    path = tmp_path / "claims.yaml"
    path.write_text("- {id: c, colour: red}")
    with pytest.raises(ValueError, match="not a claim"):
        load_claims(path)
    path.write_text("- &c {id: c, chapter: x, source: s, statement: t, value: v, check: {equals: 1}}\n- *c\n")
    with pytest.raises(ValueError, match="used twice"):
        load_claims(path)


def test_committed_claims_are_sound():
    from dnlib.course import jobs, parameters
    from dnlib.images import datasets

    claims = load_claims()
    assert len(claims) >= 15
    for claim in claims:
        (notebook,) = jobs.select([claim.chapter])
        assert not claim.needs or datasets.find(claim.needs)
        assert claim.where.keys() <= parameters.declared(notebook).keys(), claim.id
        assert set(claim.profiles) <= {"smoke", "laptop", "paper"} and claim.statement.endswith("."), claim.id


def test_committed_records_decide_every_claim_that_needs_no_download():
    found = records.read_all(records.ROOT / "results" / "records")
    undecided = [j.claim.id for j in judge(load_claims(), found) if j.verdict == "not tested"]
    assert undecided == []


def test_committed_records_are_of_committed_code():
    for record in records.read_all(records.ROOT / "results" / "records"):
        assert record.commit and not record.commit.endswith("+"), record.chapter


def test_run_names_are_file_names():
    assert records.run_name("01_x", "laptop", 2, {"image": "a/b c.png"}) == "01_x-laptop-s2-image=a_b_c.png"


def test_committed_records_are_found_by_chapter_and_parameters():
    every = records.committed("10_ablations")
    whole = records.committed("10_ablations", blind="all", matrix_steps=600)
    assert {record.chapter for record in every} == {"10_ablations"} and 0 < len(whole) < len(every)
    assert {(record.parameters["blind"], record.parameters["matrix_steps"]) for record in whole} == {("all", 600)}
    assert records.committed("10_ablations", blind="none") == []
