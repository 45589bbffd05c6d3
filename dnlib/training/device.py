"""Where a training runs, and in which numbers."""

from pathlib import Path

import torch


def choose_device(device: str) -> str:
    if device not in ("auto", "cpu", "cuda"):
        raise ValueError(f"there is no device {device!r}; there are: auto, cpu, cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device 'cuda' was asked for, but torch sees no CUDA device; use auto or cpu")
    return ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device


def computes_in_bfloat16(device: str = "auto") -> bool:
    """Whether this processor, or GPU, multiplies bfloat16 numbers natively (AVX512-BF16 or AMX on CPUs)."""
    if choose_device(device) == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:  # not Linux
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def precision_of(precision: str, device: str) -> str:
    kinds = {"float32": "32-true", "bfloat16": "bf16-mixed"}
    kinds["auto"] = kinds["bfloat16" if computes_in_bfloat16(device) else "float32"]
    if precision not in kinds:
        raise ValueError(f"there is no precision {precision!r}; there are: auto, float32, bfloat16")
    return kinds[precision]
