"""What a field of a message may hold, and the error of one that breaks the rules."""

from __future__ import annotations

from typing import Any, Final

from npc_engine.wire import limits

ERROR_CODES: Final[dict[str, str]] = {
    "bad-message": "a message that breaks the rules of this document; the text says which and where",
    "bad-version": "the game speaks another wire version than the engine",
    "not-greeted": "a message before `hello`, or after the engine was restarted",
    "unknown-kind": "a kind that this engine does not answer",
    "unknown-npc": "no character of this name",
    "unknown-voice": "no voice of this name",
    "unknown-face": "no face of this name, or pictures asked of a character without one",
    "unknown-style": "no style of this name",
    "unknown-emotion": "an emotion that this engine can't show",
    "unknown-attitude": "an attitude that this engine does not know",
    "unknown-turn": "a `turn` that this engine does not know",
    "unknown-output": "coefficients or a picture format that this engine can't send",
    "bad-cast": "the character's, voice's or face's files are broken; the text names the file",
    "bad-text": "text that is empty, too long, broken markup, or not speakable by this voice",
    "text-timeout": "an open text was neither added to nor committed for too long; what had come was spoken",
    "not-open": "`append` or `commit` on a line that was not opened with `open`, or that is committed",
    "not-live": "`sound` for a line that was not begun with `live`, or that is committed",
    "duplicate-line": "another line of this id is open or was spoken on this connection",
    "too-many-lines": "more lines open than one client, or the engine, may have",
    "too-many-warms": "more `warm` waiting than one client, or the engine, may have",
    "too-much-sound": "more live sound of a line than may wait, or in one message",
    "too-late": "a first moment that can't leave, or has not left, within `deadline_ms`",
    "overloaded": "the engine can't keep up with one line more; `wait_ms` says when it may",
    "stopping": "the engine takes no new lines, because it is about to stop; those that are open go on",
    "too-many-connections": "more connections with one key than it may have; nothing else is answered on this one",
    "unknown-line": "no line of this id",
    "internal": "a fault of the engine; its log holds the trace",
}
"""Code → meaning of every error that the engine sends."""

LOST: Final = "disconnected"
"""Code of the error that a client makes up itself for each open line when the connection breaks."""


class WireError(ValueError):
    """A message that breaks the protocol; says what came, what was expected, where.

    `code` is one of ERROR_CODES; `line` and `id` are the line and `warm` it belongs to, as far as they could be read.
    """

    def __init__(self, text: str, code: str = "bad-message", line: str = "", id: str = "") -> None:  # noqa: A002
        super().__init__(text)
        self.code = code
        self.line = line
        self.id = id


MOST: Final = 2**53  # whole numbers that every language's double can hold


def chars(most: int, least: int = 0) -> dict[str, Any]:
    """The rule of a field of `least` to `most` characters."""
    return {"chars": (least, most)}


def whole(low: int, high: int) -> dict[str, Any]:
    """The rule of a field of whole numbers from `low` to `high`."""
    return {"range": (low, high)}


def real(low: float, high: float) -> dict[str, Any]:
    """The rule of a field of finite numbers from `low` to `high`; on the wire a float or a whole number."""
    return {"range": (low, high)}


ATTITUDE: Final = "attitude"
"""What an engine whose characters live without a text names among its capabilities, beside the kinds it answers."""

HEARD: Final = "heard"
"""What an engine whose `cancelled` tells the text heard names among its capabilities."""

LINE: Final = chars(limits.ID_CHARS, least=1)
"""The rule of the field that names a line, or a `warm`."""
