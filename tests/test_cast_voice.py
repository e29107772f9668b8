"""Around any engine: pauses as asked, volume from word to word, marks at their samples, nothing lost between takes."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from npc_engine.cast import VoiceSpec
from npc_engine.moments import SAMPLE_RATE, Line, Phone
from npc_engine.speech.engine import LEAD, TAIL, Take, WordTime
from npc_engine.speech.errors import SpeechError
from npc_engine.speech.voice import CastVoice

MS = SAMPLE_RATE // 1000
BAD_IPA = '<speak>One. <phoneme alphabet="ipa" ph="t你">tee</phoneme></speak>'
WORD = 100 * MS


class SquareEngine:
    """Says each word as 100 ms of constant 0.1, in takes of `grain` samples; can't say ß."""

    slow = False
    key = "square"

    def __init__(self, grain: int = 3_000) -> None:
        self.grain = grain
        self.spoken: list[str] = []

    def check(self, text):
        if "ß" in text:
            raise SpeechError("can't speak 'ß'")

    def speak(self, phrase):
        self.spoken.append(phrase.text)
        count = len(phrase.words)
        whole = np.zeros(LEAD + count * WORD + TAIL, np.float32)
        whole[LEAD : LEAD + count * WORD] = 0.1
        end = LEAD + count * WORD
        words = [WordTime(i, LEAD + i * WORD, LEAD + (i + 1) * WORD) for i in range(count)]
        phones = [Phone("sil", 0, LEAD), Phone("a", LEAD, end), Phone("sil", end, len(whole))]
        for start in range(0, len(whole), self.grain):
            stop = min(start + self.grain, len(whole))
            yield Take(
                whole[start:stop],
                tuple(p for p in phones if start <= p.start < stop),
                tuple(w for w in words if start <= w.start < stop),
                last=stop == len(whole),
                tail=TAIL if stop == len(whole) else 0,
            )


def told(text, *, grain=10_000, more=None, gain_db=0.0):
    voice = CastVoice(SquareEngine(grain), VoiceSpec("hibari", gain_db=gain_db), "square")
    chunks = list(voice.speak(Line("l", "square", text, more=more)))
    at = 0
    for chunk in chunks:
        assert chunk.start == at, "chunks follow one another"
        at += len(chunk.samples)
    sound = np.concatenate([c.samples for c in chunks])
    return sound, [w for c in chunks for w in c.words], [m for c in chunks for m in c.marks], chunks


def silences(sound):
    """Lengths of silence before, between and after what sounds, in ms."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.abs(sound) > 0.01, [0]]).astype(int)))
    lengths = np.diff(np.concatenate([[0], edges, [len(sound)]]))
    return [round(n / MS) for n in lengths[::2]]


def test_sentences_keep_the_natural_pause_and_words_their_places():
    sound, words, _, _ = told("One two. Three!")
    assert silences(sound) == [80, 250, 170]
    assert [w.text for w in words] == ["One", "two", "Three"]
    assert [("One two. Three!"[w.first : w.last]) for w in words] == ["One", "two", "Three"]
    assert all(sound[w.start] == pytest.approx(0.1) and sound[w.end - 1] == pytest.approx(0.1) for w in words)


@pytest.mark.parametrize("ms", [0, 60, 300, 2_500])
@pytest.mark.parametrize("grain", [1_777, 10_000, 100_000])
def test_a_break_takes_the_place_of_the_pause(ms, grain):
    sound, words, _, chunks = told(f'<speak>One.<break time="{ms}ms"/>Two.</speak>', grain=grain)
    assert silences(sound)[1] == pytest.approx(max(ms, 80), abs=1), "no pause is shorter than the mouth needs to open"
    assert words[1].start - words[0].end == pytest.approx(max(ms, 80) * MS, abs=MS)
    assert max(len(c.samples) for c in chunks) <= max(grain, SAMPLE_RATE), "a long pause can be cut"


def test_a_break_at_the_start_is_silence_before():
    sound, _, _, _ = told('<speak><break time="500ms"/>One.</speak>')
    assert silences(sound)[0] == 580


@pytest.mark.parametrize("grain", [900, 1_777, 10_000])
def test_volume_changes_where_the_word_begins(grain):
    sound, words, _, _ = told('<speak>One <prosody volume="+6dB">two</prosody> three.</speak>', grain=grain)
    levels = [float(np.median(sound[w.start + 20 * MS : w.end])) for w in words]
    assert levels == pytest.approx([0.1, 0.1 * 10 ** (6 / 20), 0.1], rel=1e-3)
    steps = np.abs(np.diff(sound[words[0].start + MS : words[-1].end - MS]))
    assert steps.max() < 0.001, "no click"


def test_gain_is_the_voices_and_loud_sound_is_bent_not_clipped():
    assert told("One.", gain_db=6)[0].max() == pytest.approx(0.1 * 10 ** (6 / 20), rel=1e-3)
    loud = told("One.", gain_db=24)[0]
    assert 0.8 < loud.max() < 1


@pytest.mark.parametrize("grain", [1_000, 100_000])
def test_marks_stand_where_their_words_begin_or_the_phrase_ends(grain):
    text = '<speak><mark name="a"/>One <mark name="b"/>two<mark name="c"/>.<break time="1s"/><mark name="d"/></speak>'
    sound, words, marks, _ = told(text, grain=grain)
    at = {m.name: m.start for m in marks}
    assert list(at) == ["a", "b", "c", "d"]
    assert (at["a"], at["b"]) == (words[0].start, words[1].start)
    assert at["c"] == pytest.approx(words[1].end, abs=MS)
    assert at["d"] == len(sound)


def test_what_cannot_be_spoken_is_told_before_any_sound():
    engine = SquareEngine()
    voice = CastVoice(engine, VoiceSpec("hibari"), "square")
    for text, reason in (
        ("Good. Groß.", "can't speak"),
        ("  ...", "nothing to speak"),
        ("<speak>One.", "line 1"),
        (BAD_IPA, "no symbol"),
    ):
        with pytest.raises(SpeechError, match=reason):
            next(iter(voice.speak(Line("l", "square", text))))
    assert engine.spoken == []


def test_open_text_is_spoken_as_it_comes_and_a_fault_comes_in_its_place():
    engine = SquareEngine()
    voice = CastVoice(engine, VoiceSpec("hibari"), "square")

    def pieces():
        yield " Second one here."
        yield " Third"
        assert any("Second" in text for text in engine.spoken), "spoken before the text is complete"
        yield " groß and more. "
        yield "End."

    words = []
    with pytest.raises(SpeechError, match="ß"):  # noqa: PT012 - what came before counts
        for chunk in voice.speak(Line("l", "square", "First one here.", more=pieces())):
            words += [w.text for w in chunk.words]
    assert words == ["First", "one", "here", "Second", "one", "here"]


def test_grain_changes_nothing():
    text = '<speak>One <prosody volume="loud">two</prosody>. <mark name="m"/>Three.<break time="40ms"/>Five</speak>'
    sounds = [told(text, grain=grain) for grain in (500, 2_345, 50_000)]
    for (a, words_a, marks_a, _), (b, words_b, marks_b, _) in pairwise(sounds):
        assert np.array_equal(a, b)
        assert words_a == words_b
        assert marks_a == marks_b


def test_phones_stay_inside_the_line():
    sound, _, _, chunks = told('<speak>One.<break time="10ms"/>Two.<break time="900ms"/>Three.</speak>', grain=700)
    phones = [p for c in chunks for p in c.phones]
    assert all(a.start < a.end <= b.start for a, b in pairwise(phones))
    assert phones[-1].end <= len(sound)
    assert replace(phones[0], start=0) == phones[0]
