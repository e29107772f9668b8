"""Text as it comes: any cutting gives the same phrases, sound can start early, and time runs out politely."""

import threading
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npc_engine.text.open_text import OpenText, TextTimeoutError
from npc_engine.text.reader import MarkupError, read

MARKED = (
    '<speak version="1.1">One <mark name="b"/>two, un<emphasis level="strong">believ</emphasis>able R&amp;D.'
    '<break time="1s"/><p><s>Hi &#20320;&lt;</s> there</p>\r\n<![CDATA[a & b]]> <!-- no -->'
    '<prosody rate="80%" volume="+3dB">slow <sub alias="World, Wide. Web">WWW</sub></prosody>x'
    '<say-as interpret-as="telephone">555 1234</say-as> <phoneme ph="təˈmeɪtoʊ">tomato</phoneme></speak>'
)
SAMPLES = (
    'Dr. No paid $1,234.50 for 3.5 m of rope... maybe. "Stop!" he cried; then, at 7:30 p.m. Monday, we left.\r\nEnd',
    "你好，我是小明。“走吧！”他说……用3.5米，OK吗？「行くぞ！」と彼は言った。１２，３４５．６",
    "cafe\u0301 1234567890123456789 so\u00adft 👩‍👩‍👧 No!!!!!! 2⅓ ﬁt " + "x" * 90 + " the U.S. Army",
    "word " * 150 + "end. " + "字" * 600,
    MARKED,
    "<speak>One. Two <prosidy>three</prosidy></speak>",
    "<speak>One. Two &nbsp; three</speak>",
    "<speak>One. Two three <prosody rate='fast'>",
    "<speak>One.</speak> More.",
    "<spea k> is no tag, I <3 it",
    " <speak",
)
BITS = st.sampled_from(
    [
        "<speak>",
        "</speak>",
        "<break/>",
        "<break time='300ms'/>",
        "<mark name='m'/>",
        "<emphasis>",
        "</emphasis>",
        "<prosody pitch='high'>",
        "</prosody>",
        "<p>",
        "</p>",
        "<s>",
        "</s>",
        "&amp;",
        "&#x4f60;",
        "<sub alias='x,y'>z</sub>",
        "<say-as interpret-as='date'>2024-05-17</say-as>",
        "Hello",
        "Dr.",
        "No",
        ".",
        ",",
        "。",
        "，",
        "你好",
        "カナ",
        "...",
        "…",
        "3.5",
        "12",
        "1,000",
        "U.S.A.",
        "p.m.",
        "“",
        "”",
        '"',
        "!",
        "?",
        "？",
        "—",
        "a",
        "b",
        "c",
        "&",
        "< ] ]]>",
        "\u0301",
        "\u200d",
        "🙂",
    ]
)


def collected(pieces, *, eager):
    """The phrases, and the error that ended them."""
    found = []
    try:
        found.extend(read(pieces[0], pieces[1:], eager=eager))
    except MarkupError as error:
        return found, str(error)
    return found, None


def cut(text, places):
    edges = [0, *sorted(p % (len(text) + 1) for p in places), len(text)]
    return [text[a:b] for a, b in pairwise(edges)]


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize("text", SAMPLES)
def test_letter_by_letter_is_the_same_as_at_once(text, eager):
    assert collected(list(text), eager=eager) == collected([text], eager=eager)


@settings(deadline=None)  # other work shares the cores
@given(st.sampled_from(SAMPLES), st.lists(st.integers(0, 2_000), max_size=12), st.booleans())
def test_any_cutting_of_a_sample_gives_the_same_phrases(text, places, eager):
    assert collected(cut(text, places), eager=eager) == collected([text], eager=eager)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(BITS | st.just(" ") | st.just("\r\n"), max_size=60).map("".join),
    st.booleans(),
    st.lists(st.integers(0, 2_000), max_size=12),
    st.booleans(),
)
def test_any_cutting_of_any_text_gives_the_same_phrases(text, marked, places, eager):
    text = f"<speak>{text}</speak>" if marked else text
    whole = collected([text], eager=eager)
    assert collected(cut(text, places), eager=eager) == whole
    assert collected(list(text) or [""], eager=eager) == whole


@pytest.mark.parametrize(
    ("text", "first", "goes_on"),
    [
        ("Hello there, my friend", "Hello there,", True),
        ("Well, I never saw this, my friend", "Well, I never saw this,", True),
        ("Yes. I do", "Yes.", False),
        ("Wait — I see; now go", "Wait — I see;", True),
        ("Unbelievable: it works", "Unbelievable:", True),
        ("On Jan. 5, 2024, we left", "On Jan. 5, 2024,", True),
        ("It was 10, 000 men, or more", "It was 10, 000 men,", True),
        ("Dr. No, I know 3.5 m", "Dr. No,", True),
        ("I mean... nobody knew", "I mean...", True),
        ("你好，我是小明，你呢？", "你好, 我是小明,", True),
        ("我不知道……也许吧", "我不知道……", True),
        ("今日は忙しい、また明日", "今日は忙しい,", True),
        ("他慢慢说：“你好。”", "他慢慢说:", True),
    ],
)
def test_the_first_clause_leaves_as_soon_as_it_is_safe(text, first, goes_on):
    def typed():
        for at, character in enumerate(text):
            came.append(at)
            yield character

    came = []
    phrase = next(iter(read("", typed(), eager=True)))
    assert (phrase.text, phrase.goes_on) == (first, goes_on)
    assert came[-1] < len(text) - 1, "before the text is complete"


def test_later_clauses_are_long_and_sentences_end():
    text = "Hello there, my old friend, how are you, and how is your brother, the tall one? I am well."
    assert [(p.text, p.goes_on) for p in read(text, eager=True)] == [
        ("Hello there,", True),
        ("my old friend, how are you, and how is your brother,", True),
        ("the tall one?", False),
        ("I am well.", False),
    ]


def test_a_line_that_ends_with_its_clause_does_not_go_on():
    assert [(p.text, p.goes_on) for p in read("Hello there, ", eager=True)] == [("Hello there,", False)]


def test_a_long_text_starts_after_a_few_characters_of_it():
    def typed():
        for _ in range(20_000):
            came.append(1)
            yield "Come in. "

    came = []
    assert next(iter(read("", typed()))).text == "Come in."
    assert len(came) == 2


def test_work_grows_with_the_text_and_not_faster():
    """Counted in calls of our own functions, because clocks of busy machines lie."""
    import sys

    def calls(text, pieces):
        count = 0

        def seen(frame, event, arg):
            nonlocal count
            count += event == "call"

        sys.setprofile(seen)
        try:
            for _ in read("", pieces(text), eager=True):
                pass
        finally:
            sys.setprofile(None)
        return count

    for text in ("Come in, my friend; sit. ", "a", "<", "你", "“", ". ", "1,", "e\u0301", "\u0301"):
        few, many = (text * (n // len(text)) for n in (2_000, 8_000))
        assert calls(many, list) < 5 * calls(few, list), text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "🙂🎉",
        "... !? —",
        "a" * 2_000,
        "Come in, friend. " * 6_000,
        "\x00\x07\x1b",
        "a\x00b",
        "lone \ud83d half",
        "שלום \u202bעולם\u202c",
        "👩\u200d👩\u200d👧 family \u200d\u200d\u200d",
        "<" * 100_000,
        "<speak>" * 1_000,
        "<speak>" + "<" * 1_000,
        "<speak " + "a" * 100_000,
        "<speak>" + "e\u0301\u0301" * 20_000 + "</speak>",
        "\u0301" * 50_000,
        "“" * 50_000,
        "“'(" * 20_000,
        ". " * 20_000,
        ".!" * 20_000,
        "<speak>a\x00b</speak>",
        "<speak>\ud800</speak>",
        "1" * 20_000 + ",2" * 20_000,
    ],
)
def test_odd_text_ends_with_phrases_or_a_clear_error(text):
    phrases, error = collected([text], eager=False)
    assert all(len(p.text) <= 240 for p in phrases)
    if text.startswith("<speak"):
        assert error is None or error.startswith("SSML, line 1, column ")
    else:
        assert error is None
        letters = [c for c in text if c.isalnum()]
        assert sum(len([c for c in w.text if c.isalnum()]) for p in phrases for w in p.words) == len(letters)


def test_an_open_text_is_spoken_while_it_is_written():
    text = OpenText()
    phrases = iter(read("Come in. ", text, eager=True))
    text.append("Sit ")
    assert next(phrases).text == "Come in."
    text.append("down. ")
    text.commit()
    assert [p.text for p in phrases] == ["Sit down."]
    with pytest.raises(ValueError, match="after commit"):
        text.append("more")


@pytest.mark.parametrize("begin", ["Come in. Sit", "<speak>Come in. Sit", "Come in. Sit down cafe"])
def test_what_had_come_is_spoken_when_time_runs_out(begin):
    phrases = []
    with pytest.raises(TextTimeoutError, match=r"neither append nor commit for 0\.05 s"):
        phrases.extend(phrase.text for phrase in read(begin, OpenText(idle_s=0.05)))
    assert phrases == ["Come in.", begin.split(". ")[1]]


def test_closing_from_another_thread_ends_the_reading():
    text = OpenText()
    text.append("Come in. Sit")
    phrases = iter(read("", text))
    assert next(phrases).text == "Come in."
    closer = threading.Timer(0.05, text.close)
    closer.start()
    assert [p.text for p in phrases] == ["Sit"]
    closer.join()


def test_many_writers_lose_nothing():
    text = OpenText()
    writers = [threading.Thread(target=lambda n=n: [text.append(f"w{n}x{i} ") for i in range(200)]) for n in range(4)]
    for writer in writers:
        writer.start()
    closer = threading.Thread(target=lambda: ([w.join() for w in writers], text.commit()))
    closer.start()
    words = [w.text for p in read("", text) for w in p.words]
    closer.join()
    assert sorted(words) == sorted(f"w{n}x{i}" for n in range(4) for i in range(200))


def test_a_fault_after_a_line_end_is_told_on_the_same_line_however_the_line_end_is_cut():
    text = "<speak>One.\r\nTwo.\r\n<nonsense/>"
    assert "line 3, column 1" in collected([text], eager=False)[1]
    assert collected(list(text), eager=False) == collected([text], eager=False)
