"""Files that are not what they say: each gets its code and sentence, quickly, and nothing else happens."""

import os
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from media_pipeline.errors import PipelineError
from media_pipeline.ffmpeg.args import encode_args
from media_pipeline.ffmpeg.diagnose import diagnose
from media_pipeline.ffmpeg.locate import find_ffmpeg
from media_pipeline.ffmpeg.run import ChildLimits, run_limited
from media_pipeline.pipeline import Job, process
from media_pipeline.plan import PlanSettings, plan_encode
from media_pipeline.probe import probe
from media_pipeline.tests import reader
from media_pipeline.tests.test_plan import SOURCE
from tests.clips import Clip, make_clip

QUICK_S = 20  # a machine that is busy with other tests is slow; a request that waits for an answer is slower
MIB = 1024**2
SECRET = "the neighbour's secret"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips"), Clip(size="160x120", rate="25", duration_s=4))


@pytest.fixture(scope="module")
def front_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the index before the media."""
    flags = ("-movflags", "+faststart")
    return make_clip(tmp_path_factory.mktemp("clips"), Clip(size="160x120", rate="25", duration_s=4, flags=flags))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "job"
    for name in ("work", "out"):
        (path / name).mkdir(parents=True)
    return path


@pytest.fixture
def listener() -> Iterator[str]:
    """An address that must never be called."""
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
    with suppress(OSError):  # the test is over and the socket shut
        while True:
            connection, address = server.accept()
            calls.append(str(address))
            connection.close()


@pytest.fixture
def neighbour(tmp_path: Path, clip: Path) -> Path:
    """Somebody else's video on the same disk, which a playlist would like to show."""
    path = tmp_path / "neighbour.mp4"
    path.write_bytes(clip.read_bytes())
    return path


def carry_through(folder: Path, source: Path) -> None:
    process(Job(source, folder / "work", folder / "out", find_ffmpeg(), PlanSettings(), report=lambda progress: None))


def refusal(folder: Path, source: Path) -> PipelineError:
    """The error that the file ends in, after proof that nothing else came of it."""
    began = time.monotonic()
    with pytest.raises(PipelineError) as refused:
        carry_through(folder, source)
    assert time.monotonic() - began < QUICK_S
    assert list((folder / "out").iterdir()) == []
    assert processes_about(source) == []
    error = refused.value
    assert error.sentence.endswith(".")
    assert str(source) not in error.sentence
    return error


def processes_about(source: Path) -> list[str]:
    found = []
    for process_folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = process_folder.joinpath("cmdline").read_text(errors="replace")
            if str(source) in command and process_folder.name != str(os.getpid()):
                found.append(command)
    return found


# --- not a video -----------------------------------------------------------------------------------------------------


def png() -> bytes:
    """A real picture of 64×64 grey pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress((b"\0" + b"\x80" * 64) * 64)
    head = struct.pack(">IIBBBBB", 64, 64, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


FTYP = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41"
NOISE = bytes((number * 7919 + number // 3 * 104729) % 251 for number in range(200_000))

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
def test_what_is_no_video_is_refused_as_such(folder: Path, tmp_path: Path, name: str) -> None:
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
    args = encode_args(find_ffmpeg(), plan_encode(SOURCE, PlanSettings()), source, folder / "work")

    finished = run_limited(args, limits=ChildLimits(), time_limit_s=QUICK_S, stall_s=QUICK_S)

    assert finished.returncode != 0
    assert diagnose(finished.returncode, finished.stderr).code in ("not_a_video", "truncated")
    assert all(path.stat().st_size == 0 for path in (folder / "work").iterdir())


def test_a_video_that_refers_to_another_file_does_not_show_it(folder: Path, tmp_path: Path, clip: Path) -> None:
    """A QuickTime data reference (`alis`, `url `) may name any file as the place of the media."""
    (tmp_path / "secret.txt").write_text(SECRET * 1000)
    reference = struct.pack(">I4sI", 12 + 12, b"url ", 0) + b"secret.txt\0\0"
    plain = struct.pack(">I4sI", 12, b"url ", 1)
    source = tmp_path / "film.mov"
    data = clip.read_bytes()
    assert plain in data
    source.write_bytes(data.replace(plain, plain[:8] + struct.pack(">I", 0)).replace(b"free", reference[4:8]))

    with suppress(PipelineError):
        carry_through(folder, source)
    assert all(SECRET.encode() not in path.read_bytes() for path in folder.rglob("*") if path.is_file())


# --- damaged videos --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9])
def test_a_recording_whose_index_never_came_is_truncated(folder: Path, tmp_path: Path, clip: Path, kept: float) -> None:
    data = clip.read_bytes()
    source = tmp_path / "film.mp4"
    source.write_bytes(data[: int(data.index(b"moov") * kept)])

    error = refusal(folder, source)

    assert error.code == "truncated"
    assert "cut off" in error.sentence


def test_an_index_that_is_cut_off_itself_is_truncated_too(folder: Path, tmp_path: Path, front_clip: Path) -> None:
    data = front_clip.read_bytes()
    source = tmp_path / "film.mp4"
    source.write_bytes(data[: data.index(b"moov") + 300])

    assert refusal(folder, source).code == "truncated"


def test_gigabytes_that_were_never_written_are_truncated(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "film.mp4"
    with source.open("wb") as file:
        file.write(FTYP + struct.pack(">I4sQ", 1, b"mdat", 3 * 1024 * MIB))
        file.truncate(2 * 1024 * MIB)

    assert refusal(folder, source).code == "truncated"


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_of_a_video_cut_off_behind_its_index_what_is_there_plays(
    folder: Path, tmp_path: Path, front_clip: Path, kept: float
) -> None:
    data = front_clip.read_bytes()
    media = data.index(b"mdat")
    source = tmp_path / "film.mp4"
    source.write_bytes(data[: media + int((len(data) - media) * kept)])

    carry_through(folder, source)
    pictures = reader.read_pictures(folder / "out" / "120p.mp4")

    assert 100 * kept * 0.6 < len(pictures) <= 100
    assert [picture.time_s * 25 for picture in pictures] == list(range(len(pictures)))


@pytest.mark.parametrize("every", [5000, 700, 40])
def test_a_video_with_rot_in_it_plays_or_is_refused_but_never_breaks_the_worker(
    folder: Path, tmp_path: Path, front_clip: Path, every: int
) -> None:
    data = bytearray(front_clip.read_bytes())
    for position in range(data.index(b"mdat") + 100, len(data), every):
        data[position] ^= 0x5A
    source = tmp_path / "film.mp4"
    source.write_bytes(data)

    with suppress(PipelineError):
        carry_through(folder, source)
    assert processes_about(source) == []


@pytest.mark.parametrize("every", [11, 37, 101])
def test_an_index_with_rot_in_it_plays_or_is_refused_but_never_breaks_the_worker(
    folder: Path, tmp_path: Path, front_clip: Path, every: int
) -> None:
    data = bytearray(front_clip.read_bytes())
    for position in range(data.index(b"moov") + 60, data.index(b"mdat"), every):
        data[position] ^= 0xFF
    source = tmp_path / "film.mp4"
    source.write_bytes(data)

    with suppress(PipelineError):
        carry_through(folder, source)
    assert processes_about(source) == []


@pytest.mark.parametrize("name", ["-i", "a b.mp4", "über film.mp4", "%d.mp4", "http:film.mp4", "film:1.mp4", "'x'.mp4"])
def test_an_odd_file_name_is_only_a_name(tmp_path: Path, clip: Path, name: str) -> None:
    source = tmp_path / name
    source.write_bytes(clip.read_bytes())

    assert probe(source, time_limit_s=QUICK_S).frames == 100


def test_the_next_video_is_unaffected(folder: Path, tmp_path: Path, clip: Path) -> None:
    source = tmp_path / "bad.mp4"
    source.write_bytes(NOISE)
    refusal(folder, source)

    carry_through(folder, clip)

    assert len(reader.read_pictures(folder / "out" / "120p.mp4")) == 100
