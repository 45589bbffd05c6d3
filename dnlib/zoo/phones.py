"""Photographs that are noisy as they are: those that a recipe learns from, and those that judge it."""

from collections.abc import Callable, Iterable

import numpy as np

from dnlib.images import Example, check_scenes_apart, datasets, middle, one_of, scenes, to_image, to_tensor
from dnlib.noise import Camera
from dnlib.training import draw_noisy
from dnlib.zoo.recipe import Recipe

PHONE = Camera((400, 6400), demosaic="soft")  # noise as strong, and as correlated, as in sidd_val_crops
JUDGED_FROM = {"phones, texture": "sidd_textured", "phones, chart": "sidd_val_crops", "simulated phone": "kodak24"}


def learnt_by(recipe: Recipe) -> list[np.ndarray]:
    """The noisy photographs that a recipe learns from, without the scenes that it holds out."""
    return [example.noisy for examples in _learnt(recipe).values() for example in examples]


def judges_of(recipe: Recipe) -> list[Example]:
    """The pairs that judge a recipe: of the scenes that it holds out, or of all if it holds out none.

    Raises ValueError for a scene that is not there, and for scenes that are both learnt from and judge; only a recipe
    with a single dataset for both may do that.
    """
    judge = recipe.trained_on.judge
    pairs = datasets.load(judge)
    for scene in recipe.held_out:
        one_of(scene, {pair.scene for pair in pairs}, f"a scene of {judge} to hold out")
    pairs = [pair for pair in pairs if not recipe.held_out or pair.scene in recipe.held_out]
    if recipe.trained_on.datasets != (judge,):
        check_scenes_apart(_learnt(recipe).get(judge, []), pairs)
    return pairs


def all_judges(
    load: Callable[[str], list[Example]] | None = None, side: int = 256, simulated: int = 24
) -> dict[str, list[Example]]:
    """Pairs to judge methods for phones: with texture, with a colour chart, and of a simulated phone.

    Of the simulated phone, all stages are known, and there is as much texture as one likes: Kodak's photographs, each
    a scene of its own, through `PHONE`, or scikit-image's where Kodak's are not. What is not there is left out.

    Parameters
    ----------
    load : callable
        Instead of `datasets.load`.
    side : int
        Of the middles that are taken of each picture, in pixels, at most.
    simulated : int
        Photographs of the simulated phone, at most: of all in the order 0, 4, 8, ..., 1, 5, 9, ... The noise of each
        does not depend on how many there are.

    Returns
    -------
    dict
        Name of the set -> pairs.

    Examples
    --------
    >>> all_judges(side=16)["simulated phone"][0].noisy.shape
    (16, 16, 3)
    """
    load = load or datasets.load
    there = {name for name in ("sidd_textured", "sidd_val_crops", "kodak24") if datasets.find(name).is_present}
    pairs = {"phones, texture": load("sidd_textured")} if "sidd_textured" in there else {}
    if "sidd_val_crops" in there:
        pairs["phones, chart"] = load("sidd_val_crops")[::9]
    clean = load("kodak24") if "kodak24" in there else [e for e in load("bundled") if e.clean.ndim == 3]
    spread = [example for start in range(4) for example in clean[start::4]][:simulated]
    pairs["simulated phone"] = [photographed(middle_of(example, 256), index) for index, example in enumerate(spread)]
    return {name: [middle_of(pair, side) for pair in found] for name, found in pairs.items()}


def scenes_of(which: str, images: Iterable[str]) -> dict[str, str]:
    """The scene of each image of a set of `all_judges`, by its name: the images themselves need not be there.

    Examples
    --------
    >>> scenes_of("phones, texture", ["y01_chess_brass_plate", "s00_chart"])
    {'y01_chess_brass_plate': 'chess', 's00_chart': 'chart'}
    """
    dataset = datasets.find(JUDGED_FROM[one_of(which, JUDGED_FROM, "a set of pairs")])
    rules = scenes.scene_rules(dataset.name, dataset.scene)
    return {image: scenes.scene_of(image, rules) for image in images}


def photographed(example: Example, seed: int) -> Example:
    """A clean picture with what `PHONE` makes of it, in 8 bits."""
    noisy = to_image(draw_noisy(to_tensor(example.clean), PHONE, 0, seed).image)
    return example._replace(noisy=np.rint(255 * noisy.clip(0, 1)).astype(np.uint8))


def middle_of(pair: Example, side: int) -> Example:
    """The middle of whichever of the two images there is."""
    return pair._replace(
        **{name: middle(image, side) for name in ("noisy", "clean") if (image := getattr(pair, name)) is not None}
    )


def _learnt(recipe: Recipe) -> dict[str, list[Example]]:
    source = recipe.trained_on
    return {
        name: [one for one in datasets.load(name) if not (name == source.judge and one.scene in recipe.held_out)]
        for name in source.datasets
    }
