"""Films: pictures as H.264 and sound as AAC in an mp4, written by a thread, so that no game waits for the encoder."""

from __future__ import annotations

import queue
import threading
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

import av
import numpy as np
import numpy.typing as npt
import pygame

from npc_engine.moments import SAMPLE_RATE, Sound

WAITING = 12  # frames between game and encoder: 33 MB of pixels
X264: dict[str, object] = {
    "preset": "veryfast",
    "crf": "20",
    "x264-params": "colorprim=bt709:transfer=bt709:colormatrix=bt709",
}


_Item: TypeAlias = tuple[int, int, bytes, Sound]  # first frame of the sound, frame of the picture, pixels, sound


class FilmError(RuntimeError):
    """A film can't be written; says where and why."""


class Film:
    """An mp4 in the making; `fps` must divide 24,000, so that each picture has a whole number of samples."""

    def __init__(self, path: Path, size: tuple[int, int], fps: int) -> None:
        if fps < 1 or SAMPLE_RATE % fps:
            raise FilmError(
                f"a film of {fps} pictures a second, expected a divisor of {SAMPLE_RATE}, such as 25, 30 or 50"
            )
        self.path = path
        self.frames = 0
        self.samples_a_frame = SAMPLE_RATE // fps
        self._size = size
        self._fps = fps
        self._error: BaseException | None = None
        self._queue: queue.Queue[_Item | None] = queue.Queue(WAITING)
        try:
            self._open(path, size, fps)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise FilmError(f"{path}: can't be written: {error}") from None
        self._thread = threading.Thread(target=self._encode, name="film", daemon=True)
        self._thread.start()

    def _open(self, path: Path, size: tuple[int, int], fps: int) -> None:
        self._file: Any = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        self._video: Any = self._file.add_stream("libx264", rate=fps)
        self._video.width, self._video.height = size
        self._video.pix_fmt = "yuv420p"
        self._video.options = dict(X264)
        self._audio: Any = self._file.add_stream("aac", rate=SAMPLE_RATE)
        self._audio.layout = "mono"
        self._audio.bit_rate = 96_000
        self._file.start_encoding()  # opens file and encoders now, not when the first picture comes

    def add(self, screen: Any, sound: Sound) -> None:
        """Take a picture of the screen with the sound of its frame, f32[samples_a_frame]; raises `FilmError`.

        Sound of several frames is welcome too: the picture is then the last one's, and the one before stays longer.
        """
        frames, rest = divmod(len(sound), self.samples_a_frame)
        if rest or not frames:
            raise FilmError(f"sound of {len(sound)} samples, expected a multiple of {self.samples_a_frame}")
        pixels = pygame.image.tobytes(screen, "RGB")
        self._offer((self.frames, self.frames + frames - 1, pixels, sound))
        self.frames += frames

    @property
    def busy(self) -> bool:
        """Whether `add` would wait for the encoder."""
        return self._queue.full()

    @property
    def seconds(self) -> float:
        """How long the film is so far."""
        return self.frames / self._fps

    def close(self) -> None:
        """Finish the file; raises `FilmError` when it could not be written."""
        if self._thread.is_alive():
            self._offer(None)
            self._thread.join()
        if self._error is not None:
            raise FilmError(f"{self.path}: writing failed: {self._error}") from self._error

    def __enter__(self) -> Film:  # noqa: PYI034 - Self comes with Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _offer(self, item: _Item | None) -> None:
        while self._error is None:
            try:
                self._queue.put(item, timeout=0.5)
            except queue.Full:
                continue
            return
        if item is not None:
            raise FilmError(f"{self.path}: writing failed: {self._error}") from self._error

    def _encode(self) -> None:
        try:
            while (item := self._queue.get()) is not None:
                self._write(*item)
            for stream in (self._video, self._audio):
                self._file.mux(stream.encode(None))
        except BaseException as error:  # noqa: BLE001 - kept for the game's thread, which raises it
            self._error = error
        finally:
            self._file.close()

    def _write(self, first: int, number: int, pixels: bytes, sound: Sound) -> None:
        w, h = self._size
        image: npt.NDArray[np.uint8] = np.frombuffer(pixels, np.uint8).reshape(h, w, 3)
        picture = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p", dst_colorspace="ITU709")
        picture.pts, picture.time_base = number, Fraction(1, self._fps)
        self._file.mux(self._video.encode(picture))
        heard = av.AudioFrame.from_ndarray(
            np.clip(sound, -1, 1)[None, :].astype(np.float32), format="fltp", layout="mono"
        )
        heard.sample_rate = SAMPLE_RATE
        heard.pts, heard.time_base = first * self.samples_a_frame, Fraction(1, SAMPLE_RATE)
        self._file.mux(self._audio.encode(heard))
