"""Audio2Exp as a game sees it: every tick once, in step, the same however the sound is cut, and still in silence."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npc_engine.expression import mel
from npc_engine.expression.aperture import aperture
from npc_engine.expression.audio2exp import Audio2Exp
from npc_engine.expression.network import SHIPPED, Network, NetworkError
from npc_engine.expression.settings import Settings
from npc_engine.moments import (
    ANGLES,
    CHANNEL,
    EMOTIONS,
    STYLES,
    TICK_SAMPLES,
    Expression,
    Line,
    Phone,
    SpeechChunk,
    Word,
)

LINE = Line("line-1", "smith", "")
MOUTH = [i for name, i in CHANNEL.items() if name.startswith(("jaw", "mouth", "tongue"))]


@pytest.fixture(scope="module")
def engine() -> Audio2Exp:
    return Audio2Exp()


def syllables(ticks: int, seed: int = 0) -> np.ndarray:
    """A buzz that opens and closes four times a second: the network takes it for speech."""
    rng = np.random.default_rng(seed)
    t = np.arange(ticks * TICK_SAMPLES) / 24_000
    buzz = sum(np.sin(2 * np.pi * 110 * k * t) / k * np.exp(-(((110 * k - 700) / 900) ** 2)) for k in range(1, 40))
    gate = np.clip(np.sin(2 * np.pi * 4 * t) * 3, 0, 1)
    return (0.4 * buzz * gate + 0.002 * rng.standard_normal(len(t))).astype(np.float32)


def chunked(sound: np.ndarray, cuts: list[int], phones: tuple[Phone, ...] = (), line: Line = LINE) -> list[SpeechChunk]:
    """Chunks that end at `cuts` and at the end, each with the phones that begin in it; the last ends the clause."""
    edges = [0, *sorted(min(c, len(sound)) for c in cuts), len(sound)]
    chunks = []
    for a, b in pairwise(edges):
        said = tuple(p for p in phones if a <= p.start < b)
        chunks.append(SpeechChunk(line, a, sound[a:b], said, ends_clause=b == len(sound)))
    return chunks


def exps(expressions: list[Expression]) -> np.ndarray:
    return np.stack([e.exp for e in expressions])


@pytest.mark.parametrize("lookahead", [-60, -20, 0, 60, 120])
@pytest.mark.parametrize("samples", [1, 479, 480, 4801, 24_000])
def test_every_tick_of_sound_leaves_once_and_in_order(lookahead: int, samples: int) -> None:
    sound = syllables(50)[:samples]
    told = list(Audio2Exp(lookahead_ms=lookahead).express(chunked(sound, [100, 700, 3000])))
    ticks = -(-samples // TICK_SAMPLES)
    assert [e.tick for e in told] == list(range(ticks + 6))
    heard = np.concatenate([e.sound for e in told])
    assert np.array_equal(heard[:samples], sound)
    assert not heard[samples:].any()
    assert all(e.line is LINE and e.sound.shape == (480,) and e.exp.shape == (50,) for e in told)
    assert all(e.exp.dtype == np.float32 and e.sound.dtype == np.float32 for e in told)


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 30_000), max_size=12), lookahead=st.sampled_from([-60, -40, 0, 20, 60, 120]))
def test_any_cut_of_a_clause_gives_the_same_expressions(cuts: list[int], lookahead: int) -> None:
    sound = syllables(62)[:30_000]
    engine = _engines[lookahead]
    whole = list(engine.express(chunked(sound, [])))
    cut = list(engine.express(chunked(sound, cuts)))
    assert len(whole) == len(cut)
    assert np.abs(exps(whole) - exps(cut)).max() < 1e-4


_engines = {ms: Audio2Exp(lookahead_ms=ms) for ms in (-60, -40, 0, 20, 60, 120)}


@settings(max_examples=25, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 30_000), max_size=12),
    lengths=st.lists(st.integers(300, 9000), min_size=1, max_size=12),
    symbols=st.text("pbmfvaisˈ", min_size=12, max_size=12),
    lookahead=st.sampled_from([60, 120]),
    emotion=st.sampled_from(EMOTIONS),
    own=st.builds(Settings, st.sampled_from(STYLES), st.floats(0, 2), st.floats(0, 1)),
)
def test_any_cut_gives_the_same_with_phones_emotions_and_settings(  # noqa: PLR0917 - hypothesis calls by name
    cuts: list[int], lengths: list[int], symbols: str, lookahead: int, emotion: str, own: Settings
) -> None:
    sound = syllables(62)[:30_000]
    edges = np.cumsum([0, *lengths]).tolist()
    phones = tuple(Phone(s, a, b) for s, (a, b) in zip(symbols, pairwise(edges), strict=False) if a < len(sound))
    engine = _engines[lookahead].with_settings(own)
    line = Line("line-1", "smith", "", emotion=emotion, strength=0.8)
    whole = list(engine.express(chunked(sound, [], phones, line)))
    cut = list(engine.express(chunked(sound, cuts, phones, line)))
    assert np.abs(exps(whole) - exps(cut)).max() < 1e-4


def test_blocks_and_batches_step_like_one_run() -> None:
    network = Network()
    rng = np.random.default_rng(3)
    heard = rng.standard_normal((4, 90, 160)).astype(np.float32)
    window, visemes, end = network.step(heard, network.start(4))
    assert window.shape == (4, 90, 10, 50)
    assert visemes.shape == (4, 90, 10, 15)
    for line in range(4):
        state, parts, at = network.start(), [], 0
        for ticks in (1, 1, 7, 41, 40):
            part, _, state = network.step(heard[line : line + 1, at : at + ticks], state)
            parts.append(part[0])
            at += ticks
        assert np.abs(np.concatenate(parts) - window[line]).max() < 1e-4
        assert np.abs(state.lstm_h[0, 0] - end.lstm_h[0, line]).max() < 1e-4


def test_a_clause_that_ends_leaves_at_once_and_an_open_one_waits_for_its_lookahead(engine: Audio2Exp) -> None:
    sound = syllables(40)
    pulled: list[int] = []

    def speech(*, ends: bool):
        yield SpeechChunk(LINE, 0, sound[: 480 * 20], ends_clause=ends)
        pulled.append(1)
        yield SpeechChunk(LINE, 480 * 20, sound[480 * 20 :])

    for ends, waits in ((True, 0), (False, 3)):
        pulled.clear()
        before = [e.tick for e in engine.express(speech(ends=ends)) if not pulled]
        assert before == list(range(20 - waits))


def test_a_closed_line_stops_computing(engine: Audio2Exp) -> None:
    pulled = []

    def speech():
        for i in range(100):
            pulled.append(i)
            yield SpeechChunk(LINE, i * 4800, np.zeros(4800, np.float32))

    telling = engine.express(speech())
    next(telling)
    telling.close()
    assert pulled == [0]


def test_lookahead_and_style_are_checked() -> None:
    with pytest.raises(ValueError, match="lookahead_ms is 70, expected -60 to 120 in steps of 20"):
        Audio2Exp(lookahead_ms=70)
    with pytest.raises(ValueError, match="style is 'funny', expected one of serious, lively, cartoon"):
        Audio2Exp(style="funny")
    with pytest.raises(ValueError, match="style is 'sombre'"):
        Settings("sombre")
    line = Line("l", "n", "", style="grim")
    with pytest.raises(ValueError, match="style is 'grim'"):
        list(Audio2Exp().express([SpeechChunk(line, 0, np.zeros(480, np.float32))]))


def test_a_gap_between_chunks_is_an_error(engine: Audio2Exp) -> None:
    chunks = [SpeechChunk(LINE, 0, np.zeros(480, np.float32)), SpeechChunk(LINE, 500, np.zeros(480, np.float32))]
    with pytest.raises(ValueError, match="line 'line-1': chunk starts at 500, expected 480"):
        list(engine.express(chunks))


def test_no_speech_is_no_expression(engine: Audio2Exp) -> None:
    assert list(engine.express([])) == []


def test_words_come_with_the_tick_in_which_they_begin(engine: Audio2Exp) -> None:
    words = tuple(Word(t, s, s + 900, 0, 1) for t, s in (("a", 0), ("b", 479), ("c", 480), ("d", 9599), ("e", 9600)))
    told = list(engine.express([SpeechChunk(LINE, 0, syllables(20), (), words)]))
    assert {e.tick: "".join(w.text for w in e.words) for e in told if e.words} == {0: "ab", 1: "c", 19: "d", 20: "e"}


def test_silence_is_a_still_mouth(engine: Audio2Exp) -> None:
    told = list(engine.express([SpeechChunk(LINE, 0, np.zeros(480 * 300, np.float32))]))
    mouth = exps(told)[:, MOUTH]
    assert np.abs(mouth).max() < 0.08
    assert np.abs(np.diff(mouth[50:], axis=0)).max() < 0.02


def test_speech_moves_the_mouth_and_it_ends_neutral(engine: Audio2Exp) -> None:
    told = list(engine.express([SpeechChunk(LINE, 0, syllables(100))]))
    curve = aperture(exps(told))
    assert np.ptp(curve) > 0.15
    assert not told[-1].exp.any()
    last = np.abs(exps(told[-7:]))
    assert (np.diff(last, axis=0) <= 1e-6).all(), "the way to rest leads nowhere else"


def test_a_line_renders_the_same_twice_and_another_one_differently(engine: Audio2Exp) -> None:
    sound = syllables(150)
    once, again = (exps(list(engine.express(chunked(sound, [])))) for _ in range(2))
    assert np.array_equal(once, again)
    other = exps(list(engine.express([SpeechChunk(Line("line-2", "smith", ""), 0, sound)])))
    assert np.abs(once[:, MOUTH] - other[:, MOUTH]).max() < 1e-4
    assert np.abs(once[:, CHANNEL["headYaw"]] - other[:, CHANNEL["headYaw"]]).max() > 0.005


def test_styles_move_more_and_less(engine: Audio2Exp) -> None:
    sound = syllables(100)
    spans = []
    for style in ("serious", "lively", "cartoon"):
        line = Line("l", "n", "", style=style)
        asked = exps(list(engine.express([SpeechChunk(line, 0, sound)])))
        own = exps(list(engine.with_settings(Settings(style)).express([SpeechChunk(Line("l", "n", ""), 0, sound)])))
        assert np.array_equal(asked, own), "a line's style and a character's own do the same"
        spans.append(float(np.ptp(aperture(asked))))
    assert spans[0] < 0.95 * spans[1]
    assert spans[1] < 0.9 * spans[2]


def test_it_is_quick(engine: Audio2Exp, capsys: pytest.CaptureFixture[str]) -> None:
    import time

    engine.warm()
    chunk, taken = SpeechChunk(LINE, 0, syllables(250)), []
    for _ in range(5):
        began = time.perf_counter()
        count = len(list(engine.express([chunk])))
        taken.append((time.perf_counter() - began) * 1e3 / count)
    with capsys.disabled():
        print(f"\naudio2exp: {np.median(taken):.2f} ms a tick")


def test_a_wrong_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"none\.onnx: no such file"):
        Network(tmp_path / "none.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(SHIPPED.read_bytes()[:1000])
    with pytest.raises(NetworkError, match=r"broken\.onnx: not a network that onnxruntime can load"):
        Network(broken)


def test_the_file_carries_its_record() -> None:
    import json

    about = Network().about
    assert about["licence"] == "Apache-2.0"
    assert json.loads(about["training"])["data_s"] > 3600
    assert json.loads(about["offsets"])[0] == -6
    assert SHIPPED.stat().st_size < 8e6
    assert int(about["mel_hop"]) == mel.HOP
    assert ANGLES == 45
