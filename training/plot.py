"""`python -m training.plot --say TEXT --out FILE.png`, or `--sound FILE.wav`: sound, teacher, network on a page."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

import librosa
import matplotlib as mpl
import numpy as np
import numpy.typing as npt

from npc_engine.cast import VoiceSpec
from npc_engine.expression.aperture import aperture
from npc_engine.moments import CHANNEL, SAMPLE_RATE, TICK_SAMPLES, Phone, Sound
from npc_engine.speech.hibari_model import HibariModel
from training.data import rows, speak
from training.evaluate import DEFAULT, mouth
from training.teacher import teach

mpl.use("Agg")

F32 = npt.NDArray[np.float32]

PANELS: Final = (
    ("jawOpen", "mouthClose"),
    ("mouthFunnel", "mouthPucker", "mouthSmileLeft", "mouthStretchLeft"),
    ("mouthRollLower", "mouthPressLeft", "mouthUpperUpLeft", "mouthLowerDownLeft"),
    ("tongueUp", "browInnerUp", "eyeBlinkLeft", "headYaw", "headPitch", "gazeYaw"),
)


def plot(sound: Sound, phones: tuple[Phone, ...], network: F32, out: Path) -> None:
    """Draw network (lines), teacher (dashes, where there are phones), mel and aperture to a PNG."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2 + len(PANELS), 1, figsize=(18, 16), sharex=True)
    ticks = len(network)
    seconds = np.arange(ticks) * TICK_SAMPLES / SAMPLE_RATE
    axes[0].imshow(
        rows(sound).reshape(-1, 80).T, origin="lower", aspect="auto", extent=(0, len(sound) / SAMPLE_RATE, 0, 80)
    )
    taught = teach(sound, phones).exp if phones else None
    for panel, names in zip(axes[2:], PANELS, strict=True):
        for index, name in enumerate(names):
            panel.plot(seconds, network[:, CHANNEL[name]], color=f"C{index}", label=name)
            if taught is not None:
                panel.plot(seconds, taught[:ticks, CHANNEL[name]], "--", color=f"C{index}", linewidth=0.8)
        panel.legend(loc="upper right")
    axes[1].plot(seconds, aperture(network), "k", label="aperture")
    if taught is not None:
        axes[1].plot(seconds, aperture(taught)[:ticks], "k--", linewidth=0.8)
    axes[1].legend(loc="upper right")
    _letters(axes, phones)
    figure.tight_layout()
    figure.savefig(out, dpi=60)
    plt.close(figure)


def _letters(axes: Any, phones: tuple[Phone, ...]) -> None:
    for phone in phones:
        axes[0].text((phone.start + phone.end) / 2 / SAMPLE_RATE, 82, phone.symbol, ha="center")
        for panel in axes[1:]:
            panel.axvline(phone.start / SAMPLE_RATE, color="#ddd", linewidth=0.6)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--say")
    what.add_argument("--sound", type=Path)
    parser.add_argument("--pitch", type=float, default=1.0)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--lookahead", type=int, default=DEFAULT)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    if args.say:
        sound, phones = speak(HibariModel(), args.say, VoiceSpec("hibari", pitch=args.pitch))
    else:
        sound, phones = librosa.load(args.sound, sr=SAMPLE_RATE)[0], ()
    plot(sound, phones, mouth(args.model, args.lookahead)(sound), args.out)


if __name__ == "__main__":
    main()
