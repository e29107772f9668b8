"""npc-engine bench voices: what each voice costs, each in a process of its own, on one core."""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path
from typing import Any, Final

from npc_engine.cast import Cast
from npc_engine.commands.bench_process import in_own_process
from npc_engine.commands.common import Commands, Progress, UsageError, command, table

ABOUT: Final = "measure each voice: load, first sound, computing over sound, memory"
EXAMPLES: Final = """  npc-engine bench voices
  npc-engine bench voices --json voices.json
  npc-engine bench voices --voices woman,ogre --runs 5
"""
_MINUTES: Final = 20  # that a voice may take
WANTED: Final[dict[str, dict[str, float]]] = {
    "hibari": {"first_sound_ms": 40.0, "realtime_factor": 0.02},
    "kokoro": {"first_sound_ms": 600.0, "realtime_factor": 0.5},
}
WANTED_CACHED_MS: Final = 10.0
_MEASURES: Final = ("load_s", "first_sound_ms", "realtime_factor", "rss_mb")


def add_to(verbs: Commands) -> None:
    """Add the sub-command of `bench`."""
    parser = command(verbs, "voices", ABOUT, EXAMPLES)
    # suppressed: a default here would hide what stands before the verb
    parser.add_argument("--json", type=Path, default=argparse.SUPPRESS, metavar="FILE", help="write the figures there")
    parser.add_argument("--cast", type=Path, default=argparse.SUPPRESS, metavar="DIR", help="folder with your voices/")
    parser.add_argument("--voices", default="", metavar="A,B", help="which ones (default: all)")
    parser.add_argument("--runs", type=int, default=15, help="lines of twelve words for first sound (default 15)")
    parser.add_argument("--sentences", type=int, default=100, help="further sentences, of any length (default 100)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure, print and write; never judges."""
    from npc_engine.commands.bench import machine

    if arguments.runs < 1 or arguments.sentences < 1:
        raise UsageError(f"--runs {arguments.runs} --sentences {arguments.sentences}, expected 1 or more of each")
    cast = Cast.standard(arguments.cast)
    names = [n.strip() for n in arguments.voices.split(",") if n.strip()] or sorted(cast.voices())
    for name in names:
        cast.voice(name)  # a name that is not known is told before minutes are spent
    voices: dict[str, Any] = {}
    skipped: dict[str, str] = {}
    cached: list[float] = []
    progress = Progress("measuring")
    for number, name in enumerate(names):
        bar = "█" * (20 * number // len(names))
        progress.show(f"[{bar:20}] {number + 1} of {len(names)}: {name}")
        try:
            found = measured(name, arguments)
        except VoiceSkippedError as error:
            skipped[name] = str(error)
            continue
        if (line_ms := found.pop("cached_line_ms")) is not None:
            cached.append(line_ms)
        voices[name] = found
    progress.done()
    figures = {
        "machine": machine(),
        "runs": arguments.runs,
        "sentences": arguments.sentences,
        "voices": voices,
        "skipped": skipped,
        "cached_line_ms": max(cached, default=None),
    }
    report(figures, cast)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        print(f"written to {arguments.json}")
    return 0


class VoiceSkippedError(ValueError):
    """A voice that can't be measured here, with the reason and what would help."""


def measured(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """The figures of one voice, out of a fresh process with one thread."""
    options = {"voice": name, "runs": arguments.runs, "sentences": arguments.sentences}
    options["cast"] = str(arguments.cast) if arguments.cast else None
    try:
        done = in_own_process("npc_engine.commands.bench_voice", options, _MINUTES)
    except subprocess.TimeoutExpired:
        raise VoiceSkippedError(f"not done within {_MINUTES} minutes: fewer --sentences") from None
    rows = done.stdout.splitlines()
    if done.returncode == 3:
        raise VoiceSkippedError(rows[-1])
    if done.returncode:
        raise UsageError(f"measuring {name} ended with code {done.returncode}:\n{done.stderr.strip()}")
    found: dict[str, Any] = json.loads(rows[-1])
    return found


def report(figures: dict[str, Any], cast: Cast) -> None:
    """Print the figures with what is wanted beside them."""
    rows = []
    for name, found in figures["voices"].items():
        wanted = WANTED.get(cast.voice(name)[0].engine, {})
        cells = [f"{found[key]:g}{f' (≤ {wanted[key]:g})' if key in wanted else ''}" for key in _MEASURES]
        hundred = found["first_sound_100_ms"]
        rows.append((name, *cells, f"{hundred['p50']:g}, {hundred['p95']:g}"))
    if rows:
        print(table(rows, ("VOICE", "LOAD s", "FIRST SOUND ms", "REAL-TIME FACTOR", "MEMORY MB", "ALL FIRST p50, p95")))
    if figures["cached_line_ms"] is not None:
        print(f"cached line: {figures['cached_line_ms']:g} ms (≤ {WANTED_CACHED_MS:g})")
    print("in brackets what is wanted; first sound of 12 words is a median, one thread on one core")
    for name, reason in figures["skipped"].items():
        print(f"skipped {name}: {reason}")
    machine = figures["machine"]
    print(f"machine: {machine['cpu']}, {machine['cores']} cores, {machine['system']}")
