"""Picture files of every kind: read right, or refused with a reason, in bounded memory."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from npc_engine.frames.pictures import FaceError, picture_size, read_picture

ROOT = Path(__file__).parents[1]
MOST_MB = 600
MEASURE = """
import sys
from pathlib import Path
{do}
# not getrusage: what the parent held counts there
peak = [row for row in Path("/proc/self/status").read_text().splitlines() if row.startswith("VmHWM")]
print(said)
print(int(peak[0].split()[1]) // 1024)
"""
READ = """
from npc_engine.frames.pictures import FaceError, read_picture
try:
    said = str(read_picture(Path(sys.argv[1])).shape)
except FaceError as error:
    said = str(error)
"""
ADD = """
from npc_engine.frames.add import add_face
from npc_engine.frames.pictures import FaceError
try:
    said = str(add_face(Path(sys.argv[1]), "it", Path(sys.argv[2])))
except FaceError as error:
    said = str(error)
"""


@pytest.fixture(scope="module")
def rgb() -> np.ndarray:
    """A photograph of 192×240 pixels: not square, so that a turn shows."""
    read = read_picture(ROOT / "tests" / "pictures" / "hopper.jpg")
    return cv2.resize(read, (192, 240), interpolation=cv2.INTER_AREA)


def away(a: np.ndarray, b: np.ndarray) -> float:
    """Mean difference of the colours of two pictures, in levels."""
    assert a.shape[:2] == b.shape[:2]
    return float(np.abs(a[..., :3].astype(int) - b[..., :3]).mean())


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, data: bytes, *more: bytes) -> bytes:
    """A PNG of 8-bit RGB whose header says what it likes."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def peak(do: str, *arguments: Path) -> tuple[str, int]:
    """What a fresh process says of a picture, and the most memory that it held, in MiB."""
    if not Path("/proc/self/status").is_file():
        pytest.skip("this system does not tell the most memory that a process held: /proc/self/status is missing")
    done = subprocess.run(
        [sys.executable, "-c", MEASURE.format(do=do), *map(str, arguments)],
        capture_output=True, text=True, encoding="utf-8", timeout=240, check=True, cwd=ROOT,
    )  # fmt: skip
    *said, most = done.stdout.splitlines()
    return "\n".join(said), int(most)


class TestRight:
    @pytest.mark.parametrize("turn", range(1, 9))
    @pytest.mark.parametrize("kind", ["jpg", "png", "webp"])
    def test_all_eight_ways_that_a_camera_can_be_held(self, rgb, tmp_path, turn, kind):
        t = Image.Transpose
        stored = {
            1: None, 2: t.FLIP_LEFT_RIGHT, 3: t.ROTATE_180, 4: t.FLIP_TOP_BOTTOM, 5: t.TRANSPOSE, 6: t.ROTATE_90,
            7: t.TRANSVERSE, 8: t.ROTATE_270,
        }[turn]  # fmt: skip
        picture = Image.fromarray(rgb)
        exif = Image.Exif()
        exif[0x0112] = turn
        path = tmp_path / f"it.{kind}"
        (picture.transpose(stored) if stored is not None else picture).save(path, exif=exif, quality=95)
        assert away(read_picture(path), rgb) < 4

    @pytest.mark.parametrize("turn", [1, 3, 6, 8, 5])
    def test_transparency_turns_with_the_picture(self, rgb, tmp_path, turn):
        t = Image.Transpose
        stored = {1: None, 3: t.ROTATE_180, 6: t.ROTATE_90, 8: t.ROTATE_270, 5: t.TRANSPOSE}[turn]
        picture = Image.fromarray(rgb)
        alpha = np.tile(np.linspace(0, 255, rgb.shape[1]).astype(np.uint8), (rgb.shape[0], 1))
        picture.putalpha(Image.fromarray(alpha))
        exif = Image.Exif()
        exif[0x0112] = turn
        (picture.transpose(stored) if stored is not None else picture).save(tmp_path / "it.png", exif=exif)
        read = read_picture(tmp_path / "it.png")
        assert read.shape[2] == 4
        assert (read[..., 3] == alpha).all()

    def test_cmyk(self, rgb, tmp_path):
        Image.fromarray(rgb).convert("CMYK").save(tmp_path / "it.jpg", quality=95)
        assert away(read_picture(tmp_path / "it.jpg"), rgb) < 4

    def test_grey_black_and_white_and_16_bits(self, rgb, tmp_path):
        grey = Image.fromarray(rgb).convert("L")
        for name, picture in (
            ("grey", grey),
            ("line", grey.convert("1")),
            ("deep", Image.fromarray(np.array(grey).astype(np.uint16) * 257)),
        ):
            picture.save(tmp_path / f"{name}.png")
            read = read_picture(tmp_path / f"{name}.png")
            assert read.shape == rgb.shape
            assert read.dtype == np.uint8
            wanted = np.array(grey if name != "line" else grey.convert("1").convert("L"))
            assert away(read, wanted[..., None]) < 1

    def test_a_palette_with_and_without_transparency(self, rgb, tmp_path):
        few = Image.fromarray(rgb).quantize(200)
        few.save(tmp_path / "plain.png")
        few.save(tmp_path / "clear.png", transparency=bytes(range(200)))
        assert away(read_picture(tmp_path / "plain.png"), rgb) < 6
        clear = read_picture(tmp_path / "clear.png")
        assert away(clear, rgb) < 6
        assert (clear[..., 3] == np.array(few)).all(), "the palette's entry is its alpha, here"

    @pytest.mark.parametrize("kind", ["png", "webp"])
    def test_of_an_animation_the_first_picture(self, rgb, tmp_path, kind):
        blue = Image.new("RGB", (192, 240), (0, 0, 255))
        path = tmp_path / f"it.{kind}"
        Image.fromarray(rgb).save(path, save_all=True, append_images=[blue, blue], duration=100, quality=95)
        assert away(read_picture(path), rgb) < 4

    def test_the_end_of_the_name_does_not_matter(self, rgb, tmp_path):
        Image.fromarray(rgb).save(tmp_path / "it.webp", lossless=True)
        (tmp_path / "it.webp").rename(tmp_path / "it.png")
        assert away(read_picture(tmp_path / "it.png"), rgb) == 0
        assert picture_size(tmp_path / "it.png") == (192, 240)


class TestRefused:
    @pytest.mark.parametrize(
        ("start", "name"),
        [
            (b"\0\0\0\x1cftypheic\0\0\0\0mif1", "HEIC"),
            (b"\0\0\0\x1cftypavif\0\0\0\0mif1", "AVIF"),
            (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
            (b'\xef\xbb\xbf  <svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
            (b'<?xml version="1.0"?><svg/>', "SVG or XML"),
            (b"GIF89a", "GIF"),
            (b"BM\0\0", "BMP"),
            (b"II*\0", "TIFF"),
            (b"8BPS", "Photoshop"),
            (b"%PDF-1.7", "PDF"),
        ],
    )
    def test_a_kind_that_is_not_read_is_named_whatever_the_file_is_called(self, tmp_path, start, name):
        path = tmp_path / "portrait.png"
        path.write_bytes(start + bytes(200))
        words = f"a {name} file, expected a PNG, JPEG or WebP picture; save it as one of those"
        with pytest.raises(FaceError, match=words) as error:
            read_picture(path)
        assert str(error.value).startswith(str(path))

    def test_an_animated_gif(self, rgb, tmp_path):
        picture = Image.fromarray(rgb)
        picture.save(tmp_path / "it.gif", save_all=True, append_images=[picture])
        with pytest.raises(FaceError, match="a GIF file, expected a PNG, JPEG or WebP"):
            read_picture(tmp_path / "it.gif")

    def test_a_directory_a_pipe_and_a_loop(self, tmp_path):
        with pytest.raises(FaceError, match="a directory, expected a picture file"):
            read_picture(tmp_path)
        (tmp_path / "loop.png").symlink_to("loop.png")
        with pytest.raises(FaceError, match="Too many levels of symbolic links"):
            read_picture(tmp_path / "loop.png")
        os.mkfifo(tmp_path / "pipe.png")
        with pytest.raises(FaceError, match="no plain file, expected a picture file"):
            read_picture(tmp_path / "pipe.png")
        with pytest.raises(FaceError, match="no plain file, expected a picture file"):
            read_picture(Path("/dev/zero"))
        with pytest.raises(FaceError, match="null"):
            read_picture(Path("it\0.png"))

    def test_without_permission(self, rgb, tmp_path):
        path = tmp_path / "secret.png"
        Image.fromarray(rgb).save(path)
        path.chmod(0)
        before = os.geteuid()
        if before == 0:
            os.seteuid(65534)  # root may read everything: nobody may not
        try:
            with pytest.raises(FaceError, match="Permission denied"):
                read_picture(path)
        finally:
            os.seteuid(before)

    def test_too_many_bytes_are_not_even_read(self, tmp_path):
        with (tmp_path / "huge.png").open("wb") as file:
            file.truncate(101_000_000)
        with pytest.raises(FaceError, match="101 MB, expected at most 100 MB"):
            read_picture(tmp_path / "huge.png")

    def test_16_bits_and_transparency_have_half_as_many_pixels(self, tmp_path):
        header = struct.pack(">IIBBBBB", 6000, 6000, 16, 6, 0, 0, 0)
        data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
        (tmp_path / "deep.png").write_bytes(data)
        words = "36 megapixels with transparency and 16 bits a channel, expected at most 25; a smaller copy will do"
        with pytest.raises(FaceError, match=words):
            read_picture(tmp_path / "deep.png")


class TestMemory:
    """Never more than 600 MB, whatever a file holds or says of itself."""

    def test_50_megapixels(self, rgb, tmp_path):
        big = cv2.resize(rgb, (6320, 7900), interpolation=cv2.INTER_LINEAR)
        alpha = np.full((7900, 6320), 255, np.uint8)
        alpha[:, :500] = 0
        cv2.imwrite(str(tmp_path / "clear.png"), np.dstack([big, alpha]), [cv2.IMWRITE_PNG_COMPRESSION, 1])
        Image.fromarray(big).save(tmp_path / "steps.jpg", quality=80, progressive=True, subsampling=0)
        for name, channels in (("clear.png", 4), ("steps.jpg", 3)):
            said, most = peak(READ, tmp_path / name)
            height, width, found = map(int, said.strip("()").split(","))
            assert found == channels
            assert 10e6 < height * width <= 16e6
            assert height / width == pytest.approx(1.25, abs=0.01)
            assert most < MOST_MB

    def test_20_000_by_900_with_a_face_somewhere(self, rgb, tmp_path):
        wide = np.full((900, 20_000, 3), (120, 110, 90), np.uint8)
        wide += np.random.default_rng(0).integers(0, 30, (900, 20_000, 1), np.uint8)
        hopper = read_picture(ROOT / "tests" / "pictures" / "hopper.jpg")
        wide[150:750, 13_000:13_512] = hopper
        cv2.imwrite(str(tmp_path / "wide.jpg"), wide[..., ::-1])
        said, most = peak(ADD, tmp_path / "wide.jpg", tmp_path / "faces")
        assert said == str(tmp_path / "faces" / "it")
        assert most < MOST_MB

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("small in the header", "(8, 8, 3)"),
            ("large in the header", "damaged, its 7000×7000 pixels can't be decoded"),
            ("flat", "(4000, 4000, 3)"),
            ("text", "(16, 16, 3)"),
            ("profile", "(16, 16, 3)"),
            ("20,000 squared", "20000×20000 pixels are 400 megapixels, expected at most 50"),
        ],
    )
    def test_bombs(self, tmp_path, name, words):
        bomb = zlib.compress(bytes(300_000_000), 9)
        small = zlib.compress(bytes(16 * (1 + 3 * 16)))
        data = {
            "small in the header": lambda: png(8, 8, bomb),
            "large in the header": lambda: png(7000, 7000, zlib.compress(bytes(1000))),
            "flat": lambda: png(7000, 7000, zlib.compress(bytes(7000 * (1 + 3 * 7000)), 9)),
            "text": lambda: png(16, 16, small, chunk(b"zTXt", b"c\0\0" + bomb)),
            "profile": lambda: png(16, 16, small, chunk(b"iCCP", b"c\0\0" + bomb)),
            "20,000 squared": lambda: png(20_000, 20_000, bomb),
        }[name]()
        (tmp_path / "bomb.png").write_bytes(data)
        said, most = peak(READ, tmp_path / "bomb.png")
        assert words in said
        assert most < MOST_MB

    def test_a_webp_whose_canvas_is_not_its_picture(self, rgb, tmp_path):
        Image.fromarray(rgb).save(tmp_path / "it.webp", quality=80)
        body = (tmp_path / "it.webp").read_bytes()[12:]
        canvas = b"VP8X" + struct.pack("<I", 10) + bytes(4) + (15).to_bytes(3, "little") * 2
        (tmp_path / "it.webp").write_bytes(
            b"RIFF" + struct.pack("<I", 4 + len(canvas) + len(body)) + b"WEBP" + canvas + body
        )
        with pytest.raises(FaceError, match="damaged, its 16×16 pixels can't be decoded"):
            read_picture(tmp_path / "it.webp")
