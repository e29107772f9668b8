"""Mutated conversations against decoder, session and playback, and every find of the fuzzers heard again."""

import random
import socket
import struct
import sys
import time
from pathlib import Path

import pytest
from guarded import endpoint
from tone import ToneStage

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from reliability.conversations import Conversations  # noqa: E402
from reliability.engine_side import Broken, EngineSide  # noqa: E402
from reliability.goldens import FINDS, Find, goldens  # noqa: E402
from reliability.messages import BLOCK, Tally, fuzz_block, replay  # noqa: E402
from reliability.mutate import WAYS, mutated  # noqa: E402
from reliability.socket_side import Game  # noqa: E402

from npc_engine.client import Client  # noqa: E402
from npc_engine.server.server import Server  # noqa: E402
from npc_engine.wire import session as sessions  # noqa: E402
from npc_engine.wire.codec import encode  # noqa: E402
from npc_engine.wire.messages import End, Hello, Speak  # noqa: E402

BLOCKS = 6
KEPT = sorted(FINDS.glob("*.bin"))


def test_mutated_conversations_break_nothing(tmp_path):
    tally, conversations = Tally(), Conversations()
    for block in range(BLOCKS):
        fuzz_block(conversations, 1, block, tally, tmp_path)
    assert not tally.finds
    assert tally.messages >= BLOCKS * BLOCK
    assert tally.errors > tally.messages // 3
    assert tally.read > tally.messages // 10


def test_mutations_change_every_message_and_use_every_way():
    rng = random.Random(5)
    messages = goldens()
    for golden in messages:
        other = rng.choice(messages).frames
        assert mutated(golden.frames, other, rng) != golden.frames
    for way in WAYS:
        assert any(way(golden.frames, messages[0].frames, rng) != golden.frames for golden in messages), way


def spoken(dice):
    engine = EngineSide(dice)
    engine.hear(encode(Hello(1)))
    engine.hear(encode(Speak("a", "one two", "elder", credit_ms=100)))
    for _ in range(50):
        engine.act()


def test_a_session_that_minds_no_credit_is_found(monkeypatch):
    """The fuzzer would see it: nothing here can pass by looking away."""
    monkeypatch.setattr(sessions.Session, "sent", lambda *_: None)
    with pytest.raises(Broken, match="6 ticks went of 'a', credit covers 5"):
        spoken(random.Random(2))


def test_a_find_is_kept_with_the_fewest_messages_and_heard_again(monkeypatch, tmp_path):
    def broken(_self, _ping):
        raise ZeroDivisionError("a fault of the session")

    honest = sessions.Session.__init__

    def faulty(self):
        honest(self)
        self._answers[sessions.Ping] = lambda ping: broken(self, ping)

    with monkeypatch.context() as patch:
        patch.setattr(sessions.Session, "__init__", faulty)
        tally = Tally()
        fuzz_block(Conversations(), 3, 0, tally, tmp_path)
        assert tally.finds
        find = Find.read(Path(tally.finds[0]))
        assert find.about == "ZeroDivisionError: a fault of the session"
        with pytest.raises(ZeroDivisionError):
            replay(find)
        replay(Find("", find.side, find.messages[:-1], find.seed))  # fewer would not do
    replay(find)


@pytest.fixture
def server(tmp_path):
    server = Server(ToneStage(tmp_path), "tcp://127.0.0.1:*")
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_what_was_found_once_is_mended(path, server, caplog):
    find = Find.read(path)
    if find.side in {"engine", "client"}:
        replay(find)
        return
    if find.side == "raw":
        connections = [socket.create_connection(endpoint(server.address)) for _ in find.messages]
        for connection, frames in zip(connections, find.messages, strict=True):
            connection.sendall(b"".join(frames))
        time.sleep(0.3)  # nobody answers such a peer: the client below is the proof, however soon it comes
    else:
        game = Game(server.address)
        for frames in find.messages:
            game.say(frames)
        game.settle()
        game.close()
        connections = []
    with Client(server.address, 30) as client:
        assert isinstance(list(client.say("anna", "one two"))[-1], End)
    for connection in connections:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    with Client(server.address, 30) as client:
        assert isinstance(list(client.say("anna", "one two"))[-1], End)
    assert "Traceback" not in caplog.text
