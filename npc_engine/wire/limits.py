"""How much of anything may cross the wire; bindings/PROTOCOL.md prints these numbers."""

from __future__ import annotations

from typing import Final

WIRE_VERSION: Final = 1

HEADER_BYTES: Final = 262_144  # 20,000 characters of four UTF-8 bytes fit three times over
FRAME_BYTES: Final = 1_048_576  # one frame from a game; libzmq drops the connection of whoever sends more
PAYLOAD_BYTES: Final = 33_554_432  # one payload from the engine: a 2048 x 2048 picture, raw, twice
DEPTH: Final = 16  # maps and lists in one another
ITEMS: Final = 4096  # entries of one map or list

TEXT_CHARS: Final = 20_000  # a line's text: about half an hour of speech
ID_CHARS: Final = 64  # a line's id
NAME_CHARS: Final = 64  # a character, voice, face, style or emotion
NOTE_CHARS: Final = 2_000  # the text of an error or a reason

OPEN_LINES: Final = 8  # of one client, speaking at once
IDLE_LINES: Final = 64  # of one client that say nothing: a village of faces
LASTS_MS: Final = 86_400_000  # a line that says nothing, if it ends by itself: a day
WARMS: Final = 32  # `warm` of one client that wait for their answer
REMEMBERED_LINES: Final = 1024  # finished ids of one client, so that none is spoken twice

DEADLINE_MS: Final = 600_000  # within which a first moment may have to leave
WAIT_MS: Final = 86_400_000  # that an error may tell a game to wait

SOUND_RATE: Final = (8_000, 48_000)  # of live sound, 1/s
SOUND_MS: Final = 1_000  # of live sound in one message
SOUND_AHEAD_MS: Final = 10_000  # of live sound beyond what has been sent back of its line

CREDIT_MS: Final = 600  # granted by a `speak` that says nothing else
CREDIT_CAP_MS: Final = 10_000  # granted and not yet used, of one line

PICTURE_EDGE: Final = (32, 2048)  # pixels
PICTURE_EVERY: Final = (1, 50)  # ticks
MOMENT_TICKS: Final = 2  # 40 ms: with the usual 25 pictures a second, one picture a message
MOMENT_MOST_TICKS: Final = 6  # of a message without pictures: each message costs both sides more than its ticks
