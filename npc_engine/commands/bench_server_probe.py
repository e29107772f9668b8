"""Asks for a line, hears its first moment, cuts it, and again: `python -m` this module with an `Asking` as JSON."""

from __future__ import annotations

import json
import random
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import msgpack
import zmq

from npc_engine.commands.bench_lines import line as text_of
from npc_engine.wire.limits import WIRE_VERSION

APART_S: Final = (0.05, 0.25)  # from the end of one line to the next one
HEARD_S: Final = (0.0, 0.4)  # of a line, before it is cut: while its voice still computes, and after
SILENT_S: Final = 10.0  # an engine that says nothing for so long has failed


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked."""

    address: str
    npc: str
    lines: int
    speaker: int  # of the lines' text
    start: float  # monotonic seconds


@dataclass(slots=True)
class Answers:
    """Milliseconds of each line."""

    first_ms: list[float] = field(default_factory=list)  # from `speak` to its first moment
    cancel_ms: dict[str, float] = field(default_factory=dict)  # by line, from `cancel` to `cancelled`
    after: int = 0  # messages of a line that came after its `cancelled`: there must be none
    errors: list[str] = field(default_factory=list)


class Prober:
    """One client with one line at a time."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.connect(asking.address)
        self._cut: set[str] = set()
        self.answers = Answers()
        self._tell({"kind": "hello", "version": WIRE_VERSION, "client": "bench probe"})

    def run(self) -> Answers:
        """Ask for all lines, one after the other."""
        chance = random.Random(self._asking.speaker)
        time.sleep(max(0.0, self._asking.start - time.monotonic()))
        for number in range(self._asking.lines):
            self._listen("", chance.uniform(*APART_S))
            self._one(f"probe.{self._asking.start:.3f}.{number}", number, chance.uniform(*HEARD_S))
        self._context.destroy(0)
        return self.answers

    def _one(self, line: str, number: int, heard_s: float) -> None:
        text = text_of(self._asking.speaker, number)
        asked = time.monotonic()
        self._tell({"kind": "speak", "line": line, "npc": self._asking.npc, "text": text, "turn": "beside"})
        if self._until(line, "moment") is None:
            return
        self.answers.first_ms.append(1000 * (time.monotonic() - asked))
        self._listen(line, heard_s)
        cut = time.monotonic()
        self._tell({"kind": "cancel", "line": line})
        if self._until(line, "cancelled") is None:
            return
        self.answers.cancel_ms[line] = 1000 * (time.monotonic() - cut)
        self._cut.add(line)

    def _tell(self, message: dict[str, Any]) -> None:
        self._socket.send(msgpack.packb(message))

    def _until(self, line: str, kind: str) -> dict[str, Any] | None:
        """The next message of the line of this kind; None where the line ends otherwise, or nothing comes."""
        end = time.monotonic() + SILENT_S
        while self._socket.poll(max(0, round(1000 * (end - time.monotonic())))):
            header = self._read()
            if header.get("line") != line:
                continue
            if header["kind"] == kind:
                return header
            if header["kind"] in {"error", "end", "cancelled"}:
                self.answers.errors.append(header.get("text", header["kind"]))
                return None
        self.answers.errors.append(f"no {kind} of a line within {SILENT_S:g} s")
        return None

    def _listen(self, line: str, seconds: float) -> None:
        """Read what comes for so long; what comes of `line` is as it should be."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._socket.poll(max(1, round(1000 * left))):
                header = self._read()
                if header["kind"] == "error" and header.get("line") == line:
                    self.answers.errors.append(header.get("text", ""))

    def _read(self) -> dict[str, Any]:
        header: dict[str, Any] = msgpack.unpackb(self._socket.recv_multipart()[0])
        self.answers.after += header.get("line", "") in self._cut
        return header


if __name__ == "__main__":
    print(json.dumps(asdict(Prober(Asking(**json.loads(sys.argv[1]))).run())))
