"""One voice, measured in this process: what `npc-engine bench voices` starts afresh for each.

`python -m npc_engine.commands.bench_voice '{"voice": …, "cast": …, "runs": …, "sentences": …}'` prints a line of
JSON; it ends with 3 and the reason where the voice can't be loaded.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from npc_engine.cast import Cast, CastError, VoiceSpec
from npc_engine.commands.bench import LINES, spread
from npc_engine.commands.bench_memory import rss_mb
from npc_engine.moments import SAMPLE_RATE, Line
from npc_engine.speech.errors import SpeechError

if TYPE_CHECKING:
    from npc_engine.performance import Voice

UNAVAILABLE: Final = 3
"""The exit code of a voice that can't be loaded."""

# As long as an English sentence of twelve words: 18 to 21 syllables in Chinese, 22 to 26 morae in Japanese.
TWELVE: Final[dict[str, tuple[str, ...]]] = {
    "en": LINES,
    "zh": (
        "北门的守卫会检查你的证件请你提前把它准备好。",
        "我的哥哥在漫长的冬天到来之前卖掉了他的好马。",
        "我们在谷仓的一块旧木板下面找到了那张老地图。",
    ),
    "ja": (
        "北の門の番人があなたの書類を見せるように言うでしょう。",
        "兄は長い冬が来る前に最後の良い馬を売りました。",
        "納屋の古い板の下でこの地図を見つけたのです。",
    ),
}
_OPENINGS: Final = {
    "en": (
        "Listen.",
        "My friend,",
        "I told you yesterday that",
        "They say in the village that",
        "Well, if you ask me,",
    ),
    "zh": ("听着。", "我的朋友，", "昨天我告诉过你，", "村里的人都说，", "如果你问我的话，"),
    "ja": ("聞いてくれ。", "友よ、", "昨日も言いましたが、", "村の人の話では、", "私に聞くのなら、"),
}


def main() -> int:
    """Measure and print."""
    options = json.loads(sys.argv[1])
    if hasattr(os, "sched_setaffinity"):  # one core, as the figures promise; which one is the system's choice
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    try:
        spec, folder = Cast.standard(Path(options["cast"]) if options["cast"] else None).voice(options["voice"])
        print(json.dumps(figures(spec, options["voice"], folder, options["runs"], options["sentences"])))
    except (CastError, SpeechError) as error:
        print(" ".join(str(error).split()))
        return UNAVAILABLE
    return 0


def figures(spec: VoiceSpec, name: str, folder: Path, runs: int, sentences: int) -> dict[str, Any]:
    """Everything measured of a voice; nothing of it comes out of a cache but `cached_line_ms`."""
    began = time.perf_counter()
    from npc_engine.speech.load import VoiceEngines

    voice = VoiceEngines().voice(spec, name, folder)
    load = time.perf_counter() - began
    # a recording has nothing to say but its own lines
    twelve = list(spec.lines or TWELVE.get(spec.language.split("-")[0], TWELVE["en"]))
    short = [first_sound(voice, text) for text in itertools.islice(itertools.cycle(twelve), runs)]
    others = [first_only(voice, text) for text in itertools.islice(_sentences(spec, twelve), sentences)]
    return {
        "load_s": round(load, 3),
        "first_sound_ms": spread([first for first, _, _ in short])["p50"],
        "realtime_factor": round(statistics.median(took / seconds for _, took, seconds in short), 4),
        "rss_mb": rss_mb(),
        "first_sound_100_ms": spread(others),
        "cached_line_ms": cached(voice, twelve[0], runs),
    }


def _sentences(spec: VoiceSpec, twelve: list[str]) -> Iterator[str]:
    """Sentences of different lengths, none twice in the first hundred; a recording's own lines again and again."""
    openings = ("",) if spec.lines else _OPENINGS.get(spec.language.split("-")[0], _OPENINGS["en"])
    gap = " " if spec.language.startswith("en") else ""
    for round_ in itertools.count():
        for opening, text in itertools.product(openings, twelve):
            once = gap.join(part for part in (opening, text) if part)
            yield once if spec.lines or not round_ else gap.join([once, twelve[round_ % len(twelve)]])


def first_sound(voice: Voice, text: str) -> tuple[float, float, float]:
    """Milliseconds from `speak` to the first sound; seconds of computing in all, and of sound."""
    began = time.perf_counter()
    first = 0.0
    count = 0
    for chunk in voice.speak(Line("bench", "bench", text)):
        if not first and len(chunk.samples):
            first = (time.perf_counter() - began) * 1000
        count += len(chunk.samples)
    return first, time.perf_counter() - began, count / SAMPLE_RATE


def first_only(voice: Voice, text: str) -> float:
    """Milliseconds from `speak` to the first sound; the rest is not spoken."""
    began = time.perf_counter()
    with closing(voice.speak(Line("bench", "bench", text))) as chunks:  # type: ignore[type-var]  # a generator
        next(chunk for chunk in chunks if len(chunk.samples))
        return (time.perf_counter() - began) * 1000


def cached(voice: Voice, text: str, runs: int) -> float | None:
    """Median milliseconds to the first sound of a line that is kept; from files, so from the slower of the two ways.

    None for a voice that needs no cache, as a recording.
    """
    from npc_engine.speech.cache import TakeCache
    from npc_engine.speech.voice import CastVoice

    if not isinstance(voice, CastVoice):
        return None
    took = []
    with tempfile.TemporaryDirectory(prefix="npc_engine-bench-") as folder:
        cache = TakeCache(folder=Path(folder))
        first_sound(CastVoice(voice.engine, voice.spec, voice.name, cache.takes), text)
        cache.flush()
        for _ in range(runs):
            cold = TakeCache(folder=Path(folder))  # nothing in memory
            took.append(first_sound(CastVoice(voice.engine, voice.spec, voice.name, cold.takes), text)[0])
    return round(statistics.median(took), 2)


if __name__ == "__main__":
    sys.exit(main())
