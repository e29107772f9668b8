"""Who may open a WebSocket: told by the request's headers, before there is a connection to the engine. No I/O.

A browser lets every page that its user visits open a WebSocket to the user's own machine, so loopback alone keeps no
web page out. What tells pages apart is `Origin`, which a browser sends with every WebSocket and no page can set.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from websockets.datastructures import Headers

PROTOCOL: Final = "npc-engine"  # the WebSocket subprotocol; a browser wants the answer to name one that it offered
TOKEN_PREFIX: Final = "npc-engine.token."  # noqa: S105 - what stands before a token among the offered subprotocols
TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{22,128}")  # what a subprotocol may hold; 22 characters are 128 bits
_PROXIED: Final = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "Via")
_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#\s]+|null")

FORBIDDEN: Final = 403
UNAUTHORIZED: Final = 401


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why somebody may not come in: an HTTP status, and a text that names what would do."""

    status: int
    text: str


@dataclass(frozen=True, slots=True)
class Entrance:
    """Whom the gateway lets in: pages of `origins` beside those that are let in anyway, with `token` if there is one.

    Without a token it serves this machine only: a request that came through a proxy is from anywhere, and is refused.
    """

    origins: tuple[str, ...] = ()
    token: str = field(default="", repr=False)

    def refusal(self, headers: Headers) -> Refusal | None:
        """Why a request for a WebSocket is refused; None if it may open one."""
        return self.stray(headers) or self._strange_origin(headers) or self._no_token(headers)

    def stray(self, headers: Headers) -> Refusal | None:
        """Why a request, be it for a page, does not belong here; None if it does.

        Without a token the host that it names must be this machine's. A web page whose own name has been made to point
        at 127.0.0.1 ("DNS rebinding") sends its own name; a reverse proxy sends the name it serves, or `Forwarded`.
        """
        if self.token:
            return None
        hosts = headers.get_all("Host")
        proxied = next((name for name in _PROXIED if name in headers), "")
        if len(hosts) == 1 and is_here(_host(hosts[0])) and not proxied:
            return None
        came = f"has the header {proxied}" if proxied else f"asks for the host {_shown(hosts)}"
        return Refusal(
            FORBIDDEN,
            f"this gateway serves 127.0.0.1 and localhost only, and the request {came}. "
            "Through a proxy or under another name it needs a token: npc-engine serve --websocket … --token FILE",
        )

    def _strange_origin(self, headers: Headers) -> Refusal | None:
        """Programs that are no browser send no origin: they could as well speak ZeroMQ, or have the token.

        Let in are pages of this machine's own servers, the page that the gateway itself serves under a number address
        (a name could be made to point here, a number not), and what was added. `null` is not, though a page opened as a
        file has it: so has any web page's frame with the attribute `sandbox`.
        """
        came = headers.get_all("Origin")
        if not came:
            return None
        origin = came[0] if len(came) == 1 else ""
        host = _host(origin.partition("://")[2])
        if origin and (origin in self.origins or is_here(host)):
            return None
        if origin and _is_number(host) and [origin.partition("://")[2]] == list(headers.get_all("Host")):
            return None
        return Refusal(
            FORBIDDEN,
            f"pages of the origin {_shown(came)} are not let in: npc-engine serve --websocket … --origin ORIGIN adds "
            "one",
        )

    def _no_token(self, headers: Headers) -> Refusal | None:
        if not self.token:
            return None
        offered = [word.strip() for value in headers.get_all("Sec-WebSocket-Protocol") for word in value.split(",")]
        tokens = [word.removeprefix(TOKEN_PREFIX) for word in offered if word.startswith(TOKEN_PREFIX)]
        tokens += [
            value[len("Bearer ") :].strip()
            for value in headers.get_all("Authorization")
            if value.lower().startswith("bearer ")
        ]
        if len(tokens) == 1 and hmac.compare_digest(tokens[0].encode("utf-8", "surrogateescape"), self.token.encode()):
            return None
        came = "no token" if not tokens else "a wrong token" if len(tokens) == 1 else f"{len(tokens)} tokens"
        return Refusal(
            UNAUTHORIZED,
            f"{came} came: a browser offers the subprotocols {PROTOCOL!r} and {TOKEN_PREFIX!r} followed by the token, "
            "another program may send it as Authorization: Bearer TOKEN",
        )


def protocol_of(offered: Iterable[str]) -> str | None:
    """The subprotocol that the answer names; never the one that holds a token."""
    return PROTOCOL if PROTOCOL in offered else None


def check_origin(origin: str) -> str:
    """An origin as browsers write it; raises `ValueError` for what never equals one."""
    text = origin.lower().rstrip("/")
    for scheme, port in (("https://", ":443"), ("http://", ":80")):
        if text.startswith(scheme):
            text = text.removesuffix(port)  # browsers leave a scheme's own port out
    if not _ORIGIN.fullmatch(text):
        raise ValueError(f"origin is {origin!r}, expected SCHEME://HOST or SCHEME://HOST:PORT, or null for local files")
    return text


def is_here(host: str) -> bool:
    """Whether a host, without its port, is this machine by number or as `localhost`."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _host(authority: str) -> str:
    """The host of HOST:PORT, in small letters; "" where there is none."""
    try:
        return urlsplit(f"//{authority}").hostname or ""
    except ValueError:
        return ""


def _shown(values: Sequence[str]) -> str:
    """What a stranger sent, short enough for a log."""
    return ", ".join(repr(value[:100]) for value in values[:2]) or "none"
