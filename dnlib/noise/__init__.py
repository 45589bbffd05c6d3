"""Noise models and beliefs about pixels, cameras and raw frames, and noise measured or estimated.

For whoever adds noise to an image, or wants to know what noise it has. It imports `images`: no filter, no network.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
