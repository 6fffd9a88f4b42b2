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
from media_pipeline.planning.ladder import SizedRung, shrink
from media_pipeline.planning.plan import AUDIO_KBPS, AUDIO_RATE, EncodePlan
from media_pipeline.planning.storyboard import Storyboard
from media_pipeline.planning.tracks import AudioRendition
from media_pipeline.sources.colour import to_bt709
from media_pipeline.sources.formats import CONTAINERS, PROTOCOLS
from media_pipeline.sources.source import AudioTrack

# The clock lets the filters go on this many times a second: a pause of the source is filled in steps of that length.
TICKS_PER_S = 4
# Up to 7.1. The channels of larger layouts have no agreed places.
MAX_SURROUND_CHANNELS = 8
# JPEG is BT.601 and full range by definition. The encoders of all versions of ffmpeg take the pixel formats whose names
# say so (yuvj).
JPEG_SCALE = (
    "flags=bicubic:in_color_matrix=bt709:out_color_matrix=bt601:in_range=tv:out_range=pc,format=yuvj420p,"
    "setparams=colorspace=bt470bg:range=pc"
)


def encode_args(ffmpeg: str, plan: EncodePlan, source: Path, work: Path) -> list[str]:
    """One process and one decode: every rung as video-only fragments, each soundtrack once, the pictures.

    Every output must begin with the first frame: ffmpeg reports no progress until all of them have begun.
    """
    return [
        *(ffmpeg, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning", "-y"),
        *("-progress", "pipe:1"),
        # A picture that changes its size midway is scaled to the same rungs: a new filter graph would begin at 0 again.
        # Of the filters only `scale` copes with that, so it comes first, and ffmpeg must not turn the picture before.
        *("-reinit_filter:v", "0", "-noautorotate"),
        *untrusted_input_args(source),
        *clock_args(plan),
        *("-filter_complex", filter_graph(plan)),
        *(arg for number, rung in reversed([*enumerate(plan.rungs)]) for arg in rung_args(plan, rung, number, work)),
        *(arg for audio in plan.audio for arg in audio_args(plan, audio, work)),
        *poster_args("[posters]", POSTER_QUALITY, poster_path(work, None)),
        *poster_args("[small]", SMALL_POSTER_QUALITY, small_poster_path(work, None)),
        # Raw pixels, which choosing a poster reads without a decoder.
        *("-map", "[thumbs]", "-fps_mode", "passthrough", "-f", "rawvideo", str(thumbs_path(work))),
        # Tiles, not the sheet, which would begin only with the last frame (see storyboard_args).
        *("-map", "[tiles]", "-fps_mode", "passthrough", "-f", "rawvideo", str(tiles_path(work))),
    ]


def untrusted_input_args(source: Path) -> list[str]:
    return [
        # Scripts and playlists under a video's name must open neither another file nor an address.
        *("-protocol_whitelist", PROTOCOLS, "-format_whitelist", CONTAINERS),
        # A small file may claim pictures, buffers and tracks that fill the memory.
        *("-max_pixels", str(MAX_PIXELS), "-max_alloc", str(MAX_ALLOCATION_BYTES), "-max_streams", str(MAX_STREAMS)),
        # The protocol is written out: a name such as `http:film.mp4` would be read as an address.
        *("-i", f"file:{source}"),
    ]


def clock_args(plan: EncodePlan) -> list[str]:
    """A second input that only ticks, a little longer than the film lasts; see `paced_frames`."""
    frames_per_tick = max(1, round(plan.frame_rate / TICKS_PER_S))
    rate = plan.frame_rate / frames_per_tick
    length_s = float(plan.duration_s + 2 / rate)
    return ["-f", "lavfi", "-i", f"nullsrc=size=16x16:rate={rate.numerator}/{rate.denominator}:duration={length_s:.6f}"]


def filter_graph(plan: EncodePlan) -> str:
    """A chain from the highest rung to the lowest: each is scaled from the next larger one, which is the smaller job.

    Posters branch off on the way; the storyboard's tiles are drawn from the lowest rung.
    """
    stages = []
    for number, rung in reversed([*enumerate(plan.rungs)]):
        if number == len(plan.rungs) - 1:
            target = (rung.height, rung.width) if plan.is_on_its_side else (rung.width, rung.height)
            colours = to_bt709(plan.colour, width=plan.width, height=plan.height, target=target)
            # Turned after scaling: the filters that turn expect every picture to be as large as the first one.
            pictures = ",".join([paced_frames(plan), colours, *plan.turn])
        else:
            pictures = f"[s{number + 1}]scale={rung.width}:{rung.height}:flags=bicubic,setsar=1"
        outputs = f"[v{number}][p][s{number}]" if number == plan.poster_rung else f"[v{number}][s{number}]"
        stages.append(f"{pictures},split={outputs.count('[')}{outputs}")
    board = plan.storyboard
    size = f"{board.tile_width}:{board.tile_height}"
    tiles = f"[s0]select='not(mod(n,{board.step_frames}))',scale={size}:{JPEG_SCALE}[tiles]"
    return ";".join([*stages, *poster_stages(plan), tiles])


def paced_frames(plan: EncodePlan) -> str:
    """Exactly the planned frames at a constant rate, let through up to the clock's next tick.

    A frame that a source shows for a minute is thousands of frames of the output. Without the clock ffmpeg makes them
    all in one go, in every size, before an encoder takes the first: gigabytes.
    """
    steps = []
    if plan.is_interlaced:
        width, height = plan.stored_size
        # `scale` gives every picture the size of the first, which bwdif expects. Progressive frames are left alone
        # (deint=interlaced): films are often interlaced in parts only.
        steps += [f"scale={width}:{height}", "bwdif=mode=send_frame:deint=interlaced"]
    steps += ["setpts=PTS-STARTPTS"] if plan.shift_s is None else shift_filters("setpts", plan.shift_s)
    if plan.is_still:
        # `fps` would drop a frame that, according to the file, is shown for no time.
        steps.append(f"tpad=stop_mode=clone:stop_duration={float(1 / plan.frame_rate):.6f}")
    # start_time=0 repeats the first frame from 0 on: a picture that starts after its sound stays in step with it.
    steps.append(f"fps={plan.frame_rate.numerator}/{plan.frame_rate.denominator}:start_time=0")
    # A picture that ends early keeps its last frame, as long as the plan says (`trim` below).
    steps.append("tpad=stop=-1:stop_mode=clone")
    return (
        f"[1:v]scale[clock];[0:{plan.video_index}]{','.join(steps)}[film];"
        f"[clock][film]streamselect=inputs=2:map=1,trim=end_frame={plan.frames}"
    )


def shift_filters(setpts: str, shift_s: Fraction | None) -> list[str]:
    """The filter that starts picture (`setpts`) or sound (`asetpts`) earlier. Both move by the same time."""
    return [f"{setpts}=PTS-{float(shift_s):.6f}/TB"] if shift_s else []


def poster_stages(plan: EncodePlan) -> list[str]:
    """The filters for the poster candidates in both sizes, and for the tiny grey frames by which posters are chosen.

    The grey frames come in pairs: a candidate, and the frame a moment later. All candidates are written in both sizes,
    because the choice needs to see all of them.
    """
    rung = plan.rungs[plan.poster_rung]
    is_candidate = f"not(mod(n,{plan.poster_step}))"
    return [
        f"[p]select='{is_candidate}+not(mod(n-{plan.poster_pause},{plan.poster_step}))',split=2[q][t]",
        # Every second frame is a candidate, the others are the later ones.
        f"[q]select='not(mod(n,2))',scale={size_within(rung, POSTER_LONG_SIDE)}:{JPEG_SCALE},split=2[posters][r]",
        f"[r]scale={size_within(rung, SMALL_POSTER_LONG_SIDE)}:flags=bicubic,format=yuvj420p[small]",
        f"[t]scale={THUMB_WIDTH}:{THUMB_HEIGHT}:out_range=pc,format=gray[thumbs]",
    ]


def size_within(rung: SizedRung, long_side: int) -> str:
    width, height = shrink(rung.width, rung.height, Fraction(long_side, max(rung.width, rung.height)))
    return f"{width}:{height}"


def rung_args(plan: EncodePlan, rung: SizedRung, number: int, work: Path) -> list[str]:
    kbps = peak_kbps(rung, plan.frame_rate)
    segment = str(plan.segment_frames)
    return [
        # The filters have made the rate constant: ffmpeg must not drop or repeat frames again.
        *("-map", f"[v{number}]", "-fps_mode", "passthrough"),
        # High profile in 8 bits is the best H.264 that every browser plays.
        *("-c:v", "libx264", "-preset", plan.preset, "-profile:v", "high", "-crf", str(rung.rung.crf)),
        # Constant quality up to the peak rate, judged over a buffer of two seconds.
        *("-maxrate", f"{kbps}k", "-bufsize", f"{2 * kbps}k"),
        # Every rung must cut at the same frames, so that a player can change the rung at every cut: IDR frames at fixed
        # distances and nowhere else (no scene cuts), and no frame that refers to one before the cut (closed GOPs).
        *("-g", segment, "-keyint_min", segment, "-sc_threshold", "0", "-flags", "+cgop"),
        # Metadata may hold names and places, which stay with the owner. Chapters may become a track of their own.
        *("-map_metadata", "-1", "-map_chapters", "-1", "-f", "mp4"),
        # frag_keyframe: one fragment per GOP. default_base_moof: offsets count from the fragment, so that packaging can
        # move it. skip_trailer: packaging writes an index of its own.
        # delay_moov writes an edit list that puts the first frame at 0 despite B-frames. Negative composition offsets
        # would need none, but ffmpeg's own reader then shows the picture two frames late.
        *("-movflags", "+frag_keyframe+delay_moov+default_base_moof+skip_trailer"),
        str(video_path(work, rung.name)),
    ]


def poster_args(stage: str, quality: int, path: Path) -> list[str]:
    encoder = ("-c:v", "mjpeg", "-q:v", str(quality), "-f", "image2")
    return ["-map", stage, "-fps_mode", "passthrough", *encoder, str(path)]


def peak_kbps(rung: SizedRung, frame_rate: Fraction) -> int:
    """The peak rate in kbit/s. The ladder's rates are for 30 frames a second; faster video gets half as much again."""
    return rung.rung.max_kbps * 3 // 2 if frame_rate > 30 else rung.rung.max_kbps


def audio_args(plan: EncodePlan, audio: AudioRendition, work: Path) -> list[str]:
    return [
        *("-map", f"0:{audio.track.index}", "-af", audio_filter(plan, audio.track)),
        # AAC-LC in stereo, which every player has.
        *("-c:a", "aac", "-b:a", f"{AUDIO_KBPS}k", "-ar", str(AUDIO_RATE), "-ac", "2"),
        *("-map_metadata", "-1", "-map_chapters", "-1", "-f", "mp4"),
        # delay_moov writes the encoder's priming into an edit list, so that sound starts with the picture.
        # Fragments of 4 s (in microseconds) are good enough: packaging cuts where the picture's segments end.
        *("-movflags", "+delay_moov+default_base_moof+skip_trailer", "-frag_duration", "4000000"),
        str(audio_path(work, audio.key)),
    ]


def audio_filter(plan: EncodePlan, track: AudioTrack) -> str:
    """Stereo that starts at 0 and is as long as the picture: gaps become silence, so nothing drifts."""
    length = f"{float(plan.duration_s):.6f}"
    downmix, gain = [], ""
    if track.channels == 1:
        # The one channel goes to both sides as it is; the resampler's own matrix would make it 3 dB quieter.
        downmix = ["pan=stereo|c0=c0|c1=c0"]
    elif track.channels > MAX_SURROUND_CHANNELS:
        # These are the separate tracks of a studio, of which the first two are the mix.
        downmix = ["pan=stereo|c0=c0|c1=c1"]
    elif track.channels > 2:
        # Surround folded down adds up to more than full scale: 3 dB of room keep speech loud and peaks whole.
        gain = ":rematrix_volume=0.7079"
    return ",".join(
        [
            *shift_filters("asetpts", plan.shift_s),
            *downmix,
            # Sound after the picture's end is dropped before the resampler, which would keep all of its gaps in memory.
            f"atrim=end={length}",
            f"aresample={AUDIO_RATE}:async=1:first_pts=0:ochl=stereo{gain}",
            f"apad=whole_dur={length}",
            f"atrim=end={length}",
        ]
    )


def captions_args(ffmpeg: str, plan: EncodePlan, source: Path, work: Path) -> list[str]:
    """A run of its own for the subtitles.

    Subtitles may begin late, and the encoder would report no progress until then; and a broken subtitle track must not
    fail the film.
    """
    args = [
        *(ffmpeg, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning", "-y", "-progress", "pipe:1"),
        *untrusted_input_args(source),
    ]
    for track in plan.captions:
        args += ["-map", f"0:{track.index}", "-c:s", "webvtt", "-f", "webvtt", str(caption_path(work, track.language))]
    return args


def storyboard_args(ffmpeg: str, board: Storyboard, work: Path, sheet: Path) -> list[str]:
    """The sheet, drawn from the tiles that the encoder wrote."""
    size = f"{board.tile_width}x{board.tile_height}"
    return [
        *(ffmpeg, "-hide_banner", "-nostdin", "-loglevel", "warning", "-y", "-protocol_whitelist", PROTOCOLS),
        *("-f", "rawvideo", "-pixel_format", "yuvj420p", "-video_size", size, "-i", f"file:{tiles_path(work)}"),
        *("-vf", f"tile={board.columns}x{board.rows}", "-frames:v", "1", "-c:v", "mjpeg", "-q:v", "5"),
        # -update: one picture under this very name, not a sequence of numbered ones.
        *("-f", "image2", "-update", "1", f"file:{sheet}"),
    ]


def video_path(work: Path, rung: str) -> Path:
    return work / f"{rung}.video.mp4"


def audio_path(work: Path, key: str) -> Path:
    return work / (f"audio_{key}.aac.mp4" if key else "audio.aac.mp4")


def caption_path(work: Path, language: str) -> Path:
    return work / f"captions_{language}.vtt"


def poster_path(work: Path, number: int | None) -> Path:
    """The poster candidate with this number, counted from 0; None gives the pattern for all of them."""
    # ffmpeg numbers the files from 1.
    return work / ("poster_%05d.jpg" if number is None else f"poster_{number + 1:05}.jpg")


def small_poster_path(work: Path, number: int | None) -> Path:
    return work / small_poster_file(poster_path(work, number).name)


def thumbs_path(work: Path) -> Path:
    return work / "thumbs.gray"


def tiles_path(work: Path) -> Path:
    return work / "tiles.yuv"
