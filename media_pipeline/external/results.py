"""What another service has made of an original: HLS, DASH, or both; pure."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from media_pipeline import layout
from media_pipeline.external.dash import ReadBytes, ReadSegments, read_dash, read_text
from media_pipeline.external.dash_texts import hls_texts, manifest_text
from media_pipeline.external.hls import BadResult, ForeignVersion, read_version

# Of the original that may be missing: other services drop a last frame, and round.
MAX_MISSING_S = 1


def read_result(
    sizes: Mapping[str, int], read: ReadBytes, read_segments: ReadSegments, *, original_s: float | None
) -> ForeignVersion:
    """`sizes`: the bytes of each file by its name below the result's folder. Raises BadResult, and what they do.

    Of a result in both forms, one that is not sound is left out. HLS is written for DASH that comes alone.
    """
    if layout.MANIFEST not in sizes:
        return read_hls(sizes, read, original_s)
    hls = hls_problem = None
    if layout.MASTER in sizes:
        try:
            hls = read_hls(sizes, read, original_s)
        except BadResult as problem:
            hls_problem = problem
    try:
        result = read_dash(sizes, read, read_segments)
        require_whole(result.duration_s, original_s or result.told_s)
    except BadResult as problem:
        if hls is None:
            raise BadResult(f"{hls_problem} {problem}" if hls_problem else str(problem)) from problem
        return hls
    manifest = {layout.MANIFEST: manifest_text(result)}
    if hls:
        return replace(hls, files=tuple(sorted({*hls.files, *result.files})), texts=manifest)
    texts, variants = hls_texts(result)
    return ForeignVersion(result.duration_s, tuple(variants), result.files, {**texts, **manifest})


def read_hls(sizes: Mapping[str, int], read: ReadBytes, original_s: float | None) -> ForeignVersion:
    found = read_version(sizes, lambda name: read_text(read(name), name))
    require_whole(found.duration_s, original_s)
    return found


def require_whole(result_s: Fraction, original_s: float | Fraction | None) -> None:
    """Raises BadResult for a result that covers less than the original."""
    missing_s = float(original_s or 0) - float(result_s)
    if missing_s > MAX_MISSING_S:
        lengths = f"lasts {float(result_s):.1f} s and the original {float(original_s or 0):.1f} s"
        raise BadResult(f"The result {lengths}: {missing_s:.1f} s are missing.")
