"""Phone onsets against forced alignment by pocketsphinx (English; needs pocketsphinx, soxr)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from npc_engine.commands.voices_speech import Spoken
from npc_engine.moments import SAMPLE_RATE, Sound
from npc_engine.speech.stretch import Stretch, ratio

ALIGNER_SILENCE_S = 0.3

# ARPAbet as pocketsphinx has it, in hibari's symbols
_NAMES = """
    AA AE AH AO AW AY B CH D DH EH EY F G HH IH IY JH K
    L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH
"""
ARPABET = {**dict(zip(_NAMES.split(), "ɑæʌɔWIbʧdðɛAfɡhɪɪʤklmnŋOYpɹsʃtθʊuvwjzʒ", strict=True)), "ER": "ʌɹ"}
SAME_KIND = {"T": "t", "ᵊ": "ʌ", "ə": "ʌ", "ɐ": "ʌ", "ɜ": "ʌ", "ᵻ": "ɪ", "i": "ɪ"}


class Aligner:
    """Forced alignment by pocketsphinx: onsets of words and phones in seconds."""

    def __init__(self) -> None:
        from pocketsphinx import Decoder

        self._make = lambda: Decoder(samprate=16_000, lm=None, loglevel="FATAL", beam=1e-80, wbeam=1e-80, pbeam=1e-80)
        self._decoder = self._make()

    def words(self, sound: Sound, text: str) -> list[list[tuple[str, float]]] | None:
        """Phones and their onsets, a list a word; None when the aligner fails or has not got a word."""
        import soxr

        said = re.findall(r"[a-z']+", text.lower())
        if any(self._decoder.lookup_word(word) is None for word in said):
            return None
        silence = np.zeros(int(ALIGNER_SILENCE_S * SAMPLE_RATE), np.float32)
        padded = np.concatenate([silence, sound, silence])
        padded += np.random.default_rng(0).standard_normal(len(padded), dtype=np.float32) * np.float32(1e-4)
        pcm = (np.clip(soxr.resample(padded, SAMPLE_RATE, 16_000), -1, 1) * 32767).astype("<i2").tobytes()
        try:
            self._decoder.set_align_text(" ".join(said))
            self._decode(pcm)
            if self._decoder.hyp() is None:  # set_alignment would crash
                return None
            self._decoder.set_alignment()
            self._decode(pcm)
            # read at once: its entries do not outlive the step to the next
            found = [(w.name, [(p.name, p.start / 100) for p in w]) for w in self._decoder.get_alignment()]
        except (RuntimeError, TypeError):
            self._decoder = self._make()
            return None
        return [[(p, at - ALIGNER_SILENCE_S) for p, at in phones] for word, phones in found if word[0] not in "<["]

    def _decode(self, pcm: bytes) -> None:
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()


def onset_errors(lines: Iterable[Spoken], formant: float, aligner: Aligner) -> list[float]:
    """Our onset less the aligner's, in seconds, of every phone that both name alike.

    The aligner hears the voice with formants (a factor) stretched back, because it knows no ogres; times are scaled to
    match.
    """
    step = ratio(formant)
    errors: list[float] = []
    for line in lines:
        undo = Stretch(Fraction(step.denominator, step.numerator))
        aligned = aligner.words(np.concatenate([undo.push(line.sound), undo.end()]), line.text)
        if aligned is None or len(aligned) != len(line.words):
            continue
        for word, theirs in zip(line.words, aligned, strict=True):
            named = [(ARPABET[re.sub(r"\d", "", name)], at / float(step)) for name, at in theirs]
            spelled = [(c, at if k == 0 else None) for symbols, at in named for k, c in enumerate(symbols)]
            ours = [p for p in line.phones if word.start <= p.start < word.end and p.symbol != "sil"]
            kinds = [SAME_KIND.get(p.symbol, p.symbol) for p in ours]
            matcher = difflib.SequenceMatcher(None, [c for c, _ in spelled], kinds, autojunk=False)
            for a, b, size in matcher.get_matching_blocks():
                for k in range(size):
                    theirs_at = spelled[a + k][1]
                    if theirs_at is not None:
                        errors.append(ours[b + k].start / SAMPLE_RATE - theirs_at)
    return errors
