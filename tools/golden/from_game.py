"""Golden files of what a game sends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from parts import GAME, UNKNOWN, Golden, header, nested, sound, widest, written

from npc_engine.moments import Outputs
from npc_engine.wire import limits
from npc_engine.wire.messages import (
    MOST,
    Append,
    Cancel,
    Commit,
    Credit,
    Hello,
    List,
    LiveSound,
    Ping,
    Playhead,
    Report,
    Request,
    Speak,
    Warm,
)

WIDE_ID = "\N{SPEAKING HEAD IN SILHOUETTE}" * limits.ID_CHARS
STEP = "Mind the step!"
FULL = Speak(
    "l1",
    STEP,
    "elder",
    "low",
    "disc",
    "lively",
    "happy",
    priority=-100,
    credit_ms=0,
    outputs=Outputs(sound=False, coefficients="none", words=False, picture=2048, picture_every=50),
    strength=0.25,
    open=True,
)
SSML = '<speak>Mind the <mark name="step"/>step!</speak>'
WORLD = "Γειά σου, žluťoučký kůň – 你好 \N{WAVING HAND SIGN}\N{EMOJI MODIFIER FITZPATRICK TYPE-4} e\u0301 שלום\n\t«»"


def _written() -> list[tuple[str, str, Request]]:
    return [
        ("hello_minimal", "the least", Hello(1)),
        ("hello_named", "with the game's name", Hello(1, "village")),
        ("hello_name_of_64_wide_characters", "64 characters are 256 bytes and 128 UTF-16 units", Hello(1, WIDE_ID)),
        ("speak_minimal", "a character and a text", Speak("l1", STEP, "elder")),
        ("speak_full", "every key but an attitude", FULL),
        ("speak_by_voice", "no character: a voice and a face", Speak("l1", STEP, voice="low", face="disc")),
        ("speak_with_pictures", "the usual pictures", Speak("l1", STEP, "elder", outputs=Outputs(picture=512))),
        ("speak_without_sound", "one key of outputs", Speak("l1", STEP, "elder", outputs=Outputs(sound=False))),
        ("speak_most", "the highest priority and credit", replace(FULL, priority=100, credit_ms=10_000, open=False)),
        ("speak_strength_zero", "a float of 64 bits that is 0", Speak("l1", STEP, "elder", strength=0.0)),
        ("speak_strength_tenth", "a float of 64 bits that is 0.1", Speak("l1", STEP, "elder", strength=0.1)),
        ("speak_open", "text follows", Speak("l1", "Mind the st", "elder", open=True)),
        ("speak_open_empty", "text follows, there is none yet", Speak("l1", "", "elder", open=True)),
        ("speak_listening", "nothing is said, until cancelled", Speak("l1", "", "elder", attitude="listening")),
        (
            "speak_idle_for_a_day",
            "nothing is said, as long as may be",
            Speak("l1", "", "elder", attitude="idle", lasts_ms=limits.LASTS_MS, credit_ms=200),
        ),
        ("speak_in_place_of_others", "cuts the character's lines", Speak("l1", STEP, "elder", turn="replace")),
        ("speak_beside_others", "waits for none", Speak("l1", STEP, "elder", turn="beside")),
        ("speak_soon_or_never", "within a tenth of a second", Speak("l1", STEP, "elder", deadline_ms=100)),
        ("speak_live", "sound follows, at 24 kHz", Speak("l1", "", "elder", live=True)),
        (
            "speak_live_noisy",
            "sound of a telephone follows, in noise",
            Speak("l1", "", "elder", live=True, sound_rate=8_000, denoise=True),
        ),
        (
            "speak_for_a_rig",
            "ARKit's shapes",
            Speak("l1", STEP, "elder", outputs=Outputs(coefficients="arkit52")),
        ),
        (
            "speak_for_a_recording",
            "every picture, as WebP, and visemes",
            Speak(
                "l1",
                STEP,
                "elder",
                outputs=Outputs(coefficients="visemes15", picture=512, picture_format="webp", thin=False),
            ),
        ),
        ("speak_markup", "SSML", Speak("l1", SSML, "elder")),
        ("speak_scripts", "letters of 1 to 4 bytes, a joined and a combining one", Speak("l1", WORLD, "elder")),
        ("speak_text_of_31_bytes", "the longest fixstr", Speak("l1", "x" * 31, "elder")),
        ("speak_text_of_32_bytes", "the shortest str 8", Speak("l1", "x" * 32, "elder")),
        ("speak_text_of_256_bytes", "the shortest str 16", Speak("l1", "x" * 256, "elder")),
        ("speak_text_of_20000_characters", "the longest text, 40,000 bytes", Speak("l1", "ä" * 20_000, "elder")),
        ("append_text", "begins with a space, which counts", Append("l1", " is wet.")),
        ("append_empty", "no text", Append("l1", "")),
        ("append_part_of_a_letter", "a combining accent alone", Append("l1", "\u0301")),
        ("sound_20_ms", "live sound of 24 kHz", LiveSound("l1", sound(1))),
        ("sound_of_one_sample", "the least", LiveSound("l1", np.array([-1.0], np.float32))),
        ("sound_of_nothing", "no payload", LiveSound("l1")),
        ("commit", "the only form", Commit("l1")),
        ("credit_40", "25 bytes, printed in PROTOCOL.md", Credit("l1", 40)),
        ("credit_least", "1 ms", Credit("l1", 1)),
        ("credit_most", "10,000 ms, a uint 16", Credit("l1", limits.CREDIT_CAP_MS)),
        ("playhead", "the first sample of the second tick", Playhead("l1", 480)),
        ("playhead_most", "2^53", Playhead("l1", MOST)),
        ("cancel", "one line", Cancel("l1")),
        ("cancel_of_a_character", "all its lines", Cancel(npc="elder")),
        ("cancel_all", "all lines of the client", Cancel(all=True)),
        ("cancel_id_of_64_wide_characters", "64 characters are 256 bytes and 128 UTF-16 units", Cancel(WIDE_ID)),
        ("warm_minimal", "loads a character", Warm("w1", npc="elder")),
        ("warm_full", "every key", Warm("w1", STEP, "elder", "low", "cartoon", "afraid", 0.75)),
        ("ping", "no mark", Ping()),
        ("ping_mark_127", "the largest fixint", Ping(127)),
        ("ping_mark_128", "the smallest uint 8", Ping(128)),
        ("ping_mark_65536", "the smallest uint 32", Ping(65_536)),
        ("ping_mark_most", "2^53, a uint 64", Ping(MOST)),
        ("list", "no keys", List()),
        ("report", "no keys", Report()),
    ]


DEFAULTS = {
    "kind": "speak",
    "line": "l1",
    "text": STEP,
    "npc": "elder",
    "voice": "",
    "face": "",
    "style": "",
    "emotion": "neutral",
    "priority": 0,
    "credit_ms": 600,
    "outputs": {
        "sound": True,
        "coefficients": "exp50",
        "words": True,
        "picture": 0,
        "picture_every": 2,
        "picture_format": "",
        "thin": True,
    },
    "strength": 1.0,
    "open": False,
    "attitude": "",
    "lasts_ms": 0,
    "turn": "wait",
    "deadline_ms": 0,
    "live": False,
    "sound_rate": 24_000,
    "denoise": False,
}


def goldens() -> list[Golden]:
    """Every golden file of a message that a game may send."""
    speak = {"kind": "speak", "line": "l1", "text": STEP, "npc": "elder"}
    short_float = b"\x85" + header(**speak)[1:] + b"\xa8strength\xca\x3f\x40\x00\x00"
    raw = {
        "hello_unknown_keys": ("keys of a newer release", header(kind="hello", **UNKNOWN, version=1)),
        "speak_defaults_written": ("every default written out", header(**DEFAULTS)),
        "speak_outputs_empty": ("a map of none", header(**speak, outputs={})),
        "speak_outputs_unknown_keys": (
            "keys of a newer release inside",
            header(**speak, outputs={"hum": 1, **UNKNOWN}),
        ),
        "speak_strength_one_whole": ("an integer", header(**speak, strength=1)),
        "speak_strength_of_32_bits": ("0.75 as a float of 32 bits", short_float),
        "speak_longest_forms": ("map 32, str 32, int 64", widest(DEFAULTS)),
        "cancel_keys_reversed": ("kind comes last", header(line="l1", kind="cancel")),
        "credit_longest_forms": ("map 32, str 32, int 64", widest({"kind": "credit", "line": "l1", "ms": 40})),
        "ping_mark_zero_written": ("the default written out", header(kind="ping", mark=0)),
        "ping_nested_16_deep": ("as deep as may be", nested("ping", limits.DEPTH)),
        "list_unknown_keys": ("keys of a newer release", header(kind="list", **UNKNOWN)),
    }
    goldens = [written(name, about, message, GAME) for name, about, message in _written()]
    return [*goldens, *(Golden(name, about, GAME, [data]) for name, (about, data) in raw.items())]
