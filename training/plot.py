"""`python -m training.plot --say TEXT --out FILE.png`, or `--sound FILE [--text TEXT]`: sound, teacher and network.

The words of a recording, given with `--text` or in a .lab file beside it, say where its phones are (forced alignment).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
import numpy.typing as npt

from npc_engine.cast import VoiceSpec
from npc_engine.expression import mel
from npc_engine.expression.aperture import aperture
from npc_engine.expression.network import SHIPPED
from npc_engine.moments import CHANNEL, EMOTIONS, SAMPLE_RATE, TICK_SAMPLES, Line, Phone, Sound
from npc_engine.speech.hibari import HibariEngine
from npc_engine.speech.hibari_model import HibariModel
from npc_engine.speech.voice import CastVoice
from training.align import align
from training.sounds import read
from training.teacher import teach

mpl.use("Agg")

F32 = npt.NDArray[np.float32]

PANELS: Final = (
    ("jawOpen", "mouthClose"),
    ("mouthFunnel", "mouthPucker", "mouthSmileLeft", "mouthStretchLeft"),
    ("mouthRollLower", "mouthPressLeft", "mouthUpperUpLeft", "mouthLowerDownLeft"),
    ("tongueUp", "browInnerUp", "eyeBlinkLeft", "headYaw", "headPitch", "gazeYaw"),
)


def draw(sound: Sound, phones: tuple[Phone, ...], network: F32, out: Path) -> None:
    """Draw network (lines), teacher (dashes, where there are phones), mel and aperture to a PNG."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2 + len(PANELS), 1, figsize=(18, 16), sharex=True)
    ticks = len(network)
    seconds = np.arange(ticks) * TICK_SAMPLES / SAMPLE_RATE
    rows, _ = mel.step(sound, mel.start())
    axes[0].imshow(rows.T, origin="lower", aspect="auto", extent=(0, len(sound) / SAMPLE_RATE, 0, mel.BANDS))
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
        axes[0].text((phone.start + phone.end) / 2 / SAMPLE_RATE, mel.BANDS + 2, phone.symbol, ha="center")
        for panel in axes[1:]:
            panel.axvline(phone.start / SAMPLE_RATE, color="#ddd", linewidth=0.6)


def _said(text: str, spec: VoiceSpec) -> tuple[Sound, tuple[Phone, ...]]:
    voice = CastVoice(HibariEngine(HibariModel(), spec, "plot"), spec, "plot")
    chunks = list(voice.speak(Line("plot", "plot", text)))
    return np.concatenate([c.samples for c in chunks]), tuple(p for c in chunks for p in c.phones)


def _recorded(path: Path, text: str | None) -> tuple[Sound, tuple[Phone, ...]]:
    sound = read(path)
    lab = path.with_suffix(".lab")
    if text is None and lab.is_file():
        text = lab.read_text(encoding="utf-8")
    return sound, align(sound, text) if text else ()


def main() -> None:
    """Run from the command line."""
    from training.evaluate import DEFAULT, Mouth

    parser = argparse.ArgumentParser(description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--say", help="English that hibari says")
    what.add_argument("--sound", type=Path, help="a recording")
    parser.add_argument("--text", help="what is said in the recording, in English; without it there is no teacher")
    parser.add_argument("--pitch", type=float, default=1.0)
    parser.add_argument("--model", type=Path, default=SHIPPED)
    parser.add_argument("--lookahead", type=int, default=DEFAULT)
    parser.add_argument("--emotion", choices=EMOTIONS, default=EMOTIONS[0])
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    if args.say:
        sound, phones = _said(args.say, VoiceSpec("hibari", pitch=args.pitch))
    else:
        sound, phones = _recorded(args.sound, args.text)
    sound = sound[: len(sound) // TICK_SAMPLES * TICK_SAMPLES]
    draw(sound, phones, Mouth(args.model, args.lookahead).exp(sound, emotion=args.emotion), args.out)


if __name__ == "__main__":
    main()
