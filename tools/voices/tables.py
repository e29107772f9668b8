"""The tables of docs/voices.md, out of measures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from npc_engine.cast import VoiceSpec
from npc_engine.moments import EMOTIONS

BEGIN = "<!-- measured: what stands from here is written by tools/voices/measure.py -->"
END = "<!-- end of what is measured -->"
HEAD = (
    *("voice", "language", "median f0, Hz", "pitch asked / got", "formants asked / got", "words a minute", "LUFS"),
    *("MOS mean (lowest)", "lowest mean of an emotion", "misheard, %", "under emotions, %", "onset bias, ms"),
    "onset error, ms",
)


def designed(spec: VoiceSpec) -> bool:
    """Whether a voice.toml asks for pitch or formants of its own."""
    return spec.pitch != 1 or spec.formant not in (0.0, 1.0)


def tables(rows: dict[str, tuple[VoiceSpec, dict[str, Any]]]) -> str:
    """Two tables in Markdown, of voices and of emotions, and what falls short of what is wanted."""
    body = [_voice(name, spec, found) for name, (spec, found) in rows.items()]
    felt = {name: found["emotions"]["each"] for name, (_, found) in rows.items() if "emotions" in found}
    parts = [_markdown(HEAD, body)]
    if felt:
        head = ("voice", *(e for e in EMOTIONS if e != "neutral"))
        parts.append(
            "Each emotion at full strength, over neutral: f0 × · its spread × · tempo of words × · dB · MOS\n\n"
            + _markdown(head, [(name, *(_felt(each[e]) for e in head[1:])) for name, each in felt.items()])
        )
    short = [fault for name, (spec, found) in rows.items() for fault in faults(name, spec, found)]
    parts.append("Short of what is wanted: " + ("; ".join(short) if short else "nothing") + ".")
    return "\n\n".join(parts)


def _voice(name: str, spec: VoiceSpec, found: dict[str, Any]) -> tuple[str, ...]:
    asked, onsets, emotions = found.get("design"), found.get("onsets"), found.get("emotions")
    said = found["misheard"]
    return (
        name,
        spec.language,
        f"{found['sound']['f0']:.0f}",
        f"{spec.pitch:.2f} / {asked['pitch']:.2f}" if asked else "–",
        f"{spec.formant or spec.pitch:.2f} / {asked['formant']:.2f}" if asked else "–",
        f"{found['sound']['tempo']:.0f}",
        f"{found['sound']['lufs']:.1f}",
        f"{found['mos']['mean']:.2f} ({found['mos']['lowest']:.2f})",
        "{1:.2f} {0}".format(*_lowest(emotions)) if emotions else "–",
        f"{said['percent']:.1f} of {said['of']} {said['kind']}",
        f"{emotions['heard']['percent']:.1f}" if emotions else "–",
        f"{onsets['bias']:+.0f}" if onsets and onsets["phones"] else "–",
        f"{onsets['mean']:.0f}" if onsets and onsets["phones"] else "–",
    )


def _lowest(emotions: dict[str, Any]) -> tuple[str, float]:
    each = {name: found["mos"] for name, found in emotions["each"].items()}
    name = min(each, key=lambda e: each[e])
    return name, each[name]


def _felt(found: dict[str, float]) -> str:
    return (
        f"{found['f0']:.2f} · {found['range']:.2f} · {found['tempo']:.2f} · {found['level']:+.1f} · {found['mos']:.2f}"
    )


def faults(name: str, spec: VoiceSpec, found: dict[str, Any]) -> list[str]:
    """What of a voice is short of what is wanted of every voice."""
    short = []

    def want(ok: bool, what: str) -> None:
        if not ok:
            short.append(f"{name} {what}")

    want(abs(found["sound"]["lufs"] + 20) <= 1, f"{found['sound']['lufs']:.1f} LUFS")
    want(found["mos"]["mean"] >= 4.0, f"MOS {found['mos']['mean']:.2f}")
    if "emotions" in found:
        emotion, lowest = _lowest(found["emotions"])
        want(lowest >= 3.7, f"MOS {lowest:.2f} when {emotion}")
    if spec.language.startswith("en"):
        want(found["misheard"]["percent"] <= 3, f"{found['misheard']['percent']:.1f} % misheard")
    onsets = found.get("onsets")
    if onsets:
        ok = onsets["phones"] and abs(onsets["bias"]) <= 10 and onsets["mean"] <= 25
        want(bool(ok), f"onsets {onsets['bias']} ms, {onsets['mean']} ms")
    if "design" in found:
        for key, asked in (("pitch", spec.pitch), ("formant", spec.formant or spec.pitch)):
            got = found["design"][key]
            want(abs(math.log(got / asked)) <= math.log(1.05), f"{key} asked {asked:.2f}, got {got:.2f}")
    return short


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def written(path: Path, text: str) -> None:
    """Put `text` between the two comments in the file."""
    page = path.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    path.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")
