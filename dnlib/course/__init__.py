"""What chapters and the commands around them call: runs, parameters, records, claims, reports, plots, widgets.

For notebooks and `dnlib run`; nothing else needs it. It may import every room; no room imports it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
