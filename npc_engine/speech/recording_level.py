"""How loud sound files are, by FFmpeg's EBU R128 meter, as they stream. Needs the extra `media`."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np

from npc_engine.moments import SAMPLE_RATE
from npc_engine.speech.errors import SpeechError
from npc_engine.speech.recording_file import pieces

LEVEL: Final = -20.0
"""LUFS, at which every voice speaks."""

_SILENT: Final = -69.0  # LUFS; the meter counts nothing below -70
_KEY: Final = "lavfi.r128.I"


def loudness(paths: Iterable[Path]) -> float:
    """Integrated loudness in LUFS of sound files, one after the other (EBU R128).

    Raises `SpeechError` for a file that can't be played, for silence, and without the package av.
    """
    try:
        import av
        from av.filter import Graph
    except ImportError as error:
        raise SpeechError(
            "loudness is measured by the package av: pip install 'npc-engine[media]', or give the gain yourself"
        ) from error
    if not hasattr(av.AudioFrame, "metadata"):
        raise SpeechError(
            f"loudness is measured by av 18 or newer, which needs Python 3.11, and av {av.__version__} is here: give"
            " the gain yourself"
        )
    graph = Graph()
    source = graph.add_abuffer(sample_rate=SAMPLE_RATE, format="flt", layout="mono", time_base=Fraction(1, SAMPLE_RATE))
    meter = graph.add("ebur128", "metadata=1")
    sink = graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    named = list(paths)
    told = -np.inf
    at = 0
    for path in named:
        for piece in pieces(path):
            if not len(piece):
                continue
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece)[None], format="flt", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, at, Fraction(1, SAMPLE_RATE)
            at += len(piece)
            graph.push(frame)
            told = _pulled(graph, av, told)
    graph.push(None)
    told = _pulled(graph, av, told)
    if told < _SILENT:
        raise SpeechError(f"{', '.join(map(str, named))}: silent, or shorter than 0.4 s: no loudness to measure")
    return float(told)


def _pulled(graph: Any, av: Any, told: float) -> float:
    while True:
        try:
            frame = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return told
        told = float(frame.metadata.get(_KEY, told))


def levelling_gain(paths: Iterable[Path]) -> float:
    """The `gain_db` that brings sound files, taken together, to -20 LUFS: a whisper among them stays one."""
    return LEVEL - loudness(paths)
