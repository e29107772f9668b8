"""What a face does to live sound: it follows speech, closes in pauses, and stays shut in noise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from live_speech import noisy, packets, silence, spoken

from npc_engine.expression.aperture import aperture
from npc_engine.expression.audio2exp import Audio2Exp
from npc_engine.live.voice import LiveVoice
from npc_engine.moments import CHANNEL, TICK_SAMPLES, Line, SpeechChunk

JAW = CHANNEL["jawOpen"]
MOUTHS = {ms: Audio2Exp(live_lookahead_ms=ms) for ms in (-20, 0, 40, 60)}


def live(
    sound: np.ndarray, cuts: list[int] | None = None, *, lookahead_ms: int = 40, emotion: str = "neutral"
) -> np.ndarray:
    """Exp50 f32[ticks, 50] of live sound; the ticks of rest at the end are left out."""
    pieces = packets(sound) if cuts is None else np.split(sound, sorted(cuts))
    line = Line("l", "anna", "", emotion=emotion, live=iter(pieces))
    told = list(MOUTHS[lookahead_ms].express(LiveVoice().speak(line)))
    return np.stack([e.exp for e in told])[: -(-len(sound) // TICK_SAMPLES)]


def offline(sound: np.ndarray) -> np.ndarray:
    told = MOUTHS[40].express([SpeechChunk(Line("l", "anna", "x"), 0, sound)])
    return np.stack([e.exp for e in told])[: len(sound) // TICK_SAMPLES]


@settings(max_examples=8, deadline=None)
@given(cuts=st.lists(st.integers(0, 40_000), max_size=30), emotion=st.sampled_from(["neutral", "happy"]))
def test_any_cutting_gives_the_same_face(cuts: list[int], emotion: str) -> None:
    sound = noisy(np.concatenate([spoken()[:24_000], silence(400), spoken()[:6_400]]), -45)
    cuts = sorted({0, *cuts} - {0})  # an empty piece means that nothing comes, which is no cutting
    assert np.abs(live(sound, cuts, emotion=emotion) - live(sound, [], emotion=emotion)).max() < 1e-4


@pytest.mark.parametrize("lookahead_ms", [0, 40, 60])
def test_a_live_face_does_what_it_does_offline(lookahead_ms: int) -> None:
    found, wanted = live(spoken(), lookahead_ms=lookahead_ms), offline(spoken())
    r = np.corrcoef(found[:, JAW], wanted[:, JAW])[0, 1]
    print(f"\nlook-ahead {lookahead_ms} ms: r of jawOpen {r:.3f}")
    assert r > {0: 0.8, 40: 0.95, 60: 0.97}[lookahead_ms]
    assert aperture(found).max() > 0.25


@pytest.mark.parametrize("level_db", [-90, -55, -40])
def test_the_mouth_closes_in_a_pause_within_a_fifth_of_a_second_and_opens_again(level_db: float) -> None:
    said = spoken()
    sound = noisy(np.concatenate([said, silence(1_000), said]), level_db)
    jaw = live(sound)[:, JAW]
    begins, ends = len(said) // TICK_SAMPLES, len(said) // TICK_SAMPLES + 50
    assert jaw[begins + 10 : ends - 3].max() < 0.03
    assert jaw[:begins].max() > 0.2
    assert jaw[ends:].max() > 0.2
    shut = jaw[begins + 10 : ends - 3]
    assert np.abs(np.diff(shut)).max() < 0.02, "it does not chatter"


@pytest.mark.parametrize("level_db", [-60, -40, -25])
@pytest.mark.parametrize("kind", ["hiss", "hum", "clicks"])
def test_noise_alone_keeps_it_shut(level_db: float, kind: str) -> None:
    t = np.arange(24_000 * 2) / 24_000
    rng = np.random.default_rng(3)
    sound = {
        "hiss": rng.standard_normal(len(t)),
        "hum": sum(np.sin(2 * np.pi * 50 * k * t) / k for k in (1, 2, 3, 5)),
        "clicks": rng.standard_normal(len(t)) * (rng.random(len(t)) > 0.999).repeat(1) * 30,
    }[kind]
    sound = np.clip(sound / np.std(sound) * 10 ** (level_db / 20), -1, 1).astype(np.float32)
    assert live(sound)[:, JAW].max() < 0.03


def test_a_clean_voice_loses_nothing_to_the_pauses_that_it_has_not() -> None:
    found, wanted = live(spoken()), offline(spoken())
    assert aperture(found).clip(0).sum() > 0.9 * aperture(wanted).clip(0).sum()


def test_where_sound_stops_coming_all_that_came_is_shown() -> None:
    pieces = packets(spoken())
    line = Line("l", "anna", "", live=iter([*pieces[:10], pieces[0][:0], *pieces[10:20]]))
    came = []

    def heard() -> object:
        for chunk in LiveVoice().speak(line):
            came.append((chunk.start + len(chunk.samples)) // TICK_SAMPLES)
            yield chunk

    told = MOUTHS[40].express(heard())
    by = [(came[-1], expression.tick) for expression in told]
    at_gap = [tick for ticks, tick in by if ticks == 10]
    assert max(at_gap) == 9, "the gap lets the last two ticks go"
    assert [tick for _, tick in by] == list(range(26))


def test_no_look_ahead_beyond_the_window_is_taken() -> None:
    with pytest.raises(ValueError, match="live_lookahead_ms is 140, expected -60 to 120 in steps of 20"):
        Audio2Exp(live_lookahead_ms=140)
