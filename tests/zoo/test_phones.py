"""Leave one subject out: no scene both teaches and judges, unless the recipe says so."""

from dataclasses import replace

import numpy as np
import pytest

from dnlib.images import Example, datasets
from dnlib.noise import correlation_map
from dnlib.zoo import build, phones, recipes, scoring, trainer
from dnlib.zoo.families import EQUAL

SUBJECTS = {
    "sidd_textured": ("chess", "chess", "pepper", "chart"),
    "dnd_noisy": ("0001", "chess"),
    "sidd_val_crops": "0",
}


@pytest.fixture
def numbered(monkeypatch):
    """Datasets whose images are filled with a number of their own."""

    def load(name):
        first = 10 * list(SUBJECTS).index(name)
        images = [(scene, np.full((64, 64, 3), first + i, np.uint8)) for i, scene in enumerate(SUBJECTS[name])]
        return [Example(scene, image, image, scene) for scene, image in images]

    monkeypatch.setattr(datasets, "load", load)


def numbers(images):
    return sorted({int(image[0, 0, 0]) for image in images})


def test_a_subject_that_is_held_out_judges_and_teaches_nothing(numbered):
    recipe = recipes.find("distilled_phones")
    assert numbers(phones.learnt_by(recipe)) == [2, 3, 10, 11, 20]  # another dataset's scene may have the same name
    assert numbers(pair.clean for pair in phones.judges_of(recipe)) == [0, 1]
    pepper = recipes.find("distilled_phones_pepper")
    assert numbers(phones.learnt_by(pepper)) == [0, 1, 3, 10, 11, 20]
    assert numbers(pair.clean for pair in phones.judges_of(pepper)) == [2]
    assert set(trainer.batches("distilled_phones").pixels["noisy"].unique().tolist()) == {2, 3, 10, 11, 20}


def test_scenes_on_both_sides_are_refused_unless_asked_for(numbered):
    recipe = replace(recipes.find("distilled_phones"), held_out=())
    with pytest.raises(ValueError, match="images of the scenes chart, chess, pepper are learnt from and judge, too"):
        scoring.watch(recipe)
    assert phones.judges_of(recipes.find("ssid_phones"))  # one dataset teaches and judges, as the papers have it
    assert numbers(phones.learnt_by(recipes.find("ssid_phones"))) == [20]


def test_a_subject_that_is_not_there_is_named(numbered):
    with pytest.raises(ValueError, match=r"a scene of sidd_textured to hold out.*'ches' was given"):
        phones.judges_of(replace(recipes.find("distilled_phones"), held_out=("ches",)))


def test_a_training_whose_scenes_judge_it_ends_before_its_first_step(numbered, tmp_path, monkeypatch):
    monkeypatch.setitem(recipes.RECIPES, "distilled_phones", replace(recipes.find("distilled_phones"), held_out=()))
    monkeypatch.setattr(trainer, "fit", None)
    with pytest.raises(ValueError, match="learnt from and judge"):
        trainer.train("distilled_phones", tmp_path)
    assert not list(tmp_path.iterdir())


def test_rows_on_equal_terms_learn_alike_and_from_nothing_that_judges_them(numbered):
    rows = {row: recipes.find(name) for row, name in recipes.ROWS.items()}
    terms = [{key: recipes.sizes("laptop", rows[row])[key] for key in EQUAL} for row in rows]
    assert all(term == terms[0] for term in terms) and terms[0]["size"] >= 120
    for row, recipe in rows.items():
        assert numbers(phones.learnt_by(recipe)) == [10, 11, 20], row
        assert numbers(pair.clean for pair in phones.judges_of(recipe)) == [0, 1, 2, 3], row
        method, _ = trainer.untrained(recipes.ROWS[row], "smoke")
        assert method.stages[0].network.mean, row  # every blind network says what is added to the blind mean


def test_judges_are_middles_of_what_is_here_and_a_simulated_phone(monkeypatch, tmp_path):
    monkeypatch.setenv("DNLIB_DATA", str(tmp_path))
    found = phones.all_judges(side=48)
    assert list(found) == ["simulated phone"] and all(
        pair.noisy.shape == (48, 48, 3) for pair in found["simulated phone"]
    )
    again = phones.all_judges(side=48)
    assert all((a.noisy == b.noisy).all() for a, b in zip(*(f["simulated phone"] for f in (found, again)), strict=True))


def test_fewer_photographs_of_the_simulated_phone_are_among_more_with_the_same_noise(monkeypatch, tmp_path):
    monkeypatch.setenv("DNLIB_DATA", str(tmp_path))
    every, few = (phones.all_judges(side=48, simulated=count)["simulated phone"] for count in (24, 2))
    assert len(every) > len(few) == 2
    for one, other in zip(every[:2], few, strict=True):
        assert one.name == other.name and (one.noisy == other.noisy).all()


def test_photographs_of_the_simulated_phone_begin_with_every_fourth(monkeypatch, tmp_path):
    """Cards of older trainings have these alone."""
    monkeypatch.setenv("DNLIB_DATA", str(tmp_path))
    clean = [Example(f"kodim{number:02}", clean=np.full((16, 16, 3), 128, np.uint8)) for number in range(1, 25)]
    found = phones.all_judges(lambda name: clean, simulated=6)["simulated phone"]
    assert [pair.name[-2:] for pair in found] == ["01", "05", "09", "13", "17", "21"]


def test_the_simulated_phone_correlates_its_noise_as_phones_do():
    gray = Example("gray", clean=np.full((256, 256, 3), 128, np.uint8))
    noise = phones.photographed(gray, 0).noisy.astype(float) - 128
    lags = correlation_map(noise, 4)[4, 4:]
    assert 0.38 < lags[1] < 0.5 and 0.05 < lags[2] < 0.13 and abs(lags[3]) < 0.03  # phones: 0.45, 0.07, 0.02


def test_any_blind_network_of_a_recipe_can_have_the_mean():
    for name in ("ap_bsn_phones", "lg_bpn_phones", "blind_spot_rgb_sigma25"):
        recipe = recipes.find(name)
        card = recipes.described("smoke", replace(recipe, network_arguments=recipe.network_arguments | {"mean": True}))
        assert build(card).network.mean and not build(recipes.described("smoke", recipe)).network.mean
