"""One architecture per file: no loss, no noise, no file access.
For whoever builds a method: images [N, C, H, W] in, images of the same size out, any size from one pixel up.
It imports `images`, `noise` and `filters` at most; a blind network states its `hole`, where its answer does not look.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
