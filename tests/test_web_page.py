"""The page and its modules in a real browser: they read every golden file, and a click makes a character speak."""

import base64
import json

import pytest
from chromium import Browser
from test_golden import GOLDENS
from tone import ToneStage
from web_game import gateway_to, wait_for

from npc_engine.gateway.entrance import Entrance
from npc_engine.gateway.framing import join
from npc_engine.gateway.gateway import Bounds
from npc_engine.server.server import Server

TEXT = "one two three four five six seven eight"  # 40 ticks
TICKS = 40
LONGER = " ".join([TEXT] * 4)
REORDERED = {"moment_payloads_in_another_order"}  # without lengths of frames, its bytes say something else


@pytest.fixture(scope="module")
def browser():
    with Browser() as browser:
        yield browser


@pytest.fixture
def stage(tmp_path):
    return ToneStage(tmp_path)


@pytest.fixture
def server(stage):
    server = Server(stage, "tcp://127.0.0.1:*")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def gateway(server):
    with gateway_to(server.guest) as gateway:
        yield gateway


def connected(page):
    page.until("document.getElementById('state').className === 'connected'")
    page.until("document.querySelectorAll('#cast > *').length > 0")


@pytest.fixture
def page(browser, gateway):
    browser.faults.clear()
    browser.open(gateway.address)
    connected(browser)
    yield browser
    assert browser.faults == []
    browser.open("about:blank")


def text(page, name):
    return page.run(f"document.getElementById({name!r}).textContent")


def write(page, words):
    page.run(f"document.getElementById('text').value = {words!r}")


def painted(page, canvas):
    """How many pixels of a canvas are not empty."""
    return page.run(
        f"(() => {{ const c = document.getElementById({canvas!r});"
        " const pen = new OffscreenCanvas(c.width, c.height).getContext('2d', { willReadFrequently: true });"
        " pen.drawImage(c, 0, 0); const d = pen.getImageData(0, 0, c.width, c.height).data;"
        " let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; })()"
    )


# ── the modules ───────────────────────────────────────────────────────────────────────────────────────────────────

READ = """
(async (files) => {
  const { WireError, decode } = await import("./messages.js");
  const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const read = ([name, data]) => {
    let message;
    try {
      message = decode(Uint8Array.from(atob(data), (c) => c.charCodeAt(0)));
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return [name, { refused: error.message }];
    }
    if (message === null) return [name, { refused: "a kind of a newer engine" }];
    if (message.sound) message.sound = [...message.sound];
    if (message.picture) message.picture = hex(message.picture);
    if (message.coefficients) {
      const width = message.coefficients.length / message.ticks;
      const tick = (_, i) => [...message.coefficients.subarray(i * width, (i + 1) * width)];
      message.coefficients = Array.from({ length: message.ticks }, tick);
    }
    return [name, { message }];
  };
  return JSON.stringify(Object.fromEntries(files.map(read)));
})
"""
WRITE = """
(async (messages) => {
  const { encode } = await import("./messages.js");
  const write = ([name, message]) => {
    if (message.sound) message.sound = Int16Array.from(message.sound);
    return [name, btoa(String.fromCharCode(...encode(message)))];
  };
  return JSON.stringify(Object.fromEntries(messages.map(write)));
})
"""


REFUSED = """
(async (message) => {
  const { encode } = await import("./messages.js");
  try {
    encode(message);
  } catch (error) {
    return error.constructor.name;
  }
})
"""
LOOK = """
(() => {
  const { playback } = page.lines[0];
  const { face, word } = playback.at();
  return [playback.heard, [...face], word];
})()
"""
KNOCK = """
((url) => new Promise((tell) => {
  const socket = new WebSocket(url);
  socket.onopen = () => tell("open");
  socket.onclose = () => tell("shut");
}))
"""


def called(page, function, argument):
    return json.loads(page.run(f"{function}({json.dumps(argument)})"))


def test_every_golden_message_of_an_engine_is_read_or_refused_as_it_says(page):
    goldens = {
        name: golden for name, golden in GOLDENS.items() if golden[1]["from"] == "engine" and name not in REORDERED
    }
    files = [(name, base64.b64encode(join([b"", *frames])).decode()) for name, (frames, _) in goldens.items()]
    found = called(page, READ, files)
    for name, (_, told) in goldens.items():
        if "message" in told:
            assert found[name].get("message") == told["message"], (name, found[name].get("refused"))
        else:
            assert "refused" in found[name], name
    assert sum("message" in told for _, told in goldens.values()) > 60


def test_every_canonical_message_of_a_game_is_written_byte_for_byte(page):
    goldens = {
        name: (join(frames), told["message"])
        for name, (frames, told) in GOLDENS.items()
        if told["from"] == "game" and told.get("canonical")
    }
    assert len(goldens) > 40
    found = called(page, WRITE, [(name, message) for name, (_, message) in goldens.items()])
    for name, (data, _) in goldens.items():
        assert base64.b64decode(found[name]) == data, name


def test_what_a_game_must_not_say_is_refused_before_it_leaves(page):
    for message in (
        {"kind": "speak", "line": "", "text": "x"},
        {"kind": "speak", "line": "l", "text": "x", "strength": 2},
        {"kind": "speak", "line": "l", "text": "x", "credit_ms": 40.5},
        {"kind": "speak", "line": "l", "text": "x", "nqc": "elder"},
        {"kind": "credit", "line": "l"},
        {"kind": "moment", "line": "l"},
    ):
        script = f"{REFUSED}({json.dumps(message)})"
        assert page.run(script) == "WireError", message


# ── the page ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_click_makes_a_character_speak(page, stage):
    assert text(page, "name") == "anna"  # the first with a face
    wait_for(lambda: painted(page, "picture"))  # the face at rest
    flat = painted(page, "bars")
    write(page, LONGER)
    page.click("speak")
    page.until("page.lines.length === 1 && page.lines[0].playback.heard > 12_000 && page.last?.[0] > 0.2")  # jawOpen
    assert painted(page, "bars") > flat
    assert page.run("document.querySelectorAll('#subtitles .now').length") == 1
    page.until("page.lines[0].ended === 'end' && page.shown !== page.lines[0]")
    line = page.run(
        "(({ playback: p, firstMs }) =>"
        " ({ scheduled: p.scheduled, peak: p.peak, heard: p.heard, words: p.words.length, firstMs }))(page.lines[0])"
    )
    assert line["scheduled"] == line["heard"] == 4 * TICKS * 480
    assert line["peak"] == pytest.approx(0.5 * 32_767, abs=2)
    assert line["words"] == 32
    assert line["firstMs"] > 0
    assert page.run("document.querySelectorAll('#subtitles .said').length") == 63  # words and spaces
    assert page.run("page.faces") > 10
    page.until("page.last[0] === 0 && page.shown !== null")  # the mouth is shut, and the character lives on
    assert text(page, "note") == ""
    assert page.run("document.getElementById('cancel').disabled")


def test_what_is_shown_is_what_is_heard(page):
    """The tone stage writes each tick's number into headYaw; the page shows that of the sample it hears."""
    write(page, TEXT)
    page.click("speak")
    page.until("page.lines.length === 1 && page.lines[0].playback.heard > 4_800")
    names = page.run("page.engine.welcome.channels")
    for _ in range(10):
        shown = page.run(LOOK)
        if shown[0] >= (TICKS - 1) * 480:
            break
        assert shown[1][names.index("headYaw")] * 1000 == pytest.approx(shown[0] / 480, abs=1.1)
        assert shown[2] == shown[0] // 2_400
    page.until("page.lines[0].ended === 'end'")


def test_cancel_stops_sound_and_engine_and_shuts_the_mouth(page, stage):
    write(page, "word " * 300)
    page.click("speak")
    page.until("page.lines.length === 1 && page.lines[0].playback.heard > 12_000")
    page.click("cancel")
    page.until("page.lines[0].ended === 'cancelled'")
    heard = page.run("page.lines[0].playback.heard")
    assert 12_000 < heard < 300 * 2_400
    page.until("page.shown !== page.lines[0]")
    page.until("page.last[0] === 0")
    assert page.run("page.lines[0].playback.heard") == heard
    wait_for(lambda: stage.watched.ended == stage.watched.begun)


def test_a_new_line_cuts_the_one_before(page, stage):
    write(page, "word " * 300)
    page.click("speak")
    page.until("page.lines.length === 1 && page.lines[0].playback.heard > 4_800")
    write(page, TEXT)
    page.click("speak")
    page.until("page.lines.length === 2 && page.lines[1].ended === 'end'")
    assert page.run("page.lines[0].ended") == "cancelled"
    page.until("page.shown !== page.lines[1]")
    assert page.run("page.lines[1].playback.heard") == TICKS * 480


def test_a_voice_without_a_face_is_heard_and_drawn_as_bars(page):
    page.run("document.querySelector('#cast select').value = '0'")
    page.run("document.querySelector('#cast select').onchange()")
    assert text(page, "name") == "ben"
    write(page, TEXT)
    page.click("speak")
    page.until("page.lines.length === 1 && page.lines[0].ended === 'end' && page.shown === null")
    assert page.run("page.lines[0].playback.scheduled") == TICKS * 480
    assert page.run("page.faces") > 10


def test_errors_of_the_engine_are_told(page):
    write(page, "zażółć")  # which a tone can't speak
    page.click("speak")
    page.until("page.lines.length === 1 && page.lines[0].ended === 'error'")
    assert text(page, "note").startswith("bad-text: ")
    write(page, TEXT)
    page.click("speak")
    page.until("page.lines.length === 2 && page.lines[1].ended === 'end'")
    assert text(page, "note") == ""


def test_the_page_comes_back_with_its_engine(browser, stage):
    servers = [Server(stage, "tcp://127.0.0.1:*")]
    servers[0].start()
    with gateway_to(lambda name: servers[-1].guest(name)) as gateway:  # noqa: PLW0108 - the last one at that time
        browser.open(gateway.address)
        connected(browser)
        write(browser, "word " * 300)
        browser.click("speak")
        browser.until("page.lines.length === 1 && page.lines[0].playback.heard > 4_800")
        servers[0].stop()
        browser.until("document.getElementById('state').className === 'lost'")
        browser.until("page.lines[0].ended !== null")
        assert browser.run("page.lines[0].ended") in {"cancelled", "error"}  # told by the engine, or by the loss
        servers.append(Server(stage, servers[0].address))
        servers[1].start()
        connected(browser)
        write(browser, TEXT)
        browser.click("speak")
        browser.until("page.lines.length === 2 && page.lines[1].ended === 'end'")
        browser.open("about:blank")
        servers[1].stop()


def test_a_page_that_stands_still_keeps_its_line(browser, server):
    """The browser answers pings by itself; credit holds the engine, and the line goes on after the silence."""
    with gateway_to(server.guest, bounds=Bounds(ping_s=0.4)) as gateway:
        browser.open(gateway.address)
        connected(browser)
        write(browser, "word " * 30)
        browser.click("speak")
        browser.until("page.lines.length === 1 && page.lines[0].playback.heard > 4_800")
        browser.run("(() => { const end = Date.now() + 2_000; while (Date.now() < end); })()")
        browser.until("page.lines[0].ended !== null && page.shown !== page.lines[0]")
        ended, heard, missing = browser.run("(({ ended, playback: p }) => [ended, p.heard, p.missing])(page.lines[0])")
        assert ended == "end"
        assert heard == 30 * 2_400
        assert missing > 0  # nothing had come in the meantime
        browser.open("about:blank")


def test_a_page_that_was_frozen_speaks_again(browser, gateway):
    """Chromium ends the WebSocket of a tab that wakes: the line has failed, and the page connects again."""
    browser.open(gateway.address)
    connected(browser)
    write(browser, "word " * 100)
    browser.click("speak")
    browser.until("page.lines.length === 1 && page.lines[0].playback.heard > 4_800")
    browser.call("Page.setWebLifecycleState", state="frozen")
    browser.call("Page.setWebLifecycleState", state="active")
    browser.until("page.lines[0].ended !== null")
    connected(browser)
    write(browser, TEXT)
    browser.click("speak")
    browser.until("page.lines.length === 2 && page.lines[1].ended === 'end'")
    browser.open("about:blank")


def test_a_token_opens_the_page(browser, server):
    token = "a-token-of-sufficient-length"  # noqa: S105 - of this test alone
    with gateway_to(server.guest, Entrance((), token)) as gateway:
        browser.open(gateway.address)
        browser.until("!document.getElementById('door').hidden")
        assert "no engine" in text(browser, "state")
        browser.run(f"document.getElementById('token').value = {token!r}")
        browser.run("document.getElementById('door').requestSubmit()")
        connected(browser)
        browser.run("sessionStorage.clear()")
        browser.open("about:blank")
        browser.open(f"{gateway.address}#token={token}")
        connected(browser)
        assert token not in browser.run("location.href")
        browser.run("sessionStorage.clear()")
        browser.open("about:blank")


def test_a_page_of_another_site_gets_no_websocket(browser, gateway):
    browser.open("data:text/html,<title>somewhere else</title>")
    url = gateway.address.replace("http", "ws", 1)
    script = f"{KNOCK}({url!r})"
    assert browser.run(script) == "shut"
    assert gateway.websockets == 0
    browser.open("about:blank")
