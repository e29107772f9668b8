"""The documentation is true: its commands parse, its Python runs, its links lead somewhere."""

import hashlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from npc_engine.cast import Cast
from npc_engine.cli import parser
from npc_engine.server.server import Server
from npc_engine.troupe import Troupe

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "bindings" / "PROTOCOL.md"]


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def commands():
    for page in PAGES:
        for block in blocks(page, "bash"):
            for row in block.replace("\\\n", " ").splitlines():
                words = shlex.split(row.strip().removeprefix("$ "), comments=True)
                if words and words[0] == "npc-engine":
                    yield pytest.param(words[1:], id=f"{page.name}: {' '.join(words)[:60]}")


@pytest.mark.parametrize("argv", list(commands()))
def test_a_command_in_the_docs_parses(argv):
    parser().parse_args(argv)


def test_every_command_is_in_the_readme():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    actions = next(a for a in parser()._actions if a.choices)
    assert [name for name in actions.choices if f"npc-engine {name}" not in text] == []


def test_readme_python_runs_against_a_real_engine(tmp_path):
    server = Server(Troupe(Cast.standard()), "tcp://127.0.0.1:*")
    server.start()
    try:
        for block in blocks(ROOT / "README.md", "python"):
            code = block.replace("tcp://127.0.0.1:7890", server.address)
            assert code != block
            ends = 'assert playing.finished and playing.position > 24_000 and shown.picture[:2] == b"\\xff\\xd8"\n'
            done = subprocess.run(
                [sys.executable, "-W", "error", "-c", code + ends],
                cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
    finally:
        server.stop()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_to_files(page):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http:", "https:")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"


def test_licenses_name_every_binary_asset_that_ships_with_its_hash():
    text = (ROOT / "LICENSES.md").read_text(encoding="utf-8")
    listed = {path: digest for digest, path in re.findall(r"    ([0-9a-f]{64})  (\S+)", text)}
    shipped = [
        path.relative_to(ROOT).as_posix()
        for folder in ("npc_engine", "faces", "voices", "demo_game")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".onnx", ".tflite", ".npz", ".png", ".jpg", ".wav") and path.name != "preview.png"
    ]
    assert sorted(shipped) == sorted(listed)
    for path, digest in listed.items():
        assert hashlib.sha256((ROOT / path).read_bytes()).hexdigest() == digest, path
