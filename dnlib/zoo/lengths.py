"""What rows of the report's table reach, by length of training and seed: read from the cards that were kept."""

from typing import NamedTuple

import numpy as np

from dnlib.images import one_of
from dnlib.zoo import cards, recipes


class Reached(NamedTuple):
    """What one training of a row reaches.

    Parameters
    ----------
    steps, seed : int
        Of the training; steps of each stage.
    images : dict
        The number of each image.

    Examples
    --------
    >>> Reached(600, 0, {"a": 30.0, "b": 32.0}).mean
    31.0
    """

    steps: int
    seed: int
    images: dict[str, float]

    @property
    def mean(self) -> float:
        """Over the images."""
        return float(np.mean(list(self.images.values())))


def reached(row: str, part: str = "psnr", which: str = "phones, texture", stage: str = "") -> list[Reached]:
    """What every kept training of a row reaches, shortest first; none where none was kept.

    Parameters
    ----------
    row : str
        A key of `recipes.ROWS`, such as "L-4".
    part : str
        psnr, flat or texture in dB, colour in 8-bit units, or what else `scoring.judged` measures.
    which : str
        A set of `phones.all_judges`.
    stage : str
        Of the method, as "BNN"; the method itself if not given.

    Raises
    ------
    ValueError
        For another row, stage, set or part, and for a card that was cut short.

    Examples
    --------
    >>> reached("L-9")
    Traceback (most recent call last):
    ValueError: ... 'L-9' was given...
    """
    found = []
    for card in cards.trainings(recipes.ROWS[one_of(row, recipes.ROWS, "a row")]):
        judged = card["judged"]
        by_set = judged[one_of(stage or list(judged)[-1], judged, f"a stage of {row}")]
        by_part = by_set[one_of(which, by_set, "a set of pairs")]
        found.append(Reached(card["steps"], card["seed"], by_part[one_of(part, by_part, "what was measured")]))
    return found
