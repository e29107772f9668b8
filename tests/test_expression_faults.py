"""Sound that no voice should send: what leaves is finite, bounded, and still where nothing is said."""

import numpy as np
import pytest

from npc_engine.expression import limits
from npc_engine.expression.aperture import aperture
from npc_engine.expression.audio2exp import Audio2Exp
from npc_engine.expression.hearing import Hearing
from npc_engine.expression.network import Network
from npc_engine.moments import CHANNEL, TICK_SAMPLES, Line, Phone, SpeechChunk

LINE = Line("line-1", "smith", "", emotion="happy")
CALM = Line("line-1", "smith", "")
MOUTH = [i for name, i in CHANNEL.items() if name.startswith(("jaw", "mouth", "tongue"))]


@pytest.fixture(scope="module")
def engine() -> Audio2Exp:
    return Audio2Exp()


def syllables(ticks: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    t = np.arange(ticks * TICK_SAMPLES) / 24_000
    buzz = sum(np.sin(2 * np.pi * 110 * k * t) / k * np.exp(-(((110 * k - 700) / 900) ** 2)) for k in range(1, 40))
    gate = np.clip(np.sin(2 * np.pi * 4 * t) * 3, 0, 1)
    return (0.4 * buzz * gate + 0.002 * rng.standard_normal(len(t))).astype(np.float32)


def told(engine: Audio2Exp, sound: np.ndarray, line: Line = LINE) -> np.ndarray:
    return np.stack([e.exp for e in engine.express([SpeechChunk(line, 0, sound.astype(np.float32))])])


FAULTS = {
    "nan": lambda s: np.where(np.arange(len(s)) % 97 == 0, np.nan, s),
    "all nan": lambda s: np.full_like(s, np.nan),
    "inf": lambda s: np.where(np.arange(len(s)) % 997 == 0, -np.inf, s),
    "huge": lambda s: s * np.float32(1e30),
    "clipped": lambda s: np.clip(s * 20, -1, 1),
    "dc": lambda s: s + 0.8,
    "dc comes": lambda s: s - np.where(np.arange(len(s)) > len(s) / 2, 0.5, 0),
    "square": np.sign,
    "telephone": lambda s: np.repeat(s[::3], 3)[: len(s)],
    "tiny": lambda s: s * np.float32(1e-30),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_bad_sound_gives_bounded_coefficients_and_sound(engine: Audio2Exp, fault: str) -> None:
    sound = FAULTS[fault](syllables(60)).astype(np.float32)
    expressions = list(engine.express([SpeechChunk(LINE, 0, sound)]))
    curves = np.stack([e.exp for e in expressions])
    assert np.isfinite(curves).all()
    assert (curves >= limits.LOW).all()
    assert (curves <= limits.HIGH).all()
    assert np.abs(np.concatenate([e.sound for e in expressions])).max() <= 1.0
    assert not curves[-1].any()


@pytest.mark.parametrize("offset", [0.05, -0.2, 0.5])
def test_an_offset_is_not_heard(engine: Audio2Exp, offset: float) -> None:
    sound = 0.4 * syllables(150)
    clean, off = told(engine, sound), told(engine, sound + np.float32(offset))
    assert np.corrcoef(aperture(clean), aperture(off))[0, 1] > 0.98
    silence = told(engine, np.full(TICK_SAMPLES * 200, offset, np.float32), CALM)
    assert np.abs(silence[50:, MOUTH]).max() < 0.02


def test_sound_without_offset_is_heard_as_it_is() -> None:
    network = Network()
    hearing = Hearing(network, 3)
    block = syllables(25) * np.float32(0.5)
    assert hearing._centred(block) is block


def test_telephone_sound_still_moves_the_mouth(engine: Audio2Exp) -> None:
    sound = syllables(150)
    spectrum = np.fft.rfft(sound)
    spectrum[int(4000 / 12_000 * len(spectrum)) :] = 0  # what 8 kHz material holds
    narrow = told(engine, np.fft.irfft(spectrum, len(sound)))
    assert np.ptp(aperture(narrow)) > 0.1
    assert np.corrcoef(aperture(narrow), aperture(told(engine, sound)))[0, 1] > 0.6


@pytest.mark.slow
def test_ten_minutes_of_silence_are_still(engine: Audio2Exp) -> None:
    curves = told(engine, np.zeros(TICK_SAMPLES * 50 * 600, np.float32), CALM)
    assert np.abs(aperture(curves)).max() < 0.02
    assert np.abs(curves[50:, MOUTH]).max() < 0.005
    assert curves[:, CHANNEL["eyeBlinkLeft"]].max() == 1.0, "it lives"


def test_crumbs_of_sound_say_what_the_whole_says(engine: Audio2Exp) -> None:
    sound = syllables(6)
    phones = (Phone("m", 480, 1200), Phone("ɑ", 1200, 2880))
    whole = list(engine.express([SpeechChunk(LINE, 0, sound, phones)]))
    chunks = []
    for at in range(len(sound)):
        begun = tuple(p for p in phones if p.start == at)
        chunks.append(SpeechChunk(LINE, at, sound[at : at + 1], begun, ends_clause=at == len(sound) - 1))
        if at % 100 == 0:
            chunks.append(SpeechChunk(LINE, at + 1, sound[:0], ends_clause=False))
    crumbs = list(engine.express(chunks))
    assert len(crumbs) == len(whole)
    assert max(np.abs(a.exp - b.exp).max() for a, b in zip(whole, crumbs, strict=True)) < 1e-4


def test_empty_chunks_are_no_sound(engine: Audio2Exp) -> None:
    nothing = np.zeros(0, np.float32)
    expressions = list(engine.express([SpeechChunk(LINE, 0, nothing), SpeechChunk(LINE, 0, nothing)]))
    assert len(expressions) == 6
    assert not np.concatenate([e.sound for e in expressions]).any()
