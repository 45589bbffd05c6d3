"""What a recipe says, and what it may learn from."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dnlib.noise import Noise
from dnlib.training import Appearance


class Teacher(NamedTuple):
    """A network that a method learns from: its name in `networks`, sizes as in `recipes.SIZES`, other arguments."""

    network: str
    sizes: dict[str, tuple]
    arguments: dict[str, Any]


class Source(NamedTuple):
    """Datasets to learn from, and what a card says of them.

    judge: the dataset of pairs that scores what was learnt; only for photographs that are noisy as they are. It may be
    one of the datasets to learn from: then the same images do both, as in the papers on phones.
    """

    datasets: tuple[str, ...]
    said: str
    judge: str = ""


SIDD, DND, TEXTURED = "sidd_val_crops", "dnd_noisy", "sidd_textured"
HELD_OUT = 4  # videos, the last ones
CLEAN_PHOTOGRAPHS = Source(("bsds500",), "bsds500 train and test (400 photographs), fresh noise at every step")
VIDEOS = Source(
    ("davis480p",),
    f"davis480p, 7 noisy frames of each video but the last {HELD_OUT}; noise drawn once, no clean image",
)
PHONES_AS_PAPERS = Source((SIDD,), f"the noisy images of {SIDD}, on which it is scored as well; no clean image", SIDD)
PHONES = Source((SIDD, DND), f"the noisy images of {SIDD} and {DND}; no clean image, none of {TEXTURED}", TEXTURED)
PHONES_AND_CAMERAS = Source(
    (SIDD, DND, TEXTURED),
    f"the noisy images of {SIDD}, {DND} and {TEXTURED}, the scenes held out apart; no clean image",
    TEXTURED,
)


@dataclass(frozen=True)
class Recipe:
    """How one of the shipped weights was made.

    Attributes
    ----------
    method, network : str
        Names in `dnlib.methods` and `dnlib.networks`, with `method_arguments` and `network_arguments`.
    noise : Noise or None
        To train with; None where the photographs are noisy as they are.
    tests : tuple of Noise
        To score at; `noise` where none is named.
    sizes : dict
        (laptop, paper), where they differ from `recipes.SIZES`; what these do not name is the network's.
    teachers : dict
        Networks that the method takes besides, by the argument's name.
    start : str
        The shipped weights that training begins with.
    appearance : Appearance or None
        Of the clean crops, where they do not stay as they are.
    trained_on : Source
        CLEAN_PHOTOGRAPHS with fresh noise, VIDEOS for noisy bursts alone, or the noisy photographs of the others.
    held_out : tuple of str
        Scenes that judge and are not learnt from.
    until_calm : bool
        Whether a blind network that teaches is trained on until it is calm: until its grain in flat areas lies below
        SSID's low threshold, so that it leads there. Each time it gets as many steps again, `trainer.PATIENCE` times at
        most.
    published : float or None
        The source's PSNR in dB on Kodak24 with the noise that training is watched with, where it gives one.

    Examples
    --------
    >>> from dnlib.zoo import RECIPES
    >>> RECIPES["blind_spot_rgb_poisson30"].method
    'BlindSpotBayes'
    """

    title: str
    method: str
    noise: Noise | None = None
    tests: tuple[Noise, ...] = ()
    network: str = "Noise2CleanUNet"
    method_arguments: dict[str, Any] = field(default_factory=dict)
    network_arguments: dict[str, Any] = field(default_factory=dict)
    sizes: dict[str, tuple] = field(default_factory=dict)
    teachers: dict[str, Teacher] = field(default_factory=dict)
    start: str = ""
    appearance: Appearance | None = None
    trained_on: Source = CLEAN_PHOTOGRAPHS
    held_out: tuple[str, ...] = ()
    until_calm: bool = False
    published: float | None = None

    @property
    def channels(self) -> int:
        """3, or 1 for gray pictures."""
        return self.network_arguments.get("channels", 3)

    @property
    def monitored(self) -> Noise:
        """The noise on the photographs that training is watched with."""
        return self.tests[len(self.tests) // 2] if self.tests else self.noise
