"""`python tools/live/figures.py DATA --json FILE`: how right live faces are, in speech, in pauses and in noise.

DATA is the folder that `training.evaluate` reads. Prints the tables of docs/live.md.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm
from track import Track, kinds, track

from npc_engine.expression.activity import LivePauses
from npc_engine.expression.audio2exp import LIVE_LOOKAHEAD_MS, Audio2Exp
from npc_engine.expression.hearing import Hearing
from npc_engine.expression.network import SHIPPED, Network
from npc_engine.expression.window import BEHIND
from npc_engine.live.denoise import DELAY, Denoiser
from npc_engine.moments import CHANNEL, SAMPLE_RATE, TICK_MS, TICK_SAMPLES, Line, SpeechChunk
from training.evaluate import Marks, heard
from training.evaluate_sets import recorded
from training.metrics import read_at

JAW = CHANNEL["jawOpen"]
LOOKAHEADS = (-20, 0, 20, 40, 60)
SNRS = (20, 5)
OPEN = 0.03  # of the jaw, from which a mouth in a pause is not shut
TRACK_CLIPS = 6


def live(sound: np.ndarray, lookahead_ms: int = LIVE_LOOKAHEAD_MS) -> np.ndarray:
    """Exp50 f32[ticks, 50] of whole ticks of live sound."""
    line = Line("l", "nobody", "", live=())
    told = _mouths[lookahead_ms].express([SpeechChunk(line, 0, sound, ends_clause=False)])
    return np.stack([e.exp for e in told])[: len(sound) // TICK_SAMPLES]


_mouths = {ms: Audio2Exp(live_lookahead_ms=ms, lookahead_ms=ms) for ms in LOOKAHEADS}


def as_voice(sound: np.ndarray) -> np.ndarray:
    """The same without what closes the mouth in pauses."""
    told = _mouths[LIVE_LOOKAHEAD_MS].express([SpeechChunk(Line("l", "nobody", ""), 0, sound, ends_clause=False)])
    return np.stack([e.exp for e in told])[: len(sound) // TICK_SAMPLES]


def free(network: Network, sound: np.ndarray) -> np.ndarray:
    """Whether each tick is taken for speech, bool[ticks], as `LivePauses` has it."""
    hearing, pauses = Hearing(network, LIVE_LOOKAHEAD_MS // TICK_MS), LivePauses()
    hearing.listen(sound)
    likely = np.concatenate([block.likely for block in hearing.read(ends=True)])
    _, still, _ = pauses.step(likely, np.sqrt(np.square(sound.reshape(-1, TICK_SAMPLES)).mean(axis=1)))
    return still < 0.5


def cleaned(sound: np.ndarray) -> np.ndarray:
    """Without noise, in step with the sound."""
    denoiser = Denoiser()
    return np.concatenate([denoiser.push(sound), denoiser.end()])[DELAY:].astype(np.float32)


def snr_db(sound: np.ndarray, clean: np.ndarray) -> float:
    """Of the best scaled copy of the clean sound over the rest."""
    part = float(sound @ clean / (clean @ clean)) * clean
    return float(10 * np.log10((part @ part) / ((sound - part) @ (sound - part))))


def by_lookahead(marks: Marks) -> dict[int, dict[str, float]]:
    """What the mouth does at each look-ahead, on recorded speech; `visemes` are the network's own."""
    network, found = Network(SHIPPED), {}
    logits = [heard(network, clip.sound) for clip in marks.clips]
    for ms in LOOKAHEADS:
        exps = [live(clip.sound, ms) for clip in tqdm(marks.clips, desc=f"look-ahead {ms} ms", leave=False)]
        right = [read_at(each, ms // TICK_MS) == said for each, said in zip(logits, marks.visemes, strict=True)]
        found[ms] = marks.mouth(exps) | {"visemes": float(np.concatenate(right).mean())}
    return found


def under_noise(road: Track, noises: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """For each noise and ratio: speech missed, pauses taken, mouths open in pauses, and what the denoiser does.

    `r` and `visemes` are of the jaw and the network's visemes in speech, against those of the sound without noise.
    """
    network = Network(SHIPPED)
    wanted = live(road.sound)[road.speech, JAW]
    right = heard(network, road.sound)[:, BEHIND].argmax(-1)[road.speech]
    found = {}
    for name, ratio in tqdm([("none", 99), *((n, r) for n in noises for r in SNRS)], desc="noise"):
        sound = road.sound if name == "none" else road.under(noises[name], ratio)
        began = time.thread_time()
        clean = cleaned(sound)
        took = time.thread_time() - began
        row = {"denoise_ms_per_s": 1000 * took / (len(sound) / SAMPLE_RATE)}
        for prefix, heard_sound in (("", sound), ("denoised_", clean)):
            jaw, speaks = live(heard_sound)[:, JAW], free(network, heard_sound)
            seen = heard(network, heard_sound)[:, BEHIND].argmax(-1)[road.speech]
            row |= {
                f"{prefix}missed": float((~speaks[road.speech]).mean()),
                f"{prefix}taken": float(speaks[road.pause].mean()),
                f"{prefix}open": float((jaw[road.pause] > OPEN).mean()),
                f"{prefix}r": float(np.corrcoef(jaw[road.speech], wanted)[0, 1]),
                f"{prefix}visemes": float((seen == right).mean()),
            }
        if name != "none":
            row |= {"snr_db": snr_db(sound, road.sound), "denoised_snr_db": snr_db(clean, road.sound)}
        row["open_without"] = float((as_voice(sound)[road.pause, JAW] > OPEN).mean())
        found[f"{name} {ratio}"] = row
    return found


def table(rows: dict[object, dict[str, float]], columns: list[str]) -> str:
    """Markdown."""
    lines = ["| | " + " | ".join(columns) + " |", "|" + "---|" * (len(columns) + 1)]
    for name, row in rows.items():
        lines.append(f"| {name} | " + " | ".join(f"{row.get(c, np.nan):.3f}" for c in columns) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("work/align.json"), help="alignments of the recordings")
    parser.add_argument("--clips", type=int, default=100, help="of recorded speech, at most")
    arguments = parser.parse_args()
    clips = recorded(arguments.data, arguments.cache, arguments.clips).clips
    figures = {"lookahead": by_lookahead(Marks(clips))}
    columns = ["visemes", "closure", "vowels_open", "shut_wrongly", "contact", "r", "lag_ms"]
    known = [c for c in columns if c in figures["lookahead"][0]]
    print(table(figures["lookahead"], known), flush=True)
    road = track(clips[:TRACK_CLIPS])
    figures["noise"] = under_noise(road, kinds(arguments.data))
    print(table(figures["noise"], list(list(figures["noise"].values())[-1])))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
