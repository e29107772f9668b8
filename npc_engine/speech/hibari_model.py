"""hibari's network and spelling-to-sound rules, loaded once and shared by all voices designed from it."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from npc_engine.speech.onnx_parts import part
from npc_engine.speech.reading import GOES_ON, Reading, read
from npc_engine.speech.vocoder import Spectra, noise_table

UNIT: Final = 600  # samples in one unit of the network's durations
LONGEST: Final = 400  # symbols the network was made for (hibari.tts.MAX_PHONEMES)

# The network is cut in three: the first part says how long each symbol is, so that each can have a speed of its own;
# the second gives loudness and melody; the third draws spectra of any stretch of it on its own, so that sound starts
# before a long sentence is computed.
_LENGTHS = "/Sub_output_0"  # f32[ids], units of 600 samples at speed 1, before they are made whole
_MEANING = ("/Transpose_22_output_0", "/Transpose_55_output_0")  # of each symbol, to be drawn out to its length
_DURATIONS = "/Clip_output_0"  # f32[ids], whole units of 600 samples
_F0 = "f0"  # f32[1, frames], Hz
_LOUDNESS = "/Mul_62_output_0"  # f32[1, frames], the log loudness that the second part is given
_HIDDEN = "/Concat_43_output_0"  # f32[1, 130, frames]
_SPECTRA = ("lh", "theta", "ln", "lr", "phi")  # f32[1, 601, frames] each

# The second part looks 27 frames to either side. Beyond 12 the difference drowns in its int8 rounding, whose scale
# depends on the stretch (mean 0.05 in log magnitude, the same for 12, 16 and 36 frames).
_CONTEXT = 16

_MOST_OWED = 1.0  # units

_LOOKS_LIKE: Final = dict(zip("ħŧŀŉĳſɪɡẞɨʉ", "htlnisigßiu", strict=True))

F32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the network means to say: timing and melody of a whole sentence, before any sound."""

    reading: Reading
    speeds: F32  # f32[symbols + 2]: 1.2 talks a fifth faster
    durations: F32  # f32[symbols + 2], units of 600 samples; the silence before and after included
    f0: F32  # f32[frames], Hz; 40 or less is unvoiced
    loudness: F32  # f32[frames], natural log of power up to a constant: speech above 2, silence below -5
    hidden: F32  # f32[1, 130, frames]

    @property
    def frames(self) -> int:
        """How many frames of 300 samples."""
        return len(self.f0)


@dataclass(frozen=True, slots=True)
class Said:
    """Symbols of hibari that are said in the place of words that follow one another."""

    words: tuple[int, ...]
    symbols: str


class HibariModel:
    """Three network sessions of one thread each and one G2P; everything is safe from several threads at once."""

    def __init__(self) -> None:
        from hibari.g2p import ASSETS, G2P
        from hibari.g2p.normalize import CURRENCY_WORDS, SYMBOLS
        from hibari.voices import voice_path

        model = Path(voice_path("heart")).read_bytes()
        self.release = f"{version('hibari-tts')} {hashlib.sha256(model).hexdigest()[:12]}"
        self._time = _session(part(model, [], [_LENGTHS, *_MEANING]))
        self._plan = _session(part(model, [_DURATIONS, *_MEANING], [_F0, _LOUDNESS, _HIDDEN]))
        self._draw = _session(part(model, [_HIDDEN], _SPECTRA))
        self._vocabulary: dict[str, int] = json.loads(Path(ASSETS, "vocab.json").read_text(encoding="utf-8"))
        self._g2p: Any = G2P()
        # The network for words that are in no dictionary loads when first asked for: now, not in the middle of a line.
        letters = self._g2p.oov.cin
        self._letters = frozenset(c for c in letters if c.isascii() or unicodedata.name(c, "").startswith("LATIN"))
        self._symbols = frozenset(SYMBOLS) | frozenset(CURRENCY_WORDS)
        self.noise = noise_table()

    def speaks(self, character: str) -> bool:
        """Whether a character can be read out or, as a comma, heard as a pause or not at all."""
        if character.isascii() or character in self._symbols or character in self._letters:
            return True
        if unicodedata.category(character)[0] == "P":
            return True
        return self._plainest(character) in self._letters

    def spelled(self, text: str) -> str:
        """`text` with letters that hibari has never seen (ǟ) as the nearest that it has; one for one."""
        if text.isascii():
            return text
        return "".join(c if not c.isalpha() or c in self._letters else self._plainest(c) for c in text)

    def _plainest(self, letter: str) -> str:
        lower = letter.lower()
        if lower in self._letters:
            return lower
        base = unicodedata.normalize("NFKD", lower)[:1]
        return base if base in self._letters else _LOOKS_LIKE.get(lower, letter)

    def read(self, sentence: str, words: Sequence[tuple[int, int]], said: Sequence[Said] = ()) -> list[Reading]:
        """How `sentence` is read, in parts of at most 400 symbols; `words` are the characters of its words."""
        reading = read(self._g2p, self._vocabulary, sentence, words)
        for instead in said:
            reading = reading.said(instead.words, instead.symbols)
        return reading.parts(LONGEST - len(GOES_ON))

    def plan(self, reading: Reading, speeds: F32) -> Plan:
        """Timing and melody of a reading; `speeds` is f32[symbols + 2], of the pads before and after it too."""
        ids = np.array([[0, *(self._vocabulary[s] for s in reading.symbols), 0]], np.int64)
        lengths, *meaning = self._time.run(None, {"ids": ids})
        durations = _whole(lengths.ravel(), speeds)
        given = dict(zip(_MEANING, meaning, strict=True))
        f0, loudness, hidden = self._plan.run(None, {_DURATIONS: durations, **given})
        return Plan(reading, speeds, durations, f0[0], loudness[0], hidden)

    def spectra(self, plan: Plan, first: int, last: int) -> Spectra:
        """Frames [first, last) of the plan's sound."""
        begin = max(first - _CONTEXT, 0)
        end = min(last + _CONTEXT, plan.frames)
        drawn = self._draw.run(None, {_HIDDEN: np.ascontiguousarray(plan.hidden[:, :, begin:end])})
        return Spectra(*(values[0, :, first - begin : last - begin] for values in drawn))


def _whole(lengths: F32, speeds: F32) -> F32:
    """Durations in whole units, one at least; what rounding takes from one symbol the next one gets.

    The network rounds each on its own: then most symbols, being two or three units long, hardly heed the speed
    (1.25 gave 1.14).
    """
    found = np.empty_like(lengths)
    owed = 0.0
    for i, wanted in enumerate(np.maximum(lengths, 1) / speeds):
        found[i] = max(1.0, round(float(wanted) + owed))
        owed = min(max(owed + float(wanted) - float(found[i]), -_MOST_OWED), _MOST_OWED)
    return found


def _session(model: bytes) -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    # Two threads were slower than one whenever the other core was busy, and other lines keep it busy.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
