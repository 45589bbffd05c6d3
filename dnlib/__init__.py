"""Self-supervised image denoising: the small library under the chapters.

Submodules and the names below load on first use, so that `import dnlib` stays instant
and neither matplotlib nor ipywidgets nor torch is imported before something needs it.
"""

import importlib

__version__ = "0.1.0"

_SUBMODULES = {
    "batches",
    "chapter",
    "checkpoints",
    "cli",
    "console",
    "course",
    "datasets",
    "doctor",
    "evaluation",
    "files",
    "images",
    "jinvariance",
    "methods",
    "metrics",
    "networks",
    "noise",
    "parameters",
    "plots",
    "pretrained",
    "profiles",
    "provenance",
    "quick",
    "recipes",
    "report",
    "results",
    "training",
    "weights",
    "widgets",
}
_NAMES = {"denoise": "quick", "start": "chapter", "verify": "chapter", "check": "chapter"}

__all__ = sorted(_SUBMODULES | set(_NAMES))


def __getattr__(name: str):
    if name in _SUBMODULES:
        return importlib.import_module(f"dnlib.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module(f"dnlib.{_NAMES[name]}"), name)
    raise AttributeError(f"module 'dnlib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
