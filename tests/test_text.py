"""Text to sentences and words: nothing lost, nothing split that belongs together."""

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npc_engine.text.cleaning import clean
from npc_engine.text.sentences import sentences
from npc_engine.text.words import words


def cut(text, **kw):
    return [text[a:b] for a, b in sentences(text, **kw)]


@pytest.mark.parametrize(
    "whole",
    [
        "Dr. No is here.",
        "Ask Mrs. Peel, Sgt. Pepper or St. Nicholas.",
        "It was written by J. R. R. Tolkien.",
        "It is 3.5 m deep and costs $20.50.",
        "Turn to No. 5, vol. 2, p. 17.",
        "Come on Jan. 5 at noon.",
        "Well... maybe you are right.",
        "Well… maybe you are right.",
        '"Stop!" he cried.',
        "“Who goes there?” she asked.",
        "Bring rope, e.g. the long one, i.e. mine.",
        "1. Take the sword.",
        "He met Mr. Hyde (really?) again.",
        "The road is long\nand winding.",
        "Ring www.example.com or mail a.b@example.org now.",
    ],
)
def test_what_belongs_together_stays_together(whole):
    assert cut(whole) == [whole]
    assert cut(f"{whole} Next one.") == [whole, "Next one."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Stop! Who goes there? A friend.", ["Stop!", "Who goes there?", "A friend."]),
        ("No. I will not.", ["No.", "I will not."]),
        ("Well... Maybe.", ["Well...", "Maybe."]),
        ('He said "Go." Then he left.', ['He said "Go."', "Then he left."]),
        ('"Stop." "Why?"', ['"Stop."', '"Why?"']),
        ("It is I. You know me.", ["It is I.", "You know me."]),
        ("It is 5 p.m. Come in.", ["It is 5 p.m.", "Come in."]),
        ("1. Take it.\n2. Run!", ["1. Take it.", "2. Run!"]),
        ("A title\n\nand a text", ["A title", "and a text"]),
        ("  padded.  \n ", ["padded."]),
        ("no stop at all", ["no stop at all"]),
        ("Paid 12. Then left.", ["Paid 12.", "Then left."]),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_sentences(text, expected):
    assert cut(text) == expected


def test_a_long_sentence_is_cut_at_clauses_and_leaves_no_scrap():
    text = ", ".join(f"clause number {i} of many" for i in range(12)) + "."
    parts = cut(text, longest=120)
    assert all(len(p) <= 120 for p in parts)
    assert all(p.endswith((",", ".")) for p in parts)
    assert min(map(len, parts)) >= 40


def test_a_long_sentence_without_commas_is_cut_between_words():
    parts = cut("word " * 100, longest=90)
    assert all(len(p) <= 90 and set(p.split()) == {"word"} for p in parts)


@settings(deadline=None)  # other work shares the cores
@given(st.text(alphabet=st.sampled_from("abcXYZ019 .,!?…;:—'\"()\n\t$%-é你"), max_size=400), st.integers(8, 300))
def test_no_character_is_lost_and_the_order_is_kept(text, longest):
    spans = list(sentences(text, longest))
    assert "".join("".join(text[a:b].split()) for a, b in spans) == "".join(text.split())
    assert all(0 < b - a <= longest for a, b in spans)
    assert all(x[1] <= y[0] for x, y in pairwise(spans))


@settings(deadline=None)  # other work shares the cores
@given(st.lists(st.from_regex(r"[A-Za-z']{1,9}[,.!?]?", fullmatch=True), max_size=60))
def test_no_word_is_cut(tokens):
    text = " ".join(tokens)
    assert [t for part in cut(text, longest=40) for t in part.split()] == tokens


def test_the_first_sentence_of_a_long_text_is_there_at_once():
    text = "Come in. " * 200_000
    begin = time.perf_counter()
    assert next(sentences(text)) == (0, 8)
    assert time.perf_counter() - begin < 0.3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Stop, thief!", ["Stop", "thief"]),
        ("It's $20.50 — a bargain.", ["It's", "$20.50", "a", "bargain"]),
        ("wait—what...now", ["wait", "what", "now"]),
        ('"Quoted" (and bracketed)', ["Quoted", "and", "bracketed"]),
        ("well-known e.g. 50% of R&D", ["well-known", "e.g", "50%", "of", "R&D"]),
        ("a & b > c", ["a", "&", "b", ">", "c"]),
        ("... — ! ?", []),
    ],
)
def test_words(text, expected):
    assert [text[a:b] for a, b in words(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text", "plain text"),
        ("a\x00b\x07c\td", "a b c d"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("hey 🙂🏽 you", "hey    you"),
        ("so\u00adft\u200d \u202eword", "soft word"),
        ("cafe\u0301", "café"),
        ("ｆｕｌｌ　１２", "full 12"),
        ("𝓕ancy ﬁt Ⅳ ①", "Fancy fit IV 1"),
        ("2⅓", "2 1/3"),
        ("№5 at 20℃", "No. 5 at 20°C"),
        ("“smart” ‚quotes’ «here»", '“smart” \'quotes’ "here"'),
        ("No!!!!!!!!", "No!!!"),
        ("x" * 90, f"{'x' * 40} {'x' * 40} {'x' * 10}"),
        ("1234567890123456", "1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6"),
        ("press ★ or ↑ now", "press   or   now"),
        ("3️⃣", "3"),
    ],
)
def test_cleaning(text, expected):
    assert clean(text).text == expected


@settings(deadline=None)  # other work shares the cores
@given(st.text(max_size=200))
def test_cleaning_keeps_letters_and_digits_and_knows_their_origin(text):
    cleaned = clean(text)
    assert len(cleaned.text) == len(cleaned.origin)
    assert list(cleaned.origin) == sorted(cleaned.origin)
    assert {i for i, c in enumerate(text) if c.isalnum()} <= set(cleaned.origin)
