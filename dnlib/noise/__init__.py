"""Noise models and the beliefs that Bayes' rule turns them into, cameras and raw frames, and noise measured.
For whoever adds noise to an image, or wants to know what noise an image has.
It imports `images` alone: no filter, no network.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
