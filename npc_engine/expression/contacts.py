"""Lips that must touch do touch: where a line's lips meet, or bite, and the coefficients made to say so.

The shape in time and of the mouth is the one that the network was taught (`training.teacher`): where the network is
right, nothing changes. What is in no need of change is left alone, for bounds are set and no values blended.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from npc_engine.expression.window import VISEMES
from npc_engine.moments import CHANNEL, SAMPLE_RATE, TICK_SAMPLES, Exp, Phone

F32 = npt.NDArray[np.float32]

# IPA; Japanese ɸ brings the lips near each other and does not bite
SEALING: Final = frozenset("pbmɓʙ")
BITING: Final = frozenset("fvɱʋ")

MARKS: Final = frozenset("ˈˌː")  # not phones; some voices give them time

RAMP_S: Final = 0.045  # in which lips come together, and part
LEAST_RAMP_S: Final = 0.020
SHORTEST_S: Final = 0.050  # that lips stay together
# How long after the phone's begin they are together, and how long before its end they part (the sound of p and b lasts
# past the release): of the phone's length, and at most in seconds
AFTER_BEGIN, BEFORE_END = (0.15, 0.015), (0.25, 0.025)
SIGHT_LEADS_S: Final = 0.010  # a mouth that is a little early looks right, one that is late does not
STEEPEST: Final = 0.65  # change of a contact's share in a tick, that of a whole ramp; one that comes late starts so too

# The viseme override: P of PP or FF in the next tick (lips part before the phone has ended) at which a contact begins,
# and is whole; once it is, it stays down to less, so that a share does not flicker where the network wavers
WHEN_OPEN, WHEN_SHUT = (0.35, 0.65), (0.25, 0.55)
SWITCHES: Final = 0.5

_PP, _FF = VISEMES.index("PP"), VISEMES.index("FF")


@dataclass(slots=True)
class _Touch:
    """One contact, in seconds: whole from begin to end, and the ramps before and after it."""

    begin: float
    end: float
    rise: float
    fall: float = RAMP_S


@dataclass(frozen=True, slots=True)
class Contact:
    """How far lips must touch, for n ticks: shares f32[n] of 0 (free) to 1."""

    seal: F32  # lip to lip
    bite: F32  # lower lip to upper teeth

    @property
    def any(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.seal.any() or self.bite.any())


class Contacts:
    """The contacts of one line: from its phones once it has told any, else from what the network takes the sound for.

    A ramp ends at the middle of the phone beside it, so that a short vowel between two closures still opens. Phones
    that come after their ramp should have begun start it when they come.
    """

    def __init__(self) -> None:
        self._tick = 0
        self._last: Phone | None = None
        self._touches: tuple[list[_Touch], list[_Touch]] = ([], [])  # seals, bites
        self._share = [0.0, 0.0]
        self._shut = [False, False]

    def tell(self, phones: Iterable[Phone]) -> None:
        """Phones of the line, in order, with their samples."""
        for phone in phones:
            if phone.symbol in MARKS:
                continue
            begin, end = phone.start / SAMPLE_RATE, phone.end / SAMPLE_RATE
            for touches, symbols in zip(self._touches, (SEALING, BITING), strict=True):
                if self._last is not None and self._last.symbol[:1] in symbols and touches:
                    touches[-1].fall = _ramp((begin + end) / 2 - touches[-1].end)
                if phone.symbol[:1] in symbols:
                    touches.append(self._touch(begin, end))
            self._last = phone

    def _touch(self, begin: float, end: float) -> _Touch:
        first, last = (min(share * (end - begin), most) for share, most in (AFTER_BEGIN, BEFORE_END))
        first, last = begin + first, end - last
        more = max(SHORTEST_S - (last - first), 0) / 2
        first, last = first - more, last + more
        before = self._last
        room = RAMP_S if before is None else first - (before.start + before.end) / 2 / SAMPLE_RATE
        return _Touch(first, last, _ramp(room))

    def step(self, likely: F32) -> Contact:
        """The next n ticks, given P f32[n, 2.., 15] of the visemes in each tick and in those after it."""
        n = len(likely)
        if self._last is None:
            seal, bite = (self._guessed(side, likely[:, 1, viseme]) for side, viseme in ((0, _PP), (1, _FF)))
        else:
            seal, bite = (self._told(touches, n) for touches in self._touches)
        self._tick += n
        return Contact(self._ramped(0, seal), self._ramped(1, bite))

    def _told(self, touches: list[_Touch], n: int) -> F32:
        first, last = ((t + 0.5) * TICK_SAMPLES / SAMPLE_RATE + SIGHT_LEADS_S for t in (self._tick, self._tick + n - 1))
        while touches and touches[0].end + RAMP_S < first:
            touches.pop(0)
        wanted = np.zeros(n, np.float32)
        near = [touch for touch in touches if touch.begin - touch.rise < last]
        if near:
            times = np.linspace(first, last, n)
            for touch in near:
                away = np.maximum((touch.begin - times) / touch.rise, (times - touch.end) / touch.fall)
                shares = 0.5 + 0.5 * np.cos(np.pi * np.clip(away, 0, 1))
                wanted = np.maximum(wanted, shares.astype(np.float32))
        return wanted

    def _guessed(self, side: int, likely: F32) -> F32:
        wanted = np.zeros(len(likely), np.float32)
        for i, p in enumerate(likely.tolist()):
            low, high = WHEN_SHUT if self._shut[side] else WHEN_OPEN
            self._shut[side] = p > (low if self._shut[side] else SWITCHES)
            wanted[i] = _eased((p - low) / (high - low))
        return wanted

    def _ramped(self, side: int, wanted: F32) -> F32:
        """`wanted`, its changes no steeper than those of a ramp."""
        last = self._share[side]
        if last == 0.0 and not wanted.any():
            return wanted
        for i, share in enumerate(wanted.tolist()):
            last = min(max(share, last - STEEPEST), last + STEEPEST)
            wanted[i] = last
        self._share[side] = last
        return wanted


def _ramp(room: float) -> float:
    return min(max(room, LEAST_RAMP_S), RAMP_S)


def _eased(x: float) -> float:
    x = min(max(x, 0.0), 1.0)
    return x * x * (3 - 2 * x)


# What a whole contact asks of each coefficient: (channels, at least) and (channels, at most, usually at most). The last
# is the most that the network says where nothing touches, so the bound leaves alone what is on its way already.
_BOTH: Final = ("Left", "Right")
_UPPER, _LOWER, _PRESS, _DIMPLE = (
    tuple(name + side for side in _BOTH) for name in ("mouthUpperUp", "mouthLowerDown", "mouthPress", "mouthDimple")
)
_AtLeast = tuple[tuple[tuple[str, ...], float], ...]
_AtMost = tuple[tuple[tuple[str, ...], float, float], ...]
_SEAL_LEAST: Final[_AtLeast] = ((("mouthRollLower",), 0.20), (("mouthRollUpper",), 0.16), (_PRESS, 0.28))
_SEAL_MOST: Final[_AtMost] = (
    (("jawOpen",), 0.195, 0.55), (_UPPER, 0.0, 0.25), (_LOWER, 0.0, 0.25), (("mouthFunnel",), 0.18, 0.6),
)  # fmt: skip
_BITE_LEAST: Final[_AtLeast] = ((("mouthRollLower",), 0.40), (_UPPER, 0.20), (_DIMPLE, 0.08))
_BITE_MOST: Final[_AtMost] = (
    (("jawOpen",), 0.06, 0.55), (_UPPER, 0.20, 0.25), (_LOWER, 0.0, 0.25), (_PRESS, 0.0, 0.30),
    (("mouthFunnel",), 0.30, 0.6), (("mouthClose",), 0.03, 0.30),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Shape:
    least: Exp  # f32[k]
    raised: npt.NDArray[np.intp]
    most: Exp
    usual: Exp
    lowered: npt.NDArray[np.intp]

    def onto(self, exp: F32, share: F32, amount: float) -> None:
        share = share[:, None]
        values = exp[:, self.lowered]
        usual = np.maximum(values, amount * self.usual)
        exp[:, self.lowered] = np.minimum(values, usual + share * (amount * self.most - usual))
        # a face that moves more does not press its lips the harder
        exp[:, self.raised] = np.maximum(exp[:, self.raised], share * (min(amount, 1.0) * self.least))


def _shape(least: _AtLeast, most: _AtMost) -> _Shape:
    raised = [(CHANNEL[name], value) for names, value in least for name in names]
    lowered = [(CHANNEL[name], value, usual) for names, value, usual in most for name in names]
    return _Shape(
        np.array([v for _, v in raised], np.float32),
        np.array([i for i, _ in raised]),
        np.array([v for _, v, _ in lowered], np.float32),
        np.array([u for _, _, u in lowered], np.float32),
        np.array([i for i, _, _ in lowered]),
    )


_SEAL, _BITE = _shape(_SEAL_LEAST, _SEAL_MOST), _shape(_BITE_LEAST, _BITE_MOST)
_JAW, _CLOSE = CHANNEL["jawOpen"], CHANNEL["mouthClose"]


def enforced(exp: F32, contact: Contact, amount: float = 1.0) -> F32:
    """Exp f32[n, 50] with the contacts in it: at a whole seal the aperture is 0 or less, whatever was said.

    `amount` is the gain of the mouth: how much more than the network says this face moves.
    """
    if not contact.any:
        return exp
    out = exp.copy()
    _BITE.onto(out, contact.bite, amount)
    _SEAL.onto(out, contact.seal, amount)
    out[:, _CLOSE] = np.maximum(out[:, _CLOSE], contact.seal * out[:, _JAW])
    return out
