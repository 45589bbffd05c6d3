"""`fit`, the only training loop, with its crops, checkpoints and devices; metrics and evaluation.
For whoever trains or scores a method, one of ours or of their own.
It imports the rooms above; it knows nothing of recipes, shipped weights or chapters.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
