"""Clients, servers and networks that die or stand still: what was free is free again, what was lost is said again."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from guarded import endpoint
from proxy import Proxy
from test_faults_voices import hear, ticks, wait_for
from tone import ToneStage

from npc_engine import connection
from npc_engine.client import Client
from npc_engine.moments import Outputs
from npc_engine.server import sockets
from npc_engine.server.server import Server
from npc_engine.wire.messages import LOST, Accepted, Cancelled, End, ErrorMessage, Moments, Welcome

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from reliability.process import sample  # noqa: E402
from reliability.raw import GREETING  # noqa: E402
from reliability.served import Served, tone  # noqa: E402

TEXT = "one two three four five six seven eight"  # 40 ticks
LONG = "word " * 2_000


@pytest.fixture
def served(tmp_path):
    """A server process."""
    with Served(tone(), tmp_path) as served:
        yield served
        assert not served.noise()


@pytest.fixture
def stage(tmp_path):
    return ToneStage(tmp_path)


@pytest.fixture
def server(stage, monkeypatch):
    """A server in this process, which misses a silent peer after a second; its clients do, too."""
    for module in (sockets, connection):
        monkeypatch.setattr(module, "HEARTBEAT_MS", 200)
        monkeypatch.setattr(module, "HEARTBEAT_TIMEOUT_MS", 1_000)
    server = Server(stage, "tcp://127.0.0.1:*")
    server.start()
    yield server
    server.stop()


def until(client, kind, seconds=60.0):
    """Events up to and with the first of a kind."""
    events = []
    wait_for(lambda: events.extend(client.poll(0.05)) or any(isinstance(e, kind) for e in events), seconds)
    return events


def speaks(client, text=TEXT, count=40, line=""):
    """Whether a line comes whole."""
    line = client.speak("ben", text, line=line)
    events, over = hear(client, line)
    return over[line] == End(line, count) and ticks(events, line) == count


# ── half-open TCP, slow networks ──────────────────────────────────────────────────────────────────────────────────────


def test_a_network_that_falls_silent_is_noticed_at_both_ends_and_the_line_said_again(server, stage):
    with Proxy(server.address) as proxy, Client(proxy.address, 30) as client, Client(server.address, 30) as other:
        line = client.speak("ben", LONG, line="l1", credit_ms=400)
        opened = client.speak("anna", "one two", open=True)
        living = client.idle("anna", outputs=Outputs(sound=False, words=False, picture=64))
        until(client, Moments)
        wait_for(lambda: stage.watched.begun == 2)
        proxy.fall_silent()
        assert speaks(other)
        events = until(client, ErrorMessage)
        lost = [(event.line, event.code) for event in events if isinstance(event, ErrorMessage)]
        assert sorted(lost) == sorted((name, LOST) for name in (line, opened, living))
        wait_for(lambda: stage.watched.ended == stage.watched.begun)  # the server has let go of all of it
        if not client.connected:
            until(client, Welcome)
        assert speaks(client, line="l1")
        assert speaks(other)


def test_a_slow_network_gets_every_tick_and_holds_up_nobody(server):
    with (
        Proxy(server.address, rate=60_000) as proxy,
        Client(proxy.address, 60) as client,
        Client(server.address, 30) as other,
    ):
        text = " ".join(f"w{i}" for i in range(60))  # six seconds of sound in about as many of this network
        line = client.speak("ben", text, credit_ms=10_000)
        for _ in range(3):
            assert speaks(other)
        events, over = hear(client, line, seconds=120)
        assert over[line] == End(line, 300)
        assert ticks(events, line) == 300
        assert proxy.passed > 300 * 960


# ── processes ─────────────────────────────────────────────────────────────────────────────────────────────────────────

BUSY = """
import sys
from npc_engine.client import Client
from npc_engine.moments import Outputs
from npc_engine.wire.messages import Moments
client = Client(sys.argv[1])
seen = Outputs(picture=256)
lines = [client.speak("anna", "word " * 2000, outputs=seen, turn="beside") for _ in range(3)]
lines += [client.speak("ben", "one two three four five six ", open=True, turn="beside") for _ in range(3)]
lines += [client.idle("anna", picture=256)]
for number in range(8):
    client.warm("ben", f"word {number} " * 50)
heard = set()
while True:
    for event in client.poll(0.01):
        if isinstance(event, Moments):
            client.credit(event.line, event.ticks * 20)
            heard.add(event.line)
            if len(heard) >= 6:
                print("busy", flush=True)
"""


def busy(address):
    game = subprocess.Popen([sys.executable, "-c", BUSY, address], stdout=subprocess.PIPE, text=True)
    assert game.stdout.readline() == "busy\n"
    return game


def holds(served):
    now = sample(served.pid, 0.0)
    return now.threads, now.descriptors


def test_a_client_killed_in_the_midst_of_everything_leaves_nothing_behind(served):
    game = busy(served.address)
    game.kill()
    game.communicate()
    with Client(served.address, 30) as other:
        assert speaks(other)
        other.warm("ben", "one")
        until(other, object)  # the warmer has come to our job, and so through all of the dead one's
    before = None
    while before != holds(served):  # threads that stay are there now, and the connection is noticed to have gone
        before = holds(served)
        time.sleep(0.3)
    for _ in range(3):
        games = [busy(served.address) for _ in range(2)]
        with Client(served.address, 30) as other:
            line = other.speak("anna", LONG, credit_ms=400)
            until(other, Accepted)
            for game in games:
                game.kill()
            for game in games:
                game.communicate()
            assert speaks(other)
            other.cancel(line)
            assert isinstance(hear(other, line)[1][line], Cancelled)
        wait_for(lambda: holds(served) == before)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signal that stands a process still")
def test_a_client_that_stands_still_for_a_while_misses_nothing(tmp_path):
    server = Server(ToneStage(tmp_path), "tcp://127.0.0.1:*")
    server.start()
    code = """
import sys
from npc_engine.client import Client
from npc_engine.wire.messages import End, Moments
client = Client(sys.argv[1], 30)
tick = 0
for event in client.say("ben", "word " * 400, timeout_s=120):
    if isinstance(event, Moments):
        assert event.tick == tick
        tick += event.ticks
        if tick >= 100:
            print("speaking", flush=True)
print("heard", event.ticks == tick == 2000)
"""
    try:
        game = subprocess.Popen([sys.executable, "-c", code, server.address], stdout=subprocess.PIPE, text=True)
        assert game.stdout.readline() == "speaking\n"
        game.send_signal(signal.SIGSTOP)
        with Client(server.address, 30) as other:
            end = time.monotonic() + 2
            while time.monotonic() < end:
                assert speaks(other)
        game.send_signal(signal.SIGCONT)
        told, _ = game.communicate(timeout=120)
        assert told.splitlines()[-1] == "heard True"
    finally:
        server.stop()


@pytest.mark.parametrize("sign", ["SIGKILL", "SIGINT"])
def test_clients_find_a_server_that_was_killed_and_say_their_line_again_by_the_same_id(sign, tmp_path):
    first = Served(tone(), tmp_path)
    port = int(first.address.rpartition(":")[2])
    clients = [Client(first.address, 30) for _ in range(3)]
    try:
        for number, client in enumerate(clients):
            client.speak("ben", LONG, line=f"l{number}", credit_ms=400)
            until(client, Moments)
        first.process.send_signal(getattr(signal, sign))
        first.process.wait(60)
        for number, client in enumerate(clients):
            over = [e for e in until(client, ErrorMessage if sign == "SIGKILL" else object) if e.line == f"l{number}"]
            assert over
        for client in clients:
            wait_for(lambda client=client: client.poll(0.05) is None or not client.open_lines)
        with Served(tone(), tmp_path, port) as second:
            for number, client in enumerate(clients):
                wait_for(lambda client=client: client.poll(0.05) is None or client.connected, 60)
                assert speaks(client, line=f"l{number}")
            assert not second.noise()
    finally:
        first.close()
        for client in clients:
            client.close()


def test_a_hundred_connections_a_second_leave_nothing_behind_and_hold_up_nobody(served):
    """Of three kinds: TCP and nothing else, half a greeting, and clients that say hello, speak and go."""
    with Client(served.address, 30) as witness:
        assert speaks(witness)
        witness.warm("ben", "one")
        until(witness, object)
        wait_for(lambda: not witness.poll(0.05))
        before = holds(served)
        began = time.monotonic()
        for number in range(400):
            time.sleep(max(0.0, began + number / 100 - time.monotonic()))
            if number % 4 == 3:
                with Client(served.address, 30) as client:
                    client.speak("anna", LONG, credit_ms=0)
            else:
                with socket.create_connection(endpoint(served.address)) as stranger:
                    stranger.sendall(GREETING[: 20 * (number % 4)])
            if number % 40 == 0:
                assert speaks(witness)
        assert speaks(witness)
        wait_for(lambda: holds(served) <= before)
        assert served.process.poll() is None
