"""Drawn heads as glTF: read back, and by the Khronos validator where node and the package are."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from npc_engine.cast import Cast
from npc_engine.cli import main
from npc_engine.files.gltf import Document
from npc_engine.files.gltf_head import TARGETS, displacements, head_glb
from npc_engine.frames.head.face import load_head
from npc_engine.moments import ARKIT52, CHANNEL, NEUTRAL

ROOT = Path(__file__).parents[1]
VALIDATE = """
const validator = require('gltf-validator'), fs = require('fs');
validator.validateBytes(new Uint8Array(fs.readFileSync(process.argv[1])), {maxIssues: 20})
  .then(report => console.log(JSON.stringify(report.issues)));
"""


@pytest.fixture(scope="module")
def figure():
    spec, folder = Cast((ROOT,)).face("head_elf")
    return load_head(spec.head, folder, {}).figure


@pytest.fixture(scope="module")
def glb(figure) -> bytes:
    return head_glb(figure, "head_elf")


def opened(glb: bytes) -> tuple[dict, bytes]:
    magic, version, length = struct.unpack_from("<4sII", glb)
    assert (magic, version, length) == (b"glTF", 2, len(glb))
    size, kind = struct.unpack_from("<I4s", glb, 12)
    assert kind == b"JSON"
    scene = json.loads(glb[20 : 20 + size])
    rest, kind = struct.unpack_from("<I4s", glb, 20 + size)
    assert kind == b"BIN\0"
    return scene, glb[28 + size : 28 + size + rest]


def floats(scene: dict, data: bytes, accessor: int) -> np.ndarray:
    entry = scene["accessors"][accessor]
    view = scene["bufferViews"][entry["bufferView"]]
    width = {"VEC2": 2, "VEC3": 3}[entry["type"]]
    return np.frombuffer(data, np.float32, entry["count"] * width, view["byteOffset"]).reshape(-1, width)


def test_it_has_52_shapes_and_15_visemes_in_one_order(glb) -> None:
    scene, _ = opened(glb)
    (head,) = (mesh for mesh in scene["meshes"] if mesh["name"] == "Head")
    names = head["extras"]["targetNames"]
    assert names[:52] == list(ARKIT52)
    assert names[52:54] == ["viseme_sil", "viseme_PP"]
    assert len(names) == len(TARGETS) == 67
    assert all(len(primitive["targets"]) == 67 for primitive in head["primitives"])


def test_it_is_a_head_in_metres_that_stands_upright_and_looks_along_z(glb, figure) -> None:
    scene, data = opened(glb)
    (head,) = (mesh for mesh in scene["meshes"] if mesh["name"] == "Head")
    points = floats(scene, data, head["primitives"][0]["attributes"]["POSITION"])
    size = np.ptp(points, axis=0)
    assert 0.3 < size[1] < 0.7
    nodes = {node["name"]: node for node in scene["nodes"]}
    left, right = (nodes[name]["translation"] for name in ("EyeLeft", "EyeRight"))
    assert left[0] > 0 > right[0]
    assert 0.05 < left[0] - right[0] < 0.075
    assert left[2] > 0.05


def test_its_shapes_are_those_that_are_drawn(glb, figure) -> None:
    scene, data = opened(glb)
    (head,) = (mesh for mesh in scene["meshes"] if mesh["name"] == "Head")
    moved = floats(scene, data, head["primitives"][0]["targets"][TARGETS.index("jawOpen")]["POSITION"])
    e = NEUTRAL.copy()
    e[CHANNEL["jawOpen"]] = 1
    drawn = (figure.poser.pose(e).points - figure.rest) * 0.1
    assert np.abs(moved).max() == pytest.approx(np.abs(drawn).max(), abs=1e-5)
    assert np.abs(displacements(figure)["viseme_sil"]).max() == 0
    assert np.abs(displacements(figure)["viseme_aa"]).max() > 0.1


def test_textures_lie_inside(glb) -> None:
    scene, data = opened(glb)
    for image in scene["images"]:
        view = scene["bufferViews"][image["bufferView"]]
        start = data[view["byteOffset"] : view["byteOffset"] + 4]
        assert start[:3] == b"\xff\xd8\xff" if image["mimeType"] == "image/jpeg" else start == b"\x89PNG"


def test_the_validator_finds_nothing(glb, tmp_path) -> None:
    if not (shutil.which("node") and shutil.which("npm")):
        if os.environ.get("CI"):
            pytest.fail("node and npm are not on the path, and CI is set: the glTF is not validated")
        pytest.skip("node and npm are not on the path")
    installed = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(tmp_path), "gltf-validator@2.0.0-dev.3.10"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if installed.returncode:
        why = f"npm can't install gltf-validator: {installed.stderr.strip()[-200:]}"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    path = tmp_path / "head.glb"
    path.write_bytes(glb)
    done = subprocess.run(
        ["node", "-e", VALIDATE, str(path)], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True
    )
    issues = json.loads(done.stdout)
    assert issues["numErrors"] == 0, issues["messages"]
    assert issues["numWarnings"] == 0, issues["messages"]


def test_the_command_writes_a_file(tmp_path, capsys) -> None:
    out = tmp_path / "elf.glb"
    assert main(["faces", "export", "head_elf", "--gltf", str(out), "--cast", str(ROOT)]) == 0
    assert out.read_bytes()[:4] == b"glTF"
    assert "67 morph targets" in capsys.readouterr().out


def test_a_portrait_is_refused_with_the_reason_and_what_would_do(tmp_path, capsys) -> None:
    assert main(["faces", "export", "maren", "--gltf", str(tmp_path / "m.glb"), "--cast", str(ROOT)]) != 0
    told = capsys.readouterr().err
    assert "drawn by the engine 'portrait', from a picture, which has no shape to export" in told
    assert "head_elf" in told
    assert not (tmp_path / "m.glb").exists()


def test_a_name_that_is_no_glb_is_refused(tmp_path, capsys) -> None:
    assert main(["faces", "export", "head_elf", "--gltf", str(tmp_path / "m.gltf")]) != 0
    assert "expected a name that ends in .glb" in capsys.readouterr().err


def test_an_array_of_another_kind_is_told() -> None:
    with pytest.raises(ValueError, match="an array of float64, expected u1, u2, u4 or f4"):
        Document().array(np.zeros(3))
