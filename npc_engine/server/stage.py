"""What the server needs of the characters it serves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from npc_engine.cast import Cast
from npc_engine.moments import Pixels
from npc_engine.performance import Npc


class Stage(Protocol):
    """Characters, ready to speak; called from several threads at once."""

    @property
    def cast(self) -> Cast:
        """The names there are."""
        ...

    def npcs(self) -> Sequence[dict[str, Any]]:
        """Name, voice, face and description (keys name, voice, face, about) of every character."""
        ...

    def npc(self, name: str, voice: str = "", face: str = "") -> Npc:
        """The character `name`; `voice` and `face` replace its own, and do without a name. Raises `CastError`."""
        ...

    def encode(self, pixels: Pixels, format: str = "") -> bytes:  # noqa: A002
        """A picture as it goes on the wire, in one of `moments.PICTURE_FORMATS`."""
        ...
