"""`python -m training.evaluate --data DATA --takes FOLDER --json FILE --plots FOLDER`: how right a network's lips read.

Recorded English aligned with its words, takes of voices and sentences that were held out, and facegood's 3_*. What is
measured is what leaves the engine, limits and smoothing included, at six look-aheads; visemes are read from the network
and, apart from that, from the shape of the mouth. What the figures mean is written at `training.metrics`.
"""

from __future__ import annotations

import argparse
import inspect
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from npc_engine.expression import mel
from npc_engine.expression.aperture import aperture
from npc_engine.expression.audio2exp import Audio2Exp
from npc_engine.expression.network import SHIPPED, Network
from npc_engine.moments import CHANNEL, EMOTIONS, SAMPLE_RATE, TICK_MS, TICK_SAMPLES, Line, Phone, Sound, SpeechChunk
from npc_engine.retarget.visemes import oculus15
from training import facegood
from training.align import align
from training.evaluate_baselines import baselines
from training.evaluate_cost import cost, machine
from training.evaluate_sets import LABELLED, Clip, drowned, noises, recorded, spoken, whole
from training.metrics import (
    Labels,
    confusion,
    lips,
    match,
    median_lag,
    open_level,
    read_at,
    stillness,
    velocity_error,
)
from training.plot import draw
from training.report import plots, table
from training.sounds import read

F32 = npt.NDArray[np.float32]

LOOKAHEADS: Final = (-60, -20, 0, 20, 60, 120)
DEFAULT: Final[int] = inspect.signature(Audio2Exp).parameters["lookahead_ms"].default
SNR_DB: Final = 10.0
STILL_S: Final = 10
HISS_DB: Final = -40.0  # RMS of noise alone, of full scale
MOST_EMOTIONAL: Final = 40  # clips that are said under every emotion
WITHIN: Final = 0.03  # that a figure may lose under an emotion


class Mouth:
    """What leaves the engine at one look-ahead."""

    def __init__(self, path: Path, lookahead_ms: int) -> None:
        self._engine = Audio2Exp(path, lookahead_ms=lookahead_ms)

    def exp(self, sound: Sound, phones: tuple[Phone, ...] = (), emotion: str = "neutral") -> F32:
        """exp50 f32[ticks, 50] of a sound of whole ticks; with `phones`, as a voice that knows its phones gives it."""
        line = Line("evaluation", "nobody", "", emotion=emotion)
        told = self._engine.express([SpeechChunk(line, 0, sound, phones)])
        exps: F32 = np.stack([e.exp for e in told])[: len(sound) // TICK_SAMPLES]
        return exps


def heard(network: Network, sound: Sound) -> F32:
    """The network's viseme logits f32[ticks, 10, 15] for a whole sound."""
    rows, _ = mel.step(sound, mel.start())
    _, logits, _ = network.step(rows.reshape(1, -1, 2 * mel.BANDS), network.start())
    return np.asarray(logits[0], np.float32)


class Marks:
    """What a set of clips is measured against: the teacher's curves, and their open level."""

    def __init__(self, clips: Sequence[Clip]) -> None:
        self.clips = clips
        self.phones = [c.phones for c in clips]
        self.apertures = [aperture(c.lesson.exp) for c in clips]
        self.visemes = [c.lesson.visemes for c in clips]
        self.level = open_level(self.apertures, self.phones)

    def mouth(self, exps: Sequence[F32]) -> dict[str, Any]:
        """Figures of curves exp50 f32[ticks, 50], one a clip."""
        curves = [aperture(e) for e in exps]
        seen = confusion([_seen(e) for e in exps], self.visemes).figures()
        return {
            **lips(exps, self.phones, self.apertures, self.level),
            **match([np.maximum(c, 0) for c in curves], [np.maximum(t, 0) for t in self.apertures]),
            "lag_ms": median_lag(curves, self.apertures),
            "velocity_error": velocity_error(curves, self.apertures),
            "viseme_accuracy_shape": seen["accuracy"],
        }

    def only(self, chosen: Sequence[int]) -> Marks:
        """The same for some of the clips, at the open level of all."""
        part = Marks.__new__(Marks)
        part.clips, part.level = [self.clips[i] for i in chosen], self.level
        for name in ("phones", "apertures", "visemes"):
            setattr(part, name, [getattr(self, name)[i] for i in chosen])
        return part


def _seen(exp: F32) -> Labels:
    likeliest: Labels = oculus15(exp).argmax(axis=-1).astype(np.uint8)
    return likeliest


def on_clips(path: Path, clips: Sequence[Clip], hum: Sequence[Sound], name: str) -> dict[str, Any]:
    """All figures of a set: by look-ahead, with phones, under noise, by group; the teacher's own beside them."""
    marks, network = Marks(clips), Network(path)
    logits = [heard(network, c.sound) for c in tqdm(clips, desc=f"{name}: network", unit="clip")]
    found: dict[str, Any] = {
        "clips": len(clips),
        "seconds": round(sum(len(c.sound) for c in clips) / SAMPLE_RATE),
        "open_level": round(marks.level, 3),
        "teacher": marks.mouth([c.lesson.exp for c in clips]),
        "lookahead": {},
    }
    for lookahead_ms in LOOKAHEADS:
        mouth = Mouth(path, lookahead_ms)
        exps = [mouth.exp(c.sound) for c in tqdm(clips, desc=f"{name}: {lookahead_ms} ms", unit="clip")]
        guesses = [read_at(each, lookahead_ms // TICK_MS) for each in logits]
        read = confusion(guesses, marks.visemes)
        found["lookahead"][lookahead_ms] = marks.mouth(exps) | {"viseme_accuracy": read.figures()["accuracy"]}
        if lookahead_ms == DEFAULT:
            found["visemes"] = read.figures() | {"confusion": read.counts.tolist()}
            found["groups"] = _groups(marks, exps, guesses)
            found["with_phones"] = marks.mouth([mouth.exp(c.sound, c.phones) for c in clips])
    loud = drowned(clips, hum, SNR_DB)
    mouth = Mouth(path, DEFAULT)
    guesses = [read_at(heard(network, c.sound), DEFAULT // TICK_MS) for c in loud]
    under = confusion(guesses, marks.visemes).figures()
    found["noise_10_db"] = marks.mouth([mouth.exp(c.sound) for c in loud]) | {"viseme_accuracy": under["accuracy"]}
    return found


def _groups(marks: Marks, exps: Sequence[F32], guesses: Sequence[Labels]) -> dict[str, Any]:
    """The same figures for each corpus, voice and language."""
    members: dict[str, list[int]] = defaultdict(list)
    for index, clip in enumerate(marks.clips):
        members[clip.group].append(index)
        members[clip.language].append(index)
    found = {}
    for group, chosen in sorted(members.items()):
        part = marks.only(chosen)
        figures = part.mouth([exps[i] for i in chosen])
        read = confusion([guesses[i] for i in chosen], part.visemes).figures()
        found[group] = {"clips": len(chosen), "viseme_accuracy": read["accuracy"], **figures}
    return found


def on_facegood(path: Path, folder: Path) -> dict[str, Any]:
    """Correlation and lag of the opening on recordings that were not trained on, per file and joined.

    The aperture of what leaves the engine, never under 0, against the recorded jawOpen and against the aperture of the
    recorded curves; and jawOpen against jawOpen.
    """
    clips = [facegood.clip(folder, name) for name in facegood.TEST]
    found: dict[str, Any] = {}
    for lookahead_ms in LOOKAHEADS:
        mouth = Mouth(path, lookahead_ms)
        exps = [mouth.exp(sound) for sound, _ in clips]
        found[str(lookahead_ms)] = opening([_opened(e) for e in exps], [lesson.exp for _, lesson in clips])
        jaws = [e[:, CHANNEL["jawOpen"]] for e in exps]
        found[str(lookahead_ms)]["jaw_to_jaw"] = match(jaws, [lesson.exp[:, CHANNEL["jawOpen"]] for _, lesson in clips])
    return found


def opening(curves: Sequence[F32], truths: Sequence[F32]) -> dict[str, Any]:
    """How openings f32[ticks] of facegood's test files match recorded curves f32[ticks, 50]."""
    jaws, gaps = [t[:, CHANNEL["jawOpen"]] for t in truths], [_opened(t) for t in truths]
    found: dict[str, Any] = {"jaw": match(curves, jaws), "aperture": match(curves, gaps)}
    for name, curve, jaw, gap in zip(facegood.TEST, curves, jaws, gaps, strict=True):
        found[name] = {"jaw": match([curve], [jaw]), "aperture": match([curve], [gap])}
    return found


def _opened(exp: F32) -> F32:
    open_by: F32 = np.maximum(aperture(exp), 0)
    return open_by


def at_rest(path: Path, hum: Sequence[Sound]) -> dict[str, Any]:
    """Stillness in 10 s of silence and in 10 s of each recorded noise alone."""
    mouth, samples = Mouth(path, DEFAULT), STILL_S * SAMPLE_RATE
    level = np.float32(10 ** (HISS_DB / 20))
    return {
        "silence": stillness([mouth.exp(np.zeros(samples, np.float32))]),
        "noise_minus_40_dbfs": stillness([mouth.exp(level * np.resize(noise, samples)) for noise in hum]),
    }


def emotions(path: Path, clips: Sequence[Clip]) -> dict[str, Any]:
    """What each emotion at full strength leaves of closure, opening, contact and the visemes that the shape shows."""
    step = max(len(clips) // MOST_EMOTIONAL, 1)
    marks, mouth = Marks(clips[::step][:MOST_EMOTIONAL]), Mouth(path, DEFAULT)
    keys = ("closure", "vowels_open", "fv_contact", "viseme_accuracy_shape")
    found: dict[str, Any] = {}
    for emotion in tqdm(EMOTIONS, desc="emotions"):
        figures = marks.mouth([mouth.exp(c.sound, (), emotion) for c in marks.clips])
        found[emotion] = {key: figures[key] for key in keys if key in figures}
        lost = {key: found["neutral"][key] - value for key, value in found[emotion].items()}
        found[emotion]["within_3_points"] = max(lost.values()) <= WITHIN + 1e-9
    return found


def evaluate(
    path: Path, data: Path, cache: Path, *, takes: Path | None = None, limit: int = 1000, packages: Path | None = None
) -> dict[str, Any]:
    """All figures; those at the default look-ahead stand at the top.

    Alignments and the curves of baselines are kept in the folder `cache`; without `takes` there are no figures on
    held-out voices, without `packages`, the folder for the baselines' packages, none of baselines.
    """
    hum = noises(data)
    real = recorded(data, cache / "alignment.json", limit)
    said, unsaid = spoken(takes, limit) if takes else ([], {})
    for name, why in (real.left_out | unsaid).items():
        print(f"left out: {name}: {why}")
    sets: dict[str, dict[str, Any]] = {"recorded": on_clips(path, real.clips, hum, "recorded")}
    if said:
        sets["tts"] = on_clips(path, said, hum, "takes")
    measured = on_facegood(path, data / "facegood")
    best = {name: each["lookahead"][DEFAULT] for name, each in sets.items()}
    top: dict[str, Any] = {f"viseme_accuracy_{name}": each["viseme_accuracy"] for name, each in best.items()}
    for name, each in sets.items():
        suffix = "" if name == "recorded" else "_tts"
        top["closure" + suffix] = best[name]["closure"]
        top["closure_with_phones" + suffix] = each["with_phones"]["closure"]
        for key in ("vowels_open", "shut_wrongly", "fv_contact", "viseme_accuracy_shape", "velocity_error", "lag_ms"):
            top[key + suffix] = best[name].get(key)
        top["viseme_accuracy_noise" + suffix] = each["noise_10_db"]["viseme_accuracy"]
    top["opening_r"] = measured[str(DEFAULT)]["aperture"]["r_best"]
    top |= cost(path, real.clips[0].sound)
    errors = np.array(real.errors)
    found = {
        **top,
        "lookahead_ms": DEFAULT,
        "machine": machine(),
        "network": {key: Network(path).about.get(key, "") for key in ("parameters", "shape")},
        "sets": sets,
        "facegood": measured,
        "still": at_rest(path, hum),
        "emotions": emotions(path, said or real.clips),
        "alignment": {"boundaries": len(errors), "left_out": real.left_out | unsaid},
        "baselines": {},
    }
    if len(errors):
        found["alignment"] |= {"median_ms": float(np.median(errors)), "mean_abs_ms": float(np.abs(errors).mean())}
    if packages:
        found["baselines"] = baselines(real.clips, said, data / "facegood", packages, cache)
    return found


def _draw(path: Path, data: Path, out: Path) -> None:
    """A recording with the teacher's curves and the network's."""
    name, words = next(iter(LABELLED.items()))
    sound = whole(read(data / "phone_aligned" / f"{name}.wav"))
    draw(sound, align(sound, words), Mouth(path, DEFAULT).exp(sound), out)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with ljspeech/, mfa_speech/, facegood/ …")
    parser.add_argument("--takes", type=Path, help="folder that training.takes wrote")
    parser.add_argument("--model", type=Path, default=SHIPPED, help="an ONNX file other than the shipped one")
    parser.add_argument("--limit", type=int, default=1000, help="clips of each set, for a quick look")
    parser.add_argument("--baselines", type=Path, help="run the baselines too; folder for their packages")
    parser.add_argument("--json", type=Path, required=True, help="the record; alignments are kept beside it")
    parser.add_argument("--plots", type=Path, help="folder for the model card's pictures")
    args = parser.parse_args()
    asked = {"takes": args.takes, "limit": args.limit, "packages": args.baselines}
    figures = evaluate(args.model, args.data, args.json.parent, **asked)
    args.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(table(figures))
    if args.plots:
        plots(figures, args.plots)
        _draw(args.model, args.data, args.plots / "recorded.png")


if __name__ == "__main__":
    main()
