"""The baselines: the same qualities from the same source with the same preset and CRF, by ffmpeg alone."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

PRESET = "veryfast"
CRF = "28"
SEGMENT_S = "4"
HLS = ("-f", "hls", "-hls_time", SEGMENT_S, "-hls_playlist_type", "vod")
SOUND = ("-c:a", "aac", "-b:a", "128k", "-ac", "2")
PICTURE = ("-c:v", "libx264", "-preset", PRESET, "-crf", CRF)


def one_after_another(ffmpeg: str, source: Path, heights: Sequence[int], out: Path) -> None:
    """(a) One run of ffmpeg for each quality, each of which decodes the source again; then one for a thumbnail."""
    for height in heights:
        scale = ("-vf", f"scale=-2:{height}")
        segments = ("-hls_segment_filename", str(out / f"{height}p_%03d.ts"), str(out / f"{height}p.m3u8"))
        run(ffmpeg, "-i", str(source), *scale, *PICTURE, *SOUND, *HLS, *segments)
    run(ffmpeg, "-ss", "3", "-i", str(source), "-frames:v", "1", "-vf", "scale=1280:-2", str(out / "thumbnail.jpg"))


def split_graph(ffmpeg: str, source: Path, heights: Sequence[int], frame_rate: float, out: Path) -> None:
    """(b) One run of ffmpeg that decodes once, written by hand: a split graph, HLS with one shared soundtrack."""
    count = len(heights)
    split = f"[0:v]split={count}" + "".join(f"[s{n}]" for n in range(count))
    graph = ";".join([split, *(f"[s{n}]scale=-2:{height}[v{n}]" for n, height in enumerate(heights))])
    gop = str(round(frame_rate * int(SEGMENT_S)))
    streams = " ".join([*(f"v:{n},agroup:sound" for n in range(count)), "a:0,agroup:sound"])
    run(
        ffmpeg, "-i", str(source), "-filter_complex", graph,
        *(arg for n in range(count) for arg in ("-map", f"[v{n}]")), "-map", "0:a",
        *PICTURE, "-g", gop, "-keyint_min", gop, "-sc_threshold", "0", *SOUND, *HLS,
        *("-master_pl_name", "master.m3u8", "-var_stream_map", streams),
        *("-hls_segment_filename", str(out / "%v_%03d.ts"), str(out / "%v.m3u8")),
    )  # fmt: skip


def run(ffmpeg: str, *args: str) -> None:
    subprocess.run([ffmpeg, "-hide_banner", "-nostdin", "-loglevel", "error", "-y", *args], check=True)
