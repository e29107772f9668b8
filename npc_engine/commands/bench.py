"""npc-engine bench: the engine's own figures, measured on this machine with the real parts."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from npc_engine import __version__
from npc_engine.cast import Cast
from npc_engine.commands import bench_faces, bench_server, bench_voices
from npc_engine.commands.accelerator import accelerator_option, network
from npc_engine.commands.bench_memory import rss_mb
from npc_engine.commands.common import Commands, Progress, UsageError, cast_option, command
from npc_engine.moments import NEUTRAL, TICK_MS, Line, Outputs

if TYPE_CHECKING:
    from npc_engine.expression.network import Stepping

EXAMPLES = """  npc-engine bench
  npc-engine bench --json bench.json
  npc-engine bench --accelerator cuda                  with the Audio2Exp network on a GPU
  npc-engine bench voices --json voices.json           each voice by itself
  npc-engine bench faces --json faces.json             each face by itself, on one core
  npc-engine bench server --json server.json           many characters at once, from processes of their own
"""
# Twelve words each; different lines, so that nothing could be answered from a memory of the last one.
LINES = (
    "The guard at the north gate will ask you for your papers.",
    "My brother sold his last good horse before the long winter came.",
    "Keep your voice down, or the miller will hear every single word.",
    "We found the old map under a loose board in the barn.",
    "Bring me three pounds of iron and I will mend that sword.",
    "Nobody has crossed the river since the wooden bridge burned in spring.",
)
FACE_SIZE = 512
WANTED = {
    "first_moment_ms": 60.0,
    "first_moment_picture_ms": 80.0,
    "audio2exp_ms_per_tick": 1.0,
    "ms_per_tick": 0.8,
    "ms_per_tick_batch64": 6.0,
    "render_ms_per_frame": 6.0,
    "encode_ms_per_frame": 1.5,
    "realtime_factor": 1.0,
    "ready_s": 3.0,
    "rss_mb": 450.0,
}


def add_to(commands: Commands) -> None:
    """Add the sub-command."""
    parser = command(commands, "bench", "measure the engine on this machine", EXAMPLES)
    parser.add_argument("--json", type=Path, default=None, metavar="FILE", help="write the figures there too")
    parser.add_argument("--npc", default="", help="the character measured (default: the first one with a face)")
    parser.add_argument("--runs", type=int, default=30, help="lines per latency figure (default 30)")
    accelerator_option(parser)
    cast_option(parser)
    parser.set_defaults(run=run)
    verbs = parser.add_subparsers(metavar="VERB")
    bench_voices.add_to(verbs)
    bench_faces.add_to(verbs)
    bench_server.add_to(verbs)


def run(arguments: argparse.Namespace) -> int:
    """Measure, print and write; never judges."""
    from npc_engine.commands import bench_network

    if arguments.runs < 1:
        raise UsageError(f"--runs is {arguments.runs}, expected 1 or more")
    cast = Cast.standard(arguments.cast)
    npc = arguments.npc or next((name for name, spec in cast.npcs().items() if spec.face), "")
    if not npc:
        raise UsageError("no character with a face in this cast; npc-engine faces add makes one")
    steps = network(arguments)
    figures: dict[str, Any] = {
        "machine": machine(), "npc": npc, "runs": arguments.runs, "accelerator": arguments.accelerator,
    }  # fmt: skip
    progress = Progress("measuring")
    progress.show("stages")
    figures.update(bench_network.steps(steps))
    figures.update(stages(cast, npc, steps))
    figures.update(over_tcp(arguments, npc, progress))
    progress.done()
    for key, wanted in WANTED.items():
        value = figures[key]
        shown = f"p50 {value['p50']}, p95 {value['p95']}" if isinstance(value, dict) else str(value)
        print(f"{key:26} {shown:28} wanted: at most {wanted:g}")
    print(f"machine: {figures['machine']['cpu']}, {figures['machine']['cores']} cores, {figures['machine']['system']}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        print(f"written to {arguments.json}")
    return 0


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    cpu = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        for row in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if row.startswith("model name"):
                cpu = row.split(":", 1)[1].strip()
                break
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "npc_engine": __version__,
    }


def spread(values: list[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    ordered = sorted(values)
    return {
        "p50": round(statistics.median(ordered), 2),
        "p95": round(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], 2),
    }


def stages(cast: Cast, npc: str, steps: Stepping) -> dict[str, Any]:
    """Each stage by itself in this process, on one thread, with real speech."""
    import cv2

    from npc_engine.commands.bench_network import median_ms
    from npc_engine.performance import perform
    from npc_engine.troupe import Troupe

    cv2.setNumThreads(1)
    troupe = Troupe(cast, network=steps)
    character = troupe.npc(npc)
    face = troupe.face(cast.npc(npc).face)
    line = Line("bench", npc, " ".join(LINES), outputs=Outputs(picture=FACE_SIZE))
    speech = list(character.voice.speak(line))
    expressions = list(character.mouth.express(speech))
    per_line = median_ms(lambda _: sum(1 for _ in character.mouth.express(speech)), 5)
    frames = [face.render(e.exp, FACE_SIZE) for e in expressions[::20]]
    render = median_ms(lambda i: face.render(expressions[i * 2 % len(expressions)].exp, FACE_SIZE), 300)
    encode = median_ms(lambda i: troupe.encode(frames[i % len(frames)]), 200)

    def whole(_: int) -> None:
        for moment in perform(line, character):
            if moment.picture is not None:
                troupe.encode(moment.picture.pixels)

    seconds = len(expressions) * TICK_MS / 1000
    rest = median_ms(lambda _: face.render(NEUTRAL, FACE_SIZE), 50)
    return {
        "audio2exp_ms_per_tick": round(per_line / len(expressions), 4),
        "render_ms_per_frame": render,
        "render_rest_ms_per_frame": rest,
        "encode_ms_per_frame": encode,
        "realtime_factor": round(median_ms(whole, 3) / 1000 / seconds, 4),
    }


@contextlib.contextmanager
def served(
    arguments: argparse.Namespace, log: Sequence[str] = ("--log-level", "warning")
) -> Iterator[tuple[subprocess.Popen[bytes], str, float]]:
    """A server process of its own: the process, its address, and seconds from its start to `welcome`.

    `log`: its options on the log, and others.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    # lines come round again, and every one shall be spoken
    options = ["--cache", "off", "--accelerator", arguments.accelerator]
    options += ["--cast", str(arguments.cast)] if arguments.cast else []
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "npc_engine.cli", "serve", "--address", address, *log, *options]
    )
    try:
        _greet(process, address)
        yield process, address, time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(10)


def _greet(process: subprocess.Popen[bytes], address: str) -> None:
    """Wait for `welcome`; `UsageError` when the server ends instead, or takes a minute."""
    from npc_engine.client import Client, ClientError

    for _ in range(60):
        try:
            Client(address, timeout_s=1.0).close()
        except ClientError:
            if process.poll() is not None:
                raise UsageError(
                    f"npc-engine serve ended with code {process.returncode}; its message is above"
                ) from None
        else:
            return
    raise UsageError(f"npc-engine serve did not answer on {address} within a minute")


def over_tcp(arguments: argparse.Namespace, npc: str, progress: Progress) -> dict[str, Any]:
    """What a game sees: latency over TCP, time to be ready, memory."""
    from npc_engine.client import Client

    ready = []
    for start in range(3):
        progress.show(f"start {start + 1} of 3")
        with served(arguments) as (process, address, ready_s):
            ready.append(ready_s)
            if start < 2:
                continue
            with Client(address) as client:
                plain, pictured = Outputs(), Outputs(picture=FACE_SIZE)
                first_moment(client, npc, LINES[0], pictured)
                sound = []
                seen = []
                for i in range(arguments.runs):
                    progress.show(f"line {i + 1} of {arguments.runs}")
                    sound.append(first_moment(client, npc, LINES[i % len(LINES)], plain))
                    seen.append(first_moment(client, npc, LINES[i % len(LINES)], pictured))
            rss = rss_mb(process.pid)
    return {
        "first_moment_ms": spread(sound),
        "first_moment_picture_ms": spread(seen),
        "ready_s": round(statistics.median(ready), 2),
        "rss_mb": rss,
    }


def first_moment(client: Any, npc: str, text: str, outputs: Outputs) -> float:
    """Milliseconds from `speak` sent to the first moment received; with pictures, to the first picture."""
    from npc_engine.wire.messages import Moments

    events = client.say(npc, text, outputs=outputs)
    began = time.perf_counter()
    for event in events:
        if isinstance(event, Moments) and (event.picture is not None or not outputs.picture):
            took = (time.perf_counter() - began) * 1000
            break
    events.close()
    time.sleep(0.05)  # the cancelled line is off the cores before the next one is timed
    return took
