import re

import numpy as np
import pytest

from dnlib.course import chapter, claims, jobs, profiles, records
from dnlib.course.chapter import start, verify


def test_a_run_knows_its_sizes_and_is_seeded(capsys):
    draws = []
    for _ in range(2):
        run = start("01_donut_vs_classic", "smoke", 3, noise_std=0.1)
        draws.append((run.rng.random(), np.random.rand(), run.generator.initial_seed()))  # noqa: NPY002
    assert draws[0] == draws[1] and draws[0][2] == 3
    assert run.size.side == 48 and run.generator.device.type == "cpu"
    assert "profile smoke · seed 3" in capsys.readouterr().out


def test_the_environment_overrides_the_profile(monkeypatch):
    monkeypatch.setenv("DNLIB_PROFILE", "smoke")
    assert start("01_donut_vs_classic", "laptop", 0).profile == "smoke"


@pytest.mark.parametrize(
    ("profile", "seed", "device", "message"),
    [
        ("huge", 0, "cpu", "smoke, laptop or paper; 'huge' was given"),
        ("smoke", -1, "cpu", "-1 was given"),
        ("smoke", 0, "tpu", r"'tpu'"),
    ],
)
def test_wrong_starts_are_refused(profile, seed, device, message):
    with pytest.raises(ValueError, match=message):
        start("00_start_here", profile, seed, device)


def test_pairs_of_a_simulated_camera_follow_from_the_seed(monkeypatch, tmp_path):
    monkeypatch.setenv("DNLIB_DATA", str(tmp_path))  # no phone images there
    run = start("05_noise_correlation", "smoke", 1)
    (pairs, source), (again, _) = (run.camera_pairs(6, 3200) for _ in range(2))
    assert source == "simulation" and len(pairs) == 6
    for one, same in zip(pairs, again, strict=True):
        np.testing.assert_array_equal(one.noisy, same.noisy)
        assert one.noisy.dtype == one.clean.dtype == np.uint8 and one.noisy.shape == one.clean.shape == (96, 96, 3)
        assert 2 < (one.noisy.astype(float) - one.clean).std() < 40
    assert run.datasets.keys() == {"bundled"}


def test_asking_for_a_missing_gpu_says_so(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="torch sees only"):
        start("00_start_here", "smoke", 0, "cuda")


def test_verify_prints_and_stops_what_does_not_hold(capsys):
    verify("one is one", True)
    assert capsys.readouterr().out == "PASS one is one\n"
    with pytest.raises(AssertionError, match="two is one"):
        verify("two is one", False)
    assert capsys.readouterr().out == "FAIL two is one\n"


def test_a_record_says_what_was_used_and_judges_the_claims(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("DNLIB_RECORD", str(tmp_path / "r.json"))
    run = start("00_start_here", "smoke", 0, sigma=25.0, your_image="")
    run.photo("camera")
    run.record(noisy_psnr=np.float32(20.17), triangle_error=0.5)
    record = records.read(tmp_path / "r.json")
    assert record.measured["noisy_psnr"] == pytest.approx(20.17)
    assert "scikit-image" in record.datasets["bundled"] and record.peak_memory_mb > 50 and record.versions["torch"]
    out = capsys.readouterr().out
    verdicts = [line for line in out.splitlines() if re.match("HELD|DID NOT HOLD|UNDECIDED|NOT TESTED", line)]
    assert len(verdicts) == len(claims.load_claims(chapter="00_start_here"))  # none is hidden
    assert sum("seeds); this run " in line for line in verdicts) == 2  # this run measured two
    assert "this run 20.17 dB]" in out and "this run 0.5 of correlation]" in out


def test_by_hand_records_go_to_a_folder_of_their_own(monkeypatch, tmp_path):
    monkeypatch.setattr(chapter, "ROOT", tmp_path)
    monkeypatch.delenv("DNLIB_RECORD", raising=False)
    start("99_none", "smoke", 0).record(a=1)
    assert (tmp_path / "runs" / "by_hand" / "records" / "99_none-smoke-s0.json").is_file()


def test_every_chapter_has_sizes_in_every_profile():
    for path in jobs.chapters():
        assert path.stem in profiles.SIZES
    for chapter_sizes in profiles.SIZES.values():
        assert all(len(values) == len(profiles.PROFILES) for values in chapter_sizes.values())
