"""docs/websocket.md is true: each of its limits has a test, its numbers are the code's, its first page speaks."""

import re
from pathlib import Path

from chromium import Browser
from tone import ToneStage
from web_game import gateway_to

from npc_engine.gateway import gateway, link
from npc_engine.gateway.gateway import Bounds
from npc_engine.gateway.pages import read_pages
from npc_engine.server.server import Server
from npc_engine.wire import limits

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "websocket.md").read_text(encoding="utf-8")
README = (ROOT / "bindings" / "web" / "README.md").read_text(encoding="utf-8")
LIMITS = PAGE.partition("## Limits")[2].partition("## Cost")[0]
ROWS = {row[0]: row[1:] for row in re.findall(r"^\| (.+?) \| (.+?) \| (\w+/.+?) \| `(.+?)` \|$", LIMITS, re.MULTILINE)}


def test_every_limit_names_a_test_and_a_place_that_are_there():
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("test_gateway*.py"))
    assert len(ROWS) == 10
    for what, (_, places, test) in ROWS.items():
        assert f"def {test}(" in tests, what
        for place in places.split(", "):
            assert (ROOT / "npc_engine" / place).exists(), what


def test_numbers_are_the_codes():
    bounds = Bounds()
    for what, numbers in {
        "open WebSockets": [bounds.websockets],
        "TCP connections": [bounds.callers],
        "from connecting to the end of the request, TLS included": [int(bounds.open_s)],
        "a message of a page": [limits.FRAME_BYTES >> 20],
        "messages of a page that wait for the engine": [gateway.QUEUE_FRAMES, link.SEND_MARK],
        "messages for a page that wait in the gateway": [link.RECEIVE_MARK],
        "one message unread": [int(bounds.unread_s)],
        "pings": [int(bounds.ping_s), int(bounds.ping_s)],
        "log lines about strangers": [int(gateway.TELL_S)],
    }.items():
        assert re.findall(r"\d+", ROWS[what][0]) == [str(number) for number in numbers], what


def test_the_readme_names_every_file():
    served = {path.strip("/") for path in read_pages(ROOT / "bindings" / "web")} - {""}
    assert set(re.findall(r"`([\w.]+)`", README.partition("## From")[0])) >= served


def test_the_readmes_page_speaks_as_it_stands(tmp_path):
    code = re.search(r"```html\n(.*?)```", README, re.DOTALL)[1]
    server = Server(ToneStage(tmp_path), "tcp://127.0.0.1:*")
    server.start()
    with gateway_to(server.guest) as served:
        code = code.replace("ws://127.0.0.1:7891/", served.address.replace("http", "ws", 1)).replace("elder", "anna")
        script = re.search(r"<script type=\"module\">(.*?)</script>", code, re.DOTALL)[1]
        served._pages["/hello.html"] = (
            "text/html",
            code.replace(script, "").replace("<script ", '<script src="hello.js" ').encode(),
        )
        served._pages["/hello.js"] = (
            "text/javascript",
            script.encode(),
        )  # the gateway's own pages may hold no inline scripts
        with Browser() as browser:
            browser.open(f"{served.address}hello.html")
            browser.click("go")
            browser.until("parseFloat(document.getElementById('jaw').textContent.slice(8)) > 0.2")
            browser.until("document.getElementById('jaw').textContent === 'jawOpen 0.00'")
            assert [fault for fault in browser.faults if "favicon" not in fault] == []
    server.stop()
