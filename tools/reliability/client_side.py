"""Decoder and playback of a client against whatever an engine sends."""

from __future__ import annotations

import random
from typing import Final

import numpy as np
from reliability.engine_side import check
from reliability.goldens import Frames

from npc_engine.moments import EXP50
from npc_engine.playback import Playback
from npc_engine.wire.codec import decode_reply, decode_request, encode
from npc_engine.wire.messages import ERROR_CODES, Cancelled, Moments, WireError

STEP: Final = 480
MOST_TICKS: Final = 200  # of a moment that is played here: more is refused by nobody, and is only large


class ClientSide:
    """Playbacks of the lines that are told of; `dice` say how much of them is heard between two messages."""

    def __init__(self, dice: random.Random) -> None:
        self.read = 0
        self._dice = dice
        self._players: dict[str, Playback] = {}

    def hear(self, frames: Frames) -> None:
        """Read a message as a client and as a codec that reads both ways; play what it says."""
        self._both_ways(frames)
        try:
            message = decode_reply(frames)
        except WireError as error:
            check(error.code in ERROR_CODES, f"code {error.code!r}")
            check(0 < len(str(error)) < 500, f"an error of {len(str(error))} characters")
            return
        self.read += 1
        written = encode(message)
        check(encode(decode_reply(written)) == written, f"{message.kind} is not read as it was written")
        if not message.line or (isinstance(message, Moments) and message.ticks > MOST_TICKS):
            return
        if len(self._players) > 8:
            self._players.clear()
        player = self._players.setdefault(message.line, Playback())
        try:
            player.add(message)
        except ValueError as error:
            check(isinstance(message, Moments), f"playing {message.kind}: {error}")
            check("add each event once" in str(error) or "those before had" in str(error), str(error))
        self._play(player, is_cut=isinstance(message, Cancelled))

    @staticmethod
    def _both_ways(frames: Frames) -> None:
        try:
            message = decode_request(frames)
        except WireError as error:
            check(0 < len(str(error)) < 500, f"an error of {len(str(error))} characters")
            return
        written = encode(message)
        check(encode(decode_request(written)) == written, f"{message.kind} is not read as it was written")

    def _play(self, player: Playback, *, is_cut: bool) -> None:
        count = self._dice.choice((0, 1, 240, STEP, 2 * STEP))
        sound = player.sound(count)
        check(sound.shape == (count,) and bool(np.isfinite(sound).all()), "sound that no device can play")
        check(float(np.abs(sound).max(initial=0)) <= 1.0, "sound beyond full scale")
        shown = player.at(self._dice.randint(0, player.position + STEP))
        check(shown.exp.shape == (len(EXP50),) and bool(np.isfinite(shown.exp).all()), "a face that is none")
        check(0.0 <= shown.closed <= 1.0, f"closed is {shown.closed}")
        check(-1 <= shown.word < len(player.words), f"word {shown.word} of {len(player.words)}")
        credit = player.credit_ms()
        check(credit >= 0 and not (is_cut and credit), f"credit of {credit}")
