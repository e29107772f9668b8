"""npc-engine bench faces: every figure that is promised, out of processes of their own."""

import json
from pathlib import Path

import pytest

from npc_engine.cast import Cast
from npc_engine.cli import main
from npc_engine.commands.bench_faces import STANDARD_HEAD, summary

ROOT = Path(__file__).parents[1]
CAST = Cast((ROOT,))
PORTRAIT = min(name for name in CAST.faces() if CAST.face(name)[0].engine == "portrait")
KEYS = ("portrait_ms", "jpeg_ms", "fps_512", "fps_256", "head_fps", "load_ms")


@pytest.mark.slow
@pytest.mark.timeout(1200)  # two faces, a thousand pictures and more each at two sizes
def test_every_figure_is_written(tmp_path, capsys):
    out = tmp_path / "faces.json"
    assert main(["bench", "faces", "--faces", PORTRAIT, "--json", str(out)]) == 0
    said = capsys.readouterr().out
    figures = json.loads(out.read_text(encoding="utf-8"))
    assert not figures["failed"]
    assert set(figures["faces"]) == {PORTRAIT, STANDARD_HEAD}
    for key in KEYS:
        assert figures[key] > 0
        assert key in said
    assert figures["fps_512"] == pytest.approx(1000 / (figures["portrait_ms"] + figures["jpeg_ms"]), rel=0.01)
    assert figures["fps_256"] > figures["fps_512"]
    assert figures["faces"][PORTRAIT]["pictures"] > 1000, "half a minute at 50 pictures a second"
    assert figures["machine"]["cores"] >= 1
    assert set(figures["versions"]) == {"numpy", "opencv-python-headless", "onnxruntime"}


def test_without_a_head_its_figure_is_null_with_a_reason():
    found = {"engine": "portrait", "picture_ms": 4.0, "jpeg_ms": 1.0, "fps": 200.0, "fps_256": 500.0, "load_ms": 90.0}
    figures = summary({"one": found, "two": found | {"picture_ms": 6.0, "load_ms": 120.0}})
    assert {key: figures[key] for key in KEYS} == {
        "portrait_ms": 5.0, "jpeg_ms": 1.0, "fps_512": 166.7, "fps_256": 500.0, "head_fps": None, "load_ms": 120.0,
    }  # fmt: skip
    assert "failed" in str(figures["head_fps_reason"])


def test_a_mistyped_face_is_told_before_anything_is_measured(capsys):
    assert main(["bench", "faces", "--faces", PORTRAIT + "x"]) == 2
    assert f"did you mean {PORTRAIT!r}" in capsys.readouterr().err
