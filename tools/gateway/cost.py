"""What the WebSocket gateway costs: the same lines over ZeroMQ and over a WebSocket, CPU of the engine's process.

`python tools/gateway/cost.py` prints the round trip of a ping, and CPU a second of one character's sound and
coefficients, each way. The voice is the tests' tone, so that little else is measured; ways alternate, medians count.
"""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import zmq
from websockets.sync.client import connect

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from tone import ToneStage  # noqa: E402 - its folder is in the path now

from npc_engine.gateway.entrance import Entrance  # noqa: E402
from npc_engine.gateway.framing import join, split  # noqa: E402
from npc_engine.gateway.gateway import Gateway  # noqa: E402
from npc_engine.moments import Outputs  # noqa: E402
from npc_engine.server.server import Server  # noqa: E402
from npc_engine.wire.codec import decode_reply, encode  # noqa: E402
from npc_engine.wire.messages import Credit, Hello, Ping, Speak  # noqa: E402

TICKS = 5_000  # of a round: 100 s of sound
ROUNDS = 5
PINGS = 500

Send: TypeAlias = Callable[[list[bytes]], object]
Receive: TypeAlias = Callable[[], list[bytes]]
Way: TypeAlias = tuple[Send, Receive]


def serve() -> None:
    """Serve both until standard input ends; prints the addresses."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(ToneStage(Path(folder)), "tcp://127.0.0.1:*")
        server.start()
        gateway = Gateway(server.guest, Entrance())
        gateway.start()
        print(server.address, gateway.address, flush=True)
        sys.stdin.read()
        server.stop()
        gateway.stop()


@contextlib.contextmanager
def over_zeromq(address: str) -> Iterator[Way]:
    context = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.LINGER, 0)
    socket.connect(address)
    yield socket.send_multipart, socket.recv_multipart
    socket.close()
    context.term()


@contextlib.contextmanager
def over_websocket(address: str) -> Iterator[Way]:
    with connect(address.replace("http", "ws", 1), compression=None, max_size=None) as socket:
        yield lambda frames: socket.send(join(frames)), lambda: split(socket.recv())


def ping_us(send: Send, receive: Receive) -> float:
    """The median round trip in microseconds."""
    times = []
    for mark in range(PINGS):
        began = time.perf_counter()
        send(encode(Ping(mark)))
        receive()
        times.append(1e6 * (time.perf_counter() - began))
    return statistics.median(times)


def play(send: Send, receive: Receive, line: str, picture: int) -> int:
    """One line to its end, credit as it comes; the number of its messages."""
    outputs = Outputs(picture=picture)
    send(encode(Speak(line, "word " * (TICKS // 5), "anna" if picture else "ben", outputs=outputs)))
    count = 0
    while True:
        message = decode_reply(receive())
        count += 1
        if message.kind == "moment":
            send(encode(Credit(line, 20 * message.ticks)))
        elif message.kind == "end":
            assert message.ticks == TICKS
            return count
        assert message.kind != "error", message


def cpu_s(process: subprocess.Popen[str]) -> float:
    """CPU time that a process has used."""
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def main() -> None:
    """Print the table."""
    process = subprocess.Popen(  # noqa: S603 - this very file
        [sys.executable, __file__, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    tcp, web = process.stdout.readline().split()
    ways = {"ZeroMQ": (over_zeromq, tcp), "WebSocket": (over_websocket, web)}
    pings = {way: [] for way in ways}
    costs = {(way, picture): [] for way in ways for picture in (0, 256)}
    messages = {}
    for turn in range(ROUNDS):
        print(f"\rround {turn + 1} of {ROUNDS}", end="", file=sys.stderr, flush=True)
        for way, (opened, address) in ways.items():
            with opened(address) as (send, receive):
                send(encode(Hello(1, way)))
                receive()
                pings[way].append(ping_us(send, receive))
                for picture in (0, 256):
                    before = cpu_s(process)
                    messages[way, picture] = play(send, receive, f"l{picture}", picture)
                    costs[way, picture].append(1000 * (cpu_s(process) - before) / (TICKS / 50))
    print("\r", end="", file=sys.stderr)
    process.stdin.close()
    process.wait()
    for way in ways:
        print(f"{way:10} ping {statistics.median(pings[way]):.0f} µs", end="")
        for picture in (0, 256):
            cost, each = statistics.median(costs[way, picture]), messages[way, picture] / (TICKS / 50)
            print(f"   picture {picture}: {cost:.2f} ms CPU and {each:.0f} messages a character-second", end="")
        print()


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        main()
