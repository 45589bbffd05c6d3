"""How large each chapter's experiments are: one table. Sizes never depend on whether a GPU is there.

smoke   for tests: seconds per chapter, exact properties still hold
laptop  the default and what is committed: two CPU cores, minutes
paper   widths, crops and batches of the papers; steps as here stated, often fewer than theirs
"""

from dnlib.images import one_of

PROFILES = ("smoke", "laptop", "paper")

# chapter -> size -> its value in the profiles, in the order of PROFILES
SIZES: dict[str, dict[str, tuple]] = {
    "00_start_here": {
        "side": (48, 256, 512),  # the crop every experiment uses, in pixels
        "real_pairs": (1, 6, 54),  # noisy/clean pairs from a camera, where present
    },
    "01_donut_vs_classic": {
        "side": (48, 512, 512),
        "strengths": (3, 6, 10),  # settings tried per filter
        "images": (2, 4, 24),  # photographs on which the claims are checked
    },
    "02_learning_from_noise": {
        "side": (64, 256, 512),
        "width": (6, 16, 48),  # of the U-Net
        "steps": (4, 600, 20_000),  # of each training
        "images": (1, 3, 3),  # bundled photographs on which the shipped weights are compared
    },
    "03a_masks": {
        "side": (64, 256, 512),
        "width": (6, 16, 48),
        "steps": (2, 400, 20_000),  # of each training
        "leak_steps": (2, 300, 3_000),  # of the small networks that show the leak
    },
    "03b_where_masks_work": {
        "side": (64, 256, 512),
        "width": (6, 16, 48),
        "steps": (2, 400, 20_000),  # of each training
        "table_steps": (2, 250, 20_000),  # of each network of the table
    },
    "04_blind_spot_bayes": {
        "side": (48, 256, 512),
        "width": (6, 16, 48),  # of the U-Nets
        "steps": (3, 330, 20_000),  # of each blind-spot training
        "masking_steps": (5, 1_000, 60_000),  # of the masked network, in the same seconds
        "unknown_steps": (2, 150, 20_000),  # of each training with an unknown noise level
        "images": (1, 3, 3),  # photographs on which the shipped weights are compared
    },
    "05_noise_correlation": {
        "side": (96, 512, 512),
        "pairs": (2, 24, 100),  # of noisy and clean images per source
        "draws": (3, 32, 60),  # of noise for the checkerboard, per stage of the camera
        "width": (6, 16, 48),
        "steps": (4, 330, 20_000),  # of the network trained on camera noise
    },
    "06_patch_craft": {
        "side": (96, 256, 512),
        "frame": ((80, 96), (240, 320), (240, 320)),  # of the burst that is shown, in pixels
        "small": ((64, 80), (144, 160), (144, 160)),  # of the bursts to learn from
        "video": (64, 352, 854),  # the middle of real video, at most this many pixels high and wide
        "patch": (9, 43, 43),
        "radius": (3, 8, 37),
        "offsets": (4, 100, 1849),  # patch-craft images that are averaged
        "tile": (32, 50, 50),
        "stride": (24, 15, 30),
        "films": (1, 2, 2),  # photographs that are filmed, in halves, for noise that lives longer than a frame
        "steps": (2, 100, 20_000),  # of each training
    },
    "07_pixel_shuffle": {
        "side": (96, 256, 512),
        "pairs": (3, 54, 54),  # of noisy and clean images, to learn from and to score
        "test": (2, 6, 54),  # of them are scored
        "width": (8, 32, 128),
        "blocks": (1, 3, 9),  # dilated convolutions of each branch
        "crop": (40, 100, 120),
        "count": (1, 1, 8),  # crops per step
        "steps": (3, 200, 100_000),  # of each training
        "table": (1, 4, 54),  # images of each kind that the filters take part in
    },
    "08_lgbpn": {
        "side": (64, 256, 512),
        "pairs": (3, 54, 54),  # of noisy and clean images, to learn from and to score
        "test": (1, 6, 54),  # of them are scored
        "block": (64, 256, 256),  # side of the image that is timed
    },
    "09_ssid": {
        "side": (64, 256, 512),
        "pairs": (3, 54, 54),  # of noisy and clean images, to learn from and to score
        "test": (2, 6, 54),  # of them are scored
        "width": (8, 16, 48),  # of BNN and U-Net; LAN has a third more
        "crop": (32, 64, 256),
        "count": (2, 1, 8),  # crops per step
        "steps": (3, 600, 400_000),  # of each training
        "block": (64, 256, 256),  # side of the image that is timed
    },
    "10_ablations": {
        "side": (96, 256, 512),
        "pairs": (3, 54, 54),  # of noisy and clean images that the matrix learns from
        "test": (2, 6, 54),  # of them are looked at
        "ssim_images": (1, 6, 54),  # on which the two functions called SSIM are compared
        "width": (6, 12, 48),  # of half planes and U-Nets in the matrix; LAN has a third more
        "features": (8, 16, 128),  # of its dilated and LG-BPN networks
        "depth": (2, 2, 5),
        "blocks": (1, 1, 6),
        "crop": (90, 120, 256),  # holes of 9 fit the small images that a shuffle of stride 5 makes of it
        "count": (1, 1, 8),  # crops per step
        "matrix_steps": (2, 24, 100_000),  # of each of its trainings
        "probe": (48, 128, 256),  # side of the parts of images that it is scored on
        "probes": (1, 6, 54),
    },
    "11_raw_and_perceptual": {
        "side": (96, 256, 512),
        "photos": (2, 8, 8),  # bundled ones in colour, each at three ISO levels
        "seeds": (2, 3, 5),  # trainings of each kind
        "width": (6, 16, 48),  # of the U-Nets
        "crop": (16, 32, 128),  # in pixels, packed or developed; twice as wide for the perceptual loss
        "count": (1, 1, 4),  # crops per step of the blind networks; four times as many for the perceptual loss
        "steps": (3, 450, 50_000),  # of each blind network
        "sweep_steps": (2, 40, 20_000),  # of each training with a perceptual term
    },
    "12_your_own_picture": {
        "side": (64, 256, 512),  # of pictures whose noise is estimated, in pixels
        "tile": (48, 96, 256),  # of their middles, on which candidates are judged
        "pictures": (2, 8, 24),  # to practise on, and for each kind of noise
        "draws": (3, 12, 50),  # of noise, to show how a judge scatters
        "crop": (32, 64, 128),  # in pixels, for the network that learns from one picture
        "steps": (2, 80, 3_000),  # of its training
    },
}


def sizes(chapter: str, profile: str) -> dict:
    """The sizes of one chapter in one profile. Raises ValueError for an unknown profile."""
    column = PROFILES.index(one_of(profile, PROFILES, "the profile"))
    return {name: values[column] for name, values in SIZES.get(chapter, {}).items()}
