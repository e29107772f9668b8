"""What the network says on each tick: a window of estimates around it. The contract between training and runtime."""

from __future__ import annotations

from typing import Final

from npc_engine.moments import VISEMES15

BEHIND: Final = 6  # refined ticks before the current one: 120 ms
AHEAD: Final = 3  # predicted ticks after the current one: 60 ms

# window[t, BEHIND + o] is the estimate for tick t + o, o = -6 .. +3, from sound up to the end of tick t

VISEMES: Final = VISEMES15
"""The Oculus 15, in the order of the network's auxiliary output."""
