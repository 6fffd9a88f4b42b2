"""Small files that try to take much memory, time or disk: all of it stays within the limits."""

import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from media_pipeline import pipeline, probe
from media_pipeline.errors import EncoderFailed, EncoderOverLimit, NotAVideo, TooLarge
from media_pipeline.limits import MAX_STREAMS, MIB, ChildLimits
from media_pipeline.planning.allowance import encoder_limits, probe_limits
from media_pipeline.planning.plan import EncodePlan
from media_pipeline.tests.forge import (
    RAW,
    block,
    box,
    cluster,
    compressed_index,
    element,
    integer,
    mkv,
    mov,
    picture_track,
    png,
    shown_at,
    sound_track,
    stream_of_programs,
)
from media_pipeline.tests.processes import processes_with
from media_pipeline.tests.refusals import carry_through, refusal
from media_pipeline.tests.trial import tried

SECOND = range(0, 1000, 40)
HUNDRED_MIB = 100 * MIB
LARGE = (8000, 4000)
TOO_LONG_TO_READ = "Reading this file took too long; it is damaged or not a video."


def write(folder: Path, name: str, content: bytes) -> Path:
    source = folder / name
    source.write_bytes(content)
    return source


# --- compression -----------------------------------------------------------------------------------------------------


def bomb_in_the_index() -> bytes:
    plain = mov([png()] * 25)
    index = plain[plain.rindex(b"moov") + 4 :]
    whole = box(b"moov", index, box(b"free", bytes(HUNDRED_MIB)))
    return mov([png()] * 25, compressed=compressed_index(len(whole), zlib.compress(whole, 9)))


def bomb_in_every_packet() -> bytes:
    """Each packet unpacks to nearly ten megabytes, the most that the reader unpacks of one packet."""
    packing = element("6D80", element("6240", integer("5032", 1), element("5034", integer("4254", 0))))
    packed = zlib.compress(png() + bytes(9 * MIB), 9)
    return mkv([picture_track(more=packing)], shown_at(SECOND, [packed]))


def bomb_in_the_codec_data() -> bytes:
    packing = element("6D80", element("6240", integer("5032", 2), element("5034", integer("4254", 0))))
    data = element("63A2", zlib.compress(bytes(HUNDRED_MIB), 9))
    return mkv([picture_track(more=packing + data)], shown_at(SECOND, [png()]))


def bomb_in_the_picture() -> bytes:
    return mov([png(text=zlib.compress(bytes(HUNDRED_MIB), 9))] * 3)


@pytest.mark.parametrize(
    "bomb",
    [bomb_in_the_index, bomb_in_every_packet, bomb_in_the_codec_data, bomb_in_the_picture],
    ids=lambda b: b.__name__,
)
def test_a_file_that_unpacks_to_a_thousand_times_its_size_stays_within_the_memory_limit(
    folder: Path, one_ffmpeg: str, bomb: object
) -> None:
    assert callable(bomb)
    content: bytes = bomb()
    trial = tried(folder, write(folder, "film", content), one_ffmpeg)

    assert len(content) < 2 * MIB
    assert trial.code in ("", "not_a_video", "unsupported_codec")
    assert trial.peak_mib < 600
    assert trial.written_bytes < MIB


def test_a_file_that_needs_more_memory_than_the_reader_has_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(probe_limits(20, 2), memory_bytes=250 * MIB)
    monkeypatch.setattr(probe, "probe_limits", lambda time_limit_s, processors: few)
    source = write(folder, "film.mov", mov([png(*LARGE, is_rich=True)], size=LARGE))

    error = refusal(folder, source)

    assert error.code == "not_a_video"
    assert error.sentence == "Reading this file takes more memory than any video needs; it is damaged."


# --- time ------------------------------------------------------------------------------------------------------------


def test_a_file_that_takes_too_long_to_read_is_refused(folder: Path) -> None:
    """The reader compares each tag name with all names before it, which takes quadratic time."""
    tags = b"".join(element("67C8", element("45A3", b"K%d" % n), element("4487", b"x")) for n in range(40_000))
    film = mkv([picture_track()], shown_at(SECOND, [png()]), more=element("1254C367", element("7373", tags)))
    source = write(folder, "film.mkv", film)

    with pytest.raises(NotAVideo, match=TOO_LONG_TO_READ):
        probe.probe(source, time_limit_s=1)
    assert processes_with(str(source)) == []


def test_a_million_tiny_packets_of_sound_are_passed_over(folder: Path, ffmpeg: str) -> None:
    sounds = cluster(2000, *[block(2, bytes(4))] * 25_000) * 40
    film = mkv([picture_track(), sound_track()], [*shown_at(SECOND, [png()]), sounds])
    trial = tried(folder, write(folder, "film.mkv", film), ffmpeg)

    assert (trial.code, trial.frames) == ("", 25)
    assert trial.peak_mib < 150


def test_a_million_tiny_packets_of_one_moment_are_no_video(folder: Path) -> None:
    pictures = shown_at(SECOND, [bytes(64 * 36 * 3)])
    film = mkv([picture_track(codec=RAW)], [*pictures, cluster(0, *[block(1, b"\0")] * 25_000) * 40])
    error = refusal(folder, write(folder, "film.mkv", film))

    assert error.code == "not_a_video"
    assert error.sentence == "The file holds 1000025 pictures for 1.0 seconds; it is damaged or not a video."


# --- counts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("film.mov", mov([png()] * 25, tracks=3000)),
        ("film.mkv", mkv([picture_track(), *map(sound_track, range(2, 120))] * 10, shown_at(SECOND, [png()]))),
        ("film.ts", stream_of_programs(programs=30, streams=200)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_thousands_of_tracks_are_refused(folder: Path, name: str, content: bytes) -> None:
    error = refusal(folder, write(folder, name, content))

    assert (error.code, error.sentence) == (
        "too_large",
        "The file has more than 500 tracks; no video needs that many.",
    )


@pytest.mark.parametrize("tracks", [500, 501])
def test_the_maximum_number_of_tracks_is_accepted_and_one_more_is_not(folder: Path, tracks: int) -> None:
    film = mkv([picture_track(), *map(sound_track, range(2, tracks + 1))], shown_at(SECOND, [png()]))
    source = write(folder, "film.mkv", film)

    if tracks > MAX_STREAMS:
        with pytest.raises(TooLarge):
            probe.probe(source, time_limit_s=20)
    else:
        assert len(probe.probe(source, time_limit_s=20).audio) == tracks - 1


def test_a_film_with_a_hundred_soundtracks_gets_the_first_twelve(folder: Path, one_ffmpeg: str) -> None:
    tracks = [picture_track(), *map(sound_track, range(2, 102))]
    sounds = cluster(0, *(block(number, bytes(9600)) for number in range(2, 102)))
    film = mkv(tracks, [sounds, *shown_at(SECOND, [png()])])
    trial = tried(folder, write(folder, "film.mkv", film), one_ffmpeg)

    assert (trial.code, trial.frames) == ("", 25)
    assert len(list((folder / "out").glob("audio*.m3u8"))) == 12


def test_thousands_of_nested_boxes_cost_little(folder: Path, one_ffmpeg: str) -> None:
    nest = b""
    for _ in range(5000):
        nest = box(b"udta", nest)
    trial = tried(folder, write(folder, "film.mov", mov([png()] * 25, more=nest)), one_ffmpeg)

    assert trial.code in ("", "not_a_video")
    assert trial.peak_mib < 100


# --- the encoder's own limits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "error"),
    # Not every part of ffmpeg says that it failed for lack of memory, hence the general error.
    [({"file_bytes": 2_000}, EncoderOverLimit), ({"memory_bytes": 250 * MIB}, EncoderFailed)],
    ids=["disk", "memory"],
)
def test_an_encoder_over_its_limit_is_ended(
    folder: Path,
    ffmpeg: str,
    monkeypatch: pytest.MonkeyPatch,
    limits: dict[str, Any],
    error: type[EncoderFailed],
) -> None:
    def tight(plan: EncodePlan, processors: int) -> ChildLimits:
        return replace(encoder_limits(plan, processors), **limits)

    monkeypatch.setattr(pipeline, "encoder_limits", tight)
    source = write(folder, "film.mov", mov([png(*LARGE)] * 3, size=LARGE))

    with pytest.raises(error):
        carry_through(folder, source, ffmpeg)
    assert all(path.stat().st_size <= limits.get("file_bytes", MIB) for path in (folder / "work").iterdir())
