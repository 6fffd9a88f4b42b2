"""Segments of external transcoders whose few bytes claim many samples: claims are counted before objects are made."""

import struct
import tracemalloc
from collections.abc import Iterable
from io import BytesIO

import pytest

from media_pipeline.mp4 import boxes
from media_pipeline.mp4.boxes import BadMp4, Box
from media_pipeline.mp4.segments import InitSegment, MediaSegment, read_segment
from media_pipeline.mp4.tracks import MAX_SAMPLES, Defaults
from media_pipeline.tests.test_mp4 import leaf

TRACK = struct.pack(">I", 1)


def run(samples: int, *values: int, flags: int = 0) -> Box:
    return leaf(b"trun", samples, *values, flags=flags)


def fragment(*runs: Box, decode_time: int = 0, media_bytes: int = 100) -> bytes:
    traf = Box(b"traf", children=(leaf(b"tfhd", 1, flags=0x020000), leaf(b"tfdt", decode_time), *runs))
    moof = Box(b"moof", children=(leaf(b"mfhd", 1), traf))
    return moof.to_bytes() + struct.pack(">I4s", 8 + media_bytes, b"mdat") + bytes(media_bytes)


def read(data: bytes, *, duration: int = 1, size: int = 0) -> MediaSegment:
    init = InitSegment("video", "avc1", 1000, TRACK, 640, 360, "und", Defaults(duration, size))
    return read_segment(BytesIO(data), len(data), init)


def peak_bytes(fragments: Iterable[bytes], sentence: str) -> int:
    """Returns the peak memory in bytes of reading the segment, which must be refused with this sentence."""
    data = b"".join(fragments)
    tracemalloc.start()
    try:
        with pytest.raises(BadMp4, match=sentence):
            read(data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_samples_of_all_runs_are_counted_before_one_of_them_is_made() -> None:
    assert peak_bytes([fragment(*[run(MAX_SAMPLES)] * 5)], "claims 5000000 samples") < 100_000


def test_samples_of_all_fragments_are_counted_together() -> None:
    half = MAX_SAMPLES // 2
    first, second = (fragment(run(half), run(1, 7, flags=0x200), decode_time=time) for time in (0, half + 1))
    assert read(first).samples == half + 1
    with pytest.raises(BadMp4, match=f"claims {half + 1} samples"):
        read(first + second)


def test_samples_without_fields_are_counted_without_being_made() -> None:
    assert peak_bytes([fragment(run(MAX_SAMPLES))], "samples are empty") < 100_000


def test_defaults_and_own_fields_add_up_run_by_run() -> None:
    sizes = run(2, 30, 20, flags=0x200)
    both = run(2, 5, 30, 7, 20, flags=0x300)
    segment = read(fragment(sizes, both, run(4)) + fragment(sizes, decode_time=20))
    assert (segment.decode_time, segment.duration, segment.samples) == (0, 22, 10)
    with pytest.raises(BadMp4, match="not all there"):
        read(fragment(sizes, both, media_bytes=99))


def test_a_fragment_of_very_many_boxes_is_refused_before_they_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0

    def count_box(*args: object, **others: object) -> Box:
        nonlocal made
        made += 1
        return Box(*args, **others)  # type: ignore[arg-type]  # the arguments of the module

    data = fragment(*[Box(b"free")] * 100_000, Box(b"traf", children=(Box(b"free"),) * 50_000))
    monkeypatch.setattr(boxes, "Box", count_box)
    with pytest.raises(BadMp4, match="too many boxes"):
        read(data)
    assert made <= boxes.MAX_BOXES
