"""`make bench`: from an upload to a version that plays, compared with ffmpeg by hand.

In turns: (a) a run of ffmpeg for each quality, (b) one ffmpeg with a split graph, (c) this platform from `pending` to
`ready` with its queue, worker and storage, posters and storyboard. Medians of ROUNDS rounds (at least three); CLIPS
names other sources.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.baselines import CRF, PRESET, one_after_another, split_graph
from bench.meter import Cost, Meter, measure
from bench.platform import Platform
from media_pipeline.ffmpeg.locate import find_ffmpeg
from media_pipeline.planning.ladder import DEFAULT_LADDER, parse_ladder, plan_ladder
from media_pipeline.probe import probe
from media_pipeline.sources.source import Source
from tests.clips import Clip, make_clip

PROJECT = Path(__file__).resolve().parent.parent
CLIPS = ("bbb-1080p24-30s.mp4", "bbb-480p24-30s.mp4", "bbb-1080p60-30s.mp4")
MIN_ROUNDS = 3
MIB = 1024**2


@dataclass(frozen=True)
class Run:
    """One round of one way: its cost, and the size of its files."""

    cost: Cost
    size_bytes: int
    objects: int


@dataclass(frozen=True)
class Row:
    """The medians of one way."""

    name: str
    wall_s: float
    cpu_s: float
    peak_mib: float
    size_mib: float
    objects: int


def main() -> None:
    rounds = max(MIN_ROUNDS, int(os.environ.get("ROUNDS", MIN_ROUNDS)))
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        platform = Platform(folder / "platform", preset=PRESET, crf=CRF)
        try:
            for clip in clips(folder):
                bench(clip, rounds, folder, platform)
        finally:
            platform.stop()


def clips(folder: Path) -> list[Path]:
    """The clips that CLIPS names, else those beside the project, else a generated one."""
    if named := os.environ.get("CLIPS"):
        return [Path(one) for one in named.split()]
    found = [path for clip in CLIPS if (path := PROJECT.parent / "shared" / "media" / clip).exists()]
    return found or [make_clip(folder, Clip(size="1920x1080", rate="24", duration_s=30, channels="5.1"), "made")]


def bench(clip: Path, rounds: int, folder: Path, platform: Platform) -> None:
    source, ffmpeg = probe(clip, time_limit_s=60), find_ffmpeg()
    heights = [rung.height for rung in plan_ladder(source.width, source.height, parse_ladder(DEFAULT_LADDER))]
    ways: dict[str, Callable[[Path], Run]] = {
        "(a) one after another": by_hand(lambda out: one_after_another(ffmpeg, clip, heights, out)),
        "(b) split graph": by_hand(lambda out: split_graph(ffmpeg, clip, heights, float(source.frame_rate), out)),
        "(c) Videoflix": lambda out: by_platform(clip, platform),
    }
    runs: dict[str, list[Run]] = {name: [] for name in ways}
    say(f"\n### {title_of(clip, source)}, {len(heights)} rungs, {rounds} rounds\n")
    for number in range(rounds):
        # In alternating order, so that a machine that slows down slows all ways alike.
        for name in list(ways)[:: 1 if number % 2 == 0 else -1]:
            out = folder / "out"
            out.mkdir()
            runs[name].append(ways[name](out))
            shutil.rmtree(out)
            print(f"  round {number + 1}, {name}: {runs[name][-1].cost.wall_s:.1f} s", file=sys.stderr, flush=True)
    report([summary(name, runs[name]) for name in ways])


def title_of(clip: Path, source: Source) -> str:
    size = f"{source.width}×{source.height}, {float(source.frame_rate):g} fps, {float(source.duration_s):.0f} s"
    return f"`{clip.name}`: {size}"


def by_hand(way: Callable[[Path], None]) -> Callable[[Path], Run]:
    def run(out: Path) -> Run:
        cost = measure(lambda: way(out))
        return Run(cost, *contents(out))

    return run


def by_platform(clip: Path, platform: Platform) -> Run:
    with Meter(platform.worker_pids(), with_themselves=True) as meter:
        video_id = platform.add(clip)
        platform.wait_until_ready(video_id)
    return Run(meter.cost, *contents(platform.version_folder(video_id)))


def contents(folder: Path) -> tuple[int, int]:
    """The number of bytes and of files."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return sum(sizes), len(sizes)


def summary(name: str, runs: list[Run]) -> Row:
    return Row(
        name,
        median(run.cost.wall_s for run in runs),
        median(run.cost.cpu_s for run in runs),
        median(run.cost.peak_bytes for run in runs) / MIB,
        median(run.size_bytes for run in runs) / MIB,
        runs[0].objects,
    )


def report(rows: list[Row]) -> None:
    say("| Way | Wall | CPU | Peak memory | Stored | Objects |\n|---|---|---|---|---|---|")
    for row in rows:
        times = f"{row.wall_s:.1f} s | {row.cpu_s:.1f} s"
        say(f"| {row.name} | {times} | {row.peak_mib:.0f} MiB | {row.size_mib:.1f} MiB | {row.objects} |")
    first, second, third = (row.wall_s for row in rows)
    say(f"\nWall time: (c) = {third / second:.2f} × (b), {third / first:.2f} × (a).")


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
