"""Contacts: lips meet where a phone says so, whatever a network says, and a mouth that is right is left alone."""

import numpy as np
import pytest

from npc_engine.expression.aperture import aperture
from npc_engine.expression.contacts import Contact, Contacts, enforced
from npc_engine.expression.limits import SPEED, Limiter
from npc_engine.expression.window import VISEMES
from npc_engine.moments import CHANNEL, EXP50, TICK_SAMPLES, Phone
from training.teacher import teach

JAW, CLOSE, ROLL = CHANNEL["jawOpen"], CHANNEL["mouthClose"], CHANNEL["mouthRollLower"]
UPPER = CHANNEL["mouthUpperUpLeft"]


def ms(symbol: str, begin: float, end: float) -> Phone:
    return Phone(symbol, int(begin * 24), int(end * 24))


WORD = (
    ms("sil", 0, 200),
    ms("ɑ", 200, 330),
    ms("m", 330, 400),
    ms("ɑ", 400, 540),
    ms("f", 540, 630),
    ms("i", 630, 760),
)


def unsure(ticks: int) -> np.ndarray:
    return np.full((ticks, 4, len(VISEMES)), 1 / len(VISEMES), np.float32)


def surely(viseme: str, ticks: slice, count: int, p: float = 0.9) -> np.ndarray:
    """P f32[count, 4, 15] of a network that sees `viseme` in `ticks`."""
    now = np.full((count + 3, len(VISEMES)), 0.01, np.float32)
    now[ticks, VISEMES.index(viseme)] = p
    return np.lib.stride_tricks.sliding_window_view(now, 4, axis=0).swapaxes(1, 2)[:count].copy()


def told(phones: tuple[Phone, ...], ticks: int = 40) -> Contact:
    contacts = Contacts()
    contacts.tell(phones)
    return contacts.step(unsure(ticks))


def agape(ticks: int, jaw: float = 0.5) -> np.ndarray:
    exp = np.zeros((ticks, len(EXP50)), np.float32)
    exp[:, JAW] = jaw
    for name in ("mouthLowerDown", "mouthUpperUp"):
        exp[:, [CHANNEL[name + "Left"], CHANNEL[name + "Right"]]] = 0.2
    return exp


@pytest.mark.parametrize("symbol", ["p", "b", "m", "pʰ"])
@pytest.mark.parametrize("length", [30, 60, 90, 250])
def test_lips_meet_in_the_middle_of_a_bilabial_for_50_ms_and_are_free_beside_it(symbol: str, length: int) -> None:
    contact = told((ms("ɑ", 0, 300), ms(symbol, 300, 300 + length), ms("ɑ", 300 + length, 800)))
    middles = (np.arange(40) + 0.5) * 20
    held = middles[contact.seal > 0.9]
    assert (np.abs(middles - 300 - length * 0.45) < 12)[contact.seal > 0.9].any()
    assert len(held) * 20 >= max(40, 0.5 * length)
    free = (middles < 300 - 60) | (middles > 300 + length + 45)
    assert not contact.seal[free].any()
    assert not contact.bite.any()
    assert aperture(enforced(agape(40), contact))[contact.seal > 0.99].max() <= 0


@pytest.mark.parametrize("symbol", ["f", "v", "ɱ", "ʋ"])
def test_the_lower_lip_meets_the_teeth(symbol: str) -> None:
    contact = told((ms("ɑ", 0, 300), ms(symbol, 300, 390), ms("ɑ", 390, 800)))
    exp = enforced(agape(40), contact)[17]
    assert contact.bite[17] == 1
    assert not contact.seal.any()
    assert exp[JAW] <= 0.07
    assert exp[ROLL] >= 0.4
    assert exp[UPPER] == pytest.approx(0.2)
    assert exp[CHANNEL["mouthLowerDownLeft"]] == 0


def test_other_phones_leave_the_mouth_alone() -> None:
    contact = told(tuple(ms(s, i * 60, i * 60 + 60) for i, s in enumerate("ɑtsnkwʃθlɹuɪ")))
    assert not contact.any
    exp = agape(40)
    assert enforced(exp, contact) is exp


def test_a_mouth_as_it_was_taught_is_left_nearly_alone() -> None:
    rng = np.random.default_rng(0)
    sound = (0.1 * rng.standard_normal(TICK_SAMPLES * 40)).astype(np.float32)
    taught = teach(sound, WORD).exp
    difference = enforced(taught, told(WORD)) - taught
    assert np.abs(difference).max() < 0.09
    assert np.abs(difference).mean() < 0.002


def test_a_short_vowel_between_two_closures_still_opens() -> None:
    contact = told((ms("m", 100, 170), ms("ə", 170, 215), ms("m", 215, 280)))
    between = contact.seal[8:11]
    assert between.min() < 0.6


def test_phones_that_come_late_start_their_ramp_when_they_come() -> None:
    contacts = Contacts()
    contacts.tell((ms("ɑ", 0, 300),))
    before = contacts.step(unsure(15))
    contacts.tell((ms("m", 300, 370), ms("ɑ", 370, 800)))
    after = contacts.step(unsure(10))
    assert not before.any
    assert 0 < after.seal[0] < 0.7
    assert after.seal[1] > 0.95


@pytest.mark.parametrize("cut", [1, 3, 7])
def test_a_cut_changes_nothing(cut: int) -> None:
    for phones, likely in ((WORD, unsure(40)), ((), surely("PP", slice(10, 14), 40))):
        whole, parts = Contacts(), Contacts()
        whole.tell(phones)
        parts.tell(phones)
        once = whole.step(likely)
        again = [parts.step(likely[at : at + cut]) for at in range(0, 40, cut)]
        assert np.abs(once.seal - np.concatenate([c.seal for c in again])).max() < 1e-6
        assert np.abs(once.bite - np.concatenate([c.bite for c in again])).max() < 1e-6


def test_without_phones_a_sure_network_closes_the_lips_and_an_unsure_one_does_not() -> None:
    for viseme, side in (("PP", "seal"), ("FF", "bite")):
        sure = Contacts().step(surely(viseme, slice(10, 14), 40))
        share = getattr(sure, side)
        assert share[10:12].min() > 0.95
        assert not share[:8].any()
        assert not share[15:].any()
        assert not getattr(sure, "bite" if side == "seal" else "seal").any()
    assert not Contacts().step(surely("PP", slice(10, 14), 40, p=0.3)).any


def test_the_override_does_not_flicker() -> None:
    likely = surely("PP", slice(10, 20), 40)
    likely[:, :, VISEMES.index("PP")] *= np.where(np.arange(40) % 2, 0.6, 1)[:, None]
    share = Contacts().step(likely).seal
    assert share[11:18].min() > 0.9


def test_phones_overrule_the_network() -> None:
    contacts = Contacts()
    contacts.tell((ms("ɑ", 0, 800),))
    assert not contacts.step(surely("PP", slice(10, 14), 40)).any


@pytest.mark.parametrize("amount", [0.4, 1.0, 1.35, 2.7])
@pytest.mark.parametrize("symbol", ["p", "f"])
def test_contacts_hold_at_any_gain_and_no_face_moves_too_fast(amount: float, symbol: str) -> None:
    contact = told((ms("ɑ", 0, 300), ms(symbol, 300, 370), ms("ɑ", 370, 800)))
    left = Limiter().step(enforced(agape(40) * np.float32(amount), contact, amount), contact.seal)
    assert (np.abs(np.diff(left, axis=0)) <= SPEED + 1e-6).all()
    middle = left[16:18]
    if symbol == "p":
        assert aperture(middle).min() <= 0
    else:
        assert middle[:, JAW].min() <= 0.12 * max(amount, 1)
        assert middle[:, ROLL].max() >= 0.35 * min(amount, 1)
    assert aperture(left[:10]).max() > 0.2 * amount
