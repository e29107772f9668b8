"""What a turn of the head can't show is not drawn, and nobody sees the difference."""

from __future__ import annotations

from types import MethodType

import numpy as np
import pytest
from coefficients import exp

from npc_engine.frames.head.face import Head
from npc_engine.frames.head.figure import RANGES
from npc_engine.head_spec import HeadSpec
from npc_engine.moments import NEUTRAL

SIZE = 256
POSES = [
    exp(jawOpen=0.6, headYaw=0.09, headPitch=-0.05, headRoll=0.05),
    exp(mouthSmile=0.7, headYaw=-0.08, headPitch=0.06),
    exp(tongueOut=0.5, jawOpen=0.5, browInnerUp=0.6, headRoll=-0.04, headYaw=0.04),
    exp(mouthLeft=0.6, jawOpen=0.4, headYaw=0.25, headPitch=0.2, headRoll=-0.15),
    exp(eyeBlink=1, headYaw=-0.2, headPitch=-0.18, headRoll=0.12),
]


def everything(spec: HeadSpec) -> Head:
    """The same head, of which every triangle is drawn."""
    head = Head(spec)
    whole = head.figure.portion(9, 9, 9)
    head.figure.portion = MethodType(lambda _self, *_angles: whole, head.figure)
    return head


@pytest.mark.parametrize("style", ["none", "bob", "ponytail"])
def test_what_is_left_out_is_not_missed(style) -> None:
    spec = HeadSpec(hair=style, yaw=20, clothes="tunic")
    head, whole = Head(spec), everything(spec)
    for e in POSES:
        changed = np.abs(head.render(e, SIZE).astype(int) - whole.render(e, SIZE)).max(2) > 8
        assert changed.mean() < 5e-4


def test_much_is_left_out() -> None:
    figure = Head(HeadSpec(hair="long")).figure
    seldom, usual = figure.portion(9, 9, 9), figure.portion(0, 0, 0)
    assert len(usual.fronts) < 0.85 * len(seldom.fronts)
    assert len(usual.locks.solid) + len(usual.locks.frayed) < 0.5 * (len(seldom.locks.solid) + len(seldom.locks.frayed))


def test_each_range_of_turns_is_cut_out_once() -> None:
    figure = Head(HeadSpec(hair="short")).figure
    usual = figure.portion(0, 0, 0)
    assert figure.portion(0.5 * RANGES[0].pitch, -RANGES[0].yaw, 0) is usual
    far = figure.portion(0, RANGES[1].yaw, 0)
    assert far is not usual
    assert figure.portion(0, 0.9 * RANGES[1].yaw, 0) is far


@pytest.mark.parametrize("size", [32, 96, 511, 512])
def test_a_still_face_is_still_at_any_size(size) -> None:
    head = Head(HeadSpec(hair="long", zoom=1.3))
    first = head.render(NEUTRAL, size)
    assert first.shape == (size, size, 3)
    assert np.array_equal(first, head.render(NEUTRAL, size))


def test_clothes_do_not_flicker_where_the_drawn_window_ends() -> None:
    head = Head(HeadSpec(hair="short", clothes="cloak", background="white"))
    still = head.render(NEUTRAL, SIZE).astype(int)
    for yaw in (0.01, 0.03, 0.06):
        changed = np.abs(head.render(exp(headYaw=yaw), SIZE) - still).max(2)
        assert changed[-20:, :40].max() == 0
        assert changed[-20:, -40:].max() == 0
