"""Where a training runs, and in which numbers.

Two environment variables make any machine behave as one without bfloat16 units: `DNLIB_PRECISION=float32`, which says
what precision "auto" is, together with `ONEDNN_MAX_CPU_ISA=AVX2`, which keeps oneDNN, the library under torch's
convolutions, from the units themselves. oneDNN reads its own when torch is first used: set it before Python starts.
"""

import os
import re

import torch

from dnlib.images import one_of

PRECISIONS = {"float32": "32-true", "bfloat16": "bf16-mixed"}
"""Ours, and what Lightning Fabric calls them."""


def choose_device(device: str | torch.device = "auto", *, here: bool = True) -> str:
    """The device that is meant, if torch has it.

    Parameters
    ----------
    device : str or torch.device
        "auto" (the first CUDA device if there is one, else the CPU), "cpu", "cuda", one of several as "cuda:1", or
        "mps" (GPUs of Apple).
    here : bool
        False for other machines, of a cluster, which may have what this one has not: only the name is looked at.

    Returns
    -------
    str
        "cpu", "cuda", "cuda:N" or "mps".

    Raises
    ------
    ValueError
        For another name, and for a device that torch does not see, with those that it sees.

    Examples
    --------
    >>> choose_device("cpu")
    'cpu'
    >>> choose_device("tpu")
    Traceback (most recent call last):
    ValueError: the device can be auto, cpu, cuda, cuda:N or mps; 'tpu' was given
    """
    device = str(device)
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == "auto":
        return "cuda" if count else "cpu"
    if not re.fullmatch(r"cpu|mps|cuda(:\d+)?", device, flags=re.ASCII):
        raise ValueError(f"the device can be auto, cpu, cuda, cuda:N or mps; {device!r} was given")
    if not here:
        return device
    kind, _, index = device.partition(":")
    there = ["cpu", *(f"cuda:{n}" for n in range(count)), *(["mps"] if torch.backends.mps.is_available() else [])]
    if (f"cuda:{int(index or 0)}" if kind == "cuda" else device) not in there:
        raise ValueError(f"device {device!r} was asked for, but torch sees only {', '.join(there)}; use one, or auto")
    return device


def computes_in_bfloat16(device: str | torch.device = "auto") -> bool:
    """Whether precision "auto" is bfloat16 on a device: whether it multiplies such numbers natively.

    A processor has to have the units (AVX512-BF16, which those with AMX have, too), and oneDNN has to use them, which
    ``ONEDNN_MAX_CPU_ISA`` may forbid. `DNLIB_PRECISION`, float32 or bfloat16, decides instead where it is set.

    Parameters
    ----------
    device : str or torch.device
        As `choose_device` takes it.

    Examples
    --------
    >>> import os
    >>> from unittest.mock import patch
    >>> with patch.dict(os.environ, DNLIB_PRECISION="float32"):
    ...     computes_in_bfloat16()
    False
    """
    if wanted := os.environ.get("DNLIB_PRECISION"):
        return one_of(wanted, PRECISIONS, "DNLIB_PRECISION") == "bfloat16"
    kind = choose_device(device).partition(":")[0]
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if kind == "mps" or not torch.backends.mkldnn.is_available():
        return False
    return torch.ops.mkldnn._is_mkldnn_bf16_supported() and torch.cpu._is_avx512_bf16_supported()


def precision_of(precision: str, device: str | torch.device = "auto") -> str:
    """Lightning Fabric's name of a precision.

    Parameters
    ----------
    precision : {"auto", "float32", "bfloat16"}
        "auto" is bfloat16 where `computes_in_bfloat16` says so.
    device : str or torch.device
        As `choose_device` takes it.

    Raises
    ------
    ValueError
        For another precision.

    Examples
    --------
    >>> precision_of("bfloat16", "cpu")
    'bf16-mixed'
    """
    if precision == "auto":
        precision = "bfloat16" if computes_in_bfloat16(device) else "float32"
    return PRECISIONS[one_of(precision, ("auto", *PRECISIONS), "the precision")]
