"""Reads finished media as a player does, with PyAV, which shares no code with the packager."""

import io
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import sqrt
from pathlib import Path
from statistics import fmean
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.frame import Frame
from av.packet import Packet
from av.video.frame import VideoFrame

IDR_SLICE = 5
LOUD = 0.1
BRIGHT = 200


@dataclass(frozen=True)
class Picture:
    """A decoded frame: the time at which it is shown, and its pixels in grey, few enough to compare."""

    time_s: Fraction
    grey: bytes

    @property
    def brightness(self) -> float:
        return fmean(self.grey)


@dataclass(frozen=True)
class Sound:
    """Decoded sound: the time at which it starts, and the samples of its left channel."""

    start_s: Fraction
    rate: int
    channels: int
    left: Sequence[float]

    @property
    def duration_s(self) -> Fraction:
        return Fraction(len(self.left), self.rate)

    def first_loud_s(self) -> float:
        number = next(number for number, sample in enumerate(self.left) if abs(sample) > LOUD)
        return float(self.start_s) + number / self.rate

    def pitch(self) -> float:
        """The frequency of a steady tone in hertz, counted by its upward crossings of zero."""
        middle = self.left[len(self.left) // 4 : len(self.left) * 3 // 4]
        return sum(a < 0 <= b for a, b in pairwise(middle)) * self.rate / len(middle)

    def peak(self) -> float:
        """The amplitude of a steady tone, from its energy: an encoded tone overshoots at its ends."""
        middle = self.left[len(self.left) // 4 : len(self.left) * 3 // 4]
        return float(sqrt(2 * fmean(sample * sample for sample in middle)))


def read_pictures(media: Path | bytes) -> list[Picture]:
    with open_media(media) as container:
        return [picture_of(frame) for frame in container.decode(video=0)]


def read_pictures_from(media: Path, time_s: Fraction) -> list[Picture]:
    """Returns the pictures from the key frame on that a player seeks to for this time."""
    with open_media(media) as container:
        container.seek(round(time_s * av.time_base))
        return [picture_of(frame) for frame in container.decode(video=0)]


def read_idr_times(media: Path) -> list[Fraction]:
    """Returns the times of the IDR frames, by the types of the NAL units in the stream."""
    with open_media(media) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        return [time_of(packet) for packet in packets if IDR_SLICE in nal_types(bytes(packet))]


def read_sound_times(media: bytes) -> list[Fraction]:
    """The time at which each encoded frame of sound begins."""
    with open_media(media) as container:
        return [time_of(packet) for packet in container.demux(audio=0) if packet.size]


def read_sound(media: Path | bytes) -> Sound:
    left = array("f")
    with open_media(media) as container:
        frames = list(container.decode(audio=0))
    for frame in frames:
        left.extend(samples_of(frame))
    return Sound(time_of(frames[0]), frames[0].sample_rate, frames[0].layout.nb_channels, left)


def read_codecs(media: Path) -> list[str]:
    """The RFC 6381 names of the codecs, from the decoder configurations."""
    with open_media(media) as container:
        configurations = [(stream.codec_context.name, stream.codec_context.extradata) for stream in container.streams]
    return [codec_name(name, extradata or b"") for name, extradata in configurations]


def read_size(media: Path | bytes) -> tuple[int, int]:
    with open_media(media) as container:
        context = container.streams.video[0].codec_context
        return context.width, context.height


def read_duration_s(media: Path) -> Fraction:
    """The duration in the header."""
    with open_media(media) as container:
        assert container.duration is not None
        return Fraction(container.duration, av.time_base)


def open_media(media: Path | bytes) -> InputContainer:
    return av.open(io.BytesIO(media) if isinstance(media, bytes) else str(media), "r")


def picture_of(frame: VideoFrame) -> Picture:
    plane = frame.reformat(width=64, height=36, format="gray").planes[0]
    data = bytes(plane)
    rows = [data[start : start + 64] for start in range(0, 36 * plane.line_size, plane.line_size)]
    return Picture(time_of(frame), b"".join(rows))


def samples_of(frame: AudioFrame) -> "array[float]":
    assert frame.format.name == "fltp"
    samples = array("f")
    samples.frombytes(bytes(frame.planes[0])[: 4 * frame.samples])
    return samples


def time_of(timed: "Frame | Packet[Any]") -> Fraction:
    assert timed.pts is not None
    assert timed.time_base is not None
    return timed.pts * timed.time_base


def nal_types(packet: bytes) -> set[int]:
    """Returns the types of the NAL units in a packet, in which each unit follows its length."""
    return set(iterate_nal_types(packet))


def iterate_nal_types(packet: bytes) -> Iterator[int]:
    offset = 0
    while offset < len(packet):
        yield packet[offset + 4] & 0x1F
        offset += 4 + int.from_bytes(packet[offset : offset + 4], "big")


def codec_name(name: str, extradata: bytes) -> str:
    if name == "h264":
        return f"avc1.{extradata[1:4].hex()}"
    assert name == "aac"
    return f"mp4a.40.{extradata[0] >> 3}"  # AudioSpecificConfig opens with the object type


def distances(times: list[Fraction]) -> set[Fraction]:
    return {b - a for a, b in pairwise(times)}
