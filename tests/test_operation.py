"""The engine as a service: signals, draining, health, logs and systemd, with real processes."""

import argparse
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from npc_engine import cli
from npc_engine.client import Client
from npc_engine.commands.common import UsageError
from npc_engine.commands.operation import Operation, operation_options
from npc_engine.moments import Outputs
from npc_engine.wire.messages import Cancelled, End, ErrorMessage, Moments

if os.name == "nt":
    pytest.skip("signals can't be sent to one process of a console on Windows", allow_module_level=True)

OPERATED = Path(__file__).parent / "operated.py"
LONG = "word " * 2_000
if find_spec("prometheus_client") is None:
    if "CI" in os.environ:
        raise ModuleNotFoundError("prometheus_client: CI installs the extra `server`")
    pytest.skip("prometheus-client is missing: pip install 'npc-engine[server]'", allow_module_level=True)


class Served:
    """A service process of the tone stage."""

    def __init__(self, *options, environment=None):
        self.process = subprocess.Popen(
            [sys.executable, str(OPERATED), "--metrics", "0", "--log-format", "json", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        told = json.loads(self.process.stdout.readline())
        self.address, self.port = told["address"], int(told["http"].rpartition(":")[2])

    def health(self):
        """Status and what /healthz says; (0, "") once nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", "/healthz")
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())["status"]
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()

    def end(self, timeout_s=60):
        """Its exit status, and what it logged."""
        _, logged = self.process.communicate(timeout=timeout_s)
        return self.process.returncode, [json.loads(row) for row in logged.splitlines()]


@pytest.fixture
def served():
    with contextlib.ExitStack() as running:

        def start(*options, environment=None):
            service = Served(*options, environment=environment)

            def kill():
                service.process.kill()
                service.process.communicate()

            running.callback(kill)
            until(lambda: service.health()[0] == 200)
            return service

        yield start


def until(happened, timeout_s=30.0):
    end = time.monotonic() + timeout_s
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.01)


def drain(client, enough, timeout_s=30.0):
    events = []
    end = time.monotonic() + timeout_s
    while not enough(events):
        assert time.monotonic() < end, f"only {[type(e).__name__ for e in events]} came"
        events += client.poll(0.05)
    return events


def ticks(events, line):
    return sum(e.ticks for e in events if isinstance(e, Moments) and e.line == line)


def ended(events, line):
    return any(isinstance(e, End | Cancelled | ErrorMessage) and e.line == line for e in events)


# ── stopping ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_told_to_stop_it_finishes_its_lines_and_refuses_new_ones(served):
    service = served("--drain", "60")
    with Client(service.address, name="game") as client:
        line = client.speak("ben", "word " * 40, credit_ms=100)  # 200 ticks
        idle = client.idle("anna", outputs=Outputs(picture=64))
        first = drain(client, lambda e: ticks(e, line) == 5 and ticks(e, idle))
        service.process.send_signal(signal.SIGTERM)
        until(lambda: service.health() == (503, "draining"))
        late = client.speak("ben", "too late")
        (refused,) = [e for e in drain(client, lambda e: ended(e, late)) if e.line == late]
        assert (refused.code, refused.ends) == ("stopping", True)
        client.credit(line, 6_000)
        rest = drain(client, lambda e: ended(e, line) and ended(e, idle))
        assert End(line, 200) in rest
        assert ticks(first + rest, line) == 200
        (cut,) = [e for e in rest if isinstance(e, Cancelled)]
        assert (cut.line, cut.reason) == (idle, "the engine is stopping")
        assert service.process.wait(30) == 0


def test_lines_that_take_too_long_are_cut_with_the_ticks_that_were_sent(served):
    service = served("--drain", "0.5")
    with Client(service.address) as client:
        line = client.speak("ben", LONG, credit_ms=100)
        drain(client, lambda e: ticks(e, line) == 5)
        service.process.send_signal(signal.SIGTERM)
        (cut,) = [e for e in drain(client, lambda e: ended(e, line)) if isinstance(e, Cancelled)]
        assert (cut.ticks, cut.reason) == (5, "the engine is stopping")
        assert service.end()[0] == 0


@pytest.mark.parametrize("signals", [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGINT)])
def test_a_second_signal_stops_at_once(served, signals):
    service = served("--drain", "600")
    with Client(service.address) as client:
        line = client.speak("ben", LONG, credit_ms=100)
        drain(client, lambda e: ticks(e, line) == 5)
        service.process.send_signal(signals[0])
        until(lambda: service.health() == (503, "draining"))
        service.process.send_signal(signals[1])
        assert ended(drain(client, lambda e: ended(e, line)), line)
        code, logged = service.end()
    assert code == 0
    told = [row["message"] for row in logged if "SIG" in row["message"]]
    assert told == [
        f"{signals[0].name}: lines are finished for up to 600 s, new ones are refused",
        f"{signals[1].name} again: what still speaks is cut",
    ]


def test_idle_it_stops_at_once(served):
    service = served("--drain", "600")
    service.process.send_signal(signal.SIGTERM)
    assert service.end()[0] == 0
    assert service.health() == (0, "")


def test_a_hangup_stops_nothing(served):
    service = served()
    service.process.send_signal(signal.SIGHUP)
    with Client(service.address) as client:
        assert isinstance(list(client.say("ben", "one two"))[-1], End)
    assert service.health()[0] == 200


def test_while_it_loads_it_is_not_healthy_and_can_be_stopped():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--address", "tcp://127.0.0.1:*", "--cache", "off", "--metrics", str(port)]
    process = subprocess.Popen([sys.executable, "-m", "npc_engine.cli", "serve", *options], stderr=subprocess.PIPE)
    try:
        seen = []
        end = time.monotonic() + 60
        while not seen:
            assert time.monotonic() < end
            assert process.poll() is None
            with contextlib.suppress(OSError):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
                connection.request("GET", "/healthz")
                answer = connection.getresponse()
                seen.append((answer.status, json.loads(answer.read())["status"]))
                connection.close()
        assert seen == [(503, "loading voices and faces")]
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
    finally:
        process.kill()
        process.communicate()


# ── systemd ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_systemd_is_told_when_it_is_ready_alive_and_stopping(served, tmp_path):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(path))
        systemd.settimeout(30)
        service = served(environment={"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "400000"})
        told = [systemd.recv(1000).decode()]
        while told.count("WATCHDOG=1") < 3 or not any(row.startswith("READY=1") for row in told):
            told.append(systemd.recv(1000).decode())
        service.process.send_signal(signal.SIGTERM)
        while not told[-1].startswith("STOPPING=1"):
            told.append(systemd.recv(1000).decode())
        assert service.end()[0] == 0
    ready = next(row for row in told if row.startswith("READY=1"))
    assert f"answers on {service.address} with 2 characters" in ready


# ── logs ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_line_is_logged_with_its_ids_and_how_it_ended(served):
    service = served()
    with Client(service.address, name="game") as client:
        list(client.say("anna", "one two"))
        line = client.speak("anna", "one !boom", line="broken")
        drain(client, lambda e: ended(e, line))
    service.process.send_signal(signal.SIGTERM)
    code, logged = service.end()
    assert code == 0
    assert all({"time", "level", "logger", "message"} <= row.keys() for row in logged)
    whole, broken = [row for row in logged if row["message"].startswith("a line")]
    assert (whole["npc"], whole["client"], whole["outcome"], whole["ticks"]) == ("anna", "game", "ended", 10)
    assert whole["first_moment_ms"] >= 0
    assert (broken["line"], broken["outcome"], broken["code"]) == ("broken", "failed", "internal")
    (fault,) = [row for row in logged if "exception" in row]
    assert (fault["line"], fault["npc"], fault["client"], fault["level"]) == ("broken", "anna", "game", "error")
    assert fault["exception"].endswith("ZeroDivisionError: a fault of the voice")


def test_a_full_disk_does_not_stop_the_engine(served, tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full, the full disk of Linux")
    (tmp_path / "log").symlink_to("/dev/full")
    service = served("--log-file", str(tmp_path / "log"), "--log-level", "debug")
    with Client(service.address) as client:
        for _ in range(3):
            assert isinstance(list(client.say("anna", "one two"))[-1], End)
    service.process.send_signal(signal.SIGTERM)
    _, told = service.process.communicate(timeout=60)
    assert service.process.returncode == 0
    assert told.count("\n") == 1
    assert told.startswith(f"npc-engine: can't write {tmp_path / 'log'}: [Errno 28] No space left on device")


# ── options ───────────────────────────────────────────────────────────────────────────────────────────────────────


def operation(*options):
    parser = argparse.ArgumentParser()
    operation_options(parser)
    return Operation(parser.parse_args(options))


@pytest.mark.parametrize("drain_s", ["-1", "nan", "4000"])
def test_a_drain_that_cannot_be(drain_s):
    with pytest.raises(UsageError, match=r"^--drain is .*, expected 0 to 3600 seconds$"):
        operation("--drain", drain_s)


def test_a_log_file_that_cannot_be(tmp_path):
    with pytest.raises(UsageError, match=r"^--log-file: .*nowhere"):
        operation("--log-file", str(tmp_path / "nowhere" / "log"))


def test_without_the_library_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "npc_engine.server.exposition", raising=False)
    assert cli.main(["serve", "--metrics", "0"]) == 2
    told = capsys.readouterr().err
    assert told == "npc-engine: --metrics needs prometheus-client: pip install 'npc-engine[server]'\n"


def test_metrics_elsewhere_than_on_a_port(capsys):
    assert cli.main(["serve", "--metrics", "everywhere"]) == 2
    assert "expected [HOST:]PORT" in capsys.readouterr().err
