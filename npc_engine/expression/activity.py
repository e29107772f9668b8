"""Where somebody speaks in live sound, by the network's own ear: a mouth that closes in pauses and stays shut in noise.

A voice's pauses are silent, and a clause of it never ends in one. Live sound has noise in its pauses, and in them the
network, which was taught on speech whose pauses are short, holds the jaw ready for what it expects. How sure it is of
silence is measured beside other detectors in docs/live.md.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from npc_engine.expression.life import PAUSE_AFTER, PAUSE_LEAVES, PAUSE_WHOLE
from npc_engine.expression.window import VISEMES

F32 = npt.NDArray[np.float32]

# P of silence in a tick under which speech surely begins; under which it does if it is louder than the noise, too; and
# over which it may have ended. More than one, so that it does not flicker
SURELY, BEGINS, ENDS = 0.10, 0.25, 0.35
RISES_DB: Final = 6.0  # of speech that begins, above the noise
FALLS, GROWS_DB = (
    0.3,
    0.06,
)  # share of the way down that its level goes in a tick; how far up: 3 dB a second
HANGS: Final = 3  # ticks that speech goes on beyond its last one: stops between vowels, and words that die away
OPENS, CLOSES = 0.34, 0.25  # change of a mouth's freedom in a tick: free within 60 ms, shut within 80

_SIL: Final = VISEMES.index("sil")


class LivePauses:
    """What `Pauses` is to a voice, for a line of live sound: it goes by the network's P of silence, in noise too.

    Any cutting gives the same.
    """

    def __init__(self) -> None:
        self._speaks = False
        self._silent = PAUSE_WHOLE  # ticks since speech was heard
        self._pause = 1.0
        self._free = 0.0
        self._noise_db: float | None = None

    def step(self, likely: F32, loudness: F32) -> tuple[F32, F32, F32]:
        """As of `Pauses`: pause, stillness, and loudness f32[n] without that of pauses, which is noise."""
        pause, still = np.zeros(len(loudness), np.float32), np.zeros(len(loudness), np.float32)
        levels = (20 * np.log10(np.maximum(loudness, 1e-5))).tolist()
        for i, (p, db) in enumerate(zip(likely[:, 0, _SIL].tolist(), levels, strict=True)):
            stands_out = self._stands_out(db)
            heard = p < (ENDS if self._speaks else BEGINS if stands_out else SURELY)
            self._silent = 0 if heard else self._silent + 1
            self._speaks = heard or (self._speaks and self._silent <= HANGS)
            self._free = min(self._free + OPENS, 1.0) if self._speaks else max(self._free - CLOSES, 0.0)
            long = min(max((self._silent - PAUSE_AFTER) / (PAUSE_WHOLE - PAUSE_AFTER), 0.0), 1.0)
            self._pause = max(long * long * (3 - 2 * long), self._pause - PAUSE_LEAVES)
            pause[i], still[i] = self._pause, 1 - self._free
        return pause, still, loudness * (1 - still)

    def _stands_out(self, db: float) -> bool:
        """Whether a tick is louder than the noise, which is as loud as the quietest of what was heard of late."""
        noise = db if self._noise_db is None else self._noise_db
        self._noise_db = noise + FALLS * (db - noise) if db < noise else noise + GROWS_DB
        return db > self._noise_db + RISES_DB
