"""Voices, faces and characters that change while the engine runs: real portraits and hibari's designs, in a folder."""

import gc
import logging
import shutil
import threading
import time
import weakref
from pathlib import Path

import cv2
import numpy as np
import pytest

from npc_engine.cast import Cast, CastError
from npc_engine.client import Client
from npc_engine.moments import Line, Outputs
from npc_engine.reload import Reloader
from npc_engine.server.server import Server
from npc_engine.troupe import Troupe
from npc_engine.wire.messages import Accepted, End, ErrorMessage, Moments

ROOT = Path(__file__).parent.parent
EDGE = 256  # pixels of the portrait: a small one loads soon
VOICE = 'engine = "hibari"\nspeed = {speed}\n'
NPCS = '[maid]\nvoice = "alto"\nface = "maid"\nstyle = "lively"\n'
TEXT = "Good evening."


@pytest.fixture(scope="module")
def portrait(tmp_path_factory):
    """A shipped portrait, made small."""
    made = tmp_path_factory.mktemp("portrait")
    source = ROOT / "faces" / "maren"
    scale = EDGE / cv2.imread(str(source / "picture.png")).shape[0]
    for name in ("picture.png", "mask.png", "background.jpg"):
        picture = cv2.imread(str(source / name), cv2.IMREAD_UNCHANGED)
        size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
        cv2.imwrite(str(made / name), cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
    with np.load(source / "landmarks.npz") as file:
        np.savez(made / "landmarks.npz", points=file["points"] * np.float32(scale))
    shutil.copy(source / "face.toml", made)
    return made


def cast_of_one(folder, portrait):
    (folder / "voices" / "alto").mkdir(parents=True)
    (folder / "voices" / "alto" / "voice.toml").write_text(VOICE.format(speed=1.0), encoding="utf-8")
    shutil.copytree(portrait, folder / "faces" / "maid")
    (folder / "npcs.toml").write_text(NPCS, encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path, portrait):
    """A cast of one character."""
    return cast_of_one(tmp_path, portrait)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory, portrait):
    """The same for several tests, who leave it as they find it: folder, troupe and reloader."""
    folder = cast_of_one(tmp_path_factory.mktemp("lasting"), portrait)
    troupe = Troupe(Cast((folder,)))
    assert troupe.warm() == {}
    return folder, troupe, Reloader(troupe)


@pytest.fixture
def troupe(folder):
    troupe = Troupe(Cast((folder,)))
    assert troupe.warm() == {}
    return troupe


@pytest.fixture
def reloader(troupe):
    return Reloader(troupe)


def write(path, text):
    """Write a file so that it looks changed whatever the clock's grain."""
    path.write_text(text, encoding="utf-8")
    return path


def gone(ref, timeout_s=30.0):
    """Whether what a weak reference means leaves memory, when the threads that had it have ended."""
    end = time.monotonic() + timeout_s
    while ref() is not None and time.monotonic() < end:
        gc.collect()
        time.sleep(0.01)
    return ref() is None


def spoken(troupe, npc):
    """Seconds of what a character says."""
    return sum(len(chunk.samples) for chunk in troupe.npc(npc).voice.speak(Line("l", npc, TEXT))) / 24_000


def test_what_is_dropped_in_speaks(folder, troupe, reloader, portrait, caplog):
    caplog.set_level(logging.INFO)
    with pytest.raises(CastError, match="no character 'smith'"):
        troupe.npc("smith")
    shutil.copytree(portrait, folder / "faces" / "smith")
    (folder / "voices" / "bass").mkdir()
    write(folder / "voices" / "bass" / "voice.toml", 'engine = "hibari"\npitch = 0.8\n')
    write(folder / "npcs.toml", NPCS + '[smith]\nvoice = "bass"\nface = "smith"\nabout = "new"\n')
    assert reloader.look().loaded == []  # it may still be written
    changes = reloader.look()
    assert sorted(changes.loaded) == ["character smith", "face smith", "voice bass"]
    assert "face smith is loaded and new" in caplog.messages
    assert {"name": "smith", "voice": "bass", "face": "smith", "about": "new"} in troupe.npcs()
    assert spoken(troupe, "smith") > 0.3
    assert troupe.is_loaded(face="smith")
    assert reloader.look() == type(changes)()  # once


def test_files_that_still_change_are_waited_for(lasting):
    folder, troupe, reloader = lasting
    for speed in (1.1, 1.2, 1.3):
        write(folder / "voices" / "alto" / "voice.toml", VOICE.format(speed=speed) + "#" * round(speed * 10))
        assert reloader.look().loaded == []
    assert reloader.look().loaded == ["voice alto"]
    assert troupe.npc("maid").voice.spec.speed == 1.3


def test_one_who_is_in_a_hurry_waits_for_nothing(lasting):
    folder, troupe, reloader = lasting
    write(folder / "voices" / "alto" / "voice.toml", VOICE.format(speed=1.25))
    assert reloader.look(hurry=True).loaded == ["voice alto"]
    assert troupe.npc("maid").voice.spec.speed == 1.25


def test_an_open_line_keeps_its_voice_and_the_old_one_leaves_memory(lasting):
    folder, troupe, reloader = lasting
    write(folder / "voices" / "alto" / "voice.toml", VOICE.format(speed=1.0))
    reloader.look(hurry=True)
    slow = spoken(troupe, "maid")
    npc = troupe.npc("maid")
    old = weakref.ref(npc.voice)
    line = npc.voice.speak(Line("l", "maid", TEXT))
    first = next(line)
    write(folder / "voices" / "alto" / "voice.toml", VOICE.format(speed=1.8))
    reloader.look(hurry=True)
    assert spoken(troupe, "maid") < 0.75 * slow
    rest = list(line)
    assert sum(len(chunk.samples) for chunk in (first, *rest)) / 24_000 == pytest.approx(slow)
    assert old() is npc.voice
    del npc, line, first, rest
    assert gone(old)


def test_a_face_that_changes_is_drawn_anew_and_the_old_one_leaves_memory(folder, troupe, reloader):
    old = weakref.ref(troupe.face("maid"))
    picture = folder / "faces" / "maid" / "picture.png"
    before = troupe.face("maid").render(np.zeros(50, np.float32), 64).copy()
    cv2.imwrite(str(picture), 255 - cv2.imread(str(picture)))
    assert reloader.look(hurry=True).loaded == ["face maid"]
    after = troupe.face("maid").render(np.zeros(50, np.float32), 64)
    assert np.abs(after.astype(int) - before).mean() > 20
    assert gone(old)


@pytest.mark.parametrize(
    ("file", "broken", "said"),
    [
        ("voices/alto/voice.toml", 'engine = "hibari"\nsped = 1\n', "voice.toml: unknown key 'sped'"),
        ("voices/alto/voice.toml", 'engine = "hibari', "voice.toml: "),
        ("voices/alto/voice.toml", 'engine = "hibary"\n', "voice.toml: unknown engine 'hibary'"),
        ("faces/maid/face.toml", 'fpz = "1"\n', "face.toml: unknown key 'fpz'"),
        ("faces/maid/picture.png", "no picture", "picture.png: "),
        ("faces/maid/landmarks.npz", "no landmarks", "landmarks.npz: not a landmark file"),
        ("npcs.toml", "[maid\n", "npcs.toml: "),
        ("npcs.toml", '[maid]\nvoice = "alto"\nstile = "lively"\n', "npcs.toml: [maid]: unknown key 'stile'"),
    ],
)
def test_what_is_broken_leaves_the_old_in_its_place(lasting, caplog, file, broken, said):
    folder, troupe, reloader = lasting
    npc = troupe.npc("maid")
    whole = (folder / file).read_bytes()
    write(folder / file, broken)
    changes = reloader.look(hurry=True)
    assert (len(changes.broken), changes.loaded, changes.removed) == (1, [], [])
    (told,) = [r for r in caplog.records if r.levelname == "ERROR"]
    assert said in told.getMessage()
    assert "as they are" in told.getMessage() or "the old one stays" in told.getMessage()
    now = troupe.npc("maid")
    assert (now.voice, now.face, now.style) == (npc.voice, npc.face, npc.style)
    assert spoken(troupe, "maid") > 0.3
    assert reloader.look(hurry=True).broken == []  # told once
    (folder / file).write_bytes(whole)
    assert reloader.look(hurry=True).broken == []
    assert troupe.npc("maid").name == "maid"


def test_what_is_new_and_broken_is_refused_by_its_reason(lasting, caplog):
    folder, troupe, reloader = lasting
    (folder / "voices" / "bass").mkdir()
    toml = write(folder / "voices" / "bass" / "voice.toml", 'engine = "hibari"\nsped = 1\n')
    assert reloader.look(hurry=True).broken == ["voice bass"]
    assert "voice bass can't be loaded, it is refused: " in caplog.text
    with pytest.raises(CastError, match="unknown key 'sped', did you mean 'speed'"):
        troupe.npc("bass")
    write(toml, VOICE.format(speed=1.5))
    assert reloader.look(hurry=True).loaded == ["voice bass"]
    assert spoken(troupe, "bass") > 0.3


def test_what_is_removed_is_refused_by_name_and_open_lines_end_well(folder, troupe, reloader):
    npc = troupe.npc("maid")
    old = weakref.ref(npc.voice)
    line = npc.voice.speak(Line("l", "maid", TEXT))
    next(line)
    shutil.rmtree(folder / "voices" / "alto")
    shutil.rmtree(folder / "faces" / "maid")
    (folder / "npcs.toml").unlink()
    changes = reloader.look(hurry=True)
    assert sorted(changes.removed) == ["character maid", "face maid", "voice alto"]
    with pytest.raises(CastError, match="no character 'maid'"):
        troupe.npc("maid")
    with pytest.raises(CastError, match="no voice 'alto'"):
        troupe.npc("", voice="alto")
    assert troupe.npcs() == []
    assert len(list(line)) > 0 or npc.voice is old()
    del npc, line
    assert gone(old)


def test_a_character_that_changes_has_its_new_style(folder, troupe, reloader):
    write(folder / "npcs.toml", NPCS.replace("lively", "serious"))
    assert reloader.look(hurry=True).loaded == ["character maid"]
    assert troupe.npc("maid").style == "serious"


def test_an_own_voice_hides_one_that_ships_and_gives_it_back(folder, tmp_path):
    shipped = tmp_path / "shipped"
    (shipped / "voices" / "alto").mkdir(parents=True)
    write(shipped / "voices" / "alto" / "voice.toml", VOICE.format(speed=0.8))
    troupe = Troupe(Cast((folder, shipped)))
    reloader = Reloader(troupe)
    assert troupe.voice("alto").spec.speed == 1.0
    shutil.rmtree(folder / "voices" / "alto")
    assert reloader.look(hurry=True).loaded == ["voice alto"]
    assert troupe.voice("alto").spec.speed == 0.8


# ── with the server ───────────────────────────────────────────────────────────────────────────────────────────────


def test_games_see_the_new_state_and_their_lines_go_on(folder, troupe, portrait):
    changed = threading.Event()
    reloader = Reloader(troupe, lambda _: changed.set())
    server = Server(troupe, "tcp://127.0.0.1:*")
    server.start()
    reloader.start()
    try:
        with Client(server.address) as client:
            line = client.speak("maid", "One two three four. " * 3, credit_ms=200, outputs=Outputs(picture=64))
            while not any(isinstance(e, Moments) for e in client.poll(1)):
                continue
            old = weakref.ref(troupe.face("maid"))
            picture = folder / "faces" / "maid" / "picture.png"
            cv2.imwrite(str(picture), 255 - cv2.imread(str(picture)))
            shutil.copytree(portrait, folder / "faces" / "smith")
            write(folder / "npcs.toml", NPCS + '[smith]\nvoice = "alto"\nface = "smith"\n')
            reloader.hurry()
            assert changed.wait(60)
            assert "smith" in [npc.name for npc in client.npcs().npcs]
            assert old() is not None  # the line has it
            client.credit(line, 9_000)
            end = time.monotonic() + 60
            while not any(isinstance(e, End) and e.line == line for e in client.poll(1)):
                assert time.monotonic() < end
                client.credit(line, 200)
            assert gone(old)
            events = list(client.say("smith", TEXT, outputs=Outputs(picture=64)))
            assert isinstance(events[-1], End)
            assert next(e for e in events if isinstance(e, Accepted)).rest
            shutil.rmtree(folder / "faces" / "smith")
            changed.clear()
            reloader.hurry()
            assert changed.wait(60)
            for who, named, code in (("smith", "", "bad-cast"), ("maid", "smith", "unknown-face")):
                client.speak(who, TEXT, face=named, outputs=Outputs(picture=64))
                errors = []
                while not errors:
                    errors = [e for e in client.poll(1) if isinstance(e, ErrorMessage)]
                assert errors[0].code == code  # npcs.toml names it still
                assert "no face 'smith'" in errors[0].text
    finally:
        reloader.stop()
        server.stop()
    assert not [t for t in threading.enumerate() if t.name == "reloader"]
