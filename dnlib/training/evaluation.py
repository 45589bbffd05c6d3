"""Scoring a method on images whose clean versions are known, in the protocol of the papers it is compared with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from tqdm.auto import tqdm

from dnlib.images import Example, to_image, to_tensor, to_unit
from dnlib.methods import Method
from dnlib.noise import Noise, NoisyImage
from dnlib.training import metrics


@dataclass(frozen=True)
class Scores:
    """PSNR in dB and SSIM of each image, with the names without which they mean nothing."""

    names: tuple[str, ...]
    psnr: tuple[float, ...]
    ssim: tuple[float, ...]
    protocol: str
    ssim_variant: str

    @property
    def mean_psnr(self) -> float:
        return float(np.mean(self.psnr))

    @property
    def mean_ssim(self) -> float:
        return float(np.mean(self.ssim))

    def __str__(self) -> str:
        return (
            f"{self.mean_psnr:.2f} dB, SSIM {self.mean_ssim:.3f} ({self.ssim_variant}), "
            f"{len(self.names)} images, protocol {self.protocol}"
        )


def evaluate(
    method: Method,
    dataset: Sequence[Example],
    noise: Noise,
    *,
    protocol: str = "synthetic_rgb",
    draws: int = 1,
    seed: int = 0,
    progress: bool = False,
) -> Scores:
    """Denoise `draws` noisy versions of each image; every method sees the same noise for the same seed.

    The papers draw 10 times on Kodak24 (`metrics.PROTOCOLS[...].draws`).
    Raises ValueError without images, or without their clean versions.
    """
    if not dataset or draws < 1:
        raise ValueError(f"at least one image and one draw of noise are scored; {len(dataset)} and {draws} were given")
    if missing := [example.name for example in dataset if example.clean is None]:
        raise ValueError(f"scores need clean images; {missing[0]} has none")
    names, scores = [], []
    for index, example in enumerate(tqdm(dataset, desc="evaluating", unit="image", disable=not progress)):
        clean = to_tensor(example.clean)
        for draw in range(draws):
            noisy = draw_noisy(clean, noise, seed, index, draw).image
            scores.append(metrics.score(method.denoise(noisy).mean, clean, protocol))
            names.append(example.name)
    return Scores(
        tuple(names), tuple(s.psnr for s in scores), tuple(s.ssim for s in scores), protocol, scores[0].ssim_variant
    )


class CameraScore(NamedTuple):
    """Means over images in the protocol real_srgb: PSNR in dB, and both functions that papers call SSIM there."""

    psnr: float
    ssim_uniform: float
    ssim_volume: float

    def __str__(self) -> str:
        ssims = f"SSIM {self.ssim_uniform:.3f} (uniform), {self.ssim_volume:.3f} (volume)"
        return f"{self.psnr:.2f} dB, {ssims}, protocol real_srgb"


def score_pairs(denoise: Callable[[torch.Tensor], torch.Tensor], pairs: Sequence[Example]) -> CameraScore:
    """Denoise the noisy images of a camera, each as [1, C, H, W] in [0, 1], and compare with their clean versions.

    Raises ValueError without images, or for one that lacks its noisy or its clean version.
    """
    if not pairs:
        raise ValueError("at least one pair is scored; none was given")
    found = []
    for example in pairs:
        if example.noisy is None or example.clean is None:
            raise ValueError(f"pairs have a noisy and a clean image; {example.name} has only one")
        restored = to_image(denoise(to_tensor(to_unit(example.noisy)))).clip(0, 1)
        clean = to_unit(example.clean)
        ssims = (metrics.ssim(restored, clean, variant, "real_srgb") for variant in ("uniform", "volume"))
        found.append((metrics.psnr(restored, clean, "real_srgb"), *ssims))
    return CameraScore(*(float(mean) for mean in np.mean(found, axis=0)))


def draw_noisy(clean: torch.Tensor, noise: Noise, *key: int) -> NoisyImage:
    """Noise that depends on nothing but `key`: seed, image, draw."""
    seed = np.random.SeedSequence(key).generate_state(1)[0]
    return noise.sample(clean, torch.Generator().manual_seed(int(seed)))
