"""Files that are not what they claim to be: each is refused quickly with its code, and nothing else happens."""

import socket
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from media_pipeline.ffmpeg.diagnose import diagnose
from media_pipeline.ffmpeg.locate import find_ffmpeg
from media_pipeline.ffmpeg.run import run_limited
from media_pipeline.limits import ChildLimits
from media_pipeline.planning.ffmpeg_args import encode_args
from media_pipeline.planning.plan import PlanSettings, plan_encode
from media_pipeline.tests.processes import MIB
from media_pipeline.tests.refusals import FTYP, NOISE, QUICK_S, refusal
from media_pipeline.tests.sources import film


@pytest.fixture
def listener() -> Iterator[str]:
    """An address that must not be called: a connection to it fails the test."""
    calls: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=accept_calls, args=(server, calls))
        thread.start()
        port = server.getsockname()[1]
        yield f"http://127.0.0.1:{port}/secret"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert calls == []


def accept_calls(server: socket.socket, calls: list[str]) -> None:
    with suppress(OSError):  # the test is over and the socket closed
        while True:
            connection, address = server.accept()
            calls.append(str(address))
            connection.close()


@pytest.fixture
def neighbour(tmp_path: Path, clip: Path) -> Path:
    """Another user's video on the same disk, which a playlist tries to show."""
    path = tmp_path / "neighbour.mp4"
    path.write_bytes(clip.read_bytes())
    return path


# --- not a video -----------------------------------------------------------------------------------------------------


def png() -> bytes:
    """A real PNG of 64×64 grey pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress((b"\0" + b"\x80" * 64) * 64)
    head = struct.pack(">IIBBBBB", 64, 64, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


NOT_A_VIDEO = {
    "empty.mp4": b"",
    "one byte.mp4": b"\0",
    "text.mp4": b"This is a letter, not a film.\n" * 200,
    "text.txt": b"name,price\n" * 10_000,
    "image.mp4": png(),
    "image.png": png(),
    "page.mp4": b"<!doctype html><video src='http://example.com/film.mp4'></video>",
    "archive.zip": b"PK\3\4" + NOISE,
    "noise.mp4": NOISE,
    "header and noise.mp4": FTYP + NOISE,
    "matroska and noise.mkv": b"\x1aE\xdf\xa3\x01\0\0\0\0\0\0\x1fB\x86\x81\x01B\xf7\x81\x01" + NOISE,
    "stream and noise.avi": b"RIFF\xff\xff\0\0AVI LIST" + NOISE,
    "program.mp4": b"\x7fELF\2\1\1\0" + bytes(8) + NOISE,
    "script.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
}


@pytest.mark.parametrize("name", NOT_A_VIDEO)
def test_a_file_that_is_no_video_is_refused_as_such(folder: Path, tmp_path: Path, name: str) -> None:
    source = tmp_path / name
    source.write_bytes(NOT_A_VIDEO[name])

    assert refusal(folder, source).code == "not_a_video"


@pytest.mark.parametrize(("name", "head"), [("zeros.mp4", b""), ("zeros.ts", b"\x47"), ("film.mkv", b"\x1aE\xdf\xa3")])
def test_gigabytes_of_nothing_are_refused_as_quickly(folder: Path, tmp_path: Path, name: str, head: bytes) -> None:
    source = tmp_path / name
    with source.open("wb") as file:
        file.write(head)
        file.truncate(4 * 1024 * MIB)

    assert refusal(folder, source).code == "not_a_video"


def test_a_folder_is_no_video(folder: Path, tmp_path: Path) -> None:
    assert refusal(folder, tmp_path).code == "not_a_video"


def test_a_file_that_is_not_there_is_said_to_be_missing(folder: Path, tmp_path: Path) -> None:
    assert refusal(folder, tmp_path / "gone").code == "source_missing"


# --- playlists and scripts under a video's name ----------------------------------------------------------------------


def hls(address: str) -> str:
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{address}\n#EXT-X-ENDLIST\n"


def hls_master(address: str) -> str:
    return f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{address}\n"


def hls_key(address: str) -> str:
    return hls("neighbour.mp4").replace("#EXTINF", f'#EXT-X-KEY:METHOD=AES-128,URI="{address}"\n#EXTINF')


def ffconcat(address: str) -> str:
    return f"ffconcat version 1.0\nfile '{address}'\n"


def dash(address: str) -> str:
    return f"<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'><BaseURL>{address}</BaseURL></MPD>"


def sdp(address: str) -> str:
    return f"v=0\nc=IN IP4 127.0.0.1\nm=video {address.split(':')[-1].split('/')[0]} RTP/AVP 96\n"


def m3u(address: str) -> str:
    return f"{address}\n"


def subtitles(address: str) -> str:
    return f"<SAMI><BODY><SYNC Start=0><img src='{address}'></SYNC></BODY></SAMI>"


SCRIPTS: list[Callable[[str], str]] = [hls, hls_master, hls_key, ffconcat, dash, sdp, m3u, subtitles]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
def test_no_script_makes_a_request(folder: Path, tmp_path: Path, listener: str, script: Callable[[str], str]) -> None:
    source = tmp_path / "film.mp4"
    source.write_text(script(listener))

    assert refusal(folder, source).code == "not_a_video"


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "/etc/passwd", "{neighbour}", "file:{neighbour}", "neighbour.mp4"]
)
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
def test_no_script_reads_another_file(
    folder: Path, tmp_path: Path, neighbour: Path, script: Callable[[str], str], target: str
) -> None:
    source = tmp_path / "film.mp4"
    source.write_text(script(target.format(neighbour=neighbour)))

    error = refusal(folder, source)

    assert error.code == "not_a_video"
    assert "root:" not in error.detail + error.sentence


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
@pytest.mark.parametrize("extension", ["mp4", "m3u8", "ffconcat", "mpd", "sdp"])
def test_the_encoder_refuses_a_script_even_if_the_probe_had_let_it_pass(
    folder: Path, tmp_path: Path, neighbour: Path, script: Callable[[str], str], extension: str
) -> None:
    source = tmp_path / f"film.{extension}"
    source.write_text(script(str(neighbour)))
    args = encode_args(find_ffmpeg(), plan_encode(film(), PlanSettings()), source, folder / "work")

    finished = run_limited(
        args,
        limits=ChildLimits(),
        time_limit_s=QUICK_S,
        stall_s=QUICK_S,
        reads=[source],
        writes=[folder / "work"],
    )

    assert finished.returncode != 0
    assert diagnose(finished.returncode, finished.stderr).code in ("not_a_video", "truncated")
    assert all(path.stat().st_size == 0 for path in (folder / "work").iterdir())
