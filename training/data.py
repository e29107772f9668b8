"""`python -m training.data --text FILE --data FOLDER --out FOLDER`: speech, its mel and its lessons, in shards.

Sentences are spoken by hibari in many designs and taught by `training.teacher`; facegood's 2_* bring a real speaker
with measured curves; silence and noise teach a still face. A shard that is there is not made again, so a run that was
stopped goes on.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from npc_engine.cast import VoiceSpec
from npc_engine.expression import mel
from npc_engine.moments import EXP50, SAMPLE_RATE, TICK_SAMPLES, Line, Phone, Sound
from npc_engine.speech.hibari import HibariEngine
from npc_engine.speech.hibari_model import HibariModel
from npc_engine.speech.voice import CastVoice
from training import facegood
from training.augment import Room, augmented, rooms
from training.teacher import Lesson, teach

HELD_OUT_PERCENT: Final = 6
HELD_OUT_PITCH: Final = ((0.72, 0.79), (1.07, 1.13))  # designs in these ranges are never trained on
SHARD: Final = 60  # sentences
TAUGHT, STILL, FACEGOOD = 0, 1, 2


@dataclass(frozen=True)
class Clip:
    """A sound with its lesson."""

    sound: Sound
    lesson: Lesson
    kind: int = TAUGHT


def held_out(sentence: str) -> bool:
    """Whether a sentence is kept for evaluation; depends on its words alone."""
    return hashlib.blake2b(sentence.encode("utf-8"), digest_size=8).digest()[0] * 100 < HELD_OUT_PERCENT * 256


def sentences(text: Path) -> list[str]:
    """The sentences of a text file, one a line."""
    return [line.strip() for line in text.read_text(encoding="utf-8").splitlines() if line.strip()]


def speak(model: HibariModel, sentence: str, spec: VoiceSpec) -> tuple[Sound, tuple[Phone, ...]]:
    """Sound and phones of a sentence in the voice `spec`."""
    chunks = list(
        CastVoice(HibariEngine(model, spec, "training"), spec, "training").speak(Line("training", "training", sentence))
    )
    return np.concatenate([c.samples for c in chunks]), tuple(p for c in chunks for p in c.phones)


def design(rng: np.random.Generator) -> VoiceSpec:
    """A voice to train on, its pitch outside of what is held out."""
    while True:
        pitch = float(np.exp(rng.uniform(np.log(0.68), np.log(1.25)))) if rng.random() < 0.8 else 1.0
        if not any(low <= pitch <= high for low, high in HELD_OUT_PITCH):
            break
    return VoiceSpec(
        "hibari", pitch=round(pitch, 2), speed=round(rng.uniform(0.8, 1.3), 2), range=round(rng.uniform(0.2, 1.6), 2)
    )


def rows(sound: Sound) -> npt.NDArray[np.float32]:
    """The network's input f32[ticks, 160] for a whole sound."""
    ticks = len(sound) // TICK_SAMPLES
    heard, _ = mel.step(sound[: ticks * TICK_SAMPLES], mel.start())
    return heard.reshape(ticks, 2 * mel.BANDS)


def spoken(model: HibariModel, texts: list[str], place: list[Room], seed: int) -> Iterator[Clip]:
    """Each sentence in a design of its own; half of them through noise, rooms and narrow bands."""
    for index, text in enumerate(texts):
        rng = np.random.default_rng([seed, index])
        sound, phones = speak(model, text, design(rng))
        lesson = teach(sound, phones)
        yield Clip(augmented(sound, place, rng), lesson)


def still(place: list[Room], seed: int, count: int) -> Iterator[Clip]:
    """Silence and noise of 2–6 s, in which the face stays still."""
    for index in range(count):
        rng = np.random.default_rng([seed, index])
        ticks = int(rng.integers(100, 300))
        sound = np.zeros(ticks * TICK_SAMPLES, np.float32)
        if rng.random() < 0.8:
            noise = place[0].noise(rng, len(sound))
            sound = noise * np.float32(10 ** (rng.uniform(-65, -24) / 20))
        lesson = Lesson(np.zeros((ticks, len(EXP50)), np.float32), np.zeros(ticks, np.uint8), np.zeros(ticks, np.bool_))
        yield Clip(sound, lesson, STILL)


def save(path: Path, clips: Iterator[Clip]) -> None:
    """Write clips as one shard, whole or not at all."""
    columns: dict[str, list[npt.NDArray[Any]]] = {"mel": [], "exp": [], "visemes": [], "sealed": []}
    kinds, lengths = [], []
    for clip in clips:
        heard = rows(clip.sound)
        n = min(len(heard), len(clip.lesson.exp))
        lesson = clip.lesson
        taught: tuple[npt.NDArray[Any], ...] = (
            heard.astype(np.float16), lesson.exp.astype(np.float16), lesson.visemes, lesson.sealed,
        )  # fmt: skip
        for column, values in zip(columns.values(), taught, strict=True):
            column.append(values[:n])
        kinds.append(clip.kind)
        lengths.append(n)
    part = path.with_suffix(".part.npz")
    joined = {name: np.concatenate(column) for name, column in columns.items()}
    joined |= {"kinds": np.array(kinds, np.uint8), "lengths": np.array(lengths)}
    np.savez(part, **joined)  # type: ignore[arg-type]
    part.replace(path)


def build(text: Path, data: Path, out: Path, passes: int) -> None:
    """Make all shards that are not there yet: `passes` designs of every training sentence, stillness, facegood."""
    out.mkdir(parents=True, exist_ok=True)
    texts = [s for s in sentences(text) if not held_out(s)]
    jobs = [(p, at) for p in range(passes) for at in range(0, len(texts), SHARD)]
    model, place = HibariModel(), rooms(data / "augment")
    for number, at in tqdm(jobs, desc="spoken", unit="shard"):
        path = out / f"spoken-{number}-{at:05d}.npz"
        if not path.exists():
            save(path, spoken(model, texts[at : at + SHARD], place, seed=1000 * number + at))
    if not (out / "still.npz").exists():
        save(out / "still.npz", still(place, 7, 30 * passes))
    for name in facegood.TRAINING:
        path = out / f"facegood-{name}.npz"
        if not path.exists():
            sound, lesson = facegood.clip(data / "facegood", name)
            rng = np.random.default_rng(11)
            copies = (Clip(sound if i == 0 else augmented(sound, place, rng), lesson, FACEGOOD) for i in range(2))
            save(path, copies)


def load(folder: Path) -> dict[str, npt.NDArray[Any]]:
    """All shards of a folder as one: mel, exp, visemes, sealed by tick, `kind` by tick, and `begins` of every clip."""
    shards = [np.load(path) for path in sorted(folder.glob("*.npz")) if not path.name.endswith(".part.npz")]
    if not shards:
        raise FileNotFoundError(f"{folder} holds no shards; make them with python -m training.data")
    joined = {key: np.concatenate([s[key] for s in shards]) for key in ("mel", "exp", "visemes", "sealed")}
    lengths = np.concatenate([s["lengths"] for s in shards])
    joined["kind"] = np.repeat(np.concatenate([s["kinds"] for s in shards]), lengths)
    joined["begins"] = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    return joined


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", type=Path, required=True, help="sentences, one a line")
    parser.add_argument("--data", type=Path, required=True, help="folder with augment/ and facegood/")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--passes", type=int, default=3, help="designs that speak every sentence")
    args = parser.parse_args()
    build(args.text, args.data, args.out, args.passes)
    ticks = len(load(args.out)["mel"])
    print(f"{args.out}: {ticks * TICK_SAMPLES / SAMPLE_RATE / 3600:.2f} h")


if __name__ == "__main__":
    main()
