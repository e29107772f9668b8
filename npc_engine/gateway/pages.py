"""The page that shows what the engine does, and the module that it uses: read once, served as they are.

A request's path is looked up in a table, never in the file system.
"""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Final

from websockets.datastructures import Headers
from websockets.http11 import Response

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
}
_POLICY: Final = (  # nothing from elsewhere, no script but ours; the engine may be another machine's
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self' ws: wss:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page_folder() -> Path:
    """Where the page lies: in the checkout, or inside the installed package."""
    package = Path(__file__).parent.parent
    checkout = package.parent / "bindings" / "web"
    return checkout if checkout.is_dir() else package / "shipped" / "web"


def read_pages(folder: Path) -> dict[str, tuple[str, bytes]]:
    """Content type and bytes of each file in `folder` that a browser may have, by its path; "/" is index.html."""
    pages = {
        f"/{path.name}": (_TYPES[path.suffix], path.read_bytes())
        for path in sorted(folder.iterdir())
        if path.suffix in _TYPES
    }
    pages["/"] = pages["/index.html"]
    return pages


def answer(status: HTTPStatus, kind: str, body: bytes) -> Response:
    """An HTTP response, after which the connection ends."""
    headers = Headers(
        {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-cache",
            "Connection": "close",
            "Content-Security-Policy": _POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }
    )
    return Response(status.value, status.phrase, headers, body)


def plain(status: HTTPStatus, text: str) -> Response:
    """A response for a person to read."""
    return answer(status, "text/plain; charset=utf-8", f"{text}\n".encode())
