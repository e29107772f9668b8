"""The engine's log: what its records are about, JSON that nothing from a game can break, and a disk that is full."""

import io
import json
import logging
import threading
from contextvars import copy_context
from pathlib import Path

import pytest

from npc_engine.ahead import ahead
from npc_engine.logs import BoundedFile, JsonFormatter, TextFormatter, about, set_up

LOG = logging.getLogger("test_logs")


def fault():
    raise ZeroDivisionError("a fault")


@pytest.fixture
def logged():
    """What was logged, by a handler of its own with the formatter that a test sets."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    LOG.addHandler(handler)
    LOG.setLevel("DEBUG")
    LOG.propagate = False
    yield handler, lambda: stream.getvalue().splitlines()
    LOG.removeHandler(handler)
    LOG.propagate = True


def test_json_names_time_level_logger_message_and_what_it_is_about(logged):
    handler, rows = logged
    handler.setFormatter(JsonFormatter())
    with about(line="l1", npc="anna", client=""):
        LOG.warning("%d pictures", 3, extra={"ticks": 40})
    LOG.info("nothing in particular")
    first, second = map(json.loads, rows())
    assert first.pop("time")[10] == "T"
    assert first == {
        "level": "warning", "logger": "test_logs", "message": "3 pictures", "line": "l1", "npc": "anna", "ticks": 40,
    }  # fmt: skip
    assert set(second) == {"time", "level", "logger", "message"}


def test_json_has_the_trace_in_its_one_line(logged):
    handler, rows = logged
    handler.setFormatter(JsonFormatter())
    try:
        fault()
    except ZeroDivisionError:
        LOG.exception("broken")
    (row,) = rows()
    assert "test_logs.py" in json.loads(row)["exception"]
    assert json.loads(row)["exception"].endswith("ZeroDivisionError: a fault")


@pytest.mark.parametrize("name", ["a\nb", '"}\n{"level": "error"', "\x1b[31m", "\udcff", "ü…"])
def test_names_from_the_wire_break_no_line(logged, name):
    handler, rows = logged
    for formatter in (JsonFormatter(), TextFormatter()):
        handler.setFormatter(formatter)
        LOG.info("hello", extra={"client": name})
    first, second = rows()
    assert json.loads(first)["client"] == name
    assert second.endswith(f"INFO hello [client={name!r}]")


def test_text_says_what_it_is_about_before_the_trace(logged):
    handler, rows = logged
    handler.setFormatter(TextFormatter())
    with about(line="l1"):
        try:
            fault()
        except ZeroDivisionError:
            LOG.exception("broken")
    assert rows()[0].endswith("ERROR broken [line='l1']")
    assert rows()[1] == "Traceback (most recent call last):"


def test_inner_contexts_hide_outer_ones_and_threads_keep_theirs(logged):
    handler, rows = logged
    handler.setFormatter(JsonFormatter())
    with about(line="l1", client="game"):
        with about(line="l2"):
            thread = threading.Thread(target=copy_context().run, args=(LOG.info, "in a thread"))
            speech = ahead((LOG.info("ahead") for _ in range(1)), depth=1)
            list(speech)
        LOG.info("outside")
    thread.start()
    thread.join()
    told = {row["message"]: (row["line"], row["client"]) for row in map(json.loads, rows())}
    assert told == {"ahead": ("l2", "game"), "outside": ("l1", "game"), "in a thread": ("l2", "game")}


def test_a_full_file_is_renamed_and_so_many_are_kept(tmp_path, logged):
    path = tmp_path / "engine.log"
    handler = BoundedFile(path, size=200, files=2)
    LOG.addHandler(handler)
    for i in range(100):
        LOG.info("record number %d", i)
    LOG.removeHandler(handler)
    handler.close()
    files = sorted(p.name for p in tmp_path.iterdir())
    assert files == ["engine.log", "engine.log.1", "engine.log.2"]
    assert all(p.stat().st_size <= 200 for p in tmp_path.iterdir())
    assert "number 99" in path.read_text(encoding="utf-8")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, the full disk of Linux")
def test_a_full_disk_is_told_once_and_the_log_comes_back(tmp_path, logged):
    path = tmp_path / "engine.log"
    path.symlink_to("/dev/full")
    stderr = io.StringIO()
    handler = BoundedFile(path, stderr=stderr)
    LOG.addHandler(handler)
    for i in range(50):
        LOG.info("lost %d %s", i, "x" * 1000)
    assert stderr.getvalue().count("\n") == 1
    assert stderr.getvalue().startswith(f"npc-engine: can't write {path}: [Errno 28] No space left on device")
    assert handler.lost == 50
    path.unlink()  # there is room again
    path.symlink_to(tmp_path / "room")
    LOG.info("kept")
    LOG.removeHandler(handler)
    handler.close()
    assert (tmp_path / "room").read_text(encoding="utf-8") == "kept\n"
    assert stderr.getvalue().splitlines()[1:] == [f"npc-engine: {path} is written again; 50 records were lost"]


def test_a_file_that_cannot_be_opened_is_refused_at_once(tmp_path):
    with pytest.raises(OSError, match="no_such_folder"):
        set_up(level="info", form="json", path=tmp_path / "no_such_folder" / "engine.log")


def test_levels_and_handlers(tmp_path):
    root = logging.getLogger()
    before = root.level
    handler = set_up(level="warning", form="json", path=tmp_path / "engine.log")
    try:
        LOG.setLevel("NOTSET")
        LOG.info("not told")
        LOG.warning("told")
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        handler.close()
    rows = (tmp_path / "engine.log").read_text(encoding="utf-8").splitlines()
    assert [json.loads(row)["message"] for row in rows] == ["told"]
