"""The token that a gateway asks of whoever is not on its machine: a file that the gateway makes where there is none."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from npc_engine.gateway.entrance import TOKEN
from npc_engine.keys import default_folder

TOKEN_BYTES: Final = 32  # random, in base64: 43 characters
FILE_BYTES: Final = 4_096  # of a token file; what is longer is none


class TokenError(ValueError):
    """A token's file that can't be used: says which and why."""


def default_file() -> Path:
    """Where this user's token lies: beside the keys, since it opens the same door."""
    return default_folder() / "websocket.token"


def read_token(path: Path) -> str:
    """The token in a file, which is made, for its owner alone, where there is none; raises `TokenError`."""
    try:
        if not path.exists():
            _make(path)
        with path.open("rb") as file:
            data = file.read(FILE_BYTES + 1)
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise TokenError(f"{path}: can't be read or made: {error.strerror}") from None
    token = data.decode("ascii", "replace").strip()
    if not TOKEN.fullmatch(token):  # not printed: it may be a secret with a space too many
        raise TokenError(
            f"{path}: holds {len(token)} characters, expected a token: 22 to 128 letters, digits, - and _. "
            "Remove the file, and a new token is made"
        )
    if os.name == "posix" and mode & 0o077:
        raise TokenError(f"{path}: others on this machine may read it (mode {mode:04o}): chmod 600 {path}")
    return token


def _make(path: Path) -> None:
    """Write a new token whole: under another name first, so that no reader finds half of it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(f"{secrets.token_urlsafe(TOKEN_BYTES)}\n")
    part.replace(path)
