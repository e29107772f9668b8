"""The figures of other people's lip sync on the same clips, as far as they apply to it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from npc_engine.expression.aperture import aperture
from npc_engine.moments import CHANNEL, TICK_MS, Sound
from training import facegood
from training.baselines import NAMES, BaselineMissing, Curve, run
from training.evaluate_sets import Clip
from training.metrics import Lips, confusion, match, median_lag, open_level, velocity_error

F32 = npt.NDArray[np.float32]

MOST_TAKES: Final = 40  # some baselines take three seconds of a core for a second of sound
TOGETHER: Final = 16  # sounds that a baseline is started for


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
        truths = [lesson.exp for _, lesson in measured]
        r = match([c.opening for c in jaws], [np.maximum(aperture(t), 0) for t in truths])
        jaw = match([c.opening for c in jaws], [t[:, CHANNEL["jawOpen"]] for t in truths])
        found[name] = {"opening_r": r["r_best"], "opening_lag_ms": r["lag_ms"], "opening_r_jaw": jaw["r_best"]}
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
        "r": match(openings, [np.maximum(t, 0) for t in marks.truths])["r"],
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
    """What the baseline does for each sound; what it has heard before is kept in one file a baseline."""
    path = cache / f"baseline-{name.replace(' ', '-')}.npz"
    kept: dict[str, npt.NDArray[Any]] = {}
    if path.is_file():
        with np.load(path) as file:
            kept = dict(file)
    keys = [hashlib.blake2b(s.tobytes(), digest_size=8).hexdigest() for s in sounds]
    new = [i for i, key in enumerate(keys) if f"{key} opening" not in kept]
    for at in tqdm(range(0, len(new), TOGETHER), desc=name, disable=not new):  # kept piece by piece: some take an hour
        part = new[at : at + TOGETHER]
        for index, curve in zip(part, run(name, [sounds[i] for i in part], packages), strict=True):
            kept[f"{keys[index]} opening"] = curve.opening
            kept[f"{keys[index]} cpu"] = np.array(curve.cpu_ms_per_s)
            if curve.visemes is not None:
                kept[f"{keys[index]} visemes"] = curve.visemes
        np.savez(path, **kept)  # type: ignore[arg-type]
    return [Curve(kept[f"{k} opening"], kept.get(f"{k} visemes"), float(kept[f"{k} cpu"])) for k in keys]
