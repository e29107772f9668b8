"""npc-engine drive: a character says what a sound file or a microphone says, live."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from npc_engine.ahead import Ahead, ahead
from npc_engine.commands.common import Commands, Progress, UsageError, cast_option, command
from npc_engine.commands.drive_line import DrivenLine
from npc_engine.commands.drive_sound import HEARD_AT_ONCE, Microphone, in_time, of_file
from npc_engine.connection import DEFAULT_ADDRESS
from npc_engine.files.writer import CURVES, NEEDS_PICTURES, Discarding, Writer, writer_for
from npc_engine.moments import EMOTIONS, SAMPLE_RATE, STYLES, TICK_MS, Line, Outputs, Sound
from npc_engine.performance import NoFace, Npc, perform
from npc_engine.retarget.targets import TARGETS

EXAMPLES = """  npc-engine drive speech.wav                     to a running engine, as it sounds; shows jaw and delay
  npc-engine drive --mic --npc elder              your own voice moves the elder's face; Ctrl-C ends it
  npc-engine drive --mic --denoise --seconds 30
  npc-engine drive speech.ogg --face elder --out elder.mp4          without an engine, as fast as may be
  npc-engine drive speech.wav --npc maren --denoise --out curves.json --out clean.wav
  npc-engine drive --mic --seconds 10 --npc maren --out me.npz      records you, without an engine
"""

DEFAULT_NPC: Final = "maren"
_WAIT_S: Final = 0.004  # from one look for sound to the next: less than a fifth of a tick
_BAR: Final = 24  # characters of a jaw that is wide open


def add_to(commands: Commands) -> None:
    """Add the sub-command."""
    about = "let a character say what a sound file or the microphone says, live"
    parser = command(commands, "drive", about, EXAMPLES)
    parser.add_argument("file", nargs="?", type=Path, help="a recording (WAV, FLAC, OGG, MP3)")
    parser.add_argument("--mic", action="store_true", help="the microphone (pip install 'npc-engine[mic]')")
    parser.add_argument("--device", default="", help="another microphone than the default one, by name or number")
    parser.add_argument("--seconds", type=float, help="stop after so long (default: the file's end, or Ctrl-C)")
    parser.add_argument("--denoise", action="store_true", help="take steady noise out of the sound")
    parser.add_argument("--npc", default="", help=f"a character of npcs.toml (default {DEFAULT_NPC})")
    parser.add_argument("--face", default="", help="another face, for .mp4 and .png")
    parser.add_argument("--style", default="", help="serious, lively or cartoon (default: the character's own)")
    parser.add_argument("--emotion", default="neutral", help=", ".join(EMOTIONS) + " (default neutral)")
    parser.add_argument("--strength", type=float, default=1.0, help="of the emotion, 0 to 1 (default 1)")
    parser.add_argument("--address", default=DEFAULT_ADDRESS, help=f"of the engine (default {DEFAULT_ADDRESS})")
    parser.add_argument(
        "--server-key", default="", metavar="FILE", help="the engine's server.pub, where it asks for keys"
    )
    parser.add_argument("--key", default="", metavar="FILE", help="your own key file, where it asks for keys")
    parser.add_argument(
        "--out", "-o", type=Path, action="append", default=[], metavar="FILE",
        help="instead of an engine: .mp4, .wav, .json, .npz, .png or .jpg; may be repeated",
    )  # fmt: skip
    parser.add_argument("--channels", choices=tuple(TARGETS), default="exp50", help="of .json and .npz (default exp50)")
    parser.add_argument("--size", type=int, default=512, help="edge of the pictures in pixels (default 512)")
    parser.add_argument("--fps", type=int, choices=(25, 50), default=25, help="pictures a second (default 25)")
    cast_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Drive a character of a running engine or, with --out, of this process."""
    from npc_engine.speech.recording_file import probe

    _check(arguments)
    npc = _npc(arguments) if arguments.out else None  # before the microphone is heard: it takes seconds
    with contextlib.ExitStack() as stack:
        if arguments.mic:
            microphone = stack.enter_context(contextlib.closing(Microphone(arguments.device)))
            print(f"{microphone.name}, {microphone.rate} Hz; Ctrl-C ends it", file=sys.stderr)
            pieces, rate = microphone.pieces(), microphone.rate
        else:
            probe(arguments.file)  # before anything is loaded or asked for
            pieces, rate = of_file(arguments.file), SAMPLE_RATE
            if not arguments.out:
                pieces = in_time(pieces)
        pieces = until(pieces, rate, arguments.seconds)
        return _send(arguments, pieces, rate) if npc is None else _write(arguments, npc, pieces, rate)


def _check(arguments: argparse.Namespace) -> None:
    if (arguments.file is None) != arguments.mic:
        raise UsageError("say what drives the face: a sound FILE, or --mic, and not both")
    if arguments.device and not arguments.mic:
        raise UsageError("--device is for --mic")
    for what, name, known in (("style", arguments.style, ("", *STYLES)), ("emotion", arguments.emotion, EMOTIONS)):
        if name not in known:
            raise UsageError(f"--{what} is {name!r}, expected {', '.join(filter(None, known))}")
    if not 0 <= arguments.strength <= 1:  # NaN is neither
        raise UsageError(f"--strength is {arguments.strength}, expected 0 to 1")
    if arguments.seconds is not None and not 0.1 <= arguments.seconds <= 86_400:
        raise UsageError(f"--seconds is {arguments.seconds}, expected 0.1 to 86400")
    if not 64 <= arguments.size <= 1024:
        raise UsageError(f"--size is {arguments.size}, expected 64 to 1024 pixels")
    if arguments.channels != "exp50" and not any(path.suffix.lower() in CURVES for path in arguments.out):
        raise UsageError(f"--channels {arguments.channels} is for {' and '.join(CURVES)} files: add --out FILE.json")
    if arguments.out and (arguments.address != DEFAULT_ADDRESS or arguments.key or arguments.server_key):
        raise UsageError("--out does without an engine: leave out --address and keys")


def until(pieces: Iterator[Sound], rate: int, seconds: float | None) -> Iterator[Sound]:
    """The pieces of the first `seconds`; all of them for None."""
    left = np.inf if seconds is None else round(seconds * rate)
    for piece in pieces:
        yield piece[: int(min(left, len(piece)))]
        left -= len(piece)
        if left <= 0:
            return


# ── without an engine ─────────────────────────────────────────────────────────────────────────────────────────


def _npc(arguments: argparse.Namespace) -> Npc:
    """The character, which says what it hears."""
    from npc_engine.cast import Cast
    from npc_engine.live.voice import LiveVoice
    from npc_engine.troupe import Troupe

    troupe = Troupe(Cast.standard(arguments.cast))
    npc = replace(troupe.npc(arguments.npc or DEFAULT_NPC, face=arguments.face), voice=LiveVoice())
    for path in arguments.out:
        if isinstance(npc.face, NoFace) and path.suffix.lower() == ".mp4":
            raise UsageError(f"{path} shows a face: --face NAME (npc-engine faces list), or --npc with one")
    return npc


def _write(arguments: argparse.Namespace, npc: Npc, pieces: Iterator[Sound], rate: int) -> int:
    """Perform here, into files."""
    wants = [path for path in arguments.out if path.suffix.lower() in NEEDS_PICTURES]
    every = 50 // arguments.fps
    outputs = Outputs(picture=arguments.size if wants and not isinstance(npc.face, NoFace) else 0, picture_every=every)
    line = Line(
        "drive", npc.name, "", arguments.style, arguments.emotion, outputs, strength=arguments.strength,
        live=_until_interrupted(pieces), sound_rate=rate, denoise=arguments.denoise,
    )  # fmt: skip
    progress = Progress("driving")
    began, ticks = time.perf_counter(), 0
    with contextlib.ExitStack() as stack:
        writers: list[Writer] = [
            stack.enter_context(
                Discarding(writer_for(path, size=arguments.size, every=every, channels=arguments.channels), path)
            )
            for path in arguments.out
        ]
        for moment in stack.enter_context(contextlib.closing(perform(line, npc))):
            for writer in writers:
                writer.add(moment)
            ticks = moment.tick + 1
            progress.show(f"{ticks * TICK_MS / 1000:.1f} s")
    progress.done()
    seconds, took = ticks * TICK_MS / 1000, time.perf_counter() - began
    for path in arguments.out:
        print(f"{path}: {seconds:.2f} s, {path.stat().st_size / 1024:.0f} KiB")
    print(f"made in {took:.2f} s, {seconds / took:.1f} × real time")
    return 0


# ── with one ──────────────────────────────────────────────────────────────────────────────────────────────────


def _send(arguments: argparse.Namespace, pieces: Iterator[Sound], rate: int) -> int:
    """Stream to a running engine and show what comes back."""
    from npc_engine.client import Client

    with (
        Client(arguments.address, name="drive", server_key=arguments.server_key, key=arguments.key) as client,
        contextlib.closing(ahead(pieces, HEARD_AT_ONCE, "sound")) as heard,
    ):
        name = client.live(
            arguments.npc or DEFAULT_NPC, rate=rate, denoise=arguments.denoise, face=arguments.face,
            style=arguments.style, emotion=arguments.emotion, strength=arguments.strength,
            outputs=Outputs(words=False),
        )  # fmt: skip
        driven = DrivenLine(client, name, rate, denoise=arguments.denoise)
        progress = Progress("jaw")
        for _ in _driving(driven, heard):
            progress.show(_view(driven))
        progress.done()
    print(f"{driven.ticks * TICK_MS / 1000:.2f} s came back of {driven.sent_s:.2f} s; {driven.delays()}")
    return 0


def _driving(driven: DrivenLine, heard: Ahead[Sound]) -> Generator[None, None, None]:
    """Send what is heard and take what comes back, until the line has ended; Ctrl-C ends the sound."""
    complete = False
    while not driven.ended:
        try:
            pieces, more = ([], False) if complete else heard.ready()
            for piece in pieces:
                driven.send(piece)
            if not more and not complete:
                complete = True
                driven.commit()
            driven.take(_WAIT_S)
        except KeyboardInterrupt:
            if complete:
                raise
            complete = True
            driven.commit()
        yield


def _until_interrupted(pieces: Iterator[Sound]) -> Iterator[Sound]:
    try:
        yield from pieces
    except KeyboardInterrupt:
        return


def _view(driven: DrivenLine) -> str:
    filled = round(min(driven.jaw, 1.0) * _BAR)
    return f"{'█' * filled}{'·' * (_BAR - filled)} {driven.jaw:4.2f}   {driven.last_ms:3.0f} ms after the sound"
