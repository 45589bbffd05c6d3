"""The denoiser for one's own picture: `dnlib.denoise` and `dnlib denoise`.

For anyone with a noisy image, in files or arrays. It imports the rooms above; never the course.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
