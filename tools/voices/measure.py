"""Measures the designed voices and prints the table of docs/voices.md.

python tools/voices/measure.py                  pitch, level, tempo, first sound, real-time factor
python tools/voices/measure.py --mos            and predicted naturalness (… distillmos xls-r-sqa torch soxr)
python tools/voices/measure.py --align          and phone onsets against forced alignment (… pocketsphinx soxr)
"""

from __future__ import annotations

import argparse
import difflib
import re
import statistics
import sys
import time
import types
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from npc_engine.cast import Cast
from npc_engine.moments import SAMPLE_RATE, Line, Phone, Sound, Word
from npc_engine.speech.load import VoiceEngines
from npc_engine.speech.stretch import Stretch, ratio
from npc_engine.speech.voice import CastVoice

ROOT = Path(__file__).parents[2]
TWELVE = "The old bridge is broken, so take the path along the river."
ALIGNER_SILENCE_S = 0.3

# ARPAbet as pocketsphinx has it, in hibari's symbols
_NAMES = """
    AA AE AH AO AW AY B CH D DH EH EY F G HH IH IY JH K
    L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH
"""
ARPABET = {**dict(zip(_NAMES.split(), "ɑæʌɔWIbʧdðɛAfɡhɪɪʤklmnŋOYpɹsʃtθʊuvwjzʒ", strict=True)), "ER": "ʌɹ"}
SAME_KIND = {"T": "t", "ᵊ": "ʌ", "ə": "ʌ", "ɐ": "ʌ", "ɜ": "ʌ", "ᵻ": "ɪ", "i": "ɪ"}


def spoken(voice: CastVoice, text: str) -> tuple[Sound, list[Phone], list[Word]]:
    chunks = list(voice.speak(Line("1", "npc", text)))
    sound = np.concatenate([c.samples for c in chunks])
    return sound, [p for c in chunks for p in c.phones], [w for c in chunks for w in c.words]


def pitches(sound: Sound) -> Any:
    """Hz of each voiced frame of 60 ms, by autocorrelation with its window divided out (Boersma 1993)."""
    size = 1440
    frames = np.lib.stride_tricks.sliding_window_view(sound, size)[::480].astype(np.float64)
    frames = frames[np.mean(frames**2, axis=1) > 0.05 * np.mean(sound.astype(np.float64) ** 2)]
    frames = (frames - frames.mean(axis=1, keepdims=True)) * np.hanning(size)
    own = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(size), 4096)) ** 2)[: size // 2]
    same = np.fft.irfft(np.abs(np.fft.rfft(frames, 4096, axis=1)) ** 2, axis=1)[:, : size // 2]
    same /= same[:, :1] * (own / own[0])
    low, high = SAMPLE_RATE // 450, SAMPLE_RATE // 70
    lags = low + np.argmax(same[:, low:high], axis=1)
    return SAMPLE_RATE / lags[same[np.arange(len(lags)), lags] > 0.8]


def naturalness() -> Any:
    """A function from sound at 24 kHz to predicted mean opinion score."""
    import soxr
    import torch

    # distillmos imports torchaudio to read files, which it is not asked to do; torchaudio wants CUDA's libraries
    sys.modules.setdefault("torchaudio", types.ModuleType("torchaudio"))
    import distillmos

    torch.set_num_threads(1)
    model = distillmos.ConvTransformerSQAModel().eval()

    def score(sound: Sound) -> float:
        with torch.no_grad():
            return float(model(torch.from_numpy(soxr.resample(sound, SAMPLE_RATE, 16_000))[None])[0])

    return score


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


def onset_errors(voice: CastVoice, pitch: float, aligner: Aligner, texts: list[str]) -> list[float]:
    """Our onset less the aligner's, in seconds, of every phone that both name alike.

    The aligner hears the voice with its stretch undone, because it knows no ogres; times are scaled to match.
    """
    step = ratio(pitch)
    errors: list[float] = []
    for text in texts:
        sound, phones, words = spoken(voice, text)
        undo = Stretch(Fraction(step.denominator, step.numerator))
        aligned = aligner.words(np.concatenate([undo.push(sound), undo.end()]), text)
        if aligned is None or len(aligned) != len(words):
            continue
        for word, theirs in zip(words, aligned, strict=True):
            named = [(ARPABET[re.sub(r"\d", "", name)], at / float(step)) for name, at in theirs]
            spelled = [(c, at if k == 0 else None) for symbols, at in named for k, c in enumerate(symbols)]
            ours = [p for p in phones if word.start <= p.start < word.end and p.symbol != "sil"]
            kinds = [SAME_KIND.get(p.symbol, p.symbol) for p in ours]
            matcher = difflib.SequenceMatcher(None, [c for c, _ in spelled], kinds, autojunk=False)
            for a, b, size in matcher.get_matching_blocks():
                for k in range(size):
                    theirs_at = spelled[a + k][1]
                    if theirs_at is not None:
                        errors.append(ours[b + k].start / SAMPLE_RATE - theirs_at)
    return errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mos", action="store_true", help="predict naturalness with distillmos")
    parser.add_argument("--align", action="store_true", help="compare phone onsets with pocketsphinx")
    parser.add_argument("--lines", type=Path, default=ROOT / "tests" / "npc_lines.txt", help="a sentence a line")
    args = parser.parse_args()
    texts = [t for t in args.lines.read_text(encoding="utf-8").splitlines() if t.strip()]
    score = naturalness() if args.mos else None
    aligner = Aligner() if args.align else None

    cast, engines = Cast((ROOT,)), VoiceEngines()
    head = [
        "voice",
        "pitch",
        "median f0, Hz",
        "words a minute",
        "level in words, dB",
        "peak",
        "first sound, ms",
        "factor",
    ]
    head += ["MOS mean (lowest)"] if score else []
    head += ["onset bias, ms", "mean error, ms", "p90", "phones"] if aligner else []
    print(f"{len(texts)} lines of {args.lines.name}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for name in cast.voices():
        spec, folder = cast.voice(name)
        voice = engines.voice(spec, name, folder)
        voice.warm()
        said = [spoken(voice, text) for text in texts]
        sounds = [s for s, _, _ in said]
        inside = np.concatenate([s[w.start : w.end] for s, _, words in said for w in words])
        first, whole = [], []
        for _ in range(21):
            begin = time.perf_counter()
            speech = voice.speak(Line("1", name, TWELVE))
            length = len(next(speech).samples)
            first.append(time.perf_counter() - begin)
            length += sum(len(c.samples) for c in speech)
            whole.append((time.perf_counter() - begin) * SAMPLE_RATE / length)
        row = [
            name,
            f"{spec.pitch:.2f}",
            f"{np.median(np.concatenate([pitches(s) for s in sounds])):.0f}",
            f"{60 * SAMPLE_RATE * sum(len(w) for _, _, w in said) / sum(map(len, sounds)):.0f}",
            f"{10 * np.log10(np.mean(inside.astype(np.float64) ** 2)):.1f}",
            f"{max(float(np.abs(s).max()) for s in sounds):.2f}",
            f"{1000 * statistics.median(first):.0f} ({1000 * min(first):.0f})",
            f"{statistics.median(whole):.3f}",
        ]
        if score:
            scores = [score(s) for s in sounds]
            row.append(f"{statistics.mean(scores):.2f} ({min(scores):.2f})")
        if aligner:
            errors = 1000 * np.array(onset_errors(voice, spec.pitch, aligner, texts))
            size = np.abs(errors)
            row += [f"{errors.mean():+.0f}", f"{size.mean():.0f}", f"{np.percentile(size, 90):.0f}", str(len(errors))]
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
