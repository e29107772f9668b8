"""npc-engine say: a line into a file, or several files at once."""

from __future__ import annotations

import argparse
import codecs
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from npc_engine.cast import Cast
from npc_engine.commands.common import Commands, Progress, UsageError, cast_option, command
from npc_engine.files.writer import CURVES, NEEDS_PICTURES, Discarding, Writer, writer_for
from npc_engine.moments import ATTITUDES, EMOTIONS, STYLES, TICK_MS, Line, Outputs
from npc_engine.performance import Face, NoFace, Npc, perform
from npc_engine.retarget.targets import TARGETS

if TYPE_CHECKING:
    from npc_engine.troupe import Troupe

EXAMPLES = """  npc-engine say "Mind the step!" --voice man --face elder --out line.mp4
  npc-engine say "Mind the step!" --npc maren --out line.wav --out line.json
  npc-engine say "Mind the step!" --npc maren --out line.json --channels arkit52
  npc-engine say "Mind the step!" --voice ogre --face elder --out sheet.png   frames, spectrogram and curves
  npc-engine say "You again!" --voice woman --emotion angry --strength 0.7 --out line.wav
  npc-engine say '<speak>One <break time="1s"/> two.</speak>' --voice man --out line.wav
  npc-engine say - --voice woman --out long.wav < story.txt
  npc-engine say "Who goes there?" --voice-over guard.ogg --face elder --out guard.mp4
  npc-engine say --npc maren --attitude listening --seconds 10 --out listens.mp4     says nothing, and lives
  my-model | npc-engine say - --stream --voice woman --out line.wav     spoken while it is written
"""

_READ: Final = 4_096  # bytes at once, at most
SECONDS: Final = 10.0  # of an attitude
LEAST_S, MOST_S = 0.1, 3600.0


def add_to(commands: Commands) -> None:
    """Add the sub-command."""
    parser = command(commands, "say", "speak or live a line into .mp4, .wav, .json, .npz, .png or .jpg files", EXAMPLES)
    parser.add_argument(
        "text", nargs="?", default="", help="what to say, plain or SSML (<speak>…); - reads it from standard input"
    )
    parser.add_argument("--stream", action="store_true", help="with -, speak what is written while it is written")
    parser.add_argument("--npc", default="", help="a character of npcs.toml, with its voice and face")
    parser.add_argument("--voice", default="", help="a voice (npc-engine voices lists them)")
    parser.add_argument(
        "--voice-over",
        type=Path,
        metavar="FILE",
        help="a recording (WAV, FLAC, OGG, MP3) that is played; text is what is said in it, if you want its words",
    )
    parser.add_argument("--gain-db", type=float, help="of the voice-over (default: what brings it to -20 LUFS)")
    parser.add_argument("--face", default="", help="a face, for .mp4 and .png (npc-engine faces list)")
    parser.add_argument("--style", default="", help="serious, lively or cartoon (default: the character's own)")
    parser.add_argument("--emotion", default="neutral", help=", ".join(EMOTIONS) + " (default neutral)")
    parser.add_argument("--strength", type=float, default=1.0, help="of the emotion, 0 to 1 (default 1)")
    parser.add_argument("--attitude", default="", help="instead of a text: " + " or ".join(ATTITUDES))
    parser.add_argument("--seconds", type=float, help="how long an attitude lasts (default 10)")
    parser.add_argument("--out", type=Path, action="append", required=True, metavar="FILE", help="may be repeated")
    parser.add_argument(
        "--channels",
        choices=tuple(TARGETS),
        default="exp50",
        help="what .json and .npz hold: exp50, arkit52, visemes15 or vrm (default exp50; docs/retarget.md)",
    )
    parser.add_argument("--size", type=int, default=512, help="edge of the pictures in pixels (default 512)")
    parser.add_argument("--fps", type=int, choices=(25, 50), default=25, help="pictures a second (default 25)")
    cast_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Speak the line into every file asked for."""
    from npc_engine.troupe import Troupe

    _check_speaker(arguments)
    if not 64 <= arguments.size <= 1024:
        raise UsageError(f"--size is {arguments.size}, expected 64 to 1024 pixels")
    _check_manner(arguments)
    if arguments.channels != "exp50" and not any(path.suffix.lower() in CURVES for path in arguments.out):
        raise UsageError(f"--channels {arguments.channels} is for {' and '.join(CURVES)} files: add --out FILE.json")
    text, more = _text(arguments)
    every = 50 // arguments.fps
    pictures = [path for path in arguments.out if path.suffix.lower() in NEEDS_PICTURES]
    troupe = Troupe(Cast.standard(arguments.cast))
    npc = (
        troupe.npc(arguments.npc, arguments.voice, arguments.face)
        if arguments.voice_over is None
        else _voice_over(arguments, troupe, text)
    )
    has_face = not isinstance(npc.face, NoFace)
    for path in pictures:
        if not has_face and path.suffix.lower() == ".mp4":
            raise UsageError(f"{path} shows a face: --face NAME (npc-engine faces list), or --npc with one")
    outputs = Outputs(picture=arguments.size if pictures and has_face else 0, picture_every=every)
    line = Line(
        "say",
        npc.name,
        text,
        style=arguments.style,
        emotion=arguments.emotion,
        outputs=outputs,
        strength=arguments.strength,
        more=more,
        attitude=arguments.attitude,
        lasts_ms=_lasts_ms(arguments),
    )
    progress = Progress(arguments.attitude or "speaking")
    began = time.perf_counter()
    ticks = 0
    with contextlib.ExitStack() as stack:
        writers: list[Writer] = [
            stack.enter_context(
                Discarding(writer_for(path, size=arguments.size, every=every, channels=arguments.channels), path)
            )
            for path in arguments.out
        ]
        moments = stack.enter_context(contextlib.closing(perform(line, npc)))
        for moment in moments:
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


def _check_attitude(arguments: argparse.Namespace) -> None:
    if arguments.attitude not in ("", *ATTITUDES):
        raise UsageError(f"--attitude is {arguments.attitude!r}, expected {' or '.join(ATTITUDES)}")
    if not arguments.attitude and arguments.seconds is not None:
        raise UsageError("--seconds is for an --attitude; a text lasts as long as it takes to say")
    if arguments.attitude and (arguments.text or arguments.stream or arguments.voice_over is not None):
        raise UsageError(f"--attitude {arguments.attitude} says nothing: leave out the text")
    if arguments.seconds is not None and not LEAST_S <= arguments.seconds <= MOST_S:  # NaN is neither
        raise UsageError(f"--seconds is {arguments.seconds}, expected {LEAST_S} to {MOST_S:g}")


def _lasts_ms(arguments: argparse.Namespace) -> int:
    if not arguments.attitude:
        return 0
    return round((SECONDS if arguments.seconds is None else arguments.seconds) * 1000)


def _check_speaker(arguments: argparse.Namespace) -> None:
    _check_attitude(arguments)
    if arguments.voice_over is None:
        if not arguments.npc and not arguments.voice:
            raise UsageError("say who speaks: --npc NAME or --voice NAME (npc-engine voices lists them)")
        if not arguments.text and not arguments.attitude:
            raise UsageError("say what: a text, or - to read it from standard input; or --attitude")
        if arguments.gain_db is not None:
            raise UsageError("--gain-db is the gain of a --voice-over; a voice has its own in voice.toml")
    elif arguments.voice:
        raise UsageError("--voice-over is a voice of its own: leave out --voice")
    elif arguments.stream:
        raise UsageError("--voice-over is played whole: leave out --stream")


def _voice_over(arguments: argparse.Namespace, troupe: Troupe, text: str) -> Npc:
    """A character whose voice is a sound file, at -20 LUFS unless told otherwise."""
    from npc_engine.speech.recording import voice_over
    from npc_engine.speech.recording_level import levelling_gain

    path: Path = arguments.voice_over
    spec = troupe.cast.npc(arguments.npc) if arguments.npc else None
    face = arguments.face or (spec.face if spec else "")
    style = arguments.style or (spec.style if spec else "lively")
    gain = levelling_gain([path]) if arguments.gain_db is None else arguments.gain_db
    voice = voice_over(path, text, gain_db=gain)
    drawn: Face = troupe.face(face) if face else NoFace()
    mouth = troupe.mouth(style, spec.intensity, spec.smoothing) if spec else troupe.mouth(style)
    return Npc(arguments.npc or path.stem, voice, mouth, drawn, style)


def _text(arguments: argparse.Namespace) -> tuple[str, Iterator[str] | None]:
    """The text, and what follows it while it is written."""
    import sys

    if arguments.stream and arguments.text != "-":
        raise UsageError("--stream reads the text from standard input: give - in its place")
    if arguments.stream:
        return "", _written(sys.stdin)
    return (sys.stdin.read() if arguments.text == "-" else arguments.text), None


def _check_manner(arguments: argparse.Namespace) -> None:
    for what, name, known in (("style", arguments.style, ("", *STYLES)), ("emotion", arguments.emotion, EMOTIONS)):
        if name not in known:
            raise UsageError(f"--{what} is {name!r}, expected {', '.join(filter(None, known))}")
    if not 0 <= arguments.strength <= 1:  # NaN is neither
        raise UsageError(f"--strength is {arguments.strength}, expected 0 to 1")


def _written(source: TextIO) -> Iterator[str]:
    """What is written to a text stream, as soon as it is; a character that comes in two parts is put together."""
    buffer = getattr(source, "buffer", None)
    if buffer is None:  # a stream of text without bytes below
        yield from source
        return
    decoder = codecs.getincrementaldecoder(source.encoding)(source.errors or "strict")
    while data := buffer.read1(_READ):
        yield decoder.decode(data)
    yield decoder.decode(b"", final=True)
