"""Whether onnxruntime can compute on an NVIDIA GPU, and what to install where it can't."""

from __future__ import annotations

from typing import Final

import onnxruntime as ort

CUDA: Final = "CUDAExecutionProvider"
INSTALL: Final = (
    "pip uninstall onnxruntime, then pip install 'onnxruntime-gpu[cuda,cudnn]' (both at once hide each other)"
)


def missing_cuda() -> str:
    """What keeps this onnxruntime from CUDA, and what to do; "" where it has the provider (not yet that it starts)."""
    if CUDA in ort.get_available_providers():
        return ""
    return f"onnxruntime {ort.__version__} has no CUDA provider: {INSTALL}, on a machine with an NVIDIA GPU"


def not_started() -> str:
    """Why a CUDA provider that is there may not start."""
    return (
        f"CUDA or cuDNN is missing or of another version than onnxruntime-gpu {ort.__version__} was built for, or "
        "there is no NVIDIA GPU with a driver: pip install 'onnxruntime-gpu[cuda,cudnn]', nvidia-smi"
    )
