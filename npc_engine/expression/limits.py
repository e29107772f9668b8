"""What a face may do, applied once, before anything leaves: ranges, lips that can't cross, speeds, smoothing."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from npc_engine.moments import ANGLES, CHANNEL, EXP50, Exp

Exps = npt.NDArray[np.float32]  # f32[n, 50]

LARGEST: Final[dict[str, float]] = {
    "jawOpen": 0.75, "jawLeft": 0.3, "jawRight": 0.3, "jawForward": 0.5, "tongueOut": 0.5,
    "gazePitch": 0.35, "gazeYaw": 0.5, "headPitch": 0.2, "headYaw": 0.25, "headRoll": 0.15,
}  # fmt: skip
"""Largest weight, or angle to either side in radians, of what may not go to 1."""

# Change per tick. The jaw of a speaker opens fully in about 60 ms, lips part faster, lids close in 60 ms, a head turns
# at up to 60 degrees a second, eyes jump.
FASTEST: Final[dict[str, float]] = {
    "jaw": 0.16,
    "mouthClose": 0.16,
    "mouth": 0.25,
    "eyeBlink": 0.36,
    "gaze": 0.08,
    "head": 0.02,
}
FASTEST_ELSE: Final = 0.10

SMOOTHING: Final = 0.6  # share of a small change that is taken over at once
STIRS: Final = 0.06  # a change of this much is movement, not noise, and passes unsmoothed


def _by_channel() -> tuple[Exp, Exp, Exp]:
    high, fastest = np.ones(len(EXP50), np.float32), np.full(len(EXP50), FASTEST_ELSE, np.float32)
    for name, index in CHANNEL.items():
        high[index] = LARGEST.get(name, 1.0)
        for prefix, speed in sorted(FASTEST.items(), key=lambda item: len(item[0])):
            if name.startswith(prefix):
                fastest[index] = speed
    low = np.where(np.arange(len(EXP50)) >= ANGLES, -high, 0).astype(np.float32)
    return low, high, fastest


LOW, HIGH, SPEED = _by_channel()

_JAW, _CLOSE = CHANNEL["jawOpen"], CHANNEL["mouthClose"]
# follower ≤ room - leaders: each pair of movements that can't both be full
_SHARED: Final = tuple(
    (CHANNEL[follower], room, tuple(CHANNEL[leader] for leader in leaders))
    for follower, room, leaders in (
        ("mouthFunnel", 1.2, ("mouthPucker",)),
        ("mouthSmileLeft", 1.0, ("mouthPucker",)),
        ("mouthSmileRight", 1.0, ("mouthPucker",)),
        ("mouthRollUpper", 1.2, ("mouthRollLower",)),
        ("mouthPressLeft", 1.2, ("mouthRollLower", "mouthRollUpper")),
        ("mouthPressRight", 1.2, ("mouthRollLower", "mouthRollUpper")),
        ("mouthLowerDownLeft", 1.0, ("mouthRollLower",)),
        ("mouthLowerDownRight", 1.0, ("mouthRollLower",)),
        ("mouthUpperUpLeft", 1.0, ("mouthRollUpper",)),
        ("mouthUpperUpRight", 1.0, ("mouthRollUpper",)),
        ("jawRight", 0.3, ("jawLeft",)),
    )
)


def bounded(exp: Exps) -> Exps:
    """Exp f32[n, 50] within its ranges and with lips that don't cross; what is not finite counts as 0."""
    out = np.clip(np.nan_to_num(exp, nan=0.0, posinf=0.0, neginf=0.0), LOW, HIGH)
    # mouthClose brings the lips together against the jaw: more than the jaw has opened would push them through
    out[:, _CLOSE] = np.minimum(out[:, _CLOSE], out[:, _JAW])
    for follower, room, leaders in _SHARED:
        out[:, follower] = np.minimum(out[:, follower], np.maximum(room - out[:, leaders].sum(axis=1), 0))
    return out


class Limiter:
    """Smooths and limits one line's coefficients, from neutral on.

    Small changes are smoothed (a delay of 13 ms), changes of 0.06 and more in a tick pass as they are, so lips that
    close quickly are not late. Followers of a coupled limit can move as fast as their leaders.
    """

    def __init__(self) -> None:
        self._last: Exp = np.zeros(len(EXP50), np.float32)

    def step(self, exp: Exps) -> Exps:
        """The next n ticks f32[n, 50] as they may leave; any f32 goes in, finite and bounded values come out."""
        wanted = bounded(exp)
        out = np.empty_like(wanted)
        last = self._last
        for i, goal in enumerate(wanted):
            change = goal - last
            share = np.minimum(SMOOTHING + (1 - SMOOTHING) / STIRS * np.abs(change), 1.0)
            change = np.minimum(np.maximum(change * share, -SPEED), SPEED)
            last = last + change
            out[i] = last
        self._last = last
        return bounded(out)


def ease(exp: Exp, ticks: int) -> Exps:
    """f32[ticks, 50] that lead from `exp` to neutral, reached in the last tick, starting and ending softly."""
    done = np.arange(1, ticks + 1, dtype=np.float32)[:, None] / max(ticks, 1)
    left: Exps = (0.5 + 0.5 * np.cos(np.pi * done)).astype(np.float32) * np.asarray(exp, np.float32)
    if ticks:
        left[-1] = 0
    return left
