"""A line on one picture: frames side by side, spectrogram and curves under them (needs matplotlib, extra `media`).

Where nothing is said, angles stand in place of the spectrogram.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from npc_engine.moments import ANGLES, CHANNEL, EXP50, SAMPLE_RATE, TICK_MS, Moment, Picture

CURVES = (
    "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthStretchLeft", "mouthRollLower", "mouthUpperUpLeft",
    "browInnerUp", "eyeBlinkLeft", "headYaw",
)  # fmt: skip
SILENT_CURVES = (
    "eyeBlinkLeft", "eyeBlinkRight", "eyeSquintLeft", "browInnerUp", "browOuterUpLeft", "browDownLeft",
    "mouthPressLeft", "mouthSmileLeft", "mouthFrownLeft", "mouthLeft",
)  # fmt: skip
FRAMES = 12
HOLD_S = 60.0  # seconds of a long line that are drawn; pictures are kept at one in ten ticks until then


class SheetWriter:
    """Keeps the first minute of a line and draws it when closed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._moments: list[Moment] = []
        self._pictures: list[Picture] = []

    def add(self, moment: Moment) -> None:
        """Take one tick."""
        if moment.tick * TICK_MS / 1000 >= HOLD_S:
            return
        self._moments.append(Moment(moment.line, moment.tick, moment.sound, moment.exp, None, moment.words))
        if moment.picture is not None:
            small = moment.picture.pixels[::2, ::2]  # half size is plenty on a sheet
            self._pictures.append(Picture(moment.picture.tick, small.copy()))

    def close(self) -> None:
        """Draw the sheet."""
        if not self._moments:
            return
        seconds = len(self._moments) * TICK_MS / 1000
        figure = Figure(figsize=(18, 9), layout="constrained")
        rows = figure.add_gridspec(3, 1, height_ratios=(0.9, 1.2, 1.8))
        self._draw_frames(figure, rows[0])
        time = (np.arange(len(self._moments)) + 0.5) * TICK_MS / 1000
        line = self._moments[0].line
        exp = np.stack([m.exp for m in self._moments])
        above = figure.add_subplot(rows[1])
        if line.attitude:
            for name in EXP50[ANGLES:]:
                above.plot(time, np.degrees(exp[:, CHANNEL[name]]), label=name, lw=1.3)
            above.set(ylabel="degrees")
            above.grid(alpha=0.3)
            above.legend(ncol=5, loc="upper right", fontsize=8)
        else:
            self._draw_sound(above, seconds)
        curves = figure.add_subplot(rows[2], sharex=above)
        for name in SILENT_CURVES if line.attitude else CURVES:
            curves.plot(time, exp[:, CHANNEL[name]], label=name, lw=1.3)
        curves.set(xlim=(0, seconds), ylim=(-0.25, 1.05), xlabel="seconds", ylabel="coefficient")
        curves.grid(alpha=0.3)
        curves.legend(ncol=len(CURVES) // 2, loc="upper right", fontsize=8)
        figure.suptitle(f"{line.npc}: {line.attitude or line.text[:160]}")
        figure.savefig(self._path, dpi=100)

    def _draw_sound(self, axes: Any, seconds: float) -> None:
        """The spectrogram, and the words where they begin."""
        sound = np.concatenate([m.sound for m in self._moments])
        axes.specgram(sound + 1e-7, NFFT=600, noverlap=480, Fs=SAMPLE_RATE, cmap="magma", vmin=-140, vmax=-40)
        axes.set(xlim=(0, seconds), ylim=(0, 8000), ylabel="Hz")
        for word in (w for m in self._moments for w in m.words):
            axes.axvline(word.start / SAMPLE_RATE, color="white", lw=0.6, alpha=0.6)
            axes.text(word.start / SAMPLE_RATE, 7300, " " + word.text, color="white", fontsize=9)

    def _draw_frames(self, figure: Figure, row: object) -> None:
        count = min(FRAMES, len(self._pictures))
        if not count:
            return
        grid = row.subgridspec(1, count, wspace=0.02)  # type: ignore[attr-defined]
        for cell, at in enumerate(np.linspace(0, len(self._pictures) - 1, count).round().astype(int)):
            axes = figure.add_subplot(grid[0, cell])
            axes.imshow(self._pictures[at].pixels)
            axes.set_title(f"{self._pictures[at].tick * TICK_MS / 1000:.2f} s", fontsize=8)
            axes.axis("off")
