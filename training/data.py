"""`python -m training.data --text FILE --takes FOLDER --data FOLDER --out FOLDER`: all that training reads, in shards.

Takes of `training.takes` are taught by `training.teacher`; facegood's 2_* bring a real speaker with measured curves;
silence and noise teach a still face. A shard that is there is not made again, so a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from npc_engine.expression import mel
from npc_engine.moments import EXP50, SAMPLE_RATE, TICK_SAMPLES, Sound
from training import facegood
from training.augment import Room, damaged, rooms
from training.takes import Amounts, read, record
from training.teacher import Lesson, teach

TAUGHT, STILL, FACEGOOD, HUMAN = 0, 1, 2, 3
"""Kinds of clips; `HUMAN` is taught too, but by voices that are many and sound recorded, and so is drawn more often."""

STILL_CLIPS: Final = 150


@dataclass(frozen=True)
class Clip:
    """A sound with its lesson."""

    sound: Sound
    lesson: Lesson
    kind: int = TAUGHT


def rows(sound: Sound) -> npt.NDArray[np.float32]:
    """The network's input f32[ticks, 160] for a whole sound."""
    ticks = len(sound) // TICK_SAMPLES
    heard, _ = mel.step(sound[: ticks * TICK_SAMPLES], mel.start())
    return heard.reshape(ticks, 2 * mel.BANDS)


def taken(path: Path) -> Iterator[Clip]:
    """The takes of a shard of `training.takes`, taught."""
    for take in read(path):
        kind = HUMAN if take.engine == "kokoro" else TAUGHT
        yield Clip(take.sound, teach(take.sound, take.phones, language=take.language), kind)


def still(place: Room, seed: int, count: int) -> Iterator[Clip]:
    """Silence, noise and clicks of 2–6 s, in which the face stays still."""
    for index in range(count):
        rng = np.random.default_rng([seed, index])
        ticks = int(rng.integers(100, 300))
        sound = np.zeros(ticks * TICK_SAMPLES, np.float32)
        if rng.random() < 0.85:
            noise = place.noise(rng, len(sound))
            sound = noise * np.float32(10 ** (rng.uniform(-65, -20) / 20))
        if rng.random() < 0.15:
            for at in rng.integers(0, len(sound) - 480, int(rng.integers(1, 5))):
                click = np.exp(-np.arange(480) / rng.uniform(10, 120)) * rng.standard_normal(480)
                sound[at : at + 480] += np.float32(rng.uniform(0.02, 0.4)) * click.astype(np.float32)
        lesson = Lesson(np.zeros((ticks, len(EXP50)), np.float32), np.zeros(ticks, np.uint8), np.zeros(ticks, np.bool_))
        yield Clip(sound, lesson, STILL)


def save(path: Path, clips: Iterator[Clip], place: Room, seed: int) -> None:
    """Write clips as one shard, whole or not at all: each clip's mel as it is and as a damaged sound has it."""
    columns: dict[str, list[npt.NDArray[Any]]] = {k: [] for k in ("mel", "damaged", "exp", "visemes", "sealed")}
    kinds, lengths = [], []
    for index, clip in enumerate(clips):
        rng = np.random.default_rng([seed, index])
        lesson = clip.lesson
        worse = damaged(clip.sound, place, rng) if clip.kind != STILL else clip.sound
        heard = [rows(clip.sound).astype(np.float16), rows(worse).astype(np.float16)]
        n = min(len(heard[0]), len(lesson.exp))
        taught: tuple[npt.NDArray[Any], ...] = (*heard, lesson.exp.astype(np.float16), lesson.visemes, lesson.sealed)
        for column, values in zip(columns.values(), taught, strict=True):
            column.append(values[:n])
        kinds.append(clip.kind)
        lengths.append(n)
    joined: dict[str, npt.NDArray[Any]] = {name: np.concatenate(column) for name, column in columns.items()}
    joined |= {"kinds": np.array(kinds, np.uint8), "lengths": np.array(lengths)}
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(file, **joined)  # type: ignore[arg-type]
    part.replace(path)


def _teach(task: tuple[Path, Path, Path]) -> None:
    source, path, data = task
    save(path, taken(source), rooms(data / "augment"), seed=sum(path.stem.encode()))


def build(takes: Path, data: Path, out: Path, processes: int) -> None:
    """Make all shards that are not there yet: every take that is not held out, stillness, facegood."""
    out.mkdir(parents=True, exist_ok=True)
    sources = [p for p in sorted(takes.glob("*.npz")) if not p.name.startswith("test-")]
    if not sources:
        raise FileNotFoundError(f"{takes} holds no takes; make them with python -m training.takes")
    place = rooms(data / "augment")
    if not (out / "still.npz").exists():
        save(out / "still.npz", still(place, 7, STILL_CLIPS), place, 0)
    for name in facegood.TRAINING:
        path = out / f"facegood-{name}.npz"
        if not path.exists():
            sound, lesson = facegood.clip(data / "facegood", name)
            save(path, iter([Clip(sound, lesson, FACEGOOD)]), place, 11)
    left = [(p, out / p.name, data) for p in sources if not (out / p.name).exists()]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for _ in tqdm(pool.imap_unordered(_teach, left), total=len(left), desc="teaching", unit="shard"):
            pass


def load(folder: Path) -> dict[str, npt.NDArray[Any]]:
    """All shards of a folder as one: mel, damaged, exp, visemes, sealed by tick, `kind` by tick, `begins` of clips."""
    shards = [np.load(path) for path in sorted(folder.glob("*.npz"))]
    if not shards:
        raise FileNotFoundError(f"{folder} holds no shards; make them with python -m training.data")
    keys = ("mel", "damaged", "exp", "visemes", "sealed")
    joined = {key: np.concatenate([s[key] for s in shards]) for key in keys}
    lengths = np.concatenate([s["lengths"] for s in shards])
    joined["kind"] = np.repeat(np.concatenate([s["kinds"] for s in shards]), lengths)
    joined["begins"] = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    return joined


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", type=Path, help="English sentences, one a line: speak what takes are missing first")
    parser.add_argument("--takes", type=Path, required=True, help="folder of takes, see training.takes")
    parser.add_argument("--data", type=Path, required=True, help="folder with augment/ and facegood/")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    if args.text:
        record(args.text, args.takes, Amounts(), args.processes)
    build(args.takes, args.data, args.out, args.processes)
    shards = load(args.out)
    hours = {
        name: round(float((shards["kind"] == kind).sum()) * TICK_SAMPLES / SAMPLE_RATE / 3600, 2)
        for name, kind in (("taught", TAUGHT), ("human", HUMAN), ("still", STILL), ("facegood", FACEGOOD))
    }
    print(json.dumps({"folder": str(args.out), "hours": hours}))


if __name__ == "__main__":
    main()
