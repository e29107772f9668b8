"""The session: whatever a game and an engine do, credit is never negative and nothing of a closed line leaves."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npc_engine.moments import Outputs, Word
from npc_engine.wire import limits
from npc_engine.wire.effects import AddSound, AddText, EndText, Prepare, Send, SendList, SendStats, Start, Stop
from npc_engine.wire.lines import LINE_STATES, State, Step
from npc_engine.wire.messages import (
    ERROR_CODES,
    TURNS,
    Accepted,
    Append,
    Cancel,
    Cancelled,
    Commit,
    Credit,
    End,
    ErrorMessage,
    Hello,
    List,
    LiveSound,
    Ping,
    Playhead,
    Pong,
    Report,
    Speak,
    Warm,
    Warmed,
    Welcome,
    WireError,
)
from npc_engine.wire.session import UNKNOWN_KINDS, Session


def greeted():
    session = Session()
    (effect,) = session.receive(Hello(1, "test"))
    assert isinstance(effect.message, Welcome)
    return session


def speak(line="a", text="hello there", **changes):
    return dataclasses.replace(Speak(line, text, "anna"), **changes)


def error(effects):
    (effect,) = effects
    assert isinstance(effect.message, ErrorMessage)
    assert effect.message.code in ERROR_CODES
    return effect.message


lines = st.sampled_from(["a", "b", "c"])
actions = st.lists(
    st.one_of(
        st.tuples(st.just("speak"), lines, st.integers(0, 100)),
        st.tuples(st.just("open"), lines, st.integers(0, 100)),
        st.tuples(st.just("idle"), lines, st.integers(0, 100)),
        st.tuples(st.just("append"), lines, st.integers(0, 15_000)),
        st.tuples(st.just("commit"), lines, st.just(0)),
        st.tuples(st.just("credit"), lines, st.integers(1, limits.CREDIT_CAP_MS)),
        st.tuples(st.just("cancel"), lines, st.just(0)),
        st.tuples(st.just("ready"), lines, st.just(0)),
        st.tuples(st.just("sent"), lines, st.integers(1, 30)),
        st.tuples(st.just("complete"), lines, st.just(0)),
        st.tuples(st.just("fail"), lines, st.just(0)),
    ),
    max_size=60,
)


class Books:
    """What a game and an engine would note about their lines."""

    def __init__(self):
        self.session = greeted()
        self.granted = {}
        self.sent = {}
        self.written = {}  # characters of the lines whose text is open
        self.silent = set()  # lines without text, all of one character: one of them is open at most
        self.beside = set()
        self.asked = {}
        self.closed = {}

    def act(self, what, line, number):
        session = self.session
        if what in {"speak", "open", "idle"}:
            return self.ask(what, line, number)
        if what in {"append", "commit"}:
            return self.write(what, line, number)
        if what == "credit":
            effects = session.receive(Credit(line, number))
            if line in session.open_lines and not effects:
                self.granted[line] += number
            return effects
        if what == "cancel":
            return session.receive(Cancel(line))
        return self.engine_acts(what, line, number) if line in session.open_lines else []

    def ask(self, what, line, number):
        session = self.session
        text = "hello" if what == "speak" else ""
        attitude, turn = ("idle", "wait") if what == "idle" else ("", TURNS[number % 3])
        asked = speak(line, text, credit_ms=number, open=what == "open", attitude=attitude, turn=turn)
        if line in self.asked:
            return self.ask_again(asked)
        open_before = set(session.open_lines)
        effects = session.receive(asked)
        if isinstance(effects[0], Start):
            self.asked[line] = asked
            assert effects[0].open is (what == "open")
            gone = open_before & (self.silent if turn != "replace" else self.silent | open_before - self.beside)
            assert {effect.line for effect in effects if isinstance(effect, Stop)} == gone
            assert len(effects) == 1 + 2 * len(gone)
            assert (effects[0].after in gone) if gone else not effects[0].after
            if turn == "beside":
                self.beside.add(line)
            if what == "idle":
                self.silent.add(line)
            self.granted[line], self.sent[line] = number, 0
            if what == "open":
                self.written[line] = 0
        return effects

    def ask_again(self, asked):
        """A known id is answered from what is known; another line of its id is refused."""
        effects = self.session.receive(asked)
        if asked != self.asked[asked.line]:
            assert error(effects).code == "duplicate-line"
        elif asked.line in self.closed:
            assert effects == [Send(self.closed[asked.line])]
        else:
            assert all(isinstance(effect.message, Accepted) for effect in effects)
        return []

    def write(self, what, line, number):
        text = "x" * number
        effects = self.session.receive(Append(line, text) if what == "append" else Commit(line))
        if line in self.closed or (what == "append" and not number and line in self.granted):
            assert effects == []
        elif line not in self.written:
            assert effects[0].message.code == ("not-open" if line in self.granted else "unknown-line")
        elif what == "commit":
            assert effects == [EndText(line)]
            del self.written[line]
        elif self.written[line] + number > limits.TEXT_CHARS:
            assert (effects[0].message.code, effects[0].message.ends) == ("bad-text", False)
        else:
            assert effects == [AddText(line, text)]
            self.written[line] += number
        return effects

    def engine_acts(self, what, line, number):
        try:
            if what == "ready":
                return self.session.ready(line, None)
            if what == "complete":
                return self.session.complete(line)
            if what == "fail":
                return self.session.fail(line, "internal", "broken")
            self.session.sent(line, number)
        except ValueError:
            assert what in {"ready", "sent", "complete"}  # not in this state, or beyond the credit
            return []
        assert line not in self.closed
        self.sent[line] += number
        return []

    def note(self, effect):
        message = getattr(effect, "message", None)
        if isinstance(message, Accepted | End | Cancelled):
            assert message.line not in self.closed
        if isinstance(message, End | Cancelled):
            assert message.ticks == self.sent[message.line]
        if isinstance(message, End | Cancelled) or getattr(message, "code", "") == "internal":
            self.closed[message.line] = message
            assert message.line not in self.session.open_lines

    def check(self):
        assert all(self.session.allowance(line) >= 0 for line in self.session.open_lines)
        assert all(ticks * 20 <= self.granted[line] for line, ticks in self.sent.items())
        in_turn = [line for line in self.session.open_lines if line not in self.beside]
        assert sum(map(self.session.speaking, in_turn)) <= 1, "a character has one mouth"


@settings(max_examples=400, deadline=None)
@given(actions)
def test_credit_is_never_negative_and_nothing_leaves_after_the_end(steps):
    books = Books()
    for what, line, number in steps:
        for effect in books.act(what, line, number):
            books.note(effect)
        books.check()


def test_ended_cancelled_and_failed_lines_have_no_next_step():
    for state in (State.ENDED, State.CANCELLED, State.FAILED):
        assert not [step for begin, step in LINE_STATES if begin is state]
    reached = {LINE_STATES[key] for key in LINE_STATES}
    assert reached == set(State) - {State.ASKED}
    assert {step for _, step in LINE_STATES} == set(Step)


@pytest.mark.parametrize(
    "message",
    [speak(), Append("a", "x"), Commit("a"), Credit("a", 40), Cancel("a"), Warm("a", npc="anna"), Ping(3), List()],
)
def test_nothing_is_answered_before_hello(message):
    refused = error(Session().receive(message))
    assert (refused.code, refused.text) == ("not-greeted", f"{message.kind} before hello")
    assert refused.line == message.line


@pytest.mark.parametrize(("version", "update"), [(0, "the game's npc_engine client"), (2, "the engine")])
def test_another_version_is_refused_with_what_to_update(version, update):
    session = Session()
    refused = error(session.receive(Hello(version, "")))
    assert refused.code == "bad-version"
    assert refused.text == f"the game speaks wire version {version}, this engine 1: update {update}"
    assert not session.greeted


def test_ping_and_list_and_a_second_hello_are_answered():
    session = greeted()
    assert session.receive(Ping(9)) == [Send(Pong(9))]
    assert session.receive(List()) == [SendList()]
    assert session.receive(Report()) == [SendStats()]
    assert isinstance(session.receive(Hello(1, ""))[0].message, Welcome)


@pytest.mark.parametrize(
    ("message", "code", "text"),
    [
        (speak(text=""), "bad-text", "text is empty"),
        (speak(text=" \n\t"), "bad-text", "text is empty"),
        (speak(text="x" * 20_001), "bad-text", "text has 20001 characters, expected at most 20000"),
        (speak(npc=""), "bad-message", "speak: neither npc nor voice is named, expected one of them"),
        (
            speak(style="livly"),
            "unknown-style",
            "no style 'livly', did you mean 'lively'?; known: 'serious', 'lively', 'cartoon'",
        ),
        (
            speak(emotion="angri"),
            "unknown-emotion",
            (
                "no emotion 'angri', did you mean 'angry'?; "
                "known: 'neutral', 'happy', 'sad', 'angry', 'afraid', 'surprised', 'disgusted'"
            ),
        ),
        (
            speak(outputs=Outputs(picture=5)),
            "bad-message",
            "speak: outputs: picture is 5, expected 0, or 32 to 2048 pixels",
        ),
        (
            speak(outputs=Outputs(picture_every=0)),
            "bad-message",
            "speak: outputs: picture_every is 0, expected 1 to 50 ticks",
        ),
        (speak(turn="next"), "unknown-turn", "no turn 'next'; known: 'wait', 'replace', 'beside'"),
        (
            speak(text="", live=True, attitude="idle"),
            "bad-message",
            "a line of attitude 'idle' says nothing, but came with live",
        ),
        (speak(live=True), "bad-text", "a live line says what it hears, but came with a text of 11 characters"),
        (LiveSound("zz"), "unknown-line", "no line 'zz'"),
        (Playhead("zz", 0), "unknown-line", "no line 'zz'"),
        (Cancel("zz"), "unknown-line", "no line 'zz'"),
        (Credit("zz", 40), "unknown-line", "no line 'zz'"),
        (Append("zz", "x"), "unknown-line", "no line 'zz'"),
        (Commit("zz"), "unknown-line", "no line 'zz'"),
    ],
)
def test_faults_are_refused_with_their_code(message, code, text):
    session = greeted()
    refused = error(session.receive(message))
    assert (refused.code, refused.text, refused.line, refused.ends) == (code, text, message.line, True)
    assert not session.open_lines


def test_ten_thousand_characters_and_voice_without_npc_are_taken():
    session = greeted()
    (start,) = session.receive(speak(text="word " * 2_000))
    assert len(start.line.text) == 10_000
    (start,) = session.receive(Speak("b", "x", voice="low", face="disc"))
    assert (start.npc, start.voice, start.face, start.line.npc) == ("", "low", "disc", "low")


def idle(line, npc="anna", **changes):
    return Speak(line, "", npc, attitude="idle", **changes)


def test_a_line_without_text_ends_when_its_character_begins_another_and_only_then():
    session = greeted()
    (start,) = session.receive(idle("a", lasts_ms=5_000))
    assert (start.line.attitude, start.line.lasts_ms, start.after) == ("idle", 5_000, "")
    session.ready("a", None)
    session.sent("a", 3)
    assert [type(e) for e in session.receive(speak("b", npc="ben"))] == [Start]
    assert [type(e) for e in session.receive(idle("c", "ben"))] == [Start], "what is said is not ended"
    assert [type(e) for e in session.receive(speak("d", npc="", voice="low"))] == [Start]
    assert error(session.receive(speak("e", text=" "))).code == "bad-text"
    assert session.open_lines == ("a", "b", "c", "d"), "a line that is refused ends nothing"
    start, *ends = session.receive(speak("f"))
    assert start.after == "a"
    assert ends == [Stop("a"), Send(End("a", 3))]
    assert session.receive(Cancel("a")) == []
    start, *ends = session.receive(dataclasses.replace(idle("g", "ben"), attitude="listening"))
    assert (start.after, ends) == ("c", [Stop("c"), Send(End("c", 0))]), "one that was not accepted yet ends too"


@pytest.mark.parametrize(
    ("message", "code", "text"),
    [
        (
            idle("a", open=True),
            "bad-text",
            "a line of attitude 'idle' says nothing, but came with open text",
        ),
        (
            dataclasses.replace(idle("a"), text="Hm."),
            "bad-text",
            "a line of attitude 'idle' says nothing, but came with a text of 3 characters",
        ),
        (
            dataclasses.replace(idle("a"), attitude="listning"),
            "unknown-attitude",
            "no attitude 'listning', did you mean 'listening'?; known: 'idle', 'listening'",
        ),
        (
            speak(lasts_ms=40),
            "bad-message",
            "speak: lasts_ms is 40, expected 0: a text lasts as long as it takes to say",
        ),
    ],
)
def test_faults_of_lines_without_text_are_named(message, code, text):
    refused = error(greeted().receive(message))
    assert (refused.code, refused.text, refused.ends) == (code, text, True)


def test_lines_without_text_take_no_room_from_those_that_speak():
    session = greeted()
    for i in range(limits.IDLE_LINES):
        assert isinstance(session.receive(idle(f"i{i}", f"npc {i}"))[0], Start)
    refused = error(session.receive(idle("more", "one more")))
    assert (refused.code, refused.text) == (
        "too-many-lines",
        "64 lines without text are open, as many as a client may have: cancel one or wait for its end",
    )
    assert session.receive(idle("again", "npc 3"))[0].after == "i3", "one for another one is no more"
    for i in range(limits.OPEN_LINES):
        assert isinstance(session.receive(speak(f"s{i}"))[0], Start)
    assert error(session.receive(speak("more"))).code == "too-many-lines"


def test_a_repeated_line_is_answered_from_what_is_known_and_never_spoken_twice():
    session = greeted()
    assert isinstance(session.receive(speak())[0], Start)
    assert session.receive(speak()) == [], "it is being made ready: its `accepted` will come"
    session.ready("a", b"JPEG")
    assert session.receive(speak()) == [Send(Accepted("a"))]
    session.sent("a", 3)
    refused = error(session.receive(speak(text="again")))
    assert (refused.code, refused.ends) == ("duplicate-line", False)
    assert refused.text == "another line 'a' is open already: give each its own id"
    assert session.open_lines == ("a",)
    cancelled = Cancelled("a", 3, "the game asked")
    assert session.receive(Cancel("a")) == [Stop("a"), Send(cancelled)]
    assert session.receive(speak()) == [Send(cancelled)]
    refused = error(session.receive(speak(text="again")))
    assert refused.text == "another line 'a' was spoken already: give each its own id"
    assert refused.ends
    session.receive(speak("b"))
    (_, told) = session.fail("b", "too-late", "it is late", 300)
    assert told.message.wait_ms == 300
    assert session.receive(speak("b")) == [told]


@pytest.mark.parametrize("change", [{"priority": -2}, {"strength": 0.0}, {"text": "hello there!"}, {"deadline_ms": 1}])
def test_lines_of_one_id_are_told_apart_by_every_key(change):
    session = greeted()
    session.receive(speak(priority=-1))
    assert error(session.receive(speak(**{"priority": -1, **change}))).code == "duplicate-line"


def test_an_unknown_kind_is_answered_once():
    session = greeted()
    unknown = [WireError(f"kind 'dance {i}' is unknown", "unknown-kind") for i in range(UNKNOWN_KINDS + 1)]
    assert [len(session.reject(kind)) for kind in unknown * 2] == [1] * UNKNOWN_KINDS + [0] * (UNKNOWN_KINDS + 2)
    assert len(session.reject(WireError("broken"))) == len(session.reject(WireError("broken"))) == 1


def test_a_line_waits_for_its_characters_former_ones():
    session = greeted()
    for line in "abc":
        session.receive(speak(line))
    session.receive(speak("d", npc="ben"))
    assert [session.ready(line, None) for line in "cabd"] == [
        [Send(Accepted("c", place=2))],
        [Send(Accepted("a"))],
        [Send(Accepted("b", place=1))],
        [Send(Accepted("d"))],
    ]
    assert [session.allowance(line) for line in "abcd"] == [30, 0, 0, 30]
    with pytest.raises(ValueError, match="1 ticks sent, credit covers 0"):
        session.sent("b", 1)
    session.receive(Cancel("b"))
    assert not session.speaking("c")
    session.complete("a")
    assert session.speaking("c")


def test_a_line_that_replaces_cuts_those_of_its_character_and_begins_with_the_face_that_is_seen():
    session = greeted()
    session.receive(speak("a"))
    session.receive(speak("b"))
    session.receive(speak("c", npc="ben"))
    session.receive(speak("d", turn="beside"))
    session.ready("a", None)
    session.sent("a", 20, [Word("Mind", 0, 4_800, 0, 4), Word("the", 4_800, 9_600, 5, 8)])
    session.receive(Playhead("a", 4_810))
    start, *effects = session.receive(speak("e", turn="replace"))
    assert (start.after, start.after_tick) == ("a", 10)
    assert effects == [
        Stop("a"),
        Send(Cancelled("a", 20, "another line took its place", "hell", 4)),
        Stop("b"),
        Send(Cancelled("b", 0, "another line took its place")),
    ]
    assert session.open_lines == ("c", "d", "e")


@pytest.mark.parametrize(
    ("heard", "text"),
    [(0, ""), (9_599, ""), (9_600, "Mind the"), (12_000, "Mind the step!"), (10**9, "Mind the step!")],
)
def test_what_was_heard_is_told_by_whole_words(heard, text):
    session = greeted()
    session.receive(speak(text="Mind the ", open=True))
    session.receive(Append("a", "step! Or not."))
    session.ready("a", None)
    session.sent("a", 15, [Word("Mind the", 0, 9_600, 0, 8), Word("step", 9_600, 12_000, 9, 14)])
    session.sent("a", 10, [Word("Or", 12_000, 24_000, 15, 17)])
    session.receive(Playhead("a", min(heard, 13_000)))
    (_, told) = session.receive(Cancel(npc="anna"))
    assert (told.message.heard, told.message.heard_chars) == (text, len(text))


def test_without_a_playhead_what_was_granted_beyond_the_first_credit_counts_as_heard():
    session = greeted()
    session.receive(speak(text="<speak>Mind <mark name='x'/>the step!</speak>", credit_ms=600))
    session.ready("a", None)
    session.sent("a", 30, [Word("Mind", 0, 4_800, 7, 11), Word("the", 4_800, 9_600, 29, 32)])
    session.receive(Credit("a", 200))
    (_, told) = session.receive(Cancel("a"))
    assert (told.message.heard, told.message.heard_chars) == ("Mind", 11), "of marked-up text the words alone"


def test_cancel_takes_a_line_a_character_or_all():
    session = greeted()
    for line, npc in zip("abcd", ("anna", "anna", "ben", "cora"), strict=True):
        session.receive(speak(line, npc=npc))
    assert [e.line for e in session.receive(Cancel(npc="anna")) if isinstance(e, Stop)] == ["a", "b"]
    assert session.receive(Cancel(npc="nobody")) == []
    assert [e.line for e in session.receive(Cancel(all=True)) if isinstance(e, Stop)] == ["c", "d"]
    refused = error(session.receive(Cancel("a", npc="anna", all=True)))
    assert refused.text == "cancel: line and npc and all named, expected one of line, npc and all"


def test_live_sound_is_passed_on_within_its_bounds():
    session = greeted()
    (start,) = session.receive(speak(text="", live=True, sound_rate=8_000, credit_ms=10_000))
    assert start.live
    second = np.zeros(8_000, np.float32)
    (effect,) = session.receive(LiveSound("a", second))
    assert isinstance(effect, AddSound)
    assert effect.sound is second
    assert session.receive(LiveSound("a")) == []
    refused = error(session.receive(LiveSound("a", np.zeros(8_008, np.float32))))
    assert refused.text == "sound of 1001 ms in one message, expected at most 1000"
    for _ in range(9):
        session.receive(LiveSound("a", second))
    refused = error(session.receive(LiveSound("a", second[:8])))
    assert (refused.code, refused.ends) == ("too-much-sound", False)
    session.ready("a", None)
    session.sent("a", 1)
    assert isinstance(session.receive(LiveSound("a", second[:8]))[0], AddSound), "what was sent back waits no more"
    assert error(session.receive(Append("a", "x"))).code == "not-open"
    assert session.receive(Commit("a")) == [EndText("a")]
    assert error(session.receive(LiveSound("a", second))).code == "not-live"
    session.receive(speak("b", npc="ben"))
    assert error(session.receive(LiveSound("b", second))).text == "sound: line 'b' was not begun with live"


def test_cancel_and_credit_that_cross_the_end_are_let_be():
    session = greeted()
    session.receive(speak())
    session.ready("a", None)
    assert session.complete("a") == [Stop("a"), Send(End("a", 0))]
    assert session.receive(Cancel("a")) == []
    assert session.receive(Credit("a", 40)) == []


def test_finished_ids_are_remembered_within_bounds():
    session = greeted()
    for i in range(limits.REMEMBERED_LINES + 5):
        session.receive(speak(f"line {i}"))
        session.receive(Cancel(f"line {i}"))
    assert error(session.receive(Cancel("line 0"))).code == "unknown-line"
    assert session.receive(Cancel("line 5")) == []


def test_a_client_may_have_eight_lines_open():
    session = greeted()
    for i in range(8):
        assert isinstance(session.receive(speak(f"line {i}"))[0], Start)
    refused = error(session.receive(speak("line 8")))
    assert refused.code == "too-many-lines"
    assert refused.text == "8 lines are open, as many as a client may have: cancel one or wait for its end"
    session.receive(Cancel("line 3"))
    assert isinstance(session.receive(speak("line 9"))[0], Start)


def test_credit_beyond_the_cap_is_refused_and_the_line_goes_on():
    session = greeted()
    session.receive(speak(credit_ms=600))
    session.ready("a", None)
    refused = error(session.receive(Credit("a", 9_401)))
    assert refused.text == "credit: 600 ms unused and 9401 more exceed the 10000 allowed"
    assert not refused.ends
    assert session.allowance("a") == 30
    assert session.receive(Credit("a", 9_400)) == []
    assert session.allowance("a") == 500


def test_a_broken_message_about_an_open_line_does_not_end_it():
    session = greeted()
    session.receive(speak())
    assert not error(session.reject(WireError("credit: ms is 0", line="a"))).ends
    assert error(session.reject(WireError("credit: ms is 0", line="b"))).ends


def test_sending_beyond_credit_is_a_fault_of_ours():
    session = greeted()
    session.receive(speak(credit_ms=39))
    session.ready("a", None)
    assert session.allowance("a") == 1
    with pytest.raises(ValueError, match="2 ticks sent, credit covers 1"):
        session.sent("a", 2)


def test_stop_cuts_every_open_line():
    session = greeted()
    session.receive(speak("a"))
    session.receive(speak("b"))
    effects = session.stop("the engine is stopping")
    assert effects == [
        Stop("a"),
        Send(Cancelled("a", 0, "the engine is stopping")),
        Stop("b"),
        Send(Cancelled("b", 0, "the engine is stopping")),
    ]
    assert session.open_lines == ()


# ── text as it comes ──────────────────────────────────────────────────────────────────────────────────────────────


def test_an_open_line_begins_empty_and_takes_text_until_its_commit():
    session = greeted()
    (start,) = session.receive(speak(text="", open=True, emotion="sad", strength=0.5))
    assert (start.open, start.line.text, start.line.emotion, start.line.strength) == (True, "", "sad", 0.5)
    assert session.receive(Append("a", "Mind ")) == [AddText("a", "Mind ")]
    assert session.receive(Append("a", "")) == []
    assert session.receive(Commit("a")) == [EndText("a")]
    for message in (Append("a", "more"), Commit("a")):
        refused = error(session.receive(message))
        assert (refused.code, refused.ends) == ("not-open", False)
        assert refused.text == f"{message.kind}: the text of line 'a' is complete"
    assert session.open_lines == ("a",)


def test_a_line_that_was_not_opened_takes_no_more_text_and_goes_on():
    session = greeted()
    session.receive(speak())
    refused = error(session.receive(Append("a", "more")))
    assert (refused.code, refused.line, refused.ends) == ("not-open", "a", False)


def test_all_of_an_open_text_together_has_the_limit_of_any_text():
    session = greeted()
    session.receive(speak(text="x" * 19_000, open=True))
    assert session.receive(Append("a", "x" * 1_000)) == [AddText("a", "x" * 1_000)]
    refused = error(session.receive(Append("a", "x")))
    assert (refused.code, refused.text, refused.ends) == (
        "bad-text",
        "text has 20001 characters, expected at most 20000",
        False,
    )
    assert session.receive(Commit("a")) == [EndText("a")]


def test_text_that_crosses_the_end_of_its_line_is_let_be():
    session = greeted()
    session.receive(speak(open=True))
    session.ready("a", None)
    session.fail("a", "bad-text", "broken")
    assert session.receive(Append("a", "more")) == session.receive(Commit("a")) == []


# ── warm ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_warm_is_carried_out_and_answered_under_its_id():
    session = greeted()
    (prepare,) = session.receive(Warm("w", "Hm?", "anna", style="cartoon", emotion="sad", strength=0.5))
    assert isinstance(prepare, Prepare)
    line = prepare.line
    assert (line.text, line.npc, line.style, line.emotion, line.strength) == ("Hm?", "anna", "cartoon", "sad", 0.5)
    again = error(session.receive(Warm("w", npc="anna")))
    assert (again.text, again.id, again.ends) == ("warm 'w' waits for its answer already", "w", False)
    assert session.warmed(Warmed("w", "anna")) == [Send(Warmed("w", "anna"))]
    session.receive(Warm("w", npc="anna"))
    assert session.warm_failed("w", "bad-cast", "broken") == [Send(ErrorMessage("bad-cast", "broken", id="w"))]
    assert session.open_lines == ()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (Warm("w"), "bad-message"),
        (Warm("w", "x" * 20_001, "anna"), "bad-text"),
        (Warm("w", npc="anna", style="livly"), "unknown-style"),
        (Warm("w", npc="anna", emotion="bored"), "unknown-emotion"),
    ],
)
def test_a_warm_that_cannot_be_is_refused_under_its_id(message, code):
    refused = error(greeted().receive(message))
    assert (refused.code, refused.line, refused.id, refused.ends) == (code, "", "w", True)


def test_text_and_credit_of_a_client_have_a_bound_together():
    """Eight lines and thirty-two warms with all the text that each may have, and eight times the credit: no more."""
    session = greeted()
    text = "x" * limits.TEXT_CHARS
    for i in range(limits.OPEN_LINES):
        session.receive(Speak(f"l{i}", text, npc="anna", credit_ms=limits.CREDIT_CAP_MS, open=True))
    for i in range(limits.WARMS):
        session.receive(Warm(f"w{i}", text, npc="anna"))
    for i in range(limits.OPEN_LINES):
        assert error(session.receive(Append(f"l{i}", "x"))).code == "bad-text"
        assert error(session.receive(Credit(f"l{i}", 1))).code == "bad-message"
    assert error(session.receive(Speak("more", "x", npc="anna"))).code == "too-many-lines"
    assert error(session.receive(Warm("more", "x", npc="anna"))).code == "too-many-warms"
    assert len(session.open_lines) == limits.OPEN_LINES


def test_a_client_may_have_so_many_warms_waiting():
    session = greeted()
    for i in range(limits.WARMS):
        assert isinstance(session.receive(Warm(f"w{i}", npc="anna"))[0], Prepare)
    assert error(session.receive(Warm("one more", npc="anna"))).code == "too-many-warms"
    session.warmed(Warmed("w0"))
    assert isinstance(session.receive(Warm("one more", npc="anna"))[0], Prepare)
