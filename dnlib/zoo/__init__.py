"""Trained weights with their model cards, and the recipes that made them.

For whoever loads a trained method, saves their own, or trains what ships. It knows neither denoiser nor course.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
