"""Find the landmarks of faces/NAME/picture.png again, for pictures that were drawn anew.

python tools/face_landmarks.py faces/elder faces/maren
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from npc_engine.frames.add import face_landmarks
from npc_engine.frames.pictures import read_picture

if __name__ == "__main__":
    for folder in map(Path, sys.argv[1:]):
        picture = folder / "picture.png"
        points = face_landmarks(read_picture(picture), picture)
        np.savez_compressed(folder / "landmarks.npz", points=points)
        print(f"{folder / 'landmarks.npz'}: face of {np.ptp(points[:468, 0]):.0f}×{np.ptp(points[:468, 1]):.0f} pixels")
