"""Live sound that waits to be said: bounded, ended, closed, late and lacking."""

import threading

import numpy as np
import pytest

from npc_engine.live.source import LiveSource, SoundTimeoutError, TooMuchSoundError
from npc_engine.live.voice import LiveVoice, late_samples
from npc_engine.moments import Line, SpeechChunk

RATE = 16_000


def sound(samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, samples).astype(np.float32)


def said(rate: int, pieces: list[np.ndarray], *, denoise: bool = False) -> list[SpeechChunk]:
    return list(LiveVoice().speak(Line("l", "anna", "", live=iter(pieces), sound_rate=rate, denoise=denoise)))


def test_all_that_was_added_is_read_in_order_and_then_it_ends() -> None:
    source = LiveSource(RATE)
    pieces = [sound(n, n) for n in (320, 1, 0, 4_000, 320)]
    for piece in pieces:
        source.add(piece)
    source.commit()
    assert np.array_equal(np.concatenate(list(source)), np.concatenate(pieces))


def test_what_waits_is_read_a_fifth_of_a_second_at_a_time() -> None:
    source = LiveSource(RATE)
    for _ in range(50):
        source.add(sound(320))
    source.commit()
    assert [len(piece) for piece in source] == [3_200] * 5


def test_more_than_ten_seconds_may_not_wait() -> None:
    source = LiveSource(RATE)
    for _ in range(10):
        source.add(sound(RATE))
    with pytest.raises(TooMuchSoundError, match=r"sound: 10\.1 s would wait, expected at most 10"):
        source.add(sound(1_600))
    assert len(next(iter(source))) == RATE
    source.add(sound(RATE))  # there is room again


def test_sound_after_the_end_is_refused() -> None:
    source = LiveSource(RATE)
    source.commit()
    with pytest.raises(ValueError, match="sound after commit: the line's sound is complete"):
        source.add(sound(320))


def test_a_gap_gives_one_empty_piece_and_the_sound_goes_on_after_it() -> None:
    source = LiveSource(RATE, gap_s=0.01)
    source.add(sound(320))
    reading = iter(source)
    assert len(next(reading)) == 320
    assert len(next(reading)) == 0, "nothing came: what is held back need wait no longer"
    threading.Timer(0.05, source.add, [sound(160)]).start()
    assert len(next(reading)) == 160, "there is one empty piece a gap"
    assert len(next(reading)) == 0
    source.commit()
    assert list(reading) == []


def test_nothing_came_yet_is_no_gap() -> None:
    source = LiveSource(RATE, gap_s=0.0)
    threading.Timer(0.05, source.add, [sound(160)]).start()
    assert len(next(iter(source))) == 160


@pytest.mark.parametrize("before", [0, 320])
def test_sound_that_never_comes_ends_with_an_error(before: int) -> None:
    source = LiveSource(RATE, idle_s=0.05, gap_s=0.01)
    source.add(sound(before))
    got = []
    with pytest.raises(SoundTimeoutError, match=r"neither sound nor commit for 0\.05 s"):
        got.extend(len(piece) for piece in source)
    assert sum(got) == before


def test_closing_wakes_who_waits_and_drops_the_rest() -> None:
    source = LiveSource(RATE)
    threading.Timer(0.02, source.close).start()
    assert list(source) == []


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("denoise", [False, True])
def test_chunks_follow_one_another_and_all_sound_is_in_them_late_by_what_is_told(rate: int, *, denoise: bool) -> None:
    pieces = [sound(rate // 50, k) for k in range(50)]
    chunks = said(rate, pieces, denoise=denoise)
    assert [chunk.start for chunk in chunks] == list(np.cumsum([0, *(len(c.samples) for c in chunks[:-1])]))
    assert not any(chunk.ends_clause for chunk in chunks[:-1])
    assert chunks[-1].ends_clause
    assert sum(len(chunk.samples) for chunk in chunks) == 24_000 + late_samples(rate, denoise=denoise)


def test_sound_of_24_khz_comes_back_as_it_is() -> None:
    pieces = [sound(480, k) for k in range(20)]
    assert np.array_equal(np.concatenate([c.samples for c in said(24_000, pieces)]), np.concatenate(pieces))


def test_an_empty_piece_ends_a_clause_in_the_middle() -> None:
    chunks = said(24_000, [sound(480), sound(0), sound(480)])
    assert [(len(c.samples), c.ends_clause) for c in chunks] == [(480, False), (0, True), (480, False), (0, True)]


def test_no_sound_at_all_is_no_speech() -> None:
    assert said(24_000, []) == []


def test_a_line_without_live_sound_is_refused() -> None:
    with pytest.raises(ValueError, match="line 'l' has no live sound"):
        list(LiveVoice().speak(Line("l", "anna", "Hello.")))
