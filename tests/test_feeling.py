"""Emotions and styles: what the mapping says, and that real voices do it: pitch, tempo and energy, measured."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from listening import heights, level_db

from npc_engine.cast import Cast
from npc_engine.moments import EMOTIONS, SAMPLE_RATE, STYLES, Line
from npc_engine.speech.feeling import feeling
from npc_engine.speech.load import VoiceEngines
from npc_engine.text.phrases import PLAIN

ROOT = Path(__file__).parents[1]
TEXTS = (
    "The old bridge is broken, so take the path along the river.",
    "They say a dragon sleeps under the hill, but I have never seen it.",
)
MOVING = [e for e in EMOTIONS if e != "neutral"]


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_no_strength_is_neutral_exactly(emotion):
    assert feeling(emotion, 0.0, "") == PLAIN
    assert feeling("neutral", 1.0, "lively") == PLAIN


@given(st.sampled_from(MOVING), st.floats(0, 1), st.floats(0, 1), st.sampled_from(["", *STYLES]))
def test_more_strength_moves_every_factor_further_the_same_way(emotion, a, b, style):
    own = feeling("neutral", 1, style)
    less, more = (feeling(emotion, s, style) for s in sorted((a, b)))
    for name in ("rate", "pitch", "range", "pause"):
        nearer, further = (np.log(getattr(p, name) / getattr(own, name)) for p in (less, more))
        assert abs(nearer) <= abs(further) + 1e-12
        assert nearer * further >= 0
    assert abs(less.volume_db - own.volume_db) <= abs(more.volume_db - own.volume_db) + 1e-12


def test_all_together_stays_within_what_sounds_natural():
    for emotion in EMOTIONS:
        for style in STYLES:
            prosody = feeling(emotion, 1.0, style)
            assert 0.85 <= prosody.pitch <= 1.17, (emotion, style)
            assert 0.8 <= prosody.rate <= 1.25, (emotion, style)


@pytest.mark.parametrize(
    ("emotion", "strength", "style", "message"),
    [
        ("angri", 1, "", "unknown emotion 'angri', did you mean 'angry'?; known: neutral, happy, sad, angry,"),
        ("sad", 1, "cartoony", "unknown style 'cartoony', did you mean 'cartoon'?; known: serious, lively, cartoon"),
        ("sad", 1.5, "", "strength is 1.5, expected 0 to 1"),
    ],
)
def test_what_is_unknown_is_named_with_the_nearest(emotion, strength, style, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        feeling(emotion, strength, style)
    assert str(caught.value).startswith(message)


@pytest.fixture(scope="module")
def measured():
    """(voice, emotion) → median f0 in Hz, spread of its log, seconds of speech, level in dB."""
    cast, engines, found = Cast((ROOT,)), VoiceEngines(), {}
    for name in ("woman", "man"):
        spec, folder = cast.voice(name)
        voice = engines.voice(spec, name, folder)
        for emotion in EMOTIONS:
            sounds, lengths = [], 0
            for text in TEXTS:
                chunks = list(voice.speak(Line("1", "npc", text, emotion=emotion)))
                whole = np.concatenate([c.samples for c in chunks])
                words = [w for c in chunks for w in c.words]
                sounds.append(whole[words[0].start : words[-1].end])
                lengths += words[-1].end - words[0].start
            hertz = np.concatenate([heights(s) for s in sounds])
            low, high = np.percentile(np.log(hertz), [15, 85])
            found[name, emotion] = (
                np.median(hertz),
                high - low,
                lengths / SAMPLE_RATE,
                level_db(np.concatenate(sounds)),
            )
    return found


@pytest.mark.parametrize("emotion", MOVING)
@pytest.mark.parametrize("name", ["woman", "man"])
def test_a_voice_moves_as_the_mapping_says(measured, name, emotion):
    asked = feeling(emotion, 1.0, "")
    height, spread, length, level = measured[name, emotion]
    own_height, own_spread, own_length, own_level = measured[name, "neutral"]
    assert height / own_height == pytest.approx(asked.pitch, rel=0.06)
    assert own_length / length == pytest.approx(asked.rate, rel=0.07)  # pauses inside move by more
    assert level - own_level == pytest.approx(asked.volume_db, abs=1.2)
    if abs(np.log(asked.range)) > 0.2:
        assert (spread - own_spread) * np.log(asked.range) > 0


def test_a_style_is_heard_and_strength_is_between(measured):
    cast = Cast((ROOT,))
    spec, folder = cast.voice("woman")
    voice = VoiceEngines().voice(spec, "woman", folder)

    def length(**manner):
        return sum(len(c.samples) for c in voice.speak(Line("1", "npc", TEXTS[0], **manner)))

    assert length(style="serious") > length() > length(style="cartoon")
    assert length(emotion="sad") > length(emotion="sad", strength=0.5) > length()
    assert length(emotion="sad", strength=0.0) == length(style="lively") == length()
    assert measured
