"""How a character's face moves, as npcs.toml says it."""

from __future__ import annotations

from dataclasses import dataclass

from npc_engine.cast import INTENSITY, SMOOTHING
from npc_engine.expression.limits import DEFAULT_SMOOTHING
from npc_engine.expression.style import gains


@dataclass(frozen=True, slots=True)
class Settings:
    """What is a character's own in how its face moves; ValueError says what is not as expected."""

    style: str = "lively"  # of lines that name none
    intensity: float = 1.0  # 0..2, factor on all that shapes speech
    smoothing: float = DEFAULT_SMOOTHING  # 0 (none) .. 1 (most)

    def __post_init__(self) -> None:
        gains(self.style)
        for name, (low, high) in (("intensity", INTENSITY), ("smoothing", SMOOTHING)):
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} is {getattr(self, name)}, expected {low} to {high}")
