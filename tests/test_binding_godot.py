"""bindings/godot: the add-on runs in a real Godot 4 without a window, beside a real engine and engines that are broken.

Godot lives in a root of its own, which bindings/godot/ci/godot.sh makes; NPC_ENGINE_GODOT_ROOT names it. Where the
archive does not give it that day, all of this is skipped, and says so loudly.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import msgpack
import pytest
import zmq
from test_golden import GOLDENS
from tone import ToneStage
from web_game import gateway_to

from npc_engine.server.server import Server

ROOT = Path(__file__).parent.parent
HERE = ROOT / "bindings" / "godot"
GODOT = Path(os.environ.get("NPC_ENGINE_GODOT_ROOT", Path.home() / ".cache" / "npc-engine-godot"))
WAIT_S = 150
HARMLESS = re.compile(  # what this root lacks, and the add-on does not need
    r"Couldn't get executable path from /proc/self/exe"
)
LOCAL = "tcp://127.0.0.1"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project():
    """The add-on's project inside Godot's root, its class names known; its path there."""
    if not (GODOT / ".npc-engine-ready").exists():
        pytest.skip(f"NO GODOT 4 IN {GODOT}: the add-on is NOT TESTED. As root: bindings/godot/ci/godot.sh {GODOT}")
    if os.geteuid() != 0:
        pytest.skip("chroot needs root")
    folder = GODOT / "work" / uuid.uuid4().hex
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns(".godot"))
    shutil.copytree(ROOT / "bindings" / "golden", folder / "golden")
    (folder / "golden" / ".gdignore").touch()
    try:
        inside = f"/{folder.relative_to(GODOT)}"
        done = godot(inside, "--import")
        assert done.returncode == 0, done.stdout
        assert troubles(done.stdout) == []
        yield inside
    finally:
        shutil.rmtree(folder)


def command(project, *arguments):
    return ["chroot", str(GODOT), "godot", "--headless", "--path", project, *arguments]


def godot(project, *arguments):
    """Godot's whole run."""
    return subprocess.run(
        command(project, *arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=WAIT_S,
        check=False,
    )  # fmt: skip


def troubles(output):
    """The errors and warnings that Godot has printed."""
    rows = [row for row in output.splitlines() if re.match(r"\s*(SCRIPT ERROR|USER ERROR|ERROR|WARNING)", row)]
    return [row for row in rows if not HARMLESS.search(row)]


def result(output):
    """What a check has told in its last row; no error and no warning of Godot may stand above it."""
    assert troubles(output) == [], output
    return json.loads(re.search(r"^RESULT (.*)$", output, re.MULTILINE)[1])


@contextlib.contextmanager
def engine(address=f"{LOCAL}:*"):
    """A real engine in a process of its own: (process, address)."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "tone.py"), address], stdout=subprocess.PIPE, text=True
    )
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_every_golden_message_is_read_written_and_refused(project):
    told = result(godot(project, "-s", "res://checks/golden.gd", "--", f"{project}/golden").stdout)
    assert told["wrong"] == []
    readable = [name for name, (_, message) in GOLDENS.items() if "message" in message]
    assert told["counts"]["read"] == len(readable)
    assert told["counts"]["refused"] == sum("error" in message for _, message in GOLDENS.values())
    of_games = [n for n in readable if GOLDENS[n][1]["from"] == "game" and GOLDENS[n][1]["canonical"]]
    assert told["counts"]["written"] == len(of_games)


def test_ten_lines_at_once_and_a_restart_lose_no_tick(project):
    with engine() as (first, address), contextlib.ExitStack() as later:
        check = subprocess.Popen(
            command(project, "-s", "res://checks/session.gd", "--", address),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        output = ""
        with check:
            for row in check.stdout:
                output += row
                if row.startswith("PHASE kill"):
                    first.kill()
                    first.wait()
                    later.enter_context(engine(address))
        told = result(output)
    assert told["wrong"] == []
    assert told["open"] == []
    assert told["changes"].count("connected") == 4  # two connections, twice
    assert told["changes"].count("disconnected") >= 2  # and once more where nobody listened meanwhile
    assert len(told["lines"]) == 25
    assert all(told["lines"][f"mid{i}"]["closed"] == "disconnected" for i in range(5))


def test_ten_lines_at_once_over_websockets(project, tmp_path):
    server = Server(ToneStage(tmp_path), f"{LOCAL}:*")
    server.start()
    try:
        with gateway_to(server.guest) as gateway:
            address = gateway.address.replace("http", "ws", 1)
            told = result(godot(project, "-s", "res://checks/session.gd", "--", address, "stays").stdout)
    finally:
        server.stop()
    assert told["wrong"] == []
    assert len(told["lines"]) == 10


def test_a_face_keeps_in_step_at_every_rate_of_sound_and_frames(project):
    told = result(godot(project, "-s", "res://checks/playing.gd").stdout)
    assert told["wrong"] == []
    assert len(told["figures"]) == 12
    for case in told["figures"]:
        least, _, most = case["lag_ms"]
        assert -10 <= least <= most <= 20, case
        assert case["shut_ms"] <= 150, case
        assert case["frames"] >= 50, case


def test_the_demo_scene_loads_without_an_engine_and_without_a_head_of_its_own(project):
    done = godot(project, "--quit-after", "30")
    assert done.returncode == 0
    assert troubles(done.stdout) == []


def test_the_demo_scene_and_the_dock_say_lines(project):
    glb = GODOT / project.strip("/") / "demo" / "head.glb"
    export = [Path(sys.executable).parent / "npc-engine", "faces", "export", "head_woman", "--gltf", str(glb)]
    subprocess.run(export, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    with engine() as (_, address):
        told = result(godot(project, "-s", "res://checks/scene.gd", "--", address).stdout)
    assert told["wrong"] == []
    assert (
        told["figures"]["least_ms"] <= 0.5
    )  # the bound of a quiet machine: the median of a busy one is its neighbours'


# ── engines that are broken ───────────────────────────────────────────────────────────────────────────────────────

WELCOME = GOLDENS["welcome"][0][0]
MALFORMED = [frames for name, (frames, told) in GOLDENS.items() if told["from"] == "engine" and "message" not in told]


class Router(threading.Thread):
    """A ROUTER that answers each `hello` with messages, and nothing else with anything."""

    def __init__(self, *answers, curve=False):
        super().__init__()
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        if curve:
            self._socket.curve_server = True
            self._socket.curve_publickey, self._socket.curve_secretkey = zmq.curve_keypair()
        self.address = f"{LOCAL}:{self._socket.bind_to_random_port(LOCAL)}"
        self._answers = answers
        self._over = threading.Event()
        self.start()

    def run(self):
        while not self._over.is_set():
            if self._socket.poll(20):
                identity, header, *_ = self._socket.recv_multipart()
                if msgpack.unpackb(header)["kind"] == "hello":
                    for frames in self._answers:
                        self._socket.send_multipart([identity, *frames])

    def close(self):
        self._over.set()
        self.join()
        self._context.destroy(0)


class Listener(threading.Thread):
    """A TCP server that says its bytes to each caller, and never reads."""

    def __init__(self, data):
        super().__init__()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.02)
        self.address = f"{LOCAL}:{self._socket.getsockname()[1]}"
        self._data = data
        self._over = threading.Event()
        self._callers = []
        self.start()

    def run(self):
        while not self._over.is_set():
            with contextlib.suppress(TimeoutError):
                caller, _ = self._socket.accept()
                caller.sendall(self._data)
                self._callers.append(caller)

    def close(self):
        self._over.set()
        self.join()
        for each in (self._socket, *self._callers):
            each.close()


def frame(flags, body):
    return bytes([flags | 2]) + struct.pack(">Q", len(body)) + body


READY = b"\x05READY\x0bSocket-Type\x00\x00\x00\x06ROUTER"
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
TOO_NEW = msgpack.packb({**msgpack.unpackb(WELCOME), "version": 2})
BAD_VERSION = msgpack.packb({"kind": "error", "code": "bad-version", "text": "wire version 1, expected 2"})


def test_of_a_broken_engine_a_signal_tells_and_nothing_is_left(project):
    with socket.socket() as closed, contextlib.ExitStack() as stack:
        closed.bind(("127.0.0.1", 0))  # bound, and not listened on

        def of(server):
            stack.callback(server.close)
            return server.address

        nobody = f"{LOCAL}:{closed.getsockname()[1]}"
        cases = {
            "no such host": ("tcp://no-such-host.invalid:7890", "disconnected"),
            "nobody listens": (nobody, "disconnected"),
            "no gateway": (nobody.replace("tcp", "ws") + "/", "disconnected"),
            "mute": (of(Listener(b"")), "disconnected"),
            "a web server": (of(Listener(b"HTTP/1.1 400 Bad Request\r\n\r\n" + bytes(64))), "disconnected"),
            "a frame of 2^63 bytes": (of(Listener(GREETING + b"\x06\x80" + bytes(7))), "disconnected"),
            "asks for keys": (of(Router(curve=True)), "refused"),
            "never welcomes": (of(Router()), "disconnected"),
            "newer": (of(Router([BAD_VERSION])), "refused"),
            "newer welcome": (of(Router([TOO_NEW])), "refused"),
            "never accepts": (of(Router([WELCOME])), "connected no-answer bad-message"),
            "nonsense": (of(Router([WELCOME], *MALFORMED)), "connected bad-message no-answer"),
            "stops answering": (
                of(Listener(GREETING + frame(4, READY) + frame(0, WELCOME))), "connected no-answer disconnected"
            ),
        }  # fmt: skip
        asked = [{"name": name, "address": where, "wants": wants} for name, (where, wants) in cases.items()]
        told = result(godot(project, "-s", "res://checks/faults.gd", "--", json.dumps(asked)).stdout)
    signals = told["told"]
    for name, (_, wants) in cases.items():
        assert set(wants.split()) <= {what for what, _ in signals[name]}, (name, signals[name])
        assert "connected" in wants or not any(what == "connected" for what, _ in signals[name]), name
    text = {name: " | ".join(text for _, text in rows) for name, rows in signals.items()}
    assert "no host 'no-such-host.invalid'" in text["no such host"]
    assert "nobody answers" in text["nobody listens"]
    assert "no handshake within 2000 ms" in text["mute"]
    assert "speaks no ZMTP" in text["a web server"]
    assert "CURVE" in text["asks for keys"]
    assert "tunnel" in text["asks for keys"]
    assert "no welcome" in text["never welcomes"]
    assert "expected 2" in text["newer"]
    assert "version 2" in text["newer welcome"]
    assert "silent" in text["stops answering"]
    unreadable = [row for row in signals["nonsense"] if "the engine sent:" in row[1]]
    newer = sum(GOLDENS[name][1].get("error", {}).get("code") == "unknown-kind" for name in GOLDENS
                if GOLDENS[name][1]["from"] == "engine")  # fmt: skip
    assert len(unreadable) == len(MALFORMED) - newer - sum(not frames for frames in MALFORMED)
    assert told["figures"]["threads"] == 0


@pytest.fixture
def tools():
    """The folder of gdtoolkit's programs."""
    folder = Path(sys.executable).parent
    if not (folder / "gdlint").exists():
        text = "gdlint is missing: pip install gdtoolkit"
        pytest.fail(text) if os.environ.get("CI") else pytest.skip(text)
    return folder


def test_the_readme_is_gdscript_and_names_what_there_is(project, tools, tmp_path):
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    code = "".join(path.read_text(encoding="utf-8") for path in (HERE / "addons").rglob("*.gd"))
    for name in re.findall(r"`(?:\w+\.)?(\w+)(?:\(.*?\))?`", readme.partition("## Tests")[0]):
        assert re.search(rf"\b{name}\b", code) or (HERE / name).exists(), name
    blocks = re.findall(r"```gdscript\n(.*?)```", readme, re.DOTALL)
    assert len(blocks) == 2
    for number, block in enumerate(blocks):
        path = tmp_path / f"readme{number}.gd"
        path.write_text(block, encoding="utf-8")
        shutil.copy(path, GODOT / project.strip("/") / "checks" / path.name)
        done = godot(project, "--check-only", "-s", f"res://checks/{path.name}")
        assert troubles(done.stdout) == [], done.stdout
        subprocess.run([tools / "gdformat", "--check", "--line-length", "120", path], check=True)


def test_gdscript_is_in_the_style_of_godot(tools):
    files = [str(path) for path in sorted(HERE.rglob("*.gd")) if ".godot" not in path.parts]
    for tool in (["gdlint"], ["gdformat", "--check", "--line-length", "120"]):
        done = subprocess.run(
            [tools / tool[0], *tool[1:], *files], cwd=HERE, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
