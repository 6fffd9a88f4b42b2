"""Finds the ffmpeg to use: the configured one, else the one on PATH if it can do the work, else imageio-ffmpeg's."""

import functools
import re
import shutil

from media_pipeline.errors import PipelineError
from media_pipeline.ffmpeg.run import run_limited
from media_pipeline.ffmpeg.sandbox import SandboxMissing
from media_pipeline.limits import ChildLimits

MIN_VERSION = (5, 1)
VERSION = re.compile(r"ffmpeg version n?(\d+)\.(\d+)")
NEEDED_ENCODERS = ("libx264", "aac")
NEEDED_FILTERS = ("scale", "fps", "split", "aresample", "zscale", "tonemap", "nullsrc", "tpad", "streamselect")


class NoFfmpeg(PipelineError):
    """There is no usable ffmpeg; the sentence says what to do."""

    code = "encoder_failed"
    permanent = False


@functools.cache
def find_ffmpeg(configured: str = "") -> str:
    """The path of a usable ffmpeg. Raises NoFfmpeg or SandboxMissing."""
    if configured:
        # What an operator has configured (FFMPEG_BIN) is never silently replaced.
        if fault := find_fault(configured):
            raise NoFfmpeg(f"FFMPEG_BIN is {configured}, which {fault}; set it to a working ffmpeg or leave it unset.")
        return configured
    for candidate in (shutil.which("ffmpeg"), bundled_ffmpeg()):
        if candidate and not find_fault(candidate):
            return candidate
    raise NoFfmpeg(
        "No usable ffmpeg was found: install ffmpeg 5.1 or newer with libx264, or imageio-ffmpeg for this machine."
    )


def bundled_ffmpeg() -> str | None:
    import imageio_ffmpeg

    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())  # type: ignore[attr-defined,no-untyped-call]  # it ships no types
    except RuntimeError:
        return None  # no wheel with a binary for this machine


def find_fault(path: str) -> str:
    """Why this ffmpeg cannot be used, as the end of a sentence; empty when it can. Raises SandboxMissing."""
    try:
        version = parse_version(read_output(path, "-version"))
        if version and version < MIN_VERSION:
            return f"is version {version[0]}.{version[1]}, older than 5.1"
        encoders, filters = read_output(path, "-encoders"), read_output(path, "-filters")
    except SandboxMissing:
        raise
    except (OSError, PipelineError):
        return "does not run"
    missing = missing_names(encoders, NEEDED_ENCODERS) + missing_names(filters, NEEDED_FILTERS)
    return f"lacks {', '.join(missing)}" if missing else ""


def read_output(path: str, option: str) -> str:
    finished = run_limited([path, "-hide_banner", option], limits=ChildLimits(cpu_s=20), time_limit_s=20, stall_s=20)
    if finished.returncode != 0:
        raise OSError(finished.stderr)
    return finished.stdout.decode(errors="replace")


def parse_version(text: str) -> tuple[int, int] | None:
    """(5, 1) from `ffmpeg version 5.1.6-0+deb12u1 …`; None for builds that are named after a commit."""
    match = VERSION.match(text)
    return (int(match[1]), int(match[2])) if match else None


def missing_names(listing: str, names: tuple[str, ...]) -> list[str]:
    """The names that do not occur in a listing with lines such as ` V....D libx264  …`."""
    present = {words[1] for line in listing.splitlines() if len(words := line.split()) > 1}
    return [name for name in names if name not in present]
