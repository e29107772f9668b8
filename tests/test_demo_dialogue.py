"""A talk without an engine: whose turn it is, what characters remember, and subtitles that follow the words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_game import scene
from demo_game.dialogue import TYPED_CHARS, Memory, Talk, Turn
from demo_game.subtitles import balanced, pieces, spoken, window, wrapped
from npc_engine.moments import Word

MAREN = scene.read().characters["maren"]
TEXT = "Mind the step, my friend, and come in."


@pytest.fixture
def talk():
    talk = Talk(MAREN, Memory())
    assert talk.begin() == MAREN.greeting
    return talk


def test_greeting_choice_reply_goodbye(talk):
    assert talk.turn is Turn.SPEAKING
    assert talk.choose(0) is None, "nobody chooses while the character speaks"
    talk.line_over()
    assert talk.turn is Turn.CHOOSING
    assert talk.options[-1] == MAREN.goodbye
    talk.select(1)
    assert talk.choose(talk.selected) == MAREN.choices[1].reply
    assert talk.player == MAREN.choices[1].ask
    talk.line_over()
    assert talk.choose(len(talk.options) - 1) == MAREN.farewell
    talk.line_over()
    assert talk.turn is Turn.OVER


def test_the_selection_goes_around(talk):
    talk.line_over()
    talk.select(-1)
    assert talk.selected == len(talk.options) - 1
    talk.select(1)
    assert talk.selected == 0
    assert talk.choose(9) is None


def test_who_is_left_in_mid_line_remembers_it():
    memory = Memory()
    first = Talk(MAREN, memory)
    first.begin()
    first.leave()
    second = Talk(MAREN, memory)
    assert second.begin() == MAREN.interrupted
    second.line_over()
    second.leave()
    assert Talk(MAREN, memory).begin() == MAREN.again


def test_leaving_during_the_farewell_is_no_rudeness():
    memory = Memory()
    talk = Talk(MAREN, memory)
    talk.begin()
    talk.line_over()
    talk.choose(len(talk.options) - 1)
    talk.leave()
    assert Talk(MAREN, memory).begin() == MAREN.again


def test_cutting_in_gives_the_choices(talk):
    talk.interrupt()
    assert talk.turn is Turn.CHOOSING
    assert not talk.memory.interrupted


def test_typed_text_is_said_as_it_is(talk):
    talk.line_over()
    talk.start_typing()
    talk.type("  Hé\tllo\x00 ")
    talk.erase()
    talk.type("!")
    assert talk.say_typed() == "Héllo!"
    talk.line_over()
    talk.start_typing()
    assert talk.say_typed() is None
    assert talk.turn is Turn.CHOOSING
    talk.start_typing()
    talk.type("x" * 500)
    assert len(talk.typed) == TYPED_CHARS
    talk.stop_typing()
    assert talk.turn is Turn.CHOOSING


def words_of(text):
    found, at = [], 0
    for number, word in enumerate(text.split()):
        first = text.index(word, at)
        at = first + len(word)
        found.append(Word(word, number * 100, number * 100 + 100, first, at))
    return found


def test_subtitles_follow_the_words():
    rows = wrapped(TEXT, 15, len)
    assert [row.text for row in rows] == ["Mind the step,", "my friend, and", "come in."]
    words = words_of(TEXT)
    first, last = spoken(words, 3, len(TEXT), over=False)
    assert pieces(rows[0], first, last) == [("Mind the step,", "said")]
    assert pieces(rows[1], first, last) == [("my", "now"), (" friend, and", "coming")]
    assert pieces(rows[2], first, last) == [("come in.", "coming")]
    assert spoken(words, -1, len(TEXT), over=False) == (0, 0)
    assert spoken(words, 7, len(TEXT), over=True) == (len(TEXT), len(TEXT))


def test_long_lines_turn_pages_and_keep_no_orphan():
    text = " ".join(["word"] * 60)
    rows = wrapped(text, 40, len)
    shown = [window(rows, at, 3) for at in range(0, len(text), 5)]
    assert sorted(set(shown)) == list(range(0, len(rows), 3))
    assert shown == sorted(shown)
    even = balanced("There you are, come in from the cold", 32, len)
    assert len(even) == 2
    assert min(len(row.text) for row in even) > 12


@given(st.text(max_size=120), st.integers(1, 30))
def test_rows_hold_every_letter_once_and_in_order(text, width):
    rows = wrapped(text, width, len)
    assert "".join("".join(row.text.split()) for row in rows) == "".join(text.split())
    for row in rows:
        assert row.text == text[row.first : row.last]
        assert len(row.text) <= width
    for first in range(0, len(text), 7):
        for row in rows:
            assert "".join(part for part, _ in pieces(row, first, first + 3)) == row.text
