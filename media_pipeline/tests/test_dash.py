"""DASH results made by ffmpeg: how they are read, what players get, and each way in which a result is refused."""

import re
import struct
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from pathlib import Path

import pytest

from media_pipeline.external import dash, dash_texts
from media_pipeline.external.dash import DashResult, read_dash
from media_pipeline.external.hls import BadResult, ForeignVersion
from media_pipeline.external.mpd import MAX_FILES, Representation, parse_duration
from media_pipeline.external.results import read_result
from media_pipeline.external.segment_files import FIRST_PART_BYTES, read_segments
from media_pipeline.mp4.boxes import BadMp4
from media_pipeline.mp4.segments import InitSegment, MediaSegment
from media_pipeline.packaging import playlists
from tests.clips import Clip, make_clip, run_ffmpeg
from tests.transcoder import WINDOW, make_dash

Files = dict[str, bytes]
LENGTH_S = 9
FIRST = "chunk-stream0-00001.m4s"
THIRD = "chunk-stream0-00003.m4s"
LAST = "chunk-stream0-00005.m4s"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip"), Clip(size="320x180", rate="25", duration_s=LENGTH_S))


@pytest.fixture(scope="module")
def whole(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Files:
    return files_in(make_dash(tmp_path_factory.mktemp("whole") / "made", clip, sizes=("320x180", "160x90")))


@pytest.fixture(scope="module")
def window(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Files:
    return files_in(make_dash(tmp_path_factory.mktemp("window") / "made", clip, *WINDOW, sizes=("320x180", "160x90")))


def files_in(folder: Path) -> Files:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def sizes_of(files: Files) -> dict[str, int]:
    return {name: len(data) for name, data in files.items()}


def read(files: Files) -> DashResult:
    return read_dash(sizes_of(files), files.__getitem__, lambda segments: segments_of(files, segments))


def segments_of(files: Files, segments: Iterable[tuple[str, InitSegment]]) -> Mapping[str, MediaSegment | BadMp4]:
    def read_part(name: str, offset: int, length: int) -> bytes:
        return files[name][offset : offset + length]

    return read_segments(segments, sizes_of(files), read_part, lambda: None)


def take(files: Files, original_s: float | None = LENGTH_S) -> ForeignVersion:
    return read_result(
        sizes_of(files), files.__getitem__, lambda segments: segments_of(files, segments), original_s=original_s
    )


def with_manifest(files: Files, *changes: tuple[str, str]) -> Files:
    text = files["manifest.mpd"].decode()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return {**files, "manifest.mpd": text.encode()}


def without(files: Files, *names: str) -> Files:
    return {name: data for name, data in files.items() if name not in names}


# --- accepted results ------------------------------------------------------------------------------------------------


def test_every_segment_is_found_with_its_time(whole: Files) -> None:
    result = read(whole)
    picture, small, sound = result.tracks
    assert result.duration_s == LENGTH_S
    assert result.start_s == 0
    assert [one.durations for one in (picture, small)] == [(25600,) * 4 + (12800,)] * 2
    assert [one.codec.partition(".")[0] for one in result.tracks] == ["avc1", "avc1", "mp4a"]
    assert sound.codec == "mp4a.40.2"
    assert abs(sound.end_s - LENGTH_S) < Fraction(1, 20)
    assert set(result.files) == set(whole) - {"manifest.mpd"}


def test_segments_before_a_window_are_found(whole: Files, window: Files) -> None:
    assert window["manifest.mpd"].count(b"startNumber") > whole["manifest.mpd"].count(b'startNumber="1"') - 1
    assert b'startNumber="1"' not in window["manifest.mpd"]
    result, expected = take(window), take(whole)
    assert result.duration_s == LENGTH_S
    assert set(result.files) == set(expected.files)
    assert result.texts == expected.texts


def test_segments_before_a_window_are_found_by_names_with_their_time(window: Files, whole: Files) -> None:
    renamed = {}
    for track in read(whole).tracks:
        for name, segment in zip(track.files, track.segments, strict=True):
            renamed[name] = f"{name[: name.rindex('-')]}-{max(segment.decode_time - track.origin, 0)}.m4s"
    by_time = {renamed.get(name, name): data for name, data in window.items()}
    by_time["chunk-stream0-x.m4s"] = by_time["chunk-stream0-0077.m4s"] = b"something else"
    assert take(with_manifest(by_time, ("$Number%05d$", "$Time$"))).duration_s == LENGTH_S


def test_files_that_do_not_fit_the_window_are_not_taken_for_its_beginning(window: Files) -> None:
    stale = {**window, "chunk-stream0-00001.m4s": window["chunk-stream0-00002.m4s"]}
    for files in (stale, without(window, FIRST), {**window, FIRST: b"no segment"}):
        with pytest.raises(BadResult, match=r"begins .* late, and nothing leads back to the start"):
            take(files)


def test_a_result_that_covers_less_than_the_original_says_how_much_is_missing(window: Files, whole: Files) -> None:
    listed = set(re.findall(r"chunk-stream\d-0000[45].m4s", " ".join(window)))
    only_listed = {name: data for name, data in window.items() if not name.startswith("chunk") or name in listed}
    with pytest.raises(BadResult, match=r"lasts 3.0 s and the original 9.0 s: 6.0 s are missing"):
        take(only_listed)
    with pytest.raises(BadResult, match=r"the original 9.0 s: 6.0 s are missing"):
        take(only_listed, original_s=None)  # the length of the original is then that of the manifest
    with pytest.raises(BadResult, match=r"lasts 9.0 s and the original 60.0 s: 51.0 s are missing"):
        take(whole, original_s=60)
    assert take(whole, original_s=LENGTH_S + 0.9).duration_s == LENGTH_S


def test_hls_that_covers_less_than_the_original_is_refused_too() -> None:
    files = {
        "master.m3u8": b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n",
        "a.m3u8": b"#EXTM3U\n#EXTINF:4,\na.ts\n#EXT-X-ENDLIST\n",
        "a.ts": b"media",
    }
    assert take(files, original_s=4.5).duration_s == 4
    with pytest.raises(BadResult, match=r"lasts 4.0 s and the original 9.0 s: 5.0 s are missing"):
        take(files)


def test_segments_of_many_fragments_are_read_to_their_end(clip: Path, tmp_path: Path) -> None:
    fragments = ("-frag_type", "every_frame")
    files = files_in(make_dash(tmp_path / "made", clip, *fragments, sizes=("640x360",)))
    assert len(files[FIRST]) > 2 * FIRST_PART_BYTES
    assert files[FIRST].count(b"moof") > 40
    assert take(files).duration_s == LENGTH_S
    cut = {**files, FIRST: files[FIRST][: files[FIRST].rindex(b"moof") + 200]}
    with pytest.raises(BadResult, match=rf"{FIRST} is no segment that can be taken"):
        take(cut)


def test_segments_without_a_timeline_have_the_length_of_their_samples(clip: Path, tmp_path: Path) -> None:
    files = files_in(make_dash(tmp_path / "made", clip, "-use_timeline", "0", sizes=("320x180",)))
    assert b"SegmentTimeline" not in files["manifest.mpd"]
    result = take(files)
    assert result.duration_s == LENGTH_S
    assert result.texts["180p.m3u8"].count("#EXTINF:2.000000,") == 4


# --- playlists and manifest ------------------------------------------------------------------------------------------


def test_hls_is_written_for_the_same_files(window: Files) -> None:
    texts = take(window).texts
    assert set(texts) == {"master.m3u8", "90p.m3u8", "180p.m3u8", "audio.m3u8", "manifest.mpd"}
    master = texts["master.m3u8"]
    assert re.search(
        r'CODECS="avc1\.[0-9a-f]{6},mp4a\.40\.2",RESOLUTION=160x90,FRAME-RATE=25\.000,AUDIO="audio"', master
    )
    assert playlists.uris(master) == ["audio.m3u8", "90p.m3u8", "180p.m3u8"]
    playlist = texts["180p.m3u8"]
    assert playlist.splitlines()[:9] == [
        *("#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:2", "#EXT-X-MEDIA-SEQUENCE:0"),
        *("#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-INDEPENDENT-SEGMENTS", '#EXT-X-MAP:URI="init-stream0.m4s"'),
        *("#EXTINF:2.000000,", FIRST),
    ]
    assert playlist.endswith(f"#EXTINF:1.000000,\n{LAST}\n#EXT-X-ENDLIST\n")


def test_the_manifest_is_written_anew_for_the_whole_length(window: Files) -> None:
    text = take(window).texts["manifest.mpd"]
    (lasts,) = re.findall(r'mediaPresentationDuration="([^"]*)"', text)
    assert parse_duration(lasts) == LENGTH_S
    assert set(dash_texts.files(text)) == set(window) - {"manifest.mpd"}
    assert (text.count("<AdaptationSet "), text.count("<Representation ")) == (2, 3)
    assert text.count('<S t="0" d="25600"/>\n<S t="25600" d="25600"/>') == 2


@pytest.mark.parametrize("kind", ["manifest.mpd", "master.m3u8"])
def test_ffmpeg_reads_every_picture_and_all_of_the_sound(kind: str, window: Files, tmp_path: Path) -> None:
    result = take(window)
    for name, data in {**window, **{name: text.encode() for name, text in result.texts.items()}}.items():
        (tmp_path / name).write_bytes(data)
    run_ffmpeg(
        *("-allowed_extensions", "ALL") if kind == "master.m3u8" else (),
        *("-i", str(tmp_path / kind), "-map", "0:v:0", "-f", "framemd5", str(tmp_path / "pictures")),
        *("-map", "0:a:0", "-f", "framemd5", str(tmp_path / "sound")),
    )
    pictures = [line for line in (tmp_path / "pictures").read_text().splitlines() if not line.startswith("#")]
    sound = [line for line in (tmp_path / "sound").read_text().splitlines() if not line.startswith("#")]
    assert len(pictures) == LENGTH_S * 25
    assert abs(len(sound) * 1024 / 48_000 - LENGTH_S) < 0.1


def test_soundtracks_are_named_by_their_languages(tmp_path: Path) -> None:
    clip, made = make_clip(tmp_path, Clip(duration_s=3)), tmp_path / "made"
    made.mkdir()
    languages = [*("-metadata:s:a:0", "language=eng"), *("-metadata:s:a:1", "language=deu")]
    maps = ["-map", "0:v", "-map", "0:a", "-map", "0:a", *languages, "-c:v", "copy", "-c:a", "aac"]
    run_ffmpeg("-i", str(clip), *maps, "-f", "dash", str(made / "manifest.mpd"))
    texts = take(files_in(made), original_s=3).texts
    assert 'NAME="English",LANGUAGE="en",DEFAULT=YES' in texts["master.m3u8"]
    assert 'NAME="Deutsch",LANGUAGE="de",DEFAULT=NO' in texts["master.m3u8"]
    assert 'URI="audio_de.m3u8"' in texts["master.m3u8"]
    assert re.findall(r'contentType="audio" lang="(..)"', texts["manifest.mpd"]) == ["en", "de"]


def test_sizes_with_equal_segments_become_one_set_even_if_the_manifest_separates_them(whole: Files) -> None:
    text = whole["manifest.mpd"].decode()
    second = text.index("<Representation", text.index("<Representation") + 1)
    apart = f'{text[:second]}</AdaptationSet><AdaptationSet id="9" contentType="video">{text[second:]}'
    assert take({**whole, "manifest.mpd": apart.encode()}).texts == take(whole).texts


def test_with_both_forms_the_hls_stays_as_it_is_and_a_bad_manifest_is_left_out(whole: Files) -> None:
    made = take(whole)
    both = {**whole, **{name: text.encode() for name, text in made.texts.items() if name.endswith(".m3u8")}}
    result = take(both)
    assert set(result.texts) == {"manifest.mpd"}
    assert {"master.m3u8", "180p.m3u8", "init-stream0.m4s"} <= set(result.files)
    assert take({**both, "manifest.mpd": b"<html>"}).texts == {}
    # ffmpeg writes HLS with the last segments only beside a manifest of a window.
    short = {**both, "180p.m3u8": both["180p.m3u8"].replace(b"#EXTINF:2.000000,", b"#EXTINF:0.1,")}
    assert set(take(short).texts) == set(made.texts)
    with pytest.raises(BadResult, match=r"are missing.*manifest.mpd cannot be taken"):
        take({**short, "manifest.mpd": b"<html>"})


# --- refused results -------------------------------------------------------------------------------------------------


def flipped(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new, 1)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda f: without(f, THIRD), f"{THIRD}, which is not there"),
        (lambda f: without(f, "init-stream1.m4s"), "init-stream1.m4s, which is not there"),
        (lambda f: {**f, THIRD: b""}, f"{THIRD}, which is empty"),
        (lambda f: {**f, THIRD: f[THIRD][:-1]}, f"{THIRD} is no segment"),
        (lambda f: {**f, THIRD: f[THIRD][:40]}, f"{THIRD} is no segment"),
        (lambda f: {**f, THIRD: b"\x47" + b"\0" * 187}, f"{THIRD} is no segment"),
        (lambda f: {**f, THIRD: flipped(f[THIRD], b"mdat", b"free")}, "media of a fragment are not all there"),
        (lambda f: {**f, THIRD: flipped(f[THIRD], b"moof", b"free")}, "no fragment"),
        (lambda f: {**f, THIRD: flipped(f[THIRD], b"tfdt", b"free")}, "no tfdt"),
        (lambda f: {**f, THIRD: f[FIRST]}, f"{THIRD} begins 4.0 s from where manifest.mpd has it"),
        (lambda f: {**f, THIRD: f["chunk-stream2-00003.m4s"]}, f"{THIRD} "),
        (lambda f: {**f, FIRST: not_sync(f[FIRST])}, f"{FIRST} does not begin with a picture that decodes by itself"),
        (lambda f: {**f, "init-stream0.m4s": f["init-stream2.m4s"]}, "holds audio, and manifest.mpd says video"),
        (lambda f: {**f, "init-stream0.m4s": f[FIRST]}, "init-stream0.m4s is no init segment"),
        (lambda f: {**f, "init-stream0.m4s": b"\0" * 2**21}, "too long for an init segment"),
        (lambda f: {**f, "init-stream0.m4s": flipped(f["init-stream0.m4s"], b"avc1", b"hvc1")}, "holds hvc1"),
        (lambda f: {**f, "init-stream0.m4s": flipped(f["init-stream0.m4s"], b"avc1", b"encv")}, "it is encrypted"),
        (lambda f: {**f, "init-stream0.m4s": nested()}, "too deep"),
        (lambda f: {**f, "init-stream0.m4s": sizeless(f["init-stream0.m4s"])}, "does not say how large the picture is"),
        (lambda f: with_manifest(f, ("avc1.", "hvc1.")), "and manifest.mpd says hvc1"),
        (lambda f: with_manifest(f, ("mp4a.40.2", "mp4a.&quot;&#10;#EXT-X")), "and manifest.mpd says mp4a"),
        (lambda f: with_manifest(f, ("init-stream", "../x/init-stream")), "only files beside it"),
        (lambda f: with_manifest(f, ("init-stream", "https://elsewhere.example/init-stream")), "only files beside it"),
        (lambda f: with_manifest(f, ("chunk-stream", "/etc/chunk-stream")), "only files beside it"),
        (lambda f: with_manifest(f, ("<Period ", "<BaseURL>//elsewhere.example/</BaseURL><Period ")), "only files"),
        (lambda f: with_manifest(f, ("<Period ", "<BaseURL>a/../../</BaseURL><Period ")), "only files beside it"),
        (lambda f: with_manifest(f, ("05d$.m4s", "05d$.m3u8")), "only files beside it|segments end with|not there"),
        (lambda f: with_manifest(f, ('static"', 'dynamic"')), "dynamic"),
        (lambda f: with_manifest(f, ("chunk-stream$RepresentationID$", "chunk-stream0")), "one of its files twice"),
        (lambda f: with_manifest(f, ('d="12800"', 'd="0"')), "no length"),
        (lambda f: {**f, "manifest.mpd": b"\xff\xfe"}, "is no text"),
        (lambda f: {**f, "manifest.mpd": b" " * (9 * 1024**2)}, "too long for a manifest"),
        (lambda f: without(f, "manifest.mpd"), "master.m3u8 is not there"),
    ],
)
def test_each_unsound_result_is_refused_with_its_sentence(
    whole: Files, change: Callable[[Files], Files], sentence: str
) -> None:
    with pytest.raises(BadResult, match=sentence):
        take(change(whole))


def not_sync(segment: bytes) -> bytes:
    """Returns the segment with flags that make its first sample depend on others."""
    at = segment.index(b"trun") + 4
    flags = struct.unpack_from(">I", segment, at)[0]
    assert flags & 4
    return segment[: at + 12] + struct.pack(">I", 0x01010000) + segment[at + 16 :]


def sizeless(init: bytes) -> bytes:
    at = init.index(b"avc1", init.index(b"stsd")) + 4 + 24
    assert struct.unpack_from(">HH", init, at) == (320, 180)
    return init[:at] + bytes(4) + init[at + 4 :]


def nested() -> bytes:
    data = b""
    for _ in range(5000):
        data = struct.pack(">I4s", 8 + len(data), b"moov") + data
    return data


def test_a_run_that_claims_more_samples_than_bytes_is_refused(whole: Files) -> None:
    segment = whole[THIRD]
    at = segment.index(b"trun") + 4
    claimed = segment[:at] + struct.pack(">II", 0x1, 0xFFFFFFFF) + segment[at + 8 :]
    with pytest.raises(BadResult, match="claims 4294967295 samples"):
        take({**whole, THIRD: claimed})


def test_names_before_a_window_are_counted_representation_by_representation(
    whole: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket may hold any number of objects of one template, which a hundred representations may share."""
    looked_up: list[str] = []

    def names_before(one: Representation, _: Mapping[str, int]) -> list[str]:
        looked_up.append(one.id)
        return ["a.m4s"] * MAX_FILES

    monkeypatch.setattr(dash, "names_before", names_before)
    with pytest.raises(BadResult, match="names more than 200000 files"):
        read(whole)
    assert looked_up == ["0"]


def test_a_label_names_no_file(whole: Files) -> None:
    label = '<Label>media="a/b.mp4" sourceURL="c.mp4"</Label><Representation id="0"'
    text = take(with_manifest(whole, ('<Representation id="0"', label))).texts["manifest.mpd"]
    assert '<Label>media="a/b.mp4" sourceURL="c.mp4"</Label>' in text
    assert set(dash_texts.files(text)) == set(whole) - {"manifest.mpd"}
    changed = dash_texts.with_addresses(text, lambda name: f"https://bucket.example/{name}?a=1&b=2")
    assert '<Label>media="a/b.mp4" sourceURL="c.mp4"</Label>' in changed
    assert f'<SegmentURL media="https://bucket.example/{FIRST}?a=1&amp;b=2"/>' in changed
    assert '<Initialization sourceURL="https://bucket.example/init-stream0.m4s?a=1&amp;b=2"/>' in changed
