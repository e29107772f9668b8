"""Kokoro's voices: 82 million parameters, English, Chinese and Japanese, with phone and word times."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from npc_engine.cast import CastError, VoiceSpec, near
from npc_engine.moments import Sound
from npc_engine.speech import chinese, japanese
from npc_engine.speech.engine import LEAD, TAIL, Take
from npc_engine.speech.errors import NotInstalled
from npc_engine.speech.hibari_model import HibariModel, Plan
from npc_engine.speech.hibari_prosody import Manner
from npc_engine.speech.hibari_times import timed
from npc_engine.speech.kokoro_generator import Moments
from npc_engine.speech.kokoro_model import FRAME, KokoroModel, Style, load_style
from npc_engine.speech.kokoro_reading import KokoroReader, heard, mouth_symbol, reader
from npc_engine.speech.kokoro_weights import KOKORO, REMEDY, checked_weights, installed_file
from npc_engine.speech.stretch import Stretch, ratio
from npc_engine.speech.timed_takes import timed_takes
from npc_engine.text.phrases import Phrase

F32 = npt.NDArray[np.float32]

STYLES: Final = Path(__file__).parent / "kokoro_styles"
_RELEASE: Final = 3  # of what this package makes of the weights; part of every key of the cache
_VOICED_HZ: Final = 40.0
_BREATH: Final = 2.0  # Kokoro plans breath in pauses this much louder than hibari, whose thresholds hibari_times has


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a phrase is made to sound: the melody before the stretch, and the stretch."""

    step: Fraction
    f0: F32  # f32[frames], Hz


class KokoroEngine:
    """A style of Kokoro's, or a blend of several, higher or lower, faster or slower, as `spec` says."""

    slow = False  # after the plan of a sentence, 0.3 s of sound need as long for a long one as for a short one

    def __init__(self, model: KokoroModel, style: Style, reading: KokoroReader, spec: VoiceSpec, name: str) -> None:
        self._model = model
        self._style = style
        self._reader = reading
        self._spec = spec
        self._name = name
        blend = " ".join(f"{style} {share}" for style, share in sorted(spec.blend.items()))
        self.key = (
            f"kokoro {model.release} {_RELEASE} {spec.language} {blend} pitch {spec.pitch} formant {spec.formant}"
            f" speed {spec.speed} range {spec.range}"
        )

    def check(self, text: str) -> None:
        """Raise `SpeechError` for letters that this voice can't speak."""
        self._reader.check(text, self._name)

    def speak(self, phrase: Phrase) -> Generator[Take, None, None]:
        """Yield the phrase's speech in pieces; closing the iterator stops the work."""
        readings = self._reader.read(phrase)
        manner = Manner.of(phrase)
        step = ratio(self._spec.formant or self._spec.pitch)  # the stretch moves formants and pitch together
        speed = self._spec.speed / float(step)
        told = 0  # how many of the phrase's words are out
        at = 0
        for number, reading in enumerate(readings, 1):
            final = number == len(readings)
            until = len(phrase.words) if final else max(told, *(w + 1 for w in reading.words))
            plan = self._model.plan(reading, self._style, manner.speeds(reading, speed))
            factor = np.float32(self._spec.pitch / float(step) * manner.pitch)
            melody = manner.melody(plan, self._spec.range)
            shape = _Shape(step, np.where(melody > _VOICED_HZ, np.maximum(melody * factor, _VOICED_HZ + 1), melody))
            for take in self._spoken(plan, shape, range(told, until), at, final=final):
                yield take
                at += len(take.samples)
            told = until

    def _spoken(self, plan: Plan, shape: _Shape, told: range, at: int, *, final: bool) -> Iterator[Take]:
        """One reading's speech from sample `at` of the phrase on, with the words `told`."""
        times = timed(replace(plan, reading=heard(plan.reading), loudness=plan.loudness - np.float32(_BREATH)))
        begin = max(times[0].end - int(LEAD * shape.step), 0)
        end = min(times[-1].start + int(TAIL * shape.step), plan.frames * FRAME)
        shown = [replace(t, symbol=mouth_symbol(t.symbol)) for t in times]
        sounds = self._sound(plan, shape, begin, end)
        yield from timed_takes(sounds, shown, told, at, cut=(begin, end), step=shape.step, final=final)

    def _sound(self, plan: Plan, shape: _Shape, begin: int, end: int) -> Iterator[Sound]:
        """Samples [begin, end) of the plan as this voice says them, floor((end - begin) / step) in all."""
        first = begin // FRAME
        last = min(-(-end // FRAME) + 1, plan.frames)
        stretch = Stretch(shape.step)
        at = first * FRAME
        for raw in self._model.sound(plan, shape.f0, self._style, first, last):
            new = stretch.push(raw[max(begin - at, 0) : max(end - at, 0)])
            at += len(raw)
            if at >= end:
                yield np.concatenate([new, stretch.end()])
                return
            if len(new):
                yield new
        # the network's sound ends 5 samples before its last frame does
        yield np.concatenate([stretch.push(np.zeros(end - at, np.float32)), stretch.end()])


def styles(folder: Path | None = None) -> dict[str, Path]:
    """Name → file of the styles that ship, and of those beside a voice.toml in `folder`."""
    found = {path.stem: path for path in sorted(STYLES.glob("*.npz"))}
    if folder is not None:
        found.update((path.stem, path) for path in sorted(folder.glob("*.npz")))
    return found


def blended(blend: dict[str, float], folder: Path, where: str) -> Style:
    """The styles of `blend` mixed by their shares; `CastError` for an unknown style or a share that is none."""
    known = styles(folder)
    if not blend:
        raise CastError(f"{where}: key 'blend' is missing, expected such as {{ af_heart = 0.6, af_bella = 0.4 }}")
    for name, share in blend.items():
        if name not in known:
            raise CastError(f"{where}: blend: unknown style {name!r}{near(name, known)}; known: {', '.join(known)}")
        if not share > 0:
            raise CastError(f"{where}: blend: the share of {name} is {share}, expected more than 0")
    total = sum(blend.values())
    parts = []
    for name, share in blend.items():
        try:
            parts.append((load_style(known[name].read_bytes()), np.float32(share / total)))
        except (ValueError, KeyError, OSError) as error:
            raise CastError(f"{known[name]}: no style of Kokoro: {error}") from error
    # variances are blended in log, because they are scales
    return Style(
        _mixed([style.vectors * share for style, share in parts]),
        Moments(
            _mixed([style.moments.mean * share for style, share in parts]),
            np.exp(_mixed([np.log(style.moments.variance) * share for style, share in parts])),
        ),
    )


def _mixed(parts: list[F32]) -> F32:
    mixed: F32 = np.sum(parts, axis=0, dtype=np.float32)
    return mixed


def missing(spec: VoiceSpec, folder: Path) -> str:
    """What must be installed before the voice can speak, as a command to type; "" when nothing is missing."""
    path = installed_file(spec.model, folder)
    if not path.is_file():
        return REMEDY
    needs = {"zh": (chinese.NEEDS, "chinese"), "ja": (japanese.NEEDS, "japanese")}.get(spec.language)
    if needs and any(find_spec(module) is None for module in needs[0]):
        return f"pip install 'npc-engine[{needs[1]}]'"
    return ""


def load(spec: VoiceSpec, name: str, folder: Path, models: dict[str, Any]) -> KokoroEngine:
    """The voice that `spec` describes; network and readings are in `models`, or come to stand there.

    Raises `NotInstalled` where weights or readings are not on this machine, `CastError` for a voice.toml that can't be.
    """
    style = blended(spec.blend, folder, str(folder / "voice.toml"))
    path = installed_file(spec.model, folder)
    if remedy := missing(spec, folder):
        raise NotInstalled(f"voice {name!r} (kokoro, {spec.language}) is not installed: run {remedy}")
    key = f"kokoro {path}"
    if key not in models:
        models[key] = KokoroModel(checked_weights(path), KOKORO.sha256[:12])
    if "hibari" not in models:
        models["hibari"] = HibariModel()
    reading = f"kokoro {spec.language}"
    if reading not in models:
        models[reading] = reader(models["hibari"], spec.language, name)
    return KokoroEngine(models[key], style, models[reading], spec, name)
