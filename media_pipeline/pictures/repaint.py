"""Makes a poster from an untrusted picture, in a limited child process."""

from pathlib import Path

from media_pipeline import layout
from media_pipeline.errors import EncoderOverLimit, OutOfTime, PipelineError
from media_pipeline.ffmpeg.run import run_limited
from media_pipeline.limits import GIB, MIB, ChildLimits
from media_pipeline.pictures.uploaded import MAX_MEGAPIXELS, detect_kind, is_animated, picture_args, upright_filters

TIME_LIMIT_S = 20
REPAINT_LIMITS = ChildLimits(memory_bytes=GIB, cpu_s=TIME_LIMIT_S, file_bytes=16 * MIB)


class NotAPicture(PipelineError):
    code = "not_a_picture"
    sentence = (
        f"This is not a JPEG, PNG or WebP picture that can be opened, or it has more than {MAX_MEGAPIXELS} megapixels."
    )


def make_poster(ffmpeg: str, source: Path, folder: Path) -> tuple[Path, Path]:
    """Draws the poster in both sizes into an empty folder and returns their paths. Raises NotAPicture."""
    poster, small = folder / layout.POSTER, folder / layout.small_poster_file(layout.POSTER)
    picture = source.read_bytes()
    kind = detect_kind(picture)
    if not picture:
        raise NotAPicture("The file is empty.")
    if kind is None:
        raise NotAPicture
    if is_animated(picture):
        raise NotAPicture("This picture is animated; upload one that stands still.")
    argv = picture_args(ffmpeg, kind, upright_filters(picture), source, poster, small)
    try:
        finished = run_limited(
            argv,
            limits=REPAINT_LIMITS,
            time_limit_s=TIME_LIMIT_S,
            stall_s=TIME_LIMIT_S,
            reads=[source],
            writes=[folder],
        )
    except OutOfTime as error:
        raise NotAPicture("Opening this picture took too long.") from error
    except EncoderOverLimit as error:
        raise NotAPicture(detail=error.detail) from error
    if finished.returncode != 0 or not all(path.exists() and path.stat().st_size for path in (poster, small)):
        raise NotAPicture(detail=finished.stderr[-1000:])
    return poster, small
