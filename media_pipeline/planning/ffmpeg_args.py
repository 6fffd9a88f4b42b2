"""ffmpeg's arguments as lists; pure. Golden tests compare the whole list."""

from fractions import Fraction
from pathlib import Path

from media_pipeline.layout import small_poster_file
from media_pipeline.limits import MAX_ALLOCATION_BYTES, MAX_PIXELS, MAX_STREAMS
from media_pipeline.pictures.poster import (
    POSTER_LONG_SIDE,
    POSTER_QUALITY,
    SMALL_POSTER_LONG_SIDE,
    SMALL_POSTER_QUALITY,
    THUMB_HEIGHT,
    THUMB_WIDTH,
)
from media_pipeline.planning.ladder import SizedRung, even
from media_pipeline.planning.plan import AUDIO_KBPS, AUDIO_RATE, EncodePlan
from media_pipeline.planning.storyboard import Storyboard
from media_pipeline.planning.tracks import AudioRendition
from media_pipeline.sources.colour import to_bt709
from media_pipeline.sources.formats import CONTAINERS, PROTOCOLS
from media_pipeline.sources.source import AudioTrack

# How often a second the filters are made to go on; a pause of the source is filled in steps of this length.
TICKS_PER_S = 4
MOST_SURROUND = 8  # channels: 7.1
# JPEG is BT.601 and full range by definition. Formats that say so in their name are what every ffmpeg's encoder takes.
JPEG_SCALE = (
    "flags=bicubic:in_color_matrix=bt709:out_color_matrix=bt601:in_range=tv:out_range=pc,format=yuvj420p,"
    "setparams=colorspace=bt470bg:range=pc"
)


def encode_args(ffmpeg: str, plan: EncodePlan, source: Path, work: Path) -> list[str]:
    """One process, one decode: every rung as video-only fragments, each soundtrack once, pictures.

    Every output begins with the first frame: until all have begun, ffmpeg tells no progress.
    """
    return [
        *(ffmpeg, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning", "-y"),
        *("-progress", "pipe:1"),
        # A picture that changes its size on the way is scaled to the same rungs: a new graph would begin at 0 again.
        # Of the filters only `scale` can take it, so that comes first, and nothing is turned before.
        *("-reinit_filter:v", "0", "-noautorotate"),
        *untrusted_input_args(source),
        *clock_args(plan),
        *("-filter_complex", filter_graph(plan)),
        *(arg for number, rung in reversed([*enumerate(plan.rungs)]) for arg in rung_args(plan, rung, number, work)),
        *(arg for audio in plan.audio for arg in audio_args(plan, audio, work)),
        *poster_args("[posters]", POSTER_QUALITY, poster_path(work, None)),
        *poster_args("[small]", SMALL_POSTER_QUALITY, small_poster_path(work, None)),
        *("-map", "[thumbs]", "-fps_mode", "passthrough", "-f", "rawvideo", str(thumbs_path(work))),
        *("-map", "[tiles]", "-fps_mode", "passthrough", "-f", "rawvideo", str(tiles_path(work))),
    ]


def untrusted_input_args(source: Path) -> list[str]:
    return [
        *("-protocol_whitelist", PROTOCOLS, "-format_whitelist", CONTAINERS),
        *("-max_pixels", str(MAX_PIXELS), "-max_alloc", str(MAX_ALLOCATION_BYTES), "-max_streams", str(MAX_STREAMS)),
        *("-i", f"file:{source}"),
    ]


def clock_args(plan: EncodePlan) -> list[str]:
    """A second input that only ticks, for as long as the film lasts; see `paced`."""
    rate = plan.frame_rate / frames_per_tick(plan)
    length_s = float(plan.duration_s + 2 / rate)
    return ["-f", "lavfi", "-i", f"nullsrc=size=16x16:rate={rate.numerator}/{rate.denominator}:duration={length_s:.6f}"]


def frames_per_tick(plan: EncodePlan) -> int:
    return max(1, round(plan.frame_rate / TICKS_PER_S))


def filter_graph(plan: EncodePlan) -> str:
    """A chain from the highest rung to the lowest: each is scaled from the next larger one, which is the smaller job.

    Posters branch off on the way; the storyboard is drawn from the lowest rung.
    """
    stages = []
    for number in reversed(range(len(plan.rungs))):
        outputs = f"[v{number}][p][s{number}]" if number == plan.poster_rung else f"[v{number}][s{number}]"
        stages.append(f"{scaled(plan, number)},split={outputs.count('[')}{outputs}")
    return ";".join([*stages, *poster_stages(plan), tiles_stage(plan)])


def scaled(plan: EncodePlan, number: int) -> str:
    """The numberth rung's pictures: the highest from the source, each other one from the next larger one."""
    rung = plan.rungs[number]
    if number < len(plan.rungs) - 1:
        return f"[s{number + 1}]scale={rung.width}:{rung.height}:flags=bicubic,setsar=1"
    target = (rung.height, rung.width) if plan.is_on_its_side else (rung.width, rung.height)
    colours = to_bt709(plan.colour, width=plan.width, height=plan.height, target=target)
    return ",".join([paced(plan), colours, *plan.turn])


def paced(plan: EncodePlan) -> str:
    """The film's frames, as many as were planned, let through up to the clock's next tick.

    A frame that a source shows for a minute is thousands of frames of the output. Without the clock ffmpeg makes them
    all in one go, in every size, before an encoder takes the first: gigabytes. What ends early keeps its last picture.
    """
    film = ",".join([*steady_frames(plan), "tpad=stop=-1:stop_mode=clone"])
    return (
        f"[1:v]scale[clock];[0:{plan.video_index}]{film}[film];"
        f"[clock][film]streamselect=inputs=2:map=1,trim=end_frame={plan.frames}"
    )


def steady_frames(plan: EncodePlan) -> list[str]:
    """`fps` makes the rate constant and exact, and starts at 0 by repeating the first frame, so that a picture which
    starts after its sound stays in step with it."""
    rate = f"{plan.frame_rate.numerator}/{plan.frame_rate.denominator}"
    width, height = plan.stored_size
    # Frames that are whole are left alone: films often are interlaced in parts only.
    weave = [f"scale={width}:{height}", "bwdif=mode=send_frame:deint=interlaced"] if plan.is_interlaced else []
    start = ["setpts=PTS-STARTPTS"] if plan.shift_s is None else shifted("setpts", plan.shift_s)
    # A frame that lasts for no time, as far as the file says, would be dropped.
    hold = [f"tpad=stop_mode=clone:stop_duration={float(1 / plan.frame_rate):.6f}"] if plan.is_still else []
    return [*weave, *start, *hold, f"fps={rate}:start_time=0"]


def shifted(setpts: str, shift_s: Fraction | None) -> list[str]:
    """Picture and sound move together."""
    return [f"{setpts}=PTS-{float(shift_s):.6f}/TB"] if shift_s else []


def poster_stages(plan: EncodePlan) -> list[str]:
    """Frames that may become the poster in both sizes; tiny and grey, and with what follows on them, to judge them by.

    In all sizes at once: which of them are kept is known when all have been seen.
    """
    rung = plan.rungs[plan.poster_rung]
    is_poster = f"not(mod(n,{plan.poster_step}))"
    return [
        f"[p]select='{is_poster}+not(mod(n-{plan.poster_pause},{plan.poster_step}))',split=2[q][t]",
        # Every other one of them.
        f"[q]select='not(mod(n,2))',scale={size_within(rung, POSTER_LONG_SIDE)}:{JPEG_SCALE},split=2[posters][r]",
        f"[r]scale={size_within(rung, SMALL_POSTER_LONG_SIDE)}:flags=bicubic,format=yuvj420p[small]",
        f"[t]scale={THUMB_WIDTH}:{THUMB_HEIGHT}:out_range=pc,format=gray[thumbs]",
    ]


def size_within(rung: SizedRung, long_side: int) -> str:
    scale = min(Fraction(1), Fraction(long_side, max(rung.width, rung.height)))
    return f"{even(rung.width * scale, at_most=rung.width)}:{even(rung.height * scale, at_most=rung.height)}"


def tiles_stage(plan: EncodePlan) -> str:
    board = plan.storyboard
    size = f"{board.tile_width}:{board.tile_height}"
    return f"[s0]select='not(mod(n,{board.step_frames}))',scale={size}:{JPEG_SCALE}[tiles]"


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


def poster_args(stage: str, quality: int, path: Path) -> list[str]:
    encoder = ("-c:v", "mjpeg", "-q:v", str(quality), "-f", "image2")
    return ["-map", stage, "-fps_mode", "passthrough", *encoder, str(path)]


def peak_kbps(rung: SizedRung, frame_rate: Fraction) -> int:
    return rung.rung.max_kbps * 3 // 2 if frame_rate > 30 else rung.rung.max_kbps


def audio_args(plan: EncodePlan, audio: AudioRendition, work: Path) -> list[str]:
    return [
        *("-map", f"0:{audio.track.index}", "-af", audio_filter(plan, audio.track)),
        *("-c:a", "aac", "-b:a", f"{AUDIO_KBPS}k", "-ar", str(AUDIO_RATE), "-ac", "2"),
        *("-map_metadata", "-1", "-map_chapters", "-1", "-f", "mp4"),
        # delay_moov writes the encoder's priming into an edit list, so that sound starts with the picture.
        *("-movflags", "+delay_moov+default_base_moof+skip_trailer", "-frag_duration", "4000000"),
        str(audio_path(work, audio.key)),
    ]


def audio_filter(plan: EncodePlan, track: AudioTrack) -> str:
    """Stereo that starts at 0 and is as long as the picture: gaps become silence, so nothing drifts."""
    length = f"{float(plan.duration_s):.6f}"
    return ",".join(
        [
            *shifted("asetpts", plan.shift_s),
            *downmix_filter(track.channels),
            # What lies behind the picture's end is not even read: the resampler would keep all of its gaps in memory.
            f"atrim=end={length}",
            f"aresample={AUDIO_RATE}:async=1:first_pts=0:ochl=stereo{downmix_gain(track.channels)}",
            f"apad=whole_dur={length}",
            f"atrim=end={length}",
        ]
    )


def downmix_filter(channels: int) -> list[str]:
    """One channel goes to both sides as it is; the resampler's own matrix would make it 3 dB quieter.

    Of more than eight nobody says where they belong: they are a studio's tracks, the first two of them the mix.
    """
    if channels == 1:
        return ["pan=stereo|c0=c0|c1=c0"]
    return ["pan=stereo|c0=c0|c1=c1"] if channels > MOST_SURROUND else []


def downmix_gain(channels: int) -> str:
    """Surround folded down adds up to more than full scale: 3 dB of room keeps speech loud and peaks whole."""
    return ":rematrix_volume=0.7079" if 2 < channels <= MOST_SURROUND else ""


def captions_args(ffmpeg: str, plan: EncodePlan, source: Path, work: Path) -> list[str]:
    """The subtitles on their own: they may begin late, and a broken track of them must not cost the film."""
    tracks = [(*("-map", f"0:{one.index}", "-c:s", "webvtt", "-f", "webvtt"), one) for one in plan.captions]
    return [
        *(ffmpeg, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning", "-y", "-progress", "pipe:1"),
        *untrusted_input_args(source),
        *(arg for *args, one in tracks for arg in [*args, str(caption_path(work, one.language))]),
    ]


def storyboard_args(ffmpeg: str, board: Storyboard, work: Path, sheet: Path) -> list[str]:
    """The sheet, from the tiles that the encoder wrote."""
    size = f"{board.tile_width}x{board.tile_height}"
    return [
        *(ffmpeg, "-hide_banner", "-nostdin", "-loglevel", "warning", "-y", "-protocol_whitelist", PROTOCOLS),
        *("-f", "rawvideo", "-pixel_format", "yuvj420p", "-video_size", size, "-i", f"file:{tiles_path(work)}"),
        *("-vf", f"tile={board.columns}x{board.rows}", "-frames:v", "1", "-c:v", "mjpeg", "-q:v", "5"),
        *("-f", "image2", "-update", "1", f"file:{sheet}"),
    ]


def video_path(work: Path, rung: str) -> Path:
    return work / f"{rung}.video.mp4"


def audio_path(work: Path, key: str) -> Path:
    return work / (f"audio_{key}.aac.mp4" if key else "audio.aac.mp4")


def caption_path(work: Path, language: str) -> Path:
    return work / f"captions_{language}.vtt"


def poster_path(work: Path, number: int | None) -> Path:
    """The numberth frame that may become the poster; None gives the pattern of all of them. ffmpeg counts from 1."""
    return work / ("poster_%05d.jpg" if number is None else f"poster_{number + 1:05}.jpg")


def small_poster_path(work: Path, number: int | None) -> Path:
    return work / small_poster_file(poster_path(work, number).name)


def thumbs_path(work: Path) -> Path:
    return work / "thumbs.gray"


def tiles_path(work: Path) -> Path:
    return work / "tiles.yuv"
