"""Golden files of what an engine sends."""

from __future__ import annotations

import struct

import numpy as np
from parts import ENGINE, JPEG, PNG, UNKNOWN, Golden, exp, header, nested, samples, sound, widest, written

from npc_engine.moments import ARKIT52, EXP50, VISEMES15, Word
from npc_engine.wire import limits
from npc_engine.wire.messages import (
    ERROR_CODES,
    MOST,
    Accepted,
    Cancelled,
    End,
    ErrorMessage,
    MarkAt,
    Moments,
    NpcEntry,
    Npcs,
    Pong,
    Reply,
    Stats,
    Warmed,
    Welcome,
    Words,
)
from npc_engine.wire.session import CAPABILITIES

MIND = Word("Mind", 0, 5_760, 0, 4)
THE = Word("the", 5_760, 8_640, 5, 8)
WIDE = Word("你好\N{WAVING HAND SIGN}", 70_000, 2**32, 9, 12)
GOES_ON = ("bad-message", "not-open", "duplicate-line")


def _moments() -> list[tuple[str, str, Reply]]:
    loud = np.array([1.0, -1.0, 0.0] * 160, np.float32)
    return [
        ("moment_bare", "neither sound nor face was asked", Moments("l1", 0, 1)),
        ("moment_sound", "one tick", Moments("l1", 0, 1, None, sound(1))),
        ("moment_coefficients", "one tick", Moments("l1", 0, 1, None, None, exp(1))),
        ("moment_picture", "a JPEG alone", Moments("l1", 0, 1, 0, picture=JPEG)),
        ("moment_picture_transparent", "a PNG alone", Moments("l1", 0, 1, 0, picture=PNG)),
        ("moment_sound_and_coefficients", "two ticks", Moments("l1", 1, 2, None, sound(2), exp(2))),
        ("moment_sound_and_picture", "no coefficients between", Moments("l1", 2, 1, 2, sound(1), None, JPEG)),
        ("moment_full", "two ticks and a picture", Moments("l1", 4, 2, 4, sound(2), exp(2), JPEG)),
        ("moment_picture_in_its_last_tick", "shown 40 ms after its begin", Moments("l1", 4, 3, 6, None, exp(3), JPEG)),
        ("moment_arkit52", "two ticks of ARKit's shapes", Moments("l1", 4, 2, exp=exp(2, 52))),
        ("moment_visemes15", "one tick of visemes", Moments("l1", 4, 1, exp=exp(1, 15))),
        ("moment_five_ticks", "more ticks than engines send today", Moments("l1", 6, 5, None, sound(5), exp(5))),
        ("moment_loudest", "full scale, and silence between", Moments("l1", 0, 1, None, loud)),
        ("moment_after_a_day", "a tick that needs 32 bits", Moments("l1", 4_320_000, 1, None, None, exp(1))),
        ("moment_last_tick", "2^53", Moments("l1", MOST, 1, None, None, exp(1))),
    ]


def _written() -> list[tuple[str, str, Reply]]:
    return [
        (
            "welcome",
            "all that this engine can do",
            Welcome(1, "0.1.0", EXP50, CAPABILITIES, 24_000, 20, 8, 20_000, 10_000, ARKIT52, VISEMES15),
        ),
        ("welcome_first", "hardly anything", Welcome(1, "", EXP50, ("speak",), 24_000, 20, 1, 1, 1)),
        ("accepted", "no picture was asked", Accepted("l1")),
        ("accepted_in_third_place", "two lines of its character come first", Accepted("l1", place=2)),
        ("accepted_picture", "the face at rest", Accepted("l1", JPEG)),
        ("accepted_picture_transparent", "a PNG", Accepted("l1", PNG)),
        ("words_none", "an empty list is left out", Words("l1")),
        ("words_one", "from sample 0 on", Words("l1", (MIND,))),
        ("words_three", "one of wide letters, late in a long line", Words("l1", (MIND, THE, WIDE))),
        ("mark", "35 bytes, printed in PROTOCOL.md", MarkAt("l1", "step", 19)),
        ("mark_of_wide_letters", "a name of wide letters", MarkAt("l1", "шаг\N{WAVING HAND SIGN}", 0)),
        ("mark_of_no_name", "an empty name", MarkAt("l1", "", MOST)),
        *_moments(),
        ("end", "44 ticks", End("l1", 44)),
        ("end_of_nothing", "no ticks", End("l1", 0)),
        ("cancelled", "no reason", Cancelled("l1", 44)),
        ("cancelled_by_the_game", "a reason", Cancelled("l1", 0, "the game asked")),
        ("cancelled_after_two_words", "what was heard", Cancelled("l1", 44, "the game asked", "Mind the", 8)),
        ("cancelled_for_a_long_reason", "2,000 characters", Cancelled("l1", 1, "é" * limits.NOTE_CHARS)),
        *(
            (
                f"error_{code.replace('-', '_')}",
                "its meaning as text",
                ErrorMessage(code, meaning, "l1", code not in GOES_ON),
            )
            for code, meaning in ERROR_CODES.items()
        ),
        (
            "error_to_wait_for",
            "how long",
            ErrorMessage("overloaded", "too many speak", "l1", wait_ms=1_500),
        ),
        ("error_of_no_line", "about the connection", ErrorMessage("not-greeted", "ping before hello")),
        ("error_of_a_warm", "under its id", ErrorMessage("unknown-npc", "no character 'eldr'", id="w1")),
        ("error_of_a_later_code", "to be treated by its `ends`", ErrorMessage("tired", "it is late", "l1", ends=False)),
        ("stats_none", "nothing happened yet", Stats()),
        ("stats", "every key", Stats(2, 1, 180, 5_400, 130, 7, 3, 1, 2, 31, 17, 64)),
        ("pong", "no mark", Pong()),
        ("pong_mark_most", "2^53", Pong(MOST)),
        ("warmed", "a character was loaded", Warmed("w1")),
        ("warmed_full", "a text was spoken into the cache", Warmed("w1", "elder", "low", 14, 1_280)),
        ("npcs_none", "nobody", Npcs()),
        (
            "npcs_several",
            "one with a name alone, one without face and about, one with wide letters",
            Npcs(
                (NpcEntry("hans"), NpcEntry("anna", "low"), NpcEntry("Ветер", "high", "disc", "嵐の声")),
                ("high", "low"),
                ("disc",),
            ),
        ),
        ("npcs_sixteen", "a list of 16 bits", Npcs(voices=tuple(f"voice {i}" for i in range(16)))),
    ]


def _half(bits: int) -> bytes:
    return struct.pack("<H", bits)


def _raw() -> dict[str, tuple[str, list[bytes]]]:
    moment = {"kind": "moment", "line": "l1", "tick": 4, "ticks": 1}
    pcm = struct.pack("<480h", *samples(480))
    least = struct.pack("<480h", *[-32_768, -32_767, 32_767, 0] * 120)
    # half, smallest subnormal, largest subnormal, smallest normal, largest, -0, 1 - 2^-11, -1/3 as near as it goes
    halves = (0x3800, 0x0001, 0x03FF, 0x0400, 0x7BFF, 0x8000, 0x3BFF, 0xB555, *[0] * 42)
    face = b"".join(map(_half, halves))
    word = {"text": "Mind", "start": 0, "end": 5_760, "first": 0, "last": 4}
    spread = {"picture": len(JPEG), "sound": 960, **moment, "picture_tick": 4}
    return {
        "welcome_unknown_keys": (
            "keys of a newer release; fewer channels are read too",
            [
                header(
                    **UNKNOWN,
                    kind="welcome",
                    version=1,
                    engine="9.9",
                    channels=["jawOpen"],
                    capabilities=["speak", "dance"],
                    sample_rate=24_000,
                    tick_ms=20,
                    open_lines=8,
                    text_chars=20_000,
                    credit_cap_ms=10_000,
                )
            ],
        ),
        "accepted_picture_of_size_zero": ("size 0 and no frame", [header(kind="accepted", line="l1", picture=0)]),
        "words_unknown_keys": ("of a newer release", [header(kind="words", line="l1", words=[{**word, **UNKNOWN}])]),
        "words_none_written": ("the empty list written out", [header(kind="words", line="l1", words=[])]),
        "words_longest_forms": ("array 32 and more", [widest({"kind": "words", "line": "l1", "words": [word]})]),
        "mark_longest_forms": ("of msgpack", [widest({"kind": "mark", "line": "l1", "name": "step", "tick": 19})]),
        "moment_unknown_keys": ("of a newer release", [header(**moment, **UNKNOWN, sound=960), pcm]),
        "moment_sizes_of_zero": ("no frames", [header(**moment, sound=0, coefficients=0, picture=0)]),
        "moment_keys_in_another_order": ("frames stay in theirs", [header(**spread), pcm, JPEG]),
        "moment_longest_forms": ("of msgpack", [widest({**moment, "coefficients": 100}), face]),
        "moment_halves": ("kinds of binary16; the rest 0", [header(**moment, coefficients=100), face]),
        "moment_sample_least": ("-32768 is read as -1", [header(**moment, sound=960), least]),
        "end_unknown_keys": ("of a newer release", [header(kind="end", line="l1", ticks=44, **UNKNOWN)]),
        "error_defaults_written": (
            "every default written out",
            [header(kind="error", code="internal", text="", line="", ends=True, id="", wait_ms=0)],
        ),
        "error_longest_forms": (
            "of msgpack",
            [widest({"kind": "error", "code": "bad-text", "text": "x", "line": "l1", "ends": False, "id": ""})],
        ),
        "pong_nested_16_deep": ("as deep as may be", [nested("pong", limits.DEPTH)]),
        "npcs_unknown_keys": (
            "of a newer release",
            [header(kind="npcs", npcs=[{"name": "anna", **UNKNOWN}], **UNKNOWN)],
        ),
    }


def goldens() -> list[Golden]:
    """Every golden file of a message that an engine may send."""
    goldens = [written(name, about, message, ENGINE) for name, about, message in _written()]
    return [*goldens, *(Golden(name, about, ENGINE, data) for name, (about, data) in _raw().items())]
