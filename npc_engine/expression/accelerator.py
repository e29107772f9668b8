"""What computes the Audio2Exp network: the CPU, CUDA by onnxruntime, or TensorRT; never another than was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime as ort

from npc_engine.cuda_provider import CUDA, missing_cuda, not_started
from npc_engine.expression.mel import BANDS
from npc_engine.expression.network import ROWS, SHIPPED, SHIPPED_HALVED, Network, NetworkError, Stepping
from npc_engine.expression.together import Together

ACCELERATORS: Final = ("cpu", "cuda", "tensorrt")


class AcceleratorError(NetworkError):
    """An accelerator that this machine has not: says what is missing and how to get it."""


def accelerated(accelerator: str) -> Stepping:
    """The shipped network on `cpu`, `cuda` or `tensorrt`; AcceleratorError says exactly what is missing."""
    if accelerator == "cpu":
        return Network(SHIPPED)
    if accelerator == "cuda":
        return on_cuda(SHIPPED)
    if accelerator == "tensorrt":
        from npc_engine.expression.tensorrt import TensorRTNetwork, device

        device()  # what is missing is said before what is wrong with a file
        return TensorRTNetwork(SHIPPED_HALVED)
    raise ValueError(f"accelerator is {accelerator!r}, expected one of {', '.join(ACCELERATORS)}")


def shared(network: Stepping, accelerator: str) -> Stepping:
    """The `network` on an accelerator, for many lines at once: what they ask for at the same time is one step there.

    On the CPU each line's step is its own: a batch costs little less than its parts, and whoever waits for it leaves
    a core idle.
    """
    return network if accelerator == "cpu" else Together(network)


def on_cuda(path: Path) -> Network:
    """The network of a file on the first CUDA device; AcceleratorError where onnxruntime can't have it."""
    if missing := missing_cuda():
        raise AcceleratorError(missing)
    ort.preload_dlls()  # finds the CUDA and cuDNN that pip installed, which the system's loader does not
    try:
        # TF32 keeps ten bits of a product's factors, less than the 1e-4 that streaming promises
        return Network(path, CUDA, {"use_tf32": "0"})
    except NetworkError as error:
        raise AcceleratorError(f"{error}: {not_started()}") from error


def found(accelerator: str) -> str:
    """What there is of an accelerator, in words; AcceleratorError says what is missing. Builds no TensorRT engine."""
    if accelerator == "tensorrt":
        from npc_engine.expression.tensorrt import device

        return str(device())
    network = accelerated(accelerator)
    network.step(np.zeros((1, 1, ROWS * BANDS), np.float32), network.start())
    return f"onnxruntime {ort.__version__}"
