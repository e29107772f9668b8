"""What the tests of the core in C# share: the program made of it and of its checks, and engines in processes."""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
UNITY = ROOT / "bindings" / "unity"
PACKAGE = UNITY / "com.npcengine.client"
CORE = PACKAGE / "Runtime" / "Core"
STRICT = ("-langversion:7.2", "-warn:4", "-warnaserror", "-debug")
TONE = Path(__file__).parent / "tone.py"
GUARDED = """
import sys, tempfile
from pathlib import Path
from npc_engine.server.server import Server
from tone import ToneStage
with tempfile.TemporaryDirectory() as folder:
    server = Server(ToneStage(Path(folder)), sys.argv[1], keys=Path(sys.argv[2]))
    server.start()
    print(server.address, flush=True)
    server.serve_forever()
"""
SMALL = "nursery-size=256k"  # of mono's garbage collector, so that little garbage is seen


def compiled(*arguments):
    """Let mcs compile the core, with every warning an error."""
    missing = [tool for tool in ("mcs", "mono") if shutil.which(tool) is None]
    if missing:
        text = f"{' and '.join(missing)} missing: apt install --no-install-recommends mono-mcs mono-runtime"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)
    command = ["mcs", *STRICT, *map(str, arguments), *map(str, sorted(CORE.rglob("*.cs")))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def program_in(folder):
    """The core and its checks as one program."""
    exe = folder / "core_tests.exe"
    compiled(f"-out:{exe}", *(UNITY / "core_tests").glob("*.cs"))
    return exe


def begun(program, *arguments):
    """The program, running a group of its checks."""
    return subprocess.Popen(
        ["mono", "--debug", str(program), *map(str, arguments)],
        env={**os.environ, "MONO_GC_PARAMS": SMALL}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def checked(program, *arguments, timeout=120):
    """What a group of checks printed; none of them failed."""
    with begun(program, *arguments) as process:
        try:
            out, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            pytest.fail(f"{arguments[0]} did not end; it said:\n{process.communicate()[0]}")
    assert process.returncode == 0, out
    return out


@contextlib.contextmanager
def engine(address="tcp://127.0.0.1:*", keys=None):
    """A real engine in a process of its own, and its address."""
    command = (
        [sys.executable, str(TONE), address] if keys is None else [sys.executable, "-c", GUARDED, address, str(keys)]
    )
    paths = os.pathsep.join([str(ROOT), str(TONE.parent)])
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": paths}, stdout=subprocess.PIPE, text=True)
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()
