"""Text to sentences and words: nothing lost, nothing split that belongs together."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npc_engine.text.cleaning import clean
from npc_engine.text.reader import read
from npc_engine.text.words import words


def cut(text):
    return [p.text for p in read(text)]


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
        "Ring www.example.com or mail a.b@example.org now.",
        "She joined the U.S. Army at 7:30 p.m. Monday.",
        "Ask Jones Ltd. Builders, please.",
        "Well . . . maybe.",
        "Use version 2.0.1 of it.",
        "*Stop!* he cried.",
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
        ("The road is long\nand winding.", ["The road is long and winding."]),
        ("I left the U.S.A. The rest stayed.", ["I left the U.S.A.", "The rest stayed."]),
        ("He works for Jones Ltd. They pay.", ["He works for Jones Ltd.", "They pay."]),
        ("I got a C. You got a B.", ["I got a C.", "You got a B."]),
        ("**Stop.** Why?", ["**Stop.**", "Why?"]),
        ("好。我走了！你呢？", ["好.", "我走了!", "你呢?"]),
        ("“走吧！”他说。“好。”", ["“走吧!”他说.", "“好.”"]),
        ("「行くぞ！」と彼は言った。「はい。」", ["“行くぞ!”と彼は言った.", "“はい.”"]),
        ("他说：“你好，OK吗？”然后走了", ["他说: “你好, OK吗?”然后走了"]),
        ("我……我不知道。是3.5米，对吧", ["我……我不知道.", "是3.5米, 对吧"]),
        ('好。"走吧。"', ["好.", '"走吧."']),
        ("你好.我走了.再见", ["你好.", "我走了.", "再见"]),
        ("これは本です．次", ["これは本です.", "次"]),
        ("７：３０に来て", ["7:30に来て"]),
        ("Hello！Who are you？", ["Hello!", "Who are you?"]),
        ("...", []),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_sentences(text, expected):
    assert cut(text) == expected


def test_a_long_sentence_is_cut_at_clauses_and_leaves_no_scrap():
    text = ", ".join(f"clause number {i} of many" for i in range(24)) + "."
    parts = cut(text)
    assert all(len(p) <= 240 for p in parts)
    assert all(p.endswith((",", ".")) for p in parts)
    assert min(map(len, parts)) >= 80
    assert [p.goes_on for p in read(text)] == [True] * (len(parts) - 1) + [False]


def test_a_long_sentence_without_commas_is_cut_between_words():
    parts = cut("word " * 200)
    assert all(len(p) <= 240 and set(p.split()) == {"word"} for p in parts)
    assert sum(len(p.split()) for p in parts) == 200


ALPHABET = st.sampled_from("abcXYZ019 .,!?…;:—'\"()\n\t$%-é你好にカ。，！？“”「」²\u0301\u00ad\u200d🙂")


@settings(deadline=None)  # other work shares the cores
@given(st.text(ALPHABET, max_size=600) | st.text(max_size=200), st.booleans())
def test_words_cover_every_letter_and_digit_once_and_in_order(text, eager):
    phrases = list(read(text, eager=eager))
    spans = [w for p in phrases for w in p.words]
    assert all(0 <= w.begins < w.ends <= len(text) for w in spans)
    assert all(x.ends <= y.begins for x, y in pairwise(spans))
    covered = {i for w in spans for i in range(w.begins, w.ends)}
    assert {i for i, c in enumerate(text) if c.isalnum()} <= covered
    assert all(w.text == text[w.begins : w.ends] for w in spans)


@settings(deadline=None)  # other work shares the cores
@given(st.text(ALPHABET, max_size=600), st.booleans())
def test_phrases_are_what_engines_are_promised(text, eager):
    for phrase in read(text, eager=eager):
        assert 0 < len(phrase.text) <= 300  # 240 and what a wide comma grows by
        assert phrase.text == " ".join(phrase.text.split())
        assert not set(phrase.text) & set("。！？；：，、")
        assert phrase.words
        assert all(x.last <= y.first for x, y in pairwise(phrase.words))
        assert [(r.first, r.last) for r in phrase.runs] == [(0, len(phrase.text))]


@settings(deadline=None)  # other work shares the cores
@given(st.lists(st.from_regex(r"[A-Za-z']{1,9}[,.!?]?", fullmatch=True), max_size=100), st.booleans())
def test_no_word_is_cut(tokens, eager):
    text = " ".join(tokens)
    parts = [p.text for p in read(text, eager=eager)]
    spoken = [t for t in tokens if any(c.isalpha() for c in t)]
    assert [t for part in parts for t in part.split() if any(c.isalpha() for c in t)] == spoken


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
        ("OK吗", ["OK", "吗"]),
        ("用3.5米的C++", ["用", "3.5", "米", "的", "C++"]),
        ("ラーメンを食べました", ["ラーメン", "を", "食", "べました"]),
        ("时时刻刻，人々", ["时", "时", "刻", "刻", "人々"]),
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
        ("12,345,678 and 1234567890123456, ok", "12,345,678 and 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6, ok"),
        ("1,234,567,890,123,456", "1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6"),
        ("「你好，世界｡」", "“你好，世界。”"),
        ("字" * 90, "字" * 90),
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
