"""Runs as a limited child process: opens one untrusted file with PyAV and prints what is in it as JSON.

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

from media_pipeline.limits import MAX_CHANNELS, MAX_METADATA_LENGTH, MAX_PACKETS, MAX_PIXELS, MAX_STREAMS, SAMPLE_RATES
from media_pipeline.sources.formats import CONTAINERS, PROTOCOLS

OPTIONS = {
    # The same lists as the encoder's: a file under a video's name must not make FFmpeg open another file or an address.
    "protocol_whitelist": PROTOCOLS,
    "format_whitelist": CONTAINERS,
    # One more than is accepted, so that a file with too many can be told from one with as many as allowed.
    "max_streams": str(MAX_STREAMS + 1),
}
# When no picture decodes from this many packets, the codec counts as one that cannot be decoded.
PACKETS_TO_DECODE = 250
# The first frame of an interlaced film may not be marked as interlaced, so a few are looked at.
FRAMES_TO_DECODE = 4
UNSPECIFIED = 2  # the code point of H.273
# Boxes at the top of an MP4 that are looked at to recognise a cut-off file.
MAX_BOXES = 100
# ffmpeg takes a larger step of the clock for a recording that starts again (its dts_delta_threshold). With the same
# thresholds here, the reported length agrees with the frames that the encoder makes.
MAX_GAP_S = 10
MAX_STEP_BACK_S = Fraction(1, 10)


def main(path: str) -> None:
    # FFmpeg's messages go to stderr: often only they say why a file cannot be read.
    av.logging.restore_default_callback()
    av.logging.set_libav_level(av.logging.WARNING)
    json.dump(probe_report(path), sys.stdout)


def probe_report(path: str) -> dict[str, Any]:
    """The facts about the file, or `error` with the name of a refusal (see sources.source)."""
    try:
        # The protocol is written out: a name such as `http:film.mp4` would be read as an address.
        with av.open(f"file:{path}", container_options=OPTIONS, metadata_errors="replace") as container:
            report = describe_container(container)
    except av.error.FFmpegError as error:
        report = {"error": "not_a_video", "detail": str(error)}
    if "error" in report and lacks_index(path):
        report["error"] = "truncated"
    return report


def describe_container(container: InputContainer) -> dict[str, Any]:
    # FFmpeg stopped reading at `max_streams`: what it knows of the file is incomplete.
    if len(container.streams) > MAX_STREAMS:
        return {"error": "many_streams"}
    stream = largest_picture(container)
    if stream is None:
        has_sound = any(s.type == "audio" for s in container.streams)
        return {"error": "no_video_stream" if has_sound else "not_a_video"}
    if not stream.codec_context:
        return {"error": "unknown_codec"}
    width, height = stream.codec_context.width or 0, stream.codec_context.height or 0
    if width * height > MAX_PIXELS:
        return {"error": "large_picture", "width": width, "height": height}
    # The stored picture may be larger than the header says: the decoder has to refuse it too.
    stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    video = describe_video(container, stream)
    if video["packets"]["count"] > MAX_PACKETS:
        return {"error": "many_packets"}
    return {
        "container": container.format.name,
        "start_s": str_fraction(container.start_time or 0, Fraction(1, av.time_base)),
        "audio": [
            describe_track(s) | {"channels": s.codec_context.channels} for s in container.streams.audio if is_sound(s)
        ],
        "subtitles": [
            describe_track(s) | {"is_forced": Disposition.forced in s.disposition}
            for s in container.streams.subtitles
            if s.codec_context
        ],
        "video": video,
    }


def largest_picture(container: InputContainer) -> VideoStream | None:
    """The largest moving picture. One without a known decoder counts only when there is no other."""

    def pixels(stream: VideoStream) -> int:
        context = stream.codec_context
        return (context.width or 0) * (context.height or 0) if context else -1

    # Cover art is a still picture that containers store as a video stream.
    moving = [s for s in container.streams.video if Disposition.attached_pic not in s.disposition]
    return max(moving, key=pixels, default=None)


def is_sound(stream: Any) -> bool:
    """True when there is a decoder, and the header claims nothing that sound cannot be."""
    context = stream.codec_context
    return bool(context) and 0 < context.channels <= MAX_CHANNELS and context.sample_rate in SAMPLE_RATES


def describe_track(stream: Any) -> dict[str, Any]:
    return {
        "index": stream.index,
        "codec": stream.codec_context.name,
        "language": stream.metadata.get("language", "")[:MAX_METADATA_LENGTH],
        "title": stream.metadata.get("title", "")[:MAX_METADATA_LENGTH],
        "is_default": Disposition.default in stream.disposition,
    }


def describe_video(container: InputContainer, stream: VideoStream) -> dict[str, Any]:
    context = stream.codec_context
    packets, frames, decode_error = read_packets(container, stream)
    frame = frames[0] if frames else None
    sar = stream.sample_aspect_ratio or context.sample_aspect_ratio
    # The length of the picture if the header has it, else that of the whole file.
    declared_s = str_fraction(container.duration, Fraction(1, av.time_base)) if container.duration else None
    if stream.duration and stream.time_base:
        declared_s = str_fraction(stream.duration, stream.time_base)
    return {
        "index": stream.index,
        "codec": context.name,
        # The decoded picture is more reliable than the header.
        "width": frame.width if frame else context.width,
        "height": frame.height if frame else context.height,
        "sar": str_fraction(1, sar or Fraction(1)),
        "rotation": round(frame.rotation) % 360 if frame else 0,
        "matrix": display_matrix(frame),
        "time_base": str_fraction(1, stream.time_base or Fraction(1, 1000)),
        "guessed_rate": str_fraction(1, stream.guessed_rate) if stream.guessed_rate else None,
        "declared_s": declared_s,
        "is_interlaced": any(one.interlaced_frame for one in frames),
        "colour": describe_colour(context, frame),
        "decodes": frame is not None,
        "decode_error": decode_error,
        "packets": packets,
    }


def display_matrix(frame: Any) -> list[int] | None:
    """The four numbers that turn and mirror, row by row; those that move and skew the picture are left out."""
    data = frame.side_data.get("DISPLAYMATRIX") if frame else None
    if data is None:
        return None
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(data))
    return [a, b, c, d]


def describe_colour(context: Any, frame: Any) -> dict[str, Any]:
    """Code points of H.273."""

    def code_point(name: str) -> int:
        # The picture comes first; where it leaves the value open, the container may have it.
        values = [int(getattr(one, name)) for one in (frame, context) if one is not None]
        return next((value for value in values if value != UNSPECIFIED), UNSPECIFIED)

    picture_format = frame.format if frame else None
    return {
        "primaries": code_point("color_primaries"),
        "transfer": code_point("color_trc"),
        "matrix": code_point("colorspace"),
        "range": int(frame.color_range if frame else context.color_range),
        "is_rgb": bool(picture_format and picture_format.is_rgb),
        "depth_bits": max((part.bits for part in picture_format.components), default=8) if picture_format else 8,
        "pixels": picture_format.name if picture_format else "",
    }


def read_packets(container: InputContainer, stream: VideoStream) -> tuple[dict[str, Any], list[Any], str]:
    """The times of every packet (which needs no decoding), the first frames that decode, and the decoder's error."""
    times: list[int] = []
    end, decode_error = 0, ""
    frames: list[Any] = []
    clock = Clock(container, stream)
    for number, packet in enumerate(demux_readable(container, stream)):
        if not packet.size:
            continue  # the flush packet at the end
        shift = clock.shift_for(packet)
        time = next((stamp + shift for stamp in (packet.pts, packet.dts) if stamp is not None), end)
        times.append(time)
        end = max(end, time + (packet.duration or 0))
        if len(frames) < FRAMES_TO_DECODE and number < PACKETS_TO_DECODE:
            decode_error = decode_into(frames, packet.decode, decode_error)
        if len(times) > MAX_PACKETS:
            break
    if not frames:
        # Decoders hold frames back to put them in order: those of a very short video come out only when flushed.
        decode_error = decode_into(frames, lambda: stream.codec_context.decode(None), decode_error)
    return summarise_times(times, end), frames, decode_error


class Clock:
    """Keeps the time of a stream going where its own clock starts again, as in recordings joined together.

    It does what ffmpeg does, and only in formats whose clock may start again.
    """

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self.may_jump = bool(Flags(container.format.flags) & Flags.ts_discont)
        time_base = stream.time_base or Fraction(1, av.time_base)
        self.max_gap, self.max_step_back = MAX_GAP_S / time_base, MAX_STEP_BACK_S / time_base
        self.shift = 0
        self.last = self.next = 0
        self.has_begun = False

    def shift_for(self, packet: Any) -> int:
        """Ticks of the stream to add to the packet's times."""
        if not self.may_jump or packet.dts is None:
            return self.shift
        dts = packet.dts + self.shift
        if self.has_begun and (dts + self.max_step_back < self.last or abs(dts - self.next) > self.max_gap):
            self.shift = self.next - packet.dts
        self.has_begun = True
        self.last = packet.dts + self.shift
        self.next = self.last + (packet.duration or 0)
        return self.shift


def demux_readable(container: InputContainer, stream: VideoStream) -> Any:
    """Packets until the end or the first unreadable byte: a cut-off file still has everything before the cut."""
    try:
        yield from container.demux(stream)
    except av.error.FFmpegError:
        return


def decode_into(frames: list[Any], decode: Callable[[], list[Any]], previous_error: str) -> str:
    """Adds the frames that decode; returns the decoder's latest error."""
    try:
        frames.extend(decode())
    except (av.error.FFmpegError, EOFError) as error:
        return str(error) or previous_error
    return previous_error


def summarise_times(times: list[int], end: int) -> dict[str, Any]:
    """First, last and end in ticks, and the distances between frames as [ticks, how often], the most frequent first."""
    times.sort()
    deltas = Counter(b - a for a, b in pairwise(times))
    first, last = (times[0], times[-1]) if times else (0, 0)
    if times and end <= last:
        # Packets without durations: the last frame lasts as long as most others.
        end = last + (deltas.most_common(1)[0][0] if deltas else 1)
    return {"count": len(times), "first": first, "last": last, "end": end, "deltas": deltas.most_common(200)}


def str_fraction(value: int, unit: Fraction) -> str:
    """The exact value as text: JSON has no fractions."""
    return f"{value * unit.numerator}/{unit.denominator}"


def lacks_index(path: str) -> bool:
    """True for an MP4 or MOV without a whole `moov` box, as an interrupted recording or copy leaves it."""
    boxes = dict(list_boxes(path))
    began_as_mp4 = next(iter(boxes), b"") in (b"ftyp", b"wide", b"mdat")
    return began_as_mp4 and not boxes.get(b"moov") and (b"moov" in boxes or b"mdat" in boxes)


def list_boxes(path: str) -> Iterator[tuple[bytes, bool]]:
    """The kind of each box at the top of a file, and whether the file holds all of it."""
    with open(path, "rb") as file:  # noqa: PTH123 - a plain path in a child that imports as little as it can
        file_bytes = file.seek(0, 2)
        offset = 0
        for _ in range(MAX_BOXES):
            file.seek(offset)
            header = file.read(16)
            if len(header) < 8:
                return
            size = int.from_bytes(header[:4], "big")
            # A size of 1 means that the real one follows in 64 bits.
            size = int.from_bytes(header[8:], "big") if size == 1 else size
            yield header[4:8], offset + size <= file_bytes
            if size < 8:
                return
            offset += size


if __name__ == "__main__":
    main(sys.argv[1])
