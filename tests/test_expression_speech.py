"""The shipped network on speech that it was never trained on: lips close and open where they must."""

import numpy as np
import pytest

from npc_engine.cast import VoiceSpec
from npc_engine.expression.aperture import aperture
from npc_engine.expression.audio2exp import Audio2Exp
from npc_engine.moments import Line, SpeechChunk
from npc_engine.speech.hibari import HibariEngine
from npc_engine.speech.hibari_model import HibariModel
from npc_engine.speech.voice import CastVoice
from training.metrics import Lips, match, open_level
from training.teacher import teach

LINES = (
    "My brother put five big maps above the old pool before Friday.",
    "Mind the step, and keep both paws off my apple pie!",
    "Nobody remembers the bridge, but the bakers may help you tomorrow.",
    "Please bring me a bucket of warm water and some bread.",
    "A simple lamp burns brighter than a hundred empty promises.",
    "Have you ever climbed the mountain behind our village?",
    "Buy a map from the boatman, or jump over the broken bumper.",
    "The blacksmith hammered his copper pots until the moon came up.",
)
VOICES = (VoiceSpec("hibari"), VoiceSpec("hibari", pitch=0.8), VoiceSpec("hibari", pitch=1.15, speed=1.1))


@pytest.fixture(scope="module")
def spoken() -> list[list[SpeechChunk]]:
    model = HibariModel()
    return [
        list(CastVoice(HibariEngine(model, spec, "test"), spec, "test").speak(Line(f"l{i}", "n", text)))
        for spec in VOICES
        for i, text in enumerate(LINES)
    ]


@pytest.mark.parametrize("lookahead", [0, 60, 120])
def test_lips_close_and_open(spoken: list[list[SpeechChunk]], lookahead: int, capsys) -> None:
    engine = Audio2Exp(lookahead_ms=lookahead)
    sounds = [np.concatenate([c.samples for c in chunks]) for chunks in spoken]
    phones = [tuple(p for c in chunks for p in c.phones) for chunks in spoken]
    truths = [aperture(teach(sound, said).exp) for sound, said in zip(sounds, phones, strict=True)]
    curves = [
        aperture(np.stack([e.exp for e in engine.express(chunks)]))[: len(truth)]
        for chunks, truth in zip(spoken, truths, strict=True)
    ]
    lips = Lips(open_level(truths, phones))
    for i, (curve, said, truth) in enumerate(zip(curves, phones, truths, strict=True)):
        lips.add(i, curve, said, truth)
    figures = {**lips.figures(), **match([np.maximum(c, 0) for c in curves], [np.maximum(t, 0) for t in truths])}
    with capsys.disabled():
        print(f"\nlook-ahead {lookahead}: {figures}")
    assert lips.bilabials > 100
    assert figures["closure"] >= 0.80
    assert figures["vowels_open"] >= 0.85
    assert figures["shut_wrongly"] <= 0.12
    assert abs(figures["lag_ms"]) <= 20
