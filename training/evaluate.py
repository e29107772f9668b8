"""`python -m training.evaluate --text FILE --data FOLDER [--json FILE]`: how right the shipped network's lips read.

Held-out sentences spoken by hibari, in its own voice and in two designs that were never trained on, and facegood's 3_*
recordings; what is measured is what leaves the engine, limits and smoothing included. Loudness stands beside it: the
same steps with the sound's level for an aperture, scaled to open as wide on open vowels as the teacher does.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from npc_engine.cast import VoiceSpec
from npc_engine.expression.aperture import aperture
from npc_engine.expression.audio2exp import Audio2Exp
from npc_engine.expression.network import Network
from npc_engine.expression.window import BEHIND
from npc_engine.moments import CHANNEL, TICK_MS, TICK_SAMPLES, Line, Phone, Sound, SpeechChunk
from npc_engine.speech.hibari_model import HibariModel
from training import facegood
from training.data import held_out, rows, sentences, speak
from training.metrics import Lips, match, open_level
from training.teacher import Lesson, teach

F32 = npt.NDArray[np.float32]

DESIGNS: Final = {
    "own": VoiceSpec("hibari"),
    "man": VoiceSpec("hibari", pitch=0.75, speed=0.95, range=1.1),
    "girl": VoiceSpec("hibari", pitch=1.1, speed=1.1, range=1.3),
}
LOOKAHEADS: Final = (0, 60, 120)
DEFAULT: Final = 60


@dataclass(frozen=True)
class Clip:
    """A sound, what is said in it, and what the mouth should do."""

    sound: Sound
    phones: tuple[Phone, ...]
    lesson: Lesson


def spoken(text: Path, limit: int) -> dict[str, list[Clip]]:
    """Held-out sentences in each design."""
    texts = [s for s in sentences(text) if held_out(s)][:limit]
    model = HibariModel()
    found: dict[str, list[Clip]] = {}
    for name, spec in DESIGNS.items():
        said = [speak(model, t, spec) for t in texts]
        found[name] = [Clip(sound, phones, teach(sound, phones)) for sound, phones in said]
    return found


def mouth(path: Path | None, lookahead_ms: int) -> Callable[[Sound], F32]:
    """Sound → exp50 f32[ticks, 50] as the engine lets them leave."""
    engine = Audio2Exp(path, lookahead_ms=lookahead_ms)

    def curves(sound: Sound) -> F32:
        ticks = len(sound) // TICK_SAMPLES
        chunk = SpeechChunk(Line("evaluation", "nobody", ""), 0, sound[: ticks * TICK_SAMPLES])
        told: F32 = np.stack([e.exp for e in engine.express([chunk])])
        return told[:ticks]

    return curves


def loudness(sound: Sound) -> F32:
    """The level of each tick over its neighbours' middle in dB, 0 at 30 dB under the loudest."""
    ticks = len(sound) // TICK_SAMPLES
    power = (sound[: ticks * TICK_SAMPLES].reshape(ticks, TICK_SAMPLES) ** 2).mean(axis=1)
    db = 10 * np.log10(power + 1e-8)
    over: F32 = np.maximum(db - db.max() + 30, 0).astype(np.float32)
    return over


def lips(curves: Sequence[F32], clips: Sequence[Clip], level: float) -> dict[str, float]:
    """Closure, opening, correlation and lag against the teacher's aperture."""
    counted = Lips(level)
    for index, (curve, clip) in enumerate(zip(curves, clips, strict=True)):
        counted.add(index, curve, clip.phones, aperture(clip.lesson.exp))
    truths = [np.maximum(aperture(c.lesson.exp), 0) for c in clips]
    return {**counted.figures(), **match([np.maximum(c, 0) for c in curves], truths)}


def viseme_accuracy(network: Network, clips: Sequence[Clip], lookahead: int) -> float:
    """Share of ticks whose most likely viseme is the one being said."""
    right = total = 0
    for clip in clips:
        _, logits, _ = network.step(rows(clip.sound)[None], network.start())
        guess = logits[0, lookahead:, BEHIND - lookahead].argmax(axis=1)
        truth = clip.lesson.visemes[: len(guess)]
        right += int((guess[: len(truth)] == truth).sum())
        total += len(truth)
    return round(right / total, 3)


def ms_per_tick(path: Path | None, sound: Sound) -> float:
    """Median milliseconds of the whole stage for a tick of a line that comes as one chunk."""
    curves, taken = mouth(path, DEFAULT), []
    for _ in range(7):
        began = time.perf_counter()
        curves(sound)
        taken.append((time.perf_counter() - began) * 1e3 / (len(sound) // TICK_SAMPLES))
    return round(float(np.median(taken)), 3)


def on_speech(path: Path | None, designs: dict[str, list[Clip]]) -> dict[str, Any]:
    """Figures on held-out speech, per design and over all, beside the teacher's own and loudness."""
    everything = [c for clips in designs.values() for c in clips]
    truths = [aperture(c.lesson.exp) for c in everything]
    phones = [c.phones for c in everything]
    level = open_level(truths, phones)
    quiet = [loudness(c.sound) for c in everything]
    quiet = [q * np.float32(level / open_level(quiet, phones)) for q in quiet]
    network = Network(path) if path else Network()
    found: dict[str, Any] = {
        "open_level": round(level, 3),
        "clips": len(everything),
        "baselines": {"teacher": lips(truths, everything, level), "loudness": lips(quiet, everything, level)},
    }
    for lookahead_ms in LOOKAHEADS:
        speakers = mouth(path, lookahead_ms)
        curves = {name: [aperture(speakers(c.sound)) for c in clips] for name, clips in designs.items()}
        joined = [c for each in curves.values() for c in each]
        figures = lips(joined, everything, level)
        figures["viseme_accuracy"] = viseme_accuracy(network, everything, lookahead_ms // TICK_MS)
        found[f"lookahead_{lookahead_ms}"] = figures
        if lookahead_ms == DEFAULT:
            found["designs"] = {name: lips(curves[name], clips, level) for name, clips in designs.items()}
    return found


def on_facegood(path: Path | None, folder: Path) -> dict[str, Any]:
    """Correlation and lag of the opening on recordings that were not trained on."""
    recorded = [facegood.clip(folder, name) for name in facegood.TEST]
    truths = [lesson.exp[:, CHANNEL["jawOpen"]] for _, lesson in recorded]
    found: dict[str, Any] = {"loudness": match([loudness(s) for s, _ in recorded], truths)}
    for lookahead_ms in LOOKAHEADS:
        curves = mouth(path, lookahead_ms)
        found[f"lookahead_{lookahead_ms}"] = match(
            [np.maximum(aperture(curves(sound)), 0) for sound, _ in recorded], truths
        )
    return found


def evaluate(path: Path | None, text: Path, data: Path, limit: int) -> dict[str, Any]:
    """All figures; those at the default look-ahead stand at the top."""
    designs = spoken(text, limit)
    speech = on_speech(path, designs)
    real = on_facegood(path, data / "facegood")
    best = speech[f"lookahead_{DEFAULT}"]
    return {
        "closure": best["closure"],
        "vowels_open": best["vowels_open"],
        "viseme_accuracy_tts": best["viseme_accuracy"],
        "lag_ms": best["lag_ms"],
        "opening_r": real[f"lookahead_{DEFAULT}"]["r_best"],
        "ms_per_tick": ms_per_tick(path, designs["own"][0].sound),
        "held_out_speech": speech,
        "facegood": real,
    }


def table(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    speech, real = figures["held_out_speech"], figures["facegood"]
    lines = [
        "| | closure | vowels open | shut wrongly | r | lag ms | visemes | facegood r | facegood lag ms |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    rows_of = {f"look-ahead {ms} ms": (speech[f"lookahead_{ms}"], real[f"lookahead_{ms}"]) for ms in LOOKAHEADS}
    rows_of["loudness"] = (speech["baselines"]["loudness"], real["loudness"])
    rows_of["teacher"] = (speech["baselines"]["teacher"], {})
    rows_of |= {f"design {name}, 60 ms": (each, {}) for name, each in speech["designs"].items()}
    for name, (a, b) in rows_of.items():
        cells = [a["closure"], a["vowels_open"], a["shut_wrongly"], a["r"], a["lag_ms"], a.get("viseme_accuracy", "")]
        lines.append(" | ".join(["| " + name, *map(str, cells), str(b.get("r_best", "")), f"{b.get('lag_ms', '')} |"]))
    return "\n".join(lines)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", type=Path, required=True, help="the sentences that training.data was given")
    parser.add_argument("--data", type=Path, required=True, help="folder with facegood/")
    parser.add_argument("--model", type=Path, help="an ONNX file other than the shipped one")
    parser.add_argument("--limit", type=int, default=1000, help="held-out sentences to speak")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    figures = evaluate(args.model, args.text, args.data, args.limit)
    print(table(figures))
    print(f"\n{figures['held_out_speech']['clips']} clips, {figures['ms_per_tick']} ms a tick")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
