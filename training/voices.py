"""Who speaks the training data: designs of hibari's voice, blends of Kokoro's, flite's, each with phone times."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
import soxr

from npc_engine.cast import VoiceSpec
from npc_engine.moments import SAMPLE_RATE, Line, Phone, Sound
from npc_engine.speech import kokoro
from npc_engine.speech.hibari import HibariEngine
from npc_engine.speech.hibari_model import HibariModel
from npc_engine.speech.voice import CastVoice
from training.arpabet import symbol

Spoken = tuple[Sound, tuple[Phone, ...]]

KOKORO: Final[dict[str, tuple[str, ...]]] = {
    "en-US": ("af_bella", "af_heart", "am_fenrir", "am_michael", "am_onyx"),
    "en-GB": ("bf_emma", "bf_isabella", "bm_fable", "bm_george"),
    "zh": ("zf_xiaobei", "zf_xiaoxiao", "zm_yunjian", "zm_yunxi"),
    "ja": ("jf_alpha", "jm_kumo"),
}
"""Language → styles that ship."""

FLITE: Final = ("awb", "rms", "slt", "kal16")
HELD_OUT_STYLES: Final = frozenset({"am_onyx", "bm_fable", "zm_yunjian", "jm_kumo"})
HELD_OUT_FLITE: Final = frozenset({"kal16"})
HELD_OUT_PITCH: Final = ((0.72, 0.79), (1.07, 1.13))  # hibari designs in these ranges are never trained on


@dataclass(frozen=True)
class Job:
    """One sentence to be spoken."""

    id: str
    engine: str  # hibari, kokoro or flite
    voice: str
    language: str
    text: str
    spec: dict[str, Any]  # keys of a VoiceSpec, or flite's own
    emotion: str = "neutral"
    strength: float = 1.0
    held: str = ""  # "voice" or "sentence" where it is kept for evaluation


def hibari_design(rng: np.random.Generator) -> dict[str, Any]:
    """A voice to train on, its pitch outside of what is held out; a third of them with formants of their own."""
    while True:
        pitch = float(np.exp(rng.uniform(np.log(0.62), np.log(1.28)))) if rng.random() < 0.85 else 1.0
        if not any(low <= pitch <= high for low, high in HELD_OUT_PITCH):
            break
    formant = pitch * float(np.exp(rng.uniform(-0.16, 0.16))) if rng.random() < 0.35 else 0.0
    return {
        "pitch": round(pitch, 2),
        "formant": round(min(max(formant, 0.62), 1.3), 2) if formant else 0.0,
        "speed": round(rng.uniform(0.75, 1.35), 2),
        "range": round(rng.uniform(0.2, 1.6), 2),
    }


def kokoro_blend(language: str, rng: np.random.Generator) -> dict[str, Any]:
    """A voice to train on: one style of a language or a blend of two, English accents also between each other."""
    known = [s for s in KOKORO[language] if s not in HELD_OUT_STYLES]
    others = [s for names in KOKORO.values() for s in names if s not in HELD_OUT_STYLES]
    if language.startswith("en"):
        others = [s for s in others if s[0] in "ab"]
    first = str(rng.choice(known))
    blend = {first: 1.0}
    if rng.random() < 0.6:
        second = str(rng.choice([s for s in others if s != first]))
        share = round(float(rng.uniform(0.15, 0.5)), 2)
        blend = {first: round(1 - share, 2), second: share}
    pitch = round(float(np.exp(rng.uniform(-0.2, 0.2))), 2) if rng.random() < 0.6 else 1.0
    formant = round(float(np.exp(rng.uniform(-0.13, 0.13))), 2) if rng.random() < 0.6 else 1.0
    return {
        "language": language, "blend": blend, "pitch": pitch, "formant": formant,
        "speed": round(float(rng.uniform(0.8, 1.3)), 2), "range": round(float(rng.uniform(0.6, 1.4)), 2),
    }  # fmt: skip


def flite_manner(rng: np.random.Generator) -> dict[str, Any]:
    """Tempo of a flite voice."""
    return {"duration_stretch": round(float(rng.uniform(0.8, 1.25)), 2)}


class Speakers:
    """The speech models of a process, each loaded when it is first needed; `speak` gives 24 kHz sound and phones."""

    def __init__(self) -> None:
        self._models: dict[str, Any] = {}

    def speak(self, job: Job) -> Spoken:
        """Speak a job. Raises what the engine raises, and `FileNotFoundError` where flite is not installed."""
        ways: dict[str, Callable[[Job], Spoken]] = {
            "hibari": self._cast_voice,
            "kokoro": self._cast_voice,
            "flite": flite,
        }
        return ways[job.engine](job)

    def _cast_voice(self, job: Job) -> Spoken:
        spec = VoiceSpec(job.engine, **job.spec)
        if "hibari" not in self._models:
            self._models["hibari"] = HibariModel()
        engine = (
            HibariEngine(self._models["hibari"], spec, job.voice)
            if job.engine == "hibari"
            else kokoro.load(spec, job.voice, Path(), self._models)
        )
        line = Line(job.id, job.voice, job.text, emotion=job.emotion, strength=job.strength)
        chunks = list(CastVoice(engine, spec, job.voice).speak(line))
        return np.concatenate([c.samples for c in chunks]), tuple(p for c in chunks for p in c.phones)


def flite(job: Job) -> Spoken:
    """Speak with Debian's flite, whose `-psdur` prints the end of every phone exactly."""
    program = shutil.which("flite")
    if program is None:
        raise FileNotFoundError("flite is not installed: apt-get install flite")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spoken.wav"
        done = subprocess.run(  # noqa: S603 - our own arguments
            [
                program, "-voice", job.voice, "--setf", f"duration_stretch={job.spec['duration_stretch']}",
                "-psdur", "-t", job.text, "-o", str(path),
            ],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        sound, rate = soundfile.read(path, dtype="float32")
    phones, at = [], 0
    for name, end in re.findall(r"([a-z]+):([0-9.]+)", done.stdout):
        stop = round(float(end) * SAMPLE_RATE)
        phones.append(Phone(symbol(name), at, stop))
        at = stop
    resampled: Sound = soxr.resample(sound, rate, SAMPLE_RATE).astype(np.float32)
    return resampled, tuple(phones)
