"""Arrays, tensors and pictures: read and write files, cut them into tiles, load datasets and bursts.

For whoever brings an image, a file or a folder. It imports no other room: it knows neither noise nor networks.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
