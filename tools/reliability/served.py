"""A server in a process of its own: the real one with its characters, or that of tests/tone.py."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from reliability.goldens import ROOT

from npc_engine.client import Client, ClientError
from npc_engine.wire.messages import NpcEntry

START_S = 180.0  # all voices and faces, on cores that others use
NOISE = re.compile(r"Traceback|\bERROR\b|\bCRITICAL\b|Exception|Segmentation|core dumped")


def real(folder: Path, *options: str) -> list[str]:
    """The command line of the engine with the characters that ship; `folder` holds its finished speech."""
    return [sys.executable, "-m", "npc_engine.cli", "serve", "--cache", str(folder / "takes"), *options]


def tone(*_: str) -> list[str]:
    """The command line of tests/tone.py."""
    return [sys.executable, str(ROOT / "tests" / "tone.py")]


class Served:
    """Starts a command that serves, waits until it answers, and kills it in the end; its log is a file.

    `command` is `real` or `tone` with its arguments; the address is chosen here where the command takes one.
    """

    def __init__(self, command: list[str], folder: Path, port: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "server.log"
        self.address = f"tcp://127.0.0.1:{port or free_port()}"
        is_tone = command[-1].endswith("tone.py")
        single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        with self.log.open("a", encoding="utf-8") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own commands
                [*command, *([] if is_tone else ["--address"]), self.address],
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd=folder,  # what lies in the working directory would be the game's own cast, and code
                env={**os.environ, **single},
            )
        try:
            self._await()
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        return self.process.pid

    def _await(self) -> None:
        end = time.monotonic() + START_S
        while True:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}: {self.log_text()[-2000:]}")
            try:
                with Client(self.address, 1.0):
                    return
            except ClientError:
                if time.monotonic() > end:
                    raise

    def log_text(self) -> str:
        """What the server has logged so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def noise(self) -> list[str]:
        """Lines of the log that tell of a fault."""
        return [row for row in self.log_text().splitlines() if NOISE.search(row)]

    def close(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Served:  # noqa: PYI034 - Self comes with Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def quick(npcs: Sequence[NpcEntry]) -> list[NpcEntry]:
    """Those whose voice is not made by one of the slow engines: a test of what the server does needs no other."""
    return [npc for npc in npcs if _engine(npc.voice) in {"", "hibari"}]


def _engine(voice: str) -> str:
    """What a voice of ours is made by; "" for one of a test."""
    path = ROOT / "voices" / voice / "voice.toml"
    found = re.search(r'^engine = "(\w+)"', path.read_text(encoding="utf-8"), re.MULTILINE) if path.exists() else None
    return found[1] if found else ""


def free_port() -> int:
    """A port that nobody had a moment ago."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
