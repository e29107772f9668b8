"""What the engine counts, by the real server with a tone voice, and how Prometheus reads it."""

import os
import threading
import time
from pathlib import Path

import pytest
from guarded import Lodge
from tone import ToneStage

from npc_engine import keys
from npc_engine.client import Client, ClientError
from npc_engine.frames.guard import Stats
from npc_engine.moments import Line, Outputs
from npc_engine.server.metrics import BUCKETS_S, ClientFigures, Metrics, Work
from npc_engine.server.server import Server
from npc_engine.speech.cache import TakeCache
from npc_engine.wire.messages import Accepted, Cancelled, End, ErrorMessage, Moments

TEXT = "one two three four five six seven eight"  # 40 ticks
LONG = "word " * 2_000
DOCS = Path(__file__).parent.parent / "docs" / "operation.md"

try:
    from prometheus_client.parser import text_string_to_metric_families

    from npc_engine.server.exposition import Exposition
except ModuleNotFoundError:
    if "CI" in os.environ:
        raise
    pytest.skip("prometheus-client is missing: pip install 'npc-engine[server]'", allow_module_level=True)


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def drain(client, until, timeout_s=30.0):
    events = []
    end = time.monotonic() + timeout_s
    while not until(events):
        assert time.monotonic() < end, f"only {[type(e).__name__ for e in events]} came"
        events += client.poll(0.05)
    return events


def over(events):
    return any(isinstance(e, End | Cancelled | ErrorMessage) for e in events)


@pytest.fixture
def stage(tmp_path):
    return ToneStage(tmp_path)


@pytest.fixture
def server(stage):
    server = Server(stage, "tcp://127.0.0.1:*")
    server.start()
    yield server
    server.stop()


def read(server, **more):
    """Every sample by name and labels, as a scrape sees it."""
    _, kind, body = Exposition(server.metrics, server.health, **more).page()
    assert kind.startswith("text/plain; version=0.0.4")
    families = list(text_string_to_metric_families(body.decode()))
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for f in families for s in f.samples}


def sample(server, name, **labels):
    return read(server).get((f"npc_engine_{name}", tuple(sorted(labels.items()))))


def lines(server, outcome, code="", kind="speaking"):
    return sample(server, "lines_total", kind=kind, outcome=outcome, code=code)


def until(happened, timeout_s=20.0):
    end = time.monotonic() + timeout_s
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.002)


# ── lines ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_lines_are_counted_by_how_they_ended(server):
    with Client(server.address) as client:
        assert isinstance(list(client.say("anna", TEXT))[-1], End)
        assert isinstance(list(client.say("ben", TEXT))[-1], End)
        line = client.speak("ben", LONG, credit_ms=100)
        drain(client, lambda events: any(isinstance(e, Moments) for e in events))
        client.cancel(line)
        drain(client, over)
        for npc, text, code in (
            ("nobody", TEXT, "unknown-npc"),
            ("anna", "ünspeakable", "bad-text"),
            ("anna", "one !boom", "internal"),
            ("anna", " ", "bad-text"),
        ):
            client.speak(npc, text)
            error = next(e for e in drain(client, over) if isinstance(e, ErrorMessage))
            assert error.code == code
        assert lines(server, "ended") == 2
        assert lines(server, "cancelled") == 1
        assert lines(server, "refused", "unknown-npc") == 1
        assert lines(server, "failed", "bad-text") == 1  # it was accepted before its voice saw the text
        assert lines(server, "failed", "internal") == 1
        assert lines(server, "refused", "bad-text") == 1  # seen by the session
        assert sample(server, "errors_total", code="bad-text") == 2
        assert sample(server, "open_lines", kind="speaking") == 0
        client.speak("anna", LONG, credit_ms=100)
        drain(client, lambda events: any(isinstance(e, Moments) for e in events))
        assert sample(server, "open_lines", kind="speaking") == 1
    until(lambda: lines(server, "lost") == 1)
    assert sample(server, "clients_gone_total") == 1
    assert sample(server, "open_lines", kind="speaking") == 0


def test_lines_that_say_nothing_are_of_another_kind(server):
    with Client(server.address) as client:
        line = client.idle("anna", outputs=Outputs(picture=64))
        drain(client, lambda events: any(isinstance(e, Moments) for e in events))
        assert sample(server, "open_lines", kind="silent") == 1
        assert sample(server, "open_lines", kind="speaking") == 0
        client.cancel(line)
        drain(client, over)
    assert lines(server, "cancelled", kind="silent") == 1
    assert sample(server, "first_moment_seconds_count") == 0


def test_a_line_that_is_said_again_is_counted_once(server):
    with Client(server.address) as client:
        line = client.speak("ben", TEXT, line="the same", credit_ms=2_000)
        drain(client, over)
        client.speak("ben", TEXT, line=line, credit_ms=2_000)
        client.ping(5)
        drain(client, lambda events: any(e.kind == "pong" for e in events))
    assert lines(server, "ended") == 1


def test_sound_pictures_bytes_and_cpu_are_counted(server):
    with Client(server.address) as client:
        events = list(client.say("anna", TEXT, outputs=Outputs(picture=64)))
        pictures = sum(e.picture is not None for e in events if isinstance(e, Moments))
        assert sample(server, "sent_seconds_total") == pytest.approx(40 * 0.02)
        assert sample(server, "sound_made_seconds_total") == pytest.approx(40 * 0.02)
        assert sample(server, "pictures_total", what="drawn") == pictures == 20
        assert sample(server, "pictures_total", what="thinned") == 0
        for stage in ("speech", "expression", "picture", "encode", "send"):
            assert 0 < sample(server, "stage_cpu_seconds_total", stage=stage) < 30
        assert sample(server, "messages_total", direction="in") >= 2
        assert sample(server, "messages_total", direction="out") >= 22
        assert sample(server, "message_bytes_total", direction="out") > 40 * 960
        assert sample(server, "clients") == 1
        assert sample(server, "connections") == 1
        assert sample(server, "first_moment_seconds_count") == 1
        assert 0 < sample(server, "first_moment_seconds_sum") < 30
        assert sample(server, "first_moment_seconds_bucket", le="+Inf") == 1


def test_what_a_game_does_not_take_is_queued(server):
    with Client(server.address) as client:
        line = client.speak("ben", "word " * 20, credit_ms=200)  # 100 ticks, of which 10 may leave
        drain(client, lambda events: sum(e.ticks for e in events if isinstance(e, Moments)) == 10)
        until(lambda: sample(server, "queued_milliseconds") >= 200)
        client.credit(line, 2_000)
        drain(client, over)
        assert sample(server, "queued_milliseconds") == 0


def test_nothing_that_a_game_names_becomes_a_label(server):
    with Client(server.address, name="mallory-client") as client:
        list(client.say("anna", TEXT))
        client.speak("mallory-npc", TEXT, voice="mallory-voice", line="mallory-line")
        drain(client, over)
    _, _, body = Exposition(server.metrics, server.health).page()
    assert b"mallory" not in body


def test_strangers_and_the_revoked_are_counted(stage, tmp_path):
    lodge = Lodge(tmp_path / "keys")
    server = Server(stage, "tcp://127.0.0.1:*", keys=lodge.folder)
    server.start()
    try:
        with lodge.client(server.address, lodge.anna) as client:
            assert sample(server, "handshakes_refused_total") == 0
            with pytest.raises(ClientError):
                lodge.client(server.address, lodge.make("eve", allow=False), timeout_s=1.0)
            assert sample(server, "handshakes_refused_total") >= 1
            assert sample(server, "clients") == 1
            keys.revoke(lodge.folder, "anna")
            line = client.speak("ben", TEXT)
            assert any(e.line == line for e in drain(client, over))  # `disconnected`, which the client says itself
        until(lambda: sample(server, "clients_gone_total") == 1)
    finally:
        server.stop()


# ── the books by themselves ───────────────────────────────────────────────────────────────────────────────────────


def test_first_moments_fall_into_their_buckets():
    clock = Clock()
    metrics, client = Metrics(clock), ClientFigures()
    for number, took in enumerate((0.009, 0.0099, 0.0101, 0.149, 4.9, 60.0)):
        metrics.begin(client, Line(str(number), "anna", "x"), Work())
        clock.now += took
        metrics.sent(client, str(number), 1, 0.0)
        clock.now += 5
        metrics.sent(client, str(number), 1, 0.0)  # which is not the first
        metrics.end(client, str(number), "ended")
    counted = dict(zip((*BUCKETS_S, "above"), metrics.counts.firsts, strict=True))
    assert {end: count for end, count in counted.items() if count} == {0.01: 2, 0.02: 1, 0.15: 1, 5.0: 1, "above": 1}
    assert metrics.counts.firsts_s == pytest.approx(0.009 + 0.0099 + 0.0101 + 0.149 + 4.9 + 60)
    assert client.first_moment_ms == 149


def test_a_line_that_waited_for_its_character_tells_nothing_of_first_moments():
    clock = Clock()
    metrics, client = Metrics(clock), ClientFigures()
    metrics.begin(client, Line("l", "anna", "x"), Work())
    metrics.say(client, Accepted("l", None, 1))
    clock.now += 3
    metrics.sent(client, "l", 1, 0.0)
    assert sum(metrics.counts.firsts) == 0
    assert client.first_moment_ms == 0


def test_a_client_sees_its_own_figures():
    metrics, anna, ben = Metrics(Clock()), ClientFigures(), ClientFigures()
    work = Work(samples=4_800, pictures=3)
    metrics.begin(anna, Line("l", "anna", "x"), work)
    metrics.begin(ben, Line("l", "anna", "x"), Work(pictures=5))
    metrics.sent(anna, "l", 4, 0.1)
    assert (anna.queued_ms, anna.work.pictures, anna.work.ticks) == (120, 3, 4)
    assert (ben.queued_ms, ben.work.pictures, ben.work.ticks) == (0, 5, 0)
    metrics.end(anna, "l", "ended")
    assert (anna.queued_ms, anna.work.pictures, anna.work.send_s) == (0, 3, 0.1)
    assert metrics.total()[0].pictures == 8


def test_totals_never_go_back_while_lines_end():
    metrics, client = Metrics(), ClientFigures()
    stopping = threading.Event()
    seen = []

    def scrape():
        while not stopping.is_set():
            seen.append(metrics.total()[0].samples)

    reader = threading.Thread(target=scrape)
    reader.start()
    for i in range(3_000):
        work = Work()
        metrics.begin(client, Line(str(i), "anna", "x"), work)
        work.samples += 480
        metrics.end(client, str(i), "ended")
    stopping.set()
    reader.join()
    assert seen == sorted(seen)
    assert metrics.total()[0].samples == 3_000 * 480


def test_load_is_the_share_of_the_cores():
    clock, cpu = Clock(), Clock()
    metrics = Metrics(clock, cpu)
    assert metrics.load() == 0
    clock.now += 2
    cpu.now += 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert metrics.load() == pytest.approx(1 / 2 / cores)
    clock.now += 0.1  # too soon to tell anything new
    cpu.now += 0.1
    assert metrics.load() == pytest.approx(1 / 2 / cores)


def test_guards_are_told_by_face(server):
    stats = Stats(judged=5, failed=1, damped=20, recoloured=7, lowest=0.41)
    told = read(server, guards=lambda: {"smith": stats, "elder": Stats()})
    whose = ("face", "smith")
    assert told["npc_engine_guard_pictures_total", (whose, ("what", "damped"))] == 20
    assert told["npc_engine_guard_lowest_score", (whose,)] == 0.41
    assert ("npc_engine_guard_lowest_score", (("face", "elder"),)) not in told


def test_every_metric_stands_in_the_docs_and_no_other(server):
    rows = [row.split("|")[1].strip() for row in DOCS.read_text(encoding="utf-8").splitlines() if "| `npc_" in row]
    rows += [row.split("|")[1].strip() for row in DOCS.read_text(encoding="utf-8").splitlines() if "| `process_" in row]
    documented = {row.strip("`").partition("{")[0]: row.strip("`") for row in rows}
    with Client(server.address) as client:
        list(client.say("anna", TEXT))
        client.speak("nobody", TEXT)
        drain(client, over)
        _, _, body = Exposition(
            server.metrics, server.health, lambda: {"disc": Stats(lowest=0.9)}, lambda: TakeCache(folder=None)
        ).page()
    families = list(text_string_to_metric_families(body.decode()))
    found = {}
    for family in families:
        names = {s.name for s in family.samples}
        name = family.name if family.type == "histogram" else min(names, key=len)
        labels = sorted({label for s in family.samples for label in s.labels} - {"le"})
        found[name] = name + ("{" + ",".join(labels) + "}" if labels else "")
    if not Path("/proc/self/status").exists():  # the process's own come from /proc
        documented = {name: row for name, row in documented.items() if not name.startswith("process_")}
    assert documented == found
