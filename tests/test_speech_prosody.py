"""hibari's voices do as a phrase's runs say, word by word, and sound like the body that voice.toml describes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from listening import envelopes, formant_factor, heights

from npc_engine.cast import Cast, VoiceSpec
from npc_engine.moments import SAMPLE_RATE, Line
from npc_engine.speech.errors import SpeechError
from npc_engine.speech.ipa import symbols
from npc_engine.speech.load import VoiceEngines
from npc_engine.text.phrases import PLAIN, Phrase, Prosody, Run, WordSpan
from npc_engine.text.words import words

ROOT = Path(__file__).parents[1]
TEXT = "The old bridge is broken, so take the path along the river."
MIDDLE = (TEXT.index("take"), TEXT.index(" along"))
LINES = [line for line in (ROOT / "tests/npc_lines.txt").read_text(encoding="utf-8").splitlines() if line]
HIBARIS = [name for name in Cast((ROOT,)).voices() if Cast((ROOT,)).voice(name)[0].engine == "hibari"]


@pytest.fixture(scope="module")
def engines():
    return VoiceEngines()


def phrase(text, *runs, goes_on=False):
    spans = tuple(WordSpan(text[a:b], a, b, a, b) for a, b in words(text))
    return Phrase(text, spans, runs or (Run(0, len(text)),), goes_on=goes_on)


def all_of(text, **prosody):
    return phrase(text, Run(0, len(text), Prosody(**prosody)))


def middle_of(**prosody):
    first, last = MIDDLE
    return phrase(TEXT, Run(0, first), Run(first, last, Prosody(**prosody)), Run(last, len(TEXT)))


def said(engines, asked, spec=None):
    """Sound, words and phones of a phrase."""
    takes = list(engines.voice(spec or VoiceSpec("hibari"), "test", Path()).engine.speak(asked))
    sound = np.concatenate([t.samples for t in takes])
    return sound, [w for t in takes for w in t.words], [p for t in takes for p in t.phones]


def of_words(heard, first, last):
    sound, spans, _ = heard
    return sound[spans[first].start : spans[last].end]


@pytest.mark.parametrize("rate", [0.7, 0.85, 1.2, 1.4])
def test_the_rate_of_a_phrase_is_its_tempo(engines, rate):
    own, other = (of_words(said(engines, all_of(TEXT, rate=r)), 0, 11) for r in (1.0, rate))
    assert len(own) / len(other) == pytest.approx(rate, rel=0.04)


def test_the_rate_of_a_run_is_the_tempo_of_its_words_alone(engines):
    own, slow = said(engines, phrase(TEXT)), said(engines, middle_of(rate=0.7))
    assert len(of_words(slow, 6, 8)) / len(of_words(own, 6, 8)) == pytest.approx(1 / 0.7, rel=0.1)
    assert len(of_words(slow, 0, 4)) == pytest.approx(len(of_words(own, 0, 4)), rel=0.03)
    assert len(of_words(slow, 9, 11)) == pytest.approx(len(of_words(own, 9, 11)), rel=0.06)


@pytest.mark.parametrize("pitch", [0.85, 1.15])
def test_the_pitch_of_a_phrase_moves_f0_and_not_the_tempo_and_formants_a_tenth_at_most(engines, pitch):
    own, other = said(engines, phrase(TEXT)), said(engines, all_of(TEXT, pitch=pitch))
    assert np.median(heights(other[0])) / np.median(heights(own[0])) == pytest.approx(pitch, rel=0.03)
    assert len(other[0]) == pytest.approx(len(own[0]), rel=0.03)
    formants = formant_factor(envelopes(other[0], other[2]), envelopes(own[0], own[2]))
    assert formants == pytest.approx(min(max(pitch, 1 / 1.1), 1.1), rel=0.05)


def test_the_pitch_of_a_run_moves_its_words_without_a_break(engines):
    own, high = said(engines, phrase(TEXT)), said(engines, middle_of(pitch=1.2))
    inside, before = (
        np.median(heights(of_words(high, a, b))) / np.median(heights(of_words(own, a, b))) for a, b in ((6, 8), (0, 4))
    )
    assert 1.1 < inside < 1.4  # three words, of which few frames are compared
    assert before == pytest.approx(1.0, rel=0.04)
    assert sum(p.symbol == "sil" for p in high[2]) == sum(p.symbol == "sil" for p in own[2])
    assert len(high[0]) == pytest.approx(len(own[0]), rel=0.03)


def test_the_range_of_a_phrase_is_how_far_f0_moves(engines):
    widths = []
    for factor in (0.4, 1.0, 1.5):
        low, high = np.percentile(np.log(heights(said(engines, all_of(TEXT, range=factor))[0])), [15, 85])
        widths.append(high - low)
    assert widths[0] < 0.7 * widths[1]
    assert widths[1] < 0.85 * widths[2]


def test_a_clause_that_goes_on_does_not_fall(engines):
    for text in ("She took the silver coins,", "She took the silver coins"):
        asked = phrase(text)
        heard = [said(engines, one) for one in (asked, replace(asked, goes_on=True))]
        ends = []
        for sound, spans, _ in heard:
            hertz = heights(sound[spans[0].start : spans[-1].end])
            ends.append(np.median(hertz[-5:]) / np.median(hertz))
        assert ends[1] > ends[0], text
        assert ends[1] > 0.8, text
        assert [p.symbol for p in heard[0][2]] == [p.symbol for p in heard[1][2]]  # nothing is said after it
        sound, spans, _ = heard[1]
        assert 0.02 < (len(sound) - spans[-1].end) / SAMPLE_RATE < 0.25
        assert np.abs(sound[-120:]).max() < 0.01


@pytest.mark.parametrize(
    ("ipa", "expected"),
    [
        ("ˈɡændælf", "ɡˈændælf"),
        ("/ˈɹiːvən.dɛl/", "ɹˈivəndɛl"),
        ("[ˈtʃɜːtʃ]", "ʧˈɜʧ"),
        ("ˈbʌt͡ʃɚ", "bˈʌʧəɹ"),
        ("d͡ʒɔɪ ˈeɪdʒ", "ʤY ˈAʤ"),
        ("ˈhaʊs əˈloʊn", "hˈWs əlˈOn"),
        ("nɪəɹ ɛəɹ", "nɪɹ ɛɹ"),
        ("ˈbʌtn̩", "bˈʌtᵊn"),
        ("məˈɲana", "mənjˈɑnɑ"),
        ("ˈkʰaɪ̯loʊ", "kˈIlO"),
        ("ˌʌndəˈstænd", "ˌʌndəstˈænd"),
        ("ɡˈəʊst", "ɡˈOst"),
    ],
)
def test_ipa_is_read_as_people_write_it(ipa, expected):
    assert symbols(ipa) == expected


@pytest.mark.parametrize(
    ("ipa", "message"),
    [
        ("həˈlo5", "'5' (U+0035) in the IPA 'həˈlo5' is no symbol that this voice knows"),
        ("hәlou", "'ә' (U+04D9) in the IPA 'hәlou' is no symbol that this voice knows"),  # cyrillic schwa
        ("ˈ.ː", "no sound in the IPA 'ˈ.ː'"),
        ("", "no sound in the IPA ''"),
    ],
)
def test_what_is_no_ipa_is_named(ipa, message):
    with pytest.raises(SpeechError) as caught:
        symbols(ipa)
    assert str(caught.value) == message


def test_ipa_is_said_in_the_place_of_its_words(engines):
    text = "Kneel before Xyzzq of the North, stranger."
    first = text.index("Xyzzq")
    asked = phrase(text, Run(0, first), Run(first, first + 5, PLAIN, "ˈzɔːɹvæθ"), Run(first + 5, len(text)))
    _, spans, phones = said(engines, asked)
    assert [w.index for w in spans] == list(range(7))
    name = [p.symbol for p in phones if spans[2].start <= p.start < spans[2].end]
    assert name == list("zɔɹvæθ")


def test_ipa_of_several_words_leaves_every_word_a_time(engines):
    text = "Go to Kiel Dur now."
    asked = phrase(text, Run(0, 6), Run(6, 14, PLAIN, "ˈkaɪl ˈdʊɹ"), Run(14, len(text)))
    _, spans, phones = said(engines, asked)
    assert [w.index for w in spans] == list(range(5))
    assert [p.symbol for p in phones if spans[2].start <= p.start < spans[2].end] == list("kIl")
    assert [p.symbol for p in phones if spans[3].start <= p.start < spans[3].end] == list("dʊɹ")
    assert all(w.end > w.start for w in spans)


def test_ipa_for_no_word_is_refused(engines):
    with pytest.raises(SpeechError, match=r"IPA 'ɑ' stands for no word in 'Well \.\.\. yes'"):
        said(engines, phrase("Well ... yes", Run(0, 5), Run(5, 8, PLAIN, "ɑ"), Run(8, 12)))


@pytest.fixture(scope="module")
def plain(engines):
    """The undesigned voice: median f0, and the shapes of its vowels."""
    heard = [said(engines, phrase(text)) for text in LINES[:4]]
    return np.median(np.concatenate([heights(h[0]) for h in heard])), [envelopes(h[0], h[2]) for h in heard]


@pytest.mark.parametrize("name", HIBARIS)
def test_a_design_has_the_pitch_and_the_formants_that_it_asks_for(engines, plain, name):
    spec, _ = Cast((ROOT,)).voice(name)
    height, shapes = plain
    heard = [said(engines, phrase(text), spec) for text in LINES[:4]]
    assert np.median(np.concatenate([heights(h[0]) for h in heard])) / height == pytest.approx(spec.pitch, rel=0.05)
    ours = np.concatenate([envelopes(h[0], h[2]) for h in heard])
    asked = spec.formant or spec.pitch
    assert formant_factor(ours, np.concatenate(shapes)) == pytest.approx(asked, rel=0.05)


def test_manner_and_marks_go_through_the_voice(engines):
    """The whole way from a line: SSML's prosody reaches the sound."""
    spec, folder = Cast((ROOT,)).voice("woman")
    voice = engines.voice(spec, "woman", folder)
    slow = f'<speak><prosody rate="70%">{TEXT}</prosody></speak>'
    lengths = [sum(len(c.samples) for c in voice.speak(Line("1", "woman", text))) for text in (TEXT, slow)]
    assert lengths[1] > 1.25 * lengths[0]
