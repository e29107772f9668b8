"""Whether a mouth reads right: closure, opening, correlation and lag, each written down precisely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from npc_engine.moments import SAMPLE_RATE, TICK_MS, TICK_SAMPLES, Phone
from training.phones import BILABIALS, LIP_TO_TEETH, OPEN_VOWELS, SILENCE, VOWELS

F32 = npt.NDArray[np.float32]

CLOSED: Final = 0.12
OPENED: Final = 0.25
MAY_SHUT: Final = BILABIALS | LIP_TO_TEETH | {SILENCE}
AROUND: Final = SAMPLE_RATE // 50  # samples beside a bilabial in which its closure counts too: 20 ms
LAGS: Final = 10  # ticks to either side that the best match is looked for in


def ticks_of(phone: Phone, around: int, count: int) -> slice:
    """The ticks whose middle lies within a phone or up to `around` samples beside it, at least one."""
    first = int(np.ceil((phone.start - around) / TICK_SAMPLES - 0.5))
    last = int(np.floor((phone.end + around) / TICK_SAMPLES - 0.5))
    first = min(max(first, 0), count - 1)
    return slice(first, max(last, first) + 1)


def open_level(curves: Sequence[F32], phones: Sequence[Sequence[Phone]]) -> float:
    """The median over all open vowels of the largest aperture within the vowel: 1 on the scale of closure."""
    tops = [
        curve[ticks_of(p, 0, len(curve))].max()
        for curve, said in zip(curves, phones, strict=True)
        for p in said
        if p.symbol in OPEN_VOWELS
    ]
    return float(np.median(tops))


@dataclass
class Lips:
    """Counts over clips, at one open level.

    A bilabial is closed when the least aperture within it (or 20 ms beside it) is under 12 % of the open level; a vowel
    is open when the largest aperture within it is at least 25 % of it. Closing all the time would be no art: a phone
    that is neither bilabial, f, v nor silence, and stands beside none of them, is shut wrongly when the aperture in its
    middle is under 12 % where the teacher's is not.
    """

    level: float
    bilabials: int = 0
    closed: int = 0
    vowels: int = 0
    opened: int = 0
    others: int = 0
    shut_wrongly: int = 0
    missed: list[tuple[int, str, float]] = field(default_factory=list)  # clip, phone, aperture over level

    def add(self, clip: int, curve: F32, phones: Sequence[Phone], truth: F32) -> None:
        """Count a clip's aperture curve f32[ticks]; `truth` is the teacher's."""
        for before, p, after in zip([None, *phones[:-1]], phones, [*phones[1:], None], strict=True):
            if not any(q is None or q.symbol in MAY_SHUT for q in (before, p, after)):
                middle = min((p.start + p.end) // 2 // TICK_SAMPLES, len(curve) - 1)
                self.others += 1
                self.shut_wrongly += bool(curve[middle] < CLOSED * self.level <= truth[middle])
            if p.symbol in BILABIALS:
                least = float(curve[ticks_of(p, AROUND, len(curve))].min()) / self.level
                self.bilabials += 1
                self.closed += least < CLOSED
                if least >= CLOSED:
                    self.missed.append((clip, p.symbol, round(least, 2)))
            elif p.symbol in VOWELS:
                top = float(curve[ticks_of(p, 0, len(curve))].max()) / self.level
                self.vowels += 1
                self.opened += top >= OPENED
                if top < OPENED:
                    self.missed.append((clip, p.symbol, round(top, 2)))

    def figures(self) -> dict[str, float]:
        """Shares, rounded."""
        return {
            "closure": round(self.closed / max(self.bilabials, 1), 3),
            "vowels_open": round(self.opened / max(self.vowels, 1), 3),
            "shut_wrongly": round(self.shut_wrongly / max(self.others, 1), 3),
        }


def match(curves: Sequence[F32], truths: Sequence[F32]) -> dict[str, float]:
    """Correlation r of curves with true ones, all clips joined, and the lag of the best match.

    The lag is positive where the curve is late.
    """
    scores = []
    for lag in range(-LAGS, LAGS + 1):
        a = np.concatenate([c[max(lag, 0) : len(c) + min(lag, 0)] for c in curves])
        b = np.concatenate([t[max(-lag, 0) : len(t) - max(lag, 0)] for t in truths])
        scores.append(float(np.corrcoef(a, b)[0, 1]))
    best = int(np.argmax(scores))
    return {"r": round(scores[LAGS], 3), "r_best": round(scores[best], 3), "lag_ms": (best - LAGS) * TICK_MS}
