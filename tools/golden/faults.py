"""Golden files of messages that are refused, each named by its fault."""

from __future__ import annotations

from typing import Any

import msgpack
from parts import ENGINE, GAME, JPEG, Fault, Golden, header, nested

from npc_engine.wire import limits

SPEAK: dict[str, Any] = {"kind": "speak", "line": "l1", "text": "Mind the step!", "npc": "elder"}
WELCOME: dict[str, Any] = {
    "kind": "welcome",
    "version": 1,
    "engine": "0.1.0",
    "channels": ["jawOpen"],
    "capabilities": ["speak"],
    "sample_rate": 24_000,
    "tick_ms": 20,
    "open_lines": 8,
    "text_chars": 20_000,
    "credit_cap_ms": 10_000,
}
WORD: dict[str, Any] = {"text": "Mind", "start": 0, "end": 5_760, "first": 0, "last": 4}
NO_MAP = "header is no msgpack map"


def _headers(kind: str, sender: str) -> list[Golden]:
    """Faults that hide what the message is: nothing is known of a line or an id."""
    whole = header(kind=kind)
    begin = b"\x82\xa4kind" + whole[6:]
    rows: dict[str, tuple[str, list[bytes], str]] = {
        "no_frames": ("nothing at all", [], "message of 0 frames, expected 1 to 4"),
        "five_frames": ("one more than any message has", [whole, *[b"x"] * 4], "message of 5 frames, expected 1 to 4"),
        "header_empty": ("a frame of 0 bytes", [b""], f"{NO_MAP}: it ends too early"),
        "header_truncated": ("its last byte is missing", [whole[:-1]], f"{NO_MAP}: it ends too early"),
        "header_trailing_bytes": ("a byte follows the map", [whole + b"\x00"], f"{NO_MAP}: 1 bytes follow its end"),
        "header_not_map": ("an empty list", [b"\x90"], "expected a msgpack map"),
        "header_a_number": ("7", [b"\x07"], "expected a msgpack map"),
        "header_an_array_of_pairs": ("a list where a map goes", [b"\x92" + whole[1:]], "expected a msgpack map"),
        "header_reserved_byte": ("msgpack never uses C1", [begin + b"\xa1x\xc1"], NO_MAP),
        "header_bad_utf8": ("FF in a string", [begin + b"\xa1x\xa1\xff"], f"{NO_MAP}: a string that is not UTF-8"),
        "header_surrogate_in_utf8": ("ED A0 80", [begin + b"\xa1x\xa3\xed\xa0\x80"], f"{NO_MAP}: a string that"),
        "header_overlong_utf8": ("C0 AF for a slash", [begin + b"\xa1x\xa2\xc0\xaf"], f"{NO_MAP}: a string that"),
        "header_bad_utf8_in_key": ("FF in a key", [begin + b"\xa1\xff\x01"], f"{NO_MAP}: a string that is not UTF-8"),
        "header_number_as_key": ("keys are strings", [begin + b"\x01\x02"], NO_MAP),
        "header_extension": ("fixext 4", [begin + b"\xa1x\xd6\x05abcd"], NO_MAP),
        "header_timestamp": ("an extension of msgpack's own", [begin + b"\xa1x\xd6\xff\x00\x00\x00\x00"], NO_MAP),
        "header_string_of_4_gb": ("promised, not there", [begin + b"\xa1x\xdb\xff\xff\xff\xff"], NO_MAP),
        "header_list_of_4_gb": ("promised, not there", [begin + b"\xa1x\xdd\xff\xff\xff\xff"], NO_MAP),
        "header_map_of_4_gb": ("promised, not there", [begin + b"\xa1x\xdf\xff\xff\xff\xff"], NO_MAP),
        "header_list_too_long": (
            "4,097 entries",
            [begin + b"\xa1x" + msgpack.packb([0] * (limits.ITEMS + 1))],
            NO_MAP,
        ),
        "nesting_too_deep": ("17 levels", [nested(kind, 17)], "nested too deep, expected at most 16 levels"),
        "nesting_of_10000_lists": ("would fill a stack", [nested(kind, 10_000)], "nested too deep"),
        "nesting_of_10000_maps": ("would fill a stack", [nested(kind, 10_000, b"\x81\xa1a")], "nested too deep"),
        "kind_missing": ("an empty map", [b"\x80"], "expected a string"),
        "kind_a_number": ("7", [header(kind=7)], "header has kind 7, expected a string"),
        "payload_not_promised": (
            "a second frame where none goes",
            [whole, b"abc"],
            "message of 1 payloads, header promised 0",
        ),
    }
    return [
        Golden(f"{kind}_{name}", about, sender, frames, Fault(text)) for name, (about, frames, text) in rows.items()
    ]


def _of_games() -> list[Golden]:
    long_id, line = "x" * (limits.ID_CHARS + 1), "l1"
    wide = "\N{SPEAKING HEAD IN SILHOUETTE}" * (limits.ID_CHARS + 1)
    rows: dict[str, tuple[dict[str, Any], Fault]] = {
        "hello_without_version": ({"kind": "hello"}, Fault("hello: key 'version' is missing")),
        "hello_version_a_string": ({"kind": "hello", "version": "1"}, Fault("version is '1', expected a whole number")),
        "hello_version_negative": ({"kind": "hello", "version": -1}, Fault("version is -1, expected 0 to ")),
        "hello_name_too_long": (
            {"kind": "hello", "version": 1, "client": long_id},
            Fault("client has 65 characters, expected 0 to 64"),
        ),
        "speak_without_line": (_without(SPEAK, "line"), Fault("speak: key 'line' is missing")),
        "speak_without_text": (_without(SPEAK, "text"), Fault("speak: key 'text' is missing", line=line)),
        "speak_text_null": ({**SPEAK, "text": None}, Fault("expected a string", line=line)),
        "speak_text_binary": ({**SPEAK, "text": b"Mind"}, Fault("expected a string", line=line)),
        "speak_line_too_long": ({**SPEAK, "line": long_id}, Fault("line has 65 characters, expected 1 to 64")),
        "speak_open_a_number": ({**SPEAK, "open": 1}, Fault("open is 1, expected true or false", line=line)),
        "speak_priority_too_high": ({**SPEAK, "priority": 101}, Fault("expected -100 to 100", line=line)),
        "speak_priority_too_low": ({**SPEAK, "priority": -101}, Fault("expected -100 to 100", line=line)),
        "speak_credit_negative": ({**SPEAK, "credit_ms": -1}, Fault("expected 0 to 10000", line=line)),
        "speak_outputs_a_list": ({**SPEAK, "outputs": []}, Fault("outputs is a list, expected a map", line=line)),
        "speak_outputs_null": ({**SPEAK, "outputs": None}, Fault("expected a map", line=line)),
        "speak_outputs_sound_a_number": (
            {**SPEAK, "outputs": {"sound": 1}},
            Fault("outputs: sound is 1, expected true or false", line=line),
        ),
        "speak_outputs_picture_a_truth": (
            {**SPEAK, "outputs": {"picture": True}},
            Fault("expected a whole number", line=line),
        ),
        "speak_strength_too_strong": ({**SPEAK, "strength": 1.5}, Fault("strength is 1.5, expected 0", line=line)),
        "speak_strength_no_number": ({**SPEAK, "strength": float("nan")}, Fault("expected 0", line=line)),
        "speak_strength_endless": ({**SPEAK, "strength": float("-inf")}, Fault("expected 0", line=line)),
        "speak_strength_a_truth": ({**SPEAK, "strength": True}, Fault("expected a number", line=line)),
        "speak_attitude_a_truth": ({**SPEAK, "attitude": True}, Fault("expected a string", line=line)),
        "speak_longer_than_a_day": (
            {**SPEAK, "text": "", "attitude": "idle", "lasts_ms": limits.LASTS_MS + 1},
            Fault("lasts_ms is 86400001, expected 0 to 86400000", line=line),
        ),
        "append_without_text": ({"kind": "append", "line": line}, Fault("key 'text' is missing", line=line)),
        "commit_without_line": ({"kind": "commit"}, Fault("commit: key 'line' is missing")),
        "credit_of_nothing": (
            {"kind": "credit", "line": line, "ms": 0},
            Fault("ms is 0, expected 1 to 10000", line=line),
        ),
        "credit_negative": ({"kind": "credit", "line": line, "ms": -5}, Fault("expected 1 to 10000", line=line)),
        "credit_too_much": ({"kind": "credit", "line": line, "ms": 10_001}, Fault("expected 1 to 10000", line=line)),
        "credit_of_a_fraction": (
            {"kind": "credit", "line": line, "ms": 1.5},
            Fault("ms is 1.5, expected a whole number", line=line),
        ),
        "credit_a_float": (
            {"kind": "credit", "line": line, "ms": 40.0},
            Fault("expected a whole number", line=line),
        ),
        "cancel_line_a_number": ({"kind": "cancel", "line": 5}, Fault("line is 5, expected a string")),
        "cancel_line_of_65_wide_characters": ({"kind": "cancel", "line": wide}, Fault("line has 65 characters")),
        "warm_without_id": ({"kind": "warm", "npc": "elder"}, Fault("warm: key 'id' is missing")),
        "warm_too_strong": ({"kind": "warm", "id": "w1", "strength": 1.5}, Fault("expected 0", id="w1")),
        "ping_mark_a_truth": ({"kind": "ping", "mark": True}, Fault("expected a whole number")),
        "ping_mark_beyond_2_53": ({"kind": "ping", "mark": 2**53 + 1}, Fault("expected 0 to 9007199254740992")),
        "ping_mark_2_64": ({"kind": "ping", "mark": 2**64 - 1}, Fault("expected 0 to 9007199254740992")),
        "game_sends_unknown_kind": ({"kind": "dance", "line": line}, Fault("is unknown", "unknown-kind", line)),
        "game_sends_moment": ({"kind": "moment", "line": line}, Fault("the other way", "unknown-kind", line)),
    }
    return [
        Golden(name, "the engine can't read it", GAME, [header(**table)], fault)
        for name, (table, fault) in rows.items()
    ]


def _refused_when_read() -> list[Golden]:
    """Messages of games that can be read, and that a session refuses which has said hello and has no lines."""
    idle = {**SPEAK, "text": "", "attitude": "idle"}
    rows: dict[str, tuple[dict[str, Any], str, str]] = {
        "hello_of_a_newer_version": ({"kind": "hello", "version": 2}, "bad-version", "wire version 2"),
        "hello_of_version_0": ({"kind": "hello", "version": 0}, "bad-version", "wire version 0"),
        "speak_of_nothing": ({**SPEAK, "text": ""}, "bad-text", "text is empty"),
        "speak_of_blanks": ({**SPEAK, "text": " \n\t"}, "bad-text", "text is empty"),
        "speak_text_too_long": ({**SPEAK, "text": "x" * 20_001}, "bad-text", "expected at most 20000"),
        "speak_by_nobody": (_without(SPEAK, "npc"), "bad-message", "neither npc nor voice is named"),
        "speak_unknown_style": ({**SPEAK, "style": "livly"}, "unknown-style", "did you mean 'lively'?"),
        "speak_unknown_emotion": ({**SPEAK, "emotion": "angri"}, "unknown-emotion", "did you mean 'angry'?"),
        "speak_unknown_attitude": ({**idle, "attitude": "dancing"}, "unknown-attitude", "no attitude 'dancing'"),
        "speak_attitude_with_text": ({**SPEAK, "attitude": "idle"}, "bad-text", "says nothing, but came with"),
        "speak_attitude_open": ({**idle, "open": True}, "bad-text", "came with open text"),
        "speak_text_that_lasts": ({**SPEAK, "lasts_ms": 40}, "bad-message", "lasts_ms is 40, expected 0"),
        "speak_picture_too_small": ({**SPEAK, "outputs": {"picture": 31}}, "bad-message", "expected 0, or 32 to 2048"),
        "speak_picture_too_large": ({**SPEAK, "outputs": {"picture": 2_049}}, "bad-message", "expected 0, or 32"),
        "speak_picture_every_no_tick": ({**SPEAK, "outputs": {"picture_every": 0}}, "bad-message", "expected 1 to 50"),
        "speak_unknown_turn": ({**SPEAK, "turn": "besides"}, "unknown-turn", "did you mean 'beside'?"),
        "speak_unknown_coefficients": (
            {**SPEAK, "outputs": {"coefficients": "arkit"}},
            "unknown-output",
            "did you mean 'arkit52'?",
        ),
        "speak_unknown_picture_format": (
            {**SPEAK, "outputs": {"picture_format": "gif"}},
            "unknown-output",
            "no picture_format 'gif'",
        ),
        "speak_live_with_text": ({**SPEAK, "live": True}, "bad-text", "says what it hears, but came with a text"),
        "speak_live_with_attitude": ({**idle, "live": True}, "bad-message", "says nothing, but came with live"),
        "speak_denoised_text": ({**SPEAK, "denoise": True}, "bad-message", "only live sound has noise"),
        "sound_of_no_line": ({"kind": "sound", "line": "l1"}, "unknown-line", "no line 'l1'"),
        "playhead_of_no_line": ({"kind": "playhead", "line": "l1", "sample": 0}, "unknown-line", "no line 'l1'"),
        "cancel_line_empty": ({"kind": "cancel", "line": ""}, "bad-message", "nothing named"),
        "cancel_of_nothing": ({"kind": "cancel"}, "bad-message", "nothing named, expected one of line, npc and all"),
        "cancel_of_line_and_character": (
            {"kind": "cancel", "line": "l1", "npc": "elder"},
            "bad-message",
            "line and npc named",
        ),
        "append_to_no_line": ({"kind": "append", "line": "l1", "text": "x"}, "unknown-line", "no line 'l1'"),
        "commit_of_no_line": ({"kind": "commit", "line": "l1"}, "unknown-line", "no line 'l1'"),
        "credit_of_no_line": ({"kind": "credit", "line": "l1", "ms": 40}, "unknown-line", "no line 'l1'"),
        "cancel_of_no_line": ({"kind": "cancel", "line": "l1"}, "unknown-line", "no line 'l1'"),
        "warm_of_nobody": ({"kind": "warm", "id": "w1"}, "bad-message", "neither npc nor voice is named"),
    }
    return [
        Golden(
            name,
            "can be read; the engine answers an error",
            GAME,
            [header(**table)],
            Fault(text, code, table.get("line", ""), table.get("id", "")),
        )
        for name, (table, code, text) in rows.items()
    ]


def _moment(*payloads: bytes, **changes: Any) -> list[bytes]:
    return [header(**{"kind": "moment", "line": "l1", "tick": 4, "ticks": 2, **changes}), *payloads]


def _of_moments() -> list[Golden]:
    half_nan, half_endless = b"\xff\x7f" * 100, b"\x00\x7c" * 100
    rows: dict[str, tuple[list[bytes], str]] = {
        "moment_truncated": (_moment(b"abc", sound=1_920), "payload of 3 bytes, header promised 1920"),
        "moment_payload_longer_than_promised": (_moment(bytes(1_922), sound=1_920), "payload of 1922 bytes"),
        "moment_payload_missing": (_moment(sound=1_920), "message of 0 payloads, header promised 1"),
        "moment_last_payload_missing": (
            _moment(bytes(1_920), sound=1_920, coefficients=200),
            "message of 1 payloads, header promised 2",
        ),
        "moment_payload_not_promised": (_moment(b"abc"), "message of 1 payloads, header promised 0"),
        "moment_payloads_in_another_order": (
            _moment(bytes(200), bytes(1_920), sound=1_920, coefficients=200),
            "payload of 200 bytes, header promised 1920",
        ),
        "moment_half_a_sample": (_moment(b"abc", sound=3), "sound of 3 bytes, expected a multiple of 2"),
        "moment_half_a_face": (_moment(bytes(150), coefficients=150), "coefficients of 75 values, expected 2 times"),
        "moment_half_a_coefficient": (_moment(b"abc", coefficients=3), "expected a multiple of 2"),
        "moment_sound_of_one_tick": (_moment(bytes(960), sound=960), "expected 960 for 2 ticks"),
        "moment_face_of_three_ticks": (
            _moment(bytes(300), coefficients=300),
            "coefficients of 150 values, expected 2 times one of 15, 50, 52",
        ),
        "moment_coefficient_not_a_number": (_moment(half_nan, coefficients=200), "a value that is not finite"),
        "moment_coefficient_endless": (_moment(half_endless, coefficients=200), "a value that is not finite"),
        "moment_size_negative": (_moment(b"", sound=-1), "sound is -1, expected 0 to 33554432 bytes"),
        "moment_size_too_large": (_moment(b"", picture=33_554_433, picture_tick=4), "expected 0 to 33554432 bytes"),
        "moment_size_a_string": (_moment(b"", sound="1"), "expected 0 to 33554432 bytes"),
        "moment_size_a_truth": (_moment(b"x", picture=True, picture_tick=4), "expected 0 to 33554432 bytes"),
        "moment_picture_of_no_tick": (_moment(JPEG, picture=len(JPEG)), "picture and picture_tick come together"),
        "moment_picture_tick_of_no_picture": (_moment(picture_tick=4), "picture and picture_tick come together"),
        "moment_picture_tick_too_early": (
            _moment(JPEG, picture=len(JPEG), picture_tick=3),
            "picture_tick is 3, expected 4 to 5",
        ),
        "moment_picture_tick_too_late": (
            _moment(JPEG, picture=len(JPEG), picture_tick=6),
            "picture_tick is 6, expected 4 to 5",
        ),
        "moment_of_no_ticks": (_moment(ticks=0), "ticks is 0, expected 1 to 4096"),
        "moment_of_too_many_ticks": (_moment(ticks=4_097), "expected 1 to 4096"),
        "moment_tick_negative": (_moment(tick=-1), "tick is -1, expected 0 to "),
        "moment_tick_a_float": (_moment(tick=4.5), "tick is 4.5, expected a whole number"),
    }
    return [Golden(name, "a moment", ENGINE, frames, Fault(text, line="l1")) for name, (frames, text) in rows.items()]


def _of_engines() -> list[Golden]:
    line, npcs = {"line": "l1"}, {"kind": "npcs"}
    rows: dict[str, tuple[dict[str, Any], Fault]] = {
        "welcome_without_channels": (_without(WELCOME, "channels"), Fault("welcome: key 'channels' is missing")),
        "welcome_channels_of_numbers": ({**WELCOME, "channels": [1]}, Fault("channels[0] is 1, expected a string")),
        "welcome_channel_of_no_name": ({**WELCOME, "channels": ["", "a"]}, Fault("channels[0] has 0 characters")),
        "welcome_channels_a_string": ({**WELCOME, "channels": "jawOpen"}, Fault("expected a list")),
        "welcome_no_sample_rate": ({**WELCOME, "sample_rate": 0}, Fault("sample_rate is 0, expected 1 to ")),
        "welcome_version_a_float": ({**WELCOME, "version": 1.0}, Fault("expected a whole number")),
        "accepted_without_line": ({"kind": "accepted"}, Fault("accepted: key 'line' is missing")),
        "words_a_map": ({"kind": "words", **line, "words": WORD}, Fault("words is a map, expected a list", **line)),
        "words_of_strings": ({"kind": "words", **line, "words": ["Mind"]}, Fault("expected a map", **line)),
        "words_without_start": (
            {"kind": "words", **line, "words": [WORD, _without(WORD, "start")]},
            Fault("words[1]: key 'start' is missing", **line),
        ),
        "words_start_negative": (
            {"kind": "words", **line, "words": [{**WORD, "start": -1}]},
            Fault("words[0]: start is -1, expected 0 to ", **line),
        ),
        "mark_without_name": ({"kind": "mark", **line, "tick": 1}, Fault("mark: key 'name' is missing", **line)),
        "mark_without_tick": ({"kind": "mark", **line, "name": "x"}, Fault("mark: key 'tick' is missing", **line)),
        "end_without_ticks": ({"kind": "end", **line}, Fault("end: key 'ticks' is missing", **line)),
        "end_ticks_negative": ({"kind": "end", **line, "ticks": -1}, Fault("ticks is -1, expected 0 to ", **line)),
        "end_ticks_a_truth": ({"kind": "end", **line, "ticks": True}, Fault("expected a whole number", **line)),
        "end_line_too_long": ({"kind": "end", "line": "x" * 65, "ticks": 1}, Fault("line has 65 characters")),
        "cancelled_ticks_a_string": (
            {"kind": "cancelled", **line, "ticks": "44"},
            Fault("expected a whole number", **line),
        ),
        "cancelled_reason_too_long": (
            {"kind": "cancelled", **line, "ticks": 1, "reason": "x" * 2_001},
            Fault("reason has 2001 characters, expected 0 to 2000", **line),
        ),
        "error_without_code": ({"kind": "error", **line, "text": "x"}, Fault("error: key 'code' is missing", **line)),
        "error_of_no_code": ({"kind": "error", "code": "", "text": ""}, Fault("code has 0 characters")),
        "error_ends_a_number": (
            {"kind": "error", "code": "internal", "text": "x", "ends": 1, "id": "w1"},
            Fault("ends is 1, expected true or false", id="w1"),
        ),
        "error_wait_negative": (
            {"kind": "error", "code": "overloaded", "text": "x", "wait_ms": -1},
            Fault("wait_ms is -1, expected 0 to 86400000"),
        ),
        "stats_load_a_float": ({"kind": "stats", "load_percent": 50.5}, Fault("load_percent is 50.5")),
        "warmed_without_id": ({"kind": "warmed"}, Fault("warmed: key 'id' is missing")),
        "npcs_entry_without_name": ({**npcs, "npcs": [{"voice": "low"}]}, Fault("npcs[0]: key 'name' is missing")),
        "npcs_voices_of_numbers": ({**npcs, "voices": [1]}, Fault("voices[0] is 1, expected a string")),
        "engine_sends_unknown_kind": ({"kind": "dance", **line}, Fault("is unknown", "unknown-kind", **line)),
        "engine_sends_speak": (SPEAK, Fault("the other way", "unknown-kind", **line)),
    }
    return [
        Golden(name, "a client can't read it", ENGINE, [header(**table)], fault)
        for name, (table, fault) in rows.items()
    ]


def _without(table: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name != key}


def goldens() -> list[Golden]:
    """Every golden file of a message that is refused."""
    parts = (_of_games(), _refused_when_read(), _of_moments(), _of_engines())
    return [*_headers("ping", GAME), *_headers("pong", ENGINE), *(g for part in parts for g in part)]
