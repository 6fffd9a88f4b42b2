"""HLS of other services: how it is read, and each way in which it is refused."""

from fractions import Fraction

import pytest

from media_pipeline.external.hls import BadResult, ForeignVersion, read_version

MASTER = """#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",URI="audio/index.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=5000000,RESOLUTION=1280x720,AUDIO="a"
720p/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=900000,CODECS="avc1.4d401e,mp4a.40.2",RESOLUTION=640x360,AUDIO="a"
360p/index.m3u8
"""
SEGMENTS = """#EXTM3U
#EXT-X-TARGETDURATION:4
#EXTINF:4.0,
seg_1.ts
#EXTINF:2.5, the end
seg_2.ts
#EXT-X-ENDLIST
"""
RANGES = """#EXTM3U
#EXT-X-MAP:URI="init.m4s",BYTERANGE="10@0"
#EXTINF:3,
#EXT-X-BYTERANGE:60@0
all.m4s
#EXTINF:3.5,
#EXT-X-BYTERANGE:40
all.m4s
#EXT-X-ENDLIST
"""
TEXTS = {
    "master.m3u8": MASTER,
    "720p/index.m3u8": SEGMENTS,
    "360p/index.m3u8": RANGES,
    "audio/index.m3u8": SEGMENTS,
}
FILES = ("720p/seg_1.ts", "720p/seg_2.ts", "audio/seg_1.ts", "audio/seg_2.ts", "360p/init.m4s", "360p/all.m4s")


def read(texts: dict[str, str] | None = None, **sizes: int) -> ForeignVersion:
    """Reads the result with other playlists and sizes; names have `__` for `/`, and a size of -1 removes the file."""
    all_texts = {**TEXTS, **(texts or {})}
    all_sizes = {**dict.fromkeys((*all_texts, *FILES), 100)}
    all_sizes |= {name.replace("__", "/").replace("_dot_", "."): size for name, size in sizes.items()}
    return read_version({name: size for name, size in all_sizes.items() if size >= 0}, all_texts.__getitem__)


def test_a_sound_result_is_read() -> None:
    version = read()
    assert version.duration_s == Fraction("6.5")
    assert [(one.width, one.height) for one in version.variants] == [(640, 360), (1280, 720)]
    assert set(version.files) == {*TEXTS, *FILES}


@pytest.mark.parametrize(
    ("texts", "sizes", "sentence"),
    [
        ({}, {"master_dot_m3u8": -1}, "master.m3u8 is not there"),
        ({"master.m3u8": "<html>"}, {}, "master.m3u8 is no playlist"),
        ({"master.m3u8": "#EXTM3U\n"}, {}, "names no quality"),
        ({"master.m3u8": SEGMENTS}, {}, "is no master playlist"),
        ({}, {"master_dot_m3u8": 9 * 1024**2}, "too long"),
        ({}, {"720p__index_dot_m3u8": -1}, "720p/index.m3u8, which is not there"),
        ({"720p/index.m3u8": "x"}, {}, "720p/index.m3u8 is no playlist"),
        ({}, {"720p__seg_2_dot_ts": -1}, "720p/seg_2.ts, which is not there"),
        ({}, {"720p__seg_2_dot_ts": 0}, "720p/seg_2.ts, which is empty"),
        ({}, {"audio__seg_1_dot_ts": -1}, "audio/seg_1.ts, which is not there"),
        ({}, {"360p__init_dot_m4s": -1}, "360p/init.m4s, which is not there"),
        ({}, {"360p__all_dot_m4s": 99}, "after the end of 360p/all.m4s"),
        ({"720p/index.m3u8": SEGMENTS.replace("#EXT-X-ENDLIST\n", "")}, {}, "has no end"),
        ({"720p/index.m3u8": "#EXTM3U\n#EXT-X-ENDLIST\n"}, {}, "has no segments"),
        ({"720p/index.m3u8": SEGMENTS.replace("4.0", "four")}, {}, "no length"),
        ({"720p/index.m3u8": SEGMENTS.replace("4.0", "1/0")}, {}, "no length"),
        ({"720p/index.m3u8": SEGMENTS.replace("4.0", "1e999999999")}, {}, "no length"),
        ({"360p/index.m3u8": RANGES.replace("60@0", "9" * 5000)}, {}, "byte range that cannot be read"),
        ({"720p/index.m3u8": SEGMENTS.replace("seg_1.ts", "../../../secret.ts")}, {}, "only files beside it"),
        ({"720p/index.m3u8": SEGMENTS.replace("seg_1.ts", "https://elsewhere/x.ts")}, {}, "only files beside it"),
        ({"720p/index.m3u8": SEGMENTS.replace("seg_1.ts", "/etc/passwd")}, {}, "only files beside it"),
        ({"720p/index.m3u8": SEGMENTS.replace("seg_1.ts", "seg_1.exe")}, {}, "only files beside it"),
        ({"master.m3u8": MASTER.replace("720p/index", "../x/index")}, {}, "only files beside it"),
        ({"master.m3u8": MASTER.replace("720p/index", "a/b/index")}, {}, "only files beside it"),
    ],
)
def test_each_unsound_result_is_refused_with_its_sentence(
    texts: dict[str, str], sizes: dict[str, int], sentence: str
) -> None:
    with pytest.raises(BadResult) as refused:
        read(texts, **sizes)
    assert sentence in str(refused.value)


def test_a_result_without_sizes_of_its_pictures_plays_as_well() -> None:
    version = read({"master.m3u8": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n720p/index.m3u8\n"})
    assert (version.best.width, version.best.height) == (0, 0)
