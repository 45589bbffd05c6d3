"""How well does a network taught by mixed noise denoise photographs of cameras it has never seen, and white noise?

The middles, 256x256, of photographs with a clean version from phones (SIDD, two choices), cameras (PolyU) and
microscopes (FMD, gray in three equal colours), every few images; and of Kodak24 with white noise and through a camera.
None of them taught anything. Beside the noisy image: the shipped weights, and those whose cards are named:

    python benchmarks/photos.py runs/train/laptop_seed0/photographs_rgb.yaml

A checkpoint of a training under way can be named, too: NAME.checkpoint.safetensors. PSNR in the protocol real_srgb;
processor seconds per image.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from outcome import heading, store
from safetensors.torch import load_file
from torch import Tensor

from dnlib.images import datasets, middle, to_tensor
from dnlib.methods import Method
from dnlib.noise import Camera, CorrelatedGaussian, Gaussian, read_noise
from dnlib.training import draw_noisy, psnr
from dnlib.zoo import cards, trainer

SIDE, COUNT = 256, 8  # of an image in pixels; how many of each set
SHIPPED = ("bias_free_rgb_sigma0to55", "patch_craft_rgb_sigma20_box3", "photographs_rgb")
REAL = ("sidd_textured", "sidd_val_crops", "polyu", "fmd")
DRAWN = (
    *map(Gaussian, (15, 25, 50)),
    CorrelatedGaussian(20, 3),
    Camera(800),
    Camera(3200),
    Camera(3200, demosaic="bilinear", jpeg=80),
    read_noise("Resized(Camera(3200), 1.5)"),
)


def spread(examples: list) -> list:
    """COUNT of them, evenly."""
    return examples[:: max(1, len(examples) // COUNT)][:COUNT]


def colour(image: np.ndarray) -> Tensor:
    picture = to_tensor(middle(image, SIDE))
    return picture.expand(-1, 3, -1, -1) if picture.shape[1] == 1 else picture


def sets() -> Iterator[tuple[str, list[tuple[Tensor, Tensor]]]]:
    """Each test set that is here: its name, and pairs of a noisy and a clean image."""
    for name in REAL:
        if datasets.find(name).is_present:
            examples = spread([example for example in datasets.load(name) if example.clean is not None])
            yield name, [(colour(example.noisy), colour(example.clean)) for example in examples]
    kodak = [colour(example.clean) for example in spread(datasets.load("kodak24"))]
    for noise in DRAWN:
        yield (
            f"kodak24, {noise}",
            [(draw_noisy(clean, noise, 0, i).image, clean) for i, clean in enumerate(kodak)],
        )


def loaded(path: Path) -> Method:
    """The method of a card, or the averaged weights of a checkpoint."""
    if not path.name.endswith(".checkpoint.safetensors"):
        return cards.load_method(path)
    method, _ = trainer.untrained(path.name.split(".")[0])
    found = load_file(path)
    average = {key.removeprefix("average."): value for key, value in found.items() if key.startswith("average.")}
    method.load_state_dict(average)
    return method.eval()


@torch.no_grad()
def main():
    print(heading())
    methods = {name: cards.load_method(name) for name in SHIPPED if name in cards.available()}
    methods |= {Path(path).name: loaded(Path(path)) for path in sys.argv[1:] if not path.startswith("-")}
    rows, seconds = {}, dict.fromkeys(methods, 0.0)
    for name, pairs in sets():
        rows[name] = {"noisy": float(np.mean([psnr(noisy, clean, "real_srgb") for noisy, clean in pairs]))}
        for what, method in methods.items():
            started = time.process_time()
            answers = [method.denoise(noisy).mean for noisy, _ in pairs]
            seconds[what] += (time.process_time() - started) / len(pairs)
            scores = [psnr(answer, clean, "real_srgb") for answer, (_, clean) in zip(answers, pairs, strict=True)]
            rows[name][what] = float(np.mean(scores))
        print(f"  {name}: " + ", ".join(f"{what} {value:.2f}" for what, value in rows[name].items()), flush=True)
    seconds = {what: total / len(rows) for what, total in seconds.items()}
    print("  processor seconds per image: " + ", ".join(f"{what} {value:.2f}" for what, value in seconds.items()))
    store("photos", psnr=rows, cpu_seconds=seconds, images=COUNT)


if __name__ == "__main__":
    main()
