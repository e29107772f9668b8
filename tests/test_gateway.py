"""The real gateway before the real server: the same messages on WebSockets, and one page is nobody else's concern."""

import itertools
import os
import threading

import msgpack
import pytest
import zmq
from guarded import Lodge
from hypothesis import given, settings
from hypothesis import strategies as st
from test_golden import GOLDENS
from tone import ToneStage
from web_game import SMALL, Caller, WebGame, gateway_to, wait_for
from websockets.exceptions import ConnectionClosed

from npc_engine.client import Client, ClientError
from npc_engine.gateway.framing import join, split
from npc_engine.moments import Outputs
from npc_engine.server.curve import local_address
from npc_engine.server.server import Server
from npc_engine.wire import limits
from npc_engine.wire.codec import decode_reply, encode
from npc_engine.wire.messages import (
    Accepted,
    Cancel,
    Cancelled,
    Credit,
    End,
    ErrorMessage,
    Hello,
    Moments,
    Ping,
    Pong,
    Speak,
    Words,
)

TEXT = "one two three four five six seven eight"  # 40 ticks
LONG = "word " * 2_000


@pytest.fixture
def stage(tmp_path):
    return ToneStage(tmp_path)


@pytest.fixture
def server(stage):
    before = set(threading.enumerate())
    server = Server(stage, "tcp://127.0.0.1:*")
    server.start()
    yield server
    server.stop()
    wait_for(lambda: not set(threading.enumerate()) - before)


@pytest.fixture
def gateway(server):
    with gateway_to(server.guest) as gateway:
        yield gateway


@pytest.fixture
def game(gateway):
    with WebGame(gateway.address) as game:
        yield game


class Dealer:
    """The same game over ZeroMQ, for comparison."""

    def __init__(self, address):
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.connect(address)
        self.send(Hello(1, "dealer"))
        assert self.receive().kind == "welcome"

    def send(self, message):
        self._socket.send_multipart(message if isinstance(message, list) else encode(message))

    def raw(self):
        assert self._socket.poll(20_000), "nothing came"
        return self._socket.recv_multipart()

    def receive(self):
        return decode_reply(self.raw())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()
        self._context.term()


# ── the same messages ─────────────────────────────────────────────────────────────────────────────────────────────


def played(game, lines):
    """Bytes of each line's sound, coefficients and pictures, its ticks, words, and other messages, as they came."""
    found = {
        line: {"sound": b"", "coefficients": b"", "pictures": [], "ticks": [], "words": [], "other": []}
        for line in lines
    }
    over = set()
    while over < set(lines):
        frames = game.raw()
        message = decode_reply(frames)
        of_line = found[message.line]
        if isinstance(message, Moments):
            of_line["ticks"] += range(message.tick, message.tick + message.ticks)
            of_line["sound"] += frames[1]
            of_line["coefficients"] += frames[2]
            if message.picture is not None:
                of_line["pictures"].append((message.picture_tick, frames[3]))
            game.send(Credit(message.line, 20 * message.ticks))
        elif isinstance(message, Words):
            of_line["words"] += message.words  # how many share a message is a matter of time, as with ticks
        else:
            of_line["other"].append(frames)
        if isinstance(message, End):
            over.add(message.line)
    return found


def test_ten_lines_at_once_over_two_websockets_are_those_of_zeromq(server, gateway):
    texts = {f"l{i}": " ".join(itertools.islice(itertools.cycle(TEXT.split()[i % 8 :]), 30 + i)) for i in range(10)}
    speaks = {
        line: Speak(line, text, ("anna", "ben")[i % 2], outputs=Outputs(picture=64 if i % 2 == 0 else 0), turn="beside")
        for i, (line, text) in enumerate(texts.items())
    }
    first, second = WebGame(gateway.address), WebGame(gateway.address)
    shares = {first: list(texts)[:5], second: list(texts)[5:]}
    found = {}

    def play(game, lines):
        for line in lines:
            game.send(speaks[line])
        found.update(played(game, lines))

    threads = [threading.Thread(target=play, args=share) for share in shares.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    first.close()
    second.close()
    with Dealer(server.address) as dealer:
        for line, speak in speaks.items():
            dealer.send(speak)
            expected = played(dealer, [line])[line]
            assert found[line]["ticks"] == list(range(5 * len(texts[line].split())))
            assert found[line] == expected, line


GAMES = {name: frames for name, (frames, told) in GOLDENS.items() if told["from"] == "game"}
PERFORMED = (Accepted, Moments, Words, End)


def answers(game, name):
    """What an engine says to a golden message up to the answer of a ping after it, but for what comes of a line.

    A line that may be spoken fails whenever its performer finds that there is no character of this name.
    """
    frames, told = GOLDENS[name]
    late = PERFORMED if "error" in told else (*PERFORMED, ErrorMessage)
    game.send(frames)
    game.send(Ping(12_345))
    found = []
    while not found or found[-1] != Pong(12_345):
        message = game.receive()
        if not isinstance(message, late):
            found.append(message)
    return found


def test_golden_messages_are_answered_as_over_zeromq(server, gateway):
    """Those that are cut otherwise on a WebSocket, where frames have no lengths, are refused as well."""
    assert len(GAMES) > 100
    same = 0
    for name, frames in GAMES.items():
        with WebGame(gateway.address) as game:
            got = answers(game, name)
        if split(join(frames)) == frames:
            with Dealer(server.address) as dealer:
                assert got == answers(dealer, name), name
            same += 1
        else:
            assert "error" in GOLDENS[name][1], name
            assert [message.kind for message in got] == ["error", "pong"], name
            assert got[0].code == "bad-message", name
    assert same > 0.9 * len(GAMES)


@given(
    st.binary(max_size=300)
    | st.integers(0, 15).flatmap(lambda n: st.binary(max_size=99).map(bytes([0x80 + n]).__add__))
)
def test_any_bytes_are_cut_without_loss(data):
    assert join(split(data)) == data


@given(
    st.dictionaries(
        st.text(max_size=5), st.integers().filter(lambda n: abs(n) < 2**63) | st.text(max_size=5), max_size=5
    ),
    st.lists(st.binary(min_size=1, max_size=50), max_size=3),
)
@settings(max_examples=200)
def test_a_message_is_cut_where_its_header_says(keys, payloads):
    names = ("sound", "coefficients", "picture")
    header = {**keys, **dict.fromkeys(names, 0), **dict(zip(names, map(len, payloads), strict=False))}
    frames = [msgpack.packb(header), *payloads]
    assert split(join(frames)) == frames


# ── what pages do ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_garbage_is_answered_and_the_websocket_goes_on(game):
    for data in (b"", b"\xc1", b"nonsense", b"\x91" * 5_000, b"\xdf\xff\xff\xff\xff", os.urandom(100_000)):
        game.socket.send(data)
        assert game.receive().code in {"bad-message", "unknown-kind"}
    game.send(Ping(7))
    assert game.receive() == Pong(7)


def test_a_text_message_ends_the_websocket_and_says_why(game):
    game.socket.send("speak")
    assert game.closing()[1] == (1003, "a text message came, expected a binary one")


def test_an_oversized_message_ends_the_websocket_and_no_other(gateway, game):
    with WebGame(gateway.address) as large:
        large.socket.send(bytes(limits.FRAME_BYTES))
        assert large.receive().code == "bad-message"
        large.socket.send([bytes(limits.FRAME_BYTES // 2)] * 3)  # fragments count together
        assert large.closing()[1][0] == 1009
    game.send(Ping(1))
    assert game.receive() == Pong(1)


def test_pages_hear_and_cancel_only_their_own(gateway, game):
    with WebGame(gateway.address) as other:
        game.send(Speak("same", LONG, "ben", credit_ms=200))
        other.send(Speak("same", TEXT, "ben"))
        other.send(Cancel("same"))
        heard = other.until("cancelled", "end")
        assert isinstance(heard[-1], Cancelled)
        game.send(Ping(1))
        assert {m.kind for m in game.until("pong")} <= {"accepted", "words", "moment", "pong"}
        game.send(Cancel("same"))
        assert game.until("cancelled")[-1].ticks <= 10


def test_a_page_that_leaves_stops_its_lines(stage, gateway):
    game = WebGame(gateway.address)
    game.send(Speak("l", LONG, "ben", credit_ms=200))
    game.until("moment")
    game.close()
    wait_for(lambda: stage.watched.ended == stage.watched.begun == 1)
    wait_for(lambda: gateway.websockets == 0)


def test_a_page_that_vanishes_without_a_word_is_noticed_by_its_silence(server, stage):
    with gateway_to(server.guest, bounds=SMALL) as gateway, Caller(gateway) as caller:
        assert caller.ask() == 101
        caller.send(Hello(1, "gone"))
        caller.send(Speak("l", LONG, "ben"))
        wait_for(lambda: stage.watched.begun == 1)
        assert caller.is_ended()  # it answers no ping
        wait_for(lambda: stage.watched.ended == 1)


def test_a_page_that_stops_reading_is_given_up_and_others_go_on(server, stage):
    """Credit keeps a page that sleeps from filling anything; this one grants it and does not read."""
    bounds = SMALL.__class__(unread_s=1.0, ping_s=60.0)
    with (
        gateway_to(server.guest, bounds=bounds) as gateway,
        Caller(gateway) as caller,
        WebGame(gateway.address) as game,
    ):
        assert caller.ask() == 101
        caller.send(Hello(1, "sleeper"))
        for line in range(8):
            speak = Speak(f"l{line}", LONG, "anna", credit_ms=10_000, outputs=Outputs(picture=1024), turn="beside")
            caller.send(speak)
        game.send(Speak("l", TEXT, "ben", credit_ms=1_000))
        assert game.until("end")[-1].ticks == 40
        wait_for(lambda: gateway.websockets == 1, 60)
        wait_for(lambda: stage.watched.ended == stage.watched.begun)
        assert caller.is_ended()
        game.send(Ping(2))
        assert game.receive() == Pong(2)


# ── ends ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_gateway_that_stops_says_so(server, stage):
    with gateway_to(server.guest) as gateway:
        game = WebGame(gateway.address)
        game.send(Speak("l", LONG, "ben", credit_ms=200))
        game.until("moment")
    assert game.closing()[1] == (1001, "the gateway is stopping")
    wait_for(lambda: stage.watched.ended == stage.watched.begun == 1)
    with Client(server.address) as client:  # the engine goes on
        assert isinstance(list(client.say("ben", TEXT))[-1], End)


def test_the_last_words_of_an_engine_reach_its_pages(stage):
    server = Server(stage, "tcp://127.0.0.1:*")
    server.start()
    with gateway_to(server.guest) as gateway:
        games = [WebGame(gateway.address) for _ in range(4)]
        for game in games:
            game.send(Speak("l", LONG, "ben", credit_ms=200))
            game.until("moment")
        server.stop()
    for game in games:
        messages, (code, _) = game.closing()
        assert messages[-1].kind == "cancelled"
        assert code in {1001, 1012}


def test_an_engine_that_restarts_ends_websockets_and_is_found_again(stage):
    servers = [Server(stage, "tcp://127.0.0.1:*")]
    servers[0].start()
    with gateway_to(lambda name: servers[-1].guest(name)) as gateway:  # noqa: PLW0108 - the last one at that time
        game = WebGame(gateway.address)
        servers[0].stop()
        assert game.closing()[1] == (1012, "the engine ended the connection")
        nobody = WebGame(gateway.address, hello=False)
        assert nobody.closing()[1] == (1013, "the engine took no connection")
        servers.append(Server(stage, servers[0].address))
        servers[1].start()
        with WebGame(gateway.address) as again:
            again.send(Speak("l", TEXT, "ben", credit_ms=1_000))
            assert again.until("end")[-1].ticks == 40
        servers[1].stop()


# ── an engine that asks for keys ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def lodge(tmp_path):
    return Lodge(tmp_path / "keys")


@pytest.fixture
def guarded(stage, lodge):
    server = Server(stage, "tcp://0.0.0.0:*", keys=lodge.folder)
    server.start()
    yield server
    server.stop()


def test_pages_need_no_keys_of_their_own(guarded):
    with gateway_to(guarded.guest) as gateway:
        games = [WebGame(gateway.address) for _ in range(6)]  # more than one key may have
        for game in games:
            game.send(Speak("l", TEXT, "ben", credit_ms=1_000))
        for game in games:
            assert game.until("end", "error")[-1] == End("l", 40)
            game.close()


def test_a_change_of_the_list_ends_no_page(guarded, lodge):
    with gateway_to(guarded.guest) as gateway, WebGame(gateway.address) as game:
        game.send(Speak("l", LONG, "ben", credit_ms=200))
        game.until("moment")
        lodge.make("carl")
        with lodge.client(local_address(guarded.address), lodge.ben) as ben:
            assert isinstance(list(ben.say("ben", TEXT))[-1], End)
        game.send(Cancel("l"))
        assert game.until("cancelled")[-1].kind == "cancelled"


def test_the_keys_of_a_page_are_worth_nothing_after_it(guarded):
    with guarded.guest("test") as way, Client(way.address, 20, server_key=way.server_key, key=way.pair) as client:
        assert isinstance(list(client.say("ben", TEXT))[-1], End)
    with pytest.raises(ClientError, match="does not let in the key"):
        Client(way.address, 10, server_key=way.server_key, key=way.pair)


# ── bounds ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_so_many_websockets_are_open_and_no_more(server):
    with gateway_to(server.guest, bounds=SMALL) as gateway:
        games = [WebGame(gateway.address) for _ in range(SMALL.websockets)]
        with Caller(gateway) as caller:
            assert caller.ask() == 503
            assert b"3 WebSockets are open" in caller.body()
        games.pop().close()
        wait_for(lambda: gateway.websockets == SMALL.websockets - 1)
        games.append(WebGame(gateway.address))
        for game in games:
            game.send(Ping(3))
            assert game.receive() == Pong(3)
            game.close()


def test_callers_who_say_nothing_make_room_and_are_ended(server):
    with gateway_to(server.guest, bounds=SMALL) as gateway, WebGame(gateway.address) as game:
        callers = [Caller(gateway) for _ in range(3 * SMALL.callers)]
        with WebGame(gateway.address) as late:
            late.send(Ping(4))
            assert late.receive() == Pong(4)
        assert all(caller.is_ended() for caller in callers)
        for caller in callers:
            caller.socket.close()
        game.send(Ping(5))
        assert game.receive() == Pong(5)


def test_a_flood_of_requests_is_held_back_and_answered(gateway, game):
    def flood():
        for mark in range(5_000):
            game.send(Ping(mark))

    thread = threading.Thread(target=flood)
    thread.start()
    with WebGame(gateway.address) as other:
        other.send(Speak("l", TEXT, "ben", credit_ms=1_000))
        assert other.until("end")[-1].ticks == 40
    for mark in range(5_000):
        assert game.receive() == Pong(mark)
    thread.join(20)


def test_a_closed_websocket_is_closed(game):
    game.close()
    with pytest.raises(ConnectionClosed):
        game.receive()
