from dataclasses import asdict, replace

import numpy as np
import pytest
import samples

from dnlib.course import jobs, records, rows
from dnlib.course.claims import Claim, load_claims, lookup
from dnlib.course.records import Record, plain
from dnlib.course.verdicts import judge
from dnlib.images import refused
from dnlib.zoo import recipes

CLAIM = {"id": "c", "chapter": "01_x", "source": "s", "statement": "It holds.", "value": "a"}


def record(seed=0, **parameters):
    return samples.record(seed, parameters=parameters, a={"b": 3})


def test_records_are_written_and_read_back(tmp_path):
    path = tmp_path / "records" / "r.json"
    records.write(record(), path)
    (back,) = records.read_all(path.parent).values()
    assert replace(back, sha256="") == replace(record(), finished=back.finished) and len(back.sha256) == 64
    assert records.read_all(path.parent, ["another"]) == {}


def test_a_disk_that_fills_up_leaves_the_record_that_was_there(tmp_path, full_disk):
    path = tmp_path / "r.json"
    records.write(record(), path)
    before = path.read_bytes()
    full_disk(".json")
    with pytest.raises(OSError, match=r"r\.json was not written: the disk is full; make room") as error:
        records.write(record(seed=5), path)
    assert refused(error.value) and "\n" not in str(error.value)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_something_else_is_not_taken_for_a_record(tmp_path):
    for text in ("{}", "not json", "[1]", "[" * 100_000):
        (tmp_path / "x.json").write_text(text)
        with pytest.raises(ValueError, match=r"x\.json is not a record"):
            records.read(tmp_path / "x.json")


def test_an_edited_record_is_named_and_left_out(tmp_path):
    for seed in (0, 1):
        records.write(record(seed), tmp_path / f"{seed}.json")
    (tmp_path / ".0123.json").write_text("{")  # as a killed process may leave it
    text = (tmp_path / "1.json").read_text()
    for edited in (text.replace('"b": 3', '"b": 4'), text.replace('"b": 3', '"b": NaN'), '{"chapter": "x"}'):
        assert edited != text
        (tmp_path / "1.json").write_text(edited)
        with pytest.warns(UserWarning, match=r"left out: .*1\.json (was edited|is not a record)"):
            assert list(records.read_all(tmp_path)) == ["0"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"parameters": [1]}, r"parameters is \[1\], and no dict"),
        ({"scenes": None}, "scenes is None, and no dict"),
        ({"measured": 3}, "measured is 3, and no dict"),
        ({"seed": "0"}, "seed is '0', and no int"),
        ({"seconds": True}, "seconds is True, and no float"),
    ],
)
def test_a_record_of_other_types_is_named_and_left_out_though_its_hash_is_right(tmp_path, wrong, message):
    records.write(record(), tmp_path / "0.json")
    records.write(Record(**asdict(record()) | wrong), tmp_path / "1.json")
    with pytest.warns(UserWarning, match=rf"left out: .*1\.json is not a record: {message}"):
        assert len(records.read_all(tmp_path)) == 1


def test_a_folder_in_place_of_a_record_is_named_and_left_out(tmp_path):
    records.write(record(), tmp_path / "0.json")
    (tmp_path / "x.json").mkdir()
    with pytest.warns(UserWarning, match=r"left out: .*x\.json is not a record \(.*Is a directory"):
        assert len(records.read_all(tmp_path)) == 1


def test_stars_reach_every_entry():
    measured = {"p": {"x": {"g": 1}, "y": {"g": 2, "h": 3}, "z": 4}}
    assert list(lookup(measured, "p.*.g")) == [("x", 1), ("y", 2)]
    assert list(lookup(measured, "p.x.g")) == [("", 1)]
    assert list(lookup(measured, "q.r")) == []


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


@pytest.mark.parametrize(
    "wrong",
    [
        {"check": {"about": 3}}, {"check": {}}, {"check": {"at_least": 1, "at_most": 2}, "unit": "dB"},
        {"check": {"at_least": 3}}, {"check": {"at_least": None}, "unit": "dB"},
        {"check": {"at_least": float("nan")}, "unit": "dB"}, {"check": {"between": [2, 1]}, "unit": "dB"},
        {"check": {"between": 1}, "unit": "dB"}, {"check": {"at_most": [1]}, "unit": "dB"},
        {"check": {"equals": 3}, "sample": "photos"}, {"check": {"equals": 3}, "work": "mine"},
        {"check": {"at_least": True}, "unit": "dB"}, {"check": {"at_least": 3}, "unit": " "},
        {"check": {"at_least": 10**400}, "unit": "dB"}, {"check": ["at_least"]}, {"check": 0.3},
        {"check": {"equals": 3}, "profiles": "laptop"}, {"check": {"equals": 3}, "profiles": ["lapdop"]},
        {"check": {"equals": 3}, "profiles": []}, {"check": {"equals": 3}, "where": ["a"]},
        {"check": {"equals": 3}, "value": ""}, {"check": {"equals": 3}, "value": None},
    ],
)  # fmt: skip
def test_a_claim_has_a_check_with_bound_and_unit_a_sample_and_a_work(wrong):
    named = "the check|a number|the sample|the work|a profile|check|profiles|where|value"
    with pytest.raises(ValueError, match=f"claim c: ({named}) (is|can be)"):
        Claim(**CLAIM | wrong)


def test_malformed_claims_are_refused(tmp_path):
    path = tmp_path / "claims.yaml"
    path.write_text("- {id: c, colour: red}")
    with pytest.raises(ValueError, match="not a claim"):
        load_claims(path)
    path.write_text("- {id: [")
    with pytest.raises(ValueError, match=r"claims\.yaml cannot be read: while parsing a flow"):
        load_claims(path)
    entry = "{id: c, chapter: 00_start_here, source: s, statement: t, value: gain, check: {equals: 1}}"
    path.write_text(f"- &c {entry}\n- *c\n")
    with pytest.raises(ValueError, match="used twice"):
        load_claims(path)
    path.write_text(f"- {entry.replace('00_start_here', '00_begin')}")
    with pytest.raises(ValueError, match=r"claim c: the chapter can be 00_start_here, .*; '00_begin' was given"):
        load_claims(path)
    path.write_text(f"- {entry.replace('value: gain', 'value: gain, needs: kodak42')}")
    with pytest.raises(ValueError, match=r"claim c: the dataset that it needs can be .*; 'kodak42' was given"):
        load_claims(path)
    path.write_text(f"- {entry.replace('value: gain', 'value: gain, section: A noisy imagination')}")
    with pytest.raises(ValueError, match=r"claim c: the section can be .*A noisy image.*; 'A noisy imagination' was"):
        load_claims(path)


@pytest.mark.parametrize("value", ["gian", "gian.*", "gain - gian", "gian.cat - gain", "ga"])
def test_a_mistyped_value_is_named_and_not_taken_for_one_that_nobody_tested(tmp_path, value):
    entry = f"{{id: c, chapter: 00_start_here, source: s, statement: t, value: {value!r}, check: {{equals: 1}}}}"
    (tmp_path / "claims.yaml").write_text(f"- {entry}")
    with pytest.raises(ValueError, match=r"claim c: .*, and 00_start_here measures no '(gian|ga)', but .*, gain, "):
        load_claims(tmp_path / "claims.yaml")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("table.ful", "no 'ful' in table, but .*full"),
        ("table.full - table.daigonal", "no 'daigonal' in table, but .*diagonal"),
        ("inside.*.69 %", r"no '69 %' in inside\.\*, but .*68 %"),
        ("above_masking.steps.*", r"no '\*' in above_masking\.steps, but a value without names"),
        ("live_psnr.ful", "no 'ful' in live_psnr;"),  # that name is in the code alone
    ],
)
def test_a_mistyped_name_below_the_first_level_is_told_with_those_that_there_are(tmp_path, value, message):
    entry = f"{{id: c, chapter: 04_blind_spot_bayes, source: s, statement: t, value: {value!r}, check: {{equals: 1}}}}"
    (tmp_path / "claims.yaml").write_text(f"- {entry}")
    with pytest.raises(ValueError, match=f"claim c: the value is .*, and 04_blind_spot_bayes measures {message}"):
        load_claims(tmp_path / "claims.yaml")


@pytest.mark.parametrize("value", ["other_noise.Poisson.kodim23", "live_psnr.sigma 50", "table.*.kodim01"])
def test_a_name_that_only_some_records_have_or_what_is_not_recorded_yet_may_have_is_taken(tmp_path, value):
    entry = f"{{id: c, chapter: 04_blind_spot_bayes, source: s, statement: t, value: {value!r}, check: {{equals: 1}}}}"
    (tmp_path / "claims.yaml").write_text(f"- {entry}")
    assert [claim.value for claim in load_claims(tmp_path / "claims.yaml")] == [value]


def test_a_value_that_no_committed_run_has_measured_yet_is_one_that_the_chapter_names(chapters, tmp_path):
    chapters(**{"01_new": "run.record(sharpness={'after': 1.0})"})
    entry = "{id: c, chapter: 01_new, source: s, statement: t, value: sharpness.after, check: {equals: 1}}"
    (tmp_path / "claims.yaml").write_text(f"- {entry}")
    assert load_claims(tmp_path / "claims.yaml")[0].value == "sharpness.after"


def test_committed_claims_are_sound():
    from dnlib.course import parameters

    claims = load_claims()
    assert len(claims) >= 15
    for claim in claims:
        (notebook,) = jobs.select([claim.chapter])
        assert claim.where.keys() <= parameters.declared(notebook).keys(), claim.id
        assert claim.statement.endswith("."), claim.id
        assert claim.section, f"{claim.id}: name the heading under which its number is computed"


def rows_of(claim):
    """Of the report's table, without which a claim cannot be tested."""
    where, _, row = claim.value.rpartition(".")
    if claim.value in ("worst_row", "order_as_reported", "ssims_agree"):
        return set(list(recipes.ROWS)[:9])
    if claim.value == "spread.*.*":
        return {*list(recipes.ROWS)[:9], rows.BNN}  # each row, and a record that knows of all
    if where.startswith(("exchanges.", "above_noisy")):
        return {row, rows.ORIGINAL[row]} if where.startswith("exchanges.") else {row}
    return set()


def test_committed_records_decide_every_claim_but_those_about_rows_that_are_not_trained_yet():
    found = records.read_all(records.COMMITTED).values()
    told = [
        set(record.measured.get("rows", {}).get(rows.TEXTURE, {}).get("psnr", {}))
        for record in records.committed("10_ablations")
    ]
    untested = [j.claim for j in judge(load_claims(), found) if j.verdict == "not tested"]
    assert [
        claim.id for claim in untested if not rows_of(claim) or any(rows_of(claim) <= known for known in told)
    ] == []


def test_committed_records_are_of_committed_code():
    for record in records.read_all(records.COMMITTED).values():
        assert record.commit and not record.commit.endswith("+"), record.chapter


def test_run_names_are_file_names():
    assert records.run_name("01_x", "laptop", 2, {"image": "a_b_c.png"}) == "01_x-laptop-s2-image=a_b_c.png"
    pictures = "a/b c.png", "a/b_c.png", "a_b c.png", "a_b_c.png", "a_b_c.png\udce9"
    names = {records.run_name("01_x", "laptop", 2, {"image": picture}) for picture in pictures}
    assert len(names) == 5 and all(name.startswith("01_x-laptop-s2-image=a_b_c.png") for name in names)


def test_a_seed_that_is_given_twice_is_run_once():
    assert [job.seed for job in jobs.plan(["00"], seeds=(1, 0, 1))] == [1, 0]


def test_committed_records_are_found_by_chapter_and_parameters():
    every, long = records.committed("11_raw_and_perceptual"), records.committed("11_raw_and_perceptual", steps=3000)
    assert {record.chapter for record in every} == {"11_raw_and_perceptual"} and 0 < len(long) < len(every)
    assert {record.parameters["steps"] for record in long} == {3000}
    assert records.committed("11_raw_and_perceptual", steps=-1) == []
