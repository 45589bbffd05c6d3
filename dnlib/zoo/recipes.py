"""The recipes of the shipped weights: what learns from what, and how large. `trainer` follows them.

Most train on BSDS500's train and test splits; its validation split and Kodak24 are held out. Patch-Craft trains on
DAVIS videos; the last four of those present are held out. What is made for phones trains on the very photographs that
score it, as in the papers, but never sees a clean one. Distilled networks are scored on a scene that they never saw,
taken with the same phones.
In a method of several stages, each stage has all of the steps.
The laptop size is what ships; the paper size needs a GPU for days. Rows that are compared have the same width and the
same number of steps. `noise2clean_rgb_sigma25_short` is compared with the blind spots: it has as few steps as they.
"""

from dataclasses import replace
from typing import Any

from dnlib.images import one_of
from dnlib.noise import CorrelatedGaussian, Gaussian, Impulse, Poisson
from dnlib.zoo import photographs
from dnlib.zoo.families import (
    BIAS_FREE,
    LEVELS,
    LONGER,
    LONGEST,
    SHORT,
    SIZES,
    any_camera,
    ap_bsn,
    blind_spot,
    distilled,
    lg_bpn,
    on_equal_terms,
    ssid,
)
from dnlib.zoo.recipe import VIDEOS, Recipe, Teacher

PROFILES = ("laptop", "paper")
SMOKE = {"width": 8, "size": 32, "count": 2, "steps": 3}  # what tests of chapters train with

RECIPES = {
    "noise2clean_rgb_sigma25": Recipe(
        "Noise2Clean, colour, Gaussian noise of sigma 25", "Noise2Clean", Gaussian(25), published=32.46
    ),
    "noise2noise_rgb_sigma25": Recipe(
        "Noise2Noise, colour, Gaussian noise of sigma 25", "Noise2Noise", Gaussian(25), published=32.45
    ),
    "bias_free_rgb_sigma0to55": Recipe(
        "Bias-free Noise2Clean, colour, blind to the level of Gaussian noise up to sigma 55",
        "Noise2Clean",
        Gaussian((0, 55)),
        LEVELS,
        network_arguments=BIAS_FREE,
        sizes={"steps": (56_000, 500_000)},  # as many minutes as Noise2Clean's, for it is less deep
    ),
    "bias_free_gray_sigma0to55": Recipe(
        "Bias-free Noise2Clean, gray, blind to the level of Gaussian noise up to sigma 55",
        "Noise2Clean",
        Gaussian((0, 55)),
        LEVELS,
        method_arguments={"loss": "psnr"},
        network_arguments=BIAS_FREE | {"channels": 1},
        sizes={"width": (32, 32), "steps": (40_000, 500_000), "learning_rate": (5e-4, 3e-4)},
    ),
    "noise2clean_rgb_sigma25_short": Recipe(
        "Noise2Clean, colour, Gaussian noise of sigma 25, as many steps as the blind spots",
        "Noise2Clean",
        Gaussian(25),
        sizes=SHORT,
        published=32.46,
    ),
    "blind_spot_rgb_sigma25": blind_spot("Gaussian noise of sigma 25", Gaussian(25), published=32.45),
    "blind_spot_rgb_sigma25_diagonal": blind_spot(
        "Gaussian noise of sigma 25, diagonal covariance", Gaussian(25), covariance="diagonal", published=31.60
    ),
    "blind_spot_rgb_sigma25_mean_only": blind_spot(
        "Gaussian noise of sigma 25, mean only", Gaussian(25), covariance="none", published=30.64
    ),
    "blind_spot_rgb_sigma5to50_unknown": blind_spot(
        "Gaussian noise of unknown sigma from 5 to 50",
        Gaussian((5, 50)),
        *LEVELS,
        parameter="per_image",
        estimator_width=16,
    ),
    "blind_spot_rgb_poisson30": blind_spot("Poisson noise of lambda 30", Poisson(30), sizes=LONGER),
    "blind_spot_rgb_impulse50": blind_spot("impulses on half of the pixels", Impulse(0.5), sizes=LONGEST),
    "photographs_rgb": any_camera(
        "Bias-free Noise2Clean, colour", "Noise2Clean", photographs.COLOUR, start="bias_free_rgb_sigma0to55"
    ),
    "photographs_rgb_pairs": any_camera("Bias-free Noise2Noise, colour", "Noise2Noise", photographs.COLOUR),
    "photographs_gray": any_camera("Bias-free Noise2Clean, gray", "Noise2Clean", photographs.GRAY, channels=1),
    "patch_craft_rgb_sigma20_box3": Recipe(
        "Patch-Craft, colour, Gaussian noise of sigma 20 correlated over 3x3 pixels",
        "PatchCraft",
        CorrelatedGaussian(20, 3),
        network_arguments=BIAS_FREE,
        sizes={"width": (32, 32), "size": (50, 50), "count": (16, 128), "steps": (3_000, 17_000)}
        | {"learning_rate": (5e-4, 1e-3)},
        start="bias_free_rgb_sigma0to55",
        trained_on=VIDEOS,
    ),
    "ap_bsn_phones": ap_bsn("AP-BSN"),
    "lg_bpn_phones": lg_bpn("LG-BPN"),
    "lg_bpn_phones_l4": lg_bpn("LG-BPN, local branch alone", global_=None),
    "lg_bpn_phones_l5": lg_bpn("LG-BPN, global branch alone", local=None),
    "ssid_phones": ssid("SSID"),
    "distilled_phones": distilled("chess"),
    "distilled_phones_pepper": distilled("pepper"),
}
# The rows that chapter 04 compares at two lengths of training.
RECIPES |= {
    f"{name}_long": replace(RECIPES[name], title=f"{RECIPES[name].title}, trained on in instalments")
    for name in RECIPES
    if name.startswith(("blind_spot_rgb_sigma25", "blind_spot_rgb_sigma5to50"))
}

LOCAL_BRANCH = Teacher("local_global", {"width": (32, 128), "local_blocks": (3, 9)}, {"global_": None})
# a row of the student report's Table 1, or what these are compared with -> its name, and what is put on equal terms
_ROWS = {
    "LG-BPN": ("lg_bpn_row", RECIPES["lg_bpn_phones"]),
    "L-1": (
        "lg_bpn_row_l1",
        lg_bpn("LG-BPN, blind-spot network with a 9x9 hole as local branch", local="blind_spot"),
    ),
    "L-2": ("lg_bpn_row_l2", lg_bpn("LG-BPN, mean of the branches", fusion="average")),
    "L-3": (
        "lg_bpn_row_l3",
        lg_bpn("LG-BPN, transformers in both branches, half as deep", (1, 3), (1, 3), local="transformer"),
    ),
    "L-4": ("lg_bpn_row_l4", RECIPES["lg_bpn_phones_l4"]),
    "L-5": ("lg_bpn_row_l5", RECIPES["lg_bpn_phones_l5"]),
    "SSID": ("ssid_row", RECIPES["ssid_phones"]),
    "S-1": ("ssid_row_s1", ssid("SSID, LG-BPN's local branch as blind network", LOCAL_BRANCH)),
    "S-2": ("ssid_row_s2", ssid("SSID, local network shown the noisy image", lan_target="noisy")),
    "AP-BSN": ("ap_bsn_row", RECIPES["ap_bsn_phones"]),
    "distilled": ("distilled_row", RECIPES["distilled_phones"]),
    "no shuffle": ("dilated_row", ap_bsn("AP-BSN's blind network without a shuffle", train_stride=1, stride=1)),
    "L-4, square hole": (
        "lg_bpn_row_l4_square",
        lg_bpn("LG-BPN, local branch alone around a square of 7x7 pixels", global_=None, hole="square"),
    ),
    "SSID, until calm": (
        "ssid_row_calm",
        replace(ssid("SSID, its blind network trained until it is calm in flat areas"), until_calm=True),
    ),
}
ROWS = {row: name for row, (name, _) in _ROWS.items()}
RECIPES |= {name: on_equal_terms(like) for name, like in _ROWS.values()}


def find(name: str) -> Recipe:
    """The recipe of a name in `RECIPES`.

    Examples
    --------
    >>> find("blind_spot_rgb_sigma25").noise
    Gaussian(25)
    """
    return RECIPES[one_of(name, RECIPES, "the recipe")]


def described(profile: str, recipe: Recipe) -> dict[str, Any]:
    """What a card says about how a method is built. Raises ValueError for an unknown profile."""
    size = sizes(profile, recipe)
    own = {"width": size["width"]} | {name: value for name, value in size.items() if name not in SIZES}
    teachers = {
        name: {
            "network": teacher.network,
            "network_arguments": {"channels": 3} | _column(profile, teacher.sizes) | teacher.arguments,
        }
        for name, teacher in recipe.teachers.items()
    }
    return {
        "method": recipe.method,
        "method_arguments": recipe.method_arguments | teachers,
        "network": recipe.network,
        "network_arguments": {"channels": 3} | own | recipe.network_arguments,
    }


def sizes(profile: str, recipe: Recipe | None = None) -> dict[str, Any]:
    """The sizes of a training. Raises ValueError for an unknown profile."""
    return _column(profile, SIZES | (recipe.sizes if recipe else {}))


def _column(profile: str, table: dict[str, tuple]) -> dict[str, Any]:
    if profile == "smoke":
        return _column("laptop", table) | {name: value for name, value in SMOKE.items() if name in table}
    check_profile(profile)
    return {name: values[PROFILES.index(profile)] for name, values in table.items()}


def check_profile(profile: str) -> None:
    """Raises ValueError for an unknown profile."""
    one_of(profile, PROFILES, "the profile of a training")
