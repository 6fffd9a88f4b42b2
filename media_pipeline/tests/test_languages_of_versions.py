"""Soundtracks and captions of a source, through the real encoder."""

import re
from pathlib import Path

import pytest

from media_pipeline import layout
from media_pipeline.packaging import playlists
from media_pipeline.packaging.caption_files import parse_captions
from media_pipeline.tests import reader
from media_pipeline.tests.versions import Studio, Version
from tests.clips import run_ffmpeg

ENGLISH = """1
00:00:00,500 --> 00:00:01,500
Hello & <i>welcome</i>

2
00:00:02,000 --> 00:00:02,900
Fish < chips
"""
GERMAN = ENGLISH.replace("Hello & <i>welcome</i>", "Guten Tag").replace("Fish < chips", "Grüße")
SECONDS = 3
PICTURE = ("-f", "lavfi", "-t", str(SECONDS), "-i", "testsrc2=size=160x120:rate=25")


def tone(hertz: int) -> tuple[str, ...]:
    return ("-f", "lavfi", "-t", str(SECONDS), "-i", f"sine=frequency={hertz}:sample_rate=48000")


def film_of_the_world(folder: Path) -> Path:
    """A version of a source with three soundtracks (the second is the default) and with plain and styled captions."""
    for name, text in {"en": ENGLISH, "de": GERMAN}.items():
        (folder / f"{name}.srt").write_text(text, encoding="utf-8")
    path = folder / "world.mkv"
    if path.exists():
        return path
    run_ffmpeg(
        *PICTURE, *tone(440), *tone(880), *tone(1760), "-i", str(folder / "en.srt"), "-i", str(folder / "de.srt"),
        *(arg for number in range(6) for arg in ("-map", str(number))),
        *("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-ac", "1"),
        *("-c:s:0", "srt", "-c:s:1", "ass"),
        *("-metadata:s:a:0", "language=ger", "-metadata:s:a:1", "language=eng", "-metadata:s:a:2", "language=eng"),
        *("-metadata:s:a:2", "title=Commentary", "-disposition:a", "0", "-disposition:a:1", "default"),
        *("-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=deu"),
        str(path),
    )  # fmt: skip
    return path


@pytest.fixture(scope="session")
def world(studio: Studio, ffmpeg: str) -> Version:
    return studio.version_of(film_of_the_world(studio.folder), ffmpeg)


def test_every_soundtrack_is_an_alternate_of_the_master_playlist(world: Version) -> None:
    master = world.playlist(layout.MASTER)
    listed = re.findall(r'TYPE=AUDIO.*NAME="(.*?)",LANGUAGE="(.*?)",DEFAULT=(\w+).*URI="(.*?)"', master)

    assert listed == [
        ("English", "en", "YES", "audio.m3u8"),
        ("Deutsch", "de", "NO", "audio_de.m3u8"),
        ("English (Commentary)", "en", "NO", "audio_en.m3u8"),
    ]
    assert master.count('AUDIO="audio"') == len(world.rungs)


@pytest.mark.parametrize(("key", "hertz"), [("", 880), ("de", 440), ("en", 1760)])
def test_each_alternate_plays_its_own_soundtrack_for_as_long_as_the_picture(
    world: Version, key: str, hertz: int
) -> None:
    ranges = world.ranges(layout.audio_playlist_file(key))
    sound = reader.read_sound(whole_file(world, key))

    assert len(ranges) == len(world.segments(layout.playlist_file(world.rungs[0])))
    assert sound.pitch() == pytest.approx(hertz, rel=0.02)
    assert sound.duration_s == pytest.approx(SECONDS, abs=0.03)
    assert sound.start_s == 0


def whole_file(world: Version, key: str) -> Path:
    return world.out / (layout.audio_file(key) if key else layout.rendition_file(world.rungs[0]))


def test_the_file_of_each_rung_plays_the_default_soundtrack(world: Version) -> None:
    for rung in world.rungs:
        assert reader.read_sound(world.media(rung)).pitch() == pytest.approx(880, rel=0.02)


@pytest.mark.parametrize(
    ("language", "texts"),
    [("en", ["Hello &amp; <i>welcome</i>", "Fish &lt; chips"]), ("de", ["Guten Tag", "Grüße"])],
)
def test_captions_become_webvtt_with_their_times(world: Version, language: str, texts: list[str]) -> None:
    text = (world.out / layout.captions_file(language)).read_text(encoding="utf-8")
    cues = parse_captions(text)

    assert text.startswith("WEBVTT\n")
    assert [cue.text for cue in cues] == texts
    assert [(float(cue.start_s), float(cue.end_s)) for cue in cues] == [(0.5, 1.5), (2.0, 2.9)]


def test_captions_have_a_playlist_as_long_as_the_film(world: Version) -> None:
    playlist = world.playlist(layout.captions_playlist_file("en"))

    assert playlists.uris(playlist) == ["captions_en.vtt"]
    assert f"#EXTINF:{SECONDS}.000000," in playlist
