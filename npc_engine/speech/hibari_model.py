"""hibari's network and spelling-to-sound rules, loaded once and shared by all voices designed from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from npc_engine.speech.alignment import word_of_each_character
from npc_engine.speech.onnx_outputs import with_outputs

HOP: Final = 300  # samples from frame to frame of the network, at 24 kHz
UNIT: Final = 600  # samples in one unit of the network's durations
DURATIONS: Final = "/Clip_output_0"  # f32[ids]: how long each symbol sounds, in units
LONGEST: Final = 400  # symbols the network reads at once (hibari.tts.MAX_PHONEMES)

F32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a sentence is read: hibari's symbols, their network ids and the words they belong to."""

    symbols: str  # IPA, stress marks, spaces and punctuation
    ids: tuple[int, ...]
    words: tuple[int, ...]  # per symbol: index among the sentence's words, -1 between words


@dataclass(frozen=True, slots=True)
class Frames:
    """What the network says about a reading: a spectrum every 300 samples, as hibari.dsp describes it."""

    harmonic: F32  # f32[601, frames], log magnitude
    angle: F32
    noise: F32  # log magnitude
    free: F32  # log magnitude
    phase: F32
    f0: F32  # f32[frames], Hz; under 40 where unvoiced
    durations: F32  # f32[2 + symbols], in units of 600 samples; silence before and after included


class HibariModel:
    """One network session (one thread) and one G2P; reading and running are safe from several threads."""

    def __init__(self, path: Path | None = None) -> None:
        import onnxruntime as ort
        from hibari.g2p import ASSETS, G2P
        from hibari.voices import voice_path

        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        path = path or Path(voice_path("heart"))
        self._session = ort.InferenceSession(
            with_outputs(path.read_bytes(), [DURATIONS]), options, providers=["CPUExecutionProvider"]
        )
        self._vocabulary: dict[str, int] = _vocabulary(Path(ASSETS))
        self._g2p: Any = G2P()

    def read(self, sentence: str, spans: list[tuple[int, int]]) -> Reading:
        """How `sentence` is read; `spans` are the characters of its words."""
        symbols, words = word_of_each_character(self._g2p, sentence, spans)
        kept = [(s, w) for s, w in zip(symbols, words, strict=True) if s in self._vocabulary]
        return Reading(
            "".join(s for s, _ in kept), tuple(self._vocabulary[s] for s, _ in kept), tuple(w for _, w in kept)
        )

    def frames(self, reading: Reading, speed: float) -> Frames:
        """Run the network on a reading; `speed` 1.2 talks a fifth faster."""
        feeds = {"ids": np.array([[0, *reading.ids, 0]], np.int64), "speed": np.array([speed], np.float32)}
        *spectra, durations = self._session.run(None, feeds)
        return Frames(*(s[0] for s in spectra), durations=durations.ravel())


def _vocabulary(assets: Path) -> dict[str, int]:
    import json

    table: dict[str, int] = json.loads((assets / "vocab.json").read_text(encoding="utf-8"))
    return table
