"""What is said of a result, in plain sentences: notes; and on a page, what it rests on and when not to believe it."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from dnlib.denoiser.candidates import UNCHANGED, candidates_in
from dnlib.denoiser.choice import Choice
from dnlib.denoiser.choosing import Chosen
from dnlib.denoiser.sampling import direction_of_noise, sample_tiles
from dnlib.denoiser.strength import PURE
from dnlib.images import Part, middle
from dnlib.noise import MIDDLE, Inspection, first_told, other_noise

COARSE = 1.0  # noise below so many steps was the dither of the values
CLIPPED = 0.01  # a share of black and white pixels above this is worth a sentence


def with_notes(part: Part, chosen: Chosen, kind: np.dtype, step: int) -> tuple[Choice, list[str]]:
    """The choice for a part, and what a user should know of the result, written as `kind` in steps."""
    choice, before = chosen.choice, chosen.before
    part = before.prepared(part)
    said = [*choice.notes, *before.notes]
    if choice.filter != UNCHANGED:
        tiles = sample_tiles(
            [chosen.range.to_unit(part.pixels[k]) for k in part.holding], list(part.inside[part.holding])
        )
        if along := direction_of_noise(tiles):
            said.append(
                f"neighbours share the noise along {along}: some of it may be left (`dnlib noise` says what helps)"
            )
        if np.issubdtype(kind, np.integer) and choice.noise < COARSE * step:
            said.append(
                f"the noise, {choice.noise:.2g}, is finer than the steps of {step} that are written: smooth areas may "
                "show contours; --dtype float32 has none"
            )
    others = list(_other_noise_of(part, chosen))
    uneven = any("places" in sentences for _, sentences in others)
    return replace(choice, uneven=uneven), said + first_told(others)


def _other_noise_of(part: Part, chosen: Chosen) -> Iterator[tuple[str, dict[str, str]]]:
    """What else is to be said of the noise of each sample; of all but the first its middle is looked at.

    Rows or columns that were levelled are not asked for again, nor are impulses where they were sought beforehand.
    """
    looked_for = ["places", *["lines"] * (not chosen.before.along), *["impulses"] * (not chosen.harmless)]
    for k in part.holding:
        image, inside, where = chosen.range.to_unit(part.pixels[k]), part.inside[k], ""
        if k != part.holding[0]:
            image, inside, where = middle(image, MIDDLE), middle(inside, MIDDLE), "in parts of it, "
        yield (
            where,
            other_noise(
                image,
                chosen.strength.variance(image),
                inside,
                lambda level: f"{chosen.span * level:.3g}",
                kinds=looked_for,
            ),
        )


def caveats_of(choice: Choice) -> list[str]:
    """Sentences on the choice for one part of a picture.

    Examples
    --------
    >>> caveats_of(Choice("median", {}, 0.1, 1.0, {}, how="asked for"))[0]
    'The filter was asked for by its name and applied in full: nothing says that it does more good than harm.'
    """
    found = choice.noise_found
    of_noise = _of_noise(found, choice.uneven) if isinstance(found, Inspection) else _without_inspection(choice)
    always = (
        "The errors stated are estimates that rest on the same noise. They are right about which candidate is better "
        "more often than about how good it is.",
        "Measure on the original, and use the denoised picture to look at.",
    )
    return [*_of_choice(choice), *of_noise, *always]


def _of_choice(choice: Choice) -> list[str]:
    """On what was chosen."""
    said, share = [], min(choice.weights)
    if choice.how == "asked for":
        said.append(
            "The filter was asked for by its name and applied in full: nothing says that it does more good than harm."
        )
    said += [_before(done) for done in choice.beforehand]
    if choice.filter == UNCHANGED:
        return said
    if share < 0.995:
        said.append(
            f"Of what it removes {share:.0%} was taken off"
            f"{' in one channel, more in others' if max(choice.weights) - share > 0.01 else ''}: all of it would have "
            "cost more picture than noise. Some noise is left for that reason."
        )
    if any(candidate.weights for candidate in candidates_in(choice.filter)):
        said.append(
            "A network learnt from photographs. Cells, stars, prints and drawings are other pictures than it knows: "
            "see whether it drew what is not there."
        )
    return said


def _before(done: str) -> str:
    """What was done before the filter, and what the subject may have lost by it."""
    if "impulses" in done:
        return (
            f"First of all: {done}, by the median of what is around. They lie at random, bright ones and dark ones; "
            "a detail of the subject of one pixel that looks the same has gone with them."
        )
    return (
        f"First of all: {done}, for whole ones were too bright or too dark. A straight edge of the subject that runs "
        "along one, from side to side, loses by it."
    )


def _of_noise(found: Inspection, uneven: bool) -> list[str]:
    """On the noise as it was inspected."""
    reach = len(found.map) // 2
    said = [
        "The noise differs from place to place, but was taken to depend on brightness and colour alone. The numbers "
        "here are true of neither part: noise is left in the one, and detail lost in the other. Denoise the parts one "
        "by one."
        if uneven
        else "The noise was taken to depend on brightness and colour alone, and to be the same all over the picture. "
        "Parts pasted in, and corners that a camera has brightened, break that.",
        f"What pixels share was looked at up to {reach} pixels away: larger blotches count as picture and stay.",
    ]
    if found.pure < PURE and np.count_nonzero(found.map) > 1:
        said.append(
            f"Noise alone was seen in {found.pure:.0%} of what is neither black nor white; the rest is texture. Fine "
            "texture may have been taken for noise: the level may be stated too high, and texture removed."
        )
    else:
        said.append(
            "Texture as fine as the noise (fabric, sand, hair, small dots) cannot be told from it in a single picture. "
            "If you see it in what was removed, it is gone from the result."
        )
    if found.saturated > CLIPPED:
        said.append(
            f"Black or white are {found.saturated:.0%} of the pixels. What is cut off there has less noise than the "
            "rest, and of another kind: do not compare brightness in such places."
        )
    if found.blocks:
        said.append(
            "It was a JPEG file: part of the noise was lost in its blocks, the rest is spread over them. The estimate "
            "is least sure of such pictures. The file of the camera before JPEG is better."
        )
    if found.enlarged:
        said.append("It was enlarged, which smears noise and detail alike. Reduce it to its former size first.")
    if found.white != 255:
        said.append(
            f"Black was taken to be {found.range.low:.6g} and white {found.range.high:.6g}. What is clipped depends on "
            "it; if the values can go further, --range BLACK WHITE says so."
        )
    return said


def _without_inspection(choice: Choice) -> list[str]:
    """On noise that could not be inspected."""
    if choice.how == "counted":
        return [
            "The values were taken for counts of photons, whose variance is their mean. Of counts that were scaled, "
            "averaged or had an offset taken off, none of this is true."
        ]
    return [
        "The noise was taken to be independent from pixel to pixel, and as strong in dark as in bright places. If "
        "neighbours share it, part of it is left; if it depends on brightness, some places are too smooth and others "
        "too noisy."
    ]
