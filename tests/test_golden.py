"""bindings/golden: the codec reads and writes every file as its JSON says, and they are what the generator writes."""

import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from npc_engine.moments import EXP50, Outputs, Word
from npc_engine.wire.codec import decode_reply, decode_request, encode
from npc_engine.wire.effects import Send
from npc_engine.wire.messages import ERROR_CODES, REPLIES, REQUESTS, Hello, NpcEntry, WireError
from npc_engine.wire.session import Session

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "bindings" / "golden"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
KINDS = {**REQUESTS, **REPLIES}
INNER = {"outputs": Outputs, "words": Word, "npcs": NpcEntry}
OF_LIST = {
    "sound": lambda value: np.array(value, np.float32) / np.float32(32_767),
    "coefficients": lambda value: np.array(value, np.float32),
}
DECODE = {"game": decode_request, "engine": decode_reply}


def read():
    """Name → (frames, what the JSON says), by the code that the README prints."""
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)[1].replace('"bindings/golden"', repr(str(FOLDER)))
    scope = {}
    exec(compile(code, "bindings/golden/README.md", "exec"), scope)  # noqa: S102 - our own document
    return scope["goldens"]


GOLDENS = read()
READABLE = [name for name, (_, told) in GOLDENS.items() if "message" in told]
CANONICAL = [name for name in READABLE if GOLDENS[name][1]["canonical"]]
REFUSED = [name for name, (_, told) in GOLDENS.items() if "error" in told]


def built(table):
    """The message that a JSON object tells, from nothing but its keys."""
    values = {}
    cls = KINDS[table["kind"]]
    for field in dataclasses.fields(cls):
        name = field.metadata.get("payload") or field.name
        values[field.name] = of_field(name, table[name])
    assert set(table) == {"kind", *(f.metadata.get("payload") or f.name for f in dataclasses.fields(cls))}
    return cls(**values)


def of_field(name, value):
    if isinstance(value, list) and name in OF_LIST:
        return OF_LIST[name](value)
    if isinstance(value, list):
        return tuple(INNER[name](**v) if isinstance(v, dict) else v for v in value)
    if name == "picture" and isinstance(value, str):
        return bytes.fromhex(value)
    return Outputs(**value) if name == "outputs" else value


def same(got, told):
    """Whether two messages agree in every field, and each number in its type."""
    for field in dataclasses.fields(told):
        a, b = getattr(got, field.name), getattr(told, field.name)
        if isinstance(b, np.ndarray):
            assert np.array_equal(a, np.maximum(b, -1) if field.name == "sound" else b), field.name
            assert a.dtype == np.float32
        else:
            assert a == b, field.name
            assert type(a) is type(b), field.name


@pytest.mark.parametrize("name", READABLE)
def test_a_message_is_read_as_its_json_says(name):
    frames, told = GOLDENS[name]
    got = DECODE[told["from"]](frames)
    assert type(got) is KINDS[told["message"]["kind"]]
    same(got, built(told["message"]))


@pytest.mark.parametrize("name", CANONICAL)
def test_a_message_is_written_as_its_bytes_say(name):
    frames, told = GOLDENS[name]
    assert encode(built(told["message"])) == frames
    assert encode(DECODE[told["from"]](frames)) == frames


@pytest.mark.parametrize("name", [name for name in READABLE if name not in CANONICAL])
def test_another_form_of_a_message_is_written_in_the_canonical_one(name):
    frames, told = GOLDENS[name]
    again = encode(DECODE[told["from"]](frames))
    assert again != frames
    same(DECODE[told["from"]](again), built(told["message"]))


def refusal(told, frames):
    """The error of reading frames, or that a greeted engine without lines answers; as the README has it."""
    try:
        message = DECODE[told["from"]](frames)
    except WireError as error:
        assert "message" not in told
        return error.code, str(error), error.line, error.id
    session = Session()
    if not isinstance(message, Hello):
        session.receive(Hello(1))
    (effect,) = session.receive(message)
    assert isinstance(effect, Send)
    answer = effect.message
    return answer.code, answer.text, answer.line, answer.id


@pytest.mark.parametrize("name", REFUSED)
def test_a_fault_is_refused_with_its_code(name):
    frames, told = GOLDENS[name]
    code, text, line, warm = refusal(told, frames)
    expected = told["error"]
    assert (code, line, warm) == (expected["code"], expected["line"], expected["id"])
    assert len(expected["text"]) >= len("no line")
    assert expected["text"] in text


@pytest.mark.parametrize("name", [n for n in READABLE if n not in REFUSED and GOLDENS[n][1]["from"] == "game"])
def test_what_is_not_said_to_be_refused_is_not(name):
    frames, told = GOLDENS[name]
    message = decode_request(frames)
    session = Session()
    session.receive(Hello(1))
    if message.line and message.kind != "speak":
        before = "speak_live" if message.kind == "sound" else "speak_full"  # open, and without credit
        (begun, *_) = session.receive(decode_request(GOLDENS[before][0]))
        assert begun.line.id == "l1"
        message = dataclasses.replace(message, line="l1")
    assert not [e for e in session.receive(message) if isinstance(e, Send) and e.message.kind == "error"], told


def test_regenerating_gives_no_difference(tmp_path):
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "golden" / "make.py"), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    there = {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.name != "README.md"}
    assert sorted(made) == sorted(there)
    differ = [name for name, data in made.items() if data != unix(name, there[name])]
    assert differ == [], "run PYTHONPATH=. python tools/golden/make.py, and see what changed on the wire"


def unix(name, data):
    """A file as it was committed, where a checkout on Windows has ended the rows of JSON its own way."""
    return data.replace(b"\r\n", b"\n") if name.endswith(".json") else data


# ── that nothing is missing ───────────────────────────────────────────────────────────────────────────────────────


def written_values(cls):
    """Field → the values that it has in messages as the codec writes them."""
    messages = [DECODE[GOLDENS[n][1]["from"]](GOLDENS[n][0]) for n in CANONICAL]
    found = [m for m in messages if type(m) is cls]
    found += [inner for m in messages for inner in inner_of(m, cls)]
    return {f.name: [getattr(m, f.name) for m in found] for f in dataclasses.fields(cls)}


def inner_of(message, cls):
    values = [getattr(message, name) for name in INNER if hasattr(message, name)]
    values = [v for value in values for v in (value if isinstance(value, tuple) else (value,))]
    return [v for v in values if type(v) is cls]


@pytest.mark.parametrize("cls", [*KINDS.values(), *INNER.values()], ids=lambda c: c.__name__)
def test_every_key_of_every_kind_is_there_and_left_out(cls):
    values = written_values(cls)
    assert values or "list" in CANONICAL
    for field in dataclasses.fields(cls):
        assert values[field.name]
        if field.default is not dataclasses.MISSING:
            left_out = [v is None or (field.default is not None and v == field.default) for v in values[field.name]]
            assert any(left_out), f"{field.name} is never left out"
            assert not all(left_out), f"{field.name} is never written"


def test_every_error_code_is_there():
    assert {GOLDENS[f"error_{c.replace('-', '_')}"][1]["message"]["code"] for c in ERROR_CODES} == set(ERROR_CODES)


def test_every_kind_is_refused_for_a_fault_of_its_own():
    refused = {name.split("_")[0] for name in REFUSED}
    assert set(KINDS) - {"list", "report"} <= refused  # they have no keys that could be wrong


def test_pictures_are_pictures_and_channels_are_the_engines():
    shown = [built(GOLDENS[n][1]["message"]).picture for n in CANONICAL if n.startswith("moment_")]
    shown = {data for data in shown if data}
    assert sorted(data[:2] for data in shown) == [b"\x89P", b"\xff\xd8"]
    for data in shown:
        assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED).shape[:2] == (32, 32)
    assert tuple(GOLDENS["welcome"][1]["message"]["channels"]) == EXP50


def test_the_readme_tells_the_keys_and_names_files_that_are_there():
    keys = {key for _, told in GOLDENS.values() for key in told}
    assert keys == {"about", "from", "message", "canonical", "error"}
    assert all(f"| `{key}` |" in README for key in keys)
    for name in re.findall(r"`(\w+_\w+)`", README):
        assert name in GOLDENS or name == "picture_tick"
    for end in re.findall(r"`…(_\w+)`", README):
        assert any(name.endswith(end) for name in GOLDENS)
    data = (FOLDER / "credit_40.bin").read_bytes()
    assert (len(data), data[:12].hex(" ")) == (33, "01 00 00 00 19 00 00 00 83 a4 6b 69")
    assert json.loads((FOLDER / "credit_40.json").read_text(encoding="utf-8"))["message"]["ms"] == 40
