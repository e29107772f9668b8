"""Sound for `npc-engine drive`: a file in the time that it takes to hear it, or a microphone."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import numpy as np

from npc_engine.commands.common import UsageError
from npc_engine.moments import SAMPLE_RATE, TICK_MS, TICK_SAMPLES, Sound

HEARD_AT_ONCE: Final = 500  # pieces that wait to be taken: 10 s, as an engine lets wait; then the oldest is dropped
_LOOK_S: Final = 0.2  # from one look for an end to the next, where a microphone is silent


def of_file(path: Path) -> Iterator[Sound]:
    """A sound file (WAV, FLAC, OGG, MP3) as mono f32 of 24 kHz, 20 ms at a time; raises `SpeechError` naming it."""
    from npc_engine.speech.recording_file import pieces

    held = np.zeros(0, np.float32)
    with closing(pieces(path)) as sound:
        for piece in sound:
            held = np.concatenate([held, np.clip(piece, -1, 1)])
            whole = len(held) - len(held) % TICK_SAMPLES
            yield from held[:whole].reshape(-1, TICK_SAMPLES)
            held = held[whole:]
    if len(held):
        yield held


def in_time(
    pieces: Iterator[Sound],
    rate: int = SAMPLE_RATE,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Sound]:
    """Each piece when its last sample would have been heard, as from a microphone."""
    due = now()
    for piece in pieces:
        due += len(piece) / rate
        sleep(max(0.0, due - now()))
        yield piece


class Microphone:
    """The default microphone, or another `device` by its name or number, 20 ms at a time; close it."""

    def __init__(self, device: str = "", rate: int = 0) -> None:
        self._heard: queue.Queue[Sound] = queue.Queue(HEARD_AT_ONCE)
        self.missed = 0  # pieces that were dropped
        self._open = True
        sounddevice = _sounddevice()
        chosen: str | int | None = int(device) if device.isdecimal() else device or None
        try:
            about = sounddevice.query_devices(chosen, "input")
            self.name = str(about["name"])
            self.rate = rate or _usable(int(about["default_samplerate"]))
            self._stream = sounddevice.InputStream(
                samplerate=self.rate, blocksize=self.rate * TICK_MS // 1000, device=chosen, channels=1,
                dtype="int16", latency="low", callback=self._hear,
            )  # fmt: skip
            self._stream.start()
        except (ValueError, sounddevice.PortAudioError) as error:
            there = _inputs(sounddevice)
            raise UsageError(f"no microphone {device or 'by default'}: {error}; there are: {there}") from None

    def _hear(self, sound: Any, _frames: int, _time: Any, _status: Any) -> None:
        """Called by the sound card's own thread, which must not wait."""
        if self._heard.full():
            self.missed += 1
            self._heard.get_nowait()
        self._heard.put_nowait(sound[:, 0].astype(np.float32) / 32767)

    def pieces(self) -> Iterator[Sound]:
        """What it hears, f32[n], until it is closed."""
        while self._open:
            try:
                yield self._heard.get(timeout=_LOOK_S)
            except queue.Empty:
                continue

    def close(self) -> None:
        """Stop listening."""
        self._open = False
        self._stream.close()


def _usable(rate: int) -> int:
    return rate if 8_000 <= rate <= 48_000 else 48_000


def _inputs(sounddevice: Any) -> str:
    names = [f"{i} {d['name']}" for i, d in enumerate(sounddevice.query_devices()) if d["max_input_channels"]]
    return "; ".join(names) or "none"


def _sounddevice() -> Any:
    try:
        import sounddevice
    except ImportError:
        raise UsageError("--mic needs sounddevice: pip install 'npc-engine[mic]'") from None
    except OSError as error:  # its wheel brings PortAudio for Windows and macOS only
        raise UsageError(f"--mic needs PortAudio ({error}): apt install libportaudio2") from None
    return sounddevice
