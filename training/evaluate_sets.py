"""What is evaluated on: recorded English aligned with its words, takes that were held out, noise over both."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from tqdm import tqdm

from npc_engine.moments import SAMPLE_RATE, TICK_SAMPLES, Phone, Sound
from training import align
from training.arpabet import symbol
from training.phones import SILENCE
from training.sounds import read
from training.takes import Take, held_out_takes
from training.teacher import Lesson, teach

TEXTS: Final = Path(__file__).with_name("ljspeech.tsv")  # what LJSpeech's reader says: id, words (public domain)
LABELLED: Final = {
    "arctic_slt_a0009": "he turned sharply and faced gregson across the table",
    "bobby": "bobby ripped the ledger",
}
MOST_TAKES: Final = 250


@dataclass(frozen=True)
class Clip:
    """A sound of whole ticks, what is said in it, and what the mouth should do."""

    id: str
    group: str  # where it comes from: a corpus or a voice
    language: str
    sound: Sound
    phones: tuple[Phone, ...]
    lesson: Lesson


@dataclass(frozen=True)
class Recorded:
    """Recorded English."""

    clips: list[Clip]
    left_out: dict[str, str]  # id → why
    errors: list[float]  # ms from each boundary labelled by hand to that of forced alignment


def recorded(data: Path, cache: Path, limit: int) -> Recorded:
    """LJSpeech and MFA's samples by forced alignment, and two utterances by their own phone labels.

    Alignments are kept in the file `cache`; a clip that is not there or in which the words are not found is left out by
    name. `limit` clips at most, spread over the set. FileNotFoundError where there is none of it.
    """
    known: dict[str, Any] = json.loads(cache.read_text(encoding="utf-8")) if cache.is_file() else {}
    clips: list[Clip] = []
    left_out: dict[str, str] = {}
    errors: list[float] = []
    there = [entry for entry in _recordings(data) if entry[1].is_file()]
    left_out |= {name: f"{path}: no such file" for name, path, _ in _recordings(data) if not path.is_file()}
    if not there:
        raise FileNotFoundError(f"{data} holds no recordings; expected ljspeech/, mfa_speech/ and phone_aligned/")
    for name, path, words in tqdm(_spread(there, limit), desc="recorded speech", unit="clip"):
        sound = whole(read(path))
        try:
            phones = _aligned(known, name, sound, words)
        except align.AlignmentError as error:
            left_out[name] = str(error)
            continue
        if path.stem in LABELLED:
            labelled = _labels(path, len(sound))
            errors += align.boundary_errors(phones, labelled)
            phones = labelled
        clips.append(Clip(name, path.parent.name, "en-US", sound, phones, teach(sound, phones)))
    cache.parent.mkdir(parents=True, exist_ok=True)
    cache.write_text(json.dumps(known, ensure_ascii=False), encoding="utf-8")
    return Recorded(clips, left_out, errors)


def spoken(folder: Path, limit: int) -> tuple[list[Clip], dict[str, str]]:
    """Held-out takes, at most 250 or `limit`, as many of each voice; and those left out, id → why."""
    voices: dict[str, list[Take]] = defaultdict(list)
    for take in held_out_takes(folder):
        voices[f"{take.engine} {take.voice} ({take.held})"].append(take)
    clips, left_out = [], {}
    for group, take in _in_turns(voices, min(limit, MOST_TAKES)):
        sound = whole(take.sound)
        try:
            lesson = teach(sound, take.phones, language=take.language)
        except ValueError as error:
            left_out[take.id] = str(error)
            continue
        clips.append(Clip(take.id, group, take.language, sound, take.phones, lesson))
    return clips, left_out


def noises(data: Path) -> list[Sound]:
    """The recorded noises of DATA/augment, at an RMS of 1."""
    paths = sorted((data / "augment").glob("noise*.wav"))
    if not paths:
        raise FileNotFoundError(f"{data / 'augment'} holds no noise*.wav")
    sounds = [read(path) for path in paths]
    return [(s / np.sqrt((s.astype(np.float64) ** 2).mean())).astype(np.float32) for s in sounds]


def drowned(clips: Sequence[Clip], hum: Sequence[Sound], snr_db: float) -> list[Clip]:
    """The clips under noise, `snr_db` below the RMS of what is spoken in them (silence does not count)."""
    out = []
    for index, clip in enumerate(clips):
        said = np.concatenate([clip.sound[p.start : p.end] for p in clip.phones if p.symbol != SILENCE])
        noise = np.resize(np.roll(hum[index % len(hum)], -7919 * index), len(clip.sound))
        level = np.sqrt((said.astype(np.float64) ** 2).mean()) * 10 ** (-snr_db / 20)
        out.append(replace(clip, sound=np.clip(clip.sound + np.float32(level) * noise, -1, 1)))
    return out


def whole(sound: Sound) -> Sound:
    """The sound without a last part of a tick."""
    kept: Sound = np.asarray(sound[: len(sound) // TICK_SAMPLES * TICK_SAMPLES], np.float32)
    return kept


def _recordings(data: Path) -> Iterator[tuple[str, Path, str]]:
    """Name, file and words of every recording."""
    for line in TEXTS.read_text(encoding="utf-8").splitlines():
        name, words = line.split("\t")
        yield name, data / "ljspeech" / f"{name}.wav", words
    for path in sorted((data / "mfa_speech").glob("*.lab")):
        flac = path.with_suffix(".flac")
        yield path.stem, flac if flac.is_file() else path.with_suffix(".wav"), path.read_text(encoding="utf-8")
    for name, words in LABELLED.items():
        yield name, data / "phone_aligned" / f"{name}.wav", words


def _spread(entries: list[tuple[str, Path, str]], limit: int) -> list[tuple[str, Path, str]]:
    if len(entries) <= limit:
        return entries
    return [entries[i] for i in np.linspace(0, len(entries) - 1, limit).astype(int)]


def _in_turns(voices: dict[str, list[Take]], count: int) -> Iterator[tuple[str, Take]]:
    """One take of each voice after the other."""
    turns = [(n, group, take) for group, takes in voices.items() for n, take in enumerate(takes)]
    for _, group, take in sorted(turns, key=lambda turn: turn[0])[:count]:
        yield group, take


def _aligned(known: dict[str, Any], name: str, sound: Sound, words: str) -> tuple[Phone, ...]:
    """From what is known when sound, words and the aligner are the same; AlignmentError is known too."""
    source = Path(align.__file__).read_bytes()
    key = hashlib.blake2b(sound.tobytes() + words.encode() + source, digest_size=16).hexdigest()
    if known.get(name, {}).get("key") != key:
        known[name] = {"key": key}
        try:
            known[name]["phones"] = [(p.symbol, p.start, p.end) for p in align.align(sound, words)]
        except align.AlignmentError as error:
            known[name]["error"] = str(error)
    if "error" in known[name]:
        raise align.AlignmentError(known[name]["error"])
    return tuple(Phone(*phone) for phone in known[name]["phones"])


def _labels(path: Path, samples: int) -> tuple[Phone, ...]:
    """Phones labelled beside a recording: HTS full-context .lab (100 ns) or a Praat TextGrid (s)."""
    lab, grid = path.with_suffix(".lab"), path.with_name(f"{path.stem}_phones.TextGrid")
    if lab.is_file():
        rows = [line.split() for line in lab.read_text(encoding="utf-8").splitlines()]
        spans = [(re.split("[-+]", row[2])[1], int(row[0]) / 1e7, int(row[1]) / 1e7) for row in rows]
    else:
        interval = re.compile(r"xmin = ([\d.]+)\s+xmax = ([\d.]+)\s+text = \"(.*)\"")
        spans = [(m[2] or "sil", float(m[0]), float(m[1])) for m in interval.findall(grid.read_text(encoding="utf-8"))]
    found = []
    for name, start, end in spans:
        # bobby's labels have one name for both of "ripped", and CMU's have no schwa but an unstressed AH
        parts = {"PT": ["P", "T"], "AH0": ["AX"], "ER0": ["AXR"]}.get(name, [name])
        edges = np.linspace(start, end, len(parts) + 1)
        found += [
            (symbol(p), round(a * SAMPLE_RATE), round(b * SAMPLE_RATE))
            for p, a, b in zip(parts, edges[:-1], edges[1:], strict=True)
        ]
    return align.gapless(found, samples)
