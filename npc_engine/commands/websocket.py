"""`npc-engine serve --websocket`: its options, and the gateway that they ask for."""

from __future__ import annotations

import argparse
import logging
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from npc_engine.commands.common import UsageError

if TYPE_CHECKING:
    from npc_engine.gateway.entrance import Entrance
    from npc_engine.server.server import Server

LOG: Final = logging.getLogger(__name__)
DEFAULT: Final = "127.0.0.1:7891"
_WHERE: Final = re.compile(r"(?:(\[[^\]]+\]|[^:\[\]]+):)?(\d+)")


def websocket_options(parser: argparse.ArgumentParser) -> None:
    """--websocket and what goes with it."""
    group = parser.add_argument_group("WebSockets, for browsers and WebGL games (docs/websocket.md)")
    group.add_argument(
        "--websocket",
        nargs="?",
        const=DEFAULT,
        metavar="[HOST:]PORT",
        help=f"take WebSockets too, and show a page there (without a value {DEFAULT}); "
        "any host but loopback asks for a token",
    )
    group.add_argument(
        "--origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="let pages of this site in, such as https://game.example; may be given again. Pages that this machine "
        "serves itself are let in anyway",
    )
    group.add_argument(
        "--token",
        type=Path,
        metavar="FILE",
        help="file of the token that pages must bring, made if it is missing (default: this user's own); named, it is "
        "asked on loopback too",
    )
    group.add_argument("--tls-cert", type=Path, metavar="FILE", help="certificate chain (PEM), for https and wss")
    group.add_argument("--tls-key", type=Path, metavar="FILE", help="its private key (PEM)")


Opener: TypeAlias = Callable[["Server"], AbstractContextManager[object]]


def websocket_gateway(arguments: argparse.Namespace) -> Opener:
    """What opens the gateway that the options ask for on a started server, until its block ends, if they ask for one.

    The options are checked here, before anything is loaded; raises `UsageError`.
    """
    if arguments.websocket is None:
        given = [name for name in ("origin", "token", "tls_cert", "tls_key") if getattr(arguments, name)]
        if given:
            raise UsageError(f"--{given[0].replace('_', '-')} is of WebSockets: add --websocket [HOST:]PORT")
        return nullcontext
    try:
        from npc_engine.gateway.entrance import Entrance, check_origin, is_here
    except ModuleNotFoundError as error:
        raise UsageError(f"--websocket needs {error.name}: pip install 'npc-engine[server]'") from None
    host, port = _where(arguments.websocket)
    try:
        origins = tuple(check_origin(origin) for origin in arguments.origin)
    except ValueError as error:
        raise UsageError(f"--origin: {error}") from None
    token, told = _token(arguments.token, asked=not is_here(host))
    tls = _tls(arguments)
    if not is_here(host) and tls is None:
        told += (
            "; whoever watches the network can read it and all that is said: add --tls-cert and --tls-key, or stay on "
            "loopback behind a proxy that speaks TLS (docs/websocket.md)"
        )
    return partial(_opened, told, host=host, port=port, entrance=Entrance(origins, token), tls=tls)


@contextmanager
def _opened(
    told: str, server: Server, *, host: str, port: int, entrance: Entrance, tls: ssl.SSLContext | None
) -> Iterator[None]:
    from npc_engine.gateway.gateway import Gateway, GatewayError

    gateway = Gateway(server.guest, entrance, host=host, port=port, tls=tls)
    try:
        gateway.start()
    except GatewayError as error:
        raise UsageError(f"--websocket: {error}") from None
    LOG.info("a page to look at is on %s; %s", gateway.address, told)
    try:
        yield
    finally:
        gateway.stop()


def _where(text: str) -> tuple[str, int]:
    match = _WHERE.fullmatch(text)
    if match is None or not 0 < int(match[2]) < 65536:
        raise UsageError(f"--websocket is {text!r}, expected PORT or HOST:PORT, such as 7891 or 0.0.0.0:7891")
    return (match[1] or "127.0.0.1").strip("[]"), int(match[2])


def _token(path: Path | None, *, asked: bool) -> tuple[str, str]:
    """The token that pages must bring, "" where they need none; and what to tell of it, which does not hold it."""
    from npc_engine.gateway.token import TokenError, default_file, read_token

    if path is None and not asked:
        return "", "programs and pages of this machine are let in"
    file = (path or default_file()).expanduser()
    fresh = not file.exists()
    try:
        token = read_token(file)
    except TokenError as error:
        raise UsageError(f"--token: {error}") from None
    return token, f"who brings the token in {file}{', just made,' if fresh else ''} is let in"


def _tls(arguments: argparse.Namespace) -> ssl.SSLContext | None:
    if arguments.tls_cert is None and arguments.tls_key is None:
        return None
    if arguments.tls_cert is None or arguments.tls_key is None:
        raise UsageError("--tls-cert and --tls-key go together")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(arguments.tls_cert.expanduser(), arguments.tls_key.expanduser())
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"--tls-cert and --tls-key can't be used: {error}") from None
    return context
