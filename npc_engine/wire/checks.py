"""Whether the engine can do what a message asks, as far as that can be said without its characters."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence

from npc_engine.moments import ATTITUDES, COEFFICIENTS, EMOTIONS, PICTURE_FORMATS, STYLES
from npc_engine.wire import limits
from npc_engine.wire.messages import TURNS, Speak, Warm, WireError


def check_speak(speak: Speak) -> None:
    """Raise `WireError` for a `speak` that asks for what there is not; open text may begin empty."""
    _check_manner(speak)
    _check_name("attitude", speak.attitude, ("", *ATTITUDES))
    _check_name("turn", speak.turn, TURNS)
    if speak.attitude or speak.live:
        _check_textless(speak)
    elif not speak.open and not speak.text.strip():
        raise WireError("text is empty", "bad-text")
    if speak.lasts_ms and not speak.attitude:
        raise WireError(f"speak: lasts_ms is {speak.lasts_ms}, expected 0: a text lasts as long as it takes to say")
    if speak.denoise and not speak.live:
        raise WireError("speak: denoise is true, expected false: only live sound has noise")
    check_text(len(speak.text))
    _check_outputs(speak)


def _check_outputs(speak: Speak) -> None:
    outputs = speak.outputs
    _check_name("coefficients", outputs.coefficients, COEFFICIENTS, "unknown-output")
    _check_name("picture_format", outputs.picture_format, PICTURE_FORMATS, "unknown-output")
    edge, every = outputs.picture, outputs.picture_every
    low, high = limits.PICTURE_EDGE
    if edge and not low <= edge <= high:
        raise WireError(f"speak: outputs: picture is {edge}, expected 0, or {low} to {high} pixels")
    low, high = limits.PICTURE_EVERY
    if not low <= every <= high:
        raise WireError(f"speak: outputs: picture_every is {every}, expected {low} to {high} ticks")


def check_warm(warm: Warm) -> None:
    """Raise `WireError` for a `warm` that asks for what there is not."""
    _check_manner(warm)
    check_text(len(warm.text))


def check_text(count: int) -> None:
    """Raise `WireError` for more characters than a line may have."""
    if count > limits.TEXT_CHARS:
        raise WireError(f"text has {count} characters, expected at most {limits.TEXT_CHARS}", "bad-text")


def _check_textless(speak: Speak) -> None:
    line = f"a line of attitude {speak.attitude!r} says nothing" if speak.attitude else "a live line says what it hears"
    if speak.attitude and speak.live:
        raise WireError(f"{line}, but came with live", "bad-message")
    if speak.text or speak.open:
        what = "open text" if speak.open else f"a text of {len(speak.text)} characters"
        raise WireError(f"{line}, but came with {what}", "bad-text")


def _check_manner(message: Speak | Warm) -> None:
    if not message.npc and not message.voice:
        raise WireError(f"{message.kind}: neither npc nor voice is named, expected one of them")
    _check_name("style", message.style, ("", *STYLES))
    _check_name("emotion", message.emotion, EMOTIONS)


def _check_name(what: str, name: str, known: Sequence[str], code: str = "") -> None:
    if name not in known:
        names = ", ".join(repr(k) for k in known if k)
        raise WireError(f"no {what} {name!r}{near(name, known)}; known: {names}", code or f"unknown-{what}")


def near(name: str, known: Collection[str]) -> str:
    """A hint such as `, did you mean 'lively'?`, or nothing when no known name is close."""
    match = difflib.get_close_matches(name, [k for k in known if k], n=1)
    return f", did you mean {match[0]!r}?" if match else ""
