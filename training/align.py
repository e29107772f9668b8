"""Where the phones of a recording lie, from its sound and its words: forced alignment by pocketsphinx.

Checked against flite's exact times and against phones labelled by hand (docs/audio2exp.md has the figures).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from functools import cache
from typing import Any, Final

import librosa
import numpy as np
import numpy.typing as npt
from hibari.g2p import G2P
from hibari.g2p import numbers as figures

from npc_engine.moments import SAMPLE_RATE, Phone, Sound
from training.arpabet import ARPABET, symbol
from training.phones import SILENCE, VOWELS

RATE: Final = 16_000  # of pocketsphinx's model
FRAME: Final = SAMPLE_RATE // 100  # samples of ours in one of its frames
# A frame's window is 25.6 ms, so its middle stands 7.8 ms behind the middle of the 10 ms that it is counted for.
# Measured against flite: boundaries 8 ms early in the median of 1,175.
BIAS: Final = round(0.008 * SAMPLE_RATE)
PADDING: Final = RATE // 5  # samples of faint noise around the sound in the second try
# silprob: pauses between words are rather found than missed. No beams: the words are known, so all paths are affordable
# and none is lost
OPTIONS: Final[dict[str, float | bool]] = {"silprob": 0.5, "beam": 0.0, "pbeam": 0.0, "wbeam": 0.0, "bestpath": False}

QUIET: Final = 35  # dB under the loud parts: nothing is said
PAUSE: Final = 10  # frames that a quiet stretch at the edge of a word lasts at least to be silence
CLOSURE: Final = 6  # quiet frames that stay with a stop

# what neither dictionary knows: CMU phones
SAID: Final[dict[str, str]] = {"yknow": "Y AH N OW", "adif": "AH D IH F"}
_CMU: Final = {
    **{ours: cmu for cmu, ours in reversed(ARPABET.items()) if cmu not in {"AX", "AXR", "IX", "UX", "HV", "DX"}},
    "ə": "AH", "ɐ": "AH", "ᵊ": "AH", "ɚ": "ER", "ɨ": "IH", "ᵻ": "IH", "ɾ": "T", "T": "T", "ʔ": "T", "a": "AA",
    "ɒ": "AA", "o": "OW", "e": "EH", "Q": "OW", "r": "R", "x": "K",
}  # fmt: skip
_STOPS: Final = frozenset("pbtdkɡʧʤ")
_WEAK: Final = frozenset("əɚᵊɐ")
_REDUCED: Final = frozenset({"AH", "ER"})  # what CMU's dictionary has one name for, stressed or not


class AlignmentError(ValueError):
    """A recording whose words were not found in it."""


def words(text: str) -> list[str]:
    """The words of a text in small letters: figures spelled out, hyphens and what stands in <> or [] resolved."""
    plain = re.sub(r"<[^>]*>", " ", text.replace("’", "'").replace("-", " ")).lower()
    found: list[str] = []
    for token in re.findall(r"\d+(?:st|nd|rd|th)?|[^\W\d_]+(?:'[^\W\d_]+)*", plain):
        digits = re.match(r"\d+", token)
        if digits is None:
            found.append(token)
        elif token != digits[0]:
            found += re.findall(r"[a-z]+", figures.ordinal(int(digits[0])))
        else:
            year = 1100 <= int(token) < 2000
            found += re.findall(r"[a-z]+", figures.year(int(token)) if year else figures.cardinal(int(token)))
    return found


def align(sound: Sound, text: str) -> tuple[Phone, ...]:
    """The phones of `sound` (24 kHz), in which `text` (English) is said, silence included: from first to last sample.

    Symbols are those of `training.phones`; boundaries are good to about 12 ms. AlignmentError where the words are not
    found.
    """
    said = words(text)
    if not said:
        raise AlignmentError(f"no words in {text!r}")
    at_16 = librosa.resample(np.asarray(sound, np.float32), orig_sr=SAMPLE_RATE, target_sr=RATE)
    pcm = np.clip(at_16 / (np.abs(at_16).max() + 1e-6) * 0.7, -1, 1) * 32767
    errors = []
    for padding in (0, PADDING):
        try:
            found = _decoded(pcm, said, padding)
        except RuntimeError as error:  # all that pocketsphinx raises
            errors.append(str(error))
        else:
            return _timed(_pauses(_symbols(found, said), sound), len(sound))
    raise AlignmentError(f"{' '.join(said)!r} not found in {len(sound) / SAMPLE_RATE:.1f} s of sound: {errors[-1]}")


_Frames = list[tuple[str, int, int, int]]  # symbol, first frame, frame after the last, number of the word or -1


def _decoded(pcm: npt.NDArray[Any], said: Sequence[str], padding: int) -> _Frames:
    """CMU's phones with their frames and the word that each belongs to."""
    from pocketsphinx import Decoder  # type: ignore[import-untyped, import-not-found, unused-ignore]

    decoder = Decoder(lm=None, loglevel="FATAL", **OPTIONS)
    for word in sorted(set(said)):
        if decoder.lookup_word(word) is None:
            decoder.add_word(word, " ".join(pronunciation(word)), update=True)
    faint = np.random.default_rng(1).standard_normal((2, padding)) * 20
    raw = np.concatenate([faint[0], pcm, faint[1]]).astype(np.int16).tobytes()
    decoder.set_align_text(" ".join(said))
    _listen(decoder, raw)  # where the words are
    decoder.set_alignment()
    _listen(decoder, raw)  # where the phones are within them
    found, number, shift = [], -1, padding * 100 // RATE
    for word in decoder.get_alignment():
        spoken = not word.name.startswith(("<", "[", "+"))
        number += spoken
        owner = number if spoken else -1
        found += [(p.name, p.start - shift, p.start + p.duration - shift, owner) for p in word]
    if number + 1 != len(said):
        raise RuntimeError(f"{number + 1} of {len(said)} words found")
    return found


def _listen(decoder: Any, raw: bytes) -> None:
    decoder.start_utt()
    decoder.process_raw(raw, full_utt=True)
    decoder.end_utt()


def _symbols(found: _Frames, said: Sequence[str]) -> _Frames:
    """The same in our symbols: AH and ER are full vowels where hibari stresses them, and schwas elsewhere."""
    readings = [[s for s in reading if s in VOWELS] for reading in _readings(said)]
    heard = [sum(n == number and symbol(name) in VOWELS for name, _, _, n in found) for number in range(len(said))]
    out: _Frames = []
    vowel, last = 0, -1
    for name, first, end, number in found:
        ours = symbol(name) if number >= 0 else SILENCE
        vowel, last = (vowel if number == last else 0), number
        if ours not in VOWELS:
            out.append((ours, first, end, number))
            continue
        full = len(readings[number]) == heard[number] and readings[number][vowel] not in _WEAK
        vowel += 1
        out.append((ours if full or name not in _REDUCED else "ɚ" if name == "ER" else "ə", first, end, number))
    return [each for each in out if each[2] > each[1]]


def pronunciation(word: str) -> list[str]:
    """CMU's phones of a word by hibari's spelling-to-sound rules; AlignmentError for one that can't be read."""
    if word in SAID:
        return SAID[word].split()
    read = re.sub("[ˈˌː]", "", _g2p()(word))
    read = re.sub("[ɜə]ɹ", "ɚ", read)
    unknown = [s for s in read if s not in _CMU and s.isalpha()]
    found = [_CMU[s] for s in read if s in _CMU]
    if unknown or not found:
        raise AlignmentError(f"word {word!r} is read {read!r}, which has no CMU phones")
    return found


def _readings(said: Sequence[str]) -> list[str]:
    """How hibari reads each word, in its sentence where that keeps the words apart."""
    together: list[str] = _g2p()(" ".join(said)).split()
    return together if len(together) == len(said) else [_g2p()(word) for word in said]


@cache
def _g2p() -> Any:
    return G2P()


def _pauses(found: _Frames, sound: Sound) -> _Frames:
    """The same without quiet of 100 ms and more with which words begin and end; stops keep some for their closure."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(sound, FRAME), 2 * FRAME)[::FRAME]
    level = 10 * np.log10((frames.astype(np.float64) ** 2).mean(axis=1) + 1e-12)
    quiet = level < np.percentile(level, 95) - QUIET
    out: _Frames = []
    numbers = [-1, *(number for *_, number in found), -1]
    for (name, first, end, number), before, after in zip(found, numbers[:-2], numbers[2:], strict=True):
        keeps = CLOSURE if name in _STOPS else 0
        loud = np.flatnonzero(~quiet[max(first, 0) : end]) + max(first, 0)
        starts, ends = (int(loud[0]) - keeps, int(loud[-1]) + 1 + keeps) if len(loud) else (first, end)
        cut_first = before != number and starts - first >= PAUSE - keeps
        cut_end = after != number and end - ends >= PAUSE - keeps
        out.append((name, starts if cut_first else first, ends if cut_end else end, number))
    return out


def _timed(found: _Frames, samples: int) -> tuple[Phone, ...]:
    """Frames as phones in samples, the bias taken off."""
    return gapless([(name, first * FRAME + BIAS, end * FRAME + BIAS) for name, first, end, _ in found], samples)


def gapless(spans: Iterable[tuple[str, int, int]], samples: int) -> tuple[Phone, ...]:
    """Symbols with first sample and the one after the last, in order; what lies between and around is silence."""
    out: list[Phone] = []
    at = 0
    for name, first, end in spans:
        starts, ends = min(max(first, at), samples), min(end, samples)
        if name == SILENCE or ends <= starts:
            continue
        if starts > at:
            out.append(Phone(SILENCE, at, starts))
        out.append(Phone(name, starts, ends))
        at = ends
    if at < samples:
        out.append(Phone(SILENCE, at, samples))
    return tuple(out)


def boundary_errors(found: Sequence[Phone], truth: Sequence[Phone]) -> list[float]:
    """Milliseconds by which each phone of `found` begins after the same phone of `truth`, schwas like their vowels.

    Phones are paired in order; those that only one of the two has are left out, and so is silence.
    """
    ours, theirs = ([p for p in phones if p.symbol != SILENCE] for phones in (found, truth))
    same = str.maketrans("əɜɚ", "ʌʌʌ")
    a, b = ([p.symbol.translate(same) for p in phones] for phones in (ours, theirs))
    pairs = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    return [
        (ours[pair.a + i].start - theirs[pair.b + i].start) / SAMPLE_RATE * 1e3
        for pair in pairs
        for i in range(pair.size)
    ]
