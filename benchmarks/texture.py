"""Where a picture is texture all over, does a network for photographs tell texture from noise?

From one such picture the noise of a camera cannot be told from lawn or gravel. Texture is shared by all colours; where
the supposed noise is not (`denoiser.strength.in_doubt`), the denoiser asks its network for photographs what share of it
that removes (`taken_for_noise`), and trusts the noise from DISAGREED on, fully from AGREED on. Here are these shares:
in clean pictures of BSDS500's validation, from which the network did not learn, and in Kodak24 through a camera,
256x256 pixels of each. Beside them, what they would be if colours did not matter.

The limits for the network were chosen on half of Kodak24 and on BSDS500, most of which it has learnt from; that for
colours, after five of the validation's pictures had been trusted wrongly. Those of the network were lowered later,
when the validation's pictures were looked at as well: they are no test of them any more.
"""

from collections.abc import Iterator

import numpy as np
from outcome import heading, store

from dnlib.denoiser import CANDIDATES
from dnlib.denoiser.sampling import sample_tiles
from dnlib.denoiser.strength import AGREED, DISAGREED, GRAIN, SENSOR, SETTLED, strength_of, taken_for_noise, trust
from dnlib.images import Range, datasets, middle, to_image, to_tensor, to_unit
from dnlib.noise import Camera
from dnlib.training import draw_noisy

SIDE, ISO = 256, (800, 1600, 3200)
NETWORK = CANDIDATES["photographs_network"].filter


def pictures() -> Iterator[tuple[str, np.ndarray]]:
    """Each with the set that it belongs to."""
    for example in datasets.load("bsds500", split="val"):
        yield "BSDS500 validation, clean", middle(to_unit(example.clean), SIDE)
    for number, example in enumerate(datasets.load("kodak24")):
        clean = middle(to_unit(example.clean), SIDE)
        for iso in ISO:
            noisy = draw_noisy(to_tensor(clean), Camera(iso), 0, number).image.clip(0, 1)
            yield f"Kodak24, camera at ISO {iso}", to_image(noisy)


def opinion(picture: np.ndarray) -> tuple[float, float] | None:
    """The share that the network takes for noise, and what colours share of it; None where neither is asked for."""
    inside, unit = np.ones(picture.shape[:2], bool), Range.told(0, 1)
    tiles = sample_tiles([picture], [inside])
    known = strength_of(picture, inside, unit, unit, tiles, written=0)
    level = float(np.sqrt(known.variance(picture).mean()))
    if level <= GRAIN or trust(level, known) >= SETTLED:
        return None
    return taken_for_noise(NETWORK, tiles, known), known.alike


def main():
    found = {}
    for name, picture in pictures():
        found.setdefault(name, []).append(opinion(np.ascontiguousarray(picture, np.float32)))
    rows = {}
    for name, opinions in found.items():
        asked = sorted((round(share, 3), round(alike, 3)) for share, alike in filter(None, opinions))
        trusted = [share > DISAGREED for share, alike in asked if alike < SENSOR]
        rows[name] = {
            "pictures": len(opinions),
            "textured": len(asked),
            "trusted": sum(trusted),
            "trusted_without_colours": sum(share > DISAGREED for share, _ in asked),
            "share_and_alike": asked,
        }
    store("texture", disagreed=DISAGREED, agreed=AGREED, sensor=SENSOR, rows=rows)
    print(heading())
    for name, row in rows.items():
        print(f"  {name:28}", {key: value for key, value in row.items() if key != "share_and_alike"})


if __name__ == "__main__":
    main()
