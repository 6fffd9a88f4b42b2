"""What was found in a source and what is planned, for programs (numbers) and for people (lines); pure."""

from dataclasses import dataclass
from typing import Any

from media_pipeline.planning.ffmpeg_args import peak_kbps
from media_pipeline.planning.plan import AUDIO_KBPS, EncodePlan
from media_pipeline.planning.tracks import AudioRendition
from media_pipeline.report.wording import bytes_text, enumerate_words, rate_text, seconds_text, size_text
from media_pipeline.sources.colour import HDR_NAMES, UNKNOWN
from media_pipeline.sources.languages import UNDETERMINED, language_name
from media_pipeline.sources.source import AudioTrack, Source, SubtitleTrack

CONTAINERS = {
    "mov": "MP4 or QuickTime", "matroska": "Matroska or WebM", "mpegts": "MPEG transport stream", "avi": "AVI",
    "mpeg": "MPEG program stream", "flv": "Flash Video", "asf": "Windows Media", "ogg": "Ogg", "mxf": "MXF",
}  # fmt: skip
CODECS = {
    "h264": "H.264", "hevc": "H.265", "av1": "AV1", "libdav1d": "AV1", "vp8": "VP8", "vp9": "VP9", "mpeg4": "MPEG-4",
    "mpeg2video": "MPEG-2", "mpeg1video": "MPEG-1", "prores": "ProRes", "mjpeg": "Motion JPEG", "theora": "Theora",
    "aac": "AAC", "mp3": "MP3", "mp3float": "MP3", "ac3": "Dolby Digital", "eac3": "Dolby Digital Plus", "dca": "DTS",
    "opus": "Opus", "libopus": "Opus", "vorbis": "Vorbis", "flac": "FLAC", "truehd": "Dolby TrueHD",
}  # fmt: skip
CHANNELS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}


@dataclass(frozen=True)
class Line:
    """One fact for people."""

    label: str
    text: str


# --- found -----------------------------------------------------------------------------------------------------------


def source_facts(source: Source, size_bytes: int) -> dict[str, Any]:
    return {
        "container": source.container,
        "size_bytes": size_bytes,
        "codec": source.codec,
        "width": source.width,
        "height": source.height,
        "rotation": source.rotation,
        "frame_rate": str(source.source_rate),
        "is_variable_rate": source.is_variable_rate,
        "is_interlaced": source.is_interlaced,
        "frames": source.frames,
        "duration_s": round(float(source.duration_s), 3),
        "pixels": source.pixels,
        "depth_bits": source.colour.depth_bits,
        "primaries": source.colour.primaries,
        "transfer": source.colour.transfer,
        "matrix": source.colour.matrix,
        "hdr": HDR_NAMES.get(source.colour.transfer, ""),
        "audio": [
            {"language": one.language, "title": one.title, "codec": one.codec, "channels": one.channels}
            for one in source.audio
        ],
        "subtitles": [
            {"language": one.language, "title": one.title, "codec": one.codec, "is_text": one.is_text}
            for one in source.subtitles
        ],
        "lines": lines_as_json(found_lines(source, size_bytes)),
    }


def found_lines(source: Source, size_bytes: int) -> list[Line]:
    return [
        Line("File", f"{container_name(source.container)}, {bytes_text(size_bytes)}"),
        Line("Length", f"{seconds_text(source.duration_s)}, {source.frames} frames"),
        Line("Picture", picture_text(source)),
        Line("Colours", colour_text(source)),
        Line("Sound", "; ".join(audio_text(track) for track in source.audio) or "none"),
        Line("Subtitles", "; ".join(subtitle_text(track) for track in source.subtitles) or "none"),
    ]


def container_name(container: str) -> str:
    """A demuxer is known by several names: the first one tells enough."""
    return CONTAINERS.get(container.partition(",")[0], container)


def picture_text(source: Source) -> str:
    rate = f"{'varying, about ' if source.is_variable_rate else ''}{rate_text(source.source_rate)} frames a second"
    parts = [CODECS.get(source.codec, source.codec), size_text(source.width, source.height), rate]
    parts += ["interlaced"] if source.is_interlaced else []
    return ", ".join([*parts, "stored turned"] if source.rotation else parts)


def colour_text(source: Source) -> str:
    colour = source.colour
    said = [name for name in (colour.primaries, colour.transfer, colour.matrix) if name != UNKNOWN]
    meaning = HDR_NAMES.get(colour.transfer) or ", ".join(dict.fromkeys(said)) or "no colours said"
    return f"{colour.depth_bits} bits, {source.pixels}, {meaning}"


def audio_text(track: AudioTrack) -> str:
    channels = CHANNELS.get(track.channels, f"{track.channels} channels")
    return " ".join([*named(track.language, track.title), f"{CODECS.get(track.codec, track.codec)} {channels}"])


def subtitle_text(track: SubtitleTrack) -> str:
    return " ".join([*named(track.language, track.title), track.codec, *(["forced"] if track.is_forced else [])])


def named(language: str, title: str) -> list[str]:
    return [*([f"“{title}”"] if title else []), *([language_name(language)] if language != UNDETERMINED else [])]


# --- planned ---------------------------------------------------------------------------------------------------------


def planned(plan: EncodePlan) -> dict[str, Any]:
    board = plan.storyboard
    return {
        "rungs": [
            {
                "name": rung.name,
                "width": rung.width,
                "height": rung.height,
                "peak_kbps": peak_kbps(rung, plan.frame_rate),
            }
            for rung in plan.rungs
        ],
        "frame_rate": str(plan.frame_rate),
        "frames": plan.frames,
        "duration_s": round(float(plan.duration_s), 3),
        "segment_s": round(float(plan.segment_frames / plan.frame_rate), 3),
        "segments": segments(plan),
        "is_tone_mapped": plan.colour.is_hdr,
        "is_deinterlaced": plan.is_interlaced,
        "audio": [{"language": one.track.language, "name": one.name} for one in plan.audio],
        "captions": [{"language": one.language, "label": one.label} for one in plan.captions],
        "storyboard": {"pictures": board.tiles, "interval_s": round(float(board.step_frames / plan.frame_rate), 3)},
        "lines": lines_as_json(planned_lines(plan)),
    }


def planned_lines(plan: EncodePlan) -> list[Line]:
    board = plan.storyboard
    interval = seconds_text(board.step_frames / plan.frame_rate)
    return [
        Line("Qualities", ", ".join(rung_text(plan, number) for number in range(len(plan.rungs)))),
        Line("Picture", picture_plan_text(plan)),
        Line(
            "Segments", f"{segments(plan)}, each of {seconds_text(plan.segment_frames / plan.frame_rate)} at the most"
        ),
        Line("Sound", ", ".join(rendition_text(one) for one in plan.audio) or "none"),
        # Others may be uploaded beside them.
        Line("Captions", ", ".join(one.label for one in plan.captions) or "none in the file"),
        Line("Seek bar", f"{board.tiles} pictures, one for every {interval}"),
    ]


def segments(plan: EncodePlan) -> int:
    return -(-plan.frames // plan.segment_frames)


def rung_text(plan: EncodePlan, number: int) -> str:
    rung = plan.rungs[number]
    peak = peak_kbps(rung, plan.frame_rate) / 1000
    return f"{rung.name} ({size_text(rung.width, rung.height)}, up to {peak:g} Mbit/s)"


def picture_plan_text(plan: EncodePlan) -> str:
    steps = [
        *(["deinterlaced"] if plan.is_interlaced else []),
        *(["tone-mapped to BT.709"] if plan.colour.is_hdr else []),
    ]
    made = f"H.264, 8 bits, {rate_text(plan.frame_rate)} frames a second"
    return f"{made}, {enumerate_words(steps, 'and')}" if steps else made


def rendition_text(audio: AudioRendition) -> str:
    return f"{audio.name} (AAC stereo, {AUDIO_KBPS} kbit/s)"


def lines_as_json(lines: list[Line]) -> list[dict[str, str]]:
    return [{"label": line.label, "text": line.text} for line in lines]
