"""The figures of other people's lip sync on the same clips, as far as they apply to it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from npc_engine.expression.aperture import aperture
from npc_engine.moments import CHANNEL, TICK_MS, Sound
from training import facegood
from training.baselines import NAMES, BaselineMissing, Curve, run
from training.evaluate_sets import Clip
from training.metrics import Labels, Lips, confusion, match, median_lag, open_level, velocity_error

F32 = npt.NDArray[np.float32]

MOST_TAKES: Final = 40  # some baselines take three seconds of a core for a second of sound


@dataclass(frozen=True)
class _Marks:
    clips: Sequence[Clip]
    truths: list[F32]
    level: float


def baselines(
    real: Sequence[Clip], takes: Sequence[Clip], folder: Path, packages: Path, cache: Path
) -> dict[str, dict[str, Any]]:
    """Name → figures on recorded English, up to 40 of the takes, and facegood in `folder`; what is missing is told.

    An opening is scaled to the set's open level by its own median top in open vowels, so that all are judged on one
    scale. The packages are kept in `packages`, the curves in `cache`.
    """
    sets = {"recorded": real, "tts": takes[:: max(len(takes) // MOST_TAKES, 1)][:MOST_TAKES]}
    marks = {
        name: _Marks(clips, truths, open_level(truths, [c.phones for c in clips]))
        for name, clips in sets.items()
        if clips
        for truths in [[aperture(c.lesson.exp) for c in clips]]
    }
    measured = [facegood.clip(folder, name) for name in facegood.TEST]
    found: dict[str, dict[str, Any]] = {}
    for name in NAMES:
        try:
            on = {
                key: _figures(_curves(name, [c.sound for c in m.clips], packages, cache), m) for key, m in marks.items()
            }
            jaws = _curves(name, [sound for sound, _ in measured], packages, cache)
        except (BaselineMissing, RuntimeError) as error:
            print(f"baseline {name} left out: {error}")
            continue
        r = match([c.opening for c in jaws], [lesson.exp[:, CHANNEL["jawOpen"]] for _, lesson in measured])
        found[name] = {"opening_r": r["r_best"], "opening_lag_ms": r["lag_ms"]}
        for key, figures in on.items():
            suffix = "" if key == "recorded" else "_tts"
            found[name] |= {
                (f"viseme_accuracy_{key}" if k == "viseme_accuracy" else k + suffix): v for k, v in figures.items()
            }
    return found


def _figures(curves: Sequence[Curve], marks: _Marks) -> dict[str, float]:
    phones = [c.phones for c in marks.clips]
    raw = [_whole(c.opening, len(t)) for c, t in zip(curves, marks.truths, strict=True)]
    top = open_level(raw, phones)
    openings = [o * np.float32(marks.level / max(top, 1e-3)) for o in raw]
    counted = Lips(marks.level)
    for index, (curve, said, truth) in enumerate(zip(openings, phones, marks.truths, strict=True)):
        counted.add(index, curve, said, truth)
    found = counted.figures() | {
        "lag_ms": median_lag(openings, marks.truths),
        "velocity_error": velocity_error(openings, marks.truths),
        "ms_per_tick": round(float(np.mean([c.cpu_ms_per_s for c in curves])) * TICK_MS / 1e3, 3),
    }
    named = [c.visemes for c in curves if c.visemes is not None]
    if len(named) == len(curves):
        found["viseme_accuracy"] = confusion(named, [c.lesson.visemes for c in marks.clips]).figures()["accuracy"]
    return found


def _whole(curve: F32, ticks: int) -> F32:
    """The curve at the length of the clip: what is short by a tick holds its last value."""
    return np.pad(curve, (0, max(ticks - len(curve), 0)), mode="edge")[:ticks]


def _curves(name: str, sounds: Sequence[Sound], packages: Path, cache: Path) -> list[Curve]:
    """From the cache when this baseline has heard these sounds before."""
    digest = hashlib.blake2b(digest_size=8)
    for sound in sounds:
        digest.update(sound.tobytes())
    path = cache / f"baseline-{name.replace(' ', '-')}-{digest.hexdigest()}.npz"
    if not path.is_file():
        curves = run(name, sounds, packages)
        lengths = [len(c.opening) for c in curves]
        silent = [np.zeros(0, np.uint8) if c.visemes is None else c.visemes for c in curves]
        np.savez(
            path,
            opening=np.concatenate([c.opening for c in curves]),
            visemes=np.concatenate(silent),
            lengths=np.array(lengths),
            cpu=np.array([c.cpu_ms_per_s for c in curves]),
        )
    with np.load(path) as kept:
        edges = np.cumsum(kept["lengths"])[:-1]
        openings: list[F32] = np.split(kept["opening"], edges)
        named: Sequence[Labels | None] = (
            np.split(kept["visemes"], edges) if len(kept["visemes"]) else [None] * len(openings)
        )
        return [Curve(o, v, float(c)) for o, v, c in zip(openings, named, kept["cpu"], strict=True)]
