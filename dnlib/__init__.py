"""Self-supervised image denoising: the small library under the chapters.

Rooms and the names below load on first use, so that `import dnlib` stays instant and nothing heavy is imported before
something needs it.
"""

import lazy_loader

__version__ = "0.2.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
