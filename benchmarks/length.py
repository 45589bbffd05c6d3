"""How does the distance between the blind spot and Noise2Clean shrink with the length of training?

Recipes `blind_spot_rgb_sigma25` and `noise2clean_rgb_sigma25_short`, each trained anew with LENGTHS steps, and their
shipped weights, the longest; PSNR on the first IMAGES of Kodak24, whole, the same noise for all. Ten minutes on two
cores. Cut short, it goes on where it was.
"""

from outcome import HERE, store

from dnlib.images import datasets
from dnlib.noise import Gaussian
from dnlib.training import evaluate, fit
from dnlib.zoo import cards, recipes, trainer

LENGTHS, IMAGES = (300, 600, 1_200), 8
NAMES = {"Noise2Clean": "noise2clean_rgb_sigma25_short", "blind spot": "blind_spot_rgb_sigma25"}


def trained(name: str, steps: int):
    method, _ = trainer.untrained(name)
    size = recipes.sizes("laptop", recipes.find(name))
    fit(
        method,
        trainer.batches(name),
        steps=steps,
        learning_rate=size["learning_rate"],
        ramp_up=size["ramp_up"],
        ramp_down=size["ramp_down"],
        checkpoint=HERE.parent / "runs" / "benchmarks" / f"{name}_{steps}.checkpoint.safetensors",
        progress=True,
    )
    return method


def main():
    kodak = datasets.load("kodak24", limit=IMAGES)
    full = recipes.sizes("laptop", recipes.find(NAMES["blind spot"]))["steps"]
    psnr = {label: {} for label in NAMES}
    for steps in (*LENGTHS, full):
        for label, name in NAMES.items():
            method = cards.load_method(name) if steps == full else trained(name, steps)
            psnr[label][str(steps)] = evaluate(method, kodak, Gaussian(25)).mean_psnr
        distance = psnr["Noise2Clean"][str(steps)] - psnr["blind spot"][str(steps)]
        print(
            f"  {steps:6} steps: " + ", ".join(f"{label} {values[str(steps)]:.2f} dB" for label, values in psnr.items())
        )
        print(f"         distance {distance:.2f} dB")
    store("length", images=IMAGES, psnr=psnr)


if __name__ == "__main__":
    main()
