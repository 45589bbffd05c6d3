"""Classical filters, J-invariance, and settings chosen without a clean image.

For whoever works on NumPy arrays [H, W] or [H, W, C] and wants no training. It imports no torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
