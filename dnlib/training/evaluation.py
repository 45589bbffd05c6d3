"""Scoring a denoiser on images whose clean versions are known, in the protocol of the papers it is compared with."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from dnlib.images import Example, to_tensor
from dnlib.methods import Estimate, Method, evaluating
from dnlib.noise import Noise, NoisyImage
from dnlib.training import metrics
from dnlib.training.parts import take_apart
from dnlib.training.scores import Scores

Denoiser = Method | Callable[[Tensor], Tensor | Estimate]
"""A method, or whatever makes of noisy images [N, C, H, W] the denoised ones: a network, a function.

Networks are in evaluation mode for as long as they are scored.
"""


def evaluate(
    denoiser: Denoiser,
    dataset: Sequence[Example],
    noise: Noise,
    *,
    protocol: str = "synthetic_rgb",
    draws: int = 1,
    seed: int = 0,
    progress: bool = False,
) -> Scores:
    """Draw noise into clean images, denoise, compare. Every denoiser sees the same noise for the same seed.

    Parameters
    ----------
    denoiser : Method or callable
        Of [1, C, H, W] in [0, 1] it makes the denoised image. A method that needs the noise parameter (its `needs`) is
        told the one that was drawn, in the paper's unit.
    dataset : sequence of Example
        With clean images.
    noise : Noise
        Drawn for each image and draw anew, by `draw_noisy(clean, noise, seed, image, draw)`.
    protocol : str
        A key of `PROTOCOLS`.
    draws : int
        How many noisy versions of each image. The papers draw 10 times on Kodak24 (`PROTOCOLS[...].draws`).
    seed : int
        Of the noise.
    progress : bool
        Show a bar.

    Raises
    ------
    ValueError
        Without images, without their clean versions, for two of one name, for an unknown protocol, for a method that is
        told another quantity than this noise's strength, and for a denoiser that answers with anything but an image of
        the same shape.

    Examples
    --------
    >>> from dnlib.noise import Gaussian
    >>> gray = Example("gray", clean=np.full((32, 32, 3), 128, np.uint8))
    >>> print(evaluate(lambda noisy: noisy, [gray], Gaussian(25)).names)
    ('gray',)
    """
    dataset = _named_apart(dataset)
    if not dataset or draws < 1:
        raise ValueError(f"at least one image and one draw of noise are scored; {len(dataset)} and {draws} were given")
    if missing := [example.name for example in dataset if example.clean is None]:
        raise ValueError(f"scores need clean images; {missing[0]} has none")
    check_told(denoiser, noise)

    def rows() -> Iterator[tuple[str, Tensor, Tensor, Tensor]]:
        for index, example in enumerate(tqdm(dataset, desc="evaluating", unit="image", disable=not progress)):
            clean = to_tensor(example.clean)
            for draw in range(draws):
                noisy, parameter = draw_noisy(clean, noise, seed, index, draw)
                yield example.name, clean, noisy, noise.to_paper(parameter)

    return _score(denoiser, rows(), protocol)


def score_pairs(denoiser: Denoiser, pairs: Sequence[Example], *, protocol: str = "real_srgb") -> Scores:
    """Denoise the noisy images of a camera and compare with their clean versions.

    Parameters
    ----------
    denoiser : Method or callable
        Of [1, C, H, W] in [0, 1] it makes the denoised image.
    pairs : sequence of Example
        With noisy and clean images.
    protocol : str
        A key of `PROTOCOLS`.

    Raises
    ------
    ValueError
        Without images, for one that lacks its noisy or its clean version, for two of one name, and as `evaluate`.

    Examples
    --------
    >>> image = np.full((16, 16, 3), 128, np.uint8)
    >>> print(score_pairs(lambda noisy: noisy, [Example("a", clean=image, noisy=image + np.uint8(1))]))
    48.13 dB, SSIM 1.000 (uniform), 1.000 (volume), 1 images, protocol real_srgb
    """
    pairs = _named_apart(pairs)
    if not pairs:
        raise ValueError("at least one pair is scored; none was given")
    for example in pairs:
        if example.noisy is None or example.clean is None:
            raise ValueError(f"pairs have a noisy and a clean image; {example.name} has only one")
    return _score(denoiser, ((e.name, to_tensor(e.clean), to_tensor(e.noisy), None) for e in pairs), protocol)


@torch.no_grad()
def _score(denoiser: Denoiser, rows: Iterable[tuple[str, Tensor, Tensor, Tensor | None]], protocol: str) -> Scores:
    """rows: name, clean image, noisy image, and the noise parameter in the paper's unit where it is known."""
    variants = dict.fromkeys(("uniform", metrics.rule(protocol).ssim))
    names, psnr, ssim, found = [], [], {variant: [] for variant in variants}, []
    for name, clean, noisy, parameter in rows:
        estimate = _denoised(denoiser, noisy, parameter)
        names.append(name)
        psnr.append(metrics.psnr(estimate, clean, protocol))
        for variant, values in ssim.items():
            values.append(metrics.ssim(estimate, clean, variant, protocol))
        found.append(take_apart(estimate, clean, protocol))
    ssims = {variant: tuple(values) for variant, values in ssim.items()}
    return Scores(tuple(names), tuple(psnr), ssims, protocol, tuple(found))


def check_told(method: Denoiser, noise: Noise) -> None:
    """Refuse noise whose strength is no such quantity as a method wants to be told."""
    if "parameter" not in getattr(method, "needs", ()) or not hasattr(method, "noise"):
        return
    wanted, given = (getattr(model, "what", None) for model in (method.noise, noise))
    if None not in (wanted, given) and wanted != given:
        raise ValueError(
            f"{type(method).__name__} is told the {wanted} of {method.noise}; {noise} has {given}, which is no {wanted}"
        )


def _named_apart(examples: Iterable[Example]) -> list[Example]:
    examples, known = list(examples), set()
    for example in examples:
        if example.name in known:
            raise ValueError(f"two images are called {example.name}, and scores are kept by name: give each its own")
        known.add(example.name)
    return examples


def _denoised(denoiser: Denoiser, noisy: Tensor, parameter: Tensor | None) -> Tensor:
    if isinstance(denoiser, Method):
        told = {"parameter": parameter} if "parameter" in denoiser.needs else {}
        answer = denoiser.denoise(noisy, **told)
    else:
        with evaluating(*([denoiser] if isinstance(denoiser, nn.Module) else [])):
            answer = denoiser(noisy)
    answer = answer.mean if isinstance(answer, Estimate) else answer
    if not isinstance(answer, Tensor):
        raise ValueError(f"a denoiser answers with a tensor [N, C, H, W] or an Estimate; {type(answer).__name__} came")
    return answer


def draw_noisy(clean: Tensor, noise: Noise, seed: int, *numbers: int) -> NoisyImage:
    """Noise that depends on nothing but a seed and the numbers of the image and of the draw.

    Parameters
    ----------
    clean : Tensor [N, C, H, W]
        In [0, 1].
    noise : Noise
        The model to draw from.
    seed, *numbers : int
        Whole numbers >= 0: seed, image, draw, and whatever else is counted. Numbers left out are 0.

    Examples
    --------
    >>> from dnlib.noise import Gaussian
    >>> clean = torch.full((1, 3, 8, 8), 0.5)
    >>> one, again, other = (draw_noisy(clean, Gaussian(25), *key).image for key in [(0,), (0, 0, 0), (0, 0, 1)])
    >>> torch.equal(one, again), torch.equal(one, other)
    (True, False)
    """
    state = np.random.SeedSequence([seed, *numbers]).generate_state(1)[0]
    return noise.sample(clean, torch.Generator().manual_seed(int(state)))
