"""npc-engine bench server: its books of what is heard, its search, and a small measurement of a real server."""

import argparse
import json

import pytest

from npc_engine.cli import main
from npc_engine.commands import bench_server_trial
from npc_engine.commands.bench import served
from npc_engine.commands.bench_lines import line
from npc_engine.commands.bench_server import report, search, silences, spread
from npc_engine.commands.bench_server_player import Character, Job, Played
from npc_engine.commands.bench_server_trial import Trial, probed, trial


def character(seen, picture=0):
    return Character(Job("", "anna", 1, 0, picture, 0.0, 0.0, 100.0), 0, seen)


def moment(tick, ticks, **more):
    return {"kind": "moment", "tick": tick, "ticks": ticks, **more}


def test_what_comes_before_its_sample_is_heard_is_in_time():
    seen = Played()
    one = character(seen)
    asked = one.speak(1.0)
    assert asked["turn"] == "beside"
    assert "picture" not in asked["outputs"]
    one.hear(moment(0, 1), 1.05)
    assert seen.first_ms == [pytest.approx(50)]
    one.hear(moment(1, 30), 1.06)
    one.hear(moment(31, 2), 1.50)  # due at 1.05 + 0.62
    assert (seen.ticks, seen.late) == (2, 0)  # those of the first 300 ms do not count
    assert seen.least_ahead_ms == pytest.approx(170)


def test_what_comes_late_is_counted_and_the_game_goes_on_from_there():
    seen = Played()
    one = character(seen)
    one.speak(1.0)
    one.hear(moment(0, 20), 1.0)
    one.hear(moment(20, 2), 1.5)  # due at 1.4
    assert (seen.ticks, seen.late) == (2, 2)
    assert seen.latest_ms == pytest.approx(100)
    one.hear(moment(22, 2), 1.53)  # due at 1.44, but the game was silent for 100 ms
    assert (seen.ticks, seen.late) == (4, 2)


def test_credit_follows_what_was_heard():
    seen = Played()
    one = character(seen)
    one.speak(0.0)
    assert one.play(0.1, 0.0) is None
    one.hear(moment(0, 1), 0.2)
    one.hear(moment(1, 29), 0.21)
    assert one.play(0.25, 0.24) is None  # 40 ms were heard: less than is worth a message
    credit = one.play(0.35, 0.34)
    assert credit == {"kind": "credit", "line": "0.1", "ms": 140}
    assert one.play(0.36, 0.35) is None
    assert one.play(9.0, 8.99)["ms"] == 600 - 140  # no more was heard than had come
    assert seen.heard_s == pytest.approx(0.03)  # 8.99 to 9 was silence
    one.end(30)
    following = one.play(9.01, 9.0)
    assert following["kind"] == "speak"
    assert following["text"] != line(0, 1)
    assert seen.lines == 1


def test_a_refused_line_is_followed_by_another_but_not_at_once():
    seen = Played()
    one = character(seen)
    one.speak(1.0)
    one.fail("too many lines", 1.1)
    assert one.play(1.2, 1.1) is None
    assert one.play(1.7, 1.6)["kind"] == "speak"
    assert seen.errors == ["too many lines"]
    assert seen.heard_s == 0


def test_pictures_that_were_left_out_are_counted():
    seen = Played()
    one = character(seen, picture=128)
    one.speak(0.0)
    one.hear(moment(0, 1, picture=5, picture_tick=0), 0.1)
    one.hear(moment(1, 1), 0.1)
    one.hear(moment(2, 2), 0.1)
    one.hear(moment(4, 2, picture=5, picture_tick=4), 0.1)
    assert (seen.pictures, seen.pictures_wanted) == (2, 3)
    assert Trial(1, 128, 1.0, seen).thinned == pytest.approx(1 / 3)
    assert not Trial(1, 128, 1.0, seen).holds


def test_real_time_is_kept_with_one_late_tick_in_a_thousand_and_no_error():
    assert Trial(1, 0, 1.0, Played(ticks=1000, late=1)).holds
    assert not Trial(1, 0, 1.0, Played(ticks=1000, late=2)).holds
    assert not Trial(1, 0, 1.0, Played(ticks=1000, errors=["overloaded"])).holds
    assert not Trial(1, 0, 1.0, Played()).holds  # nothing came


@pytest.mark.parametrize("highest", [0, 1, 3, 32, 50, 64, 127, 128, 500])
def test_the_highest_number_that_holds_is_found(highest):
    asked = []

    def holds(count):
        asked.append(count)
        return count <= highest

    found = search(holds, 32, 128)
    assert found <= min(highest, 128)
    assert found >= min(highest, 128) * 15 // 16 - (highest < 16)
    assert len(asked) == len(set(asked)) <= 9


def test_lines_are_different_and_not_said_twice():
    said = [line(speaker, number) for speaker in range(8) for number in range(20)]
    assert len(set(said)) == len(said)
    assert all(20 <= len(text) <= 140 for text in said)
    assert len({line(3, number) for number in range(420)}) == 420


def test_silence_is_when_nothing_is_computed_any_more():
    assert silences({"a": 2.0, "b": 3.0}, {"b": 10.0, "of another client": 99.0}) == [2.0, 13.0]
    assert spread([1.0, 2.0, 3.0, 100.0]) == {"n": 4, "p50": 3.0, "p95": 100.0, "p99": 100.0}


@pytest.mark.slow
def test_a_server_is_measured(monkeypatch, tmp_path):
    for name, seconds in (("SETTLING_S", 0.5), ("PROBE_S", 1.0)):
        monkeypatch.setattr(bench_server_trial, name, seconds)
    log = tmp_path / "server.log"
    options = ("--log-level", "debug", "--log-format", "json", "--log-file", str(log))
    arguments = argparse.Namespace(cast=None, accelerator="cpu")
    with served(arguments, options) as (process, address, _):
        found = trial(process.pid, address, "maren", 3, picture=0, seconds=2.0)
        pictured = trial(process.pid, address, "maren", 1, picture=64, seconds=2.0)
        answers = probed(address, "maren", 2, 4)
    assert found.seen.errors == pictured.seen.errors == answers.errors == []
    assert 1.0 < found.seen.heard_s <= 6.1
    assert found.seen.ticks > 50
    assert found.seen.messages > found.seen.lines
    assert pictured.seen.pictures > 0
    assert found.server_cpu_s is None or found.server_cpu_s > 0
    assert len(answers.first_ms) == len(answers.cancel_ms) == 4
    assert answers.after == 0
    assert all(ms > 0 for ms in answers.first_ms)
    assert "after its stop" in log.read_text(encoding="utf-8")


def test_the_report_says_what_is_wanted(capsys):
    one = Trial(4, 0, 1.0, Played(ticks=100, heard_s=4.0), 0.1).summary()
    first = {"n": 3, "p50": 20.0, "p95": 90.0, "p99": 91.0}
    figures = {
        "trials_coefficients": [one], "trials_pictures": [one], "streams_coefficients": 70, "streams_pictures": 9,
        "cpu_ms_per_character_second": 25.0, "cpu_ms_per_character_second_pictures": None, "rss_mb": 400.0,
        "after_cancelled": 0, "first_moment_ms_1": first, "first_moment_ms_8": first, "first_moment_ms_32": first,
        "cancel_ms": first, "ray": None, "probe_errors": [], "machine": {"cpu": "a CPU", "cores": 2, "system": "Linux"},
    }  # fmt: skip
    report(figures)
    said = capsys.readouterr().out
    assert "wanted ≥ 64" in said
    assert "wanted ≤ 150" in said
    assert "wanted ≤ 40" in said
    assert "Ray is not installed" in said
    assert json.dumps(figures)


def test_the_figures_are_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    from npc_engine.commands.bench_server_plot import draw

    one = Trial(4, 0, 1.0, Played(ticks=100, heard_s=4.0), 0.1).summary()
    first = {"n": 3, "p50": 20.0, "p95": 90.0, "p99": 91.0}
    figures = {
        "trials_coefficients": [one], "trials_pictures": [one], "streams_coefficients": 70, "streams_pictures": 9,
        **{f"first_moment_ms_{n}": first for n in (1, 8, 32)}, "cancel_ms": first,
    }  # fmt: skip
    draw(figures, tmp_path / "server.png")
    assert (tmp_path / "server.png").read_bytes().startswith(b"\x89PNG")


def test_a_mistyped_character_is_told_before_anything_is_measured(capsys):
    assert main(["bench", "server", "--npc", "maran"]) == 2
    assert "did you mean 'maren'" in capsys.readouterr().err
