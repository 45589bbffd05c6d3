"""`dnlib train --plan`: how far trainings are, what a step takes, what an hour would buy."""

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from dnlib import cli
from dnlib.zoo import cards, outlook


def test_a_straight_curve_is_prolonged_and_noise_on_it_is_its_error():
    steps = 2 ** np.arange(4, 12)
    straight = [{"steps": int(n), "psnr": 25 + 0.5 * np.log2(n)} for n in steps]
    assert outlook.hour_more(straight, 2048, 3 * 2048) == (1.0, 0.0)
    rng = np.random.default_rng(0)
    found = []
    for _ in range(400):
        bent = [point | {"psnr": point["psnr"] + rng.normal(0, 0.1)} for point in straight]
        found.append(outlook.hour_more(bent, 2048, 3 * 2048))
    gains, errors = np.transpose(found)
    assert abs(gains.mean() - 1) < 0.02 and np.sqrt((errors**2).mean()) == pytest.approx(gains.std(), rel=0.1)


def test_two_points_are_no_curve():
    assert outlook.hour_more([{"steps": 1, "psnr": 20.0}, {"steps": 2, "psnr": 21.0}], 2, 2) is None


def test_operations_are_those_of_the_convolutions(small):
    """Counted by hand on the way forward, for two crops of 32 pixels; back it is nearly twice as many."""
    method, counted = outlook.trainer.untrained("noise2clean_rgb_sigma25")[0], []
    for layer in method.network.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.register_forward_hook(
                lambda layer, given, answer: counted.append(2 * answer.numel() * layer.weight[0].numel())
            )
    method.network(torch.rand(2, 3, 32, 32))
    assert 2.5 < outlook.outlook("noise2clean_rgb_sigma25").operations / sum(counted) < 3.01


def test_every_stage_of_a_method_is_counted(small):
    whole, first = outlook.outlook("ssid_row"), outlook.outlook("ssid_row_s2")
    assert whole.operations == pytest.approx(first.operations, rel=0.2) and whole.seconds > 0 and whole.bytes > 1e4


def test_the_distance_to_the_source_is_that_of_the_card():
    card = cards.read_card("noise2clean_rgb_sigma25")
    ours = float(card["scores"]["kodak24, Gaussian(25)"].split()[0])
    recipe = outlook.recipes.find("noise2clean_rgb_sigma25")
    assert outlook._behind(recipe, card) == round(32.46 - ours, 2)
    assert outlook._behind(outlook.recipes.find("ssid_row"), {}) is None


def test_a_row_that_ships_no_weights_is_as_far_as_its_longest_kept_training(small, tmp_path, monkeypatch):
    kept = cards.read_card(cards.TRAININGS / "lg_bpn_row-s0-2400.yaml")
    assert "lg_bpn_row" not in cards.available()
    found = outlook.outlook("lg_bpn_row")
    assert (found.steps, found.held_out) == (2400, kept["held_out"])
    assert found.hour == outlook.hour_more(kept["curve"], 2400, 3600 / found.seconds)
    monkeypatch.setattr(cards, "TRAININGS", tmp_path)
    for seed, steps in (0, 8), (2, 16), (1, 16):
        card = kept | {"seed": seed, "steps": steps, "curve": kept["curve"][: steps.bit_length()]}
        (tmp_path / f"lg_bpn_row-s{seed}-{steps}.yaml").write_bytes(cards._written(card))
    assert [outlook._reached("lg_bpn_row")[key] for key in ("seed", "steps")] == [1, 16]
    assert outlook._reached("no_such_row") == {}


def test_a_plan_begins_with_what_an_hour_helps_most_and_ends_with_what_has_no_curve(monkeypatch):
    hours = {"ssid_row": (-0.1, 0.2), "ap_bsn_row": None, "lg_bpn_row": (0.3, 0.1), "dilated_row": (0.2, 0.5)}
    monkeypatch.setattr(
        outlook, "outlook", lambda name, *_: outlook.Outlook(name, 0, 4, None, None, 1e9, 10**6, 1.0, hours[name])
    )
    result = CliRunner().invoke(cli.main, ["train", "--plan", *hours])
    assert result.exit_code == 0, result.output
    rows = [line for line in result.output.splitlines() if "_row" in line]
    assert [line.split()[1] for line in rows] == ["lg_bpn_row", "dilated_row", "ssid_row", "ap_bsn_row"]
    assert ["no curve" in line for line in rows] == [False, False, False, True]


def test_the_command_trains_nothing_and_cuts_no_name(small, monkeypatch):
    monkeypatch.setattr(outlook.trainer, "train", None)
    name = "blind_spot_rgb_sigma5to50_unknown_long"
    result = CliRunner().invoke(cli.main, ["train", "--plan", name, "noise2clean_rgb_sigma25"])
    assert result.exit_code == 0 and name in result.output and "PFLOP" in result.output, result.output
    refused = CliRunner().invoke(cli.main, ["train", "--plan", "noise2sharp"])
    assert refused.exit_code == 2 and "'noise2sharp' was given" in refused.output
