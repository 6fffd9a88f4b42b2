"""Carries clips through the whole pipeline, each once in a test run."""

import tempfile
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

from media_pipeline import layout
from media_pipeline.packaging import playlists
from media_pipeline.packaging.playlists import Segment
from media_pipeline.pipeline import Job, Made, process
from media_pipeline.planning.ladder import parse_ladder
from media_pipeline.planning.plan import PlanSettings
from media_pipeline.tests import reader
from media_pipeline.tests.reader import Picture, Sound
from tests.clips import Clip, make_clip

SMALL_LADDER = ("120p", "240p")


@dataclass(frozen=True)
class Version:
    """A finished version in its folder, which is read back on demand."""

    out: Path
    made: Made

    @property
    def rungs(self) -> list[str]:
        return [rung.name for rung in self.made.plan.rungs]

    @cached_property
    def pictures(self) -> dict[str, list[Picture]]:
        return {rung: reader.read_pictures(self.media(rung)) for rung in self.rungs}

    @cached_property
    def sound(self) -> Sound:
        return reader.read_sound(self.media(self.rungs[0]))

    @property
    def duration_s(self) -> Fraction:
        return len(self.pictures[self.rungs[0]]) / self.made.plan.frame_rate

    def media(self, rung: str) -> Path:
        return self.out / layout.rendition_file(rung)

    def playlist(self, name: str) -> str:
        return (self.out / name).read_text()

    def segments(self, name: str) -> list[tuple[str, Segment]]:
        return playlists.parse_segments(self.playlist(name))

    def ranges(self, name: str) -> list[bytes]:
        """For each segment the bytes that a player puts together: the init object and the byte range."""
        text = self.playlist(name)
        init = (self.out / playlists.uris(text)[0]).read_bytes()
        return [init + self.read_range(file, segment) for file, segment in playlists.parse_segments(text)]

    def read_range(self, file: str, segment: Segment) -> bytes:
        with (self.out / file).open("rb") as media:
            media.seek(segment.offset)
            return media.read(segment.size)


def make_version(folder: Path, source: Path, ffmpeg: str, ladder: tuple[str, ...] = SMALL_LADDER) -> Version:
    work, out = folder / "work", folder / "out"
    for each in (work, out):
        each.mkdir()
    settings = PlanSettings(ladder=parse_ladder(ladder))
    made = process(Job(source, work, out, ffmpeg, settings, report=lambda progress: None))
    return Version(out, made)


class Studio:
    """Makes clips and versions, and remembers both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clips: dict[str, Path] = {}
        self.versions: dict[tuple[str, str], Version] = {}

    def clip(self, name: str, clip: Clip) -> Path:
        if name not in self.clips:
            self.clips[name] = make_clip(self.folder, clip, name)
        return self.clips[name]

    def version(self, name: str, clip: Clip, ffmpeg: str, ladder: tuple[str, ...] = SMALL_LADDER) -> Version:
        return self.version_of(self.clip(name, clip), ffmpeg, ladder)

    def version_of(self, source: Path, ffmpeg: str, ladder: tuple[str, ...] = SMALL_LADDER) -> Version:
        key = (str(source), ffmpeg)
        if key not in self.versions:
            folder = Path(tempfile.mkdtemp(dir=self.folder))
            self.versions[key] = make_version(folder, source, ffmpeg, ladder)
        return self.versions[key]
