"""Runs as a limited child process: opens one untrusted file with PyAV and prints what it found as JSON.

Nothing here decides anything: media_pipeline.sources.source turns the report into facts or a refusal.
"""

import json
import struct
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

import av
from av.container import InputContainer
from av.format import Flags
from av.stream import Disposition
from av.video.stream import VideoStream

from media_pipeline.limits import MAX_CHANNELS, MAX_PACKETS, MAX_PIXELS, MAX_STREAMS, MAX_TAG_LENGTH, SAMPLE_RATES
from media_pipeline.sources.formats import CONTAINERS, PROTOCOLS

OPTIONS = {
    "protocol_whitelist": PROTOCOLS,
    "format_whitelist": CONTAINERS,
    "max_streams": str(MAX_STREAMS + 1),
}
PACKETS_TO_DECODE = 250  # a picture must come out of these
FRAMES_TO_DECODE = 4  # the first picture of an interlaced film may not say so
UNSPECIFIED = 2  # of H.273
MAX_BOXES = 100  # looked at to tell a cut-off file
# ffmpeg's own, by which it tells that a clock starts again (dts_delta_threshold).
MAX_GAP_S = 10
MAX_STEP_BACK_S = Fraction(1, 10)


def main(path: str) -> None:
    # What FFmpeg says goes to stderr: often it alone tells why a file cannot be read.
    av.logging.restore_default_callback()
    av.logging.set_libav_level(av.logging.WARNING)
    json.dump(probe_report(path), sys.stdout)


def probe_report(path: str) -> dict[str, Any]:
    try:
        # With the protocol said: a name may look like another one.
        with av.open(f"file:{path}", container_options=OPTIONS, metadata_errors="replace") as container:
            report = describe_container(container)
    except av.error.FFmpegError as error:
        report = {"error": "not_a_video", "detail": str(error)}
    if "error" in report and lacks_index(path):
        report["error"] = "truncated"
    return report


def describe_container(container: InputContainer) -> dict[str, Any]:
    if len(container.streams) > MAX_STREAMS:  # reading stopped there
        return {"error": "many_streams"}
    stream = picture_of(container)
    if stream is None:
        has_sound = any(s.type == "audio" for s in container.streams)
        return {"error": "no_video_stream" if has_sound else "not_a_video"}
    if not stream.codec_context:
        return {"error": "unknown_codec"}
    width, height = stream.codec_context.width or 0, stream.codec_context.height or 0
    if width * height > MAX_PIXELS:
        return {"error": "large_picture", "width": width, "height": height}
    stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}  # the picture may be another than the header's
    video = describe_video(container, stream)
    if video["packets"]["count"] > MAX_PACKETS:
        return {"error": "many_packets"}
    return {
        "container": container.format.name,
        "start_s": str_fraction(container.start_time or 0, 1, av.time_base),
        "audio": [describe_audio(s) for s in container.streams.audio if is_sound(s)],
        "subtitles": [describe_subtitles(s) for s in container.streams.subtitles if s.codec_context],
        "video": video,
    }


def picture_of(container: InputContainer) -> VideoStream | None:
    """The largest moving picture; cover art is a still that the container calls video.

    One that no decoder is known for counts only beside none.
    """
    moving = [s for s in container.streams.video if Disposition.attached_pic not in s.disposition]
    return max(moving, key=pixels_of, default=None)


def pixels_of(stream: VideoStream) -> int:
    context = stream.codec_context
    return (context.width or 0) * (context.height or 0) if context else -1


def is_sound(stream: Any) -> bool:
    """Whether a decoder is there, and the header claims nothing that sound cannot be."""
    context = stream.codec_context
    return bool(context) and 0 < context.channels <= MAX_CHANNELS and context.sample_rate in SAMPLE_RATES


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
        "language": stream.metadata.get("language", "")[:MAX_TAG_LENGTH],
        "title": stream.metadata.get("title", "")[:MAX_TAG_LENGTH],
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
        "matrix": display_matrix(frame),
        "is_interlaced": any(one.interlaced_frame for one in frames),
        "colour": describe_colour(context, frame),
        "decodes": frame is not None,
        "decode_error": decode_error,
        "packets": packets,
    }


def display_matrix(frame: Any) -> list[int] | None:
    """The four numbers that turn and mirror, row by row; what moves and skews is left out."""
    data = frame.side_data.get("DISPLAYMATRIX") if frame else None
    if data is None:
        return None
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(data))
    return [a, b, c, d]


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
    clock = Clock(container, stream)
    for number, packet in enumerate(demux_what_is_there(container, stream)):
        if not packet.size:
            continue  # the flush packet at the end
        shift = clock.shift_of(packet)
        time = next((known + shift for known in (packet.pts, packet.dts) if known is not None), end)
        times.append(time)
        end = max(end, time + (packet.duration or 0))
        if len(frames) < FRAMES_TO_DECODE and number < PACKETS_TO_DECODE:
            decode_error = decode_into(frames, packet.decode, decode_error)
        if len(times) > MAX_PACKETS:
            break
    if not frames:
        # Decoders hold pictures back to put them in order; a very short video comes out only now.
        decode_error = decode_into(frames, lambda: stream.codec_context.decode(None), decode_error)
    return summarise(times, end), frames, decode_error


class Clock:
    """In formats whose clock may start again, as in recordings put together, it goes on where it was: as in ffmpeg."""

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self.may_jump = bool(Flags(container.format.flags) & Flags.ts_discont)
        time_base = stream.time_base or Fraction(1, av.time_base)
        self.gap, self.step_back = MAX_GAP_S / time_base, MAX_STEP_BACK_S / time_base
        self.shift = 0
        self.last = self.next = 0
        self.has_begun = False

    def shift_of(self, packet: Any) -> int:
        """To be added to the packet's times, in the stream's ticks."""
        if not self.may_jump or packet.dts is None:
            return self.shift
        if self.has_begun and self.jumps(packet.dts + self.shift):
            self.shift = self.next - packet.dts
        self.has_begun = True
        self.last = packet.dts + self.shift
        self.next = self.last + (packet.duration or 0)
        return self.shift

    def jumps(self, dts: int) -> bool:
        return dts + self.step_back < self.last or abs(dts - self.next) > self.gap


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
        for _ in range(MAX_BOXES):
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
