"""Clips of every kind, with the expected properties of their versions."""

from dataclasses import dataclass

import pytest

from media_pipeline.planning.ladder import DEFAULT_LADDER
from media_pipeline.tests.versions import SMALL_LADDER
from tests.clips import Clip


@dataclass(frozen=True, kw_only=True)
class Case:
    """A clip and its expected version: rate, frames and the size of each rung, lowest first."""

    clip: Clip
    rate: str
    frames: int
    sizes: tuple[tuple[int, int], ...]
    ladder: tuple[str, ...] = SMALL_LADDER
    is_variable: bool = False


CASES = {
    "landscape": Case(
        clip=Clip(size="1280x720", rate="24000/1001", duration_s=4.046, channels="5.1"),
        rate="24000/1001", frames=97, sizes=((214, 120), (640, 360), (1280, 720)), ladder=DEFAULT_LADDER,
    ),
    "broadcast": Case(
        clip=Clip(size="426x240", rate="30000/1001", duration_s=6.006),
        rate="30000/1001", frames=180, sizes=((212, 120), (426, 240)),
    ),
    "50 frames": Case(
        clip=Clip(rate="50", duration_s=4.2, channels="mono"), rate="50", frames=210, sizes=((214, 120),)
    ),
    "120 frames": Case(
        clip=Clip(rate="120", duration_s=2, container="mov"), rate="60", frames=120, sizes=((214, 120),)
    ),
    "portrait": Case(
        clip=Clip(size="720x1280", duration_s=1),
        rate="25", frames=25, sizes=((120, 214), (360, 640), (720, 1280)), ladder=DEFAULT_LADDER,
    ),
    "turned": Case(clip=Clip(size="426x240", rotation=90), rate="25", frames=50, sizes=((120, 212), (240, 426))),
    "upside down": Case(clip=Clip(rotation=180), rate="25", frames=50, sizes=((214, 120),)),
    "odd size": Case(
        clip=Clip(size="640x360", filters="format=yuv444p,crop=637:359:exact=1", pixels="yuv444p"),
        rate="25", frames=50, sizes=((212, 120), (426, 240)),
    ),
    "wide pixels": Case(clip=Clip(size="360x288", sar="16/11"), rate="25", frames=50, sizes=((218, 120), (436, 240))),
    "silent": Case(clip=Clip(rate="30", duration_s=4.5, sound=""), rate="30", frames=135, sizes=((214, 120),)),
    "tiny": Case(clip=Clip(size="32x18", rate="10"), rate="10", frames=20, sizes=((32, 18),)),
    "one frame": Case(clip=Clip(duration_s=0.04, sound=""), rate="25", frames=1, sizes=((214, 120),)),
    "one frame with sound": Case(clip=Clip(duration_s=0.04), rate="25", frames=1, sizes=((214, 120),)),
    "millisecond clock": Case(
        clip=Clip(rate="24000/1001", duration_s=2.002, container="mkv"),
        rate="24000/1001", frames=48, sizes=((214, 120),),
    ),
    "webm without a duration": Case(
        clip=Clip(container="webm", codec=("libvpx", "-deadline", "realtime", "-cpu-used", "8"), flags=("-live", "1")),
        rate="25", frames=50, sizes=((214, 120),),
    ),
    "varying": Case(
        clip=Clip(rate="30", duration_s=3, filters="select='mod(n,5)-3'", flags=("-fps_mode", "vfr")),
        rate="30", frames=90, sizes=((214, 120),), is_variable=True,
    ),
    "phone": Case(
        clip=Clip(
            rate="30", duration_s=2, filters="settb=1/600,setpts='20*N+3*gt(mod(N,5),3)'",
            flags=("-fps_mode", "passthrough", "-enc_time_base", "1/600", "-video_track_timescale", "600"),
            rotation=90, size="320x240",
        ),
        rate="30", frames=60, sizes=((120, 160), (240, 320)), is_variable=True,
    ),
    "screen recording": Case(
        clip=Clip(
            rate="30", duration_s=4, filters="select='lt(mod(n,60),10)+eq(n,119)'", flags=("-fps_mode", "vfr"),
            sound="", container="mkv",
        ),
        rate="30", frames=120, sizes=((214, 120),), is_variable=True,
    ),
    "60 frames": Case(clip=Clip(rate="60", duration_s=1), rate="60", frames=60, sizes=((214, 120),)),
    "turned left": Case(clip=Clip(size="426x240", rotation=270, duration_s=1), rate="25", frames=25,
                        sizes=((120, 212), (240, 426))),
    "sound ends early": Case(clip=Clip(duration_s=5, sound_s=1), rate="25", frames=125, sizes=((214, 120),)),
    "interlaced": Case(
        clip=Clip(
            size="320x192", rate="50", filters="tinterlace=interleave_top,setfield=tff",
            codec=("libx264", "-preset", "ultrafast", "-flags", "+ildct+ilme"),
        ),
        rate="25", frames=50, sizes=((200, 120),),
    ),
    "ten bits": Case(
        clip=Clip(pixels="yuv420p10le", container="mkv", duration_s=1), rate="25", frames=25, sizes=((214, 120),)
    ),
    "eight channels": Case(
        clip=Clip(container="mov", duration_s=1, channels="7.1", sound_codec="pcm_s16le"),
        rate="25", frames=25, sizes=((214, 120),),
    ),
    "ProRes": Case(
        clip=Clip(codec=("prores_ks",), pixels="yuv422p10le", container="mov", duration_s=1),
        rate="25", frames=25, sizes=((214, 120),),
    ),
    "open GOP": Case(
        clip=Clip(
            rate="24", duration_s=3,
            codec=("libx264", "-preset", "veryfast", "-x264-params", "open-gop=1:keyint=12:min-keyint=12:bframes=3"),
        ),
        rate="24", frames=72, sizes=((214, 120),),
    ),
    "MPEG-TS": Case(
        clip=Clip(rate="25", container="ts", codec=("libx264", "-preset", "veryfast", "-bf", "2")),
        rate="25", frames=50, sizes=((214, 120),),
    ),
    "AVI": Case(
        # The muxer leaves out the second frame and counts it nevertheless.
        clip=Clip(container="avi", codec=("mpeg4", "-q:v", "4")), rate="25", frames=51, sizes=((214, 120),)
    ),
    "AVI with B-frames": Case(
        clip=Clip(container="avi", codec=("libx264", "-preset", "veryfast", "-bf", "2")),
        rate="25", frames=50, sizes=((214, 120),),
    ),
    "MPEG-2": Case(
        clip=Clip(container="mpg", codec=("mpeg2video", "-q:v", "4"), size="352x288", sar="12/11"),
        rate="25", frames=50, sizes=((160, 120), (320, 240)),
    ),
    # Its picture starts 43 ms, more than a frame, after its sound.
    "WMV": Case(clip=Clip(container="wmv", codec=("wmv2",)), rate="25", frames=51, sizes=((214, 120),)),
}  # fmt: skip
SOUNDING = [name for name, case in CASES.items() if case.clip.sound]
SILENT = [name for name in CASES if name not in SOUNDING]

every_case = pytest.mark.parametrize("name", CASES)
every_case_with_sound = pytest.mark.parametrize("name", SOUNDING)
