"""Draws one line under every emotion: pitch, loudness and where the words fall.

    python tools/voices/emotions.py docs/pictures/emotions.png
    python tools/voices/emotions.py out.png --voice ogre --text "Who dares wake me?"

Needs: pip install 'npc-engine[media,dev]' (matplotlib; librosa finds the pitch).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import librosa
import matplotlib as mpl
import numpy as np

from npc_engine.cast import Cast
from npc_engine.moments import EMOTIONS, SAMPLE_RATE, Line, Sound, Word
from npc_engine.performance import Voice
from npc_engine.speech.load import VoiceEngines

mpl.use("Agg")
from matplotlib import pyplot as plt

ROOT = Path(__file__).parents[2]
HOP = 240
TEXT = "The bridge is gone. Did you really come all this way alone?"


def heard(voice: Voice, text: str, emotion: str) -> tuple[Sound, list[Word]]:
    chunks = list(voice.speak(Line("picture", "", text, emotion=emotion)))
    return np.concatenate([c.samples for c in chunks]), [w for c in chunks for w in c.words]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--voice", default="woman")
    parser.add_argument("--text", default=TEXT)
    arguments = parser.parse_args()
    spec, folder = Cast((ROOT,)).voice(arguments.voice)
    voice = VoiceEngines().voice(spec, arguments.voice, folder)
    figure, rows = plt.subplots(len(EMOTIONS), 1, figsize=(11, 11), sharex=True, sharey=True, layout="constrained")
    middle = None
    for row, emotion in zip(rows, EMOTIONS, strict=True):
        sound, words = heard(voice, arguments.text, emotion)
        f0, voiced, _ = librosa.pyin(sound, fmin=60, fmax=600, sr=SAMPLE_RATE, hop_length=HOP, frame_length=2048)
        loud = 20 * np.log10(librosa.feature.rms(y=sound, frame_length=1024, hop_length=HOP)[0] + 1e-5)
        seconds = np.arange(len(f0)) * HOP / SAMPLE_RATE
        sure = np.where(voiced, f0, np.nan)
        middle = middle or float(np.nanmedian(sure))
        row.fill_between(seconds, 60, 60 * 10 ** (np.clip(loud[: len(seconds)] + 60, 0, None) / 110), color="0.88")
        row.axhline(middle, color="0.6", linewidth=0.8, linestyle=":")
        row.plot(seconds, sure, color="tab:blue", linewidth=2)
        for word in words:
            row.axvline(word.start / SAMPLE_RATE, color="0.8", linewidth=0.6)
            row.text(word.start / SAMPLE_RATE + 0.01, 430, word.text, fontsize=8, color="0.35")
        row.set(yscale="log", ylim=(60, 520), yticks=(100, 200, 400), yticklabels=("100", "200", "400"))
        row.minorticks_off()
        row.set_ylabel(emotion)
    rows[-1].set_xlabel("seconds")
    figure.suptitle(f"{arguments.voice}: pitch in Hz (blue; dotted: neutral's median), loudness (grey, 60 dB), words")
    figure.savefig(arguments.out, dpi=90)
    print(arguments.out)


if __name__ == "__main__":
    main()
