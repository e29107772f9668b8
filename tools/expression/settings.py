"""What contacts and smoothing do to lines that were not trained on: the tables of docs/expression.md.

python tools/expression/settings.py TAKES        TAKES is what training.takes wrote; 24 takes of hibari
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from npc_engine.expression.aperture import aperture
from npc_engine.expression.audio2exp import Audio2Exp
from npc_engine.expression.limits import advance_ticks, delay_ms
from npc_engine.moments import TICK_MS, Line, SpeechChunk
from training.evaluate import Marks
from training.evaluate_sets import Clip, whole
from training.metrics import match
from training.takes import held_out_takes
from training.teacher import teach

SMOOTHINGS = (0.0, 0.25, 0.5, 0.65, 0.8, 0.9, 1.0)


def clips(folder: Path) -> list[Clip]:
    chosen = [t for t in held_out_takes(folder) if t.engine == "hibari"][::3]
    return [
        Clip(t.id, t.voice, t.language, whole(t.sound), t.phones, teach(whole(t.sound), t.phones, language=t.language))
        for t in chosen
    ]


def figures(marks: Marks, engine: Audio2Exp, *, phones: bool) -> dict[str, float]:
    exps = []
    for clip in marks.clips:
        chunk = SpeechChunk(Line("table", "nobody", ""), 0, clip.sound, clip.phones if phones else ())
        exps.append(np.stack([e.exp for e in engine.express([chunk])])[: len(clip.lesson.exp)])
    return marks.mouth(exps) | {"lag_ms": match([aperture(e) for e in exps], marks.apertures)["lag_ms"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("takes", type=Path)
    marks = Marks(clips(parser.parse_args().takes))
    print(f"{len(marks.clips)} takes\n\n| | closure | open vowels | r of opening |\n|---|---|---|---|")
    for name, phones in (("with phones", True), ("without", False)):
        found = figures(marks, Audio2Exp(), phones=phones)
        print(f"| {name} | {found['closure']:.3f} | {found['vowels_open']:.3f} | {found['r']:.3f} |")
    print("\n| smoothing | delay of slow movement, ms | read ahead, ms | remains, ms | open vowels | r | lag, ms |")
    print("|---|---|---|---|---|---|---|")
    for smoothing in SMOOTHINGS:
        found = figures(marks, Audio2Exp(smoothing=smoothing), phones=True)
        delay, ahead = delay_ms(smoothing), advance_ticks(smoothing) * TICK_MS
        cells = [f"{smoothing:g}", f"{delay:.0f}", ahead, f"{delay - ahead:.0f}", f"{found['vowels_open']:.3f}"]
        print(" | ".join(["| " + cells[0], *map(str, cells[1:]), f"{found['r']:.3f}", f"{found['lag_ms']} |"]))


if __name__ == "__main__":
    main()
