"""The Audio2Exp network as an ONNX file: loaded once for all lines, its state explicit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from npc_engine.expression.mel import BANDS, HOP
from npc_engine.expression.window import AHEAD, BEHIND, VISEMES
from npc_engine.moments import EXP50, TICK_SAMPLES

F32: TypeAlias = npt.NDArray[np.float32]
Floats: TypeAlias = npt.NDArray[np.floating[Any]]  # f32, or f16 where the file says so
Inputs: TypeAlias = dict[str, tuple[tuple[int | str, ...], np.dtype[np.floating[Any]]]]  # by name: shape and type

SHIPPED: Final = Path(__file__).with_name("audio2exp.onnx")
SHIPPED_HALVED: Final = Path(__file__).with_name("audio2exp.fp16.onnx")
FORMAT: Final = "npc_engine audio2exp 1"
ROWS: Final = TICK_SAMPLES // HOP  # mel rows a tick
CPU: Final = "CPUExecutionProvider"

STATE: Final = ("cache_k", "cache_v", "lstm_h", "lstm_c")
RESULTS: Final = ("window", "visemes", *(f"new_{name}" for name in STATE))
_KINDS: Final[dict[str, np.dtype[np.floating[Any]]]] = {
    "tensor(float)": np.dtype(np.float32),
    "tensor(float16)": np.dtype(np.float16),
}


class NetworkError(ValueError):
    """A network file that can't be used: says which file, what came and what was expected."""


@dataclass(frozen=True, slots=True)
class NetworkState:
    """What the network remembers of B lines; zeros at their first tick. The file says the shapes but for B."""

    cache_k: Floats  # [B, layers, ...], keys of the last 800 ms
    cache_v: Floats  # [B, layers, ...], values of the last 800 ms
    lstm_h: Floats  # [1, B, width]
    lstm_c: Floats  # [1, B, width]

    @property
    def lines(self) -> int:
        """B."""
        return len(self.cache_k)

    @staticmethod
    def join(states: Sequence[NetworkState]) -> NetworkState:
        """The state of all lines of `states`, in their order."""
        return NetworkState(
            np.concatenate([s.cache_k for s in states]),
            np.concatenate([s.cache_v for s in states]),
            np.concatenate([s.lstm_h for s in states], axis=1),
            np.concatenate([s.lstm_c for s in states], axis=1),
        )

    def part(self, first: int, lines: int) -> NetworkState:
        """The state of `lines` lines from the line `first` on, copied: it does not keep the other lines in memory."""
        rows = slice(first, first + lines)
        return NetworkState(
            self.cache_k[rows].copy(),
            self.cache_v[rows].copy(),
            self.lstm_h[:, rows].copy(),
            self.lstm_c[:, rows].copy(),
        )


class Stepping(Protocol):
    """Whatever steps the network: `Network` on one core or CUDA, `Together`, TensorRT."""

    @property
    def about(self) -> dict[str, str]:
        """The metadata of the network's file."""

    def start(self, batch: int = 1) -> NetworkState:
        """The state before the first tick of `batch` lines."""

    def step(self, mel: F32, state: NetworkState) -> tuple[F32, F32, NetworkState]:
        """Mel f32[B, T, 160] → window f32[B, T, 10, 50], viseme logits f32[B, T, 10, 15] and the state after it."""


class Network:
    """One session of onnxruntime on one thread; `step` is safe from several threads, for all state is an argument.

    `provider` is onnxruntime's name of what computes, and `settings` are its own. NetworkError when another one would
    compute, for onnxruntime itself only warns and takes the CPU.
    """

    def __init__(
        self, path: Path = SHIPPED, provider: str = CPU, settings: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        if not path.is_file():
            raise NetworkError(f"{path}: no such file")
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(str(path), options, [provider], [dict(settings)])
        except Exception as error:  # onnxruntime has no public class for what it raises here
            raise NetworkError(f"{path}: not a network that onnxruntime can load: {error}") from error
        took = self._session.get_providers()[0]
        if took != provider:
            raise NetworkError(f"{path}: onnxruntime took {took}, expected {provider}, which it could not start")
        self._session.disable_fallback()  # else a step that fails is tried again on the CPU, silently
        self.about: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        self._check(path)
        self.inputs: Inputs = {i.name: (tuple(i.shape), _KINDS[i.type]) for i in self._session.get_inputs()}
        """What the file takes; 'B' and 'T' stand for the sizes that are free."""

    def _check(self, path: Path) -> None:
        expected = {
            "format": FORMAT,
            "mel_hop": str(HOP),
            "offsets": json.dumps(list(range(-BEHIND, AHEAD + 1))),
            "coefficients": json.dumps(list(EXP50)),
            "visemes": json.dumps(list(VISEMES)),
        }
        for key, value in expected.items():
            if self.about.get(key) != value:
                raise NetworkError(f"{path}: {key} is {self.about.get(key)!r}, expected {value!r}")

    def start(self, batch: int = 1) -> NetworkState:
        """The state before the first tick of `batch` lines."""
        parts: list[Floats] = []
        for name in STATE:
            shape, kind = self.inputs[name]
            parts.append(np.zeros([batch if size == "B" else int(size) for size in shape], kind))
        return NetworkState(*parts)

    def step(self, mel: F32, state: NetworkState) -> tuple[F32, F32, NetworkState]:
        """Mel f32[B, T, 160] → window f32[B, T, 10, 50], viseme logits f32[B, T, 10, 15] and the state after it."""
        check_step(mel, state)
        feeds = {"mel": mel, **{name: getattr(state, name) for name in STATE}}
        window, visemes, *after = self._session.run(RESULTS, feeds)
        return window, visemes, NetworkState(*after)


def check_step(mel: F32, state: NetworkState) -> None:
    """Raise ValueError for a mel that no step takes."""
    if mel.ndim != 3 or mel.shape[2] != ROWS * BANDS:
        raise ValueError(f"mel has shape {mel.shape}, expected (lines, ticks, {ROWS * BANDS})")
    if len(mel) != state.lines:
        raise ValueError(f"mel is of {len(mel)} lines, expected the {state.lines} of the state")
