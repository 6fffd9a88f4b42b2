"""The facts about a source and its plan, as numbers for programs and as lines for people; pure."""

from typing import Any

from media_pipeline.planning.ffmpeg_args import peak_kbps
from media_pipeline.planning.plan import AUDIO_KBPS, EncodePlan
from media_pipeline.report.number_text import bytes_text, enumerate_words, rate_text, seconds_text, size_text
from media_pipeline.sources.colour import HDR_NAMES, UNKNOWN
from media_pipeline.sources.languages import UNDETERMINED, language_name
from media_pipeline.sources.source import AudioTrack, Source, SubtitleTrack

CONTAINER_NAMES = {
    "mov": "MP4 or QuickTime", "matroska": "Matroska or WebM", "mpegts": "MPEG transport stream", "avi": "AVI",
    "mpeg": "MPEG program stream", "flv": "Flash Video", "asf": "Windows Media", "ogg": "Ogg", "mxf": "MXF",
}  # fmt: skip
CODEC_NAMES = {
    "h264": "H.264", "hevc": "H.265", "av1": "AV1", "libdav1d": "AV1", "vp8": "VP8", "vp9": "VP9", "mpeg4": "MPEG-4",
    "mpeg2video": "MPEG-2", "mpeg1video": "MPEG-1", "prores": "ProRes", "mjpeg": "Motion JPEG", "theora": "Theora",
    "aac": "AAC", "mp3": "MP3", "mp3float": "MP3", "ac3": "Dolby Digital", "eac3": "Dolby Digital Plus", "dca": "DTS",
    "opus": "Opus", "libopus": "Opus", "vorbis": "Vorbis", "flac": "FLAC", "truehd": "Dolby TrueHD",
}  # fmt: skip
CHANNEL_NAMES = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}


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
        "lines": lines_as_json(source_lines(source, size_bytes)),
    }


def source_lines(source: Source, size_bytes: int) -> dict[str, str]:
    """The facts for people, by their labels."""
    # A demuxer has several names, of which the first one is enough.
    demuxer = source.container.partition(",")[0]
    rate = f"{'variable, about ' if source.is_variable_rate else ''}{rate_text(source.source_rate)} frames a second"
    picture = [CODEC_NAMES.get(source.codec, source.codec), size_text(source.width, source.height), rate]
    picture += ["interlaced"] if source.is_interlaced else []
    picture += ["stored rotated"] if source.rotation else []
    colour = source.colour
    tags = [name for name in (colour.primaries, colour.transfer, colour.matrix) if name != UNKNOWN]
    meaning = HDR_NAMES.get(colour.transfer) or ", ".join(dict.fromkeys(tags)) or "colours not specified"
    return {
        "File": f"{CONTAINER_NAMES.get(demuxer, source.container)}, {bytes_text(size_bytes)}",
        "Length": f"{seconds_text(source.duration_s)}, {source.frames} frames",
        "Picture": ", ".join(picture),
        "Colours": f"{colour.depth_bits} bits, {source.pixels}, {meaning}",
        "Sound": "; ".join(audio_text(track) for track in source.audio) or "none",
        "Subtitles": "; ".join(subtitle_text(track) for track in source.subtitles) or "none",
    }


def audio_text(track: AudioTrack) -> str:
    channels = CHANNEL_NAMES.get(track.channels, f"{track.channels} channels")
    return " ".join([*track_names(track), f"{CODEC_NAMES.get(track.codec, track.codec)} {channels}"])


def subtitle_text(track: SubtitleTrack) -> str:
    return " ".join([*track_names(track), track.codec, *(["forced"] if track.is_forced else [])])


def track_names(track: AudioTrack | SubtitleTrack) -> list[str]:
    """Title and language, as far as they are known."""
    names = [f"“{track.title}”"] if track.title else []
    return names + ([language_name(track.language)] if track.language != UNDETERMINED else [])


# --- planned ---------------------------------------------------------------------------------------------------------


def plan_facts(plan: EncodePlan) -> dict[str, Any]:
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
        "segments": plan.segments,
        "is_tone_mapped": plan.colour.is_hdr,
        "is_deinterlaced": plan.is_interlaced,
        "audio": [{"language": one.track.language, "name": one.name} for one in plan.audio],
        "captions": [{"language": one.language, "label": one.label} for one in plan.captions],
        "storyboard": {"pictures": board.tiles, "interval_s": round(float(board.step_frames / plan.frame_rate), 3)},
        "lines": lines_as_json(plan_lines(plan)),
    }


def plan_lines(plan: EncodePlan) -> dict[str, str]:
    """The plan for people, by its labels."""
    qualities = []
    for rung in plan.rungs:
        peak = peak_kbps(rung, plan.frame_rate) / 1000
        qualities.append(f"{rung.name} ({size_text(rung.width, rung.height)}, up to {peak:g} Mbit/s)")
    picture = f"H.264, 8 bits, {rate_text(plan.frame_rate)} frames a second"
    steps = ["deinterlaced"] if plan.is_interlaced else []
    steps += ["tone-mapped to BT.709"] if plan.colour.is_hdr else []
    board = plan.storyboard
    interval = seconds_text(board.step_frames / plan.frame_rate)
    segment = seconds_text(plan.segment_frames / plan.frame_rate)
    return {
        "Qualities": ", ".join(qualities),
        "Picture": f"{picture}, {enumerate_words(steps, 'and')}" if steps else picture,
        "Segments": f"{plan.segments}, each of {segment} at the most",
        "Sound": ", ".join(f"{one.name} (AAC stereo, {AUDIO_KBPS} kbit/s)" for one in plan.audio) or "none",
        # Others may be uploaded beside them.
        "Captions": ", ".join(one.label for one in plan.captions) or "none in the file",
        "Seek bar": f"{board.tiles} pictures, one for every {interval}",
    }


def lines_as_json(lines: dict[str, str]) -> list[dict[str, str]]:
    return [{"label": label, "text": text} for label, text in lines.items()]
