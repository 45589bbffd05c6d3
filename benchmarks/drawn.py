"""Is what was drawn recognised, and is no noisy picture taken for it?

Pictures drawn by Pillow and Matplotlib, smooth ramps in 8 bits, real noisy pictures, and Kodak24 with white noise as
exposed and over- or underexposed; 256x256 pixels of each. Counted is what comes back unchanged for one of three
reasons: it was drawn (`denoiser.drawn`), it is smooth shading, or no more than rounding; others come back
unchanged as well, where no noise can be inspected or it is weak. Pictures of odd and of even
number are counted apart. The limit for soft edges was set when all drawn pictures had been looked at, every fourth of
Kodak24, and of the real ones how many of their neighbours are equal.
"""

import io
from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
from outcome import heading, store
from PIL import Image, ImageDraw, ImageFont

from dnlib.denoiser.drawn import AREAS, EQUAL, OFTEN
from dnlib.denoiser.strength import SMOOTH, InspectedNoise, strength_of
from dnlib.images import Range, constant_areas, datasets, middle, range_in_use
from dnlib.noise import DITHERED

SIDE, SIGMAS = 256, (5, 15, 50)
NOISY = (
    *("polyu", "sidd_textured", "sidd_val_crops", "fmd"),
    *("fluorescence", "dnd_noisy", "photos_noisy", "microscopy_single"),
)
PAPERS = {"white": ("white", "black"), "cream": ((250, 240, 215), (40, 30, 20)), "black": ("black", "white")}
TEXT = "the noise takes edges of letters for grain and smears what was printed clean 0123456789 (a+b)=c"


def printed(paper, ink, size: int, seed: int) -> np.ndarray:
    rng, font, page = np.random.default_rng(seed), ImageFont.load_default(size), Image.new("RGB", (SIDE, SIDE), paper)
    for top in range(4, SIDE - size, int(1.4 * size)):
        ImageDraw.Draw(page).text((6, top), " ".join(rng.permutation(TEXT.split())), ink, font)
    return np.asarray(page)


def plotted(seed: int, dpi: int) -> np.ndarray:
    rng, file = np.random.default_rng(seed), io.BytesIO()
    figure, axes = plt.subplots(figsize=(3.5, 3))
    (axes.plot if seed % 2 else axes.scatter)(np.arange(60), rng.standard_normal(60).cumsum())
    axes.set(title="a walk", xlabel="time")
    figure.savefig(file, dpi=dpi)
    plt.close(figure)
    return np.asarray(Image.open(file).convert("RGB"))


def ramp(seed: int, dither: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    down, right = rng.uniform(0.02, 0.4, 2)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return np.rint(40 + down * rows + right * columns + rng.uniform(-dither, dither, rows.shape)).astype(np.uint8)


def pictures() -> Iterator[tuple[str, np.ndarray]]:
    """Each, as stored, with its kind."""
    for name, colours in PAPERS.items():
        yield from ((f"print on {name}", printed(*colours, size, size)) for size in range(9, 33))
    yield from (("plots", plotted(seed, dpi)) for dpi in (72, 100, 150) for seed in range(4))
    for dither in (0, 0.5):
        yield from ((f"ramps{', dithered' * bool(dither)}", ramp(k, dither)) for k in range(12))
    for name in NOISY:
        yield from ((name, example.noisy) for example in datasets.load(name))
    for number, example in enumerate(datasets.load("kodak24")):
        clean = middle(example.clean, SIDE).astype(float)
        noise = np.random.default_rng(number).normal(0, SIGMAS[number // 2 % 3], clean.shape)
        for exposure in (0.05, 1, 2, 4):
            yield f"Kodak24 exposed {exposure} times", np.rint(exposure * clean + noise).clip(0, 255).astype(np.uint8)


def reason(picture: np.ndarray) -> str:
    """Why a picture comes back unchanged: "drawn", "shading", "rounding", or "" if for none of these."""
    frame = np.atleast_3d(middle(picture, SIDE))
    inside = ~constant_areas(frame[None])[0]
    inside = inside if np.ptp(frame[inside]) else np.ones_like(inside)
    unit = Range.told(float(frame[inside].min()), float(frame[inside].max()))
    values = unit.to_unit(frame)
    known = strength_of(values, inside, range_in_use(frame[inside]), unit, [values], written=1)
    if known.drawn or not isinstance(known, InspectedNoise):
        return "drawn" * known.drawn
    return "shading" if min(known.known.lag_1) > SMOOTH else "rounding" * known.rounded


def main():
    found = {}
    for kind, picture in pictures():
        found.setdefault(kind, []).append(reason(picture) if np.ptp(middle(picture, SIDE)) else "")
    rows = {
        kind: {
            "even": sum(map(bool, reasons[::2])),
            "of_even": len(reasons[::2]),
            "odd": sum(map(bool, reasons[1::2])),
            "of_odd": len(reasons[1::2]),
            "share": round(sum(map(bool, reasons)) / len(reasons), 3),
            "reasons": {why: reasons.count(why) for why in ("drawn", "shading", "rounding")},
        }
        for kind, reasons in found.items()
    }
    store("drawn", equal=EQUAL, areas=AREAS, often=OFTEN, smooth=SMOOTH, rounding=DITHERED, rows=rows)
    print(heading())
    for kind, row in rows.items():
        print(f"  {kind:28}", row)


if __name__ == "__main__":
    main()
