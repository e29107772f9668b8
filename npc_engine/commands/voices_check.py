"""npc-engine voices check: a voice speaks, and what it gave is measured against what a voice must be."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from npc_engine.cast import Cast, VoiceSpec
from npc_engine.commands.common import Progress, UsageError, table
from npc_engine.commands.voices_heard import Recogniser, missing, wrong
from npc_engine.commands.voices_speech import (
    LEVEL_LUFS,
    Spoken,
    longest_silence,
    loudness,
    pitches,
    samples,
    speak,
    word_faults,
)
from npc_engine.moments import SAMPLE_RATE

ABOUT: Final = "measure a voice: speed, level, peak, timings, silence, pitch, and words understood"
EXAMPLES: Final = """  npc-engine voices check ogre
  npc-engine voices check giantess --cast mygame
"""
_TEMPO: Final = (90, 260)  # words a minute: from an ogre's to a market crier's
_PAUSE_S: Final = 1.0  # within a line, nothing but markup asks for more
_LEAD_S: Final = (0.02, 0.2)
_TAIL_S: Final = (0.05, 0.4)
_WRONG: Final = {"words": 10.0, "syllables": 15.0, "kana": 20.0, "letters": 30.0}  # per cent, of a few sentences


@dataclass(frozen=True, slots=True)
class Row:
    """A measure: what came, what is wanted, and what to do where they differ; an empty `wanted` is never wrong."""

    what: str
    value: str
    wanted: str = ""
    verdict: str = ""
    remedy: str = ""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what `check` takes."""
    parser.add_argument("name", help="a voice (npc-engine voices lists them)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the measures; 1 where one is off."""
    from npc_engine.speech.load import load_voice

    spec, folder = Cast.standard(arguments.cast).voice(arguments.name)
    progress = Progress("checking")
    progress.show("loading")
    voice = load_voice(spec, arguments.name, folder)
    spoken = []
    texts = samples(spec)
    for number, text in enumerate(texts, 1):
        progress.show(f"sentence {number} of {len(texts)}")
        spoken.append(speak(voice, text))
    progress.show("measuring")
    rows = [*measured(spec, spoken), *understood(spec, spoken)]
    progress.done()
    print(
        table(
            [(r.what, r.value, r.wanted or "-", r.verdict or "-", r.remedy) for r in rows],
            ("MEASURE", "VALUE", "WANTED", "VERDICT", "WHAT TO DO"),
        )
    )
    off = [r.what for r in rows if r.verdict not in ("", "ok")]
    print(f"{arguments.name}: {'every measure is as wanted' if not off else 'look at ' + ', '.join(off)}")
    return 1 if off else 0


def between(what: str, value: float, span: tuple[float, float], unit: str = "", *, low: str, high: str) -> Row:
    """A row with a verdict on `value`, wanted in `span`; `low` and `high` are what to do where it is not."""
    verdict, remedy = "ok", ""
    if value < span[0]:
        verdict, remedy = "too low", low
    elif not value <= span[1]:
        verdict, remedy = "too high", high
    return Row(what, f"{value:.4g} {unit}".strip(), f"{span[0]:g} to {span[1]:g}", verdict, remedy)


def measured(spec: VoiceSpec, spoken: list[Spoken]) -> Iterator[Row]:
    """What can be measured without a recogniser."""
    sound = np.concatenate([s.sound for s in spoken])
    seconds = len(sound) / SAMPLE_RATE
    first = 1000 * statistics.median(s.first_s for s in spoken)
    yield Row("first sound", f"{first:.0f} ms")
    yield Row("computing over sound", f"{sum(s.took_s for s in spoken) / seconds:.3f}")
    words = sum(len(s.words) for s in spoken)
    if spec.language.startswith("en"):
        slower, faster = "raise speed in voice.toml", "lower speed in voice.toml"
        yield between("tempo", 60 * words / seconds, _TEMPO, "words a minute", low=slower, high=faster)
    else:
        yield Row("tempo", f"{60 * words / seconds:.0f} words a minute")
    try:
        level = loudness(sound)
    except UsageError as error:
        yield Row("level", "-", "", "", str(error))
    else:
        fix = f"set gain_db = {spec.gain_db + LEVEL_LUFS - level:.1f} in voice.toml"
        yield between("level", level, (LEVEL_LUFS - 1, LEVEL_LUFS + 1), "LUFS", low=fix, high=fix)
    loud = float(np.abs(sound).max(initial=0.0))
    yield between("peak", loud, (0.1, 0.999), low="raise gain_db", high="lower gain_db")
    faults = [fault for s in spoken for fault in word_faults(s)]
    yield Row(
        "word times",
        f"{words} words" if not faults else faults[0],
        "in order, with sound",
        "ok" if not faults else "wrong",
        "" if not faults else f"{len(faults)} words are off: a fault of engine {spec.engine}, please report it",
    )
    report = f"a fault of engine {spec.engine}, please report it"
    if not spec.lines:  # a recording has the silence that was recorded
        leads = [s.words[0].start / SAMPLE_RATE for s in spoken if s.words]
        yield between("silence before", statistics.mean(leads), _LEAD_S, "s", low=report, high=report)
        tails = [(len(s.sound) - s.words[-1].end) / SAMPLE_RATE for s in spoken if s.words]
        yield between("silence after", statistics.mean(tails), _TAIL_S, "s", low=report, high=report)
        longest = max(map(longest_silence, spoken))
        yield between("longest pause", longest, (0, _PAUSE_S), "s", low="", high="raise speed, or look at the text")
    pitch = pitches(sound)
    yield Row("median pitch", f"{np.median(pitch):.0f} Hz" if len(pitch) else "none found")


def understood(spec: VoiceSpec, spoken: list[Spoken]) -> Iterator[Row]:
    """What the recogniser makes of it, where it is installed."""
    language = spec.language.split("-")[0].lower()
    if missing():
        yield Row("understood", "-", "", "", missing())
        return
    recogniser = Recogniser()
    faults = count = 0
    name = "words"
    for s in spoken:
        off, said, name = wrong(s.text, recogniser.heard(s.sound, language), language)
        faults, count = faults + off, count + said
    hint = "lower speed, or move pitch and formant nearer to 1"
    yield between(f"misheard {name}", 100 * faults / count, (0, _WRONG[name]), "%", low="", high=hint)
