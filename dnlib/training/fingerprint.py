"""What tells one training from another, beyond the shapes of its weights: options, and teachers that do not learn."""

import hashlib
import json
import math
import re
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dnlib.methods import Method

LARGEST = 64  # numbers of an array that are written out; of larger ones there is a hash


def settings(module: nn.Module) -> dict[str, Any]:
    """Every public attribute of a module and of the modules in it, as JSON can hold it: how it was built.

    Parameters
    ----------
    module : nn.Module
        A method or a network.

    Returns
    -------
    dict
        By dotted name. Numbers of NumPy and torch become plain ones, small arrays lists, large arrays hashes. Noise
        models become their repr; functions, and objects of other kinds, their name or that of their class.

    Examples
    --------
    >>> settings(nn.Conv2d(1, 4, 3))["kernel_size"]
    [3, 3]
    """
    found = {}
    for where, part in module.named_modules():
        found[f"{where}.class".strip(".")] = type(part).__name__
        for name, value in vars(part).items():
            if not name.startswith("_") and name != "training":
                found[f"{where}.{name}".strip(".")] = plain(value)
    return found


def teachers(method: Method) -> dict[str, Any]:
    """Settings and a hash of the weights of a method's `teachers`, whose weights no checkpoint of the method holds.

    Examples
    --------
    >>> from dnlib.methods import BNN, LAN
    >>> from dnlib.networks import BlindSpotUNet, LocallyAware
    >>> lan = LAN(BNN(BlindSpotUNet(1, 4, outputs=1, depth=2)), LocallyAware(1, 4))
    >>> teachers(lan)["teacher BNN: class"]
    'BNN'
    """
    return {
        f"teacher {name}: {what}": fact
        for name, teacher in method.teachers.items()
        for what, fact in (settings(teacher) | {"weights": weights_hash(teacher)}).items()
    }


def weights_hash(module: nn.Module) -> str:
    """A hash of all weights and buffers of a module, the same on every device."""
    digest = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        digest.update(f"{name} {_hashed(tensor)}".encode())
    return digest.hexdigest()[:12]


def plain(value: Any, depth: int = 8) -> Any:
    """The value as JSON gives it back: None, booleans, numbers, text, and lists and dicts of these."""
    if isinstance(value, np.ndarray | Tensor):
        return _array(value, depth)
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return json.loads(json.dumps(value))  # of subclasses, too, what JSON makes of them
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if depth and isinstance(value, dict):
        return {str(key): plain(inside, depth - 1) for key, inside in value.items()}
    if depth and isinstance(value, list | tuple):
        return [plain(inside, depth - 1) for inside in value]
    if depth and isinstance(value, set | frozenset):
        return sorted((plain(inside, depth - 1) for inside in value), key=repr)
    if isinstance(value, nn.Module | type) or type(value).__repr__ is object.__repr__:
        return getattr(value, "__name__", type(value).__name__)
    # without where in memory an object lies, which Python's own reprs say and which changes from run to run
    return getattr(value, "__name__", None) or re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))


def _array(value: np.ndarray | Tensor, depth: int) -> Any:
    try:
        small = (value.numel() if isinstance(value, Tensor) else value.size) <= LARGEST
        return plain(value.tolist(), depth) if small else _hashed(value)
    except (RuntimeError, NotImplementedError, TypeError):  # it has no numbers, or none in a row
        return f"{type(value).__name__} {value.dtype} {list(value.shape)}"


def _hashed(value: Any) -> str:
    """A hash of an array or tensor of any kind; of other things their plain form."""
    if not isinstance(value, np.ndarray | Tensor):
        return str(plain(value))
    if isinstance(value, Tensor):
        array = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
    else:
        array = np.ascontiguousarray(value)
    return f"{value.dtype} {list(value.shape)} {hashlib.sha256(array.tobytes()).hexdigest()[:12]}"
