"""The coefficients, words and marks of a line as .json or .npz."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from npc_engine.moments import EXP50, SAMPLE_RATE, TICK_MS, Exp, Mark, Moment, Word
from npc_engine.retarget.arkit import HEAD, head
from npc_engine.retarget.targets import TARGETS


class CurvesWriter:
    """Keeps coefficients (200 bytes a tick) and words, and writes them when closed.

    .npz holds `exp` f32[ticks, 50], `sound` f32[samples], `channels`, `names`, `tick_ms`, `sample_rate`; .json the same
    without the sound, coefficients rounded to 4 digits, and the words and marks with their samples. `channels` is a key
    of `TARGETS`, KeyError otherwise; where it is not exp50, `weights` f32[ticks, len(names)] stand for `exp`, and
    beside them the pose `head` f32[ticks, 3] in radians, in the order of `head_names`.
    """

    def __init__(self, path: Path, channels: str = "exp50") -> None:
        self._path = path
        self._channels = channels
        self._target = TARGETS[channels]
        self._exp: list[Exp] = []
        self._sound: list[Any] = []
        self._words: list[Word] = []
        self._marks: list[Mark] = []
        self._about: dict[str, Any] = {}

    def add(self, moment: Moment) -> None:
        """Take one tick of coefficients."""
        if not self._about:
            line = moment.line
            self._about = {"npc": line.npc, "text": line.text, "style": line.style, "emotion": line.emotion}
            self._about["strength"] = line.strength
            if line.attitude:
                self._about["attitude"] = line.attitude
        self._exp.append(moment.exp)
        self._words.extend(moment.words)
        self._marks.extend(moment.marks)
        if self._path.suffix.lower() == ".npz":
            self._sound.append(moment.sound)

    def close(self) -> None:
        """Write the file."""
        exp = np.stack(self._exp) if self._exp else np.zeros((0, len(EXP50)), np.float32)
        shared: dict[str, Any] = {"channels": self._channels, "tick_ms": TICK_MS, "sample_rate": SAMPLE_RATE}
        shared["names"] = self._target.names
        curves: dict[str, Any] = {"exp": exp}
        if self._channels != "exp50":
            curves = {"weights": self._target.of(exp), "head": head(exp)}
            shared["head_names"] = HEAD
        if self._path.suffix.lower() == ".npz":
            sound = np.concatenate(self._sound) if self._sound else np.zeros(0, np.float32)
            with self._path.open("wb") as file:  # given a path, numpy adds .npz to .NPZ
                np.savez_compressed(file, sound=sound, **curves, **shared)
            return
        table = {
            **self._about,
            **shared,
            "words": [asdict(word) for word in self._words],
            "marks": [asdict(mark) for mark in self._marks],
            **{name: [[round(float(v), 4) for v in row] for row in curve] for name, curve in curves.items()},
        }
        self._path.write_text(json.dumps(table, ensure_ascii=False) + "\n", encoding="utf-8")
