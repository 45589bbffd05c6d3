"""Families of recipes that differ in a few words: a function for each, and the sizes that they share.

what: begins or ends the title of a recipe. sizes: (laptop, paper), as in `Recipe`.
"""

from dataclasses import replace
from typing import Any

from dnlib.methods import outputs
from dnlib.noise import Camera, CorrelatedGaussian, Gaussian, Impulse, Noise, Sensor
from dnlib.training import Appearance
from dnlib.zoo.recipe import PHONES, PHONES_AND_CAMERAS, PHONES_AS_PAPERS, Recipe, Teacher

# size -> (laptop, paper): two CPU cores for most of an hour, and Laine et al.'s
SIZES = {
    "width": (32, 48),
    "size": (64, 256),  # of a crop, in pixels
    "count": (4, 4),  # crops per step
    "steps": (48_000, 500_000),
    "learning_rate": (7e-4, 3e-4),  # 2e-3 diverges
    "ramp_up": (0.1, 0.1),
    "ramp_down": (0.5, 0.3),
}
EQUAL = {"size": (120, 120), "count": (1, 8), "steps": (2_400, 500_000)}  # for the rows of the report's table
EQUAL |= {"learning_rate": (1e-3, 3e-4), "ramp_up": (0.05, 0.05), "ramp_down": (0.5, 0.5)}
SHORT = {"steps": (9_600, 500_000)}
LONGER = {"steps": (16_000, 500_000)}
LONGEST = {"steps": (16_000, 1_000_000)}  # for impulses, which are trained twice as long in the papers
SHUFFLED = {"size": (100, 120), "count": (2, 8), "steps": (400, 500_000), "learning_rate": (2e-3, 1e-4)}
SHALLOW = {"width": (24, 48), "depth": (3, 5)}  # of blind U-Nets
FLOOR = 1 / 7  # of the noise's deviation; noisy photographs alone lead to about this value (benchmarks/calibration.py)
BIAS_FREE = {"bias": False, "depth": 3}
LEVELS = Gaussian(10), Gaussian(25), Gaussian(50)


def blind_spot(
    what: str,
    noise: Noise,
    *tests: Noise,
    covariance: str = "full",
    sizes: dict = SHORT,
    published: float | None = None,
    **arguments: Any,
) -> Recipe:
    """Laine et al.'s blind spot; arguments: of the method."""
    if covariance != "none" and not isinstance(noise, Impulse):
        arguments["floor"] = FLOOR
    return Recipe(
        f"Blind spot and Bayes, colour, {what}",
        "BlindSpotBayes",
        noise,
        tests,
        network="TwoWayBlindSpotUNet",
        method_arguments={"noise": repr(noise), "covariance": covariance} | arguments,
        network_arguments={"outputs": outputs(3, covariance)},
        sizes=sizes,
        published=published,
    )


def any_camera(what: str, method: str, noise: Noise, channels: int = 3, start: str = "") -> Recipe:
    """A network for photographs of any camera.

    As Noise2Noise it starts at random, so that no clean picture teaches it. It then learns the mean of the noise, too,
    which is not 0 where files clip it: dark areas stay too bright.
    """
    cameras = (Camera(1600), Camera(6400, jpeg=90)) if channels == 3 else (Sensor(1600), Sensor(6400))
    return Recipe(
        f"{what}, photographs of any camera, blind to the kind and level of noise",
        method,
        noise,
        (Gaussian(25), CorrelatedGaussian(20, 3), noise, *cameras),
        method_arguments={"loss": "psnr"},
        network_arguments=BIAS_FREE | {"channels": channels},
        sizes={"width": (32, 32), "steps": (8_000, 500_000), "learning_rate": (5e-4, 3e-4)},
        start=start,
        appearance=Appearance(),
    )


def _phones(what: str, method: str, **options: Any) -> Recipe:
    return Recipe(f"{what}, photographs of phones", method, trained_on=PHONES_AS_PAPERS, **options)


def ap_bsn(what: str, **strides: int) -> Recipe:
    """AP-BSN; strides: of the method, where they differ from those published."""
    arguments, sizes = {"border": None} | strides, SHUFFLED | {"blocks": (3, 9)}
    return _phones(what, "APBSN", network="DilatedBlindSpot", method_arguments=arguments, sizes=sizes)


def lg_bpn(what: str, local_blocks: tuple = (3, 9), global_blocks: tuple = (2, 6), **parts: Any) -> Recipe:
    """LG-BPN; parts: of its network, where they differ from those published."""
    sizes = SHUFFLED | {"local_blocks": local_blocks, "global_blocks": global_blocks}
    return _phones(what, "LGBPN", network="local_global", network_arguments=parts, sizes=sizes)


def ssid(what: str, bnn: Teacher | None = None, **arguments: Any) -> Recipe:
    """SSID, with as many crops of the same images as LG-BPN, but smaller ones, for its networks are shallow.

    The learning rate falls as in all trainings here, by a squared cosine; published is a cosine.
    """
    return _phones(
        what,
        "SSID",
        method_arguments=arguments,
        network_arguments={"pointwise": 0},
        sizes={"size": (64, 256), "count": (2, 8), "steps": (600, 400_000), "learning_rate": (2e-3, 3e-4)}
        | {"ramp_up": (0.1, 0.0), "ramp_down": (0.5, 1.0)}
        | SHALLOW,
        teachers={
            "bnn": bnn or Teacher("BlindSpotUNet", SHALLOW, {"outputs": 3, "shift": 5}),
            "lan": Teacher("LocallyAware", {"width": (32, 64)}, {}),
        },
    )


def distilled(held_out: str) -> Recipe:
    """Distillation: trained with a hole of 9 pixels, taught with seven holes (AT-BSN) and the noisy pixel (TM-BSN)."""
    return Recipe(
        f"One U-Net from many holes, photographs of phones and cameras, {held_out} held out",
        "Distilled",
        network_arguments={"pointwise": 0},
        sizes={"width": (32, 48), "depth": (3, 5), "size": (64, 128), "count": (2, 8), "steps": (5_000, 400_000)}
        | {"learning_rate": (1e-3, 3e-4), "ramp_up": (0.05, 0.0), "ramp_down": (0.5, 1.0)},
        teachers={"teacher": Teacher("BlindSpotUNet", SHALLOW, {"outputs": 3, "shift": 5, "mean": True})},
        trained_on=PHONES_AND_CAMERAS,
        held_out=(held_out,),
    )


def on_equal_terms(like: Recipe) -> Recipe:
    """A row of the report's table on equal terms: one set of noisy photographs, one crop, one number of steps.

    Each network answers with what is to be added to a mean of what it sees; blind ones look at differences as well. No
    answer is refined, since networks are compared, and any answer could be. None of these photographs judges.
    """
    mean, blind = {"mean": True}, {"mean": True, "differences": True}
    teachers = {
        name: teacher._replace(arguments=teacher.arguments | (blind if name in ("bnn", "teacher") else mean))
        for name, teacher in like.teachers.items()
    }
    return replace(
        like,
        title=f"{like.title.partition(', photographs of phones')[0]}, on equal terms",
        method_arguments=like.method_arguments | ({"refinements": 0} if like.method in ("APBSN", "LGBPN") else {}),
        network_arguments=like.network_arguments | (mean if like.teachers else blind),
        teachers=teachers,
        sizes=like.sizes | EQUAL,
        trained_on=PHONES,
        held_out=(),
    )
