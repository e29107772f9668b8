"""`python -m training.takes --text FILE --out FOLDER`: speech with exact phones, recorded from every voice there is.

hibari in random designs, Kokoro in random blends and three languages, flite; emotions and tempi as they come. What is
there is not spoken again, so a run that was stopped goes on; `manifest.json` tells what the folder holds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from tqdm import tqdm

from npc_engine.moments import EMOTIONS, SAMPLE_RATE, Phone, Sound
from training.voices import (
    FLITE,
    HELD_OUT_FLITE,
    HELD_OUT_STYLES,
    KOKORO,
    Job,
    Speakers,
    flite_manner,
    hibari_design,
    kokoro_blend,
)

HELD_OUT_PERCENT: Final = 6
SHARD: Final = {"hibari": 60, "flite": 60, "kokoro": 12}  # takes a file: about a minute's work at most
TEXTS: Final = Path(__file__).parent / "texts"
EMOTIONAL: Final = 0.4  # share of takes in an emotion
TEST_SENTENCES: Final = 12  # a held-out voice


@dataclass(frozen=True)
class Take:
    """Speech and what is said in it."""

    id: str
    engine: str
    voice: str
    language: str
    text: str
    emotion: str
    held: str  # "voice" or "sentence" where it is kept for evaluation, else ""
    sound: Sound  # f32[n], 24 kHz
    phones: tuple[Phone, ...]


@dataclass(frozen=True)
class Amounts:
    """Takes of each kind, when a build has gone through: those that the shipped weights have heard.

    Kokoro needs a third of real time on a core, so it has the fewest.
    """

    hibari: int = 2600
    flite: int = 2600
    kokoro_en: int = 312
    kokoro_zh: int = 120
    kokoro_ja: int = 84


def held_out(sentence: str) -> bool:
    """Whether a sentence is kept for evaluation; depends on its words alone."""
    return hashlib.blake2b(sentence.encode("utf-8"), digest_size=8).digest()[0] * 100 < HELD_OUT_PERCENT * 256


def sentences(*paths: Path) -> list[str]:
    """The sentences of text files, one a line."""
    return [line.strip() for path in paths for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def plan(text: Path, amounts: Amounts) -> dict[str, list[Job]]:
    """Shard name → what is spoken in it; the held-out takes first. The same text gives the same plan."""
    own = {language: sentences(TEXTS / f"{language}.txt") for language in ("en", "zh", "ja")}
    english = sentences(text) + own["en"]
    jobs = _test_jobs([s for s in english if held_out(s)], own)
    training = [s for s in english if not held_out(s)]
    spoken = [
        _english("hibari", training, amounts.hibari),
        _english("flite", training, amounts.flite),
        _english("kokoro", training, amounts.kokoro_en),
        _asian("zh", own["zh"], amounts.kokoro_zh),
        _asian("ja", own["ja"], amounts.kokoro_ja),
    ]
    streams = [stream for stream in spoken if stream]
    shards: dict[str, list[Job]] = {}
    for engine in ("hibari", "flite", "kokoro"):
        part = [j for j in jobs if j.engine == engine]
        for at in range(0, len(part), SHARD[engine]):
            shards[f"test-{engine}-{at:05d}"] = part[at : at + SHARD[engine]]
    queues = [list(_sharded(stream)) for stream in streams]
    # what costs little first, then in turns, so that a build that is stopped early has something of everything
    slow = {n for n, stream in enumerate(streams) if stream[0].engine == "kokoro"}
    order = sorted((n in slow, i / len(q), n, i) for n, q in enumerate(queues) for i in range(len(q)))
    shards.update(queues[n][i] for _, _, n, i in order)
    return shards


def _sharded(jobs: list[Job]) -> Iterator[tuple[str, list[Job]]]:
    for at in range(0, len(jobs), SHARD[jobs[0].engine]):
        name = f"{jobs[0].engine}-{jobs[0].language[:2]}-{at:05d}"
        yield name, jobs[at : at + SHARD[jobs[0].engine]]


def _feeling(rng: np.random.Generator) -> dict[str, Any]:
    if rng.random() >= EMOTIONAL:
        return {}
    return {"emotion": str(rng.choice(EMOTIONS[1:])), "strength": round(float(rng.uniform(0.4, 1.0)), 2)}


def _english(engine: str, texts: list[str], count: int) -> list[Job]:
    jobs = []
    for index in range(count):
        rng = np.random.default_rng([len(engine), index])
        text = texts[(index * 7919 + len(engine)) % len(texts)]  # a prime: passes over the text in an order of its own
        name = f"{engine}-en-{index:05d}"
        if engine == "hibari":
            jobs.append(Job(name, engine, "design", "en-US", text, hibari_design(rng), **_feeling(rng)))
        elif engine == "kokoro":
            language = "en-US" if rng.random() < 0.55 else "en-GB"
            spec = kokoro_blend(language, rng)
            jobs.append(Job(name, engine, next(iter(spec["blend"])), language, text, spec, **_feeling(rng)))
        else:
            voice = [v for v in FLITE if v not in HELD_OUT_FLITE][index % 3]
            jobs.append(Job(name, engine, voice, "en-US", text, flite_manner(rng)))
    return jobs


def _asian(language: str, clauses: list[str], count: int) -> list[Job]:
    """Sentences of one to three clauses, in any order: what is said matters less than how."""
    comma, stop = ("，", "。！？") if language == "zh" else ("、", "。！？")
    jobs: list[Job] = []
    seed = 0
    while len(jobs) < count:
        rng = np.random.default_rng([ord(language[0]), seed])
        seed += 1
        said = comma.join(str(s) for s in rng.choice(clauses, int(rng.integers(1, 4)), replace=False))
        text = said + stop[int(rng.choice(3, p=(0.6, 0.2, 0.2)))]
        if not held_out(text):
            spec = kokoro_blend(language, rng)
            name = f"kokoro-{language}-{len(jobs):05d}"
            jobs.append(Job(name, "kokoro", next(iter(spec["blend"])), language, text, spec, **_feeling(rng)))
    return jobs


def _test_jobs(english: list[str], own: dict[str, list[str]]) -> list[Job]:
    designs: dict[str, dict[str, Any]] = {
        "own": {},
        "man": {"pitch": 0.75, "speed": 0.95, "range": 1.1},
        "girl": {"pitch": 1.1, "speed": 1.1, "range": 1.3},
    }
    jobs = []

    def add(engine: str, voice: str, language: str, spec: dict[str, Any], *, held: str, offset: int) -> None:
        texts = english if language.startswith("en") else own[language]
        for i in range(TEST_SENTENCES if engine == "kokoro" else 2 * TEST_SENTENCES):
            text = texts[(offset + i) % len(texts)]
            if not language.startswith("en"):
                # these clauses are trained on, in other orders; the voice is what is held out
                text += ("，" if language == "zh" else "、") + texts[(offset + 3 * i + 1) % len(texts)] + "。"
            jobs.append(Job(f"test-{engine}-{voice}-{i:03d}", engine, voice, language, text, spec, held=held))

    for number, (voice, spec) in enumerate(designs.items()):
        add("hibari", voice, "en-US", spec, held="sentence" if voice == "own" else "voice", offset=24 * number)
    for number, voice in enumerate(FLITE):
        held = "voice" if voice in HELD_OUT_FLITE else "sentence"
        add("flite", voice, "en-US", {"duration_stretch": 1.0}, held=held, offset=7 + 20 * number)
    chosen = [(language, s) for language, names in KOKORO.items() for s in names if s in HELD_OUT_STYLES]
    chosen += [("en-US", "af_heart"), ("en-GB", "bm_george")]
    for number, (language, style) in enumerate(chosen):
        held = "voice" if style in HELD_OUT_STYLES else "sentence"
        add("kokoro", style, language, {"language": language, "blend": {style: 1.0}}, held=held, offset=3 + 13 * number)
    return jobs


_speakers: Speakers | None = None  # of a worker process, which is made for this and nothing else


def _record(task: tuple[Path, list[Job]]) -> None:
    """Speak a shard and write it, whole or not at all."""
    global _speakers  # noqa: PLW0603 - models are loaded once a process
    _speakers = _speakers or Speakers()
    path, jobs = task
    sounds, about = [], []
    for job in jobs:
        sound, phones = _speakers.speak(job)
        sounds.append((np.clip(sound, -1, 1) * 32767).round().astype(np.int16))
        about.append({**asdict(job), "samples": len(sound), "phones": [(p.symbol, p.start, p.end) for p in phones]})
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(file, sound=np.concatenate(sounds), about=json.dumps(about, ensure_ascii=False))
    part.replace(path)


def record(text: Path, out: Path, amounts: Amounts, processes: int) -> None:
    """Speak all that is not there yet, in `processes` processes, and write the manifest."""
    out.mkdir(parents=True, exist_ok=True)
    shards = {out / f"{name}.npz": jobs for name, jobs in plan(text, amounts).items()}
    left = [(path, jobs) for path, jobs in shards.items() if not path.exists()]
    with (
        multiprocessing.get_context("spawn").Pool(processes) as pool,
        tqdm(total=len(shards), initial=len(shards) - len(left), desc="speaking", unit="shard") as bar,
    ):
        for _ in pool.imap(_record, left):
            bar.update()
    manifest(out)


def read(path: Path) -> list[Take]:
    """The takes of a shard."""
    with np.load(path) as shard:
        sound, about = shard["sound"], json.loads(str(shard["about"]))
    takes, at = [], 0
    for entry in about:
        samples = sound[at : at + entry["samples"]].astype(np.float32) / 32767
        at += entry["samples"]
        phones = tuple(Phone(*phone) for phone in entry["phones"])
        keys = ("id", "engine", "voice", "language", "text", "emotion", "held")
        takes.append(Take(**{k: entry[k] for k in keys}, sound=samples, phones=phones))
    return takes


def held_out_takes(folder: Path) -> list[Take]:
    """The takes that are kept for evaluation, in the order of the plan."""
    paths = sorted(folder.glob("test-*.npz"))
    if not paths:
        raise FileNotFoundError(f"{folder} holds no test-*.npz; make them with python -m training.takes")
    return [take for path in paths for take in read(path)]


def manifest(folder: Path) -> dict[str, Any]:
    """Seconds by engine, language, voice and emotion, written to manifest.json."""
    seconds: dict[str, dict[str, float]] = {k: defaultdict(float) for k in ("engine", "language", "voice", "emotion")}
    count, total, held = 0, 0.0, 0.0
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as shard:
            about = json.loads(str(shard["about"]))
        for entry in about:
            length = entry["samples"] / SAMPLE_RATE
            count, total = count + 1, total + length
            held += length if entry["held"] else 0.0
            for key, sums in seconds.items():
                sums[f"{entry['engine']} {entry[key]}" if key == "voice" else entry[key]] += length
    rounded = {key: {k: round(v) for k, v in sorted(sums.items())} for key, sums in seconds.items()}
    found = {"takes": count, "seconds": round(total), "held_out_seconds": round(held), **rounded}
    (folder / "manifest.json").write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return found


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", type=Path, required=True, help="English sentences, one a line")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--processes", type=int, default=2)
    for name, default in asdict(Amounts()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=default, help=f"takes (default {default})")
    args = parser.parse_args()
    amounts = Amounts(**{name: getattr(args, name) for name in asdict(Amounts())})
    record(args.text, args.out, amounts, args.processes)
    print((args.out / "manifest.json").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
