"""The wire to the engine: tries until one answers, and says so on the screen; starts one as a child when asked."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
from types import TracebackType

from npc_engine.client import Client, ClientError, Event

RETRY_S = 1.0
PROBE_S = 0.05
STOP_S = 5.0


class Link:
    """A client as soon as an engine answers at the address; `trouble` says what to tell the player until then."""

    def __init__(self, address: str, engine: Engine | None = None) -> None:
        self.address = address
        self.client: Client | None = None
        self._engine = engine
        self._next_try = 0.0
        self._refused = ""

    def poll(self, now: float) -> list[Event]:
        """Events that came; tries to connect once a second while nobody is there."""
        if self.client is None and now >= self._next_try:
            self._next_try = now + RETRY_S
            self._connect()
        return self.client.poll() if self.client is not None else []

    def _connect(self) -> None:
        if not reachable(self.address):  # quick, so that the village does not stand still while nobody answers
            return
        try:
            self.client = Client(self.address, timeout_s=1.0, name="demo_game")
        except ClientError as error:
            self._refused = str(error)

    @property
    def connected(self) -> bool:
        """Whether lines can be asked for."""
        return self.client is not None and self.client.connected

    @property
    def trouble(self) -> tuple[str, str]:
        """A heading and what to do about it; empty when all is well."""
        if self.connected:
            return ("", "")
        if self._engine is not None and self._engine.failed:
            return ("The engine could not start", self._engine.failed)
        if self._engine is not None and self.client is None:
            return ("The voices are waking up", "one moment, the engine is starting")
        if self.client is not None:
            return ("The engine is gone", f"start it again with:  npc-engine serve   (looking at {self.address})")
        if self._refused:
            return ("The engine did not let us in", self._refused)
        return ("No engine answers", f"start it with:  npc-engine serve   (looking at {self.address})")

    def close(self) -> None:
        """End the connection."""
        if self.client is not None:
            self.client.close()
            self.client = None


def reachable(address: str) -> bool:
    """Whether somebody listens at a tcp:// address; other transports can't be asked and count as reachable."""
    if not address.startswith("tcp://"):
        return True
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=PROBE_S):
            return True
    except (OSError, ValueError):
        return False


class Engine:
    """`npc-engine serve` as a child process, stopped at the end; with one at the address already, that one is used."""

    def __init__(self, address: str) -> None:
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - lives as long as we
        self._child: subprocess.Popen[str] | None = None
        self.found = reachable(address)
        if not self.found:
            command = [sys.executable, "-m", "npc_engine.cli", "serve", "--address", address]
            self._child = subprocess.Popen(command, stdout=self._log, stderr=self._log, text=True)  # noqa: S603

    @property
    def failed(self) -> str:
        """Why the child is gone, by its last words; empty while it runs."""
        if self._child is None or self._child.poll() is None:
            return ""
        self._log.seek(0)
        last = [line for line in self._log.read().splitlines() if line.strip()]
        return last[-1] if last else f"it ended with code {self._child.returncode} and said nothing"

    def stop(self) -> None:
        """End the child; waits for it."""
        if self._child is not None:
            self._child.terminate()
            try:
                self._child.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        self._log.close()

    def __enter__(self) -> Engine:  # noqa: PYI034 - Self comes with Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
