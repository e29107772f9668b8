"""The parts of a cluster that need no Ray: windows, going on elsewhere, frames, what a gateway keeps, who is chosen."""

import asyncio
import pickle
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from tone import ToneStage

from npc_engine.cast import CastError
from npc_engine.cli import main
from npc_engine.cluster.company import Names
from npc_engine.cluster.desk import Desk
from npc_engine.cluster.orders import ABANDONED_S, UNWANTED_S, WINDOW, Committed, Heard, Lines, Order, Taken, Written
from npc_engine.cluster.part import Part
from npc_engine.cluster.remote import Remote
from npc_engine.cluster.routing import SPREAD_MS, Load, ranked
from npc_engine.cluster.scaling import QUEUE_MS, replicas_wanted
from npc_engine.moments import NEUTRAL, Line, Outputs
from npc_engine.server.performer import Begun, Complete, Failed, MarkHere, Tick
from npc_engine.server.performing import Local
from npc_engine.wire.effects import Start

TEXT = "one two three #here " + " ".join(f"word{k}" for k in range(20))  # 115 ticks
TICKS = 115


@pytest.fixture
def local(tmp_path):
    return Local(ToneStage(tmp_path), lambda: None, 5.0)


def start(text=TEXT, line="l", npc="anna", **more):
    outputs = more.pop("outputs", Outputs(picture=64))
    return Start(Line(line, npc, text, outputs=outputs), npc, "", "", **more)


def order(asked, key="k", **more):
    return Order(key, "gateway", asked, NEUTRAL, 0.0, **more)


def part(local, given):
    made = Part(given, local.performing(given.start, given.begin, given.breath))
    made.begin()
    return made


def handed(made, until, seconds=20):
    """What a part hands out, until there is so much of it, or its end."""
    out = []
    end = time.monotonic() + seconds
    while len(out) < until and not made.over:
        assert time.monotonic() < end, f"{len(out)} things came"
        count, _ = made.ready()
        out += made.hand_out(count) if count else []
        time.sleep(0.001)
    return out


def everything(made, taken=0):
    out = []
    while not made.over:
        out += handed(made, 1)
        made.hear(Taken(made.key, taken + sum(isinstance(item, Tick) for item in out)))
    return out


def same(one, other):
    assert len(one) == len(other)
    for mine, its in zip(one, other, strict=True):
        if isinstance(mine, Tick):
            assert np.array_equal(mine.exp, its.exp)
            mine, its = replace(mine, exp=NEUTRAL), replace(its, exp=NEUTRAL)  # noqa: PLW2901
        assert type(mine) is type(its)
        assert repr(mine) == repr(its)


def test_a_part_stays_within_its_window(local):
    made = part(local, order(start()))
    out = handed(made, WINDOW + 2)  # and the character, and a mark
    ticks = [item.tick for item in out if isinstance(item, Tick)]
    assert ticks == list(range(WINDOW))
    assert isinstance(out[0], Begun)
    deadline = time.monotonic() + 0.3
    while time.monotonic() < deadline:
        assert made.ready()[0] == 0
    made.hear(Taken("k", 5))
    assert sum(isinstance(item, Tick) for item in handed(made, 5)) == 5
    made.stop()
    assert made.over


def test_a_part_that_goes_on_makes_the_same_and_draws_nothing_twice(local):
    whole = everything(part(local, order(start())))
    assert sum(isinstance(item, Tick) for item in whole) == TICKS
    assert sum(isinstance(item, MarkHere) for item in whole) == 1
    assert isinstance(whole[-1], Complete)
    for had in (0, 1, 2, 17, 18, 60, len(whole) - 1):
        ticks = sum(isinstance(item, Tick) for item in whole[:had])
        again = part(local, order(start(undrawn=ticks), made=had, taken=ticks))
        same(whole[had:], everything(again, ticks))
        assert again._performing.work.pictures == sum(
            isinstance(item, Tick) and item.picture is not None for item in whole[had:]
        )


def test_open_text_is_performed_again_with_all_that_was_written(local):
    asked = start("one two thr", open=True)
    first = part(local, order(asked, complete=False))
    first.hear(Written("k", "ee four five six"))
    first.hear(Written("k", " seven"))
    first.hear(Committed("k"))
    whole = everything(first)
    again = part(local, order(asked, written=("ee four five six", " seven"), made=12, taken=11))
    same(whole[12:], everything(again, 11))


def test_a_fault_is_handed_out_wherever_it_stands(local):
    asked = start("one two three four five !boom")
    whole = everything(part(local, order(asked)))
    assert isinstance(whole[-1], Failed)
    again = everything(part(local, order(asked, made=len(whole) + 5, taken=0)))  # it fails before it did then
    assert isinstance(again[-1], Failed)


def test_queued_sound_shrinks_as_it_is_made(local):
    made = part(local, order(start()))
    before = made.owed_ms()
    assert before > 1000
    everything(made)
    assert made.owed_ms() == 0
    idle = part(
        local, order(Start(Line("i", "anna", "", attitude="idle", outputs=Outputs(picture=64)), "anna", "", ""))
    )
    assert idle.owed_ms() > 0
    idle.stop()
    assert idle.owed_ms() == 0


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self):
        self.seconds = 100.0

    def __call__(self):
        return self.seconds


def test_frames_carry_lines_and_heartbeats_and_end_with_the_gateway(local):
    async def read():
        clock = Clock()
        desk = Desk(clock)
        frames = desk.frames()
        for key in "ab":
            given = order(start("one two three four five", line=key), key)
            desk.begin(Part(given, local.performing(given.start, given.begin, given.breath)))
        got = {"a": [], "b": []}
        for _ in range(2000):
            clock.seconds += 0.1
            frame = pickle.loads(await asyncio.wait_for(frames.__anext__(), 20))  # noqa: S301
            for key, first, made in frame.made:
                assert first == len(got[key])
                got[key] += made
            desk.hear([Taken(key, sum(isinstance(item, Tick) for item in got[key])) for key in got])
            if all(made and isinstance(made[-1], Complete) for made in got.values()):
                break
        assert [type(made[-1]) for made in got.values()] == [Complete, Complete]
        clock.seconds += 1
        frame = pickle.loads(await frames.__anext__())  # noqa: S301
        assert frame.made == ()  # it lives
        assert not desk.unused
        clock.seconds += ABANDONED_S + 1
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(frames.__anext__(), 20)
        assert desk.unused

    asyncio.run(read())


def test_who_reads_frames_anew_ends_the_former_reading(local):
    async def read():
        desk = Desk()
        former, later = desk.frames(), desk.frames()
        assert await asyncio.wait_for(former.__anext__(), 20)
        assert await asyncio.wait_for(later.__anext__(), 20)
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(former.__anext__(), 20)
        assert await asyncio.wait_for(later.__anext__(), 20)

    asyncio.run(read())


def test_lines_that_the_gateway_does_not_name_stop(local):
    clock = Clock()
    desk = Desk(clock)
    for key in "ab":
        given = order(start(line=key), key)
        desk.begin(Part(given, local.performing(given.start, given.begin, given.breath)))
    clock.seconds += UNWANTED_S / 2
    desk.hear([Lines(frozenset("a"))])
    assert [made.over for made in desk.parts] == [False, False]  # its begin and this may have crossed
    clock.seconds += UNWANTED_S
    desk.hear([Lines(frozenset("a"))])
    assert [made.over for made in desk.parts] == [False, True]
    desk.close()


class Told:
    """What a remote line asks of the links."""

    def __init__(self):
        self.words = []
        self.placed = self.dropped = 0

    def place(self, line):
        self.placed += 1

    def tell(self, line, word, *, urgent):
        self.words.append(word)

    def drop(self, line):
        self.dropped += 1


def ticks(first, count):
    return [Tick(tick, b"", None, None, (), np.full(50, tick, np.float32)) for tick in range(first, first + count)]


def test_a_remote_line_keeps_what_another_replica_needs():
    told = Told()
    rung = []
    line = Remote(start("one ", open=True), NEUTRAL, 0.0, told, lambda: rung.append(1))
    line.begin()
    line.append("two ")
    first = line.order("k1", "gateway")
    assert (first.written, first.complete, first.made) == (("two ",), False, 0)
    line.append("three ")
    assert line.placed(first) == [Written("k1", "three ")]
    line.append("four")
    assert told.words == [Written("k1", "four")]
    assert line.receive(0, [Begun(None), *ticks(0, 9)])
    assert not line.receive(11, ticks(10, 1))  # one is missing
    assert rung == [1]
    line.take(1)
    line.take(8)
    assert told.words[1:] == [Taken("k1", 8)]
    assert line.seen(3)[0][0] == 3
    second = line.order("k2", "gateway")
    assert (second.written, second.made, second.start.undrawn, second.taken) == (("two ", "three ", "four"), 10, 9, 8)
    line.commit()
    assert line.placed(second) == [Committed("k2")]
    assert line.receive(10, [*ticks(9, 1), Complete()])
    assert line.finished
    assert [type(item) for item in line.peek(9)] == [Tick, Tick, Complete]
    line.stop()
    assert told.dropped == 1
    assert line.peek(9) == []


def test_live_sound_waits_for_its_replica_and_comes_before_the_end():
    told = Told()
    sound = np.zeros(480, np.float32)
    line = Remote(start("", live=True), NEUTRAL, 0.0, told, lambda: None)
    line.hear(sound)
    line.commit()
    given = line.order("k", "gateway")
    assert not given.complete
    assert [type(word) for word in line.placed(given)] == [Heard, Committed]
    assert line.begun_live  # its sound is kept nowhere


def test_a_gateway_knows_names_and_loads_nobody(tmp_path):
    stage = ToneStage(tmp_path)
    names = Names(stage.cast)
    assert names.npcs() == stage.npcs()
    assert names.npc("anna").style == "lively"
    with pytest.raises(CastError, match="no character 'ana'"):
        names.npc("ana")
    with pytest.raises(CastError, match="no face 'disk'"):
        names.npc("anna", face="disk")
    with pytest.raises(AssertionError):
        names.npc("anna").voice.speak(Line("l", "anna", "Hello."))


def test_a_character_stays_where_it_is_at_home():
    names = [f"npc{k}" for k in range(200)]
    three = [Load(name) for name in "abc"]
    homes = {npc: ranked(npc, three)[0] for npc in names}
    assert {homes[npc] for npc in names} == set("abc")
    assert homes == {npc: ranked(npc, three[::-1])[0] for npc in names}
    kept = [npc for npc in names if ranked(npc, three[:2])[0] == homes[npc]]
    assert all(npc in kept for npc in names if homes[npc] != "c")  # the loss of one moves nobody else
    npc = next(npc for npc in names if homes[npc] == "a")
    warm = [Load("a"), Load("b", warm=(npc,)), Load("c")]
    assert ranked(npc, warm)[0] == "b"
    busy = [Load("a", SPREAD_MS + 2_000), Load("b", 2_000), Load("c", 1_000)]
    assert ranked(npc, busy)[-1] == "a"
    assert ranked(npc, [Load("a", SPREAD_MS - 1), Load("b", 0)])[0] == "a"
    assert ranked(npc, three, avoid=["a"])[-1] == "a"
    assert ranked(npc, [Load("a", late=True), Load("b", 2 * SPREAD_MS), Load("c", 3 * SPREAD_MS)]) == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("queues", "wanted"),
    [({}, 1), ({"a": 0.0}, 1), ({"a": QUEUE_MS * 0.9, "b": QUEUE_MS * 0.9}, 2), ({"a": QUEUE_MS * 3.5}, 4)],
)
def test_replicas_follow_the_queue(queues, wanted):
    assert replicas_wanted(SimpleNamespace(aggregated_metrics={"queued_ms": queues}))[0] == wanted
    assert replicas_wanted(SimpleNamespace(aggregated_metrics=None))[0] == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--ray-replicas", "3:2"], "--ray-replicas is '3:2', expected 1 or more, and no more than the second number"),
        (["--ray-replicas", "many"], "--ray-replicas is 'many', expected a number, or two as in 2:8"),
        (["--ray-cpus", "-1"], "--ray-cpus is -1, expected 0 to 1024"),
        (["--accelerator", "cuda"], "--accelerator cuda needs --ray-gpus"),
        (["--warm", "lines.txt"], "--warm and --ray: each replica has a cache of its own"),
    ],
)
def test_options_that_can_not_be(options, says, capsys, tmp_path):
    assert main(["serve", "--address", "tcp://127.0.0.1:*", "--cast", str(tmp_path), "--ray", "local", *options]) == 2
    assert says in capsys.readouterr().err
