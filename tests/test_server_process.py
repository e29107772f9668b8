"""Server and clients as processes of their own: killed clients, readers that do not read, and a fuzzed socket."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import msgpack
import pytest
import zmq
from test_wire_fuzz import REQUESTS, changed, mutated
from tone import ToneStage

from npc_engine.client import Client
from npc_engine.moments import Outputs
from npc_engine.server.server import Server
from npc_engine.wire.codec import decode_reply, encode
from npc_engine.wire.messages import Accepted, Cancelled, Credit, End, Hello, Moments, Ping, Pong, Speak

TONE = Path(__file__).parent / "tone.py"
LONG = "word " * 2_000
SPEAKER = """
import sys, time
from npc_engine.client import Client
from npc_engine.wire.messages import Moments
client = Client(sys.argv[1])
lines = [client.speak("anna", "word " * 2000, turn="beside") for _ in range(4)]
heard = 0
while True:
    for event in client.poll(0.01):
        if isinstance(event, Moments):
            client.credit(event.line, event.ticks * 20)
            heard += 1
            if heard == 100:
                print("speaking", flush=True)
"""


@pytest.fixture
def tone():
    """A server process and its address."""
    process = subprocess.Popen([sys.executable, str(TONE)], stdout=subprocess.PIPE, text=True)
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def rss_mb(pid):
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        pytest.skip("memory of another process is read from /proc, which this system has not")
    row = next(row for row in status.read_text(encoding="utf-8").splitlines() if row.startswith("VmRSS"))
    return int(row.split()[1]) / 1024


def test_lines_of_a_killed_client_stop(tmp_path):
    stage = ToneStage(tmp_path)
    server = Server(stage, "tcp://127.0.0.1:*")
    server.start()
    took = []
    try:
        for _ in range(3):
            ended = stage.watched.ended
            game = subprocess.Popen([sys.executable, "-c", SPEAKER, server.address], stdout=subprocess.PIPE, text=True)
            assert game.stdout.readline() == "speaking\n"
            game.kill()
            killed = time.monotonic()
            while stage.watched.ended < ended + 4:
                assert time.monotonic() < killed + 30, "the lines go on"
                time.sleep(0.001)
            took.append(stage.watched.ended_at - killed)
            game.communicate()
        made = stage.watched.made
        time.sleep(0.1)
        assert stage.watched.made == made
        with Client(server.address) as client:
            assert isinstance(list(client.say("anna", "one two"))[-1], End)
    finally:
        server.stop()
    assert min(took) < 2  # a few milliseconds on an idle machine; heartbeats alone would take 10 s


@pytest.fixture
def deaf(tone):
    """A game that has said hello and reads only when told."""
    context = zmq.Context()
    game = context.socket(zmq.DEALER)
    game.setsockopt(zmq.RCVHWM, 10)
    game.setsockopt(zmq.SNDTIMEO, 5_000)
    game.setsockopt(zmq.LINGER, 0)
    game.connect(tone[1])
    game.send_multipart(encode(Hello(1, "deaf")))
    assert decode_reply(game.recv_multipart()).kind == "welcome"
    yield game
    game.close()
    context.term()


def test_a_client_that_does_not_read_costs_bounded_memory_and_loses_nothing(tone, deaf):
    process, address = tone
    seen = Outputs(picture=512)
    with Client(address) as other:
        list(other.say("anna", "warm up", outputs=seen, turn="beside"))
        before = rss_mb(process.pid)
        for i in range(8):
            deaf.send_multipart(encode(Speak(f"l{i}", LONG, "anna", credit_ms=10_000, outputs=seen, turn="beside")))
        time.sleep(3)
        assert isinstance(list(other.say("anna", "one two three"))[-1], End)
        grown = rss_mb(process.pid) - before
    assert grown < 60, f"{grown:.0f} MB"
    ticks = {f"l{i}": 0 for i in range(8)}
    end = time.monotonic() + 120
    while min(ticks.values()) < 600:
        assert time.monotonic() < end
        assert deaf.poll(20_000)
        message = decode_reply(deaf.recv_multipart())
        if isinstance(message, Moments):
            assert message.tick == ticks[message.line]  # none lost, none doubled
            ticks[message.line] += message.ticks
            deaf.send_multipart(encode(Credit(message.line, message.ticks * 20)))


def test_a_client_that_grants_and_never_reads_costs_bounded_memory(tone, deaf):
    process, address = tone
    with Client(address) as other:
        list(other.say("anna", "warm up", outputs=Outputs(picture=512)))
        before = rss_mb(process.pid)
        for i in range(8):
            deaf.send_multipart(
                encode(Speak(f"l{i}", LONG, "anna", credit_ms=10_000, outputs=Outputs(picture=512), turn="beside"))
            )
        for _ in range(60):
            time.sleep(0.05)
            for i in range(8):
                deaf.send_multipart(encode(Credit(f"l{i}", 2_000)))
        assert isinstance(list(other.say("anna", "one two three"))[-1], End)
        assert rss_mb(process.pid) - before < 60


def test_a_client_that_asks_and_never_reads_costs_bounded_memory(tone, deaf):
    process, address = tone
    with Client(address) as other:
        before = rss_mb(process.pid)
        for i in range(50_000):
            deaf.send_multipart(encode(Ping(i)))
        other.ping(7)
        assert any(event == Pong(7) for event in other.poll(60))
        assert rss_mb(process.pid) - before < 60


def test_a_fuzzed_socket_answers_and_does_not_grow(tone, deaf):
    process, _ = tone
    rng = random.Random(3)
    answered = 0
    memory = 0.0
    for i in range(6_000):
        frames = encode(REQUESTS[i % len(REQUESTS)])
        frames = changed(frames, rng) if i % 2 else mutated(frames, rng)
        deaf.send_multipart(frames or [b""])
        while deaf.poll(0):
            decode_reply(deaf.recv_multipart())
            answered += 1
        if i == 2_000:
            memory = rss_mb(process.pid)
    deaf.send_multipart([msgpack.packb({"kind": "ping", "mark": 77})])
    while decode_reply(deaf.recv_multipart()) != Pong(77):
        answered += 1
    assert answered > 4_000
    assert rss_mb(process.pid) - memory < 30
    assert process.poll() is None


def of_process(pid):
    """Threads and open files of a process."""
    return [len(list(Path(f"/proc/{pid}/{what}").iterdir())) for what in ("task", "fd")]


def visit(address, rng):
    """One client's life: lines that end, are cancelled, or are left behind. Every tick is accounted for."""
    with Client(address) as client:
        for _ in range(rng.randint(1, 4)):
            words = rng.randint(1, 20)
            way = rng.choice(("end", "end", "cancel", "leave"))
            line = client.speak(
                "anna", "word " * words, credit_ms=rng.choice((0, 100, 600)), outputs=Outputs(picture=64)
            )
            ticks = 0
            while line in client.open_lines and not (way == "leave" and ticks):
                for event in client.poll(5):
                    assert event.line == line or isinstance(event, Cancelled)
                    if isinstance(event, Accepted):
                        client.credit(line, 200)
                    elif isinstance(event, Moments) and event.line == line:
                        assert event.tick == ticks
                        ticks += event.ticks
                        client.credit(line, 20 * event.ticks)
                        if way == "cancel":
                            client.cancel(line)
                    elif isinstance(event, End):
                        assert event.ticks == ticks == 5 * words
                    elif isinstance(event, Cancelled) and event.line == line:
                        assert event.ticks == ticks
            if way == "leave":
                return


def test_threads_files_and_memory_stay_flat_over_clients_that_come_and_go(tone):
    process, address = tone
    rng = random.Random(7)
    for _ in range(20):
        visit(address, rng)
    before = rss_mb(process.pid)
    for _ in range(60):
        visit(address, rng)
    end = time.monotonic() + 20
    while True:
        threads, files = of_process(process.pid)
        if threads <= 8 and files <= 20:
            break
        assert time.monotonic() < end, f"{threads} threads, {files} files"
        time.sleep(0.05)
    assert rss_mb(process.pid) - before < 3


def test_an_interrupted_server_tells_its_clients_and_exits(tone):
    process, address = tone
    if os.name == "nt":
        pytest.skip("Ctrl-C can't be sent to one process of a console on Windows")
    with Client(address) as client:
        line = client.speak("ben", LONG, credit_ms=100)
        ticks = 0
        while ticks < 5:
            ticks += sum(e.ticks for e in client.poll(1) if isinstance(e, Moments))
        process.send_signal(2)
        assert process.wait(30) == 0
        assert Cancelled(line, 5, "the engine is stopping") in client.poll(20)
