"""Device memory, copies and a stream by NVIDIA's `cuda.bindings`; what TensorRT needs and nothing more.

Not yet verified on hardware.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import numpy.typing as npt


class CudaError(RuntimeError):
    """A call of the CUDA runtime that failed: its name, and the runtime's own words."""


class Cuda:
    """The CUDA runtime, its calls checked. ImportError where the package cuda-bindings is not installed."""

    def __init__(self) -> None:
        self._runtime: Any = importlib.import_module("cuda.bindings.runtime")

    def call(self, name: str, *arguments: Any) -> Any:
        """What a function of the runtime gives after its error code: nothing, one value or a tuple of them."""
        error, *values = getattr(self._runtime, name)(*arguments)
        if int(error):
            _, words = self._runtime.cudaGetErrorString(error)
            raise CudaError(
                f"{name}: {words.decode() if isinstance(words, bytes) else words} (CUDA error {int(error)})"
            )
        return values[0] if len(values) == 1 else tuple(values)

    def upload(self, values: npt.NDArray[Any], to: int, stream: int) -> None:
        """Copy a contiguous array to device memory, in the stream's order; it must live until the wait."""
        kind = self._runtime.cudaMemcpyKind.cudaMemcpyHostToDevice
        self.call("cudaMemcpyAsync", to, values.ctypes.data, values.nbytes, kind, stream)

    def download(self, values: npt.NDArray[Any], source: int, stream: int) -> None:
        """Fill a contiguous array from device memory, in the stream's order; it is filled after the wait."""
        kind = self._runtime.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self.call("cudaMemcpyAsync", values.ctypes.data, source, values.nbytes, kind, stream)

    def stream(self) -> int:
        """A new stream."""
        return int(self.call("cudaStreamCreate"))

    def wait(self, stream: int) -> None:
        """Until all that was asked of the stream is done."""
        self.call("cudaStreamSynchronize", stream)


class Buffer:
    """Device memory that grows to what is asked of it and is kept until the process ends."""

    def __init__(self, cuda: Cuda) -> None:
        self._cuda = cuda
        self._bytes = 0
        self._at = 0

    def at_least(self, size: int) -> int:
        """The address of at least `size` bytes; what they held is lost when they had to grow."""
        if size > self._bytes:
            if self._at:
                self._cuda.call("cudaFree", self._at)
                self._at = self._bytes = 0
            self._at = int(self._cuda.call("cudaMalloc", size))
            self._bytes = size
        return self._at


def contiguous(values: npt.NDArray[Any], kind: np.dtype[Any]) -> npt.NDArray[Any]:
    """The array in C order and of that type; itself where it already is."""
    return np.ascontiguousarray(values, kind)
