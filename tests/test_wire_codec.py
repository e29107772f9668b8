"""The codec: what is written is read back, and what is malformed is refused with an exact reason."""

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npc_engine.moments import EXP50, Outputs, Word
from npc_engine.wire import limits
from npc_engine.wire.codec import decode_reply, decode_request, encode
from npc_engine.wire.messages import (
    REPLIES,
    REQUESTS,
    Accepted,
    Append,
    Cancel,
    Cancelled,
    Commit,
    Credit,
    End,
    ErrorMessage,
    Hello,
    List,
    LiveSound,
    MarkAt,
    Moments,
    NpcEntry,
    Npcs,
    Ping,
    Playhead,
    Pong,
    Report,
    Speak,
    Stats,
    Warm,
    Warmed,
    Welcome,
    WireError,
    Words,
)


def texts(most, least=0):
    return st.text(st.characters(exclude_categories=("Cs",)), min_size=least, max_size=most)


whole = st.integers(0, 2**53)
ids = texts(limits.ID_CHARS, 1)
names = texts(limits.NAME_CHARS)
outputs = st.builds(
    Outputs, st.booleans(), names, st.booleans(), st.integers(0, 2048), st.integers(1, 50), names, st.booleans()
)
requests = st.one_of(
    st.builds(Hello, whole, names),
    st.builds(
        Speak,
        ids,
        texts(300),
        names,
        names,
        names,
        names,
        names,
        st.integers(-100, 100),
        st.integers(0, limits.CREDIT_CAP_MS),
        outputs,
        st.floats(0, 1),
        st.booleans(),
        names,
        st.integers(0, limits.LASTS_MS),
        names,
        st.integers(0, limits.DEADLINE_MS),
        st.booleans(),
        st.integers(*limits.SOUND_RATE),
        st.booleans(),
    ),
    st.builds(Append, ids, texts(300)),
    st.builds(Commit, ids),
    st.builds(Warm, ids, texts(300), names, names, names, names, st.floats(0, 1)),
    st.builds(Credit, ids, st.integers(1, limits.CREDIT_CAP_MS)),
    st.builds(Cancel, names, names, st.booleans()),
    st.builds(Playhead, ids, whole),
    st.just(Report()),
    st.builds(Ping, whole),
    st.just(List()),
)
words = st.builds(Word, names, whole, whole, whole, whole)
name_lists = st.lists(texts(limits.NAME_CHARS, 1), max_size=5).map(tuple)
replies = st.one_of(
    st.builds(Welcome, whole, names, name_lists, name_lists, *[st.integers(1, 2**53)] * 5, name_lists, name_lists),
    st.builds(Accepted, ids, st.none() | st.binary(min_size=1, max_size=50), whole),
    st.builds(Words, ids, st.lists(words, max_size=4).map(tuple)),
    st.builds(MarkAt, ids, texts(50), whole),
    st.builds(Warmed, ids, names, names, whole, whole),
    st.builds(End, ids, whole),
    st.builds(Cancelled, ids, whole, texts(50), texts(300), st.integers(0, limits.TEXT_CHARS)),
    st.builds(Stats, *[whole] * 12),
    st.builds(
        ErrorMessage,
        texts(limits.NAME_CHARS, 1),
        texts(50),
        names,
        st.booleans(),
        names,
        st.integers(0, limits.WAIT_MS),
    ),
    st.builds(Pong, whole),
    st.builds(
        Npcs,
        st.lists(st.builds(NpcEntry, names, names, names, texts(50)), max_size=4).map(tuple),
        name_lists,
        name_lists,
    ),
)


@settings(deadline=None)
@given(requests)
def test_requests_come_back_as_they_were_sent(message):
    assert decode_request(encode(message)) == message


@pytest.mark.parametrize("samples", [0, 1, 480, 24_000])
def test_live_sound_comes_back_as_it_was_sent(samples):
    sound = np.linspace(-1, 1, samples, dtype=np.float32) if samples else None
    got = decode_request(encode(LiveSound("l1", sound)))
    assert got.line == "l1"
    assert got.sound is None if sound is None else np.abs(got.sound - sound).max() <= 0.5 / 32_767


@settings(deadline=None)
@given(replies)
def test_replies_come_back_as_they_were_sent(message):
    assert decode_reply(encode(message)) == message


@settings(deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 5),
    st.booleans(),
    st.booleans(),
    st.none() | st.tuples(st.integers(0, 4), st.binary(min_size=1, max_size=99)),
    st.integers(0, 2**32 - 1),
)
def test_moments_come_back_within_the_steps_of_their_formats(tick, ticks, heard, felt, seen, seed):  # noqa: PLR0917
    random = np.random.default_rng(seed)
    sound = random.uniform(-1.2, 1.2, ticks * 480).astype(np.float32) if heard else None
    exp = random.uniform(-1, 1, (ticks, 50)).astype(np.float32) if felt else None
    picture_tick, picture = (tick + seen[0] % ticks, seen[1]) if seen else (None, None)
    got = decode_reply(encode(Moments("a", tick, ticks, picture_tick, sound, exp, picture)))
    assert isinstance(got, Moments)
    assert (got.line, got.tick, got.ticks, got.picture_tick, got.picture) == ("a", tick, ticks, picture_tick, picture)
    assert (got.sound is None) == (sound is None)
    assert (got.exp is None) == (exp is None)
    if sound is not None:
        assert np.abs(got.sound - np.clip(sound, -1, 1)).max() <= 0.51 / 32767
        assert got.sound.dtype == np.float32
    if exp is not None:
        assert got.exp.shape == (ticks, 50)
        assert np.abs(got.exp - exp).max() <= 2.5e-4


def test_every_kind_is_covered_above():
    assert set(REQUESTS) == {
        *(
            "hello",
            "speak",
            "append",
            "sound",
            "commit",
            "credit",
            "playhead",
            "cancel",
            "warm",
            "ping",
            "list",
            "report",
        )
    }
    assert set(REPLIES) == {
        *(
            "welcome",
            "accepted",
            "words",
            "mark",
            "moment",
            "end",
            "cancelled",
            "error",
            "pong",
            "warmed",
            "npcs",
            "stats",
        )
    }


def test_unknown_keys_are_ignored():
    table = {"kind": "cancel", "line": "a", "why": {"new": [1, None, b"x"]}}
    assert decode_request([msgpack.packb(table)]) == Cancel("a")
    table = {"kind": "speak", "line": "a", "text": "x", "npc": "b", "outputs": {"smell": True}}
    assert decode_request([msgpack.packb(table)]) == Speak("a", "x", "b")


@pytest.mark.parametrize(("sent", "read"), [(0, 0.0), (1, 1.0), (0.25, 0.25), (1.0, 1.0)])
def test_a_strength_may_be_a_float_or_a_whole_number(sent, read):
    got = decode_request(pack(kind="speak", line="a", text="x", npc="b", strength=sent)).strength
    assert (got, type(got)) == (read, float)


def nested(depth, wrap=b"\x91", core=b"\xc0"):
    return b"\x82\xa4kind\xa4ping\xa1x" + wrap * depth + core


def pack(**table):
    return [msgpack.packb(table)]


FAULTS = {
    "nothing": ([], "message of 0 frames, expected 1 to 4"),
    "empty header": ([b""], "header is no msgpack map: it ends too early"),
    "too many frames": ([b"\x80"] * 5, "message of 5 frames, expected 1 to 4"),
    "header too long": ([bytes(limits.HEADER_BYTES + 1)], "header of 262145 bytes, expected at most 262144"),
    "truncated": ([msgpack.packb({"kind": "ping"})[:-1]], "header is no msgpack map: it ends too early"),
    "trailing bytes": ([msgpack.packb({"kind": "ping"}) + b"\x00"], "header is no msgpack map: 1 bytes follow its end"),
    "a list": ([b"\x90"], "header is a list, expected a msgpack map"),
    "a number": ([b"\x07"], "header is 7, expected a msgpack map"),
    "reserved byte": ([b"\xc1"], "header is no msgpack map: a byte that msgpack does not know"),
    "not UTF-8": ([b"\x81\xa1x\xa1\xff"], "header is no msgpack map: a string that is not UTF-8"),
    "number as key": (
        [b"\x81\x01\x02"],
        "header is no msgpack map: int is not allowed for map key when strict_map_key=True",
    ),
    "extension": (
        pack(kind="ping", x=msgpack.ExtType(5, b"abc")),
        "header is no msgpack map: 4 exceeds max_ext_len(0)",
    ),
    "nested 17": ([nested(17)], "header is no msgpack map: nested too deep, expected at most 16 levels"),
    "nested 1,000": ([nested(1000)], "header is no msgpack map: nested too deep, expected at most 16 levels"),
    "nested 10,000": ([nested(10_000)], "header is no msgpack map: nested too deep, expected at most 16 levels"),
    "nested maps 10,000": (
        [nested(10_000, b"\x81\xa1a")],
        "header is no msgpack map: nested too deep, expected at most 16 levels",
    ),
    "long list": (pack(kind="ping", x=[0] * 4097), "header is no msgpack map: 4097 exceeds max_array_len(4096)"),
    "promised 4 GB list": (
        [b"\x81\xa1x\xdd\xff\xff\xff\xff"],
        "header is no msgpack map: 4294967295 exceeds max_array_len(4096)",
    ),
    "promised 4 GB text": ([b"\x81\xa1x\xdb\xff\xff\xff\xff"], "header is no msgpack map: it ends too early"),
    "no kind": (pack(line="a"), "header has kind None, expected a string"),
    "kind a number": (pack(kind=7), "header has kind 7, expected a string"),
    "line missing": (pack(kind="commit"), "commit: key 'line' is missing"),
    "line a number": (pack(kind="cancel", line=5), "cancel: line is 5, expected a string"),
    "line empty": (pack(kind="commit", line=""), "commit: line has 0 characters, expected 1 to 64"),
    "line too long": (pack(kind="cancel", line="x" * 65), "cancel: line has 65 characters, expected 0 to 64"),
    "truth as number": (pack(kind="ping", mark=True), "ping: mark is True, expected a whole number"),
    "fraction": (pack(kind="credit", line="a", ms=1.5), "credit: ms is 1.5, expected a whole number"),
    "no credit": (pack(kind="credit", line="a", ms=0), "credit: ms is 0, expected 1 to 10000"),
    "negative credit": (pack(kind="credit", line="a", ms=-5), "credit: ms is -5, expected 1 to 10000"),
    "outputs a list": (pack(kind="speak", line="a", text="x", outputs=[]), "speak: outputs is a list, expected a map"),
    "number as truth": (
        pack(kind="speak", line="a", text="x", outputs={"sound": 1}),
        "speak: outputs: sound is 1, expected true or false",
    ),
    "longer than a day": (
        pack(kind="speak", line="a", text="", attitude="idle", lasts_ms=86_400_001),
        "speak: lasts_ms is 86400001, expected 0 to 86400000",
    ),
    "attitude a truth": (
        pack(kind="speak", line="a", text="", attitude=True),
        "speak: attitude is True, expected a string",
    ),
    "no number": (
        pack(kind="speak", line="a", text="x", strength=float("nan")),
        "speak: strength is nan, expected 0.0 to 1.0",
    ),
    "endless": (
        pack(kind="speak", line="a", text="x", strength=float("-inf")),
        "speak: strength is -inf, expected 0.0 to 1.0",
    ),
    "too strong": (pack(kind="warm", id="a", strength=1.5), "warm: strength is 1.5, expected 0.0 to 1.0"),
    "truth as strength": (pack(kind="warm", id="a", strength=True), "warm: strength is True, expected a number"),
    "text as strength": (pack(kind="warm", id="a", strength="1"), "warm: strength is '1', expected a number"),
    "warm of no id": (pack(kind="warm", npc="a"), "warm: key 'id' is missing"),
    "append of no text": (pack(kind="append", line="a"), "append: key 'text' is missing"),
    "open a number": (pack(kind="speak", line="a", text="x", open=1), "speak: open is 1, expected true or false"),
    "payload where none goes": ([*pack(kind="ping"), b"abc"], "message of 1 payloads, header promised 0"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_games_are_named(fault):
    data, expected = FAULTS[fault]
    with pytest.raises(WireError) as caught:
        decode_request(data)
    assert str(caught.value) == expected
    assert caught.value.code == "bad-message"


def moment(payloads=(), **changes):
    return [msgpack.packb({"kind": "moment", "line": "a", "tick": 4, "ticks": 2, **changes}), *payloads]


MOMENT_FAULTS = {
    "short payload": (moment([b"abc"], sound=10), "payload of 3 bytes, header promised 10"),
    "payload missing": (moment(sound=10), "message of 0 payloads, header promised 1"),
    "payload not promised": (moment([b"abc"]), "message of 1 payloads, header promised 0"),
    "half a sample": (moment([b"abc"], sound=3), "sound of 3 bytes, expected a multiple of 2"),
    "half a face": (
        moment([bytes(150)], coefficients=150),
        "coefficients of 75 values, expected 2 times one of 15, 50, 52",
    ),
    "sound of another length": (moment([bytes(960)], sound=960), "sound of 480 samples, expected 960 for 2 ticks"),
    "face of another length": (
        moment([bytes(300)], coefficients=300),
        "coefficients of 150 values, expected 2 times one of 15, 50, 52",
    ),
    "not a number": (moment([b"\xff\x7f" * 100], coefficients=200), "coefficients hold a value that is not finite"),
    "negative size": (moment([b""], sound=-1), "sound is -1, expected 0 to 33554432 bytes"),
    "size a text": (moment([b""], sound="1"), "sound is '1', expected 0 to 33554432 bytes"),
    "picture of no tick": (moment([b"J"], picture=1), "picture and picture_tick come together or not at all"),
    "picture of another tick": (moment([b"J"], picture=1, picture_tick=6), "picture_tick is 6, expected 4 to 5"),
    "no ticks": (moment(ticks=0), "moment: ticks is 0, expected 1 to 4096"),
}


@pytest.mark.parametrize("fault", MOMENT_FAULTS)
def test_faults_of_moments_are_named(fault):
    data, expected = MOMENT_FAULTS[fault]
    with pytest.raises(WireError) as caught:
        decode_reply(data)
    assert str(caught.value) == expected
    assert caught.value.line == "a"


@pytest.mark.parametrize(
    ("decode", "kind", "text"),
    [
        (
            decode_request,
            "dance",
            (
                "kind 'dance' is unknown; known: hello, speak, append, sound, commit, credit, playhead, cancel, "
                "warm, ping, list, report"
            ),
        ),
        (decode_request, "moment", "kind 'moment' travels the other way"),
        (decode_reply, "speak", "kind 'speak' travels the other way"),
    ],
)
def test_unknown_kinds_have_their_own_code(decode, kind, text):
    with pytest.raises(WireError) as caught:
        decode(pack(kind=kind, line="l7"))
    assert str(caught.value) == text
    assert caught.value.code == "unknown-kind"
    assert caught.value.line == "l7"


def test_the_example_in_the_protocol_reads_as_it_says():
    exp = np.zeros((1, len(EXP50)), np.float32)
    exp[0, 0] = 0.5
    data = encode(Moments("a", 0, 1, None, None, exp, None))
    assert data[0].hex(" ") == (
        "85 a4 6b 69 6e 64 a6 6d 6f 6d 65 6e 74 a4 6c 69 6e 65 a1 61 a4 74 69 63 6b 00 a5 74 69 63 6b 73 01 "
        "ac 63 6f 65 66 66 69 63 69 65 6e 74 73 64"
    )
    assert data[1][:4].hex(" ") == "00 38 00 00"
