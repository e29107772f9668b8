"""The Audio2Exp network as an ONNX file: loaded once for all lines, its state explicit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from npc_engine.expression.mel import BANDS, HOP
from npc_engine.expression.window import AHEAD, BEHIND, VISEMES
from npc_engine.moments import EXP50, TICK_SAMPLES

F32 = npt.NDArray[np.float32]

SHIPPED: Final = Path(__file__).with_name("audio2exp.onnx")
FORMAT: Final = "npc_engine audio2exp 1"
ROWS: Final = TICK_SAMPLES // HOP  # mel rows a tick

_STATE: Final = ("cache_k", "cache_v", "lstm_h", "lstm_c")
_RESULTS: Final = ("window", "visemes", *(f"new_{name}" for name in _STATE))


class NetworkError(ValueError):
    """A network file that can't be used: says which file, what came and what was expected."""


@dataclass(frozen=True, slots=True)
class NetworkState:
    """What the network remembers of B lines; zeros at their first tick."""

    cache_k: F32  # f32[B, layers, 40, width]
    cache_v: F32
    lstm_h: F32  # f32[1, B, width]
    lstm_c: F32


class Network:
    """One session on one thread; `step` is safe from several threads, for all state is an argument."""

    def __init__(self, path: Path = SHIPPED) -> None:
        if not path.is_file():
            raise NetworkError(f"{path}: no such file")
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has no public class for what it raises here
            raise NetworkError(f"{path}: not a network that onnxruntime can load: {error}") from error
        self.about: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        self._check(path)
        shapes = {i.name: i.shape for i in self._session.get_inputs()}
        _, self._layers, self._past, self._width = shapes["cache_k"]

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
        cache = np.zeros((batch, self._layers, self._past, self._width), np.float32)
        hidden = np.zeros((1, batch, self._width), np.float32)
        return NetworkState(cache, cache, hidden, hidden)

    def step(self, mel: F32, state: NetworkState) -> tuple[F32, F32, NetworkState]:
        """Mel f32[B, T, 160] → window f32[B, T, 10, 50], viseme logits f32[B, T, 10, 15] and the state after it."""
        if mel.ndim != 3 or mel.shape[2] != ROWS * BANDS:
            raise ValueError(f"mel has shape {mel.shape}, expected (lines, ticks, {ROWS * BANDS})")
        feeds = {"mel": mel, **{name: getattr(state, name) for name in _STATE}}
        window, visemes, *after = self._session.run(_RESULTS, feeds)
        return window, visemes, NetworkState(*after)
