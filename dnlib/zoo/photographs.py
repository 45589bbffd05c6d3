"""What is drawn to train a network for photographs of any camera: kinds of noise, and what the pictures look like.

No strength or share was fitted to a data set of real noise; they span what cameras, scanners and files do to pictures.
"""

from dnlib.noise import (
    AnyCorrelated,
    Camera,
    Gaussian,
    Lines,
    Mixture,
    Noise,
    Poisson,
    Resized,
    Sensor,
    Stored,
    Sum,
    Turned,
)
from dnlib.training import Appearance

APPEARANCE = Appearance(scale=(0.5, 2), blur=1.2, light=0.1, gray=0.1)
QUALITY = (30, 95)  # of JPEG
CAMERAS = Turned(
    Mixture(
        [
            Camera((50, 1600), eight_bit=False),
            Camera((1600, 12800), eight_bit=False),
            Camera((50, 1600), demosaic="bilinear", eight_bit=False),
            Camera((1600, 12800), demosaic="bilinear", eight_bit=False),
            Camera((400, 12800), matrix=False, eight_bit=False),
            Camera((400, 12800), demosaic=None, eight_bit=False),
        ]
    )
)
COUNTING = Mixture([Sensor((50, 20_000)), Poisson((5, 200))])
LINES = Sum([Gaussian((0, 30)), Turned(Lines((2, 20)))])


def _any(white: Noise, correlated: Noise, *broad: Noise) -> Noise:
    """White, correlated, counted and striped noise, and `broad` noise that was resized; half of it as files hold it."""
    synthetic = Mixture([white, correlated, COUNTING, LINES], [4, 4, 2, 1])
    resized = [Resized(noise, (0.6, 3)) for noise in (*broad, correlated)]
    real = Mixture([*broad, *resized], [2.0] * len(broad) + [3.0] * len(broad) + [1.0])
    return Mixture(
        [synthetic, Stored(synthetic), Stored(synthetic, QUALITY), real, Stored(real), Stored(real, QUALITY)],
        [5, 2, 1, 1, 4, 3],
    )


COLOUR = _any(Gaussian((0, 55)), AnyCorrelated((0, 50), 5), CAMERAS)
GRAY = _any(Gaussian((0, 55)), AnyCorrelated((0, 50), 5))
