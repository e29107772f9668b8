"""The sound clock: positions that face and subtitles can trust, with a device, without one and on a film's track."""

import numpy as np
import pygame
import pytest
import village  # noqa: F401 - chooses the dummy drivers

from demo_game.sound import BUFFER, FADE_MS, MixerSpeaker, NoSoundError, SilentSpeaker, TapeSpeaker
from demo_game.tape import TapedSpeaker
from npc_engine.moments import SAMPLE_RATE


def ramp(start, count):
    return ((np.arange(start, start + count) % 20_000) / 20_000).astype(np.float32)


@pytest.fixture
def mixer():
    pygame.mixer.quit()
    yield MixerSpeaker()
    pygame.mixer.quit()


def test_the_mixers_position_keeps_pace_with_the_device(mixer):
    """The dummy device plays in real time, so a second of sound must be heard in about a second."""
    clock = pygame.time.Clock()
    mixer.begin(0.0)
    put, now, seen = 0, 0.0, []
    began = pygame.time.get_ticks()
    while put < SAMPLE_RATE or not mixer.dry(now):
        now = (pygame.time.get_ticks() - began) / 1000
        while put < SAMPLE_RATE and mixer.room(now):
            mixer.put(np.zeros(8 * BUFFER, np.float32), now)
            put += 8 * BUFFER
        seen.append((now, mixer.heard(now)))
        assert now < 5
        clock.tick(60)
    positions = [heard for _, heard in seen]
    assert positions == sorted(positions)
    late = [now * SAMPLE_RATE - heard for now, heard in seen if heard]
    assert np.median(late) < 0.12 * SAMPLE_RATE


def test_the_mixers_position_stands_still_when_it_runs_dry(mixer):
    mixer.begin(0.0)
    mixer.put(np.zeros(2 * BUFFER, np.float32), 0.0)
    pygame.time.wait(150)
    assert mixer.dry(1.0)
    assert mixer.heard(1.0) == mixer.heard(5.0) == BUFFER
    mixer.put(np.zeros(8 * BUFFER, np.float32), 6.0)
    assert mixer.heard(6.0) == BUFFER
    assert mixer.heard(6.1) == pytest.approx(BUFFER + 2400, abs=2)


def test_no_sound_device_is_said_and_not_guessed(monkeypatch):
    monkeypatch.setenv("SDL_AUDIODRIVER", "none-such")
    pygame.mixer.quit()
    with pytest.raises(NoSoundError, match="no sound device"):
        MixerSpeaker()


def test_a_cut_position_goes_on_by_the_clock(mixer):
    mixer.begin(0.0)
    mixer.put(np.zeros(8 * BUFFER, np.float32), 0.0)
    heard = mixer.heard(0.1)
    mixer.cut(0.1)
    assert mixer.room(0.1) == 0
    assert mixer.heard(0.3) - heard == pytest.approx(0.2 * SAMPLE_RATE, abs=2 * BUFFER)
    mixer.begin(0.4)
    assert mixer.heard(0.4) == 0
    assert mixer.room(0.4) > 0


def test_without_a_device_the_clock_counts_only_what_was_handed_over():
    speaker = SilentSpeaker()
    speaker.begin(5.0)
    assert speaker.heard(6.0) == 0
    speaker.put(np.zeros(2400, np.float32), 6.0)
    assert speaker.heard(6.05) == pytest.approx(1200, abs=1)
    assert speaker.heard(7.0) == 2400
    assert speaker.dry(7.0)
    speaker.put(np.zeros(2400, np.float32), 7.0)
    assert speaker.heard(7.05) == pytest.approx(3600, abs=2)
    speaker.cut(7.05)
    assert speaker.room(7.05) == 0
    assert speaker.heard(7.15) == pytest.approx(6000, abs=2)


def test_a_films_track_takes_what_is_due_and_no_more():
    speaker = TapeSpeaker()
    speaker.begin(0.0)
    speaker.due = 960
    speaker.put(np.ones(960, np.float32), 0.0)
    assert speaker.room(0.0) == 0
    assert speaker.heard(0.0) == 960


def test_the_track_of_a_live_game_is_the_line_as_it_was_heard():
    speaker = TapedSpeaker(SilentSpeaker())
    speaker.begin(0.0)
    assert not speaker.take(960, 0.0).any()
    speaker.put(ramp(0, 4800), 1.0)
    track = np.concatenate([speaker.take(960, 1.0 + (n + 1) * 0.04) for n in range(6)])
    first = int(np.flatnonzero(track)[0]) - 1 if track[0] == 0 else 0
    heard = track[track > 0]
    assert np.allclose(np.diff(heard), 1 / 20_000, atol=1e-6), "no sample is lost or doubled"
    assert first < 960


def test_a_cut_fades_on_the_track():
    speaker = TapedSpeaker(SilentSpeaker())
    speaker.begin(0.0)
    speaker.put(np.ones(12_000, np.float32), 0.0)
    speaker.take(960, 0.02)
    speaker.cut(0.06)
    after = np.concatenate([speaker.take(960, 0.06 + n * 0.04) for n in range(3)])
    fade = SAMPLE_RATE * FADE_MS // 1000
    assert after[0] > 0.9
    assert np.all(np.diff(after[:fade]) <= 0)
    assert not after[fade:].any()
