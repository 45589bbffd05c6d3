"""Which images count as one sample."""

import pickle
import re
from collections import Counter
from pathlib import PurePath

import numpy as np
import pytest
import yaml

from dnlib.images import SHIPPED, Example, datasets
from dnlib.images.scenes import scene_of, scene_rules


def scenes_of(name):
    """Image -> scene, of all files that the registry lists for a dataset."""
    dataset = datasets.find(name)
    rules = scene_rules(name, dataset.scene)
    stems = sorted({PurePath(path).stem for path in dataset.downloads().registry})
    return {stem: scene_of(stem, rules) for stem in stems}


def test_nearly_all_sidd_crops_are_of_two_scenes():
    scenes = scenes_of("sidd_val_crops")
    assert Counter(scenes.values()).most_common(2) == [("00", 24), ("01", 24)] and len(scenes) == 54
    assert scenes["0030"] == "00" and scenes["0032"] == "01" and scenes["0064"] == "0064" and scenes["1067"] == "1067"
    assert scenes["x0010-0013"] == scenes["x0010-0022"] and len(set(scenes.values())) == 7


@pytest.mark.parametrize(
    ("name", "one", "another", "count"),
    [
        ("polyu", "NikonD800_6-3_125_5000_plant_1", "NikonD800_6-3_125_5000_plant__4", 28),
        ("sidd_textured", "y01_chess_brass_plate", "y10_chess_king_pawn", 3),
        ("dnd_noisy", "0030_3", "cbd03", 37),
        ("fluorescence", "actin-20x-noise1", "mito-20x-noise1", 3),
    ],
)
def test_images_of_one_scene_are_told(name, one, another, count):
    scenes = scenes_of(name)
    assert scenes[one] == scenes[another] and len(set(scenes.values())) == count


def test_other_images_are_scenes_of_their_own():
    assert all(
        image == scene for name in ("kodak24", "set12", "photos_noisy") for image, scene in scenes_of(name).items()
    )
    blocks = scene_rules("sidd_validation", datasets.find("sidd_validation").scene)
    assert scene_of("00_31", blocks) == "00" and scene_of("39_00", blocks) == "39"


@pytest.mark.parametrize("name", datasets.registry())
def test_every_entry_states_its_scenes_and_none_does_without(name):
    entry = yaml.safe_load((SHIPPED / "registry.yaml").read_text(encoding="utf-8"))[name]
    del entry["scene"]
    with pytest.raises(ValueError, match=rf'scene of dataset {name} is "each", .*None was given'):
        datasets.Dataset(name, **entry)


@pytest.mark.parametrize(
    "scene", ["", "every", r"x\d+", "(unclosed", {}, [r"(.)\d"], 7, {0: "a"}, {"a": 0}, {"a": "["}, {r"\2": "(a)"}]
)
def test_a_malformed_rule_is_refused_in_one_line(scene):
    with pytest.raises(
        ValueError, match=r"scene of dataset mine .*first group.*mapping.*" + re.escape(repr(scene))
    ) as error:
        scene_rules("mine", scene)
    assert "\n" not in str(error.value)


def test_an_example_made_by_hand_is_a_scene_of_its_own():
    example = Example("x", np.zeros((2, 2)))
    assert example.scene == "x" and example._replace(clean=None).scene == "x" and Example("x", scene="y").scene == "y"
    assert pickle.loads(pickle.dumps(Example("x", scene="y"))) == Example("x", scene="y")
