"""SSML: what each element does to phrases, and what is said about markup that is wrong."""

import doctest
import math
import re
from pathlib import Path

import pytest

from npc_engine.text.phrases import PLAIN
from npc_engine.text.reader import MarkupError, read

PAGE = Path(__file__).parent.parent / "docs" / "text.md"


def spoken(inside, **kw):
    return [p.text for p in read(f"<speak>{inside}</speak>", **kw)]


def prosodies(inside):
    """The prosody of each word."""
    return {
        w.text: next(r.prosody for r in p.runs if r.first <= w.first < r.last)
        for p in read(f"<speak>{inside}</speak>")
        for w in p.words
    }


def said_as(kind, text, form=None, language="en"):
    form = f' format="{form}"' if form else ""
    return spoken(f'<say-as interpret-as="{kind}"{form}>{text}</say-as>', language=language)


@pytest.mark.parametrize(
    "text",
    ["I <3 you", "a < b & c", "<speaker>", "<b>bold</b>", "&amp;", "1 <speak>", "< speak>", "<speak", "<SPEAK>a"],
)
def test_plain_text_stays_plain(text):
    assert " ".join(p.text for p in read(text)) == text


@pytest.mark.parametrize("text", ["<speak>a</speak>", " \n\u3000<speak\n>a</speak>", '<speak version="1.0">a</speak> '])
def test_ssml_is_known_by_its_beginning(text):
    assert [p.text for p in read(text)] == ["a"]


@pytest.mark.parametrize("text", ["<speak/>", "<speak></speak>", "<speak> <p> </p> <!-- x --> </speak>"])
def test_nothing_to_speak_gives_nothing(text):
    assert list(read(text)) == []


@pytest.mark.parametrize(
    ("inside", "phrases"),
    [
        ('One.<break time="1.5s"/>Two.', [("One.", 1500, False), ("Two.", None, False)]),
        ("One <break/> two", [("One", 750, True), ("two", None, False)]),
        ('One, <break strength="weak"/> two', [("One,", 500, True), ("two", None, False)]),
        ("One <break/>", [("One", 750, False)]),
        ('<break time="200ms"/>One', [("", 200, False), ("One", None, False)]),
        (
            'One.<break time="1s"/><break time=".5s"/>Two',
            [("One.", 1000, False), ("", 500, False), ("Two", None, False)],
        ),
        ('One <break strength="none"/> two', [("One two", None, False)]),
        ('One. <break strength="none"/> Two', [("One.", 0, False), ("Two", None, False)]),
        ('<s>One</s><break time="1s"/><s>two</s>', [("One", 1000, False), ("two", None, False)]),
        ('<s>One<break time="1s"/></s>two', [("One", 1000, False), ("two", None, False)]),
        ('<break time="1s" strength="weak"/>', [("", 1000, False)]),
    ],
)
def test_a_break_ends_a_phrase(inside, phrases):
    assert [(p.text, p.pause_ms, p.goes_on) for p in read(f"<speak>{inside}</speak>")] == phrases


def test_paragraphs_and_sentences_end_phrases_and_lines_do_not():
    assert spoken("<p>A title</p><p><s>one</s> <s>Two\nThree. Four</s></p>") == ["A title", "one", "Two Three.", "Four"]


@pytest.mark.parametrize(
    ("attribute", "name", "expected"),
    [
        ('rate="80%"', "rate", 0.8),
        ('rate="+20%"', "rate", 1.2),
        ('rate="1.25"', "rate", 1.25),
        ('rate="x-slow"', "rate", 0.5),
        ('pitch="-10%"', "pitch", 0.9),
        ('pitch="+12st"', "pitch", 2.0),
        ('pitch="medium"', "pitch", 1.0),
        ('range="+50%"', "range", 1.5),
        ('range="x-low"', "range", 0.2),
        ('volume="-3.5dB"', "volume_db", -3.5),
        ('volume="loud"', "volume_db", 6.0),
    ],
)
def test_prosody(attribute, name, expected):
    found = prosodies(f"before <prosody {attribute}>here</prosody> after")
    assert getattr(found["here"], name) == pytest.approx(expected)
    assert found["before"] == found["after"] == PLAIN


def test_names_rise():
    for attribute, names in (
        ("rate", ("x-slow", "slow", "medium", "fast", "x-fast")),
        ("pitch", ("x-low", "low", "medium", "high", "x-high")),
        ("range", ("x-low", "low", "medium", "high", "x-high")),
        ("volume", ("silent", "x-soft", "soft", "medium", "loud", "x-loud")),
    ):
        field = "volume_db" if attribute == "volume" else attribute
        values = [getattr(prosodies(f'<prosody {attribute}="{n}">w</prosody>')["w"], field) for n in names]
        assert values == sorted(set(values))


def test_nested_prosody_multiplies():
    found = prosodies('<prosody rate="80%" volume="-6dB">a <prosody rate="1.5" volume="+2dB">b</prosody> c</prosody>')
    assert (found["b"].rate, found["b"].volume_db) == (pytest.approx(1.2), pytest.approx(-4))
    assert found["a"] == found["c"]


def test_emphasis_is_louder_and_slower_or_softer_and_faster():
    found = prosodies(
        '<emphasis level="strong">s</emphasis> <emphasis>m</emphasis> <emphasis level="none">n</emphasis> '
        '<emphasis level="reduced">r</emphasis>'
    )
    assert found["s"].rate < found["m"].rate < found["n"].rate == 1 < found["r"].rate
    assert found["s"].volume_db > found["m"].volume_db > found["n"].volume_db == 0 > found["r"].volume_db


def test_markup_inside_a_word_does_not_break_it():
    text = "<speak>An un<emphasis>believ</emphasis>able R&amp;D caf&#233;</speak>"
    (phrase,) = read(text)
    assert [w.text for w in phrase.words] == ["An", "unbelievable", "R&D", "café"]
    assert [text[w.begins : w.ends] for w in phrase.words] == [
        "An",
        "un<emphasis>believ</emphasis>able",
        "R&amp;D",
        "caf&#233;",
    ]
    assert [phrase.text[r.first : r.last] for r in phrase.runs] == ["An un", "believ", "able R&D café"]


def test_sub_is_one_word_with_the_text_that_is_seen():
    text = '<speak>The<sub alias="World Wide Web, Dr. Who">WWW</sub>here.</speak>'
    (phrase,) = read(text, eager=True)
    assert phrase.text == "The World Wide Web, Dr. Who here."
    word = phrase.words[1]
    assert (word.text, text[word.begins : word.ends]) == ("WWW", "WWW")
    assert phrase.text[word.first : word.last] == "World Wide Web, Dr. Who"


def test_phoneme_is_a_run_of_its_own_with_one_word():
    (phrase,) = read('<speak>A <phoneme alphabet="ipa" ph="təˈmeɪtoʊ">tomato</phoneme>!</speak>')
    assert [(phrase.text[r.first : r.last], r.ipa) for r in phrase.runs] == [
        ("A ", ""),
        ("tomato", "təˈmeɪtoʊ"),
        ("!", ""),
    ]
    assert [(w.first, w.last) for w in phrase.words] == [(0, 1), (2, 8)]


def test_marks_stand_before_what_follows_them():
    text = (
        '<speak><mark name="a"/>One.<mark name="b"/> Two <mark name="c"/>three. <mark name="d"/><break/>'
        '<mark name="e"/></speak>'
    )
    assert [(p.text, [(m.name, m.at) for m in p.marks]) for p in read(text)] == [
        ("One.", [("a", 0), ("b", 4)]),
        ("Two three.", [("c", 4), ("d", 10)]),
        ("", [("e", 0)]),
    ]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("characters", "Ab-1", "A B dash one"),
        ("spell-out", "NPC", "N P C"),
        ("cardinal", "1,042", "one thousand and forty-two"),
        ("number", "-3.05", "minus three point zero five"),
        ("ordinal", "21", "twenty-first"),
        ("ordinal", "3rd", "third"),
        ("digits", "2024", "two zero two four"),
        ("fraction", "2/3", "two thirds"),
        ("fraction", "1 1/2", "one and one half"),
        ("date", "2024-05-17", "May seventeenth twenty twenty-four"),
        ("time", "7:30pm", "seven thirty PM"),
        ("time", "9:00", "nine o'clock"),
        ("time", "14:05:10", "fourteen oh five and ten seconds"),
        ("telephone", "+1 (555) 123", "plus one, five five five, one two three"),
        ("currency", "$20.50", "twenty dollars and fifty cents"),
        ("currency", "1 EUR", "one euro"),
        ("unit", "3.5 km/h", "three point five kilometres per hour"),
        ("unit", "6ft", "six feet"),
    ],
)
def test_say_as(kind, text, expected):
    assert said_as(kind, text) == [expected]


def test_dates_have_an_order():
    assert said_as("date", "5/6/1905", "mdy") == ["May sixth nineteen oh-five"]
    assert said_as("date", "5/6/1905", "dmy") == ["June fifth nineteen oh-five"]
    assert said_as("date", "12", "m") == ["December"]


def test_other_languages_get_characters_and_digits_and_read_the_rest_themselves():
    assert said_as("digits", "2024", language="zh-CN") == ["2 0 2 4"]
    assert said_as("cardinal", "2024", language="ja") == ["2024"]
    text = '<speak xml:lang="zh-CN"><say-as interpret-as="cardinal">42</say-as>个</speak>'
    assert [p.text for p in read(text)] == ["42个"]


def test_characters_are_words_of_their_own():
    text = '<speak><say-as interpret-as="characters">A&amp;b</say-as></speak>'
    (phrase,) = read(text)
    assert [(w.text, text[w.begins : w.ends]) for w in phrase.words] == [("A", "A"), ("&", "&amp;"), ("b", "b")]


@pytest.mark.parametrize(
    ("inside", "column", "reason"),
    [
        ("<prosidy>a</prosidy>", 8, "unknown element <prosidy>: expected speak, p, .*, did you mean 'prosody'?"),
        ('<prosody rat="fast">a</prosody>', 8, "unknown attribute 'rat' of <prosody>: .*, did you mean 'rate'?"),
        ("<prosody>a</prosody>", 8, "expected rate, pitch, range or volume"),
        ('<prosody rate="fastt">a</prosody>', 8, "rate 'fastt': expected x-slow, .* did you mean 'fast'?"),
        ('<prosody rate="900%">a</prosody>', 8, "expected 0.5 to 2"),
        ('<prosody pitch="200Hz">a</prosody>', 8, "pitch '200Hz': expected a change such as"),
        ('<prosody volume="+40dB">a</prosody>', 8, "expected -96dB to .12dB"),
        ('<prosody rate="2"><prosody rate="2">a</prosody></prosody>', 26, "nested here make 4: expected 0.5 to 2"),
        ('<emphasis level="very">a</emphasis>', 8, "level 'very': expected strong, moderate, none, reduced"),
        ('a <break time="11s"/>', 10, "expected at most 10 s"),
        ('a <break time="soon"/>', 10, "time 'soon': expected seconds"),
        ('<break strength="huge"/>', 8, "strength 'huge': expected none, x-weak"),
        ("<break>a</break>", 15, "text inside <break>"),
        ("<mark/>", 8, "<mark> without name"),
        ('<sub alias="x"/>', 8, "<sub> without text"),
        ('<sub alias="...">x</sub>', 8, "nothing to speak in '...'"),
        ('<sub alias="x">a <break/></sub>', 25, "<break> inside <sub>: it holds text only"),
        ('<phoneme alphabet="x-sampa" ph="a">a</phoneme>', 8, "alphabet 'x-sampa': expected ipa"),
        ('<say-as interpret-as="moon">1</say-as>', 8, "interpret-as 'moon': expected characters"),
        ('<say-as interpret-as="date" format="dmz">1</say-as>', 8, "format 'dmz': expected mdy, .* did you mean"),
        (
            '<say-as interpret-as="date">5/6/24</say-as>',
            8,
            "date '5/6/24': expected y/m/d in digits, such as '2024-05-17'",
        ),
        ('<say-as interpret-as="cardinal">six</say-as>', 8, "number 'six': expected digits"),
        ("<speak>a</speak>", 8, "<speak> inside <speak>"),
        ("<emphasis>a</p>", 21, "expected </emphasis>"),
        ("a & b", 11, "&amp;"),
        ("&nbsp;", 8, "unknown entity"),
        ("<b" * 5, 10, "not well-formed"),
        ("<?php?>", 8, "expected no processing instruction"),
        ("<prosody rate='1'>" * 40, 566, "more than 32 elements"),
        ("a\x00", 9, "not well-formed"),
    ],
)
def test_bad_markup_is_told_with_its_place(inside, column, reason):
    with pytest.raises(MarkupError, match=reason) as caught:
        list(read(f"<speak>{inside}</speak>"))
    assert (caught.value.line, caught.value.column) == (1, column)
    assert str(caught.value).startswith(f"SSML, line 1, column {column}: ")


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"),
    [
        ("<speak>\n One\n  <prosody rate='fast'>two", 3, 3, "the text ended inside <prosody>: expected </prosody>"),
        ("\n <speak>\r\n  <bad/></speak>", 3, 3, "unknown element"),
        ("<speak>你好 <bad/></speak>", 1, 11, "unknown element"),
        ("<speak>One.</speak> Two", 1, 21, "nothing after </speak>"),
        ("<speak version='3'>a</speak>", 1, 1, "version '3': expected 1.0 or 1.1"),
        ("<speak>a</speak><!DOCTYPE x>", 1, 17, "nothing after </speak>"),
        (f"<speak><sub alias='{'a' * 5_000}'>x</sub></speak>", 1, 8, "a tag or comment of more than"),
    ],
)
def test_faults_of_a_whole_document(text, line, column, reason):
    with pytest.raises(MarkupError, match=reason) as caught:
        list(read(text))
    assert (caught.value.line, caught.value.column) == (line, column)


def test_entities_cannot_be_declared():
    with pytest.raises(MarkupError):
        list(read('<speak><!DOCTYPE x [<!ENTITY a "&a;&a;">]>&a;</speak>'))
    with pytest.raises(MarkupError, match="unknown entity"):
        list(read("<speak>&a;</speak>"))


def test_what_came_before_a_fault_is_spoken():
    phrases = []
    with pytest.raises(MarkupError):
        phrases.extend(p.text for p in read("<speak>One. Two ", ["three. Four <bad/>"]))
    assert phrases == ["One.", "Two three.", "Four"]


def test_every_example_of_the_page_does_what_it_says():
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(>>>.*?)```", text, re.DOTALL)
    assert len(blocks) >= 5
    found = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "text.md", str(PAGE), 0)
    assert doctest.DocTestRunner().run(found).failed == 0


def test_the_page_names_every_element_and_attribute():
    from npc_engine.text.markup import _ATTRIBUTES

    text = PAGE.read_text(encoding="utf-8")
    for element, attributes in _ATTRIBUTES.items():
        row = next((line for line in text.splitlines() if line.startswith(f"| `{element}`")), "")
        assert row, element
        assert all(f"`{a}`" in row for a in attributes), (element, row)


def test_every_row_of_the_page_is_markup_that_can_be_read():
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    examples = [row.rsplit("|", 2)[1].strip(" `") for row in rows if "<" in row]
    assert len(examples) == 10
    for example in examples:
        text = example if example.startswith("<speak") else f"<speak>{example}</speak>"
        assert all(math.isfinite(r.prosody.volume_db) for p in read(text) for r in p.runs), example
