"""Draws a face under every emotion: in a pause, and while it says a, m, u and f.

python tools/expression/emotions.py docs/pictures/feelings.jpg
python tools/expression/emotions.py out.jpg --face elder --style cartoon --strength 0.5
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from npc_engine.cast import Cast
from npc_engine.expression.contacts import Contact, enforced
from npc_engine.expression.emotion import Feeling
from npc_engine.expression.limits import Limiter
from npc_engine.expression.style import found, gains
from npc_engine.frames.load import load_face
from npc_engine.moments import CHANNEL, EMOTIONS, EXP50, Exp

ROOT = Path(__file__).parents[2]
TICKS = 60  # in which an emotion has come
# What the network says at the middle of each; for m and f the contact is enforced, as it is in a line
SAID: dict[str, tuple[dict[str, float], str]] = {
    "pause": ({}, "sil"),
    "a": ({"jawOpen": 0.48, "mouthStretch": 0.05, "mouthUpperUp": 0.06, "mouthLowerDown": 0.15}, "aa"),
    "i": (
        {"jawOpen": 0.15, "mouthSmile": 0.28, "mouthStretch": 0.20, "mouthUpperUp": 0.07, "mouthLowerDown": 0.11},
        "I",
    ),
    "u": ({"jawOpen": 0.13, "mouthFunnel": 0.22, "mouthPucker": 0.55}, "U"),
    "m": ({"jawOpen": 0.13}, "PP"),
    "f": ({"jawOpen": 0.10}, "FF"),
}


def coefficients(said: str, emotion: str, strength: float, style: str) -> Exp:
    """The face of `emotion` while `said` lasts, held until everything stands still."""
    weights, viseme = SAID[said]
    exp = np.zeros((TICKS, len(EXP50)), np.float32)
    for name, value in weights.items():
        for channel in (name, name + "Left", name + "Right"):
            if channel in CHANNEL:
                exp[:, CHANNEL[channel]] = value
    one, none = np.ones(TICKS, np.float32), np.zeros(TICKS, np.float32)
    contact = Contact(one if viseme == "PP" else none, one if viseme == "FF" else none)
    pause = one if viseme == "sil" else none
    own = found(style)
    felt = Feeling("sheet", "sheet", emotion, strength).step(exp * gains(style), none, pause, contact, own.emotion)
    return Limiter().step(enforced(felt, contact, own.mouth), contact.seal)[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--face", default="maren")
    parser.add_argument("--style", default="lively")
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--size", type=int, default=300, help="pixels of each picture, before it is cut to the face")
    arguments = parser.parse_args()
    face = load_face(*Cast((ROOT,)).face(arguments.face))
    top, bottom, left, right = (int(share * arguments.size) for share in (0.20, 0.86, 0.22, 0.78))
    rows = []
    for emotion in EMOTIONS:
        drawn = []
        for said in SAID:
            exp = coefficients(said, emotion, arguments.strength, arguments.style)
            picture = face.render(exp, arguments.size)[top:bottom, left:right, :3].copy()
            cv2.putText(picture, f"{emotion} {said}", (5, 13), 0, 0.42, (255, 255, 255), 1, cv2.LINE_AA)
            drawn.append(picture)
        rows.append(np.hstack(drawn))
    cv2.imwrite(str(arguments.out), np.vstack(rows)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
    print(arguments.out)


if __name__ == "__main__":
    main()
