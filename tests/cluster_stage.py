"""A stage with the tone voice and real ones, which notes in files what a replica does; its code is sent there."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import tone

from npc_engine.cast import Cast, shipped_root
from npc_engine.expression.accelerator import accelerated
from npc_engine.expression.together import Together
from npc_engine.troupe import Troupe


class Noting(tone.Watched):
    """Notes the ticks made, and when lines ended, in a file of this process."""

    def __init__(self, path: Path) -> None:
        object.__setattr__(self, "_path", path)
        object.__setattr__(self, "_lock", threading.Lock())
        super().__init__()

    def __setattr__(self, name: str, value: float) -> None:
        object.__setattr__(self, name, value)
        if name in ("made", "ended_at") and value:
            with self._lock, self._path.open("a") as file:
                file.write(f"{name} {value} {time.monotonic()}\n")


class BothStage(tone.ToneStage):
    """The characters of the tone stage, and those that ship."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.cast = Cast((folder, shipped_root()))
        self.troupe = Troupe(self.cast, network=Together(accelerated("cpu")))
        self.troupe.npc("woman")

    def npc(self, name: str, voice: str = "", face: str = ""):
        spoken = voice or self.cast.npc(name).voice
        return super().npc(name, voice, face) if spoken in ("low", "high") else self.troupe.npc(name, voice, face)


class NotingStage(BothStage):
    """Of a replica: its process, and what it does, are found in `folder`."""

    def __init__(self, folder: Path) -> None:
        from ray import serve

        super().__init__(folder)
        replica = serve.get_replica_context().replica_id.unique_id
        (folder / f"pid_{replica}").write_text(str(os.getpid()))
        self.watched = Noting(folder / f"did_{replica}")
