"""Photographs that are noisy as they are: those that a recipe learns from, and those that judge it."""

import numpy as np

from dnlib.images import Example, check_scenes_apart, datasets, one_of
from dnlib.zoo.recipe import Recipe

LEARNT = {
    "sidd_val_crops": ("sidd_val_crops",),
    "phones_and_cameras": ("sidd_val_crops", "dnd_noisy", "sidd_textured"),
}
JUDGES = {"sidd_val_crops": "sidd_val_crops", "phones_and_cameras": "sidd_textured"}


def learnt_by(recipe: Recipe) -> list[np.ndarray]:
    """The noisy photographs that a recipe learns from, without the scenes that it holds out."""
    return [example.noisy for examples in _learnt(recipe).values() for example in examples]


def judges_of(recipe: Recipe) -> list[Example]:
    """The pairs that judge a recipe: of the scenes that it holds out, or of all if it holds out none.

    Raises
    ------
    ValueError
        For a scene that is not there, and, unless the recipe says that it is judged by what it learnt from, for scenes
        that it learns from.
    """
    judge = JUDGES[recipe.trained_on]
    pairs = datasets.load(judge)
    for scene in recipe.held_out:
        one_of(scene, {pair.scene for pair in pairs}, f"a scene of {judge} to hold out")
    pairs = [pair for pair in pairs if not recipe.held_out or pair.scene in recipe.held_out]
    if not recipe.judged_by_learnt:
        check_scenes_apart(_learnt(recipe)[judge], pairs)
    return pairs


def _learnt(recipe: Recipe) -> dict[str, list[Example]]:
    judge = JUDGES[recipe.trained_on]
    return {
        name: [one for one in datasets.load(name) if not (name == judge and one.scene in recipe.held_out)]
        for name in LEARNT[recipe.trained_on]
    }
