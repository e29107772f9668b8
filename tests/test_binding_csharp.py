"""bindings/unity: the core in C# compiles without a warning and does, without an engine, what ours in Python does."""

import ctypes
import json
import random
import re
from pathlib import Path

import numpy as np
import pytest
import zmq
from csharp_core import CORE, PACKAGE, ROOT, checked, compiled, program_in
from guarded import Lodge
from test_golden import GOLDENS

from npc_engine.moments import Word
from npc_engine.playback import Playback
from npc_engine.wire.messages import Accepted, Cancelled, End, ErrorMessage, MarkAt, Moments, Words


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The core and its checks, compiled."""
    return program_in(tmp_path_factory.mktemp("csharp"))


# ── without an engine ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_core_needs_no_engine_of_games(tmp_path):
    """It compiles alone, as a library, and its assembly tells Unity the same."""
    compiled("-target:library", f"-doc:{tmp_path / 'core.xml'}", f"-out:{tmp_path / 'core.dll'}")
    assembly = json.loads((CORE / "NpcEngine.Core.asmdef").read_text(encoding="utf-8"))
    assert assembly["noEngineReferences"] is True
    assert not assembly["references"]
    assert not assembly["allowUnsafeCode"]
    sources = "".join(path.read_text(encoding="utf-8") for path in CORE.rglob("*.cs"))
    assert "UnityEngine" not in sources
    assert "NotImplemented" not in sources


def test_every_asset_of_the_core_has_a_guid_of_its_own():
    guids = {}
    for path in [PACKAGE / "package.json", PACKAGE / "LICENSE.md", PACKAGE / "CHANGELOG.md", CORE, *CORE.rglob("*")]:
        if path.suffix == ".meta":
            assert path.with_suffix("").exists(), f"{path} is of nothing"
            continue
        text = path.with_name(f"{path.name}.meta").read_text(encoding="utf-8")
        guid = re.search(r"^guid: ([0-9a-f]{32})$", text, re.MULTILINE)[1]
        assert guid not in guids, f"{path} has the guid of {guids[guid]}"
        guids[guid] = path
    package = json.loads((PACKAGE / "package.json").read_text(encoding="utf-8"))
    assert package["name"] == "com.npcengine.client"


def test_every_golden_file_is_read_written_or_refused(program):
    out = checked(program, "golden", ROOT / "bindings" / "golden")
    done = dict(row.split(" ", 1) for row in out.splitlines()[:-1])
    assert set(done) == set(GOLDENS)
    for name, (frames, golden) in GOLDENS.items():
        if golden["from"] == "engine":
            assert done[name] == ("read" if "message" in golden else "refused"), name
        elif "message" not in golden:
            assert done[name] in {"refused", "travels the other way"}, name
        else:
            assert done[name].startswith("written") == golden["canonical"], name
            if golden["message"]["kind"] in {"speak", "warm"}:
                assert done[name].endswith("and refused" if "error" in golden else "and let through"), name
        assert frames or "error" in golden


def test_no_message_harms_the_reader(program):
    checked(program, "fuzz", ROOT / "bindings" / "golden", 100_000)


def test_the_cryptography_is_that_of_nacl(program, tmp_path):
    rows = tmp_path / "boxes"
    rows.write_text("".join(f"{' '.join(row)}\n" for row in boxes()), encoding="utf-8")
    checked(program, "crypto", rows)


def boxes():
    """Boxes of libsodium, where pyzmq brought one: SECRET PUBLIC NONCE TEXT BOX, in hexadecimal digits."""
    found = sorted(Path(zmq.__file__).parent.parent.glob("pyzmq.libs/libsodium*"))
    if not found:
        return
    sodium = ctypes.CDLL(str(found[0]))
    sodium.sodium_init()
    chance = random.Random(7)
    for size in (0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 255, 1000, 4096, 70_000):
        secret, nonce, text = chance.randbytes(32), chance.randbytes(24), chance.randbytes(size)
        theirs, box = ctypes.create_string_buffer(32), ctypes.create_string_buffer(size + 16)
        sodium.crypto_scalarmult_base(theirs, chance.randbytes(32))
        sodium.crypto_box_easy(box, text, ctypes.c_ulonglong(size), nonce, theirs.raw, secret)
        yield secret.hex(), theirs.raw.hex(), nonce.hex(), text.hex() or "-", box.raw.hex()


def test_key_files_are_those_of_the_engine(program, tmp_path):
    lodge = Lodge(tmp_path)
    checked(program, "keys", tmp_path, lodge.anna.public, lodge.ben.public)


def test_sound_at_another_rate_is_the_same_sound(program):
    checked(program, "resampler")


def test_the_face_keeps_step_with_the_sound(program):
    """44.1 and 48 kHz, 30, 60 and 144 frames a second, jitter and a stall of 300 ms; after an end, and after a cut."""
    out = checked(program, "step")
    assert len(re.findall(r"lag \S+ … \S+ ms of \d+ frames, shut after \d+ ms", out)) == 12


def test_a_moment_costs_little_and_leaves_no_garbage(program):
    out = checked(program, "cost", ROOT / "bindings" / "golden")
    assert " 0 bytes of garbage in 3000 moments" in out
    assert "counter: GC." in out


# ── playback, beside the engine's own ─────────────────────────────────────────────────────────────────────────────


def sample(at):
    return ((at * 7919 % 2001 - 1000) / 1000).astype(np.float32)


def moments(tick, ticks, channels, sound, picture, picture_tick):  # noqa: PLR0917 - a row of the script
    index = np.arange(ticks * channels)
    exp = ((tick + index // channels) * 31 + index % channels * 17) % 101 / 101
    return Moments(
        "l1", tick, ticks, picture_tick if picture else None,
        sample(np.arange(tick * 480, (tick + ticks) * 480)) if sound else None,
        exp.astype(np.float32).reshape(ticks, channels) if channels else None,
        bytes(picture) if picture else None,
    )  # fmt: skip


def ended(chance, player, tick, heard):
    """End a line in one of the four ways; the row that tells it."""
    how = chance.choice(["end", "cancelled", "error", "cut"])
    if how == "cut":
        player.cut(heard)
        return how, heard
    ends = {"end": End("l1", tick), "cancelled": Cancelled("l1", tick), "error": ErrorMessage("internal", "", "l1")}
    player.add(ends[how])
    return (how, tick) if how == "end" else (how,)


def a_line(chance, rows):
    """Play one line as chance has it, and write down what was done and what came of it."""
    channels = chance.choice([50, 50, 52, 15])
    new = (chance.choice([0, 200, 600]), chance.choice([40, 200, 600, 2000]), chance.choice([0, 50, 100]), channels)
    rows.append(("new", *new))
    player = Playback(*new)
    tick = heard = pictures = 0
    with_faces, with_sound, over = chance.random() < 0.9, chance.random() < 0.9, False
    for _ in range(chance.randrange(5, 60)):
        act = chance.choice(
            [
                "moment",
                "moment",
                "moment",
                "sound",
                "sound",
                "at",
                "at",
                "credit",
                "state",
                "word",
                "mark",
                "rest",
                "end",
            ]
        )
        if act == "moment" and not over:
            ticks = chance.choice([1, 2, 2, 5])
            picture = chance.randrange(1, 200) if chance.random() < 0.5 else 0
            told = (
                tick,
                ticks,
                channels if with_faces else 0,
                int(with_sound),
                picture,
                tick + chance.randrange(ticks),
            )
            rows.append(("moment", *told))
            player.add(moments(*told))
            tick += ticks
        elif act == "sound":
            count = chance.choice([0, 1, 100, 480, 512, 1024, 3000])
            rows.append(("sound", count, *(f"{s:.9g}" for s in player.sound(count))))
        elif act == "at":
            heard = max(0, min(heard + chance.randrange(-200, 2000), player.position + 3000))
            shown = player.at(heard)
            size = len(shown.picture) if shown.picture else 0
            values = (f"{value:.9g}" for value in shown.exp)
            rows.append(("at", heard, f"{shown.closed:.12g}", shown.word, size, ",".join(shown.marks) or "-", *values))
        elif act == "credit":
            at = chance.choice([-1, heard])
            rows.append(("credit", at, player.credit_ms(None if at < 0 else at)))
        elif act == "word" and not over:
            start = tick * 480 + chance.randrange(480)
            word = (start, start + chance.randrange(1, 3000), tick, tick + 4)
            rows.append(("word", *word))
            player.add(Words("l1", (Word("x", *word),)))
        elif act == "mark" and not over:
            rows.append(("mark", f"m{len(rows)}", tick))
            player.add(MarkAt("l1", f"m{len(rows) - 1}", tick))
        elif act == "rest" and not pictures and not over:
            pictures = 1
            rows.append(("accepted", 300))
            player.add(Accepted("l1", bytes(300)))
        elif act == "end" and not over and chance.random() < 0.4:
            over = True
            rows.append(ended(chance, player, tick, heard))
        state = (
            player.position,
            player.missing,
            player.received_ms,
            player.heard_sample,
            player.heard_chars,
            int(player.finished),
        )
        rows.append(("state", *state))


def test_playback_does_what_the_engines_own_does(program, tmp_path):
    chance = random.Random(11)
    rows = []
    for _ in range(300):
        a_line(chance, rows)
    script = tmp_path / "script"
    script.write_text("".join(" ".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")
    out = checked(program, "playback", script)
    count = sum(row[0] in {"sound", "credit", "state"} for row in rows) + 4 * sum(row[0] == "at" for row in rows)
    assert f"passed {count}, failed 0" in out
