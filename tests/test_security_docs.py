"""docs/security.md is true: each of its limits has a test, and its numbers are the code's."""

import re
from pathlib import Path

from npc_engine.server import clients, sending, sockets, warmer, zap
from npc_engine.server.performing import Local
from npc_engine.wire import limits

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| ([^|]+) \| (.+) \|$", PAGE, re.MULTILINE))


def test_every_limit_names_a_test_and_a_place_that_are_there():
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("test_*.py"))
    limited = {what: rest.split(" | ") for what, rest in ROWS.items() if what not in {"what", "---"}}
    assert len(limited) > 25
    for what, (_, places, test) in limited.items():
        assert f"def {test.strip('`')}(" in tests, what
        for place in places.split(", "):
            assert place == "libzmq" or (ROOT / "npc_engine" / place).exists(), what


def test_numbers_are_the_codes():
    for what, numbers in {
        "handshake": [sockets.HANDSHAKE_MS // 1000],
        "from connecting to `hello`": [int(clients.GREETING_S)],
        "revoked while connected": [clients.TEND_S],
        "silence of a client's machine": [sockets.HEARTBEAT_TIMEOUT_MS // 1000, sockets.HEARTBEAT_MS // 1000],
        "connections": [clients.CONNECTIONS],
        "connections of one key": [clients.KEY_CONNECTIONS],
        "log lines about strangers": [int(zap.TELL_S)],
        "frame": [limits.FRAME_BYTES >> 20],
        "bytes without a whole message": [clients.MESSAGE_BYTES >> 20, clients.FLOW_S],
        "messages ahead of the engine": [sockets.RECEIVE_MARK],
        "header": [limits.HEADER_BYTES >> 10],
        "nesting": [limits.DEPTH],
        "entries of a map or list": [f"{limits.ITEMS:,}"],
        "open lines": [limits.OPEN_LINES, Local.most[0]],
        "lines without text": [limits.IDLE_LINES, Local.most[1]],
        "text": [f"{limits.TEXT_CHARS:,}", f"{limits.TEXT_CHARS * (limits.OPEN_LINES + limits.WARMS):,}"],
        "credit": [limits.CREDIT_CAP_MS // 1000, limits.OPEN_LINES * limits.CREDIT_CAP_MS // 1000],
        "`warm` that wait": [limits.WARMS, warmer.WAITING],
        "finished ids remembered": [f"{limits.REMEMBERED_LINES:,}"],
        "answers left unread": [sockets.SEND_MARK, sending.UNSENT_REPLIES],
    }.items():
        told = ROWS[what].split(" | ")[0]
        assert re.findall(r"[\d.,]*\d", told) == [str(number) for number in numbers], what
