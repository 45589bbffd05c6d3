"""One architecture per file, from images [N, C, H, W] to images of the same size, any size from one pixel up.

For whoever builds a method. It imports `images`, `noise` and `filters` at most: no loss, no training, no file access.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
