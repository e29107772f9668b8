"""/healthz, /metrics and systemd: what is asked is answered, who is slow or strange holds nobody up."""

import http.client
import socket
import threading
import time
from http import HTTPStatus

import pytest

from npc_engine.server import endpoint
from npc_engine.server.endpoint import Endpoint, health_page, host_and_port
from npc_engine.server.health import WEDGED_S, Health, Notify
from npc_engine.server.server import ServerError


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def ask(port, path="/healthz", method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


@pytest.fixture
def pages():
    def broken():
        raise ZeroDivisionError("a fault")

    return {"/healthz": lambda: (HTTPStatus.OK, "application/json", b"{}\n"), "/broken": broken}


@pytest.fixture
def http_server(pages):
    served = Endpoint("127.0.0.1", 0, pages)
    served.start()
    yield served
    served.stop()
    assert not [t for t in threading.enumerate() if t.name == "http"]


def test_methods_and_paths(http_server):
    port = http_server.port
    status, headers, body = ask(port)
    assert (status, body, headers["Content-Length"]) == (200, b"{}\n", "3")
    assert headers["Server"] == "npc-engine"
    status, headers, body = ask(port, method="HEAD")
    assert (status, body, headers["Content-Length"]) == (200, b"", "3")
    assert ask(port, "/healthz?verbose=1")[0] == 200
    assert ask(port, "/")[0] == 404
    assert ask(port, "/../etc/passwd")[0] == 404
    assert ask(port, "/nothing", "HEAD")[::2] == (404, b"")
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        status, headers, _ = ask(port, method=method)
        assert (status, headers["Allow"]) == (405, "GET, HEAD")
    assert ask(port, "/broken")[0] == 500
    assert ask(port)[0] == 200


def test_slow_clients_are_ended_and_hold_nobody_up(pages, monkeypatch):
    monkeypatch.setattr(endpoint, "PATIENCE_S", 1.0)
    served = Endpoint("127.0.0.1", 0, pages)
    served.start()
    slow = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(endpoint.AT_ONCE)]
    try:
        for each in slow:
            each.sendall(b"GET /healthz HT")
        end = time.monotonic() + 20
        while True:  # turned away while all places are taken, served when the slow ones have been ended
            try:
                assert ask(served.port)[0] == 200
                break
            except (OSError, http.client.HTTPException):
                assert time.monotonic() < end
                for each in slow:  # who goes on a byte at a time is no better
                    try:
                        each.sendall(b"T")
                    except OSError:
                        continue
        for each in slow:
            each.settimeout(20)
            try:
                assert each.recv(1) == b""
            except ConnectionError:
                continue
    finally:
        for each in slow:
            each.close()
        served.stop()


def test_stopping_ends_open_connections(pages):
    served = Endpoint("127.0.0.1", 0, pages)
    served.start()
    with socket.create_connection(("127.0.0.1", served.port)) as idle:
        served.stop()
        idle.settimeout(20)
        try:
            assert idle.recv(1) == b""
        except ConnectionError:
            return


def test_a_port_that_is_taken_is_told(http_server, pages):
    with pytest.raises(ServerError, match=rf"can't serve metrics on 127.0.0.1:{http_server.port}: "):
        Endpoint("127.0.0.1", http_server.port, pages).start()


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("9464", ("127.0.0.1", 9464)),
        (":9464", ("127.0.0.1", 9464)),
        ("192.168.1.5:9464", ("192.168.1.5", 9464)),
        ("[::1]:0", ("::1", 0)),
    ],
)
def test_addresses(text, where):
    assert host_and_port(text) == where


@pytest.mark.parametrize("text", ["", "host", "host:", "1:70000", "http://x:1/", "-1"])
def test_addresses_that_are_none(text):
    with pytest.raises(ServerError, match=r"expected \[HOST:\]PORT such as 9464"):
        host_and_port(text)


def test_health_says_why_not():
    clock = Clock()
    health = Health(now=clock)
    page = health_page(health)
    assert page()[0] == 503
    assert b'"loading voices and faces"' in page()[2]
    health.beat()
    health.serve(0, "tcp://127.0.0.1:1")
    assert b"no character can speak" in page()[2]
    health.characters = 3
    assert page() == (200, "application/json", b'{"status": "ok", "state": "serving", "characters": 3}\n')
    clock.now += WEDGED_S + 1
    assert page()[0] == 503
    assert b"the wire thread has not run for 6 s" in page()[2]
    health.beat()
    assert page()[0] == 200
    health.drain()
    assert b'"draining"' in page()[2]
    health.stop()
    assert b'"stopped"' in page()[2]


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="systemd and its sockets are Linux's")
def test_systemd_hears_of_states_and_its_watchdog(tmp_path):
    clock = Clock()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(20)
        notify = Notify({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "4000000"})
        health = Health(notify, clock)
        health.serve(3, "tcp://127.0.0.1:7890")
        for _ in range(50):  # 5 s of rounds
            health.beat()
            clock.now += 0.1
        health.drain()
        told = [systemd.recv(1000).decode() for _ in range(5)]
    assert told[0].startswith("READY=1\nSTATUS=")
    assert told[1:4] == ["WATCHDOG=1"] * 3  # at 0, 2 and 4 s
    assert told[4].startswith("STOPPING=1")


def test_a_watchdog_of_another_process_is_left_alone(tmp_path):
    where = {"NOTIFY_SOCKET": str(tmp_path / "nobody"), "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}
    assert Notify(where).watchdog_s == 0
    Notify(where)("READY=1")  # nobody listens
