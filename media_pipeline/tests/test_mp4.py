"""Fragmented MP4, box by box."""

import struct
from fractions import Fraction
from pathlib import Path

import pytest

from media_pipeline.mp4 import boxes, build, tracks
from media_pipeline.mp4.boxes import BadMp4, Box
from media_pipeline.mp4.build import Reference

TICKS_PER_FRAME = 512


def leaf(kind: bytes, *values: int, version: int = 0, flags: int = 0) -> Box:
    return Box(kind, struct.pack(f">{len(values) + 1}I", version << 24 | flags, *values))


def trun(sizes: list[int], *, data_offset: int = 100, first_flags: int | None = None) -> Box:
    has_first = 0x4 if first_flags is not None else 0
    head = [len(sizes), data_offset, *([first_flags] if first_flags is not None else [])]
    return leaf(b"trun", *head, *sizes, flags=0x201 | has_first)


def moof(*truns: Box, decode_time: int = 0, flags: int = build.SAMPLE_IS_SYNC) -> Box:
    tfhd = leaf(b"tfhd", 1, TICKS_PER_FRAME, flags, flags=0x020028)
    traf = Box(b"traf", children=(tfhd, leaf(b"tfdt", decode_time), *truns))
    return Box(b"moof", children=(leaf(b"mfhd", 1), traf))


def stsd(entry: bytes) -> Box:
    return Box(b"stsd", struct.pack(">II", 0, 1) + entry)


def moov(*, timescale: int = 12800, entry: bytes = b"\0\0\0\x20mp4a" + bytes(24)) -> Box:
    stbl = Box(b"stbl", children=(stsd(entry),))
    mdia = Box(b"mdia", children=(leaf(b"mdhd", 0, 0, timescale, 0, 0), Box(b"minf", children=(stbl,))))
    return Box(b"moov", children=(Box(b"trak", children=(leaf(b"tkhd", *range(1, 21)), mdia)),))


def track_bytes(*fragments: tuple[Box, int]) -> bytes:
    body = b"".join(box.to_bytes() + build.mdat_header(size) + bytes(size) for box, size in fragments)
    return build.ftyp() + moov().to_bytes() + body


TWO_FRAGMENTS = track_bytes(
    (moof(trun([70, 20, 10])), 100),
    (moof(trun([40]), trun([10, 10]), decode_time=3 * TICKS_PER_FRAME, flags=tracks.SAMPLE_IS_NOT_SYNC), 60),
)


@pytest.fixture
def on_disk(tmp_path: Path) -> Path:
    path = tmp_path / "360p.video.mp4"
    path.write_bytes(TWO_FRAGMENTS)
    return path


# --- boxes -----------------------------------------------------------------------------------------------------------


def test_boxes_survive_the_round_trip() -> None:
    written = (moov(), moof(trun([1, 2])), Box(b"free", b"\0" * 5), Box(b"mdat"))

    assert boxes.parse_boxes(b"".join(box.to_bytes() for box in written)) == written


def test_a_box_is_found_by_its_path() -> None:
    assert moof(trun([1])).find(b"traf", b"tfdt").kind == b"tfdt"
    assert len(moof(trun([1]), trun([2])).find(b"traf").all(b"trun")) == 2


def test_a_missing_box_is_named() -> None:
    with pytest.raises(BadMp4, match="no tfdt in moof"):
        moof().find(b"tfdt")


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\0",
        b"\0\0\0\x08fre",
        b"\0\0\0\x09free",
        b"\0\0\0\x00free",
        b"\0\0\0\x07free",
        b"\xff\xff\xff\xfffree",
        Box(b"moov", b"\0\0\0\x20trak").to_bytes(),
        Box(b"free").to_bytes() + b"\0",
    ],
)
def test_a_truncated_box_is_refused(data: bytes) -> None:
    with pytest.raises(BadMp4):
        boxes.parse_boxes(data)


# --- reading ---------------------------------------------------------------------------------------------------------


def test_a_track_is_read_with_its_fragments(on_disk: Path) -> None:
    track = tracks.read_track(on_disk)
    first, second = track.fragments

    assert (track.timescale, track.samples, track.duration) == (12800, 6, 6 * TICKS_PER_FRAME)
    assert (first.sample_sizes, second.sample_sizes) == ((70, 20, 10), (40, 10, 10))
    assert (first.decode_time, second.decode_time) == (0, 3 * TICKS_PER_FRAME)
    assert (first.starts_with_sync, second.starts_with_sync) == (True, False)
    assert (first.data_offset, first.first_sample_end) == (100, 170)


def test_fragments_follow_each_other_without_a_gap(on_disk: Path) -> None:
    first, second = tracks.read_track(on_disk).fragments

    assert first.offset + first.size == second.offset
    assert second.offset + second.size == on_disk.stat().st_size


def test_64_bit_sizes_and_times_are_read(tmp_path: Path) -> None:
    path = tmp_path / "large.mp4"
    late = moof(trun([8])).find(b"traf")
    tfdt = Box(b"tfdt", struct.pack(">IQ", 1 << 24, 2**40))
    traf = Box(b"traf", children=(late.children[0], tfdt, late.children[2]))
    large_mdat = struct.pack(">I4sQ", 1, b"mdat", 24) + bytes(8)
    path.write_bytes(moov().to_bytes() + Box(b"moof", children=(traf,)).to_bytes() + large_mdat)

    (fragment,) = tracks.read_track(path).fragments

    assert fragment.decode_time == 2**40
    assert fragment.size == fragment.moof_bytes + 24


def test_the_flags_of_the_first_sample_beat_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "video.mp4"
    run = trun([8, 8], first_flags=build.SAMPLE_IS_SYNC)
    path.write_bytes(track_bytes((moof(run, flags=tracks.SAMPLE_IS_NOT_SYNC), 16)))

    assert tracks.read_track(path).fragments[0].starts_with_sync


def test_a_sample_may_leave_everything_to_the_defaults(tmp_path: Path) -> None:
    """ffmpeg writes such a fragment for a single frame, which ends many films and is all of a still picture."""
    path = tmp_path / "one.mp4"
    tfhd = leaf(b"tfhd", 1, TICKS_PER_FRAME, 70, tracks.SAMPLE_IS_NOT_SYNC, flags=0x020038)
    run = leaf(b"trun", 1, 100, build.SAMPLE_IS_SYNC, flags=0x5)
    path.write_bytes(track_bytes((Box(b"moof", children=(Box(b"traf", children=(tfhd, leaf(b"tfdt", 0), run)),)), 70)))

    (fragment,) = tracks.read_track(path).fragments

    assert (fragment.durations, fragment.sample_sizes) == ((TICKS_PER_FRAME,), (70,))
    assert fragment.starts_with_sync


def test_a_file_that_is_cut_off_anywhere_is_refused_or_read_up_to_its_last_whole_fragment(tmp_path: Path) -> None:
    path = tmp_path / "cut.mp4"
    for length in range(0, len(TWO_FRAGMENTS), 3):
        path.write_bytes(TWO_FRAGMENTS[:length])
        try:
            track = tracks.read_track(path)
        except BadMp4:
            continue
        assert all(fragment.offset + fragment.size <= length for fragment in track.fragments)


@pytest.mark.parametrize(
    "broken",
    [
        moof(),
        moof(Box(b"trun")),
        moof(Box(b"trun", b"\0\0\2\1")),
        moof(leaf(b"trun", 1000, 100, 5, flags=0x201)),
        moof(leaf(b"trun", 2**32 - 1, 100, flags=0x201)),
        Box(b"moof", children=(Box(b"traf", children=(Box(b"tfhd"), leaf(b"tfdt", 0), trun([1]))),)),
        Box(b"moof", children=(Box(b"traf", children=(leaf(b"tfhd", 1), Box(b"tfdt"), trun([1]))),)),
        Box(b"moof", b"\0\0\0"),
    ],
)
def test_a_fragment_that_claims_more_than_it_holds_is_refused(tmp_path: Path, broken: Box) -> None:
    path = tmp_path / "broken.mp4"
    path.write_bytes(track_bytes((broken, 16)))

    with pytest.raises(BadMp4):
        tracks.read_track(path)


def test_a_file_without_a_moov_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "360p.video.mp4"
    path.write_bytes(build.ftyp())

    with pytest.raises(BadMp4, match=r"360p\.video\.mp4 has no moov"):
        tracks.read_track(path)


def test_an_index_box_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.mp4"
    with path.open("wb") as file:
        file.write(struct.pack(">I4s", boxes.MAX_INDEX_BYTES + 8, b"moov"))
        file.truncate(boxes.MAX_INDEX_BYTES + 8)

    with pytest.raises(BadMp4, match="too large"):
        tracks.read_track(path)


@pytest.mark.parametrize(
    ("entry", "codec"),
    [
        (b"\0\0\0\x40avc1" + bytes(78) + b"\0\0\0\x10avcC\x01\x64\x00\x1f", "avc1.64001f"),
        (b"\0\0\0\x40avc1" + bytes(78) + b"\0\0\0\x10avcC\x01\x42\xc0\x0b", "avc1.42c00b"),
        (b"\0\0\0\x20mp4a" + bytes(24), "mp4a.40.2"),
    ],
)
def test_the_codec_is_named_after_its_configuration(entry: bytes, codec: str) -> None:
    assert tracks.codec_name(moov(entry=entry)) == codec


def test_a_codec_that_we_never_write_is_refused() -> None:
    with pytest.raises(BadMp4, match=r"neither H\.264 nor AAC"):
        tracks.codec_name(moov(entry=b"\0\0\0\x20vp09" + bytes(24)))


# --- building --------------------------------------------------------------------------------------------------------


def test_a_moov_of_two_tracks_numbers_them_and_tells_the_duration() -> None:
    built = build.build_moov([(moov(), build.VIDEO_TRACK), (moov(), build.AUDIO_TRACK)], Fraction(6006, 1000))
    tkhds = [trak.find(b"tkhd").payload for trak in built.all(b"trak")]

    assert [struct.unpack_from(">I", tkhd, 12)[0] for tkhd in tkhds] == [1, 2]
    assert [struct.unpack_from(">I", tkhd, 20)[0] for tkhd in tkhds] == [6006, 6006]
    assert struct.unpack(">Q", built.find(b"mvex", b"mehd").payload[4:]) == (6006,)
    assert [struct.unpack_from(">I", trex.payload, 4)[0] for trex in built.find(b"mvex").all(b"trex")] == [1, 2]
    assert built.find(b"mvhd").payload[-4:] == struct.pack(">I", 3)
    assert boxes.parse_boxes(built.to_bytes()) == (built,)


def test_a_track_header_of_the_wide_form_is_refused() -> None:
    wide = Box(b"moov", children=(Box(b"trak", children=(leaf(b"tkhd", *range(24), version=1),)),))

    with pytest.raises(BadMp4, match="tkhd"):
        build.build_moov([(wide, 1)], Fraction(1))


def test_the_index_adds_up_to_the_file_and_its_duration() -> None:
    references = [Reference(1000, 48), Reference(2000, 48), Reference(500, 7)]
    (box,) = boxes.parse_boxes(build.sidx(12800, references))
    track, timescale, earliest, first_offset, reserved, count = struct.unpack_from(">IIQQHH", box.payload, 4)
    entries = list(struct.iter_unpack(">III", box.payload[32:]))

    assert (track, timescale, earliest, first_offset, reserved, count) == (1, 12800, 0, 0, 0, 3)
    assert sum(size for size, _, _ in entries) == 3500
    assert sum(duration for _, duration, _ in entries) == 103
    assert {flags for _, _, flags in entries} == {build.SAP_TYPE_1}


def test_renumbering_a_moof_changes_nothing_else() -> None:
    before = moof(trun([70, 20, 10]))
    after = build.with_sequence(before, 7)

    assert len(after) == len(before.to_bytes())
    (read,) = boxes.parse_boxes(after)
    assert read.find(b"mfhd").payload == struct.pack(">II", 0, 7)
    assert read.find(b"traf") == before.find(b"traf")


@pytest.mark.parametrize("sizes", [[5], [300, 310, 290]])
def test_a_sound_fragment_is_read_back_as_it_was_built(sizes: list[int]) -> None:
    built = build.audio_moof(4, 189 * 1024, 1024, sizes)
    fragment = tracks.parse_fragment(built[8:], 0, len(built))

    assert fragment.decode_time == 189 * 1024
    assert fragment.sample_sizes == tuple(sizes)
    assert fragment.durations == (1024,) * len(sizes)
    assert fragment.starts_with_sync
    assert fragment.data_offset == len(built) + 8
    assert fragment.moof.find(b"traf", b"tfhd").payload[4:8] == struct.pack(">I", build.AUDIO_TRACK)


def test_a_segment_too_large_for_its_header_is_refused() -> None:
    assert build.mdat_header(100) == b"\0\0\0\x6cmdat"
    with pytest.raises(BadMp4, match="4 GiB"):
        build.mdat_header(2**32 - 8)
