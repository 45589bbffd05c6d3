"""What does training the denoiser's best network further on one picture, or on shots of one scene, gain?

Five frames of each of the four videos of DAVIS that no network here learnt from (the results are of three), their
middles, with noise drawn for each frame anew, in 8 bits. Denoised as a stack: as it is, with `adapt` for SECONDS
(recorrupted pairs), and with `burst` as well (Patch-Craft; candidates are then judged at the same places of every
frame, so that the choice may differ by a little). PSNR over the frames, and what became of the training. Forty minutes
of one core. Cut short, it goes on where it was. Needs davis480p.
"""

import argparse

import numpy as np
import torch
from outcome import heading, store, stored

import dnlib
from dnlib.images import datasets, middle, to_image, to_tensor
from dnlib.noise import Camera, CorrelatedGaussian, Gaussian, noisy_burst
from dnlib.training import metrics
from dnlib.zoo.recipe import HELD_OUT

SIDE, FRAMES, SECONDS = 320, 5, 60
NOISES = {"sigma 25": Gaussian(25), "sigma 20, box of 3": CorrelatedGaussian(20, 3), "camera at ISO 3200": Camera(3200)}
WAYS = {"as it is": {}, "adapted": {"adapt": SECONDS}, "adapted to the burst": {"adapt": SECONDS, "burst": True}}


def shots(video: int, noise) -> tuple[np.ndarray, np.ndarray]:
    """Clean, in [0, 1], and noisy of 8 bits, [5, H, W, 3]."""
    frames = datasets.load("davis480p")[-HELD_OUT:][video].clean[:FRAMES]
    clean = torch.cat([to_tensor(middle(frame, SIDE)) for frame in frames])
    noisy = noisy_burst(clean, noise, torch.Generator().manual_seed(video)).image
    return tuple(np.stack([to_image(one[None]) for one in burst]) for burst in (clean, noisy))


def denoised(clean: np.ndarray, noisy: np.ndarray, **asked) -> dict:
    stored_as = (255 * noisy.clip(0, 1)).round().astype(np.uint8)
    result, choice = dnlib.denoise(stored_as, channels=True, return_choice=True, **asked)
    scores = [metrics.psnr(one / 255, truth, "real_srgb") for one, truth in zip(result, clean, strict=True)]
    return {"psnr": round(float(np.mean(scores)), 3), "took": choice.filter, "adapted": "_adapted" in choice.filter}


def summary(rows: dict) -> dict[str, dict[str, dict[str, float]]]:
    """What a way gained over none, in dB, a mean over videos, and how often its network was kept."""
    found = {way: {"gain": {}, "kept": {}} for way in list(WAYS)[1:]}
    for noise, videos in rows.items():
        done = [one for one in videos.values() if len(one) == len(WAYS)]
        for way, told in found.items():
            gains = [one[way]["psnr"] - one["as it is"]["psnr"] for one in done]
            told["gain"][noise] = round(float(np.mean(gains)), 3)
            told["kept"][noise] = f"{sum(one[way]['adapted'] for one in done)} of {len(done)}"
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--publish", action="store_true")
    parser.parse_args()
    torch.set_num_threads(1)
    rows = stored("adapt").get("rows", {})
    print(heading())
    for video in range(HELD_OUT):
        for name, noise in NOISES.items():
            found, burst = rows.setdefault(name, {}).setdefault(str(video), {}), None
            for way, asked in WAYS.items():
                if way not in found:
                    burst = burst or shots(video, noise)
                    found[way] = denoised(*burst, **asked)
                    store("adapt", seconds=SECONDS, rows=rows)
            print(f"  {name}, video {video}: {found}", flush=True)
    store("adapt", seconds=SECONDS, **summary(rows), rows=rows)


if __name__ == "__main__":
    main()
