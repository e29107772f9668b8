"""Moments as an .mp4: H.264 pictures and AAC sound on one clock (needs PyAV, extra `media`)."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from npc_engine.moments import SAMPLE_RATE, TICK_MS, TICK_SAMPLES, Moment, Sound

TICKS_PER_S = 1000 // TICK_MS


class VideoWriter:
    """Writes moments as they come; a tick without a picture holds the last one.

    Picture times are ticks and sound times are samples since the line began, so the two tracks start together.
    """

    def __init__(self, path: Path, *, size: int, every: int) -> None:
        self._out = av.open(str(path), "w", options={"movflags": "faststart"})
        self._video = self._out.add_stream("libx264", rate=Fraction(TICKS_PER_S, every))
        self._video.width = self._video.height = size - size % 2  # 4:2:0 wants even edges
        self._video.pix_fmt = "yuv420p"
        self._video.options = {"crf": "18", "preset": "veryfast"}
        self._sound = self._out.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        self._sound.bit_rate = 96_000
        self._every = every
        self._ticks = 0

    def add(self, moment: Moment) -> None:
        """Encode one tick."""
        if moment.picture is not None:
            edge = self._video.width
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(moment.picture.pixels[:edge, :edge, :3]), "rgb24")
            frame.pts = moment.picture.tick // self._every
            frame.time_base = Fraction(self._every, TICKS_PER_S)
            self._out.mux(self._video.encode(frame))
        self._mux_sound(moment.sound, self._ticks * TICK_SAMPLES)
        self._ticks += 1

    def _mux_sound(self, sound: Sound, start: int) -> None:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[None, :], np.float32), "fltp", "mono")
        frame.sample_rate = SAMPLE_RATE
        frame.pts = start
        frame.time_base = Fraction(1, SAMPLE_RATE)
        self._out.mux(self._sound.encode(frame))

    def close(self) -> None:
        """Flush both encoders and finish the file."""
        if self._ticks:
            self._out.mux(self._video.encode(None))
            self._out.mux(self._sound.encode(None))
        self._out.close()
