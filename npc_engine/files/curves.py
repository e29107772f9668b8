"""The coefficients, words and marks of a line as .json or .npz."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from npc_engine.moments import EXP50, SAMPLE_RATE, TICK_MS, Exp, Mark, Moment, Word


class CurvesWriter:
    """Keeps coefficients (200 bytes a tick) and words, and writes them when closed.

    .npz holds `exp` f32[ticks, 50], `sound` f32[samples], `names`, `tick_ms`, `sample_rate`; .json the same without the
    sound, coefficients rounded to 4 digits, and the words and marks with their samples.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._exp: list[Exp] = []
        self._sound: list[Any] = []
        self._words: list[Word] = []
        self._marks: list[Mark] = []
        self._head: dict[str, Any] = {}

    def add(self, moment: Moment) -> None:
        """Take one tick of coefficients."""
        if not self._head:
            line = moment.line
            self._head = {"npc": line.npc, "text": line.text, "style": line.style, "emotion": line.emotion}
            self._head["strength"] = line.strength
        self._exp.append(moment.exp)
        self._words.extend(moment.words)
        self._marks.extend(moment.marks)
        if self._path.suffix == ".npz":
            self._sound.append(moment.sound)

    def close(self) -> None:
        """Write the file."""
        exp = np.stack(self._exp) if self._exp else np.zeros((0, len(EXP50)), np.float32)
        if self._path.suffix.lower() == ".npz":
            sound = np.concatenate(self._sound) if self._sound else np.zeros(0, np.float32)
            np.savez_compressed(
                self._path, exp=exp, sound=sound, names=np.array(EXP50), tick_ms=TICK_MS, sample_rate=SAMPLE_RATE
            )
            return
        table = {
            **self._head,
            "tick_ms": TICK_MS,
            "sample_rate": SAMPLE_RATE,
            "names": EXP50,
            "words": [asdict(word) for word in self._words],
            "marks": [asdict(mark) for mark in self._marks],
            "exp": [[round(float(v), 4) for v in row] for row in exp],
        }
        self._path.write_text(json.dumps(table, ensure_ascii=False) + "\n", encoding="utf-8")
