"""What a face may do, applied once, before anything leaves: ranges, lips that can't cross, speeds, smoothing."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from npc_engine.moments import ANGLES, CHANNEL, EXP50, TICK_MS, Exp

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

_Shared = tuple[tuple[str, float, tuple[str, ...]], ...]
# follower ≤ room - leaders: each pair of movements that can't both be full
_FIRST: Final[_Shared] = (
    ("mouthFunnel", 1.2, ("mouthPucker",)),
    ("mouthSmileLeft", 1.0, ("mouthPucker",)),
    ("mouthSmileRight", 1.0, ("mouthPucker",)),
    ("mouthRollUpper", 1.2, ("mouthRollLower",)),
    ("mouthLowerDownLeft", 1.0, ("mouthRollLower",)),
    ("mouthLowerDownRight", 1.0, ("mouthRollLower",)),
    ("jawRight", 0.3, ("jawLeft",)),
)
_THEN: Final[_Shared] = (  # whose leaders follow others
    ("mouthPressLeft", 1.2, ("mouthRollLower", "mouthRollUpper")),
    ("mouthPressRight", 1.2, ("mouthRollLower", "mouthRollUpper")),
    ("mouthUpperUpLeft", 1.0, ("mouthRollUpper",)),
    ("mouthUpperUpRight", 1.0, ("mouthRollUpper",)),
)


def _table(shared: _Shared) -> tuple[npt.NDArray[np.intp], Exps, npt.NDArray[np.intp]]:
    """Channels of the followers, their rooms, and their leaders [2, n], the second of them a column of zeros or not."""
    nothing = len(EXP50)
    leaders = [[CHANNEL[n] for n in names] + [nothing] * (2 - len(names)) for _, _, names in shared]
    rooms = np.array([room for _, room, _ in shared], np.float32)
    return np.array([CHANNEL[name] for name, _, _ in shared]), rooms, np.array(leaders).T


_STAGES: Final = (_table(_FIRST), _table(_THEN))


def bounded(exp: Exps) -> Exps:
    """Exp f32[n, 50] within its ranges and with lips that don't cross; what is not finite counts as 0."""
    out = np.zeros((len(exp), len(EXP50) + 1), np.float32)  # and a column of zeros, for followers of one leader
    values = out[:, :-1]
    values[:] = exp
    if not np.isfinite(values).all():
        values[~np.isfinite(values)] = 0
    np.maximum(values, LOW, out=values)
    np.minimum(values, HIGH, out=values)
    # mouthClose brings the lips together against the jaw: more than the jaw has opened would push them through
    np.minimum(out[:, _CLOSE], out[:, _JAW], out=out[:, _CLOSE])
    for followers, rooms, (one, other) in _STAGES:
        room = np.maximum(rooms - out[:, one] - out[:, other], 0)
        out[:, followers] = np.minimum(out[:, followers], room)
    return values


DEFAULT_SMOOTHING: Final = 0.5
STIRS: Final = 0.06  # a change of this much in a tick is movement, not noise
NOTHING: Final = 1e-9
LONGEST_DELAY_MS: Final = 160 / 3  # of smoothing 1; smoothing 0.5 takes over 0.6 of a small change at once
QUICK_UP_TO, NONE_QUICK_FROM = 0.5, 0.8
"""Smoothing at which quick movements begin to be smoothed, and are smoothed like small ones."""


def delay_ms(smoothing: float) -> float:
    """By how much `smoothing`, 0..1, delays what it smooths: that of an exponential filter for slow movements."""
    return LONGEST_DELAY_MS * smoothing * smoothing


def advance_ticks(smoothing: float) -> int:
    """Whole ticks of the delay: so much earlier the network is read, and so much of the delay is undone."""
    return int(delay_ms(smoothing) / TICK_MS)


class Smoother:
    """Smooths one line's coefficients from neutral on, each by itself; `smoothing` 0 (not at all) … 1 (most).

    Exponential, and as in the one-euro filter (Casiez et al. 2012) the quicker a change the more of it is taken over at
    once: up to 0.5 a change of 0.06 and more in a tick passes as it is, so lips that close quickly are not late. From
    0.8 on quick movements are smoothed like slow ones, and all are late by `delay_ms`.
    """

    def __init__(self, smoothing: float = DEFAULT_SMOOTHING) -> None:
        self._share = np.float32(TICK_MS / (TICK_MS + delay_ms(smoothing)))  # of a small change, taken over at once
        quick = min(max((NONE_QUICK_FROM - smoothing) / (NONE_QUICK_FROM - QUICK_UP_TO), 0.0), 1.0)
        self._more = np.float32(quick * (1 - self._share) / STIRS)
        self._last: Exp = np.zeros(len(EXP50), np.float32)

    def step(self, exp: Exps) -> Exps:
        """The next n ticks f32[n, 50], smoothed."""
        if self._share == 1:
            return exp
        out = np.empty_like(exp)
        last = self._last
        for i, goal in enumerate(exp):
            change = goal - last
            share = np.minimum(self._share + self._more * np.abs(change), 1)
            last = out[i] = last + share * change
        # what dies away is 0 in the end, not ever smaller: numbers under 1e-38 cost a hundred times as much
        self._last = np.where(np.abs(last) < NOTHING, np.float32(0), last)
        return out


class Limiter:
    """Limits the range and speed of one line's coefficients, from neutral on.

    Followers of a coupled limit can move as fast as their leaders.
    """

    def __init__(self) -> None:
        self._last: Exp = np.zeros(len(EXP50), np.float32)

    def step(self, exp: Exps, seal: npt.NDArray[np.float32] | None = None) -> Exps:
        """The next n ticks f32[n, 50] as they may leave; any f32 goes in, finite and bounded values come out.

        `seal` f32[n], 0..1: how far the lips must be together. Where the jaw can't come up as fast as is wanted,
        mouthClose makes up for it as far as it may.
        """
        wanted = bounded(exp)
        if not len(wanted):
            return wanted
        steps = np.diff(wanted, axis=0, prepend=self._last[None])
        if (np.abs(steps) <= SPEED).all():
            self._last = wanted[-1].copy()
            return wanted
        out = np.empty_like(wanted)
        last = self._last
        for i, goal in enumerate(wanted):
            now = out[i]
            np.minimum(np.maximum(goal - last, -SPEED), SPEED, out=now)
            now += last
            if seal is not None and seal[i] > 0:
                most = last[_CLOSE] + SPEED[_CLOSE]
                now[_CLOSE] = max(now[_CLOSE], min(seal[i] * now[_JAW], most))
            last = now
        self._last = last.copy()
        return bounded(out)


def ease(exp: Exp, ticks: int) -> Exps:
    """f32[ticks, 50] that lead from `exp` to neutral, reached in the last tick, starting and ending softly."""
    done = np.arange(1, ticks + 1, dtype=np.float32)[:, None] / max(ticks, 1)
    left: Exps = (0.5 + 0.5 * np.cos(np.pi * done)).astype(np.float32) * np.asarray(exp, np.float32)
    if ticks:
        left[-1] = 0
    return left
