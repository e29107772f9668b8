"""Compares npc_engine/frames/models/identity.onnx with dlib itself, on faces: chips, and the numbers they become.

python -m venv .venv-dlib; .venv-dlib/bin/pip install dlib onnxruntime opencv-python-headless numpy platformdirs
PYTHONPATH=. .venv-dlib/bin/python tools/identity/verify.py DAT PREDICTOR PICTURE …

DAT is dlib_face_recognition_resnet_model_v1.dat; PREDICTOR shape_predictor_5_face_landmarks.dat, which dlib places its
chips by and we do not need. (Never the 68-point predictor: its data forbid commercial use.) With --write FILE the
numbers that dlib finds for a drawn chip are kept, for tests/test_frames_identity.py.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import dlib
import numpy as np

from npc_engine.frames.embedding import DLIB, embedder
from npc_engine.frames.landmarks import FaceFinder
from npc_engine.frames.pictures import read_picture
from npc_engine.frames.sampling import moved, shrunk

LARGEST = 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dat", type=Path)
    parser.add_argument("predictor", type=Path)
    parser.add_argument("pictures", type=Path, nargs="+")
    parser.add_argument("--write", type=Path, help="an .npz of what dlib finds for the chip that the test draws")
    arguments = parser.parse_args()
    model = dlib.face_recognition_model_v1(str(arguments.dat))
    predictor = dlib.shape_predictor(str(arguments.predictor))
    ours, finder = embedder(), FaceFinder()
    if arguments.write:
        sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
        from drawn_chip import chip

        np.savez(arguments.write, embedding=np.array(model.compute_face_descriptor(chip()), np.float32))
    worst, apart = 0.0, []
    for path in arguments.pictures:
        rgb = np.ascontiguousarray(read_picture(path)[..., :3])
        if max(rgb.shape) > LARGEST:
            scale = LARGEST / max(rgb.shape)
            rgb = shrunk(rgb, round(rgb.shape[1] * scale), round(rgb.shape[0] * scale))
        for face in finder.find(rgb):
            points, _ = finder.landmarks(rgb, face)
            left, top, right, bottom = (round(v) for v in face.box)
            theirs = predictor(rgb, dlib.rectangle(left, top, right, bottom))
            chip = np.array(dlib.get_face_chip(rgb, theirs, size=150, padding=0.25))
            described = np.array(model.compute_face_descriptor(chip))
            same = float(np.linalg.norm(ours.embed(chip) - described))
            back = cv2.invertAffineTransform(DLIB.matrix(points))
            placed = ours.embed(moved(rgb, back, 150, 150, border=cv2.BORDER_CONSTANT))
            apart.append(float(np.linalg.norm(placed - described)))
            worst = max(worst, same)
            print(f"{path.name}: {same:.6f} from dlib's numbers on its chip, {apart[-1]:.3f} on ours")
    print(f"{len(apart)} faces: {worst:.6f} at most on the same chip; {np.median(apart):.3f} in the median on our own")


if __name__ == "__main__":
    main()
