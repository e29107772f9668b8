"""npc-engine voices: who can speak; a sample of a voice, a check of it, a new one."""

from __future__ import annotations

import argparse
import importlib.util
import json
import wave
from pathlib import Path
from typing import Final

import numpy as np

from npc_engine.cast import Cast, VoiceSpec
from npc_engine.commands import voices_check, voices_install, voices_new
from npc_engine.commands.common import Commands, UsageError, cast_option, command, table
from npc_engine.moments import SAMPLE_RATE, Sound

EXAMPLES = """  npc-engine voices                                    who can speak
  npc-engine voices list --json
  npc-engine voices say ogre                           a sample, played or written to ogre.wav
  npc-engine voices say ogre "Who dares wake me?" --out ogre.wav
  npc-engine voices check ogre                         level, pitch, timings and words, measured
  npc-engine voices new giantess --like woman --pitch 0.85 --formant 0.9 --about "a giantess, slow and friendly"
  npc-engine voices install kokoro                     weights for more voices and languages
"""
_NEEDS: Final = {"coqui": ("TTS", "pip install 'npc-engine[coqui]'")}


def add_to(commands: Commands) -> None:
    """Add the sub-command and its own sub-commands."""
    parser = command(commands, "voices", "list the voices, hear them, check them, make new ones", EXAMPLES)
    cast_option(parser)
    parser.set_defaults(run=run_list, as_json=False)
    verbs = parser.add_subparsers(metavar="VERB")
    listed = _verb(verbs, "list", "list the voices (what no VERB does)", "  npc-engine voices list --json\n")
    listed.add_argument("--json", dest="as_json", action="store_true", help="as JSON, for programs")
    listed.set_defaults(run=run_list)
    said = _verb(
        verbs,
        "say",
        "let a voice speak a sample",
        "  npc-engine voices say child\n  npc-engine voices say man 'Mind the step!' --emotion angry --out step.wav\n",
    )
    said.add_argument("name", help="a voice (npc-engine voices lists them)")
    said.add_argument("text", nargs="?", default="", help="what to say (default: two sentences in its language)")
    said.add_argument("--emotion", default="neutral", help="neutral (default), happy, sad, angry, afraid, …")
    said.add_argument("--out", type=Path, metavar="FILE", help="a WAV file to write (default: it is played)")
    said.set_defaults(run=run_say)
    voices_check.add_options(_verb(verbs, "check", voices_check.ABOUT, voices_check.EXAMPLES))
    voices_new.add_options(_verb(verbs, "new", voices_new.ABOUT, voices_new.EXAMPLES))
    voices_install.add_to(verbs)


def _verb(verbs: Commands, name: str, about: str, examples: str) -> argparse.ArgumentParser:
    parser = command(verbs, name, about, examples)
    # suppressed: its default would hide a --cast that stands before the verb
    parser.add_argument("--cast", type=Path, default=argparse.SUPPRESS, metavar="DIR", help="folder with your voices/")
    return parser


def installed(spec: VoiceSpec, folder: Path) -> str:
    """The command that installs what a voice needs; "" where all of it is there."""
    if spec.engine in _NEEDS:
        module, remedy = _NEEDS[spec.engine]
        if importlib.util.find_spec(module) is None:
            return remedy
    if spec.engine == "kokoro":
        from npc_engine.speech import kokoro

        return kokoro.missing(spec, folder)
    lacking = [file for file in spec.lines.values() if not (folder / file).is_file()]
    return f"put {lacking[0]} into {folder}" if lacking else ""


def run_list(arguments: argparse.Namespace) -> int:
    """Print a table of the voices."""
    cast = Cast.standard(arguments.cast)
    rows = []
    for name in sorted(cast.voices()):
        spec, folder = cast.voice(name)
        rows.append(
            {
                "voice": name,
                "engine": spec.engine,
                "language": spec.language,
                "sex": spec.sex,
                "licence": spec.licence,
                "installed": not (remedy := installed(spec, folder)),
                "install": remedy,
                "about": spec.about,
            }
        )
    if arguments.as_json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return 0
    print(
        table(
            [
                (
                    *(row[key] or "-" for key in ("voice", "engine", "language", "sex", "licence")),
                    row["install"] or "yes",
                    row["about"],
                )
                for row in rows
            ],
            ("VOICE", "ENGINE", "LANGUAGE", "SEX", "LICENCE", "INSTALLED", "ABOUT"),
        )
    )
    return 0


def run_say(arguments: argparse.Namespace) -> int:
    """Speak a sample into a file or the loudspeaker."""
    from npc_engine.commands.voices_speech import samples, speak
    from npc_engine.speech.load import load_voice

    if arguments.out and arguments.out.suffix.lower() != ".wav":
        raise UsageError(f"{arguments.out}: expected a file that ends in .wav; npc-engine say writes other kinds")
    if arguments.out and not arguments.out.parent.is_dir():
        raise UsageError(f"{arguments.out}: no such folder {arguments.out.parent}")
    spec, folder = Cast.standard(arguments.cast).voice(arguments.name)
    texts = (arguments.text,) if arguments.text else samples(spec)[:2]
    voice = load_voice(spec, arguments.name, folder)
    spoken = [speak(voice, text, arguments.emotion) for text in texts]
    sound = np.concatenate([s.sound for s in spoken])
    why = "" if arguments.out else played(sound)
    if arguments.out or why:
        path = arguments.out or Path(f"{arguments.name}.wav")
        write_wav(path, sound)
        print(f"{path}: {len(sound) / SAMPLE_RATE:.2f} s{f' (not played: {why})' if why else ''}")
    else:
        print(f"played {len(sound) / SAMPLE_RATE:.2f} s")
    return 0


def write_wav(path: Path, sound: Sound) -> None:
    """Write mono 16-bit PCM at 24 kHz."""
    from npc_engine.wire.codec import pack_sound

    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(pack_sound(sound))


def played(sound: Sound) -> str:
    """Play `sound` and wait for its end; why it can't be played, or ""."""
    if importlib.util.find_spec("pygame") is None:
        return "playing needs pygame: pip install 'npc-engine[demo]'"
    import os

    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    import pygame

    from npc_engine.wire.codec import pack_sound

    try:
        pygame.mixer.init(SAMPLE_RATE, -16, 1, allowedchanges=0)
    except pygame.error as error:
        return f"no sound device ({error})"
    try:
        channel = pygame.mixer.Sound(buffer=pack_sound(sound)).play()
        while channel.get_busy():
            pygame.time.wait(20)
    finally:
        pygame.mixer.quit()
    return ""
