"""The denoiser for one's own picture: `dnlib.denoise` and `dnlib denoise`.

For anyone with a noisy image, in files or arrays; `plan` says in ten lines how it goes through. It knows no course.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
