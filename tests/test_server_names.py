"""Nothing that comes over the wire names a file, and nothing of it is run."""

import ast
import sys
import threading
from pathlib import Path

import pytest
from guarded import Game, wait_for
from tone import ToneStage

import npc_engine
from npc_engine.cast import Cast, CastError
from npc_engine.client import Client
from npc_engine.moments import Outputs
from npc_engine.server.server import Server
from npc_engine.speech.cache import TakeCache
from npc_engine.troupe import Troupe
from npc_engine.wire.messages import Append, Cancel, Commit, End, Hello, Speak, Warm

NAMES = (
    "../voices/low",
    "../../../../etc/passwd",
    "..",
    ".",
    "/etc/passwd",
    "low/../low",
    "low/voice.toml",
    "low/",
    "./low",
    "low\0",
    "low\0.toml",
    "\0",
    "*",
    "l?w",
    "[l]ow",
    "**",
    "C:\\Windows\\win.ini",
    "..\\voices\\low",
    "\\\\host\\share",
    "file:///etc/passwd",
    "~",
    "~root",
    "$HOME",
    "%APPDATA%",
    "CON",
    "nul",
    "com1.toml",
    "LPT1",
    "low.",
    "low ",
    "LOW",
    "low::$DATA",
    "ｌｏｗ",
    "low\u202e",
)
SEEN = {"opened": None}


def _hook(event, arguments):
    opened = SEEN["opened"]
    if opened is not None and event in {"open", "os.listdir", "os.scandir", "os.mkdir", "os.rename", "os.remove"}:
        opened.append((event, str(arguments[0])))


sys.addaudithook(_hook)


@pytest.fixture
def opened():
    """Paths that this process touches through Python while the test runs."""
    SEEN["opened"] = []
    yield SEEN["opened"]
    SEEN["opened"] = None


@pytest.fixture
def server(tmp_path):
    server = Server(ToneStage(tmp_path), "tcp://127.0.0.1:*")
    server.start()
    yield server
    server.stop()


def test_names_from_the_wire_are_only_compared_with_those_of_the_cast(server, tmp_path, opened):
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with Game(server.address).hello() as game:
        for number, name in enumerate(NAMES):
            asks = (
                (Speak(f"n{number}", "one", npc=name), "unknown-npc"),
                (Speak(f"v{number}", "one", voice=name), "unknown-voice"),
                (Speak(f"f{number}", "one", "anna", face=name, outputs=Outputs(picture=64)), "unknown-face"),
                (Warm(f"w{number}", "one", npc=name), "unknown-npc"),
                (Warm(f"x{number}", "one", voice=name), "unknown-voice"),
            )
            for message, code in asks:
                game.send(message)
                error = game.receive()
                assert (error.kind, error.code, repr(name) in error.text) == ("error", code, True), name
    assert opened, "the hook hears nothing"
    touched = {path for _, path in opened}
    allowed = {str(tmp_path), *(str(path) for path in before)}
    strange = {path for path in touched if path.startswith(str(tmp_path)) and path.rstrip("/") not in allowed}
    assert not strange
    assert not [
        path for path in touched if any(part in path for part in ("passwd", "win.ini", "share", "\0", "APPDATA"))
    ]
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize("name", NAMES)
def test_the_real_troupe_knows_none_of_them(name, opened):
    troupe = Troupe(Cast.standard())
    asks = ((name, "", ""), ("", name, ""), ("elder", "", name))
    for asked in asks:
        with pytest.raises(CastError, match=r"^no (character|voice|face) "):
            troupe.npc(*asked)
    assert not [path for _, path in opened if "passwd" in path or "\0" in path or "win.ini" in path]


def test_ids_and_names_of_games_are_no_paths(server, tmp_path, opened):
    """Ids of lines and warms, the game's own name, texts and the names of marks: none reaches a file."""
    with Game(server.address) as game:
        game.send(Hello(1, "../../evil\n\x1b[31m"))
        assert game.receive().kind == "welcome"
        for name in NAMES:
            game.send(Speak(name, "", "ben", open=True, credit_ms=5_000))
            game.send(Append(name, f"one #{'../' * 3}mark two "))
            game.send(Commit(name))
            game.send(Warm(name, "one", "ben"))
            kinds = set()
            while not {"end", "warmed"} <= kinds:
                message = game.receive()
                assert message.kind != "error", message.text
                kinds.add(message.kind)
            game.send(Cancel(name))
    assert not [path for _, path in opened if "evil" in path or "mark" in path or "passwd" in path]
    wait_for(lambda: not [t for t in threading.enumerate() if t.name.startswith("performer")])


def test_a_text_names_no_file_of_the_cache(tmp_path):
    """Finished speech is kept in files named by a digest, whatever the text says."""
    cache = TakeCache(folder=tmp_path / "takes")
    server = Server(Troupe(Cast.standard(), cache=cache), "tcp://127.0.0.1:*")
    server.start()
    try:
        with Client(server.address, 20) as client:
            for text in ("../../etc/passwd", "C:\\con\\nul", "/etc/shadow and ~root"):
                assert isinstance(list(client.say("", text, voice="man"))[-1], End)
    finally:
        server.stop()
    cache.flush()
    files = [path.relative_to(tmp_path / "takes") for path in (tmp_path / "takes").rglob("*") if path.is_file()]
    assert len(files) >= 3
    assert all(set(path.stem) <= set("0123456789abcdef") for path in files if path.suffix != ".lock"), files
    assert [path.name for path in tmp_path.iterdir()] == ["takes"]


RUNS = {"eval", "exec", "compile", "__import__"}
READS = {"pickle", "cPickle", "marshal", "shelve", "dill", "yaml", "jsonpickle", "joblib", "subprocess"}


def served():
    """The modules that a server imports, and the client's."""
    root = Path(npc_engine.__file__).parent
    folders = ("wire", "server", "text")
    files = [path for folder in folders for path in (root / folder).rglob("*.py")]
    return [*files, *(root / f"{name}.py" for name in ("client", "connection", "keys", "playback", "feed"))]


@pytest.mark.parametrize("path", served(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_nothing_from_the_wire_is_run_or_unpickled(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = node.func
            assert not (isinstance(called, ast.Name) and called.id in RUNS), f"{path}:{node.lineno}"
            assert not (isinstance(called, ast.Attribute) and called.attr == "recv_pyobj"), f"{path}:{node.lineno}"
            assert not (isinstance(called, ast.Attribute) and called.attr == "system"), f"{path}:{node.lineno}"
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            modules = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            assert not {module.split(".")[0] for module in modules} & READS, f"{path}:{node.lineno}"


def test_no_array_is_read_with_pickle():
    for path in Path(npc_engine.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert isinstance(node.value, ast.Constant), path
                assert node.value.value is False, path
