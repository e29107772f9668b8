"""Which engine a voice.toml asks for; each engine is one module, imported when a voice first needs it."""

from __future__ import annotations

import os
import threading
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from npc_engine.cast import CastError, VoiceSpec, near
from npc_engine.speech import recording
from npc_engine.speech.engine import Engine
from npc_engine.speech.recording import RecordedVoice
from npc_engine.speech.voice import CastVoice, Takes, spoken

_COMMON: Final = frozenset({"engine", "language", "sex", "about", "licence", "gain_db"})
ENGINES: Final[dict[str, frozenset[str]]] = {
    "hibari": frozenset({"speed", "pitch", "formant", "range"}),
    "kokoro": frozenset({"speed", "pitch", "formant", "range", "blend", "model"}),
    "coqui": frozenset({"speed", "pitch", "model", "config", "speaker"}),
    "recording": frozenset({"lines"}),
}
"""Engine → keys of voice.toml that it reads, beside those that every voice has."""


class VoiceEngines:
    """The speech models in memory; voices of one engine share one."""

    def __init__(self, takes: Takes = spoken) -> None:
        self._lock = threading.Lock()
        self._takes = takes
        self._models: dict[str, Any] = {}  # by engine, and by weights where an engine has several

    def voice(self, spec: VoiceSpec, name: str, folder: Path) -> CastVoice | RecordedVoice:
        """The voice that `folder`'s voice.toml describes, warm; `CastError` for one that can't be loaded."""
        check_keys(spec, folder / "voice.toml")
        with self._lock:
            if spec.engine == "recording":
                return recording.load(spec, name, folder, self._models)
            known = len(self._models)
            voice = CastVoice(self._engine(spec, name, folder), spec, name, self._takes)
            if len(self._models) > known:  # a model's first sentence takes longer than all others: nobody waits for it
                voice.warm()
        return voice

    def forget(self, folder: Path) -> None:
        """Drop the models whose files lie in `folder`; voices that have them keep them."""
        with self._lock:
            inside = f"{folder}{os.sep}"
            self._models = {key: model for key, model in self._models.items() if inside not in key}

    def _engine(self, spec: VoiceSpec, name: str, folder: Path) -> Engine:
        if spec.engine == "hibari":
            from npc_engine.speech import hibari

            return hibari.load(spec, name, folder, self._models)
        if spec.engine == "coqui":
            from npc_engine.speech import coqui

            return coqui.load(spec, name, folder, self._models)
        if spec.engine == "kokoro":
            from npc_engine.speech import kokoro

            return kokoro.load(spec, name, folder, self._models)
        raise AssertionError(f"engine {spec.engine!r} passed check_keys and has no module")


def check_keys(spec: VoiceSpec, path: Path) -> None:
    """Raise `CastError` for an unknown engine, and for a key that the engine does not read."""
    if spec.engine not in ENGINES:
        raise CastError(
            f"{path}: unknown engine {spec.engine!r}{near(spec.engine, ENGINES)}; known: {', '.join(ENGINES)}"
        )
    keys = _COMMON | ENGINES[spec.engine]
    for key in fields(spec):
        default = key.default_factory() if callable(key.default_factory) else key.default
        if key.name not in keys and getattr(spec, key.name) != default:
            raise CastError(
                f"{path}: key {key.name!r} means nothing to engine {spec.engine!r}; it reads {', '.join(sorted(keys))}"
            )


def load_voice(spec: VoiceSpec, name: str, folder: Path) -> CastVoice | RecordedVoice:
    """One voice on a model of its own; use `VoiceEngines` for several."""
    return VoiceEngines().voice(spec, name, folder)
