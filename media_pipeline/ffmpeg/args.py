"""ffmpeg's arguments as lists; pure. Golden tests compare the whole list."""

from fractions import Fraction
from pathlib import Path

from media_pipeline.formats import CONTAINERS, PROTOCOLS
from media_pipeline.ladder import SizedRung
from media_pipeline.plan import AUDIO_KBPS, AUDIO_RATE, EncodePlan
from media_pipeline.poster import THUMB_HEIGHT, THUMB_WIDTH

MOST_PIXELS = 16384 * 8704
LARGEST_ALLOCATION = 1024**3
POSTER_LONG_SIDE = 1280


def encode_args(ffmpeg: str, plan: EncodePlan, source: Path, work: Path) -> list[str]:
    """One process: one decode, every rung as video-only fragments, the sound once, small grey frames for the poster."""
    return [
        *(ffmpeg, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning", "-y"),
        *("-progress", "pipe:1"),
        *untrusted_input_args(source),
        *("-filter_complex", filter_graph(plan)),
        *(arg for number, rung in reversed([*enumerate(plan.rungs)]) for arg in rung_args(plan, rung, number, work)),
        *audio_args(plan, work),
        *("-map", "[thumbs]", "-fps_mode", "passthrough", "-f", "rawvideo", str(thumbs_path(work))),
    ]


def untrusted_input_args(source: Path) -> list[str]:
    return [
        *("-protocol_whitelist", PROTOCOLS, "-format_whitelist", CONTAINERS),
        *("-max_pixels", str(MOST_PIXELS), "-max_alloc", str(LARGEST_ALLOCATION)),
        *("-i", f"file:{source}"),
    ]


def filter_graph(plan: EncodePlan) -> str:
    """A chain from the highest rung to the lowest: each is scaled from the next larger one, which is the smaller job.

    `fps` makes the rate constant and exact, and starts at 0 by repeating the first frame, so that a picture which
    starts after its sound stays in step with it.
    """
    rate = f"{plan.frame_rate.numerator}/{plan.frame_rate.denominator}"
    incoming = f"[0:{plan.video_index}]fps={rate}:start_time=0,"
    stages = []
    for number, rung in reversed([*enumerate(plan.rungs)]):
        scale = f"scale={rung.width}:{rung.height}:flags=bicubic,setsar=1,format=yuv420p"
        stages.append(f"{incoming}{scale},split=2[v{number}][s{number}]")
        incoming = f"[s{number}]"
    select = f"select='not(mod(n,{plan.poster_step}))'"
    stages.append(f"{incoming}{select},scale={THUMB_WIDTH}:{THUMB_HEIGHT},format=gray[thumbs]")
    return ";".join(stages)


def rung_args(plan: EncodePlan, rung: SizedRung, number: int, work: Path) -> list[str]:
    kbps = peak_kbps(rung, plan.frame_rate)
    segment = str(plan.segment_frames)
    return [
        *("-map", f"[v{number}]", "-fps_mode", "passthrough"),
        *("-c:v", "libx264", "-preset", plan.preset, "-profile:v", "high", "-crf", str(rung.rung.crf)),
        *("-maxrate", f"{kbps}k", "-bufsize", f"{2 * kbps}k"),
        # Every rung cuts at the same frames: IDR frames at fixed distances and nowhere else.
        *("-g", segment, "-keyint_min", segment, "-sc_threshold", "0", "-flags", "+cgop"),
        *("-map_metadata", "-1", "-map_chapters", "-1", "-f", "mp4"),
        # One fragment per GOP. delay_moov writes an edit list that puts the first frame at 0 despite B-frames
        # (negative offsets would do without one, but ffmpeg's own reader then shows the picture two frames late).
        *("-movflags", "+frag_keyframe+delay_moov+default_base_moof+skip_trailer"),
        str(video_path(work, rung.name)),
    ]


def peak_kbps(rung: SizedRung, frame_rate: Fraction) -> int:
    return rung.rung.max_kbps * 3 // 2 if frame_rate > 30 else rung.rung.max_kbps


def audio_args(plan: EncodePlan, work: Path) -> list[str]:
    if plan.audio is None:
        return []
    return [
        *("-map", f"0:{plan.audio.index}", "-af", audio_filter(plan)),
        *("-c:a", "aac", "-b:a", f"{AUDIO_KBPS}k", "-ar", str(AUDIO_RATE), "-ac", "2"),
        *("-map_metadata", "-1", "-map_chapters", "-1", "-f", "mp4"),
        # delay_moov writes the encoder's priming into an edit list, so that sound starts with the picture.
        *("-movflags", "+delay_moov+default_base_moof+skip_trailer", "-frag_duration", "4000000"),
        str(audio_path(work)),
    ]


def audio_filter(plan: EncodePlan) -> str:
    """Stereo that starts at 0 and is as long as the picture: gaps become silence, so nothing drifts."""
    assert plan.audio is not None
    length = f"{float(plan.duration_s):.6f}"
    return ",".join(
        [
            *downmix_filter(plan.audio.channels),
            f"aresample={AUDIO_RATE}:async=1:first_pts=0:ochl=stereo{downmix_gain(plan.audio.channels)}",
            f"apad=whole_dur={length}",
            f"atrim=end={length}",
        ]
    )


def downmix_filter(channels: int) -> list[str]:
    """One channel goes to both sides as it is; the resampler's own matrix would make it 3 dB quieter."""
    return ["pan=stereo|c0=c0|c1=c0"] if channels == 1 else []


def downmix_gain(channels: int) -> str:
    """Surround folded down adds up to more than full scale: 3 dB of room keeps speech loud and peaks whole."""
    return ":rematrix_volume=0.7079" if channels > 2 else ""


def poster_args(ffmpeg: str, rendition: Path, at_s: Fraction, poster: Path) -> list[str]:
    """One frame of our own best rendition as a JPEG."""
    size = f"scale='if(gt(iw,ih),min({POSTER_LONG_SIDE},iw),-2)':'if(gt(iw,ih),-2,min({POSTER_LONG_SIDE},ih))'"
    return [
        *(ffmpeg, "-hide_banner", "-nostdin", "-loglevel", "warning", "-y"),
        *("-protocol_whitelist", PROTOCOLS, "-ss", f"{float(at_s):.6f}", "-i", f"file:{rendition}"),
        *("-frames:v", "1", "-vf", f"{size},format=yuvj420p", "-q:v", "3", "-f", "image2", "-update", "1"),
        f"file:{poster}",
    ]


def video_path(work: Path, rung: str) -> Path:
    return work / f"{rung}.video.mp4"


def audio_path(work: Path) -> Path:
    return work / "audio.aac.mp4"


def thumbs_path(work: Path) -> Path:
    return work / "thumbs.gray"
