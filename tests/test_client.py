"""The Python client against a real server, and against engines that are absent, newer, broken or silent."""

import threading
import time

import msgpack
import pytest
import zmq
from tone import ToneStage

from npc_engine.client import Client, ClientError
from npc_engine.moments import EXP50
from npc_engine.server.server import Server
from npc_engine.wire.codec import decode_request, encode
from npc_engine.wire.messages import Accepted, Cancelled, End, ErrorMessage, Hello, Moments, Pong, Speak, Welcome

TEXT = "one two three four"
WELCOME = Welcome(1, "9.9", EXP50, ("hello", "speak"), 24_000, 20, 8, 20_000, 10_000)


@pytest.fixture
def server(tmp_path):
    server = Server(ToneStage(tmp_path), "tcp://127.0.0.1:*")
    server.start()
    yield server
    server.stop()


class Engine:
    """An engine of frames written by hand: `answers` gives the replies to each request."""

    def __init__(self, answers):
        self.answers = answers
        self.heard = []
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.ROUTER)
        self.socket.linger = 0
        self.address = f"tcp://127.0.0.1:{self.socket.bind_to_random_port('tcp://127.0.0.1')}"
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.stopping.is_set():
            if self.socket.poll(5):
                identity, *data = self.socket.recv_multipart()
                self.heard.append(decode_request(data))
                for frames in self.answers(self.heard[-1]):
                    self.socket.send_multipart([identity, *frames])
        self.socket.close()
        self.context.term()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()


def answers(**others):
    def answer(message):
        if message.kind in others:
            return others[message.kind]
        return [encode(WELCOME)] if isinstance(message, Hello) else []

    return answer


def test_it_says_what_to_do_when_no_engine_answers():
    began = time.monotonic()
    with pytest.raises(ClientError) as caught:
        Client("tcp://127.0.0.1:9", timeout_s=0.3)
    assert str(caught.value) == "no engine answered at tcp://127.0.0.1:9 in 0.3 s; start one with `npc-engine serve`"
    assert 0.25 < time.monotonic() - began < 20


@pytest.mark.parametrize("address", ["nonsense", "tcp://127.0.0.1", "http://127.0.0.1:80"])
def test_it_names_an_address_that_is_none(address):
    with pytest.raises(ClientError, match=r"can't connect to .*expected an address like tcp://127.0.0.1:7890"):
        Client(address, timeout_s=0.3)


def test_it_waits_for_an_engine_that_is_starting(tmp_path):
    probe = Server(ToneStage(tmp_path), "tcp://127.0.0.1:*")
    probe.start()
    probe.stop()
    later = Server(ToneStage(tmp_path), probe.address)
    timer = threading.Timer(0.5, later.start)
    timer.start()
    try:
        with Client(probe.address, timeout_s=30) as client:
            assert client.connected
    finally:
        timer.join()
        later.stop()


def test_an_engine_of_another_version_is_named():
    refusal = encode(ErrorMessage("bad-version", "the game speaks wire version 1, this engine 2: update the game"))
    with Engine(answers(hello=[refusal])) as engine, pytest.raises(ClientError) as caught:
        Client(engine.address)
    assert str(caught.value).endswith("refused: the game speaks wire version 1, this engine 2: update the game")
    assert caught.value.code == "bad-version"


def test_what_a_newer_engine_says_beyond_our_version_is_ignored():
    extra = [msgpack.packb({"kind": "weather", "rain": 0.5})]
    more = [msgpack.packb({"kind": "accepted", "line": "a", "queue": 3})]
    with Engine(answers(speak=[extra, more])) as engine, Client(engine.address) as client:
        client.speak("anna", TEXT, line="a")
        assert client.poll(20) == [Accepted("a")]


def test_what_an_engine_garbles_comes_as_an_event_not_as_an_exception():
    short = [msgpack.packb({"kind": "moment", "line": "a", "tick": 0, "ticks": 1, "sound": 960}), b"abc"]
    with Engine(answers(speak=[short, [b"\xc1"], encode(End("a", 0))])) as engine, Client(engine.address) as client:
        client.speak("anna", TEXT, line="a")
        events = []
        while End("a", 0) not in events:
            events += client.poll(20)
        assert [e.text for e in events[:2]] == [
            "the engine sent: payload of 3 bytes, header promised 960",
            "the engine sent: header is no msgpack map: a byte that msgpack does not know",
        ]
        assert client.open_lines == frozenset()


def test_an_engine_that_stops_answering_ends_the_blocking_face():
    with Engine(answers(speak=[encode(Accepted("a"))])) as engine, Client(engine.address) as client:
        with pytest.raises(ClientError, match=r"nothing came for 0\.2 s"):
            list(client.say("anna", TEXT, timeout_s=0.2))
        with pytest.raises(ClientError, match=r"sent no list within 0\.2 s"):
            client.npcs(timeout_s=0.2)


def test_speak_carries_all_that_was_asked():
    with Engine(answers()) as engine, Client(engine.address, name="a game") as client:
        line = client.speak("anna", TEXT, style="cartoon", priority=7, voice="v", face="f", credit_ms=123)
        while len(engine.heard) < 2:
            time.sleep(0.002)
    assert engine.heard == [
        Hello(1, "a game"),
        Speak(line, TEXT, "anna", "v", "f", "cartoon", "neutral", 7, 123),
    ]


def test_polling_never_blocks(server):
    with Client(server.address) as client:
        client.speak("anna", "word " * 200, credit_ms=10_000)
        took = []
        for _ in range(300):
            began = time.perf_counter()
            client.poll()
            took.append(time.perf_counter() - began)
            time.sleep(0.001)
        assert sorted(took)[150] < 0.1


def test_saying_one_line_keeps_the_events_of_others(server):
    with Client(server.address) as client:
        other = client.speak("ben", TEXT)
        client.ping(3)
        said = list(client.say("anna", TEXT))
        assert sum(e.ticks for e in said if isinstance(e, Moments)) == 20
        events = []
        while not any(isinstance(e, End) for e in events):
            events += client.poll(1)
        assert Pong(3) in events
        assert sum(e.ticks for e in events if isinstance(e, Moments) and e.line == other) == 20


def test_a_cancelled_line_ends_the_blocking_face(server):
    with Client(server.address) as client:
        said = client.say("anna", "word " * 500)
        line = next(said).line
        client.cancel(line)
        with pytest.raises(ClientError, match="was cancelled: the game asked"):
            list(said)


def test_cancel_and_credit_of_lines_that_are_not_open_say_nothing(server):
    with Client(server.address) as client:
        client.cancel("never")
        client.credit("never", 100)
        line = client.speak("anna", TEXT)
        client.credit(line, 0)
        client.cancel(line)
        events = []
        while not events or not isinstance(events[-1], Cancelled):
            events += client.poll(1)
        client.cancel(line)
        client.credit(line, 100)
        client.ping(1)
        assert client.poll(20) == [Pong(1)]


def test_closing_twice_is_fine(server):
    client = Client(server.address)
    client.close()
    client.close()
