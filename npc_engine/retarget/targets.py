"""What the 50 coefficients can leave as, by the names that commands and files use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from npc_engine.moments import ARKIT52, EXP50
from npc_engine.retarget.arkit import arkit52
from npc_engine.retarget.shape import F32, checked
from npc_engine.retarget.visemes import OCULUS15, oculus15
from npc_engine.retarget.vrm import VRM_EXPRESSIONS, vrm


@dataclass(frozen=True, slots=True)
class Target:
    """Names of the channels, and the function that takes exp f32[..., 50] to them, f32[..., len(names)]."""

    names: tuple[str, ...]
    of: Callable[[F32], F32]


TARGETS: Final[dict[str, Target]] = {
    "exp50": Target(EXP50, lambda exp: checked(exp, EXP50, "exp50")),
    "arkit52": Target(ARKIT52, arkit52),
    "visemes15": Target(OCULUS15, oculus15),
    "vrm": Target(VRM_EXPRESSIONS, vrm),
}
