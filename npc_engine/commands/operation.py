"""What serve has for those who run it as a service: logs, metrics, health, signals and reload."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final

from npc_engine import logs
from npc_engine.commands.common import UsageError

if TYPE_CHECKING:
    from npc_engine.frames.guard import Stats
    from npc_engine.reload import Changes
    from npc_engine.server.endpoint import Endpoint
    from npc_engine.server.server import Server
    from npc_engine.speech.cache import TakeCache
    from npc_engine.troupe import Troupe

DRAIN_S: Final = 10.0
_MOST_S: Final = 3600.0


def operation_options(parser: argparse.ArgumentParser) -> None:
    """The options of this file; docs/operation.md explains them."""
    parser.add_argument(
        "--metrics",
        metavar="[HOST:]PORT",
        help="serve /healthz and /metrics (Prometheus) over HTTP there (default: not at all; loopback without HOST)",
    )
    parser.add_argument(
        "--drain",
        type=float,
        default=DRAIN_S,
        metavar="SECONDS",
        help="how long lines may go on when the engine is told to stop (default 10)",
    )
    parser.add_argument(
        "--log-level", "--log", default="info", choices=logs.LEVELS, help="least that is logged (default info)"
    )
    parser.add_argument(
        "--log-format", default="text", choices=logs.FORMATS, help="json: an object a line (default text)"
    )
    parser.add_argument(
        "--log-file",
        type=Path,
        metavar="FILE",
        help="log there instead of stderr; at 10 MB it becomes FILE.1, and so on to FILE.5",
    )


class Operation:
    """One run of the engine as those see it who operate it; use it as a context that the whole run lies in.

    Raises `UsageError` for options that can't be, and `ServerError` where metrics can't be served.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        from npc_engine.server.health import Health, Notify
        from npc_engine.server.metrics import Metrics
        from npc_engine.server.service import Signals

        if not 0 <= arguments.drain <= _MOST_S:
            raise UsageError(f"--drain is {arguments.drain:g}, expected 0 to {_MOST_S:g} seconds")
        self.metrics = Metrics()
        self.health = Health(Notify())
        self.troupe: Troupe | None = None  # once it is loaded, and where it is in this process
        self.cache: TakeCache | None = None
        self._drain_s = float(arguments.drain)
        self._endpoint = self._wanted_endpoint(arguments.metrics) if arguments.metrics else None
        self._signals = Signals()
        self._open = ExitStack()
        try:
            logs.set_up(level=arguments.log_level, form=arguments.log_format, path=arguments.log_file)
        except OSError as error:
            raise UsageError(f"--log-file: {error}") from None

    def _wanted_endpoint(self, address: str) -> Endpoint:
        from npc_engine.server.endpoint import Endpoint, health_page, host_and_port

        try:
            from npc_engine.server.exposition import Exposition
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] != "prometheus_client":
                raise
            raise UsageError("--metrics needs prometheus-client: pip install 'npc-engine[server]'") from None
        exposition = Exposition(self.metrics, self.health, self._guards, lambda: self.cache)
        pages = {"/healthz": health_page(self.health), "/metrics": exposition.page}
        return Endpoint(*host_and_port(address), pages)

    def _guards(self) -> Mapping[str, Stats]:
        return {} if self.troupe is None else self.troupe.guards()

    def __enter__(self) -> Operation:  # noqa: PYI034 - Self comes with Python 3.11
        self._open.enter_context(self._signals)
        if self._endpoint is not None:
            self._endpoint.start()
            self._open.callback(self._endpoint.stop)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    @property
    def address(self) -> str:
        """Where metrics are served; "" where they are not."""
        if self._endpoint is None:
            return ""
        host = f"[{self._endpoint.host}]" if ":" in self._endpoint.host else self._endpoint.host
        return f"http://{host}:{self._endpoint.port}"

    def serve(self, server: Server, characters: int) -> None:
        """Serve until told to stop; the cast's files are looked at meanwhile."""
        from npc_engine.reload import Reloader
        from npc_engine.server.service import serve

        self.health.serve(characters, server.address)
        reloader = None if self.troupe is None else Reloader(self.troupe, self._reloaded)
        if reloader is not None:
            reloader.start()
        try:
            serve(server, self._signals, drain_s=self._drain_s, reload=reloader.hurry if reloader else _nothing)
        finally:
            if reloader is not None:
                reloader.stop()

    def _reloaded(self, changes: Changes) -> None:
        reloads = self.metrics.counts.reloads
        reloads["loaded"] += len(changes.loaded)
        reloads["broken"] += len(changes.broken)
        reloads["removed"] += len(changes.removed)
        if self.troupe is not None:
            self.health.characters = len(self.troupe.cast.npcs())


def _nothing() -> None:
    """A hangup where nothing can be loaded anew: the replicas of a cluster look at their files themselves."""
