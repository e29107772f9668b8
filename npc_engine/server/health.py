"""Whether the engine can be relied upon now, for those who watch it: /healthz and systemd."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Mapping
from typing import Final

WEDGED_S: Final = 5.0  # without a round of the wire thread, which makes ten a second when nothing happens
LOADING, SERVING, DRAINING, STOPPED = "loading", "serving", "draining", "stopped"
STATES: Final = (LOADING, SERVING, DRAINING, STOPPED)


class Notify:
    """systemd's notifications (sd_notify(3)): one datagram to the socket that it names; nothing where it names none."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        environment = os.environ if environment is None else environment
        path = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + path[1:] if path.startswith("@") else path  # @: Linux's abstract names
        asked = environment.get("WATCHDOG_USEC", "")
        meant = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog_s = int(asked) / 1e6 if asked.isdigit() and meant else 0.0  # it wants to hear as often; 0: never

    def __call__(self, state: str) -> None:
        """Tell `READY=1` and the like; who does not listen misses it."""
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
            to.setblocking(False)
            to.sendto(state.encode(), self._address)


class Health:
    """The engine's state, and when the wire thread last ran. Any thread may ask and tell."""

    def __init__(self, notify: Notify | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self._notify = notify or Notify({})
        self._now = now
        self._watchdog_at = 0.0
        self._beat = now()
        self.state = LOADING
        self.characters = 0

    @property
    def age_s(self) -> float:
        """Seconds since the wire thread last began a round."""
        return self._now() - self._beat

    def beat(self) -> None:
        """The wire thread begins a round; systemd's watchdog hears of it twice as often as it asks."""
        self._beat = self._now()
        if self._notify.watchdog_s and self._beat >= self._watchdog_at:
            self._watchdog_at = self._beat + self._notify.watchdog_s / 2
            self._notify("WATCHDOG=1")

    def serve(self, characters: int, address: str) -> None:
        """Games can connect; so many characters can speak."""
        self.characters = characters
        self.state = SERVING
        self._notify(f"READY=1\nSTATUS=answers on {address} with {characters} characters")

    def drain(self) -> None:
        """New lines are refused from now on."""
        self.state = DRAINING
        self._notify("STOPPING=1\nSTATUS=finishes its lines")

    def stop(self) -> None:
        """Nothing is answered any more."""
        self.state = STOPPED
        self._notify("STOPPING=1")

    def fault(self) -> str:
        """Why no new line should be sent here; "" when it may."""
        if self.state == LOADING:
            return "loading voices and faces"
        if self.state != SERVING:
            return self.state
        if self.age_s > WEDGED_S:
            return f"the wire thread has not run for {self.age_s:.0f} s"
        if not self.characters:
            return "no character can speak: see the log"
        return ""
