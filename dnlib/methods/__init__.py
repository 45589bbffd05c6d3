"""One paper per file: what a method needs to learn from, its loss, and how it denoises.

For whoever wants to know, or to change, what a paper does. It imports the rooms from `images` to `networks`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
