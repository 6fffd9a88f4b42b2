"""Runs as a limited child process: opens one untrusted file with PyAV and prints what it found as JSON.

Nothing here decides anything: media_pipeline.source turns the report into facts or a refusal.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from media_pipeline.formats import CONTAINERS, PROTOCOLS

MOST_PACKETS = 5_000_000  # a day at 57 frames a second
PACKETS_TO_DECODE = 250  # a picture must come out of these
FRAMES_TO_DECODE = 4  # the first picture of an interlaced film may not say so
UNSPECIFIED = 2  # of H.273
MOST_BOXES = 100  # looked at to tell a cut-off file


def main(path: str) -> None:
    json.dump(describe(path), sys.stdout)


def describe(path: str) -> dict[str, Any]:
    options = {"protocol_whitelist": PROTOCOLS, "format_whitelist": CONTAINERS}
    try:
        with av.open(path, options=options, metadata_errors="replace") as container:
            report = describe_container(container)
    except av.error.FFmpegError as error:
        report = {"error": "not_a_video", "detail": str(error)}
    if "error" in report and lacks_index(path):
        report["error"] = "truncated"
    return report


def describe_container(container: InputContainer) -> dict[str, Any]:
    stream = picture_of(container)
    if stream is None:
        has_sound = any(s.type == "audio" for s in container.streams)
        return {"error": "no_video_stream" if has_sound else "not_a_video"}
    return {
        "container": container.format.name,
        "start_s": str_fraction(container.start_time or 0, 1, av.time_base),
        "audio": [describe_audio(s) for s in container.streams.audio if s.codec_context and s.codec_context.channels],
        "subtitles": [describe_subtitles(s) for s in container.streams.subtitles if s.codec_context],
        "video": describe_video(container, stream),
    }


def picture_of(container: InputContainer) -> VideoStream | None:
    """The largest moving picture; cover art is a still that the container calls video."""
    moving = [s for s in container.streams.video if Disposition.attached_pic not in s.disposition]
    return max(moving, key=lambda s: (s.codec_context.width or 0) * (s.codec_context.height or 0), default=None)


def describe_audio(stream: Any) -> dict[str, Any]:
    return {
        "index": stream.index,
        "codec": stream.codec_context.name,
        "channels": stream.codec_context.channels,
        **describe_track(stream),
    }


def describe_subtitles(stream: Any) -> dict[str, Any]:
    return {
        "index": stream.index,
        "codec": stream.codec_context.name,
        "is_forced": Disposition.forced in stream.disposition,
        **describe_track(stream),
    }


def describe_track(stream: Any) -> dict[str, Any]:
    return {
        "language": stream.metadata.get("language", ""),
        "title": stream.metadata.get("title", ""),
        "is_default": Disposition.default in stream.disposition,
    }


def describe_video(container: InputContainer, stream: VideoStream) -> dict[str, Any]:
    context = stream.codec_context
    packets, frames, decode_error = read_packets(container, stream)
    frame = frames[0] if frames else None
    sar = stream.sample_aspect_ratio or context.sample_aspect_ratio
    return {
        "index": stream.index,
        "codec": context.name,
        "width": frame.width if frame else context.width,
        "height": frame.height if frame else context.height,
        "sar": f"{sar.numerator}/{sar.denominator}" if sar else "1/1",
        "rotation": round(frame.rotation) % 360 if frame else 0,
        "time_base": f"{stream.time_base.numerator}/{stream.time_base.denominator}" if stream.time_base else "1/1000",
        "guessed_rate": f"{stream.guessed_rate.numerator}/{stream.guessed_rate.denominator}"
        if stream.guessed_rate
        else None,
        "declared_s": declared_duration(container, stream),
        "is_interlaced": any(one.interlaced_frame for one in frames),
        "colour": describe_colour(context, frame),
        "decodes": frame is not None,
        "decode_error": decode_error,
        "packets": packets,
    }


def declared_duration(container: InputContainer, stream: VideoStream) -> str | None:
    """Of the picture, else of the whole file."""
    if stream.duration and stream.time_base:
        return str_fraction(stream.duration, stream.time_base.numerator, stream.time_base.denominator)
    return str_fraction(container.duration, 1, av.time_base) if container.duration else None


def describe_colour(context: Any, frame: Any) -> dict[str, Any]:
    """Code points of H.273; what the picture leaves open, the container may say."""

    def said(name: str) -> int:
        values = [int(getattr(one, name)) for one in (frame, context) if one is not None]
        return next((value for value in values if value != UNSPECIFIED), UNSPECIFIED)

    picture_format = frame.format if frame else None
    return {
        "primaries": said("color_primaries"),
        "transfer": said("color_trc"),
        "matrix": said("colorspace"),
        "range": int(frame.color_range if frame else context.color_range),
        "is_rgb": bool(picture_format and picture_format.is_rgb),
        "depth_bits": max((part.bits for part in picture_format.components), default=8) if picture_format else 8,
        "pixels": picture_format.name if picture_format else "",
    }


def read_packets(container: InputContainer, stream: VideoStream) -> tuple[dict[str, Any], list[Any], str]:
    """The timestamps of every packet (no decoding), and the first pictures that decode."""
    times: list[int] = []
    end, decode_error = 0, ""
    frames: list[Any] = []
    for number, packet in enumerate(demux_what_is_there(container, stream)):
        if not packet.size:
            continue  # the flush packet at the end
        time = next((known for known in (packet.pts, packet.dts) if known is not None), end)
        times.append(time)
        end = max(end, time + (packet.duration or 0))
        if len(frames) < FRAMES_TO_DECODE and number < PACKETS_TO_DECODE:
            decode_error = decode_into(frames, packet.decode, decode_error)
        if number >= MOST_PACKETS:
            break
    if not frames:
        # Decoders hold pictures back to put them in order; a very short video comes out only now.
        decode_error = decode_into(frames, lambda: stream.codec_context.decode(None), decode_error)
    return summarise(times, end), frames, decode_error


def demux_what_is_there(container: InputContainer, stream: VideoStream) -> Any:
    """Packets until the end or the first unreadable byte: a cut-off file still has what came before the cut."""
    try:
        yield from container.demux(stream)
    except av.error.FFmpegError:
        return


def decode_into(frames: list[Any], decode: Callable[[], list[Any]], error_so_far: str) -> str:
    """Adds what decodes; returns what the decoder last complained of."""
    try:
        frames.extend(decode())
    except (av.error.FFmpegError, EOFError) as error:
        return str(error) or error_so_far
    return error_so_far


def summarise(times: list[int], end: int) -> dict[str, Any]:
    times.sort()
    deltas = Counter(b - a for a, b in pairwise(times))
    first, last = (times[0], times[-1]) if times else (0, 0)
    if times and end <= last:  # no packet durations: the last frame lasts as long as the others
        end = last + (deltas.most_common(1)[0][0] if deltas else 1)
    return {"count": len(times), "first": first, "last": last, "end": end, "deltas": deltas.most_common(200)}


def str_fraction(value: int, numerator: int, denominator: int) -> str:
    return f"{value * numerator}/{denominator}"


def lacks_index(path: str) -> bool:
    """An MP4 or MOV whose `moov` box never came or ends early: what an interrupted recording or copy looks like."""
    boxes = dict(list_boxes(path))
    began_as_mp4 = next(iter(boxes), b"") in (b"ftyp", b"wide", b"mdat")
    return began_as_mp4 and not boxes.get(b"moov") and (b"moov" in boxes or b"mdat" in boxes)


def list_boxes(path: str) -> Iterator[tuple[bytes, bool]]:
    """Kind of each box at the top of a file, and whether it is there to its end."""
    with open(path, "rb") as file:  # noqa: PTH123 - a plain path in a child that imports as little as it can
        file_bytes = file.seek(0, 2)
        offset = 0
        for _ in range(MOST_BOXES):
            file.seek(offset)
            header = file.read(16)
            if len(header) < 8:
                return
            size = int.from_bytes(header[:4], "big")
            size = int.from_bytes(header[8:], "big") if size == 1 else size
            yield header[4:8], offset + size <= file_bytes
            if size < 8:
                return
            offset += size


if __name__ == "__main__":
    main(sys.argv[1])
