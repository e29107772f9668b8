"""The cast, loaded: each voice, face and network once, put together into characters that can perform."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from npc_engine.cast import Cast, CastError, FaceSpec, VoiceSpec
from npc_engine.expression.audio2exp import Audio2Exp
from npc_engine.expression.limits import DEFAULT_SMOOTHING
from npc_engine.expression.network import Stepping
from npc_engine.expression.settings import Settings
from npc_engine.frames.encode import best_format, encode_picture
from npc_engine.frames.guard import Stats
from npc_engine.frames.guarded import Guarded
from npc_engine.frames.load import load_face
from npc_engine.moments import Pixels
from npc_engine.performance import Face, NoFace, Npc, Voice
from npc_engine.snapshot import Snapshot, snapshot
from npc_engine.speech.cache import TakeCache
from npc_engine.speech.load import VoiceEngines
from npc_engine.speech.voice import spoken

DEFAULT_LOOKAHEAD_MS = 60


class Troupe:
    """Characters of a cast, loaded on first use and kept; safe to use from several threads.

    The cast stays as its files were when the troupe was made, until `swap` puts another one in its place. With a
    `cache`, phrases that were spoken before are not spoken anew.
    """

    def __init__(
        self,
        cast: Cast,
        *,
        lookahead_ms: int = DEFAULT_LOOKAHEAD_MS,
        cache: TakeCache | None = None,
        network: Stepping | None = None,
    ) -> None:
        self.files = cast  # as it stands on the disk
        self.cast: Snapshot = snapshot(cast)
        self._network = network  # of every mouth; the shipped one on the CPU where none was given
        self._lookahead_ms = lookahead_ms
        self._engines = VoiceEngines(cache.takes if cache else spoken)
        self._voices: dict[str, Voice] = {}
        self._faces: dict[str, Guarded] = {}
        self._mouths: dict[Settings, Audio2Exp] = {}
        self._loading = threading.RLock()

    def npcs(self) -> list[dict[str, Any]]:
        """Name, voice, face and description of every character."""
        return [
            {"name": name, "voice": spec.voice, "face": spec.face, "about": spec.about}
            for name, spec in sorted(self.cast.npcs().items())
        ]

    def npc(self, name: str, voice: str = "", face: str = "") -> Npc:
        """The character `name`, ready; `voice` and `face` replace its own, and do for a character without a name.

        Raises `CastError` for a name that is not in the cast, with the nearest one that is.
        """
        spec = self.cast.npc(name) if name else None
        voice = voice or (spec.voice if spec else "")
        face = face or (spec.face if spec else "")
        if not voice:
            raise CastError("neither a character nor a voice was named, expected one of them")
        drawn: Face = self.face(face) if face else NoFace()
        style = spec.style if spec else "lively"
        mouth = self.mouth(spec.style, spec.intensity, spec.smoothing) if spec else self.mouth(style)
        return Npc(name or voice, self.voice(voice), mouth, drawn, style)

    def voice(self, name: str) -> Voice:
        """The voice `name`, loaded."""
        if found := self._voices.get(name):  # without the lock: nobody waits while another's voice is loaded
            return found
        with self._loading:
            if name not in self._voices:
                self._voices[name] = self.load_voice(name, *self.cast.voice(name))
            return self._voices[name]

    def face(self, name: str) -> Guarded:
        """The face `name`, loaded."""
        if found := self._faces.get(name):
            return found
        with self._loading:
            if name not in self._faces:
                self._faces[name] = load_face(*self.cast.face(name))
            return self._faces[name]

    def load_voice(self, name: str, spec: VoiceSpec, folder: Path) -> Voice:
        """A voice as `spec` describes it, kept by nobody; raises `CastError` for one that can't be loaded."""
        return self._engines.voice(spec, name, folder)

    def load_face(self, spec: FaceSpec, folder: Path) -> Guarded:
        """A face as `spec` describes it, warm and kept by nobody; raises `CastError` for one that can't be loaded."""
        face = load_face(spec, folder)
        self.encode(face.warm())
        return face

    def is_loaded(self, *, voice: str = "", face: str = "") -> bool:
        """Whether a voice or face is in memory."""
        return voice in self._voices or face in self._faces

    def swap(
        self,
        cast: Snapshot,
        voices: Mapping[str, Voice],
        faces: Mapping[str, Guarded],
        gone: Collection[str],
        gone_faces: Collection[str],
    ) -> None:
        """Put another cast in the place of this one, with voices and faces that are loaded; those that are gone leave.

        Lines that are open keep what they have.
        """
        with self._loading:
            self.cast = cast
            self._voices = {n: v for n, v in self._voices.items() if n not in gone} | dict(voices)
            self._faces = {n: f for n, f in self._faces.items() if n not in gone_faces} | dict(faces)

    def guards(self) -> dict[str, Stats]:
        """Face → what its guard has done since the face was loaded; of those that have one."""
        return {name: face.guard.stats for name, face in tuple(self._faces.items()) if face.guard is not None}

    def forget_models(self, folder: Path) -> None:
        """Load the speech models in `folder` anew when a voice next needs them; voices that have them keep them."""
        self._engines.forget(folder)

    def mouth(self, style: str, intensity: float = 1.0, smoothing: float = DEFAULT_SMOOTHING) -> Audio2Exp:
        """The Audio2Exp network with a character's settings; all share one network."""
        settings = Settings(style, intensity, smoothing)
        if found := self._mouths.get(settings):
            return found
        with self._loading:
            if settings not in self._mouths:
                first = next(iter(self._mouths.values()), None) or Audio2Exp(
                    network=self._network, lookahead_ms=self._lookahead_ms
                )
                self._mouths[settings] = first.with_settings(settings)
            return self._mouths[settings]

    def prepare(self, name: str) -> None:
        """Load a character and draw its first picture, so that its first line is as fast as the next."""
        npc = self.npc(name)
        if isinstance(npc.face, Guarded):
            self.encode(npc.face.warm())

    def warm(self) -> dict[str, CastError]:
        """Load every character and run its mouth and face once, so that the first line is as fast as the rest.

        Voices of npcs.toml's characters and those that share hibari's model are loaded; others, which may need half a
        gigabyte each and that nobody may ask for, when they are first asked for. Gives the characters that can't be
        loaded, with the reason: they are refused when a game asks for them, and do not keep the others from speaking.
        """
        broken: dict[str, CastError] = {}
        characters = self.cast.characters()
        for name in self.cast.npcs():
            try:
                if name in characters or self.cast.voice(name)[0].engine == "hibari":
                    self.npc(name)
            except CastError as error:
                broken[name] = error
        for mouth in self._mouths.values():
            mouth.warm()
        for face in self._faces.values():
            self.encode(face.warm())  # a face's first picture of a size prepares that size
        return broken

    @staticmethod
    def encode(pixels: Pixels, format: str = "") -> bytes:  # noqa: A002
        """A picture as it goes on the wire, in one of `moments.PICTURE_FORMATS`."""
        return encode_picture(pixels, format or best_format(pixels))
