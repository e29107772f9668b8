"""Admission: a line that can't be in time is refused at once, one that is not is given up."""

from types import SimpleNamespace

from npc_engine.moments import Line
from npc_engine.server.admission import CHAR_MS, WAIT_MS, Admission

A, B = (b"one", "a"), (b"two", "a")


def speaking(text="x" * 100, ticks=0, late=False, priority=0):
    return SimpleNamespace(line=Line("s", "ben", text, priority=priority), work=SimpleNamespace(ticks=ticks), late=late)


def line(deadline_ms=0, priority=0):
    return Line("a", "anna", "Mind the step!", deadline_ms=deadline_ms, priority=priority)


def test_an_engine_whose_lines_are_late_takes_no_more_and_says_when_it_may():
    admission = Admission()
    lines = [speaking(late=True, ticks=200), speaking(late=True), speaking("x" * 10_000)]
    refusal = admission.refusal(line(), lines, ())
    assert refusal.code == "overloaded"
    assert refusal.text == "2 lines come too late already: say fewer at once, or ask for fewer pictures"
    assert refusal.wait_ms == 100 * CHAR_MS - 200 * 20
    assert admission.refusal(line(priority=1), lines, ()) is None, "a more urgent one goes before them"
    assert admission.refusal(line(), [speaking()], ()) is None


def test_a_deadline_that_first_moments_do_not_make_is_refused():
    admission = Admission()
    assert admission.refusal(line(deadline_ms=50), (), ()) is None, "nothing is known yet"
    for seconds in (0.08, 0.09, 0.2):
        admission.first(A, seconds)
    admission.first(A, None)
    refusal = admission.refusal(line(deadline_ms=50), (), ())
    assert (refusal.code, refusal.wait_ms) == ("too-late", WAIT_MS)
    assert refusal.text == "its first moment would take 90 ms, its deadline is 50 ms"
    assert admission.refusal(line(deadline_ms=90), (), ()) is None
    assert admission.refusal(line(), (), ()) is None


def test_the_wait_for_a_characters_former_lines_counts():
    admission = Admission()
    refusal = admission.refusal(line(deadline_ms=2_000), (), [speaking(ticks=50), speaking("x" * 20)])
    assert refusal.wait_ms == 100 * CHAR_MS - 1_000 + 20 * CHAR_MS
    assert f"{refusal.wait_ms} ms until its character has said its former lines" in refusal.text
    assert admission.refusal(line(deadline_ms=10_000), (), [speaking(ticks=50)]) is None


def test_lines_that_missed_their_deadline_are_told_once():
    now = 100.0
    admission = Admission(lambda: now)
    for key, deadline_ms in ((A, 300), (B, 200), ((b"one", "b"), 100), ((b"one", "c"), 0)):
        admission.begin(key, line(deadline_ms))
    admission.forget((b"one", "b"))
    assert admission.missed() == []
    assert 190 <= admission.within_ms(1_000) <= 202
    assert admission.within_ms(50) == 50
    now += 0.25
    assert admission.missed() == [B]
    assert admission.missed() == []
    admission.first(A, 0.25)
    now += 1
    assert admission.missed() == []
    assert admission.within_ms(100) == 100
