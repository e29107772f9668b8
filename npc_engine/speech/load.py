"""Which engine a voice.toml asks for."""

from __future__ import annotations

import threading
from pathlib import Path

from npc_engine.cast import CastError, VoiceSpec, near
from npc_engine.speech.hibari import HibariVoice
from npc_engine.speech.hibari_model import HibariModel

ENGINES = ("hibari",)


class VoiceEngines:
    """The speech models in memory; voices of one engine share one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hibari: HibariModel | None = None

    def voice(self, spec: VoiceSpec, name: str, folder: Path) -> HibariVoice:
        """The voice that `folder`'s voice.toml describes; `CastError` for an engine that is not known."""
        if spec.engine not in ENGINES:
            raise CastError(
                f"{folder / 'voice.toml'}: unknown engine {spec.engine!r}{near(spec.engine, ENGINES)}; "
                f"known: {', '.join(ENGINES)}"
            )
        with self._lock:
            fresh = self._hibari is None
            self._hibari = self._hibari or HibariModel()
            voice = HibariVoice(self._hibari, spec, name)
            if fresh:  # the first sentence of a model takes longer than all others, so nobody listens to it
                voice.warm()
        return voice


def load_voice(spec: VoiceSpec, name: str, folder: Path) -> HibariVoice:
    """One voice on a model of its own; use `VoiceEngines` for several."""
    return VoiceEngines().voice(spec, name, folder)
