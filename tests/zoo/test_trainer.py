import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from dnlib.methods import published_ssid
from dnlib.training import Crops
from dnlib.zoo import cards, lengths, recipes, trainer

pytestmark = pytest.mark.filterwarnings("ignore:no pixel of the BNN's answer")  # lies low after 4 steps


@pytest.mark.filterwarnings("ignore:the noise parameter")  # as one that has not learnt yet reads it
@pytest.mark.parametrize(
    "name",
    [
        "noise2clean_rgb_sigma25",
        "bias_free_rgb_sigma0to55",
        "blind_spot_rgb_sigma5to50_unknown",
        "blind_spot_rgb_impulse50",
        "patch_craft_rgb_sigma20_box3",
        "photographs_rgb",
        "photographs_rgb_pairs",
        "photographs_gray",
        "bias_free_gray_sigma0to55",
        "ap_bsn_phones",
        "lg_bpn_phones",
        "lg_bpn_row_l3",
        "ssid_row_s2",
        "distilled_phones",
        "ssid_row",
        "lg_bpn_row_l4_square",
    ],
)
def test_a_recipe_leaves_weights_and_a_card_that_belong_together(small, tmp_path, name):
    said = []
    path = trainer.train(name, tmp_path, report=said.append)
    card = cards.read_card(path)
    method = cards.load_method(path)
    assert card["command"] == f"dnlib train {name}" and card["steps"] == 4
    assert card["needs"] == sorted(method.needs) and ("clean" in card["needs"]) == (
        name.startswith(("noise2clean", "bias_free")) or name in ("photographs_rgb", "photographs_gray")
    )
    assert set(card["data_sha256"].split()) == {"f" * 64}
    phones = "sidd_textured, chess held out, 2 of 2" if "distilled" in name else "sidd_val_crops, 2 of 2"
    phones = "sidd_textured, 6 of 6" if "row" in name else phones
    test_set, protocol = (
        (phones, "real_srgb") if "phones" in name or "row" in name else ("bsds500 val", "synthetic_rgb")
    )
    assert any(test_set in line for line in said) and f"protocol {protocol}" in next(iter(card["scores"].values()))
    last = [layer for layer in method.network.modules() if isinstance(layer, torch.nn.Conv2d)][-1]
    assert (last.bias is None) == name.startswith(("bias_free", "patch_craft", "photographs"))


def test_a_row_is_judged_stage_by_stage_and_is_not_refined(small, tmp_path):
    ssid = cards.read_card(trainer.train("ssid_row", tmp_path, report=lambda line: None))["judged"]
    assert list(ssid) == ["BNN", "LAN", "DenoisingUNet"]
    measured = ssid["BNN"]["phones, texture"]
    assert {"psnr", "flat", "texture", "colour", "ssim uniform", "ssim volume", "grain", "led by BNN"} <= set(measured)
    assert sum(measured[f"led by {who}"]["chess_0"] for who in ("BNN", "neither", "LAN")) == pytest.approx(1, abs=1e-3)
    local = cards.read_card(trainer.train("lg_bpn_row_l4", tmp_path, report=lambda line: None))["judged"]
    assert list(local) == ["LGBPN"] and trainer.untrained("lg_bpn_row_l4")[0].refinements == 0


def test_a_blind_network_goes_on_until_it_is_calm_and_no_other_stage_does(small, tmp_path, monkeypatch):
    grains, asked = iter([3.0, 1.2, 0.9]), []
    monkeypatch.setattr(trainer, "warn_of_grain", lambda stage, learnt_from: None)  # asks for grain, too
    monkeypatch.setattr(trainer, "grain", lambda answer: asked.append(answer.shape) or next(grains))
    card = cards.read_card(trainer.train("ssid_row_calm", tmp_path, report=lambda line: None))
    assert asked == [(16, 3, 32, 32)] * 3 and (card["steps"], card["blind_steps"]) == (4, 12)
    kept = sorted(path.name for path in tmp_path.glob("*.checkpoint.safetensors"))
    assert [name for name in kept if ".bnn." in name] == [
        "ssid_row_calm.bnn.1.checkpoint.safetensors",
        "ssid_row_calm.bnn.2.checkpoint.safetensors",
        "ssid_row_calm.bnn.checkpoint.safetensors",
    ]
    assert len(kept) == 5


def test_where_no_pixel_lies_below_alpha_s_low_threshold_it_is_told_before_stage_three(rng):
    torch.manual_seed(0)
    crops = Crops([rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)], size=24, count=1)
    bnn, _, unet = published_ssid(width=6).stages
    bnn.take_as_trained()
    with pytest.warns(
        UserWarning, match=r"no pixel .* low threshold of 0 .* never below 1/2; train the BNN longer, or"
    ):
        trainer.warn_of_grain(type(unet)(*unet._before, unet.network, thresholds=(0.0, 5.0)), crops)
    trainer.warn_of_grain(type(unet)(*unet._before, unet.network, thresholds=(100.0, 100.0)), crops)  # says nothing


def test_patience_with_a_blind_network_ends(small, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "PATIENCE", 1)
    monkeypatch.setattr(trainer, "grain", lambda answer: 9.0)
    card = cards.read_card(trainer.train("ssid_row_calm", tmp_path, report=lambda line: None))
    assert card["blind_steps"] == 8


def test_other_lengths_lie_in_other_folders_and_their_cards_are_kept(small, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(cards, "TRAININGS", tmp_path / "trainings")
    for steps in (None, 2, 3):
        cards.keep(trainer.train("ap_bsn_row", steps=steps, report=lambda line: None))
    found = cards.trainings("ap_bsn_row")
    assert [card["steps"] for card in found] == [2, 3, 4] and "--steps 2" in found[0]["command"]
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [
        "laptop_seed0",
        "laptop_seed0_steps2",
        "laptop_seed0_steps3",
    ]
    curve = lengths.reached("AP-BSN", "texture")
    assert [(one.steps, one.seed) for one in curve] == [(2, 0), (3, 0), (4, 0)]
    assert curve[-1].images == found[-1]["judged"]["APBSN"]["phones, texture"]["texture"]
    with pytest.raises(ValueError, match=r"what was measured.*'grain' was given"):
        lengths.reached("AP-BSN", "grain")
    assert lengths.reached("SSID") == []
    cards.keep(tmp_path / "runs" / "laptop_seed0" / "ap_bsn_row.yaml")  # the same once more is no harm
    other = trainer.train("ap_bsn_row", seed=1, steps=2, report=lambda line: None)
    (other.parent / "ap_bsn_row.yaml").write_text(other.with_suffix(".yaml").read_text().replace("seed: 1", "seed: 0"))
    with pytest.raises(ValueError, match="another training of the same name, seed and length; delete it first"):
        cards.keep(other)


def test_a_learning_curve_that_was_cut_short_is_refused(small, tmp_path, monkeypatch):
    monkeypatch.setattr(cards, "TRAININGS", tmp_path)
    kept = cards.keep(trainer.train("dilated_row", tmp_path / "run", report=lambda line: None))
    card = cards.read_card(kept)
    kept.write_text(yaml.safe_dump(card | {"curve": card["curve"][:-1]}))
    with pytest.raises(ValueError, match="ends at step 2 of 4: the card was cut short; train again"):
        cards.trainings("dilated_row")


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_a_card_that_says_what_the_recipe_says_builds_it(name, tmp_path):
    method, card = trainer.untrained(name, "smoke")
    path = cards.save_method(method, tmp_path / name, card)  # refuses what would be built otherwise
    assert type(cards.load_method(path)) is type(method)


@pytest.mark.parametrize(
    ("name", "order"),
    [("ssid_phones", ["BNN", "LAN", "DenoisingUNet"]), ("distilled_phones", ["BlindTeacher", "Student"])],
)
def test_stages_that_were_cut_short_go_on_to_the_same_weights(small, tmp_path, monkeypatch, name, order):
    whole = trainer.train(name, tmp_path / "whole", report=lambda line: None)
    fit, calls = trainer.fit, []

    def interrupted(stage, *arguments, **options):
        calls.append(type(stage).__name__)
        if len(calls) == len(order):
            raise KeyboardInterrupt
        return fit(stage, *arguments, **options)

    monkeypatch.setattr(trainer, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trainer.train(name, tmp_path / "cut", report=lambda line: None)
    assert calls == order
    kept = [f"{name}.{stage.lower()}.checkpoint.safetensors" for stage in order[:-1]]
    assert sorted(path.name for path in (tmp_path / "cut").iterdir()) == kept
    monkeypatch.setattr(trainer, "fit", fit)
    again = trainer.train(name, tmp_path / "cut", report=lambda line: None)
    assert again.read_bytes() == whole.read_bytes()


def test_a_distilled_network_is_stored_with_its_teacher(small, tmp_path):
    method = cards.load_method(trainer.train("distilled_phones", tmp_path, report=lambda line: None))
    assert method.teacher.network.mean and method.teacher.side == 9 and method.stages[1].recharge


def test_the_paper_s_ssid_is_the_published_one():
    def numbers(method):
        return [sum(p.numel() for p in stage.network.parameters()) for stage in method.stages]

    assert numbers(trainer.untrained("ssid_phones", "paper")[0]) == numbers(published_ssid())
    s1, s2 = (trainer.untrained(f"ssid_row_{row}")[0] for row in ("s1", "s2"))
    assert s1.bnn.network.global_ is None and s1.lan.target == "bnn"
    assert s2.lan.target == "noisy"


def test_equal_commands_give_equal_weights_and_other_seeds_others(small, tmp_path):
    def made(folder, **options):
        path = trainer.train("noise2noise_rgb_sigma25", tmp_path / folder, report=lambda line: None, **options)
        return path.read_bytes(), cards.read_card(path)["command"]

    torch.manual_seed(5)
    first, again, other = made("a"), made("b"), made("c", seed=1, steps=3)
    assert first == again and first[0] != other[0]
    assert other[1] == "dnlib train noise2noise_rgb_sigma25 --seed 1 --steps 3"


def test_stopped_while_it_is_scored_a_training_leaves_no_card_and_is_finished_later(small, tmp_path, monkeypatch):
    name = "noise2noise_rgb_sigma25"
    monkeypatch.setattr(trainer, "RUNS", tmp_path)

    def stop(method, recipe):
        raise KeyboardInterrupt

    with monkeypatch.context() as context, pytest.raises(KeyboardInterrupt):
        context.setattr(trainer, "scored", stop)
        trainer.train(name, report=lambda line: None)
    assert [path.name for path in trainer.folder().iterdir()] == [f"{name}.checkpoint.safetensors"]
    card = cards.read_card(trainer.train(name, report=lambda line: None))
    assert card["steps"] == 4 and card["scores"]


def test_outside_of_a_checkout_trainings_are_in_the_current_folder(monkeypatch):
    monkeypatch.setattr("dnlib.images.in_checkout", lambda: False)
    assert runpy.run_path(trainer.__file__)["RUNS"] == Path("runs/train")


def test_unknown_names_profiles_and_missing_data_are_told(tmp_path):
    with pytest.raises(ValueError, match="noise2clean_rgb_sigma25"):
        trainer.train("noise2sharp", tmp_path)
    with pytest.raises(ValueError, match="laptop or paper; 'smoke' was given"):
        trainer.train("noise2clean_rgb_sigma25", tmp_path, profile="smoke")
    with pytest.raises(ValueError, match="at least one step; 0 were given"):
        trainer.train("noise2clean_rgb_sigma25", tmp_path, steps=0)
    with pytest.raises(ValueError, match="'tpu'"):
        trainer.train("noise2clean_rgb_sigma25", tmp_path, device="tpu")
    with pytest.raises(FileNotFoundError, match="dnlib data bsds500"):
        trainer.train("noise2clean_rgb_sigma25", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_adaptation_begins_with_the_shipped_start():
    method, card = trainer.untrained("patch_craft_rgb_sigma20_box3")
    start = cards.load_method("bias_free_rgb_sigma0to55").network.state_dict()
    assert card["start"] == "bias_free_rgb_sigma0to55"
    assert all(torch.equal(value, start[key]) for key, value in method.network.state_dict().items())
