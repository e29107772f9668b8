"""Nobody gets in without a key that is let in, over real sockets, and the server goes on serving those who are."""

import contextlib
import re
import socket
import sys
import threading
import time

import pytest
import zmq
from guarded import Game, Lodge, Tap, curve, endpoint, plain, reads_until_closed, wait_for
from tone import ToneStage

from npc_engine import keys
from npc_engine.client import Client, ClientError
from npc_engine.server import clients, sockets
from npc_engine.server.curve import is_loopback
from npc_engine.server.server import Server, ServerError
from npc_engine.wire.codec import encode
from npc_engine.wire.messages import (
    Accepted,
    Append,
    Cancel,
    Commit,
    Credit,
    End,
    ErrorMessage,
    Hello,
    Moments,
    Ping,
    Pong,
    Speak,
    Warm,
    Welcome,
)

TEXT = "one two three four five six seven eight"  # 40 ticks
LONG = "word " * 2_000


@pytest.fixture
def stage(tmp_path):
    return ToneStage(tmp_path)


@pytest.fixture
def lodge(tmp_path):
    return Lodge(tmp_path / "keys")


@pytest.fixture
def server(stage, lodge):
    before = set(threading.enumerate())
    server = Server(stage, "tcp://127.0.0.1:*", keys=lodge.folder)
    server.start()
    yield server
    server.stop()
    wait_for(lambda: not set(threading.enumerate()) - before)


@pytest.fixture
def anna(server, lodge):
    """A client that is let in and stays."""
    with lodge.client(server.address, lodge.anna) as client:
        yield client


def speaks(client):
    """Whether a client is served from hello to end."""
    return isinstance(list(client.say("ben", TEXT))[-1], End)


def asked(game):
    """Say hello and ask for a line, without waiting for answers."""
    game.send(Hello(1, "stranger"))
    game.send(Speak("x", TEXT, "ben"))


# ── who gets in ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_two_clients_with_keys_are_served_by_key_and_by_file(server, lodge, anna):
    assert speaks(anna)
    by_file = Client(server.address, 20, server_key=lodge.folder / "server.pub", key=str(lodge.folder / "ben.key"))
    with by_file:
        assert speaks(by_file)
    with Client(server.address, 20, server_key=lodge.server.public, key=lodge.ben.secret) as by_secret:
        assert speaks(by_secret)
    assert speaks(anna)


def strangers(lodge):
    other = keys.KeyPair("other", *(key.decode() for key in zmq.curve_keypair()))
    mixed = keys.KeyPair("mixed", lodge.anna.public, lodge.ben.secret)
    return {
        "wrong server key": curve(other.public, lodge.anna),
        "wrong client key": curve(lodge.server.public, other),
        "another's public key": curve(lodge.server.public, mixed),
        "the server's own key": curve(lodge.server.public, lodge.server),
        "no key": None,
        "a password": plain,
    }


KINDS = ("wrong server key", "wrong client key", "another's public key", "the server's own key", "no key", "a password")


@pytest.mark.parametrize("kind", KINDS)
def test_no_message_of_a_stranger_gets_through_and_others_are_served(kind, server, stage, lodge, anna):
    line = anna.speak("ben", LONG, credit_ms=200)
    wait_for(lambda: any(isinstance(event, Accepted) for event in anna.poll(0.05)))
    begun = stage.watched.begun
    with Game(server.address, strangers(lodge)[kind]) as game:
        asked(game)
        assert not game.hears(0.5)
        assert stage.watched.begun <= begun + 1  # anna's own may just begin
        anna.cancel(line)
        assert speaks(anna)
        assert not game.hears(0.1)
    wait_for(lambda: stage.watched.ended == stage.watched.begun)
    assert stage.watched.begun == 2


def test_a_revoked_key_does_not_get_in(server, stage, lodge, anna):
    keys.revoke(lodge.folder, "ben")
    with Game(server.address, curve(lodge.server.public, lodge.ben)) as game:
        asked(game)
        assert not game.hears(0.5)
    assert stage.watched.begun == 0
    assert speaks(anna)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("stranger", "it does not let in the key of 'carl'; on its machine: npc-engine keys allow carl '"),
        ("keyless", "it asks for keys: Client(address, server_key=…, key=…)"),
        ("misled", "it broke off as keys were exchanged: is server_key that of this engine?"),
    ],
)
def test_the_client_says_why_it_is_not_let_in(kind, text, server, lodge, anna):
    carl = lodge.make("carl", allow=False)
    given = {"server_key": lodge.anna.public if kind == "misled" else lodge.server.public, "key": carl}
    with pytest.raises(ClientError, match=re.escape(text)) as caught:
        Client(server.address, 1 if kind == "misled" else 10, **({} if kind == "keyless" else given))
    assert caught.value.code == ("" if kind == "misled" else "refused")
    assert lodge.anna.secret not in str(caught.value)
    assert carl.secret not in str(caught.value)
    assert speaks(anna)


def test_keys_for_an_engine_that_asks_for_none_are_told(stage, lodge):
    server = Server(stage, "tcp://127.0.0.1:*")
    server.start()
    try:
        with pytest.raises(ClientError, match="it asks for no keys, but was given some"):
            lodge.client(server.address, lodge.anna, 10)
        with Client(server.address) as client:
            assert speaks(client)
    finally:
        server.stop()


def test_one_key_without_the_other_is_told(lodge):
    with pytest.raises(ClientError, match="server_key came without key: an engine that asks for keys needs both"):
        Client("tcp://127.0.0.1:1", server_key=lodge.server.public)
    with pytest.raises(ClientError, match="key came without server_key"):
        Client("tcp://127.0.0.1:1", key=lodge.anna)


# ── replay ────────────────────────────────────────────────────────────────────────────────────────────────────────


def replayed(address, pieces, pace_s):
    """Send the recorded bytes on a new connection; whether the server ended it, and what it answered."""
    answered = b""
    with socket.create_connection(endpoint(address)) as thief:
        thief.settimeout(pace_s)
        for piece in pieces:
            try:
                thief.sendall(piece)
                answered += thief.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                return True, answered
        return reads_until_closed(thief), answered


@pytest.mark.parametrize("pace_s", [0.001, 0.2], ids=["all at once", "answer by answer"])
@pytest.mark.parametrize("restarted", [False, True], ids=["same server", "server restarted"])
def test_a_replayed_handshake_opens_nothing(pace_s, restarted, server, stage, lodge):
    tap = Tap(server.address)
    with lodge.client(tap.address, lodge.anna) as client:
        assert speaks(client)
    tap.join()
    recorded = b"".join(tap.sent)
    assert b"\x08INITIATE" in recorded
    assert len(recorded) > 800
    assert TEXT.encode() not in recorded  # nobody reads along
    assert stage.watched.begun == 1
    address = server.address
    if restarted:
        server.stop()
        again = Server(stage, address, keys=lodge.folder)
        again.start()
    try:
        for pieces in (tap.sent, [recorded]):
            closed, answered = replayed(address, pieces, pace_s)
            assert closed
            assert b"\x05READY" not in answered
            assert len(answered) < 500  # a greeting, WELCOME and perhaps ERROR
        with lodge.client(address, lodge.ben) as client:
            assert speaks(client)
    finally:
        if restarted:
            again.stop()
    assert stage.watched.begun == 2


# ── changes while it runs ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_client_is_let_in_without_a_restart(server, lodge, anna):
    carl = lodge.make("carl", allow=False)
    with pytest.raises(ClientError, match="does not let in the key of 'carl'"):
        lodge.client(server.address, carl)
    keys.allow(lodge.folder, "carl", carl.public)
    with lodge.client(server.address, carl) as client:
        assert speaks(client)
        assert speaks(anna)


def test_a_revoked_client_is_cut_off_in_the_midst_of_its_line(server, stage, lodge, anna, caplog):
    caplog.set_level("INFO")
    with lodge.client(server.address, lodge.ben) as ben:
        line = ben.speak("ben", LONG, credit_ms=400)
        other = anna.speak("ben", TEXT, credit_ms=10_000)
        wait_for(lambda: any(isinstance(event, Moments) for event in ben.poll(0.05)))
        revoked = time.monotonic()
        keys.revoke(lodge.folder, "ben")
        lost = []
        while not lost:
            assert time.monotonic() < revoked + 10
            lost += [event for event in ben.poll(0.05) if isinstance(event, ErrorMessage)]
        took = time.monotonic() - revoked
        assert [(e.code, e.line) for e in lost] == [("disconnected", line)]
        wait_for(lambda: stage.watched.ended >= 1)
        wait_for(lambda: ben.poll(0.02) == [] and "refused: it does not let in the key of 'ben'" in refusal(ben))
        assert not ben.connected
        wait_for(lambda: End(other, 40) in anna.poll(0.05))
        assert speaks(anna)
    assert took < 5  # half a second on an idle machine
    assert "its key was revoked; 1 lines stop" in caplog.text
    wait_for(lambda: stage.watched.ended == stage.watched.begun)


def refusal(client):
    try:
        client.speak("ben", TEXT)
    except ClientError as error:
        return str(error) if error.code == "refused" else ""
    return ""


def takes(game, message):
    try:
        game.send(message)
    except zmq.Again:
        return False
    return True


def test_a_revoked_game_that_comes_back_by_itself_is_not_heard(server, stage, lodge, anna):
    """A game that was let in, knows the wire and keeps trying: nothing it says is carried out after the cut."""
    with Game(server.address, curve(lodge.server.public, lodge.ben)) as game:
        game.hello()
        keys.revoke(lodge.folder, "ben")
        wait_for(lambda: not takes(game, Ping(1)))  # libzmq takes nothing more for a connection that it gave up
        while game.hears(0.1):  # pings are answered until the list has been read again
            assert game.receive().kind == "pong"
    for _ in range(3):
        with Game(server.address, curve(lodge.server.public, lodge.ben)) as game:
            asked(game)
            assert not game.hears(0.3)
    assert stage.watched.begun == 0
    assert speaks(anna)


def test_a_message_of_one_who_is_struck_from_the_list_is_not_heard(stage, lodge, monkeypatch):
    """Between two looks for connections to end: the message itself is compared with the list, as last read."""
    monkeypatch.setattr(clients, "TEND_S", 1_000.0)
    server = Server(stage, "tcp://127.0.0.1:*", keys=lodge.folder)
    server.start()
    try:
        with Game(server.address, curve(lodge.server.public, lodge.ben)) as game:
            game.hello()
            keys.revoke(lodge.folder, "ben")
            with lodge.client(server.address, lodge.anna) as client:  # its handshake reads the list again
                game.send(Speak("l", TEXT, "ben"))
                assert not game.hears(0.5)
                assert stage.watched.begun == 0
                assert speaks(client)
    finally:
        server.stop()


def test_one_that_was_let_in_and_has_said_nothing_is_cut_off_too(server, lodge, anna):
    with Game(server.address, curve(lodge.server.public, lodge.ben)) as game:
        assert not game.is_ended(0.3)
        keys.revoke(lodge.folder, "ben")
        assert game.is_ended(10)
    assert speaks(anna)


def test_a_broken_file_lets_nobody_in_and_the_others_stay(server, lodge, anna, caplog):
    (keys.allowed_folder(lodge.folder) / "ben.pub").write_text("public = 7\n", encoding="utf-8")
    with pytest.raises(ClientError, match="does not let in the key of 'ben'"):
        lodge.client(server.address, lodge.ben)
    assert speaks(anna)
    wait_for(lambda: "nobody is let in by a broken file" in caplog.text)
    assert "ben.pub: key 'public' is missing, or no string" in caplog.text


def test_strangers_do_not_fill_the_log(server, lodge, anna, caplog):
    stranger = lodge.make("carl", allow=False)
    for _ in range(15):
        with pytest.raises(ClientError, match="does not let in"):
            lodge.client(server.address, stranger)
    assert 1 <= caplog.text.count("refused") <= 3
    assert stranger.secret not in caplog.text
    assert speaks(anna)


# ── where the engine may be reached ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("tcp://127.0.0.1:7890", True),
        ("tcp://127.8.0.1:*", True),
        ("tcp://localhost:7890", True),
        ("tcp://[::1]:7890", True),
        ("tcp://0.0.0.0:7890", False),
        ("tcp://*:7890", False),
        ("tcp://[::]:7890", False),
        ("tcp://eth0:7890", False),
        ("tcp://localhost.example.com:7890", False),
        ("tcp://[::ffff:10.0.0.1]:7890", False),
    ],
)
def test_what_is_loopback(address, loopback):
    assert is_loopback(address) is loopback


def test_an_address_open_to_the_network_needs_keys_and_says_what_to_type(stage, tmp_path):
    with pytest.raises(ServerError, match="is not loopback: anyone on the network could make the engine speak"):
        Server(stage, "tcp://0.0.0.0:*").start()
    for address in ("tcp://0.0.0.0:*", "tcp://127.0.0.1:*"):
        with pytest.raises(ServerError, match=r"there is no .*server\.key: make it with `npc-engine keys new`"):
            Server(stage, address, keys=tmp_path / "none").start()
    with pytest.raises(ServerError, match="is not loopback"):
        sockets.Router("tcp://0.0.0.0:*")


def test_with_keys_it_serves_the_network(stage, lodge):
    server = Server(stage, "tcp://0.0.0.0:*", keys=lodge.folder)
    server.start()
    try:
        address = server.address.replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - what is tested
        with lodge.client(address, lodge.anna) as client:
            assert speaks(client)
        with Game(address) as game:
            asked(game)
            assert not game.hears(0.3)
    finally:
        server.stop()


def test_a_key_that_others_may_read_starts_no_server(stage, lodge):
    path = lodge.folder / "server.key"
    path.chmod(0o644)
    with pytest.raises(ServerError, match=r"others on this machine may read it \(mode 0644\): chmod 600"):
        Server(stage, "tcp://127.0.0.1:*", keys=lodge.folder).start()


# ── isolation ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_of_anothers_line_can_be_touched_or_seen(server, stage, lodge, anna):
    anna.speak("ben", "one two", line="same", credit_ms=100, open=True)
    wait_for(lambda: any(isinstance(event, Accepted) for event in anna.poll(0.05)))
    with Game(server.address, curve(lodge.server.public, lodge.ben)) as game:
        game.hello()
        for message in (Cancel("same"), Append("same", "boo!"), Commit("same"), Credit("same", 1000)):
            game.send(message)
            error = game.receive()
            assert (error.code, error.text) == ("unknown-line", "no line 'same'")
        game.send(Speak("same", TEXT, "ben", credit_ms=100))
        assert game.receive() == Accepted("same", None)
        game.send(Cancel("same"))
        while game.receive().kind != "cancelled":
            pass
        game.send(Ping(3))
        assert game.receive() == Pong(3)
        assert not game.hears(0.1)
    anna.append("same", " three four five")
    anna.commit("same")
    anna.credit("same", 5_000)
    events = []
    wait_for(lambda: events.extend(anna.poll(0.05)) or any(isinstance(event, End) for event in events))
    assert events[-1] == End("same", 25)
    assert not [event for event in events if isinstance(event, ErrorMessage)]


def test_answers_of_a_warm_come_to_who_asked(server, lodge, anna):
    with Game(server.address, curve(lodge.server.public, lodge.ben)) as game:
        game.hello()
        game.send(Warm("w", "one two", "ben"))
        warmed = game.receive()
        assert (warmed.kind, warmed.id) == ("warmed", "w")
    assert anna.poll(0.1) == []


def test_who_takes_anothers_routing_id_hears_and_ends_nothing(server, lodge, anna):
    """ZeroMQ lets a client name its own routing id; the name of one who is there gets a newcomer nothing."""
    with Game(server.address, curve(lodge.server.public, lodge.anna), identity=b"player") as first:
        first.hello()
        first.send(Speak("l", LONG, "ben", credit_ms=100))
        assert first.receive().kind == "accepted"
        with Game(server.address, curve(lodge.server.public, lodge.ben), identity=b"player") as second:
            second.send(Hello(1, "thief"))
            second.send(Cancel("l"))
            assert not second.hears(0.3)
        while first.hears(0.1):
            assert first.receive().kind in {"moment", "words"}
        first.send(Credit("l", 100))
        assert first.receive().kind in {"moment", "words"}
    assert speaks(anna)


def test_a_routing_id_that_is_free_again_begins_anew(server, lodge):
    with Game(server.address, curve(lodge.server.public, lodge.anna), identity=b"player") as first:
        first.hello()
        first.send(Speak("l", LONG, "ben", credit_ms=0))
        assert first.receive().kind == "accepted"
    with Game(server.address, curve(lodge.server.public, lodge.ben), identity=b"player") as second:
        second.send(Cancel("l"))
        error = second.receive()
        assert (error.code, error.line) == ("not-greeted", "l")


# ── what strangers and the silent may cost ────────────────────────────────────────────────────────────────────────


def test_a_key_has_so_many_connections_and_no_more(server, lodge, anna):
    games = [
        Game(server.address, curve(lodge.server.public, lodge.ben)).hello() for _ in range(clients.KEY_CONNECTIONS)
    ]
    more = Game(server.address, curve(lodge.server.public, lodge.ben))
    try:
        more.send(Hello(1, "one more"))
        error = more.receive()
        assert error.code == "too-many-connections"
        assert error.text == "4 connections have this key, as many as may: close one, or give each game its key"
        more.send(Speak("l", TEXT, "ben"))
        assert more.receive().code == "too-many-connections"
        assert speaks(anna)
        games.pop().close()
        wait_for(lambda: more.send(Hello(1, "again")) or more.receive().kind == "welcome")
    finally:
        for game in (*games, more):
            game.close()


def test_half_open_handshakes_are_given_up(stage, lodge, monkeypatch):
    monkeypatch.setattr(sockets, "HANDSHAKE_MS", 300)
    server = Server(stage, "tcp://127.0.0.1:*", keys=lodge.folder)
    server.start()
    greeting = b"\xff" + bytes(8) + b"\x7f\x03\x01CURVE" + bytes(15) + bytes(32)  # ZMTP 3.1, then silence
    try:
        with lodge.client(server.address, lodge.anna) as client:
            for data in (b"", b"\xff", greeting):
                with socket.create_connection(endpoint(server.address)) as mute:
                    mute.sendall(data)
                    assert reads_until_closed(mute, 10)
            assert speaks(client)
    finally:
        server.stop()


def test_a_connection_that_says_no_hello_is_ended(stage, lodge, monkeypatch):
    monkeypatch.setattr(clients, "GREETING_S", 0.3)
    server = Server(stage, "tcp://127.0.0.1:*", keys=lodge.folder)
    server.start()
    try:
        with lodge.client(server.address, lodge.anna) as client:
            for says in (None, Ping(1)):
                with Game(server.address, curve(lodge.server.public, lodge.ben)) as game:
                    if says:
                        game.send(says)
                        assert game.receive().code == "not-greeted"
                    assert game.is_ended(10)
            time.sleep(1)
            assert client.connected
            assert speaks(client)
    finally:
        server.stop()


NULL_GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(16) + bytes(32)
NULL_READY = b"\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER"


def greeted(address):
    """A TCP connection that has shaken hands as a DEALER by itself, and knows how to be silent."""
    connection = socket.create_connection(endpoint(address))
    connection.settimeout(20)
    connection.sendall(NULL_GREETING + NULL_READY)
    came = b""
    while b"ROUTER" not in came:  # libzmq takes no message before it has said READY itself
        came += connection.recv(1)
    return connection


def framed(data):
    """A ZMTP frame, the last of its message."""
    return b"\x00" + bytes([len(data)]) + data if len(data) < 256 else b"\x02" + len(data).to_bytes(8, "big") + data


def test_a_client_that_vanished_without_a_word_is_noticed(stage, monkeypatch):
    """Half-open TCP: the connection stands, nobody answers heartbeats; its lines stop."""
    monkeypatch.setattr(sockets, "HEARTBEAT_MS", 100)
    monkeypatch.setattr(sockets, "HEARTBEAT_TIMEOUT_MS", 400)
    server = Server(stage, "tcp://127.0.0.1:*")
    server.start()
    try:
        with greeted(server.address) as gone:
            for message in (Hello(1, "gone"), Speak("l", LONG, "ben", credit_ms=100)):
                gone.sendall(framed(*encode(message)))
            wait_for(lambda: stage.watched.made > 0)
            wait_for(lambda: stage.watched.ended == stage.watched.begun == 1, 10)
            assert reads_until_closed(gone, 10)
    finally:
        server.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how many bytes have come over a connection")
def test_a_message_that_never_ends_ends_its_connection_and_costs_little(stage, caplog):
    """libzmq keeps all frames of a message until the last has come, however many: 1.5 GB in 1.3 s without our bound."""
    caplog.set_level("INFO")
    server = Server(stage, "tcp://127.0.0.1:*")
    server.start()
    half = b"\x03" + (1 << 19).to_bytes(8, "big") + bytes(1 << 19)  # a long frame, more to follow
    sent = 0
    try:
        with Client(server.address) as client, greeted(server.address) as flood:
            line = client.speak("ben", TEXT, credit_ms=10_000)
            flood.sendall(framed(*encode(Hello(1, "flood"))))
            flood.settimeout(3)
            with contextlib.suppress(ConnectionError, TimeoutError):  # reset, or nobody there reads any more
                while sent < 2_000 << 20:
                    flood.sendall(half)
                    sent += len(half)
            wait_for(lambda: End(line, 40) in client.poll(0.05))
            assert speaks(client)
            wait_for(lambda: "client 'flood' is gone: its connection closed" in caplog.text)
    finally:
        server.stop()
    assert sent < 2_000 << 20  # 130 MB on two idle cores
    assert "bytes came, and no message" in caplog.text


def test_large_messages_that_end_are_answered_and_end_nothing(server, lodge):
    """What the limits allow goes on for as long as it likes: 100 MB of refused messages on one connection."""
    with Game(server.address, curve(lodge.server.public, lodge.anna)) as game:
        game.socket.setsockopt(zmq.SNDHWM, 10)
        game.hello()
        for _ in range(100):
            game.socket.send_multipart([bytes(1 << 20)])
        for _ in range(100):
            assert game.receive().text == "header of 1048576 bytes, expected at most 262144"
        game.send(Ping(5))
        assert game.receive() == Pong(5)


def test_strangers_who_hold_all_connections_keep_nobody_out(stage, lodge, monkeypatch, caplog):
    monkeypatch.setattr(sockets, "HANDSHAKE_MS", 120_000)  # else their own end would make room
    monkeypatch.setattr(clients, "CONNECTIONS", 12)
    server = Server(stage, "tcp://127.0.0.1:*", keys=lodge.folder)
    server.start()
    mute = []
    try:
        with lodge.client(server.address, lodge.anna) as client:
            mute += [socket.create_connection(endpoint(server.address)) for _ in range(11)]
            time.sleep(0.3)
            with lodge.client(server.address, lodge.ben) as other:
                assert speaks(other)
                assert reads_until_closed(mute[0], 4)  # sooner than the handshake's own end
                mute += [socket.create_connection(endpoint(server.address)) for _ in range(30)]
                time.sleep(0.3)
                assert speaks(other)
            assert speaks(client)
            assert client.connected
        wait_for(lambda: "connections were ended, because 12 are open, as many as may" in caplog.text)
    finally:
        for connection in mute:
            connection.close()
        server.stop()


def test_more_clients_than_may_connect_are_ended_and_those_there_are_served(stage, monkeypatch):
    monkeypatch.setattr(clients, "CONNECTIONS", 3)
    server = Server(stage, "tcp://127.0.0.1:*")
    server.start()
    try:
        games = [Client(server.address) for _ in range(3)]
        with pytest.raises(ClientError, match="no engine answered"):
            Client(server.address, 1)
        assert all(speaks(game) for game in games)
        games.pop().close()
        with Client(server.address, 20) as another:
            assert speaks(another)
        for game in games:
            game.close()
    finally:
        server.stop()


def test_a_storm_of_strangers_does_not_silence_those_who_are_let_in(server, stage, lodge, anna):
    storm = threading.Event()
    tried = []

    def strange():
        kinds = list(strangers(lodge).values())
        while not storm.is_set():
            with Game(server.address, kinds[len(tried) % len(kinds)]) as game:
                asked(game)
                tried.append(game.hears(0.02))

    threads = [threading.Thread(target=strange) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(10):
            assert speaks(anna)
        wait_for(lambda: len(tried) > 60)
        assert speaks(anna)
    finally:
        storm.set()
        for thread in threads:
            thread.join()
    assert not any(tried)
    assert stage.watched.begun == 11


def test_a_greeting_is_still_asked_of_those_who_are_let_in(server, lodge):
    with Game(server.address, curve(lodge.server.public, lodge.anna)) as game:
        game.send(Speak("a", TEXT, "ben"))
        assert game.receive().code == "not-greeted"
        game.send(Hello(1, "late"))
        assert isinstance(game.receive(), Welcome)
