"""npc-engine bench faces: what pictures of each face cost, each in a process of its own, on one core."""

from __future__ import annotations

import argparse
import json
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from npc_engine.cast import Cast
from npc_engine.commands.bench_process import in_own_process
from npc_engine.commands.common import Commands, Progress, UsageError, command, table

ABOUT: Final = "measure faces: milliseconds a picture with guard and life, JPEG, pictures a second, load"
EXAMPLES: Final = """  npc-engine bench faces
  npc-engine bench faces --json faces.json
  npc-engine bench faces --faces maren,elder
"""
WANTED: Final = {
    "portrait_ms": ("≤", 5.0), "jpeg_ms": ("≤", 1.0), "fps_512": ("≥", 150.0), "fps_256": ("≥", 400.0),
    "head_fps": ("≥", 60.0), "load_ms": ("≤", 300.0),
}  # fmt: skip
STANDARD_HEAD: Final = "(standard head)"
_MINUTES: Final = 10  # that a face may take
_COLUMNS: Final = ("picture_ms", "render_ms", "jpeg_ms", "fps", "fps_256", "load_ms", "first_ms")


def add_to(verbs: Commands) -> None:
    """Add the sub-command of `bench`."""
    parser = command(verbs, "faces", ABOUT, EXAMPLES)
    # suppressed: a default here would hide what stands before the verb
    parser.add_argument("--json", type=Path, default=argparse.SUPPRESS, metavar="FILE", help="write the figures there")
    parser.add_argument("--cast", type=Path, default=argparse.SUPPRESS, metavar="DIR", help="folder with your faces/")
    parser.add_argument("--faces", default="", metavar="A,B", help="which ones (default: all)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure, print and write; never judges."""
    from npc_engine.commands.bench import machine

    cast = Cast.standard(arguments.cast)
    names = [n.strip() for n in arguments.faces.split(",") if n.strip()] or sorted(cast.faces())
    engines = {name: cast.face(name)[0].engine for name in names}  # a name that is not known is told at once
    if "head" not in engines.values():
        engines[STANDARD_HEAD] = "head"
    faces: dict[str, Any] = {}
    failed: dict[str, str] = {}
    progress = Progress("measuring")
    for number, (name, engine) in enumerate(engines.items()):
        progress.show(f"[{'█' * (20 * number // len(engines)):20}] {number + 1} of {len(engines)}: {name}")
        try:
            faces[name] = {"engine": engine} | measured(name, arguments)
        except UsageError as error:
            failed[name] = str(error)
    progress.done()
    figures = summary(faces) | {"machine": machine(), "versions": versions(), "faces": faces, "failed": failed}
    report(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"written to {arguments.json}")
    return 0


def measured(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """The figures of one face, out of a fresh process with one thread a library and one core."""
    options = {"face": name, "cast": str(arguments.cast) if arguments.cast else None}
    try:
        done = in_own_process("npc_engine.commands.bench_face", options, _MINUTES)
    except subprocess.TimeoutExpired:
        raise UsageError(f"not done within {_MINUTES} minutes") from None
    if done.returncode:
        raise UsageError(f"ended with code {done.returncode}: {done.stderr.strip().splitlines()[-1]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def summary(faces: dict[str, Any]) -> dict[str, float | str | None]:
    """The figures that are promised: means over the portraits, the mean of the heads, and the slowest load."""
    portraits = [f for f in faces.values() if f["engine"] == "portrait"]
    heads = [f for f in faces.values() if f["engine"] == "head"]

    def mean(of: list[dict[str, Any]], key: str) -> float | None:
        return round(sum(f[key] for f in of) / len(of), 3) if of else None

    picture, jpeg = mean(portraits, "picture_ms"), mean(portraits, "jpeg_ms")
    loads = [f["load_ms"] for f in faces.values()]
    found: dict[str, float | str | None] = {
        "portrait_ms": picture,
        "jpeg_ms": jpeg,
        "fps_512": round(1000 / (picture + jpeg), 1) if picture is not None and jpeg is not None else None,
        "fps_256": mean(portraits, "fps_256"),
        "head_fps": mean(heads, "fps"),
        "load_ms": max(loads, default=None),
    }
    if not heads:
        found["head_fps_reason"] = "no 3D head could be drawn, see failed"
    return found


def versions() -> dict[str, str]:
    """Of what draws and encodes."""
    return {name: version(name) for name in ("numpy", "opencv-python-headless", "onnxruntime")}


def report(figures: dict[str, Any]) -> None:
    """Print the figures with what is wanted beside them."""
    rows = [(name, f["engine"], *(f"{f[key]:.4g}" for key in _COLUMNS)) for name, f in figures["faces"].items()]
    if rows:
        head = ("FACE", "ENGINE", "PICTURE ms", "UNGUARDED ms", "JPEG ms", "FPS 512", "FPS 256", "LOAD ms", "FIRST ms")
        print(table(rows, head))
    for key, (sign, wanted) in WANTED.items():
        value = "-" if figures[key] is None else f"{figures[key]:g}"
        print(f"{key:12} {value:>8}   wanted {sign} {wanted:g}")
    print(
        "mean computing time over half a minute of speech, with guard and life, at 512×512 where nothing else is said"
    )
    for name, reason in figures["failed"].items():
        print(f"failed {name}: {reason}")
    machine = figures["machine"]
    print(f"machine: {machine['cpu']}, {machine['cores']} cores, {machine['system']}")
