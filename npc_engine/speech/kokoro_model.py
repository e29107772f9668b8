"""Kokoro's network in four parts, shared by all voices that speak with it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from npc_engine.moments import Sound
from npc_engine.speech.hibari_model import Plan
from npc_engine.speech.kokoro_generator import COARSE, Moments, StyleLayers, generator
from npc_engine.speech.kokoro_source import FRAME, SPECTRA, Mixer, Overlap, harmonics
from npc_engine.speech.onnx_graph import OnnxFile
from npc_engine.speech.onnx_parts import part
from npc_engine.speech.reading import Reading

F32 = npt.NDArray[np.float32]

VOCABULARY: Final[dict[str, int]] = {
    **dict(zip(";:,.!?", range(1, 7), strict=True)),
    **dict(zip('—…"()“” ̃ʣʥʦʨᵝꭧAI', range(9, 26), strict=True)),
    "O": 31, "Q": 33, "S": 35, "T": 36, "W": 39, "Y": 41, "ᵊ": 42, "a": 43, "b": 44, "c": 45, "d": 46, "e": 47,
    "f": 48, **dict(zip("hijklmnopqrstuvwxyz", range(50, 69), strict=True)), "ɑ": 69, "ɐ": 70, "ɒ": 71, "æ": 72,
    "β": 75, "ɔ": 76, "ɕ": 77, "ç": 78, "ɖ": 80, "ð": 81, "ʤ": 82, "ə": 83, "ɚ": 85, "ɛ": 86, "ɜ": 87, "ɟ": 90,
    "ɡ": 92, "ɥ": 99, "ɨ": 101, "ɪ": 102, "ʝ": 103, "ɯ": 110, "ɰ": 111, "ŋ": 112, "ɳ": 113, "ɲ": 114, "ɴ": 115,
    "ø": 116, "ɸ": 118, "θ": 119, "œ": 120, "ɹ": 123, "ɾ": 125, "ɻ": 126, "ʁ": 128, "ɽ": 129, "ʂ": 130, "ʃ": 131,
    "ʈ": 132, "ʧ": 133, "ʊ": 135, "ʋ": 136, "ʌ": 138, "ɣ": 139, "ɤ": 140, "χ": 142, "ʎ": 143, "ʒ": 147, "ʔ": 148,
    "ˈ": 156, "ˌ": 157, "ː": 158, "ʰ": 162, "ʲ": 164, "↓": 169, "→": 171, "↗": 172, "↘": 173, "ᵻ": 177,
}  # fmt: skip
"""Symbol → number, as in the vocabulary published with the weights."""

LONGEST: Final = 400  # symbols of one reading; the network has places for 510
_SCALES: Final = Path(__file__).parent / "kokoro_scales.npz"

# Where the network is cut: what lasts how long; melody and loudness; the sound in outline; the sound.
_TOKENS, _STYLE, _SPEED = "tokens", "style", "speed"
_DURATIONS = "/encoder/Div_output_0"  # f32[1, symbols + 2], units of 600 samples, not rounded
_MEANING = "/encoder/predictor/text_encoder/Concat_4_output_0"  # f32[1, symbols + 2, 640]
_SYMBOLS = "/encoder/text_encoder/Transpose_2_output_0"  # f32[1, 512, symbols + 2]
_MEANING_IN_TIME = "/encoder/MatMul_output_0"  # f32[1, 640, units]
_SYMBOLS_IN_TIME = "/encoder/MatMul_1_output_0"  # f32[1, 512, units]
_F0 = "/encoder/F0_proj/Conv_output_0"  # f32[1, 1, frames], Hz
_LOUDNESS = "/encoder/N_proj/Conv_output_0"  # f32[1, 1, frames]
_OUTLINE = "/decoder/decoder/decode.3/Div_4_output_0"  # f32[1, 512, frames]
_MIX = "onnx::MatMul_6993"
_MIX_BIAS = "decoder.decoder.generator.m_source.l_linear.bias"
_BASIS = "decoder.decoder.generator.stft.istft.stft.inverse_basis"

# A style has a vector for each length. The moments were measured at these lengths; at others (a word alone, 300
# symbols) the generator's levels are so different that nothing is heard, and what is far from them is less natural too.
_SHORTEST_STYLE, _LONGEST_STYLE = 60, 120
# Frames to either side beyond which nothing is heard of a frame, in the generator's first stage and in its second.
_CONTEXT, _FINE_CONTEXT = 10, 2
_FIRST_PIECE = 24  # frames of 12.5 ms: the first sound leaves soon; later pieces double, as they cost less
_LARGEST_PIECE = 192  # beyond, hardly anything is gained


@dataclass(frozen=True, slots=True)
class Style:
    """A voice of Kokoro's: a vector for each length of what is said, and its generator's moments."""

    vectors: F32  # f32[510, 256]
    moments: Moments


class KokoroModel:
    """Five network sessions of one thread each; everything is safe from several threads at once."""

    def __init__(self, model: bytes, release: str) -> None:
        file = OnnxFile(model)
        with np.load(_SCALES) as scales:
            coarse, fine = generator(file, dict(scales))
        self.release = release
        self._layers = StyleLayers(file)
        self.mixer = Mixer(file.weights(_MIX).ravel().copy(), file.weights(_MIX_BIAS).copy())
        self._basis = file.weights(_BASIS)[:, 0].copy()
        self._timing = session(part(model, [], [_DURATIONS, _MEANING, _SYMBOLS]))
        self._melody = session(part(model, [_MEANING_IN_TIME], [_F0, _LOUDNESS]))
        self._outline = session(part(model, [_SYMBOLS_IN_TIME, _F0, _LOUDNESS], [_OUTLINE]))
        self._coarse, self._fine = session(coarse), session(fine)

    def plan(self, reading: Reading, style: Style, speeds: F32) -> Plan:
        """Timing and melody of a reading; `speeds` is f32[symbols + 2], of the pads before and after it too."""
        ids = np.array([[0, *(VOCABULARY[s] for s in reading.symbols), 0]], np.int64)
        vector = _vector(style, reading)
        lasting, meaning, symbols = _run(self._timing, {_TOKENS: ids, _STYLE: vector, _SPEED: np.ones(1, np.float32)})
        units = _rounded(lasting.ravel() / speeds)
        in_time = np.ascontiguousarray(np.repeat(meaning, units, axis=1).transpose(0, 2, 1))
        f0, loudness = _run(self._melody, {_MEANING_IN_TIME: in_time, _STYLE: vector})
        hidden = np.repeat(symbols, units, axis=2)
        return Plan(reading, speeds, units.astype(np.float32), f0[0, 0], loudness[0, 0], hidden)

    def sound(self, plan: Plan, f0: F32, style: Style, first: int, last: int) -> Iterator[Sound]:
        """The samples of frames [first, last) of a plan with the melody f0 f32[frames], piece by piece."""
        outline, vector = self.outline(plan, f0, style)
        factors, summands = self._layers.affine(vector, style.moments)
        source = harmonics(f0, self.mixer)
        overlap = Overlap(self._basis)
        size = _FIRST_PIECE
        given = 0
        while first < last:
            stop = min(first + size, last)
            spectra, start = self._spectra(outline, source, (factors, summands), first, stop)
            ahead = 2 * (stop == last)  # the last samples need the spectra that reach back into them
            piece = overlap.push(spectra[:, SPECTRA * (first - start) : SPECTRA * (stop - start) + ahead])
            given += len(piece)
            yield piece
            first = stop
            size = min(2 * size, _LARGEST_PIECE)

    def outline(self, plan: Plan, f0: F32, style: Style) -> tuple[F32, F32]:
        """The generator's frames f32[1, 512, frames] for a plan with the melody f0, and the style vector f32[256]."""
        vector = _vector(style, plan.reading)
        (outline,) = _run(
            self._outline,
            {
                _SYMBOLS_IN_TIME: plan.hidden,
                _F0: np.ascontiguousarray(f0[None, None]),
                _LOUDNESS: np.ascontiguousarray(plan.loudness[None, None]),
                _STYLE: vector,
            },
        )
        return outline, vector[0]

    def _spectra(self, outline: F32, source: F32, affine: tuple[F32, F32], first: int, stop: int) -> tuple[F32, int]:
        """Log magnitudes and phases f32[22, m] of frames [first, stop) and some around them; the first frame."""
        frames = outline.shape[2]
        begin, end = max(first - _CONTEXT, 0), min(stop + _CONTEXT, frames)
        start, until = max(first - _FINE_CONTEXT, 0), min(stop + _FINE_CONTEXT, frames)
        (coarse,) = self._coarse.run(
            None,
            {
                "frames": np.ascontiguousarray(outline[:, :, begin:end]),
                "source": np.ascontiguousarray(source[:, :, SPECTRA * begin : SPECTRA * end + 1]),
                "factors": affine[0][:, :COARSE],
                "summands": affine[1][:, :COARSE],
            },
        )
        step = coarse.shape[2] // (end - begin)
        (fine,) = self._fine.run(
            None,
            {
                "frames": np.ascontiguousarray(coarse[:, :, step * (start - begin) : step * (until - begin)]),
                "source": np.ascontiguousarray(source[:, :, SPECTRA * start : SPECTRA * until + 1]),
                "factors": np.ascontiguousarray(affine[0][:, COARSE:]),
                "summands": np.ascontiguousarray(affine[1][:, COARSE:]),
            },
        )
        return fine[0], start


def session(model: bytes) -> Any:
    """An onnxruntime session of one thread."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    # Two threads were slower than one whenever the other core was busy, and other lines keep it busy.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _run(part_: Any, feeds: dict[str, npt.NDArray[Any]]) -> list[F32]:
    """A part's outputs; of the model's own inputs a part has those that it needs."""
    needed = {value.name for value in part_.get_inputs()}
    found: list[F32] = part_.run(None, {name: values for name, values in feeds.items() if name in needed})
    return found


def _vector(style: Style, reading: Reading) -> F32:
    row = min(max(len(reading.symbols) - 1, _SHORTEST_STYLE), _LONGEST_STYLE)
    vector: F32 = style.vectors[row][None]
    return vector


def _rounded(lasting: F32) -> npt.NDArray[np.int64]:
    """Whole durations of at least 1 whose sum keeps to the sum of those asked for, so that the tempo does."""
    units = np.empty(len(lasting), np.int64)
    owed = 0.0
    for i, length in enumerate(lasting):
        units[i] = max(round(float(length) + owed), 1)
        owed = min(max(owed + float(length) - units[i], -1.0), 1.0)
    return units


def load_style(data: bytes) -> Style:
    """A style out of an .npz of float16 arrays; raises `KeyError` or `ValueError` for anything else."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        vectors, mean, variance = (arrays[key].astype(np.float32) for key in ("vectors", "mean", "log_variance"))
    return Style(vectors, Moments(mean, np.exp(variance)))


__all__ = ["FRAME", "LONGEST", "VOCABULARY", "KokoroModel", "Style", "load_style"]
