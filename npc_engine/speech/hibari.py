"""Voices designed from hibari's one: sentence by sentence, with phone and word times."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from hibari import dsp

from npc_engine.cast import VoiceSpec
from npc_engine.moments import SAMPLE_RATE, Line, Phone, Sound, SpeechChunk, Word
from npc_engine.speech.alignment import words
from npc_engine.speech.errors import SpeechError
from npc_engine.speech.hibari_model import HOP, UNIT, Frames, HibariModel, Reading
from npc_engine.speech.stretch import ratio, stretched
from npc_engine.text.sentences import sentences

EARLY = 50 * SAMPLE_RATE // 1000  # the network's boundaries come this much late
LEAD = 80 * SAMPLE_RATE // 1000  # silence kept before a sentence
TAIL = 160 * SAMPLE_RATE // 1000  # and after it
PAUSE_DB = 42.0  # a frame this far under the loudest ones is a pause
MARKS = "ˈˌ"
LENGTH = "ː"
PAUSES = ';:,.!?—…"()“”'


class HibariVoice:
    """hibari's voice, faster or slower, higher or lower, flatter or livelier as `spec` says."""

    def __init__(self, model: HibariModel, spec: VoiceSpec, name: str) -> None:
        self._model = model
        self._spec = spec
        self._name = name
        self._pitch = float(ratio(spec.pitch))
        self._gain = np.float32(10 ** (spec.gain_db / 20))

    def speak(self, line: Line) -> Iterator[SpeechChunk]:
        """Yield the line's speech, a sentence at a time; `SpeechError` for text that this voice can't speak."""
        at = 0
        for first, last in sentences(line.text):
            chunk = self._spoken(line, line.text[first:last], first, at)
            at += len(chunk.samples)
            yield chunk
        if at == 0:
            raise SpeechError("the line has no text to speak")

    def _spoken(self, line: Line, sentence: str, offset: int, at: int) -> SpeechChunk:
        spans = words(sentence)
        reading = self._model.read(sentence, spans)
        frames = self._model.frames(reading, self._spec.speed / self._pitch)
        edges = _edges(reading, frames)
        raw = self._synthesised(frames)
        begin = max(edges[1] - LEAD, 0)
        end = min(edges[-2] + TAIL, len(raw))
        samples = stretched(raw[begin:end], self._spec.pitch) * self._gain

        def time(sample: int) -> int:
            return at + min(max(round((sample - begin) / self._pitch), 0), len(samples))

        times = [time(e) for e in edges]
        times[0], times[-1] = at, at + len(samples)
        phones = tuple(
            Phone(s, a, b) for s, (a, b) in zip(_symbols(reading), pairwise(times), strict=True) if b > a
        )
        return SpeechChunk(line, at, samples, phones, _words(line, spans, offset, reading, times))

    def _synthesised(self, frames: Frames) -> Sound:
        f0 = frames.f0
        voiced = f0 > 40
        if self._spec.range != 1 and voiced.any():
            middle = np.exp(np.mean(np.log(f0[voiced])))
            f0 = np.where(voiced, middle * (f0 / middle) ** self._spec.range, 0).astype(np.float32)
        sound: Sound = dsp.synth(
            frames.harmonic, frames.angle, frames.noise, frames.free, frames.phase, f0, np.random.default_rng(0)
        )
        return sound


def _symbols(reading: Reading) -> list[str]:
    """Phone symbols by network symbol: pauses are sil; marks and spaces belong to a neighbour and are empty spans."""
    return ["sil", *("sil" if s in PAUSES or s == " " else s for s in reading.symbols), "sil"]


def _edges(reading: Reading, frames: Frames) -> list[int]:
    """Sample positions between the symbols (pads included): durations + 2 of them, shifted and with pauses found."""
    late = np.concatenate([[0], np.cumsum(frames.durations)]) * UNIT
    edges = np.maximum(late - EARLY, 0)
    edges[-1] = late[-1]
    level = np.maximum(np.maximum(frames.noise, frames.free), np.where(frames.f0 > 40, frames.harmonic, -20))[3:250]
    db = level.max(axis=0) * (20 / np.log(10))
    quiet = db < np.percentile(db, 95) - PAUSE_DB
    symbols = "." + reading.symbols + "."
    n = len(symbols)
    # marks: their time goes to what follows; length to what came before
    for i in range(n):
        if symbols[i] in MARKS:
            edges[i + 1] = edges[i]
        elif symbols[i] == LENGTH:
            edges[i] = edges[i + 1]
    i = 0
    while i < n:
        if symbols[i] not in PAUSES:
            if symbols[i] == " " and not (i + 1 < n and symbols[i + 1] in PAUSES):
                edges[i] = edges[i + 1]  # no silence between words of a phrase
            i += 1
            continue
        j = i
        while j < n and symbols[j] in PAUSES + " ":
            j += 1
        a, b = i, j  # symbols a..b-1 are a pause
        lo = edges[a - 1] if a > 0 else 0
        hi = edges[b + 1] + EARLY if b < n else late[-1]
        f0, f1 = int(lo // HOP), min(int(hi // HOP) + 1, len(quiet))
        start, stop = _longest(quiet[f0:f1])
        if stop > start:
            s, e = (f0 + start) * HOP, (f0 + stop) * HOP
            s = 0 if a == 0 else s
            e = late[-1] if b == n else max(min(e, edges[b + 1] - 40 * 24), s)
        else:
            s = e = edges[b] if b < n else late[-1]
        edges[a] = s
        edges[a + 1 : b + 1] = e
        if a > 0 and symbols[a - 1] == " ":
            edges[a - 1] = s
        i = j
    return [int(x) for x in np.maximum.accumulate(edges)]


def _longest(quiet: np.ndarray) -> tuple[int, int]:
    best = (0, 0)
    start = None
    for i, q in enumerate([*quiet.tolist(), False]):
        if q and start is None:
            start = i
        elif not q and start is not None:
            if i - start > best[1] - best[0]:
                best = (start, i)
            start = None
    return best


def _words(
    line: Line, spans: list[tuple[int, int]], offset: int, reading: Reading, times: list[int]
) -> tuple[Word, ...]:
    found = []
    last_end = times[0]
    for index, (first, last) in enumerate(spans):
        own = [i + 1 for i, w in enumerate(reading.words) if w == index]
        start, end = (times[own[0]], times[own[-1] + 1]) if own else (last_end, last_end)
        last_end = end
        found.append(Word(line.text[offset + first : offset + last], start, end, offset + first, offset + last))
    return tuple(found)
