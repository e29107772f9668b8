"""npc-engine faces check: is a face itself while it speaks and whatever it is asked for, and is it fast enough."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from npc_engine.cast import Cast
from npc_engine.commands.common import Commands, Progress, UsageError, cast_option, command, table
from npc_engine.commands.faces_preview import check_png
from npc_engine.commands.voices_check import Row, between

if TYPE_CHECKING:
    from npc_engine.commands.faces_line import Seen
    from npc_engine.commands.faces_speed import Speed
    from npc_engine.frames.guarded import Guarded
    from npc_engine.frames.identity import Judge
    from npc_engine.frames.limits import Frame

ABOUT: Final = "measure a face: is it itself over a spoken line and over all expressions, and how fast is it"
EXAMPLES: Final = """  npc-engine faces check smith
  npc-engine faces check smith --json smith.json --out worst.png
"""
LINE_MEAN, LINE_LEAST = 0.8, 0.55  # identity over half a minute of speech
PICTURES_A_S: Final = 50.0  # at 512 pixels, drawn and encoded on one core: as many as a line can ask for
LOAD_MS: Final = 1000.0  # that a game waits for a character who enters


@dataclass(frozen=True, slots=True)
class Space:
    """How much a face is itself over everything it may be asked for."""

    scores: dict[str, float]
    worst: Frame

    @property
    def mean(self) -> float:
        """Mean score."""
        return sum(self.scores.values()) / len(self.scores)


def add_to(verbs: Commands) -> None:
    """Add the sub-command of `faces`."""
    parser = command(verbs, "check", ABOUT, EXAMPLES)
    parser.add_argument("name", help="a face (npc-engine faces list)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the measures there too")
    parser.add_argument("--out", type=Path, metavar="FILE", help="PNG of the worst pictures (default: NAME_worst.png)")
    cast_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the measures; 1 where one is off."""
    import cv2

    from npc_engine.commands.bench import machine
    from npc_engine.commands.faces_judge import judge_of
    from npc_engine.commands.faces_line import judged, speaker, spoken
    from npc_engine.commands.faces_speed import speed
    from npc_engine.frames.encode import encode_picture
    from npc_engine.troupe import Troupe

    out = arguments.out or Path(f"{arguments.name}_worst.png")
    check_png(out)
    if arguments.json and not arguments.json.parent.is_dir():
        raise UsageError(f"{arguments.json}: no such folder {arguments.json.parent}")
    cv2.setNumThreads(1)
    cast = Cast.standard(arguments.cast)
    progress = Progress("checking")
    troupe = Troupe(cast)
    face = troupe.face(arguments.name)
    progress.show("speaking half a minute")
    expressions = spoken(troupe, arguments.name)
    judge = judge_of(face)
    seen = judged(face, judge, expressions, lambda done, of: progress.show(f"picture {done} of {of} of the line"))
    stats = face.guard.stats if face.guard else None
    space = over_space(face, judge, lambda done, of: progress.show(f"expression {done} of {of}"))
    progress.show("timing")
    found = speed(cast, arguments.name, expressions)
    progress.done()
    rows = list(measured(seen, space, found))
    print(
        table(
            [(r.what, r.value, r.wanted or "-", r.verdict or "-", r.remedy) for r in rows],
            ("MEASURE", "VALUE", "WANTED", "VERDICT", "WHAT TO DO"),
        )
    )
    if stats:
        print(f"guard over the line: {stats.judged} pictures judged, {stats.damped} damped")
    out.write_bytes(encode_picture(worst_sheet(seen, space), "png"))
    off = [r.what for r in rows if r.verdict not in ("", "ok")]
    print(f"{out}: the face at rest, the worst picture of the line and the worst expression")
    print(f"{arguments.name}: {'every measure is as wanted' if not off else 'look at ' + ', '.join(off)}")
    if arguments.json:
        figures: dict[str, Any] = {
            "face": arguments.name,
            "engine": cast.face(arguments.name)[0].engine,
            "line": {"voice": speaker(cast, arguments.name)[0], "seconds": round(len(expressions) * 0.02, 2)}
            | {"pictures": len(seen.scores), "mean": round(seen.mean, 4), "min": round(seen.least, 4)}
            | {"worst_tick": seen.worst.tick},
            "space": {"expressions": len(space.scores), "mean": round(space.mean, 4)}
            | {"min": round(space.worst.score, 4), "worst": space.worst.name},
            "speed": found.figures(),
            "guard": {"judged": stats.judged, "damped": stats.damped} if stats else None,
            "off": off,
            "passed": not off,
            "machine": machine(),
        }
        arguments.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"written to {arguments.json}")
    return 1 if off else 0


def over_space(face: Guarded, judge: Judge, told: Callable[[int, int], None]) -> Space:
    """Judge every expression that a face may be asked for, drawn within its limits."""
    from npc_engine.commands.expression_space import expression_space
    from npc_engine.frames.identity import DRAWN_AT
    from npc_engine.frames.limits import Frame

    scores: dict[str, float] = {}
    space = expression_space()
    for name, exp in space.items():
        scores[name] = judge.score(face.render(exp, DRAWN_AT))
        told(len(scores), len(space))
    worst = min(scores, key=lambda name: scores[name])
    return Space(scores, Frame(worst, space[worst], scores[worst], face.render(space[worst], DRAWN_AT)))


def measured(seen: Seen, space: Space, found: Speed) -> Iterator[Row]:
    """The measures, each with what is wanted and what to do where it is missed."""
    from npc_engine.frames.identity import THRESHOLD

    add = "a calmer or sharper picture; add the face again"
    cap = f"lower a weight of {space.worst.name!r} in [limits] of face.toml, or add the face again"
    yield between("identity over a line, mean", seen.mean, (LINE_MEAN, 1.01), low=add, high="")
    yield between("identity over a line, lowest", seen.least, (LINE_LEAST, 1.01), low=add, high="")
    yield Row(f"identity over {len(space.scores)} expressions, mean", f"{space.mean:.3f}")
    yield between("identity over expressions, lowest", space.worst.score, (THRESHOLD, 1.01), low=cap, high="")
    yield Row("a picture of 512", f"{found.picture_ms:.2f} ms")
    yield Row("its JPEG", f"{found.jpeg_ms:.2f} ms")
    rate = (PICTURES_A_S, float("inf"))
    yield between("pictures a second, one core", found.fps, rate, low="draw smaller or fewer pictures", high="")
    yield between("load", found.load_ms, (0, LOAD_MS), "ms", low="", high="load it before it is needed")


def worst_sheet(seen: Seen, space: Space) -> Any:
    """Rest, the worst picture of the line and the worst expression side by side."""
    from npc_engine.frames.preview import sheet
    from npc_engine.moments import TICK_MS

    when = seen.worst.tick * TICK_MS / 1000
    return sheet(
        {
            "at rest": seen.rest.pixels,
            f"line, {when:.2f} s  {seen.least:.2f}": seen.worst.pixels,
            f"{space.worst.name}  {space.worst.score:.2f}": space.worst.pixels,
        }
    )
