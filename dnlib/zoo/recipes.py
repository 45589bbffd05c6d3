"""The recipes of the shipped weights: what learns from what, and how large. `trainer` follows them.

Each trains on BSDS500's train and test splits; its validation split and Kodak24 are held out. Patch-Craft trains on
DAVIS videos; the last four of those present are held out. What is made for phones trains on the noisy photographs that
it is then scored on, as the papers do for their benchmarks; it sees no clean one. Distilled networks are scored on a
subject that they never saw, of the same phones.
A method that learns in several stages has as many steps for each.
The laptop size is what ships, the paper size needs a GPU for days. Rows that are compared have one width and one number
of steps: `noise2clean_rgb_sigma25_short` is there to stand beside the blind spots, whose steps take longer.
"""

from dataclasses import replace
from typing import Any

from dnlib.images import one_of
from dnlib.methods import outputs
from dnlib.noise import Camera, CorrelatedGaussian, Gaussian, Impulse, Noise, Poisson, Sensor
from dnlib.training import Appearance
from dnlib.zoo import photographs
from dnlib.zoo.recipe import PHONES, PHONES_AND_CAMERAS, PHONES_AS_PAPERS, VIDEOS, Recipe, Teacher

PROFILES = ("laptop", "paper")
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
SMOKE = {"width": 8, "size": 32, "count": 2, "steps": 3}  # what tests of chapters train with
EQUAL = {"size": (120, 120), "count": (1, 8), "steps": (2_400, 500_000)}  # for the rows of the report's table
EQUAL |= {"learning_rate": (1e-3, 3e-4), "ramp_up": (0.05, 0.05), "ramp_down": (0.5, 0.5)}
SHORT = {"steps": (9_600, 500_000)}
LONGER = {"steps": (16_000, 500_000)}
LONGEST = {"steps": (16_000, 1_000_000)}  # of impulses, which take the papers twice as long
SHUFFLED = {"size": (100, 120), "count": (2, 8), "steps": (400, 500_000), "learning_rate": (2e-3, 1e-4)}
SHALLOW = {"width": (24, 48), "depth": (3, 5)}  # of blind U-Nets
FLOOR = 1 / 7  # of the noise's deviation: noisy photographs find it so, or nearly (benchmarks/calibration.py)
BIAS_FREE = {"bias": False, "depth": 3}
LEVELS = Gaussian(10), Gaussian(25), Gaussian(50)


def _blind_spot(
    what: str,
    noise: Noise,
    *tests: Noise,
    covariance: str = "full",
    sizes: dict = SHORT,
    published: float | None = None,
    **arguments: Any,
) -> Recipe:
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


def _photographs(what: str, method: str, noise: Noise, channels: int = 3, start: str = "") -> Recipe:
    """Noise2Noise starts at random, so that no clean picture teaches it.

    From pairs it learns the mean of the noise as well, not 0 where files clip it: the dark stays too bright.
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


def _ap_bsn(what: str, **strides: int) -> Recipe:
    arguments, sizes = {"border": None} | strides, SHUFFLED | {"blocks": (3, 9)}
    return _phones(what, "APBSN", network="DilatedBlindSpot", method_arguments=arguments, sizes=sizes)


def _lg_bpn(what: str, local_blocks: tuple = (3, 9), global_blocks: tuple = (2, 6), **parts: Any) -> Recipe:
    sizes = SHUFFLED | {"local_blocks": local_blocks, "global_blocks": global_blocks}
    return _phones(what, "LGBPN", network="local_global", network_arguments=parts, sizes=sizes)


def _ssid(what: str, bnn: Teacher | None = None, **arguments: Any) -> Recipe:
    """As many crops of the same images as LG-BPN, and smaller ones, for its networks are shallow.

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


def _distilled(held_out: str) -> Recipe:
    """Learnt with a hole of 9 pixels and taught with seven, as AT-BSN; the noisy pixel has a vote, as in TM-BSN."""
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
    "blind_spot_rgb_sigma25": _blind_spot("Gaussian noise of sigma 25", Gaussian(25), published=32.45),
    "blind_spot_rgb_sigma25_diagonal": _blind_spot(
        "Gaussian noise of sigma 25, diagonal covariance", Gaussian(25), covariance="diagonal", published=31.60
    ),
    "blind_spot_rgb_sigma25_mean_only": _blind_spot(
        "Gaussian noise of sigma 25, mean only", Gaussian(25), covariance="none", published=30.64
    ),
    "blind_spot_rgb_sigma5to50_unknown": _blind_spot(
        "Gaussian noise of unknown sigma from 5 to 50",
        Gaussian((5, 50)),
        *LEVELS,
        parameter="per_image",
        estimator_width=16,
    ),
    "blind_spot_rgb_poisson30": _blind_spot("Poisson noise of lambda 30", Poisson(30), sizes=LONGER),
    "blind_spot_rgb_impulse50": _blind_spot("impulses on half of the pixels", Impulse(0.5), sizes=LONGEST),
    "photographs_rgb": _photographs(
        "Bias-free Noise2Clean, colour", "Noise2Clean", photographs.COLOUR, start="bias_free_rgb_sigma0to55"
    ),
    "photographs_rgb_pairs": _photographs("Bias-free Noise2Noise, colour", "Noise2Noise", photographs.COLOUR),
    "photographs_gray": _photographs("Bias-free Noise2Clean, gray", "Noise2Clean", photographs.GRAY, channels=1),
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
    "ap_bsn_phones": _ap_bsn("AP-BSN"),
    "lg_bpn_phones": _lg_bpn("LG-BPN"),
    "lg_bpn_phones_l4": _lg_bpn("LG-BPN, local branch alone", global_=None),
    "lg_bpn_phones_l5": _lg_bpn("LG-BPN, global branch alone", local=None),
    "ssid_phones": _ssid("SSID"),
    "distilled_phones": _distilled("chess"),
    "distilled_phones_pepper": _distilled("pepper"),
}
# The rows that chapter 04 compares at two lengths of training.
RECIPES |= {
    f"{name}_long": replace(RECIPES[name], title=f"{RECIPES[name].title}, trained on in instalments")
    for name in RECIPES
    if name.startswith(("blind_spot_rgb_sigma25", "blind_spot_rgb_sigma5to50"))
}


def _on_equal_terms(like: Recipe) -> Recipe:
    """A row of the report's table on equal terms: one set of noisy photographs, one crop, one number of steps.

    Each network says what is to be added to a mean of what it sees; blind ones look at differences as well. Nothing is
    refined, for networks are compared, and not what can be done with the answer of any. None of the photographs judges.
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


LOCAL_BRANCH = Teacher("local_global", {"width": (32, 128), "local_blocks": (3, 9)}, {"global_": None})
# a row of the student report's Table 1, or what these are compared with -> its name, and what is put on equal terms
_ROWS = {
    "LG-BPN": ("lg_bpn_row", RECIPES["lg_bpn_phones"]),
    "L-1": (
        "lg_bpn_row_l1",
        _lg_bpn("LG-BPN, blind-spot network with a 9x9 hole as local branch", local="blind_spot"),
    ),
    "L-2": ("lg_bpn_row_l2", _lg_bpn("LG-BPN, mean of the branches", fusion="average")),
    "L-3": (
        "lg_bpn_row_l3",
        _lg_bpn("LG-BPN, transformers in both branches, half as deep", (1, 3), (1, 3), local="transformer"),
    ),
    "L-4": ("lg_bpn_row_l4", RECIPES["lg_bpn_phones_l4"]),
    "L-5": ("lg_bpn_row_l5", RECIPES["lg_bpn_phones_l5"]),
    "SSID": ("ssid_row", RECIPES["ssid_phones"]),
    "S-1": ("ssid_row_s1", _ssid("SSID, LG-BPN's local branch as blind network", LOCAL_BRANCH)),
    "S-2": ("ssid_row_s2", _ssid("SSID, local network shown the noisy image", lan_target="noisy")),
    "AP-BSN": ("ap_bsn_row", RECIPES["ap_bsn_phones"]),
    "distilled": ("distilled_row", RECIPES["distilled_phones"]),
    "no shuffle": ("dilated_row", _ap_bsn("AP-BSN's blind network without a shuffle", train_stride=1, stride=1)),
    "L-4, square hole": (
        "lg_bpn_row_l4_square",
        _lg_bpn("LG-BPN, local branch alone around a square of 7x7 pixels", global_=None, hole="square"),
    ),
    "SSID, until calm": (
        "ssid_row_calm",
        replace(_ssid("SSID, its blind network trained until it is calm in flat areas"), until_calm=True),
    ),
}
ROWS = {row: name for row, (name, _) in _ROWS.items()}
RECIPES |= {name: _on_equal_terms(like) for name, like in _ROWS.values()}


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
