"""Recipes at a size that tests can train."""

import numpy as np
import pytest

from dnlib.images import Example, datasets
from dnlib.methods import craft_tiles
from dnlib.zoo import phones, recipes, trainer

SCENES = "chess", "pepper", "chart"


@pytest.fixture
def small(monkeypatch, rng):
    """Recipes at a small size, on made-up photographs in place of BSDS500."""
    photographs = [Example(str(i), clean=rng.integers(0, 256, (64, 70, 3), dtype=np.uint8)) for i in range(2)]
    crops = [photo._replace(noisy=photo.clean[:40, :46], clean=photo.clean[:40, :46]) for photo in photographs]
    scene = rng.integers(0, 256, (72, 76, 3), dtype=np.uint8)
    videos = [Example(str(i), clean=np.stack([scene[t : t + 60, i : i + 64] for t in range(7)])) for i in range(6)]

    def load(name, *, split=None, limit=None):
        if name == "davis480p":
            return videos
        if name == "sidd_val_crops":
            return crops
        if name in ("dnd_noisy", "sidd_textured"):
            return [crop._replace(name=f"{scene}_{crop.name}", scene=scene) for crop in crops for scene in SCENES]
        assert name == "bsds500" and split in ("train", "test", "val")
        return photographs

    monkeypatch.setattr(datasets, "load", load)
    monkeypatch.setattr(phones, "all_judges", lambda: {"phones, texture": load("sidd_textured")[::3]})
    monkeypatch.setattr(datasets, "fingerprint", lambda name: "f" * 64)
    near = {"patch": 9, "radius": 3}
    monkeypatch.setattr(trainer, "craft_tiles", lambda noisy, **sizes: craft_tiles(noisy, **sizes | near))
    tiny = {"width": (6, 6), "size": (32, 32), "count": (2, 2), "steps": (4, 4)}
    monkeypatch.setattr(recipes, "SIZES", recipes.SIZES | tiny)
    for recipe in recipes.RECIPES.values():
        if "steps" in recipe.sizes:
            monkeypatch.setitem(recipe.sizes, "steps", (4, 4))
        if recipe.noise is None:
            monkeypatch.setitem(recipe.sizes, "size", (32, 32))
        if "count" in recipe.sizes:
            monkeypatch.setitem(recipe.sizes, "count", (2, 2))
        for sizes in (recipe.sizes, *(teacher.sizes for teacher in recipe.teachers.values())):
            if "width" in sizes and not recipe.start:
                monkeypatch.setitem(sizes, "width", (6, 6))
