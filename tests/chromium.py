"""A headless Chromium for tests, driven by its DevTools protocol over a WebSocket; nothing but Chromium is needed."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest
from websockets.sync.client import connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WAIT_S = 60.0


def chromium():
    """The program; skips without one, and fails where CI is set."""
    for name in NAMES:
        if shutil.which(name):
            return name
    text = "no Chromium is installed: apt install chromium"
    if os.environ.get("CI"):
        pytest.fail(text)
    pytest.skip(text)


class Browser:
    """One Chromium with one page. `faults` are what the page's console and network told of errors."""

    def __init__(self, *options):
        self._folder = tempfile.TemporaryDirectory(prefix="chromium", ignore_cleanup_errors=True)
        command = [
            chromium(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
            "--remote-debugging-port=0", f"--user-data-dir={self._folder.name}", "--window-size=1240,860", *options,
            "about:blank",
        ]  # fmt: skip
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._open = contextlib.ExitStack()
        self._open.callback(self._end)
        self.faults = []
        self._next = 0
        try:
            opened = connect(self._page_address(), max_size=None, compression=None, open_timeout=WAIT_S)
            self._socket = self._open.enter_context(opened)
        except BaseException:
            self._open.close()
            raise
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def _page_address(self):
        file = Path(self._folder.name) / "DevToolsActivePort"
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end and self._process.poll() is None:
            lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
            if len(lines) == 2:
                with urllib.request.urlopen(f"http://127.0.0.1:{lines[0]}/json/list", timeout=WAIT_S) as reply:
                    pages = [target for target in json.load(reply) if target["type"] == "page"]
                if pages:
                    return pages[0]["webSocketDebuggerUrl"]
            time.sleep(0.05)
        raise AssertionError(f"Chromium does not start (exit status {self._process.poll()})")

    def call(self, method, **parameters):
        """The result of a DevTools command."""
        self._next += 1
        self._socket.send(json.dumps({"id": self._next, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=WAIT_S))
            if message.get("id") == self._next:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]
            self._note(message)

    def _note(self, message):
        method, told = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            self.faults.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Runtime.consoleAPICalled" and told["type"] in {"error", "warning", "assert"}:
            self.faults.append(" ".join(str(part.get("value", part.get("description"))) for part in told["args"]))
        elif method == "Log.entryAdded" and told["entry"]["level"] in {"error", "warning"}:
            self.faults.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")

    def open(self, url):
        """Show a page, and wait for its scripts."""
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete'")

    def run(self, script):
        """The value of a JavaScript expression, a promise's when it is kept."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]["exception"].get("description", result)
        return result["result"].get("value")

    def until(self, script, timeout_s=WAIT_S):
        """Wait for an expression to be true."""
        end = time.monotonic() + timeout_s
        while not self.run(script):
            assert time.monotonic() < end, f"{script} is not so after {timeout_s} s; faults: {self.faults}"
            time.sleep(0.02)

    def click(self, element):
        """A real click, which a page may take as its user's leave to make sound."""
        x, y = self.run(
            f"(() => {{ const r = document.getElementById({element!r}).getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def picture(self, path):
        """Write what is seen as a PNG."""
        data = self.call("Page.captureScreenshot", format="png")["data"]
        Path(path).write_bytes(base64.b64decode(data))

    def _end(self):
        self._process.terminate()
        try:
            self._process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._open.close()
