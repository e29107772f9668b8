"""Mutated messages: the decoder raises `WireError` or returns a message, and always ends."""

import random
import time

import msgpack
import numpy as np

from npc_engine.moments import EXP50, Outputs, Word
from npc_engine.wire.codec import decode_reply, decode_request, encode
from npc_engine.wire.effects import Prepare
from npc_engine.wire.messages import (
    Accepted,
    Append,
    Cancel,
    Cancelled,
    Commit,
    Credit,
    End,
    ErrorMessage,
    Hello,
    List,
    MarkAt,
    Moments,
    NpcEntry,
    Npcs,
    Ping,
    Pong,
    Speak,
    Warm,
    Warmed,
    Welcome,
    WireError,
    Words,
)
from npc_engine.wire.session import Session

MUTATIONS = 24_000
EXP = np.linspace(-1, 1, 100, dtype=np.float32).reshape(2, 50)
REQUESTS = [
    Hello(1, "game"),
    Speak("l2", "", "anna", emotion="sad", strength=0.5, open=True),
    Append("l2", "Mind the "),
    Commit("l2"),
    Warm("w1", "Mind the step!", "anna", "low", "lively", "happy", 0.25),
    Speak("l1", "Mind the step, traveller!", "anna", "low", "disc", "lively", "neutral", 3, 400, Outputs(picture=64)),
    Credit("l1", 40),
    Cancel("l1"),
    Ping(7),
    List(),
]
MESSAGES = [
    *REQUESTS,
    MarkAt("l1", "bell", 6),
    Warmed("w1", "anna", "", 14, 1500),
    Welcome(1, "0.1.0", EXP50, ("speak",), 24000, 20, 8, 20000, 10000),
    Accepted("l1", b"JPEG"),
    Words("l1", (Word("Mind", 0, 4800, 0, 4), Word("the", 4800, 7200, 5, 8))),
    Moments("l1", 4, 2, 4, np.zeros(960, np.float32), EXP, b"JPEG"),
    End("l1", 6),
    Cancelled("l1", 6, "the game asked"),
    ErrorMessage("bad-text", "text is empty", "l1"),
    ErrorMessage("unknown-npc", "no character", id="w1"),
    Pong(7),
    Npcs((NpcEntry("anna", "low", "disc", "tall"),), ("low",), ("disc",)),
]
VALUES = [
    None,
    True,
    -1,
    2**63,
    2**64 - 1,
    1.5,
    0.5,
    float("nan"),
    "",
    "x" * 70,
    b"",
    b"\xff",
    [],
    {},
    [[]],
    {"a": {}},
    "sound",
]


def mutated(frames, rng):
    frames = [bytearray(frame) for frame in frames]
    for _ in range(rng.randint(1, 4)):
        frame = rng.choice(frames)
        at = rng.randrange(len(frame) + 1)
        way = rng.randrange(7)
        if way == 0 and frame:
            frame[at % len(frame)] = rng.randrange(256)
        elif way == 1:
            del frame[at:]
        elif way == 2:
            frame[at:at] = rng.randbytes(rng.randint(1, 8))
        elif way == 3:
            frame[at:at] = bytes(
                [rng.choice(b"\x81\x91\xde\xdf\xdc\xdd\xc6\xc9\xdb\xa1\xc4\xd4\x9f\x8f")]
            ) * rng.randint(1, 3000)
        elif way == 4:
            frames.insert(rng.randrange(len(frames) + 1), bytearray(rng.randbytes(rng.randint(0, 30))))
        elif way == 5 and len(frames) > 1:
            frames.remove(frame)
        else:
            del frame[at : at + rng.randint(1, 9)]
    return [bytes(frame) for frame in frames]


def changed(frames, rng):
    """A message that is well-formed msgpack, with keys gone, doubled in depth, or of other types."""
    table = msgpack.unpackb(frames[0])
    for _ in range(rng.randint(1, 3)):
        key = rng.choice([*table, "new"])
        if rng.random() < 0.3:
            table.pop(key, None)
        else:
            table[key] = rng.choice(VALUES) if rng.random() < 0.7 else {key: table.get(key)}
    return [msgpack.packb(table), *frames[1:]]


def read(decode, frames, session):
    """Whether a message was refused; whatever else than WireError is raised fails the test."""
    try:
        message = decode(frames)
    except WireError as error:
        encode(ErrorMessage(error.code, str(error), error.line, id=error.id))  # can be said on the wire
        return 0 < len(str(error)) < 500
    if decode is decode_request:
        for effect in session.receive(message):
            if isinstance(effect, Prepare):
                session.warmed(Warmed(effect.line.id))
        if len(session.open_lines) > 1:  # appends and commits find an open line now and then
            session.stop("")
    return False


def test_mutated_messages_raise_only_wire_errors_and_end():
    rng = random.Random(1)
    session = Session()
    slowest = 0.0
    refused = 0
    for i in range(MUTATIONS):
        frames = encode(MESSAGES[i % len(MESSAGES)])
        frames = changed(frames, rng) if i % 3 == 0 else mutated(frames, rng)
        for decode in (decode_request, decode_reply):
            began = time.perf_counter()
            refused += read(decode, frames, session)
            slowest = max(slowest, time.perf_counter() - began)
    assert refused > MUTATIONS
    assert slowest < 2.0  # seconds: nothing loops for ever


def test_random_bytes_are_refused():
    rng = random.Random(2)
    for _ in range(5_000):
        frames = [rng.randbytes(rng.choice((0, 1, 5, 50, 500))) for _ in range(rng.randint(0, 5))]
        assert read(decode_request, frames, Session())
        assert read(decode_reply, frames, Session())
