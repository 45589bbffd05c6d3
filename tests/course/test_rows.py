import numpy as np
import pytest
import torch

from dnlib.course import load_claims, margins, rows, tables
from dnlib.course.exercises import find
from dnlib.images import Example, photo, to_tensor
from dnlib.methods import BNN
from dnlib.networks import BlindSpotUNet
from dnlib.training import Crops, fit, score_pairs
from dnlib.zoo import cards, phones, recipes

IMAGES = {
    "phones, texture": ["y01_chess_brass_plate", "y04_chess_glass", "y03_peppers_cloth", "s00_chart"],
    "phones, chart": ["0000", "0036"],
    "simulated phone": ["kodim01", "kodim05"],
}


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """Writes cards of rows: `trained("SSID", 600, seed=1, gain=0.5)` is half a dB above the others."""
    import yaml

    monkeypatch.setattr(cards, "TRAININGS", tmp_path)

    def write(row, steps=600, seed=0, gain=0.0):
        shift = gain + 0.01 * seed
        measured = {
            which: {
                part: {image: 30 + number + shift + 0.02 * number * gain for number, image in enumerate(images)}
                for part in rows.PARTS
            }
            for which, images in IMAGES.items()
        }
        before = {
            which: {
                part: {image: value - 1 - 0.01 * seed for image, value in found.items()}
                for part, found in parts.items()
            }
            for which, parts in measured.items()
        }
        name = recipes.ROWS[row]
        card = recipes.described("laptop", recipes.find(name)) | {
            "sha256": "0", "command": f"dnlib train {name}", "steps": steps, "seed": seed,
            "seconds": 1, "cpu_seconds": 1,
            "curve": [{"steps": at, "psnr": 20.0 + float(np.log2(at)) + shift} for at in (1, 2, steps)],
            "judged": {"BNN": before, "LGBPN": measured},
        }  # fmt: skip
        (tmp_path / f"{name}-s{seed}-{steps}.yaml").write_text(yaml.safe_dump(card, sort_keys=False))

    return write


@pytest.fixture
def every_row(trained):
    for number, row in enumerate(recipes.ROWS):
        for seed in range(3):
            trained(row, seed=seed, gain=-0.6 * number)
    return rows.read(600)


def test_every_row_is_compared_with_one_that_is_there():
    assert rows.ORIGINAL.keys() | {"LG-BPN"} == recipes.ROWS.keys() | {rows.TEACHER}
    assert set(rows.ORIGINAL.values()) <= recipes.ROWS.keys() | {rows.BNN}


def test_a_student_is_compared_with_the_first_stage_of_its_own_training(every_row):
    margin = every_row.above(rows.TEACHER)
    assert margin.mean == pytest.approx(-1.01)
    assert margin.half_interval() == pytest.approx(0.01 * 2.484, rel=1e-3)  # Student's, of 3 seeds that are 0.01 apart


@pytest.mark.parametrize("part", ["psnr", "flat", "texture"])
@pytest.mark.parametrize("which", IMAGES)
def test_ssid_s_u_net_is_compared_with_its_own_bnn_image_by_image(every_row, part, which):
    found = every_row.differences("SSID", part, which)
    assert list(found) == [0, 1, 2]
    for seed, one in found.items():
        assert list(one) == IMAGES[which] and list(one.values()) == pytest.approx([1 + 0.01 * seed] * len(one))


def test_rows_are_compared_in_pairs_of_images_and_seeds(trained):
    for seed in range(3):
        trained("LG-BPN", seed=seed)
        trained("L-4", seed=seed, gain=-1.0)
    kept = rows.read(600)
    expected = [-1.0 - 0.02 * number for number in range(4)]
    for found in kept.differences("L-4").values():
        assert list(found) == IMAGES["phones, texture"] and list(found.values()) == pytest.approx(expected)
    scenes = ["chess", "chess", "pepper", "chart"]
    assert list(phones.scenes_of(rows.TEXTURE, IMAGES[rows.TEXTURE]).values()) == scenes
    by_hand = margins.measure(np.array([expected] * 3), scenes)
    assert kept.above("L-4").mean == pytest.approx(by_hand.mean)
    assert kept.above("L-4").half_interval() == pytest.approx(by_hand.half_interval(), rel=1e-6)
    assert kept.mean("L-4", "flat", "phones, chart") == pytest.approx(30 + 0.5 - 1.0 + 0.01 - 0.01)


def test_one_seed_has_a_mean_and_no_interval_and_other_seeds_are_no_pair(trained):
    trained("LG-BPN")
    trained("L-4", gain=-1.0)
    trained("L-5", seed=1)
    kept = rows.read(600)
    assert kept.above("L-4").mean == pytest.approx(-1.03) and not kept.above("L-4").is_known
    assert kept.above("L-5") is None and kept.differences("L-5") == {}
    verdicts = {one.claim.id: one.verdict for one in kept.judged(load_claims(chapter="10_ablations"))}
    assert verdicts["rows-local-alone"] == "undecided" and verdicts["rows-global-alone"] == "not tested"


def test_few_rows_are_told_from_those_that_are_not_trained_yet(trained):
    trained("SSID", seed=1)
    kept = rows.read(600)
    lines = tables.trainings(kept.of(rows.TEXTURE, ["LG-BPN", "SSID"])).splitlines()
    assert lines[1].split() == ["LG-BPN", "0", "not", "trained", "yet"]
    assert lines[2].split() == ["SSID", "1", *4 * ["31.51"]]
    assert np.isnan(kept.mean("LG-BPN")) and kept.above("S-2") is None
    assert all(found.keys() == {"SSID"} for found in kept.measured(1)["exchanges"][rows.TEXTURE].values())
    assert kept.measured(0) == {"rows": {}, "exchanges": {}}


def test_all_rows_decide_all_claims_that_rest_on_cards(every_row):
    claims = load_claims(chapter="10_ablations")
    judged = every_row.judged(claims)
    assert {one.claim.id for one in judged} == {c.id for c in claims if c.value.startswith("exchanges.")}
    assert len(judged) == 28 and {one.verdict for one in judged} <= {"held", "did not hold"}
    for one in judged:
        extent = "2 images" if one.claim.id.endswith("-simulated") else "4 images of 3 scenes"
        assert f"(3 seeds x {extent})" in one.measured
    kept = every_row.measured(2)
    assert (
        kept["rows"].keys() == IMAGES.keys() and kept["exchanges"][rows.TEXTURE]["psnr"].keys() == rows.ORIGINAL.keys()
    )
    assert every_row.scenes()["y04_chess_glass"] == "chess" and every_row.scenes()["0036"] == "01"


def test_a_spread_is_that_of_the_best_and_the_worst_seed_and_one_seed_has_none(trained):
    for seed, gain in enumerate((0.3, -0.4, 0.0)):
        trained("AP-BSN", seed=seed, gain=gain)
    trained("L-4")
    for which, images in IMAGES.items():
        middle = (len(images) - 1) / 2
        means = [30 + middle + gain + 0.01 * seed + 0.02 * middle * gain for seed, gain in enumerate((0.3, -0.4, 0.0))]
        assert rows.read(600).spreads()[which] == pytest.approx({"AP-BSN": max(means) - min(means)})


def test_cards_that_were_judged_on_other_pictures_are_refused(trained, monkeypatch):
    trained("LG-BPN")
    monkeypatch.setitem(IMAGES, rows.TEXTURE, ["s00_chart"])
    trained("L-4")
    kept = rows.read(600)
    assert kept.above("L-4", which="phones, chart").mean == 0
    with pytest.raises(ValueError, match="L-4 and LG-BPN were judged on other pictures: phones, texture, seed 0"):
        kept.above("L-4")


def test_lengths_are_apart_and_curves_have_all_of_them(trained):
    for seed in range(2):
        trained("AP-BSN", seed=seed)
    trained("AP-BSN", steps=2400, gain=1.0)
    assert len(rows.read(600).numbers("AP-BSN")) == 2 and list(rows.read(2400).numbers("AP-BSN")) == [0]
    found = rows.curves("AP-BSN")
    assert {length: psnr.shape for length, (_, psnr) in found.items()} == {600: (2, 3), 2400: (1, 3)}
    assert found[2400][0].tolist() == [1, 2, 2400]
    with pytest.raises(ValueError, match="no row was trained for 1200 steps; there are cards of 600, 2400"):
        rows.read(1200)


def test_without_any_card_it_is_said_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(cards, "TRAININGS", tmp_path)
    with pytest.raises(ValueError, match=r"there are cards of no length: train one, as docs/reproduce\.md says"):
        rows.read(600)


def test_exercise_10_3_a_cast_of_5_costs_what_is_said_and_ssim_hardly_notices(rng):
    clean = np.rint(255 * np.clip(0.1 + 0.8 * photo("astronaut")[:96, :96], 0, 1)).astype(np.uint8)
    good = to_tensor(clean / 255) + torch.from_numpy(rng.normal(0, 10 ** (-37 / 20), (1, 3, 96, 96))).float()
    pair = [Example("a", clean, clean)]
    before, after = (score_pairs(lambda _, image=image: image, pair) for image in (good, good + 5 / 255))
    assert before.mean_psnr == pytest.approx(37, abs=0.1)
    assert before.mean_psnr - after.mean_psnr == pytest.approx(find("10.3").answer, abs=0.1)
    assert abs(before.mean_ssim["uniform"] - after.mean_ssim["uniform"]) < 0.01
    assert after.mean_parts["colour"] > 4 > 1 > before.mean_parts["colour"]


def test_exercise_10_4_without_the_blind_mean_it_is_colours_that_are_missing():
    clean = np.rint(255 * photo("astronaut")[:180, :180]).astype(np.uint8)
    pair = phones.photographed(Example("a", clean=clean), 0)
    parts = {}
    for mean in (True, False):
        torch.manual_seed(0)
        stage = BNN(BlindSpotUNet(3, 8, outputs=3, depth=2, shift=5, mean=mean))
        fit(stage, Crops([pair.noisy], size=64, count=1), steps=8, learning_rate=2e-3, device="cpu", progress=False)
        parts[mean] = score_pairs(stage, [pair]).mean_parts
    assert parts[False]["colour"] > 3 * parts[True]["colour"]
