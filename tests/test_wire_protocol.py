"""bindings/PROTOCOL.md against the code: every kind, key, limit and code is in it, and its examples run."""

import dataclasses
import json
import re
import typing
from pathlib import Path

import numpy as np
import pytest
from tone import ToneStage

from npc_engine.moments import ATTITUDES, EMOTIONS, STYLES, Outputs, Word
from npc_engine.server import clients, sending, sockets
from npc_engine.server.curve import DOMAIN
from npc_engine.server.performing import Local
from npc_engine.server.server import DEFAULT_ADDRESS, Server
from npc_engine.text.open_text import IDLE_S
from npc_engine.wire import limits
from npc_engine.wire.codec import decode_reply, decode_request
from npc_engine.wire.messages import ERROR_CODES, REPLIES, REQUESTS, Credit, MarkAt, NpcEntry

SPEC = (Path(__file__).parent.parent / "bindings" / "PROTOCOL.md").read_text(encoding="utf-8")
KINDS = {**REQUESTS, **REPLIES}


def section(title):
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", SPEC, re.MULTILINE | re.DOTALL)
    assert found, f"no section {title!r}"
    return found[1]


def rows(text):
    return dict(re.findall(r"^\| `(\w[\w-]*)` \| (.*) \|$", text, re.MULTILINE))


def keys(cls):
    return {f.metadata.get("payload") or f.name for f in dataclasses.fields(cls)}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_key_of_every_kind_is_told_and_no_other(kind):
    told = set(rows(section(kind)))
    told -= {f.name for f in dataclasses.fields(Outputs)} if kind == "speak" else set()
    told -= set(ERROR_CODES) if kind == "error" else set()
    assert told == keys(KINDS[kind])


def test_every_key_of_the_inner_maps_is_told():
    assert {f.name for f in dataclasses.fields(Outputs)} <= set(rows(section("speak")))
    for cls, kind in ((Word, "words"), (NpcEntry, "npcs")):
        assert all(f"`{f.name}`" in section(kind) for f in dataclasses.fields(cls))


@pytest.mark.parametrize("cls", [*REQUESTS.values(), Outputs])
def test_defaults_are_as_told(cls):
    told = rows(section("speak" if cls is Outputs else cls.kind))
    for field in dataclasses.fields(cls):
        default = told[field.name].split(" | ")[1].removesuffix(" |").strip("`")
        if field.default is dataclasses.MISSING:
            assert default == "—"
        elif field.name != "outputs" and "payload" not in field.metadata:
            assert json.loads(default) == field.default


def test_every_error_code_is_told_with_its_meaning():
    told = {code: meaning for code, meaning in rows(section("error")).items() if code not in keys(REPLIES["error"])}
    assert told == ERROR_CODES


def test_the_limits_are_as_told():
    told = section("Limits")
    for number in (
        limits.HEADER_BYTES,
        limits.FRAME_BYTES,
        limits.DEPTH,
        limits.ITEMS,
        limits.TEXT_CHARS,
        limits.OPEN_LINES,
        limits.IDLE_LINES,
        limits.REMEMBERED_LINES,
        limits.WARMS,
        Local.most[0],
        Local.most[1],
        clients.CONNECTIONS,
        clients.KEY_CONNECTIONS,
        int(clients.GREETING_S),
        clients.MESSAGE_BYTES,
        sockets.HANDSHAKE_MS // 1000,
        sockets.RECEIVE_MARK,
    ):
        assert f"| {number:,}" in told
    assert f"domain `{DOMAIN.decode()}`" in section("Security")
    assert f"version {limits.WIRE_VERSION}" in SPEC.splitlines()[0]
    assert DEFAULT_ADDRESS in SPEC
    assert f"more than {sockets.SEND_MARK} messages" in SPEC
    assert f"another {sending.UNSENT_REPLIES}" in SPEC
    assert f"for {IDLE_S:g} s after" in section("Text as it comes")
    assert "every 2 s, given up after 10 s" in SPEC
    assert (sockets.HEARTBEAT_MS, sockets.HEARTBEAT_TIMEOUT_MS) == (2_000, 10_000)
    assert all(f"`{name}`" in section("speak") for name in (*STYLES, *EMOTIONS, *ATTITUDES))
    assert f"0…{limits.LASTS_MS:,} | 0 |" in section("speak")


def example(start):
    """The bytes of the example whose first line begins with `start`, without the comments."""
    block = SPEC[SPEC.index(start) :].split("\n\n")[1]
    return bytes.fromhex(" ".join(re.match(r"\s*((?:[0-9a-f]{2} ?)+)", row)[1] for row in block.splitlines()))


def test_the_examples_in_bytes_read_as_told():
    assert decode_request([example("`credit` of 40 ms")]) == Credit("l1", 40)
    mark = example("answers, between the moments")
    assert (len(mark), decode_reply([mark])) == (35, MarkAt("l1", "step", 19))
    header = example("A `moment` of tick 0")
    sound = bytes.fromhex("00400180") + bytes(956)
    face = bytes.fromhex("0038") + bytes(98)
    assert (len(header), len(sound), len(face)) == (57, 960, 100)
    moment = decode_reply([header, sound, face])
    assert (moment.line, moment.tick, moment.ticks) == ("l1", 0, 1)
    assert np.allclose(moment.sound[:3], [0.5, -1, 0], atol=1e-4)
    assert moment.exp[0, 0] == 0.5


def test_the_client_in_ten_lines_runs(tmp_path, monkeypatch):
    code = re.search(r"```python\n(.*?)```", SPEC, re.DOTALL)[1]
    server = Server(ToneStage(tmp_path), "tcp://127.0.0.1:*")
    server.start()
    monkeypatch.chdir(tmp_path)
    code = code.replace(DEFAULT_ADDRESS, server.address).replace("elder", "ben")
    scope: dict[str, typing.Any] = {}
    try:
        exec(compile(code, "PROTOCOL.md", "exec"), scope)  # noqa: S102 - our own document
    finally:
        if "engine" in scope:
            scope["engine"].context.destroy(0)
        server.stop()
    assert (tmp_path / "line.pcm").stat().st_size == 3 * 5 * 960


def test_the_engine_draws_and_knows_what_the_wire_allows():
    from npc_engine.expression.style import STYLES as KNOWN
    from npc_engine.frames.portrait import LARGEST, SMALLEST

    assert limits.PICTURE_EDGE == (SMALLEST, LARGEST)
    assert tuple(KNOWN) == STYLES
