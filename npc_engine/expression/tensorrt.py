"""The Audio2Exp network by TensorRT 10 or 11, from its fp16 ONNX file. NOT YET VERIFIED ON HARDWARE.

TensorRT 11 builds strongly typed networks only: every type comes from the file, none from a builder's flag, and 10 is
told to do the same. So that an engine nobody has seen run can't move a face wrongly, a new one is compared with the CPU
before it is used.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import platformdirs

from npc_engine.expression.accelerator import AcceleratorError
from npc_engine.expression.cuda import Buffer, Cuda, contiguous
from npc_engine.expression.mel import BANDS
from npc_engine.expression.network import (
    F32,
    RESULTS,
    ROWS,
    SHIPPED_HALVED,
    STATE,
    Inputs,
    Network,
    NetworkError,
    NetworkState,
    check_step,
)

OLDEST: Final = 10
LINES: Final = (1, 16, 64)  # least, usual, most of a step
TICKS: Final = (1, 25, 25)  # 25 is the block of a line under way; longer ones are stepped in blocks
CLOSE: Final = 2e-2  # from the CPU's window, on noise: rounding stays a tenth of it, a wrong engine does not
WORKSPACE: Final = 256 << 20  # bytes that building may use: a game has the card too

_log = logging.getLogger(__name__)

Shapes = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]  # least, usual, most


@dataclass(frozen=True, slots=True)
class Device:
    """What an engine is built for; it runs on nothing else."""

    gpu: str  # as NVIDIA names it
    capability: str  # 8.9
    tensorrt: str  # 11.4.0.106
    driver: int  # newest CUDA that it knows: 13000 is 13.0

    def __str__(self) -> str:
        return (
            f"tensorrt {self.tensorrt}, {self.gpu} (compute {self.capability}), driver for CUDA "
            f"{self.driver // 1000}.{self.driver % 1000 // 10}; not yet verified on hardware"
        )


def modules() -> tuple[Any, Cuda]:
    """TensorRT and the CUDA runtime; AcceleratorError says what to install."""
    try:
        trt, cuda = importlib.import_module("tensorrt"), Cuda()
    except (ImportError, OSError) as error:  # OSError: the package is there, its libraries are not
        raise AcceleratorError(
            f"TensorRT can't be loaded ({error}): pip install 'npc-engine[tensorrt]' on a machine with an NVIDIA GPU. "
            "The CPU does not take its place by itself, for whoever asks for TensorRT plans with its speed; "
            "leave out --accelerator tensorrt to use the CPU"
        ) from error
    version = str(trt.__version__)
    if int(version.split(".", maxsplit=1)[0]) < OLDEST:
        raise AcceleratorError(f"tensorrt is {version}, expected {OLDEST} or later: pip install 'npc-engine[tensorrt]'")
    return trt, cuda


def device() -> Device:
    """This machine's first GPU and what drives it; AcceleratorError says what is missing."""
    trt, cuda = modules()
    try:
        cuda.call("cudaGetDeviceCount")  # an error where there is none
        about = cuda.call("cudaGetDeviceProperties", 0)
        driver = int(cuda.call("cudaDriverGetVersion"))
    except RuntimeError as error:  # CudaError, and what the binding says where it finds no library of CUDA
        raise AcceleratorError(
            f"no NVIDIA GPU that CUDA can use: {error}. Look at nvidia-smi; a driver that is older than the installed "
            "CUDA packages needs older ones: pip install tensorrt-cu12 'cuda-bindings<13'"
        ) from error
    name = about.name.decode() if isinstance(about.name, bytes) else str(about.name)
    return Device(name.rstrip("\0"), f"{about.major}.{about.minor}", str(trt.__version__), driver)


def engine_file(where: Device, onnx: bytes, folder: Path) -> Path:
    """Where the engine of an ONNX file for a device is kept: one file for each device, network and range of shapes."""
    made_of = {
        **asdict(where), "onnx": hashlib.sha256(onnx).hexdigest(), "lines": LINES, "ticks": TICKS,
    }  # fmt: skip
    digest = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()
    return folder / f"audio2exp-{digest[:32]}.engine"


def default_folder() -> Path:
    """This system's folder for caches."""
    return Path(platformdirs.user_cache_dir("npc_engine", appauthor=False)) / "tensorrt"


def profile_shapes(inputs: Inputs) -> dict[str, Shapes]:
    """Least, usual and most of each input's shape, where 'B' is 1 to 64 lines and 'T' 1 to 25 ticks."""
    found: dict[str, Shapes] = {}
    for name, (shape, _) in inputs.items():
        unknown = [size for size in shape if isinstance(size, str) and size not in ("B", "T")]
        if unknown:
            raise NetworkError(f"input {name!r} has the free sizes {unknown}, expected only 'B' and 'T'")
        least, usual, most = (
            tuple({"B": lines, "T": ticks}[size] if isinstance(size, str) else size for size in shape)
            for lines, ticks in zip(LINES, TICKS, strict=True)
        )
        found[name] = (least, usual, most)
    return found


def build(trt: Any, logger: Any, onnx: bytes, shapes: Mapping[str, Shapes]) -> bytes:
    """An engine of the ONNX file, built for this GPU in about a minute; NetworkError with TensorRT's words."""
    builder = trt.Builder(logger)
    typed = (
        0 if int(trt.__version__.split(".")[0]) > OLDEST else 1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
    )
    definition = builder.create_network(typed)
    parser = trt.OnnxParser(definition, logger)
    if not parser.parse(onnx):
        faults = "; ".join(str(parser.get_error(i).desc()) for i in range(parser.num_errors))
        raise NetworkError(f"TensorRT {trt.__version__} can't read the network: {faults}")
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, WORKSPACE)
    profile = builder.create_optimization_profile()
    for name, (least, usual, most) in shapes.items():
        profile.set_shape(name, least, usual, most)
    if config.add_optimization_profile(profile) < 0:
        raise NetworkError(f"TensorRT {trt.__version__} refuses the shapes {dict(shapes)}: {'; '.join(logger.faults)}")
    plan = builder.build_serialized_network(definition, config)
    if plan is None:
        raise NetworkError(f"TensorRT {trt.__version__} can't build the network: {'; '.join(logger.faults)}")
    return bytes(memoryview(plan))


def _logger(trt: Any) -> Any:
    """TensorRT's log into ours; its errors are kept in `faults`, for they are the only reason it gives."""

    class Logger(trt.ILogger):  # type: ignore[misc]  # the class is only known where TensorRT is
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.faults: list[str] = []

        def log(self, severity: Any, words: str) -> None:
            if severity in (trt.ILogger.Severity.INTERNAL_ERROR, trt.ILogger.Severity.ERROR):
                self.faults.append(words)
                _log.error("TensorRT: %s", words)
            elif severity == trt.ILogger.Severity.WARNING:
                _log.warning("TensorRT: %s", words)

    return Logger()


class TensorRTNetwork:
    """The network of an fp16 ONNX file on the first GPU, in TensorRT; steps one batch of up to 64 lines at a time.

    The engine is built on first use, compared with the CPU and kept in `folder`, by default this system's folder for
    caches. AcceleratorError says what is missing; NetworkError what is wrong with the file or the engine. Not yet
    verified on hardware.
    """

    def __init__(self, path: Path = SHIPPED_HALVED, folder: Path | None = None) -> None:
        on_cpu = Network(path)  # says what is wrong with the file, knows its inputs, and what the engine should give
        where = device()
        self._trt, self._cuda = modules()
        self._logger = _logger(self._trt)  # kept: TensorRT does not hold it
        self.about = on_cpu.about
        self.start = on_cpu.start
        self._lock = threading.Lock()  # an execution context is for one thread at a time
        onnx = path.read_bytes()
        kept = engine_file(where, onnx, folder or default_folder())
        try:
            if kept.is_file() and self._load(kept.read_bytes()):
                return
            _log.info("building a TensorRT engine for %s; this takes about a minute, once", where)
            plan = build(self._trt, self._logger, onnx, profile_shapes(on_cpu.inputs))
            if not self._load(plan):
                raise NetworkError(f"{path}: TensorRT {where.tensorrt} can't load the engine it has built")
            self._compare(on_cpu, path)
        except RuntimeError as error:  # CudaError, and what TensorRT's bindings raise
            raise NetworkError(f"{path}: TensorRT on {where}: {error}") from error
        _keep(kept, plan)

    def _load(self, plan: bytes) -> bool:
        """Make an engine ready; False for one that this TensorRT does not take."""
        trt = self._trt
        self._runtime = trt.Runtime(self._logger)
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            return False
        self._context = self._engine.create_execution_context()
        if self._context is None:
            raise NetworkError(f"TensorRT has no memory for the network: {'; '.join(self._logger.faults)}")
        names = [self._engine.get_tensor_name(i) for i in range(self._engine.num_io_tensors)]
        self._kinds = {name: np.dtype(trt.nptype(self._engine.get_tensor_dtype(name))) for name in names}
        self._buffers = {name: Buffer(self._cuda) for name in names}
        self._stream = self._cuda.stream()
        return True

    def _compare(self, on_cpu: Network, path: Path) -> None:
        """NetworkError unless the engine gives what the CPU gives, for several lines, in blocks."""
        heard = np.random.default_rng(0).standard_normal((3, 40, ROWS * BANDS)).astype(np.float32)
        expected = on_cpu.step(heard, on_cpu.start(3))[0]
        worst = float(np.abs(self.step(heard, self.start(3))[0] - expected).max())
        if not worst < CLOSE:
            raise NetworkError(f"{path}: TensorRT is {worst} away from the CPU, expected less than {CLOSE}")

    def step(self, mel: F32, state: NetworkState) -> tuple[F32, F32, NetworkState]:
        """Mel f32[B, T, 160] → window f32[B, T, 10, 50], viseme logits f32[B, T, 10, 15] and the state after it."""
        check_step(mel, state)
        if not LINES[0] <= len(mel) <= LINES[-1] or not mel.shape[1]:
            raise ValueError(f"mel has shape {mel.shape}, expected 1 to {LINES[-1]} lines of at least a tick")
        windows, visemes = [], []
        with self._lock:
            for at in range(0, mel.shape[1], TICKS[-1]):
                window, viseme, state = self._step(mel[:, at : at + TICKS[-1]], state)
                windows.append(window)
                visemes.append(viseme)
        if len(windows) == 1:
            return windows[0], visemes[0], state
        return np.concatenate(windows, 1), np.concatenate(visemes, 1), state

    def _step(self, mel: F32, state: NetworkState) -> tuple[F32, F32, NetworkState]:
        feeds = {"mel": mel, **{name: getattr(state, name) for name in STATE}}
        sent = {name: contiguous(values, self._kinds[name]) for name, values in feeds.items()}  # live until the wait
        for name, values in sent.items():
            self._took(self._context.set_input_shape(name, tuple(values.shape)), f"shape {values.shape} of {name}")
            at = self._buffers[name].at_least(values.nbytes)
            self._took(self._context.set_tensor_address(name, at), f"address of {name}")
            self._cuda.upload(values, at, self._stream)
        results: dict[str, npt.NDArray[Any]] = {}
        for name in RESULTS:
            results[name] = np.empty(tuple(self._context.get_tensor_shape(name)), self._kinds[name])
            at = self._buffers[name].at_least(results[name].nbytes)
            self._took(self._context.set_tensor_address(name, at), f"address of {name}")
        self._took(self._context.execute_async_v3(self._stream), "step")
        for name, values in results.items():
            self._cuda.download(values, self._buffers[name].at_least(values.nbytes), self._stream)
        self._cuda.wait(self._stream)
        window, visemes, *after = (results[name] for name in RESULTS)
        return window, visemes, NetworkState(*after)

    def _took(self, well: bool, what: str) -> None:
        if not well:
            raise NetworkError(f"TensorRT refuses the {what}: {'; '.join(self._logger.faults)}")


def _keep(path: Path, plan: bytes) -> None:
    """Write an engine where the next start finds it, whole or not at all; where nothing can be written, warn."""
    part = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(plan)
        part.replace(path)
    except OSError as error:
        _log.warning("the TensorRT engine can't be kept, and is built anew at the next start: %s", error)
