"""The report's rows on equal terms, from the cards of their trainings: scores, differences in pairs, learning curves.

Rows are compared image by image and seed by seed, at one number of steps. A row without a card is not trained yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dnlib.course.claims import Claim
from dnlib.course.margins import Margin, measure
from dnlib.course.records import Record
from dnlib.course.verdicts import Judgement, judge
from dnlib.zoo import phones, recipes, trainings

TEXTURE = "phones, texture"  # whose pictures no row has learned from
TEACHER, BNN = "distilled's teacher", "SSID's BNN"
FIRST_STAGES = {"distilled": TEACHER, "SSID": BNN}  # of two rows they are rows themselves
PARTS = ("psnr", "flat", "texture", "colour", "ssim uniform", "ssim volume")
ORIGINAL = {  # row -> the row that it is compared with; a row of the report differs from that by one exchange
    **dict.fromkeys(("L-1", "L-2", "L-3", "L-4", "L-5"), "LG-BPN"),
    **dict.fromkeys(("S-1", "S-2"), "SSID"),
    "AP-BSN": "L-4",
    "no shuffle": "AP-BSN",
    "L-4, square hole": "L-4",
    "SSID, until calm": "SSID",
    "distilled": "SSID",
    TEACHER: "distilled",
    "SSID": BNN,
}
Judged = dict[str, dict[str, dict[str, float]]]  # set of pictures -> part -> image -> number


@dataclass(frozen=True)
class Rows:
    """What the rows reach after one number of steps.

    Attributes
    ----------
    steps : int
        Of each stage of each training.
    scores : dict
        Row -> seed -> set of pictures -> part -> image -> number, of the whole method.
    """

    steps: int
    scores: dict[str, dict[int, Judged]]

    @property
    def sets(self) -> list[str]:
        """The sets of pictures that some training was judged on, in the order of the cards."""
        return list(dict.fromkeys(which for seeds in self.scores.values() for one in seeds.values() for which in one))

    def numbers(self, row: str, part: str = "psnr", which: str = TEXTURE) -> dict[int, dict[str, float]]:
        """The number of each image, by seed; none where there is no card."""
        return {seed: sets[which][part] for seed, sets in self.scores.get(row, {}).items() if which in sets}

    def mean(self, row: str, part: str = "psnr", which: str = TEXTURE) -> float:
        """The mean over seeds and images; NaN where there is no card."""
        found = self._means(row, part, which)
        return float(np.mean(found)) if found else float("nan")

    def _means(self, row: str, part: str, which: str) -> list[float]:
        """The mean over images for each seed."""
        return [float(np.mean(list(images.values()))) for images in self.numbers(row, part, which).values()]

    def differences(self, row: str, part: str = "psnr", which: str = TEXTURE) -> dict[int, dict[str, float]]:
        """By how much each image is above the row's original, by seeds that both have.

        Raises ValueError where the two were not judged on the same images.
        """
        own, other = (self.numbers(one, part, which) for one in (row, ORIGINAL[row]))
        for seed in own.keys() & other.keys():
            if own[seed].keys() != other[seed].keys():
                raise ValueError(f"{row} and {ORIGINAL[row]} were judged on other pictures: {which}, seed {seed}")
        return {
            seed: {image: value - other[seed][image] for image, value in images.items()}
            for seed, images in own.items()
            if seed in other
        }

    def above(self, row: str, part: str = "psnr", which: str = TEXTURE) -> Margin | None:
        """The mean difference from the row's original with its interval over seeds and scenes; None without a pair.

        One seed has a mean and no interval: it does not tell how trainings scatter.
        """
        found = list(self.differences(row, part, which).values())
        if not found:
            return None
        scenes = phones.scenes_of(which, found[0])
        margin = measure(np.array([[one[image] for image in scenes] for one in found]), list(scenes.values()))
        return margin if len(found) > 1 else Margin(margin.mean, {})

    def spreads(self) -> dict[str, dict[str, float]]:
        """How far the best and the worst seed of a row are apart in PSNR: set of pictures -> row -> dB.

        A row of one seed has no spread, and is not there.
        """
        seeds = {which: {row: self._means(row, "psnr", which) for row in self.scores} for which in self.sets}
        return {
            which: {row: max(found) - min(found) for row, found in means.items() if len(found) > 1}
            for which, means in seeds.items()
        }

    def of(self, which: str, rows: Sequence[str]) -> dict[str, dict[int, dict[str, dict[str, float]]]]:
        """The scores on one set of pictures: row -> seed -> part -> image -> number, for `tables.trainings`."""
        return {
            row: {seed: sets[which] for seed, sets in self.scores.get(row, {}).items() if which in sets} for row in rows
        }

    def measured(self, seed: int) -> dict[str, Any]:
        """What a record keeps of the trainings of one seed: means of rows, and each image's difference in pairs."""
        one = Rows(self.steps, {row: {seed: seeds[seed]} for row, seeds in self.scores.items() if seed in seeds})
        means = {
            which: {part: {row: one.mean(row, part, which) for row in one.scores} for part in PARTS}
            for which in one.sets
        }
        pairs = {
            which: {
                part: {row: found[seed] for row in ORIGINAL if (found := one.differences(row, part, which))}
                for part in ("psnr", "flat", "texture", "ssim uniform")
            }
            for which in one.sets
        }
        return {"rows": means, "exchanges": pairs}

    def scenes(self) -> dict[str, str]:
        """The scene of each image that rows were judged on."""
        return {
            image: scene
            for seeds in self.scores.values()
            for sets in seeds.values()
            for which, parts in sets.items()
            for image, scene in phones.scenes_of(which, parts["psnr"]).items()
        }

    def judged(self, claims: Sequence[Claim]) -> list[Judgement]:
        """What the ledger's rule says about claims that rest on the cards alone, over all of their seeds."""
        seeds = sorted({seed for seeds in self.scores.values() for seed in seeds})
        records = [
            Record(
                claims[0].chapter, "laptop", seed, "cpu", {"steps": self.steps}, {}, self.measured(seed), {}, "", "",
                0.0, 0, scenes=self.scenes(),
            )
            for seed in seeds
        ]  # fmt: skip
        return judge([claim for claim in claims if claim.value.startswith("exchanges.")], records)


def read(steps: int) -> Rows:
    """The cards of `data/trainings` that have this many steps of each stage.

    Raises ValueError if there is no card of that length, naming the lengths that there are; for a card that was cut
    short.

    Examples
    --------
    >>> read(7)
    Traceback (most recent call last):
    ValueError: no row was trained for 7 steps; there are cards of ...
    """
    cards = [(row, card) for row, name in recipes.ROWS.items() for card in trainings(name)]
    scores: dict[str, dict[int, Judged]] = {}
    for row, card in cards:
        if card["steps"] == steps:
            stages = list(card["judged"].values())
            scores.setdefault(row, {})[card["seed"]] = stages[-1]
            if row in FIRST_STAGES:
                scores.setdefault(FIRST_STAGES[row], {})[card["seed"]] = stages[0]
    if not scores:
        lengths = ", ".join(map(str, sorted({card["steps"] for _, card in cards})))
        there = lengths or "no length: train one, as docs/reproduce.md says"
        raise ValueError(f"no row was trained for {steps} steps; there are cards of {there}")
    return Rows(steps, scores)


def curves(row: str) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """The learning curves of a row on held-out pictures, by length of training.

    Returns
    -------
    dict
        Length -> the steps at which was looked [points], and PSNR in dB there [seeds, points] of the last stage.

    Examples
    --------
    >>> steps, psnr = curves("AP-BSN")[2400]
    >>> [int(step) for step in steps[-3:]], len(psnr)
    ([1024, 2048, 2400], 3)
    """
    found: dict[int, list[list[dict]]] = {}
    for card in trainings(recipes.ROWS[row]):
        found.setdefault(card["steps"], []).append(card["curve"])
    return {
        length: (
            np.array([point["steps"] for point in together[0]]),
            np.array([[point["psnr"] for point in curve] for curve in together]),
        )
        for length, together in found.items()
    }
