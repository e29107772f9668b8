"""When a known text is said in a recording: hibari says it too, and the two are laid over each other in time.

Dynamic time warping (Sakoe and Chiba 1978) of mel cepstra, both normalised to their own mean and spread, so that a
voice is compared with another by its sounds and not by its timbre.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Final

import numpy as np
import numpy.typing as npt

from npc_engine.cast import VoiceSpec
from npc_engine.moments import SAMPLE_RATE, Phone, Sound
from npc_engine.speech.engine import WordTime
from npc_engine.speech.hibari import HibariEngine
from npc_engine.speech.hibari_model import HibariModel
from npc_engine.text.phrases import Phrase

HOP: Final = 240  # samples from frame to frame: 10 ms
LONGEST_S: Final = 60.0  # recordings that are laid over: the table of steps grows with the square, 36 MB at this
_WINDOW: Final = 600
_N_FFT: Final = 1024
_BANDS: Final = 32
_LOW_HZ, _HIGH_HZ = 80.0, 7600.0
_CEPSTRA: Final = 13
_FLOOR: Final = 1e-7
_PITCHES: Final = (1.0, 0.72)  # a woman and a man: the nearer of the two to the recording is believed
_ENERGY, _SLOPES = 2.0, 0.2  # weights of loudness and of change; of seven settings these tell texts apart best
_WORST: Final = 0.865  # mean distance: LJSpeech lies at 0.83 or less with its own text, at 0.90 or more with another

F32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Aligned:
    """Samples of the recording in which words (counted through the text) and phones sound; how far off they were."""

    words: tuple[WordTime, ...]
    phones: tuple[Phone, ...]
    distance: float


class Cepstra:
    """Log-mel cepstra of a stream of sound, 13 numbers every 10 ms."""

    def __init__(self) -> None:
        self._held = np.zeros((_WINDOW - HOP) // 2, np.float32)
        self._rows: list[F32] = []

    def push(self, samples: Sound) -> None:
        """Hear the next samples."""
        heard = np.concatenate([self._held, samples])
        count = (len(heard) - _WINDOW) // HOP + 1
        if count <= 0:
            self._held = heard
            return
        window, filters, cosines = _tables()
        frames = np.lib.stride_tricks.sliding_window_view(heard, _WINDOW)[::HOP][:count] * window
        power = np.square(np.abs(np.fft.rfft(frames, _N_FFT, axis=1))).astype(np.float32)
        self._rows.append(np.log(power @ filters + np.float32(_FLOOR)) @ cosines)
        self._held = heard[count * HOP :].copy()

    def all(self) -> F32:
        """f32[frames, 13]; frame k is about samples [240 k, 240 (k + 1))."""
        self.push(np.zeros(_WINDOW, np.float32))
        return np.concatenate(self._rows) if self._rows else np.zeros((0, _CEPSTRA), np.float32)


@cache
def _tables() -> tuple[F32, F32, F32]:
    """Hann window, triangular mel filters over bins and the DCT's cosines."""
    window = np.hanning(_WINDOW + 1)[:-1]
    bins = np.arange(_N_FFT // 2 + 1) * SAMPLE_RATE / _N_FFT
    low, high = 2595 * np.log10(1 + np.array([_LOW_HZ, _HIGH_HZ]) / 700)
    edges = 700 * (10 ** (np.linspace(low, high, _BANDS + 2) / 2595) - 1)
    rise = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    filters = np.maximum(0, np.minimum(rise, fall))
    angles = np.pi / _BANDS * (np.arange(_BANDS)[:, None] + 0.5) * np.arange(_CEPSTRA)
    return window.astype(np.float32), filters.astype(np.float32), np.cos(angles).astype(np.float32)


def _normal(cepstra: F32) -> F32:
    """Cepstra with their own mean and spread taken out, as the louder half of the frames has them, and their slopes."""
    loud = cepstra[cepstra[:, 0] >= np.median(cepstra[:, 0])]
    still = (cepstra - loud.mean(axis=0)) / (cepstra.std(axis=0) + 1e-3)
    still[:, 0] *= _ENERGY
    padded = np.pad(still, ((2, 2), (0, 0)), mode="edge")
    slope = (padded[4:] - padded[:-4]) * 2 + (padded[3:-1] - padded[1:-3])
    both = np.concatenate([still, _SLOPES * slope], axis=1)
    found: F32 = (both / np.sqrt(both.shape[1])).astype(np.float32)
    return found


class Aligner:
    """Finds words and phones in recordings with hibari's network; safe from several threads."""

    def __init__(self, model: HibariModel) -> None:
        self._model = model

    def align(self, phrases: Sequence[Phrase], cepstra: F32) -> Aligned | None:
        """Where the phrases are said in the sound of `cepstra`; None where it does not sound like them at all."""
        best: Aligned | None = None
        theirs = _normal(cepstra)
        for pitch in _PITCHES:
            found = self._against(
                HibariEngine(self._model, VoiceSpec("hibari", pitch=pitch), "aligner"), phrases, theirs
            )
            if best is None or found.distance < best.distance:
                best = found
        return best if best is not None and best.distance <= _WORST else None

    def _against(self, engine: HibariEngine, phrases: Sequence[Phrase], theirs: F32) -> Aligned:
        heard = Cepstra()
        words: list[tuple[int, int, int]] = []
        phones: list[Phone] = []
        at = told = 0
        for phrase in phrases:
            begin = at
            for take in engine.speak(phrase):
                heard.push(take.samples)
                at += len(take.samples)
                words += [(told + w.index, begin + w.start, begin + w.end) for w in take.words]
                phones += [Phone(p.symbol, begin + p.start, begin + p.end) for p in take.phones]
            told += len(phrase.words)
        cepstra = heard.all()
        # A frame of silence before each word, which costs next to nothing to skip: a speaker may pause there.
        pauses = sorted({min(start // HOP, len(cepstra) - 1) for _, start, _ in words})
        ours = _normal(np.insert(cepstra, pauses, cepstra[0], axis=0))
        path, distance = _laid(ours, theirs)
        first, last = _first_and_last(path, len(ours))
        added = np.searchsorted(pauses, np.arange(len(cepstra) + 1), side="right")

        def begins(sample: int) -> int:
            frame = min(sample // HOP, len(cepstra) - 1)
            return int(first[frame + added[frame]]) * HOP + sample % HOP // 2

        def ends(sample: int) -> int:
            frame = min(max((sample - 1) // HOP, 0), len(cepstra) - 1)
            return (int(last[frame + added[frame]]) + 1) * HOP

        # several of our frames may lie on one of theirs, where the share of a frame would lead back
        begun = accumulate((begins(a) for _, a, _ in words), max)
        said = [WordTime(i, start, max(ends(b), start + HOP)) for (i, _, b), start in zip(words, begun, strict=True)]
        starts = list(accumulate([begins(p.start) for p in phones] + [len(theirs) * HOP], max))
        heard_phones = [Phone(p.symbol, a, b) for p, a, b in zip(phones, starts, starts[1:], strict=False) if b > a]
        return Aligned(tuple(said), tuple(heard_phones), distance)


def _laid(ours: F32, theirs: F32) -> tuple[npt.NDArray[np.int32], float]:
    """The cheapest path i32[steps, 2] through both, from their first frames to their last, and its mean distance."""
    n, m = len(ours), len(theirs)
    # Diagonal by diagonal, since a cell needs only those before it: i + j = d
    steps = np.zeros((n, m), np.int8)
    inf = np.float32(np.inf)
    last = np.full(n + 1, inf, np.float32)  # by i + 1, of diagonal d - 1
    before = np.full(n + 1, inf, np.float32)  # of diagonal d - 2
    for d in range(n + m - 1):
        low, high = max(0, d - m + 1), min(n, d + 1)
        i = np.arange(low, high)
        difference = ours[low:high] - theirs[d - i]
        cost = np.sqrt(np.einsum("ij,ij->i", difference, difference))
        ways = np.stack([before[low:high] + 2 * cost, last[low:high] + cost, last[low + 1 : high + 1] + cost])
        if d == 0:
            ways[:] = cost
        best = np.argmin(ways, axis=0)
        steps[i, d - i] = best
        now = np.full(n + 1, inf, np.float32)
        now[low + 1 : high + 1] = ways[best, np.arange(high - low)]
        before, last = last, now
    a, b = n - 1, m - 1
    path = [(a, b)]
    while a or b:
        step = int(steps[a, b]) if a and b else (1 if a else 2)
        a, b = a - (step != 2), b - (step != 1)
        path.append((a, b))
    return np.array(path[::-1], np.int32), float(last[n]) / (n + m)


def _first_and_last(path: npt.NDArray[np.int32], count: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """For each of our frames, the first and the last of theirs that lies on it."""
    first = np.full(count, np.iinfo(np.int32).max, np.int32)
    last = np.zeros(count, np.int32)
    np.minimum.at(first, path[:, 0], path[:, 1])
    np.maximum.at(last, path[:, 0], path[:, 1])
    return first, last
