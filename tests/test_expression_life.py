"""Life: blinks that look like blinks, a head that sways a little, eyes that glance; the same line lives the same."""

import numpy as np

from npc_engine.expression.life import Accents, Life
from npc_engine.moments import CHANNEL

LID, YAW, ROLL = CHANNEL["eyeBlinkLeft"], CHANNEL["headYaw"], CHANNEL["headRoll"]
PITCH, GAZE = CHANNEL["headPitch"], CHANNEL["gazeYaw"]


def talk(ticks: int) -> np.ndarray:
    t = np.arange(ticks)
    return (0.1 * np.clip(np.sin(t * 0.5), 0.01, 1) * (1 + (t % 60 < 8))).astype(np.float32)


def stressed(loudness: np.ndarray) -> np.ndarray:
    return Accents().step(loudness)


def blinks(lids: np.ndarray) -> list[tuple[int, int]]:
    """First tick and length of each."""
    inside = np.flatnonzero(np.diff(np.concatenate([[0], lids > 0, [0]]).astype(int)))
    return [(int(a), int(b - a)) for a, b in inside.reshape(-1, 2)]


def test_blinks() -> None:
    first = []
    for line in range(40):
        moves = Life("smith", f"line {line}").step(stressed(talk(3000)))
        assert np.array_equal(moves[:, LID], moves[:, CHANNEL["eyeBlinkRight"]])
        found = blinks(moves[:, LID])
        first.append(found[0][0])
        assert all(10 <= length <= 15 for _, length in found)
        assert all(moves[a : a + n, LID].max() == 1.0 for a, n in found[:-1])
        gaps = np.diff([a for a, _ in found])
        assert ((gaps >= 249) & (gaps <= 400)).all()
    assert min(first) >= 15, "never in the first 300 ms"
    assert sum(f < 100 for f in first) >= 8, "but sometimes in the first two seconds"


def test_the_same_line_lives_the_same_and_others_differently() -> None:
    once, again = (Life("smith", "a").step(stressed(talk(500))) for _ in range(2))
    assert np.array_equal(once, again)
    for npc, line in (("smith", "b"), ("elder", "a"), ("smitha", "")):
        assert np.abs(Life(npc, line).step(stressed(talk(500))) - once).max() > 0.01


def test_a_cut_changes_nothing() -> None:
    whole, parts, at = Life("n", "l").step(stressed(talk(1000))), [], 0
    life, accents = Life("n", "l"), Accents()
    for ticks in (1, 8, 16, 25, 300, 0, 650):
        parts.append(life.step(accents.step(talk(1000)[at : at + ticks])))
        at += ticks
    assert np.abs(np.vstack(parts) - whole).max() < 1e-6


def test_the_head_sways_within_what_speech_does() -> None:
    moves = np.concatenate([Life("n", str(i)).step(stressed(talk(1500))) for i in range(10)])
    degrees = np.degrees(np.abs(moves[:, [YAW, ROLL, PITCH]]).max(axis=0))
    assert 1.5 < degrees[0] < 5
    assert 1.0 < degrees[1] < 3.5
    assert 1.0 < degrees[2] < 5
    assert np.degrees(np.abs(np.diff(moves[:1500, [YAW, ROLL, PITCH]], axis=0))).max() < 0.8, "no jerks"
    assert not moves[0, [YAW, ROLL, PITCH]].any(), "a line begins from rest"


def test_eyes_come_back_to_the_listener() -> None:
    moves = Life("n", "l").step(stressed(talk(3000)))
    look = np.degrees(moves[:, GAZE] + 0.6 * moves[:, YAW])
    assert np.abs(look).max() <= 4.01
    assert (np.abs(look) < 0.1).mean() > 0.3
    assert np.abs(look).max() > 1


def test_loud_accents_nod() -> None:
    quiet = np.full(300, 0.02, np.float32)
    accent = quiet.copy()
    accent[150:165] = 0.3
    nod = np.degrees(Life("n", "l").step(stressed(accent))[:, PITCH] - Life("n", "l").step(stressed(quiet))[:, PITCH])
    assert nod.min() < -0.7
    assert nod.max() <= 1e-6
    assert 150 < int(nod.argmin()) < 175
