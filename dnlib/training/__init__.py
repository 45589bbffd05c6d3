"""`fit`, the only training loop, with its crops, checkpoints and devices; metrics and evaluation of any denoiser.

It imports the rooms above; it knows nothing of recipes, shipped weights or chapters.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
