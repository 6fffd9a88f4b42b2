"""Makes source clips of a few seconds with a test picture and a tone, for tests with a real ffmpeg."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from media_pipeline.ffmpeg.locate import find_ffmpeg

# Offset of the 3×3 matrix from the name of a version 0 `tkhd` box, and its size.
MATRIX_OFFSET, MATRIX_BYTES = 4 + 40, 36
COSINE_AND_SINE = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}
AUDIO_CODECS = {"webm": "libopus", "avi": "libmp3lame", "mpg": "mp2", "wmv": "wmav2"}
CHANNELS = {"mono": 1, "stereo": 2, "5.1": 6, "7.1": 8}


@dataclass(frozen=True, kw_only=True)
class Clip:
    """The properties of a clip. `picture` and `sound` are lavfi sources; an empty one leaves that stream out."""

    size: str = "320x180"
    rate: str = "25"
    duration_s: float = 2
    picture: str = "testsrc2"
    filters: str = ""  # filters after the picture's source, e.g. a fade
    sar: str = "1/1"
    rotation: int = 0  # degrees clockwise that a player must turn the picture by; MP4 and MOV only
    sound: str = "sine=frequency=440:sample_rate=48000"
    channels: str = "stereo"
    sound_codec: str = ""  # empty: the usual codec of the container
    language: str = ""
    sound_delay_s: float = 0  # from the start of the picture to that of the sound; may be negative
    sound_s: float | None = None  # length of the sound; None: that of the picture
    container: str = "mp4"
    codec: tuple[str, ...] = ("libx264", "-preset", "ultrafast")
    pixels: str = "yuv420p"
    flags: tuple[str, ...] = ()


def flash(at_s: float) -> str:
    """Returns a filter that turns the picture white for a fifth of a second."""
    return f"drawbox=color=white:t=fill:enable='between(t,{at_s},{at_s + 0.2})'"


def beep(at_s: float) -> str:
    """Returns a source of silence with a tone of a fifth of a second in it."""
    return f"aevalsrc='0.5*sin(2*PI*1000*t)*between(t,{at_s},{at_s + 0.2})':sample_rate=48000"


def make_clip(folder: Path, clip: Clip, name: str = "clip") -> Path:
    """Writes the clip into the folder and returns its path."""
    path = folder / f"{name}.{clip.container}"
    run_ffmpeg(*picture_input(clip), *sound_input(clip), *output_args(clip), str(path))
    if clip.rotation:
        path.write_bytes(rotated(path.read_bytes(), clip.rotation))
    return path


def run_ffmpeg(*args: str) -> None:
    command = [find_ffmpeg(), "-hide_banner", "-nostdin", "-loglevel", "error", "-y", *args]
    subprocess.run(command, check=True, timeout=60)


def picture_input(clip: Clip) -> list[str]:
    if not clip.picture:
        return []
    separator = ":" if "=" in clip.picture else "="
    source = f"{clip.picture}{separator}size={clip.size}:rate={clip.rate}"
    chain = ",".join(part for part in (source, clip.filters, f"setsar={clip.sar}") if part)
    return ["-itsoffset", str(max(0.0, -clip.sound_delay_s)), "-f", "lavfi", "-t", str(clip.duration_s), "-i", chain]


def sound_input(clip: Clip) -> list[str]:
    if not clip.sound:
        return []
    delay = ["-itsoffset", str(max(0.0, clip.sound_delay_s))]
    length_s = clip.duration_s if clip.sound_s is None else clip.sound_s
    return [*delay, "-f", "lavfi", "-t", str(length_s), "-i", f"{clip.sound},{channel_filter(clip.channels)}"]


def channel_filter(layout: str) -> str:
    """Returns a filter that puts the tone on every channel, equally loud."""
    return "|".join([f"pan={layout}", *(f"c{number}=c0" for number in range(CHANNELS[layout]))])


def output_args(clip: Clip) -> list[str]:
    args = [*clip.flags]
    if clip.picture:
        args += ["-c:v", *clip.codec, "-pix_fmt", clip.pixels]
    if clip.sound:
        args += ["-c:a", clip.sound_codec or AUDIO_CODECS.get(clip.container, "aac"), "-b:a", "96k"]
        args += ["-metadata:s:a:0", f"language={clip.language}"] if clip.language else []
    return args


def rotated(mp4: bytes, degrees: int) -> bytes:
    """Returns the MP4 with a rotated display matrix in its first track, the picture; older ffmpegs cannot write one."""
    start = mp4.index(b"tkhd") + MATRIX_OFFSET
    cosine, sine = (value * 0x10000 for value in COSINE_AND_SINE[degrees])
    rows = (cosine, sine, 0, -sine, cosine, 0, 0, 0, 0x40000000)
    matrix = b"".join(value.to_bytes(4, "big", signed=True) for value in rows)
    return mp4[:start] + matrix + mp4[start + MATRIX_BYTES :]
