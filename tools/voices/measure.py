"""Measures every voice and writes the tables of docs/voices.md.

python tools/voices/measure.py                      all voices; what was measured before is not measured again
python tools/voices/measure.py --voices ogre,child  these alone; prints, writes nothing
python tools/voices/measure.py --quick              four sentences a voice, no emotions; prints, writes nothing

Results are kept in build/voices/, by voice.toml, engine and measure: after an interruption, or when one voice has
changed, only what is missing is measured. --again measures anew. Several may run at once, each on --voices of its own;
the last, without --voices, puts it all together. A Kokoro voice takes about three minutes of one core, others one.
Needs: pip install 'npc-engine[voices,recogniser]' distillmos xls-r-sqa torch soxr pocketsphinx
and, for the Chinese and Japanese voices, pypinyin and pyopenjtalk-plus.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import statistics
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from formants import factors
from naturalness import naturalness
from onsets import Aligner, onset_errors
from tables import designed, tables, written

from npc_engine.cast import Cast, CastError, VoiceSpec
from npc_engine.commands.voices_heard import Recogniser, wrong
from npc_engine.commands.voices_speech import Spoken, loudness, pitches, speak
from npc_engine.moments import EMOTIONS, SAMPLE_RATE
from npc_engine.speech.errors import SpeechError
from npc_engine.speech.feeling import feeling
from npc_engine.speech.load import VoiceEngines
from npc_engine.speech.voice import CastVoice

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
STORE = ROOT / "build" / "voices"
FEW = 4  # lines for each emotion, and of --quick
DESIGN_LINES = 12
TOGETHER = 4  # lines in one hearing: the recogniser's work is the same for 3 seconds and for 30
PAUSE = np.zeros(SAMPLE_RATE // 4, np.float32)
RELEASE = 3  # of the measures: a change in how they are taken makes old results void


def sentences(language: str) -> list[str]:
    """Twenty or more sentences that a game might need, in a language."""
    files = {
        "en": (ROOT / "tests" / "npc_lines.txt", HERE / "lines_en.txt"),
        "zh": (HERE / "lines_zh.txt",),
        "ja": (HERE / "lines_ja.txt",),
    }[language]
    return [t for file in files for t in file.read_text(encoding="utf-8").splitlines() if t.strip()]


class Subject:
    """A voice under measurement: loaded and spoken when a measure first asks for it."""

    def __init__(self, spec: VoiceSpec, name: str, folder: Path, engines: VoiceEngines, texts: list[str]) -> None:
        self.spec = spec
        self.name = name
        self.language = spec.language.split("-")[0]
        self.texts = texts
        self._folder = folder
        self._engines = engines

    @functools.cached_property
    def voice(self) -> CastVoice:
        return self._engines.voice(self.spec, self.name, self._folder)

    @functools.cached_property
    def lines(self) -> list[Spoken]:
        return [speak(self.voice, text) for text in self.texts]

    def undesigned(self) -> CastVoice:
        return self._engines.voice(replace(self.spec, pitch=1.0, formant=0.0), self.name, self._folder)


class Tools:
    """What measures need and what is slow to load, loaded once."""

    @functools.cached_property
    def mos(self) -> Callable[[Any], float]:
        return naturalness()

    @functools.cached_property
    def recogniser(self) -> Recogniser:
        return Recogniser()

    @functools.cached_property
    def aligner(self) -> Aligner:
        return Aligner()


def sound(subject: Subject, _: Tools) -> dict[str, Any]:
    every = np.concatenate([line.sound for line in subject.lines])
    loud = [loudness(line.sound) for line in subject.lines]
    return {
        "sentences": len(subject.lines),
        "f0": float(np.median(np.concatenate([pitches(line.sound) for line in subject.lines]))),
        "tempo": 60 * SAMPLE_RATE * sum(len(line.words) for line in subject.lines) / len(every),
        "lufs": loudness(every),
        "lufs_spread": [min(loud), max(loud)],
        "peak": float(np.abs(every).max()),
    }


def mos(subject: Subject, tools: Tools) -> dict[str, Any]:
    scores = [tools.mos(line.sound) for line in subject.lines]
    return {"mean": statistics.mean(scores), "lowest": min(scores)}


def misheard(subject: Subject, tools: Tools) -> dict[str, Any]:
    return heard(subject.lines, subject.language, tools)


def heard(lines: list[Spoken], language: str, tools: Tools) -> dict[str, Any]:
    """Wrong words of lines heard one by one; four that are understood together, for half the time, are right."""
    off = count = 0
    kind = ""
    examples = []
    for first in range(0, len(lines), TOGETHER):
        group = lines[first : first + TOGETHER]
        sound = np.concatenate([np.concatenate([line.sound, PAUSE]) for line in group])
        text = " ".join(line.text for line in group)
        faults, said, kind = wrong(text, tools.recogniser.heard(sound, language), language)
        count += said
        for line in group if faults else []:
            text = tools.recogniser.heard(line.sound, language)
            faults, _, _ = wrong(line.text, text, language)
            off += faults
            if faults:
                examples.append([line.text, text])
    return {"percent": 100 * off / count, "of": count, "kind": kind, "examples": examples}


def onsets(subject: Subject, tools: Tools) -> dict[str, Any]:
    errors = 1000 * np.array(onset_errors(subject.lines, subject.spec.formant or subject.spec.pitch, tools.aligner))
    if not len(errors):
        return {"bias": None, "mean": None, "phones": 0}
    return {"bias": float(errors.mean()), "mean": float(np.abs(errors).mean()), "phones": len(errors)}


def design(subject: Subject, _: Tools) -> dict[str, Any]:
    count = min(DESIGN_LINES, len(subject.texts))
    plain = subject.undesigned()
    pitch, formant, phones = factors(subject.lines[:count], [speak(plain, text) for text in subject.texts[:count]])
    return {"pitch": pitch, "formant": formant, "phones": phones}


def emotions(subject: Subject, tools: Tools) -> dict[str, Any]:
    """Of each emotion: pitch, spread of pitch and tempo over neutral, level in dB above it, predicted naturalness."""
    texts = subject.texts[:FEW]
    found: dict[str, Any] = {}
    said: list[Spoken] = []
    calm = subject.lines[:FEW]
    for emotion in EMOTIONS:
        lines = calm if emotion == "neutral" else [speak(subject.voice, text, emotion) for text in texts]
        said += lines if emotion != "neutral" else []
        found[emotion] = {
            "f0": _median(lines) / _median(calm),
            "range": _spread(lines) / _spread(calm),
            "tempo": _voiced(calm) / _voiced(lines),
            "level": loudness(_all(lines)) - loudness(_all(calm)),
            "mos": statistics.mean(tools.mos(line.sound) for line in lines),
        }
    return {"each": found, "heard": heard(said, subject.language, tools)}


def _all(lines: list[Spoken]) -> Any:
    return np.concatenate([line.sound for line in lines])


def _median(lines: list[Spoken]) -> float:
    return float(np.median(pitches(_all(lines))))


def _spread(lines: list[Spoken]) -> float:
    low, high = np.percentile(np.log(pitches(_all(lines))), [15, 85])
    return float(high - low)


def _voiced(lines: list[Spoken]) -> int:
    """Samples in words: pauses have a factor of their own."""
    return sum(word.end - word.start for line in lines for word in line.words)


def wanted_of(subject: Subject, *, quick: bool) -> dict[str, Callable[[Subject, Tools], dict[str, Any]]]:
    """The measures that mean something for a voice."""
    found: dict[str, Callable[[Subject, Tools], dict[str, Any]]] = {"sound": sound, "mos": mos, "misheard": misheard}
    if subject.language == "en":
        found["onsets"] = onsets
    if designed(subject.spec):
        found["design"] = design
    if not quick:
        found["emotions"] = emotions
    return found


class Store:
    """Results in a file a voice, by everything that they depend on; written after each: an interruption loses one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, name: str) -> dict[str, Any]:
        path = self._folder / f"{name}.json"
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return found

    def put(self, name: str, key: str, result: Any) -> None:
        text = json.dumps(self.get(name) | {key: result}, indent=1, ensure_ascii=False)
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = self._folder / f"{name}.part"
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(self._folder / f"{name}.json")


def key_of(subject: Subject, measure: str) -> str:
    shape = {
        "voice": asdict(subject.spec) | {"about": "", "licence": "", "sex": ""},
        "engine": subject.voice.engine.key,
        "texts": subject.texts,
        "release": RELEASE,
        "feelings": [repr(feeling(e, 1.0, "")) for e in EMOTIONS] if measure == "emotions" else [],
    }
    digest = hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()[:16]
    return f"{measure} {digest}"


def measured(subject: Subject, tools: Tools, store: Store, args: argparse.Namespace, place: str) -> dict[str, Any]:
    found = {}
    for measure, act in wanted_of(subject, quick=args.quick).items():
        key = key_of(subject, measure)
        result = store.get(subject.name).get(key)
        if result is None or args.again:
            print(f"{place} {subject.name}: {measure} …", file=sys.stderr, flush=True)
            result = act(subject, tools)
            store.put(subject.name, key, result)
        found[measure] = result
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voices", default="", metavar="A,B", help="these alone")
    parser.add_argument("--quick", action="store_true", help="four sentences, no emotions")
    parser.add_argument("--again", action="store_true", help="measure also what was measured before")
    parser.add_argument("--store", type=Path, default=STORE, help="where results are kept")
    args = parser.parse_args()
    cast, engines, tools, store = Cast((ROOT,)), VoiceEngines(), Tools(), Store(args.store)
    names = [n for n in args.voices.split(",") if n] or sorted(cast.voices())
    rows: dict[str, tuple[VoiceSpec, dict[str, Any]]] = {}
    missing = []
    for number, name in enumerate(names, 1):
        spec, folder = cast.voice(name)
        texts = sentences(spec.language.split("-")[0])
        subject = Subject(spec, name, folder, engines, texts[:FEW] if args.quick else texts)
        try:
            rows[name] = spec, measured(subject, tools, store, args, f"[{number}/{len(names)}]")
        except (CastError, SpeechError) as error:
            missing.append(f"{name}: {error}")
    text = tables(rows)
    print(text)
    for reason in missing:
        print(f"not measured: {reason}", file=sys.stderr)
    if missing or args.quick or args.voices:
        print("docs/voices.md is left as it is: these are not all voices in full", file=sys.stderr)
    else:
        written(ROOT / "docs" / "voices.md", text)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
