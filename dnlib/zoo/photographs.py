"""The noise that is drawn to train a network for photographs of any camera.

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

CAMERAS = Turned(
    Mixture(
        [
            *(
                Camera(iso, demosaic=demosaic, eight_bit=False)
                for iso in ((50, 1600), (1600, 6400))
                for demosaic in ("malvar", "bilinear")
            ),
            Camera((400, 6400), matrix=False, eight_bit=False),
            Camera((400, 6400), demosaic=None, eight_bit=False),
        ]
    )
)
CORRELATED = AnyCorrelated((0, 40), 5)
COUNTING = Mixture([Sensor((50, 20_000)), Poisson((10, 200))])
LINES = Sum([Gaussian((0, 30)), Turned(Lines((2, 20)))])
SYNTHETIC = Mixture([Gaussian((0, 55)), CORRELATED, COUNTING, LINES], [4, 4, 2, 1])


def _as_files_hold_it(noise: Noise) -> Mixture:
    """As drawn, or broad, for the picture was resized after the noise; with 8 bits, and often as JPEG."""
    resized = Mixture([noise, Resized(noise, (0.6, 2.5))])
    return Mixture([Stored(resized), Stored(resized, (30, 95))])


COLOUR = Mixture([SYNTHETIC, _as_files_hold_it(SYNTHETIC), _as_files_hold_it(CAMERAS)], [5, 3, 6])
GRAY = Mixture([SYNTHETIC, _as_files_hold_it(SYNTHETIC)])
