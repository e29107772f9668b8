"""Exact phones → exp50 at 50 Hz: what the network shall learn to see in the sound.

Coarticulation by dominance functions (Cohen & Massaro 1993): every phone pulls towards its target with a strength that
falls off before and after it, and the mouth stands at the weighted mean. On top, as JALI has it (Edwards et al. 2016),
lips that must meet do meet: p b m seal and f v bite whatever their neighbours want.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from npc_engine.moments import ANGLES, CHANNEL, EXP50, SAMPLE_RATE, TICK_SAMPLES, Phone, Sound
from training.gestures import gesture
from training.phones import RHOTIC, SILENCE, TARGETS, VISEME, Target
from training.phones_ja import JAPANESE
from training.phones_zh import MANDARIN
from training.prosody import Prosody, prosody

F64 = npt.NDArray[np.float64]

TABLES: Final[dict[str, Mapping[str, tuple[Target, ...]]]] = {"en": TARGETS, "zh": MANDARIN, "ja": JAPANESE}
"""Language → the targets of its phones."""

MARKS: Final = "ˈˌː"  # stress and length are not phones; where a voice gives them time, the neighbours share it
JAW_REACH: Final = (0.060, 0.060)  # seconds before and after a phone: exp(-2^1.5) = .06 is left at 120 ms
LIP_REACH: Final = (0.070, 0.065)
ROUND_REACH: Final = (0.110, 0.090)  # rounding starts early and ends late
TONGUE_REACH: Final = (0.045, 0.040)
CONTACT_RAMP: Final = 0.045  # seconds in which lips come together and part
LEAST_CONTACT: Final = 0.050  # seconds that lips stay together
SIGHT_LEADS: Final = 0.010  # a mouth that is a little early looks right, one that is late does not


@dataclass(frozen=True)
class Lesson:
    """What the network shall say about a sound."""

    exp: npt.NDArray[np.float32]  # f32[ticks, 50]
    visemes: npt.NDArray[np.uint8]  # u8[ticks], index into VISEMES
    sealed: npt.NDArray[np.bool_]  # bool[ticks], lips must be together


@dataclass(frozen=True)
class _Part:
    """A phone or half a diphthong, in seconds."""

    start: float
    end: float
    target: Target
    hush: float | None = None  # of p and b: when the sound is least, the middle of the closure


def teach(sound: Sound, phones: Sequence[Phone], *, language: str = "en-US", amount: float = 1.0) -> Lesson:
    """The lesson for `sound` (24 kHz) in which `phones` are said; `amount` scales how much the mouth moves.

    Raises ValueError for a phone that has no target in the table of `language`, and for a language without a table.
    """
    ticks = len(sound) // TICK_SAMPLES
    times = (np.arange(ticks) + 0.5) * TICK_SAMPLES / SAMPLE_RATE + SIGHT_LEADS
    parts = [replace(p, hush=_hush(sound, p)) if p.target.seals else p for p in _parts(phones, language)]
    said = prosody(sound, ticks)
    force = amount * np.array([_force(p, said) for p in parts])
    exp = np.zeros((ticks, len(EXP50)))
    _shape(exp, times, parts, force)
    gesture(exp, said, phones, amount)
    # of a sibilant the jaw is the organ: it comes up between any vowels, though not all the way for every speaker
    hiss = 0.8 * _contact(times, [p for p in parts if p.target.hisses])
    _turn(exp, ["jawOpen"], hiss, 0.06)
    seal = _contact(times, [p for p in parts if p.target.seals])
    bite = _contact(times, [p for p in parts if p.target.bites])
    _bite(exp, bite)
    _seal(exp, seal)
    exp[:, :ANGLES] = np.clip(exp[:, :ANGLES], 0, 1)
    return Lesson(exp.astype(np.float32), _visemes(times - SIGHT_LEADS, parts), seal > 0.95)


def _parts(phones: Sequence[Phone], language: str) -> list[_Part]:
    table = TABLES.get(language[:2])
    if table is None:
        raise ValueError(f"language {language!r} has no phone table, expected one of {', '.join(TABLES)}")
    parts = []
    for phone in _rhotic(phones) if language == "en-US" else phones:
        if phone.symbol in MARKS:
            continue
        if phone.symbol not in table:
            raise ValueError(f"phone {phone.symbol!r} has no target in {language}; known: {' '.join(table)}")
        targets = table[phone.symbol]
        edges = np.linspace(phone.start, phone.end, len(targets) + 1) / SAMPLE_RATE
        parts += [_Part(a, b, t) for a, b, t in zip(edges[:-1], edges[1:], targets, strict=True)]
    return parts


def _rhotic(phones: Sequence[Phone]) -> list[Phone]:
    """ɜ and ə with the ɹ that follows them as the one vowel that they are in American English."""
    merged: list[Phone] = []
    for phone in phones:
        last = merged[-1] if merged else None
        if phone.symbol == "ɹ" and last is not None and last.symbol in ("ɜ", "ə") and last.end >= phone.start - 1:
            merged[-1] = Phone(RHOTIC, last.start, phone.end)
        elif phone.symbol == "ɜ":
            merged.append(replace(phone, symbol=RHOTIC))
        elif phone.symbol not in MARKS:
            merged.append(phone)
    return merged


def _hush(sound: Sound, part: _Part) -> float | None:
    """When within the phone (or up to 20 ms beside it) a closure is heard best, or None where there is no clear dip.

    Phone times are good to about 20 ms; a stop's silence says better when the lips were together. A nasal has none.
    """
    first, last = int((part.start - 0.020) * SAMPLE_RATE), int((part.end + 0.020) * SAMPLE_RATE)
    if first < 0 or last > len(sound):
        return None
    # the difference weighs what lips stop most, the high frequencies; 15 ms is less than any closure
    power = np.convolve(np.diff(sound[first:last], prepend=sound[first]).astype(np.float64) ** 2, np.ones(360), "same")
    power = power[180:-180]
    least = int(power.argmin())
    if power[least] > 0.1 * power.max():
        return None
    return (first + 180 + least) / SAMPLE_RATE


def _force(part: _Part, said: Prosody) -> float:
    """How much of its target a phone reaches: louder, higher and longer ones more."""
    if part.target.viseme == SILENCE:
        return 1.0
    first, last = int(part.start * 50), int(part.end * 50) + 1
    loud, high = said.loud[first:last], said.high[first:last]
    if len(loud) == 0:
        return 1.0
    length = min((part.end - part.start) / 0.09, 1.0)  # a vowel of less than 90 ms does not get there
    return float(np.clip(0.80 + 0.045 * loud.max() + 0.05 * high.max() + 0.2 * length, 0.65, 1.3))


def _dominance(times: F64, parts: Sequence[_Part], reach: tuple[float, float]) -> F64:
    """f64[parts, ticks]: 1 inside the middle of a phone, falling to both sides."""
    starts, ends = (np.array([getattr(p, side) for p in parts])[:, None] for side in ("start", "end"))
    margin = 0.25 * (ends - starts)  # held over the middle half, the apex
    before = np.maximum(starts + margin - times, 0) / reach[0]
    after = np.maximum(times - ends + margin, 0) / reach[1]
    fall: F64 = np.exp(-((before + after) ** 1.5))
    return fall


def _shape(exp: F64, times: F64, parts: Sequence[_Part], force: F64) -> None:
    targets = [p.target for p in parts]

    def blend(reach: tuple[float, float], hold: str, names: Sequence[str], channels: Sequence[str]) -> None:
        pull = np.array([getattr(t, hold) for t in targets])[:, None] * _dominance(times, parts, reach)
        total = pull.sum(axis=0) + 0.02  # a face that nothing pulls at is at rest
        for name, channel in zip(names, channels, strict=True):
            goal = np.array([getattr(t, name) for t in targets]) * force
            exp[:, CHANNEL[channel]] = (pull * goal[:, None]).sum(axis=0) / total

    blend(JAW_REACH, "jaw_hold", ["jaw"], ["jawOpen"])
    blend(ROUND_REACH, "round_hold", ["funnel", "pucker"], ["mouthFunnel", "mouthPucker"])
    sides = ["mouthSmile", "mouthStretch", "mouthUpperUp", "mouthLowerDown"]
    names = ["smile", "stretch", "upper", "lower"]
    blend(LIP_REACH, "lip_hold", names, [s + "Left" for s in sides])
    pull = _dominance(times, parts, TONGUE_REACH)
    for name, channel in (("tongue", "tongueUp"), ("out", "tongueOut")):
        goal = np.array([getattr(t, name) for t in targets])
        exp[:, CHANNEL[channel]] = (pull * goal[:, None]).sum(axis=0) / (pull.sum(axis=0) + 0.02)
    exp[:, CHANNEL["cheekSquintLeft"]] = 0.35 * exp[:, CHANNEL["mouthSmileLeft"]]
    for side in [*sides, "cheekSquint"]:
        exp[:, CHANNEL[side + "Right"]] = exp[:, CHANNEL[side + "Left"]]


def _contact(times: F64, parts: Sequence[_Part]) -> F64:
    """f64[ticks]: 1 while lips touch for one of `parts`, ramping smoothly to 0 outside."""
    contact = np.zeros(len(times))
    for part in parts:
        # the sound of p and b lasts past the release, so the end of the phone is not held
        middle, half = part.start + 0.45 * (part.end - part.start), 0.4 * (part.end - part.start)
        if part.hush is not None:
            middle, half = 0.5 * (part.hush + middle), 0.3 * (part.end - part.start)
        half = max(half, LEAST_CONTACT / 2)
        away = np.maximum(np.abs(times - middle) - half, 0) / CONTACT_RAMP
        contact = np.maximum(contact, 0.5 + 0.5 * np.cos(np.pi * np.minimum(away, 1)))
    return contact


def _seal(exp: F64, seal: F64) -> None:
    jaw = exp[:, CHANNEL["jawOpen"]]
    jaw += seal * (0.03 + 0.3 * jaw - jaw)
    exp[:, CHANNEL["mouthClose"]] = seal * jaw
    exp[:, CHANNEL["mouthRollLower"]] = np.maximum(exp[:, CHANNEL["mouthRollLower"]] * (1 - seal), 0.20 * seal)
    exp[:, CHANNEL["mouthRollUpper"]] = 0.16 * seal
    _turn(exp, ["mouthPressLeft", "mouthPressRight"], seal, 0.28)
    _turn(exp, ["mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight"], seal, 0.0)
    exp[:, CHANNEL["mouthFunnel"]] *= 1 - 0.7 * seal


def _bite(exp: F64, bite: F64) -> None:
    _turn(exp, ["jawOpen"], bite, 0.06)
    _turn(exp, ["mouthRollLower"], bite, 0.40)
    _turn(exp, ["mouthUpperUpLeft", "mouthUpperUpRight"], bite, 0.20)
    _turn(exp, ["mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight"], bite, 0.0)
    _turn(exp, ["mouthDimpleLeft", "mouthDimpleRight"], bite, 0.08)
    exp[:, CHANNEL["mouthFunnel"]] *= 1 - 0.5 * bite


def _turn(exp: F64, channels: Sequence[str], share: F64, goal: float) -> None:
    for channel in channels:
        column = exp[:, CHANNEL[channel]]
        column += share * (goal - column)


def _visemes(times: F64, parts: Sequence[_Part]) -> npt.NDArray[np.uint8]:
    labels = np.full(len(times), VISEME[SILENCE], np.uint8)
    for part in parts:
        labels[(times >= part.start) & (times < part.end)] = VISEME[part.target.viseme]
    return labels
