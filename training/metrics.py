"""Whether a mouth reads right: visemes, closure, opening, contact, movement, stillness and lag, each written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from npc_engine.expression.aperture import aperture
from npc_engine.expression.window import AHEAD, BEHIND, VISEMES
from npc_engine.moments import CHANNEL, SAMPLE_RATE, TICK_MS, TICK_SAMPLES, Phone
from training.phones import OPEN_VOWELS, SILENCE
from training.teacher import TABLES

F32 = npt.NDArray[np.float32]
Labels = npt.NDArray[np.uint8]  # u8[ticks], index into VISEMES

CLOSED: Final = 0.12
OPENED: Final = 0.25
BITES: Final = (
    0.20  # mouthRollLower from which on the lower lip lies at the teeth: half of what the teacher gives f and v
)
# of all languages together: no symbol means one thing in one of them and another in the next
VOWELS: Final = frozenset(s for table in TABLES.values() for s, targets in table.items() if targets[0].vowel)
BILABIALS: Final = frozenset(s for table in TABLES.values() for s, targets in table.items() if targets[0].seals)
LIP_TO_TEETH: Final = frozenset(s for table in TABLES.values() for s, targets in table.items() if targets[0].bites)
MAY_SHUT: Final = BILABIALS | LIP_TO_TEETH | {SILENCE}
AROUND: Final = SAMPLE_RATE // 50  # samples beside a bilabial, f or v in which its contact counts too: 20 ms
LAGS: Final = 10  # ticks to either side that the best match is looked for in


def ticks_of(phone: Phone, around: int, count: int) -> slice:
    """The ticks whose middle lies within a phone or up to `around` samples beside it, at least one."""
    first = int(np.ceil((phone.start - around) / TICK_SAMPLES - 0.5))
    last = int(np.floor((phone.end + around) / TICK_SAMPLES - 0.5))
    first = min(max(first, 0), count - 1)
    return slice(first, max(last, first) + 1)


def open_level(curves: Sequence[F32], phones: Sequence[Sequence[Phone]]) -> float:
    """The median over all open vowels of the largest aperture within the vowel: 1 on the scale of closure.

    ValueError where no open vowel is said.
    """
    tops = [
        curve[ticks_of(p, 0, len(curve))].max()
        for curve, said in zip(curves, phones, strict=True)
        for p in said
        if p.symbol in OPEN_VOWELS
    ]
    if not tops:
        raise ValueError(f"no open vowel in {len(phones)} clips, expected some of {' '.join(sorted(OPEN_VOWELS))}")
    return float(np.median(tops))


@dataclass
class Lips:
    """Counts over clips, at one open level.

    A bilabial is closed when the least aperture within it (or 20 ms beside it) is under 12 % of the open level; a vowel
    is open when the largest aperture within it is at least 25 % of it. Closing all the time would be no art: a phone
    that is neither bilabial, f, v nor silence, and stands beside none of them, is shut wrongly when the aperture in its
    middle is under 12 % where the teacher's is not. f and v are in contact when, on one tick within the phone or 20 ms
    beside it, mouthRollLower is at least .20 and the aperture under 25 %.
    """

    level: float
    bilabials: int = 0
    closed: int = 0
    vowels: int = 0
    opened: int = 0
    others: int = 0
    shut_wrongly: int = 0
    bites: int = 0
    bitten: int = 0
    missed: list[tuple[int, str, float]] = field(default_factory=list)  # clip, phone, aperture over level

    def add(self, clip: int, curve: F32, phones: Sequence[Phone], truth: F32, roll: F32 | None = None) -> None:
        """Count a clip's aperture f32[ticks]; `truth` is the teacher's, `roll` mouthRollLower where it is known."""
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
            elif p.symbol in LIP_TO_TEETH and roll is not None:
                at = ticks_of(p, AROUND, len(curve))
                self.bites += 1
                self.bitten += bool(((roll[at] >= BITES) & (curve[at] < OPENED * self.level)).any())
            elif p.symbol in VOWELS:
                top = float(curve[ticks_of(p, 0, len(curve))].max()) / self.level
                self.vowels += 1
                self.opened += top >= OPENED
                if top < OPENED:
                    self.missed.append((clip, p.symbol, round(top, 2)))

    def figures(self) -> dict[str, float]:
        """Shares, rounded; of f and v only where mouthRollLower was known."""
        found = {
            "closure": round(self.closed / max(self.bilabials, 1), 3),
            "vowels_open": round(self.opened / max(self.vowels, 1), 3),
            "shut_wrongly": round(self.shut_wrongly / max(self.others, 1), 3),
        }
        return found | ({"fv_contact": round(self.bitten / self.bites, 3)} if self.bites else {})


def lips(exps: Sequence[F32], said: Sequence[Sequence[Phone]], truths: Sequence[F32], level: float) -> dict[str, float]:
    """All of `Lips` over clips' exp50 f32[ticks, 50], with the teacher's apertures `truths`."""
    counted = Lips(level)
    for index, (exp, phones, truth) in enumerate(zip(exps, said, truths, strict=True)):
        counted.add(index, aperture(exp), phones, truth, exp[:, CHANNEL["mouthRollLower"]])
    return counted.figures()


def velocity_error(curves: Sequence[F32], truths: Sequence[F32]) -> float:
    """Mean absolute difference of the aperture's change per tick from the teacher's, over the teacher's mean change.

    0 is the teacher's own movement; a mouth that never moves has 1.
    """
    wrong = sum(float(np.abs(np.diff(c) - np.diff(t)).sum()) for c, t in zip(curves, truths, strict=True))
    return round(wrong / sum(float(np.abs(np.diff(t)).sum()) for t in truths), 3)


def match(curves: Sequence[F32], truths: Sequence[F32]) -> dict[str, float]:
    """Correlation r of curves with true ones, all clips joined, and the lag of the best match.

    The lag is positive where the curve is late.
    """
    scores = []
    for lag in range(-LAGS, LAGS + 1):
        a = np.concatenate([c[max(lag, 0) : len(c) + min(lag, 0)] for c in curves])
        b = np.concatenate([t[max(-lag, 0) : len(t) - max(lag, 0)] for t in truths])
        scores.append(_r(a, b))
    best = int(np.argmax(scores))
    return {"r": round(scores[LAGS], 3), "r_best": round(scores[best], 3), "lag_ms": (best - LAGS) * TICK_MS}


def median_lag(curves: Sequence[F32], truths: Sequence[F32]) -> float:
    """Median over clips of the lag in ms at which a curve matches best, positive where it is late.

    Between ticks by a parabola through the best correlation and its neighbours.
    """
    lags = []
    for curve, truth in zip(curves, truths, strict=True):
        n = len(curve)
        scores = [
            _r(curve[max(lag, 0) : n + min(lag, 0)], truth[max(-lag, 0) : n - max(lag, 0)])
            for lag in range(-LAGS, LAGS + 1)
        ]
        best = min(max(int(np.argmax(scores)), 1), 2 * LAGS - 1)
        before, top, after = scores[best - 1 : best + 2]
        bend = before - 2 * top + after
        lags.append(best - LAGS + (0.5 * (before - after) / bend if bend < 0 else 0.0))
    return round(float(np.median(lags)) * TICK_MS, 1)


def _r(a: F32, b: F32) -> float:
    if len(a) < 2 or a.std() < 1e-6 or b.std() < 1e-6:  # a curve that never moves matches nothing
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def read_at(logits: F32, lookahead: int) -> Labels:
    """The likeliest viseme of each tick in f32[ticks, 10, 15], when `lookahead` ticks beyond it have been heard.

    At the edges the estimate is read that the engine reads there (`npc_engine.expression.hearing`).
    """
    ticks = np.arange(len(logits))
    sources = np.clip(ticks + lookahead, 0, len(logits) - 1)
    slots = np.clip(BEHIND + ticks - sources, 0, BEHIND + AHEAD)
    read: Labels = logits[sources, slots].argmax(axis=1).astype(np.uint8)
    return read


@dataclass
class Confusion:
    """Ticks by the viseme being said (rows) and the viseme that was read."""

    counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((len(VISEMES),) * 2, np.int64))

    def add(self, guess: Labels, truth: Labels) -> None:
        """Count a clip; ticks whose label is no viseme are left out."""
        n = min(len(guess), len(truth))
        known = truth[:n] < len(VISEMES)
        np.add.at(self.counts, (truth[:n][known], guess[:n][known]), 1)

    def figures(self) -> dict[str, Any]:
        """Accuracy over all ticks and over those in which something is said, recall of each viseme, largest class."""
        said, right = self.counts.sum(axis=1), np.diag(self.counts)
        total = max(int(said.sum()), 1)
        recalls = {name: round(float(r / n), 3) for name, r, n in zip(VISEMES, right, said, strict=True) if n}
        return {
            "accuracy": round(float(right.sum() / total), 3),
            "accuracy_speaking": round(float(right[1:].sum() / max(said[1:].sum(), 1)), 3),
            "balanced": round(float(np.mean(list(recalls.values()))), 3) if recalls else 0.0,
            "majority": round(float(said.max() / total), 3),
            "majority_class": VISEMES[int(said.argmax())],
            "recall": recalls,
            "ticks": total,
        }


def confusion(guesses: Sequence[Labels], truths: Sequence[Labels]) -> Confusion:
    """All clips counted."""
    found = Confusion()
    for guess, truth in zip(guesses, truths, strict=True):
        found.add(guess, truth)
    return found


def stillness(exps: Sequence[F32]) -> dict[str, float]:
    """Mean and 99th percentile of |aperture| and of jawOpen over all ticks of f32[ticks, 50]: 0 is a mouth at rest."""
    joined = np.concatenate(list(exps))
    gap, jaw = np.abs(aperture(joined)), joined[:, CHANNEL["jawOpen"]]
    return {
        "aperture_mean": round(float(gap.mean()), 4),
        "aperture_p99": round(float(np.percentile(gap, 99)), 4),
        "jaw_mean": round(float(jaw.mean()), 4),
        "jaw_p99": round(float(np.percentile(jaw, 99)), 4),
    }
