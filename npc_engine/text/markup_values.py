"""The values of SSML attributes, as factors and milliseconds; every function raises `ValueError` with what it expected.

Names and forms are those of W3C SSML 1.1, sections 3.2.2 to 3.2.4, which leaves open what the names amount to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeVar

from npc_engine.cast import near
from npc_engine.text.phrases import PLAIN, Prosody

_T = TypeVar("_T")

LOWEST: Final = 0.5
HIGHEST: Final = 2.0
"""Factors on rate and pitch outside of these no voice speaks well."""
LONGEST_BREAK_MS: Final = 10_000
QUIETEST_DB: Final = -96.0  # the step of 16-bit sound: nothing is heard
LOUDEST_DB: Final = 12.0

# Two thirds, a third faster, half and twice, as several engines do.
_RATES: Final = {"x-slow": 0.5, "slow": 2 / 3, "medium": 1.0, "fast": 4 / 3, "x-fast": 2.0, "default": 1.0}
# Three and six semitones: clearly another tone, still the same speaker.
_PITCHES: Final = {
    "x-low": 2 ** (-6 / 12),
    "low": 2 ** (-3 / 12),
    "medium": 1.0,
    "high": 2 ** (3 / 12),
    "x-high": 2 ** (6 / 12),
    "default": 1.0,
}
# Between flat (0.2) and excited (1.6), where predicted naturalness stays (docs/voices.md).
_RANGES: Final = {"x-low": 0.2, "low": 0.6, "medium": 1.0, "high": 1.3, "x-high": 1.6, "default": 1.0}
_VOLUMES: Final = {
    "silent": QUIETEST_DB,
    "x-soft": -12.0,
    "soft": -6.0,
    "medium": 0.0,
    "loud": 6.0,
    "x-loud": 12.0,
    "default": 0.0,
}
# As Azure's speech service documents them; "none" takes away the pause that would be there.
_STRENGTHS: Final = {"none": 0, "x-weak": 250, "weak": 500, "medium": 750, "strong": 1000, "x-strong": 1250}
# Amazon Polly documents the directions: more emphasis is louder and slower, less is softer and faster. Speakers also
# move their pitch up and further on a word in focus. The sizes are ours: heard, and the voice stays natural.
_EMPHASIS: Final = {
    "strong": Prosody(rate=0.8, pitch=1.08, range=1.3, volume_db=3.0),
    "moderate": Prosody(rate=0.9, pitch=1.04, range=1.15, volume_db=1.5),
    "none": PLAIN,
    "reduced": Prosody(rate=1.15, pitch=0.97, range=0.8, volume_db=-2.0),
}
_PERCENT: Final = re.compile(r"([+-]?)(\d+(?:\.\d+)?)%$")
_NUMBER: Final = re.compile(r"\d*\.?\d+$")
_SEMITONES: Final = re.compile(r"([+-]\d+(?:\.\d+)?)st$")
_DECIBELS: Final = re.compile(r"([+-]\d+(?:\.\d+)?)dB$")
_TIME: Final = re.compile(r"\+?(\d*\.?\d+)(ms|s)$")
_MOST_DIGITS: Final = 20


def prosody(attributes: Mapping[str, str]) -> Prosody:
    """The prosody that rate, pitch, range and volume ask for."""
    if not attributes:
        raise ValueError("prosody without an attribute: expected rate, pitch, range or volume")
    readers = {"rate": _rate, "pitch": _pitch, "range": _range, "volume": _volume}
    values = {name: readers[name](value.strip()[:_MOST_DIGITS]) for name, value in attributes.items()}
    return Prosody(
        rate=values.get("rate", 1.0),
        pitch=values.get("pitch", 1.0),
        range=values.get("range", 1.0),
        volume_db=values.get("volume", 0.0),
    )


def emphasis(level: str) -> Prosody:
    """The prosody of an emphasis level."""
    return _named("level", level, _EMPHASIS, "")


def pause(time: str | None, strength: str | None) -> int:
    """Milliseconds of a break; `time` counts when both are given."""
    ms = _named("strength", "medium" if strength is None else strength, _STRENGTHS, "")
    if time is None:
        return ms
    match = _TIME.match(time.strip()[:_MOST_DIGITS])
    if match is None:
        raise ValueError(f"time {time!r}: expected seconds or milliseconds such as 0.5s or 500ms")
    ms = round(float(match[1]) * (1000 if match[2] == "s" else 1))
    if ms > LONGEST_BREAK_MS:
        raise ValueError(f"time {time!r}: expected at most {LONGEST_BREAK_MS // 1000} s")
    return ms


def bounded(together: Prosody) -> Prosody:
    """`together`, the product of what is nested, when a voice can speak it."""
    for name, value in (("rate", together.rate), ("pitch", together.pitch), ("range", together.range)):
        low = 0.0 if name == "range" else LOWEST
        if not low <= value <= HIGHEST:
            raise ValueError(f"the {name}s nested here make {value:.3g}: expected {low:g} to {HIGHEST:g}")
    if together.volume_db > LOUDEST_DB:
        raise ValueError(
            f"the volumes nested here make {together.volume_db:+.3g}dB: expected at most +{LOUDEST_DB:g}dB"
        )
    return together


def _named(name: str, value: str, known: Mapping[str, _T], also: str) -> _T:
    if value in known:
        return known[value]
    raise ValueError(f"{name} {value!r}: expected {', '.join(known)}{also}{near(value, known)}")


def _within(name: str, value: str, factor: float, low: float, high: float) -> float:
    if not low - 1e-9 <= factor <= high + 1e-9:
        raise ValueError(f"{name} {value!r} is a factor of {factor:.3g}: expected {low:g} to {high:g}")
    return factor


def _rate(value: str) -> float:
    percent, number = _PERCENT.match(value), _NUMBER.match(value)
    if percent:
        return _within("rate", value, _factor(percent), LOWEST, HIGHEST)
    if number:
        return _within("rate", value, float(value), LOWEST, HIGHEST)
    return _named("rate", value, _RATES, ", a percentage (80%, +20%) or a factor (1.2)")


def _pitch(value: str) -> float:
    percent, semitones = _PERCENT.match(value), _SEMITONES.match(value)
    if semitones:
        return _within("pitch", value, 2 ** (float(semitones[1]) / 12), LOWEST, HIGHEST)
    if percent and percent[1]:
        return _within("pitch", value, _factor(percent), LOWEST, HIGHEST)
    if value.endswith("Hz"):
        raise ValueError(
            f"pitch {value!r}: expected a change such as +10% or -2st; a frequency would be high for one voice and low"
            " for another"
        )
    return _named("pitch", value, _PITCHES, ", a change in percent (+10%) or semitones (-2st)")


def _range(value: str) -> float:
    percent = _PERCENT.match(value)
    if percent and percent[1]:
        return _within("range", value, _factor(percent), 0.0, HIGHEST)
    return _named("range", value, _RANGES, ", or a change in percent (+20%)")


def _volume(value: str) -> float:
    decibels = _DECIBELS.match(value)
    if decibels is None:
        return _named("volume", value, _VOLUMES, ", or a change in decibels (+6dB)")
    db = float(decibels[1])
    if not QUIETEST_DB <= db <= LOUDEST_DB:
        raise ValueError(f"volume {value!r}: expected {QUIETEST_DB:g}dB to +{LOUDEST_DB:g}dB")
    return db


def _factor(percent: re.Match[str]) -> float:
    """80% is a factor of 0.8; +20% one of 1.2."""
    amount = float(percent[2]) / 100
    return {"": amount, "+": 1 + amount, "-": 1 - amount}[percent[1]]
