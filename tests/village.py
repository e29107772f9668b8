"""What tests of the demo share: no display, no sound device, and a real server with two tone voices."""

from __future__ import annotations

import os
import time

import numpy as np

os.environ["SDL_VIDEODRIVER"] = os.environ["SDL_AUDIODRIVER"] = "dummy"

from tone import ToneStage

from npc_engine.moments import Moment, Picture

BRIGHT, DARK = 230, 40  # grey of a speaking and of a resting face


class Lamp:
    """A face that is bright while sound is heard and dark at rest."""

    def draw(self, expressions):
        for e in expressions:
            picture = None
            if e.tick % e.line.outputs.picture_every == 0:
                size = e.line.outputs.picture
                picture = Picture(e.tick, np.full((size, size, 3), BRIGHT if e.exp[0] > 0.1 else DARK, np.uint8))
            yield Moment(e.line, e.tick, e.sound, e.exp, picture, e.words, e.marks)


class VillageStage(ToneStage):
    """maren and elder, with tone voices and a lamp for a face."""

    def __init__(self, folder, gate=None):
        super().__init__(folder, gate)
        entries = [
            f'[{npc}]\nvoice = "{voice}"\nface = "disc"\n' for npc, voice in (("maren", "high"), ("elder", "low"))
        ]
        (folder / "npcs.toml").write_text("\n".join(entries), encoding="utf-8")
        self._disc = Lamp()


def until(done, step, seconds=10.0):
    """Call `step` until `done`, in real time."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it took too long"
        step()
        time.sleep(0.004)
