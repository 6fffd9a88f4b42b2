"""Reads the result that another service has made of an original: HLS, DASH, or both; pure."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from media_pipeline import layout
from media_pipeline.external.dash import ReadBytes, ReadSegments, read_dash, read_text
from media_pipeline.external.dash_texts import hls_texts, manifest_text
from media_pipeline.external.hls import BadResult, ForeignVersion, read_version

# How much shorter than the original a result may be: other services round, or drop the last frame.
MAX_MISSING_S = 1


def read_result(
    sizes: Mapping[str, int], read: ReadBytes, read_segments: ReadSegments, *, original_s: float | None
) -> ForeignVersion:
    """Reads a result. `sizes` has the bytes of each file by its name below the result's folder.

    A result with both HLS and DASH is used without the one that cannot be used. For DASH alone, HLS is written here.
    Raises BadResult, and whatever `read` and `read_segments` raise.
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
        require_full_length(result.duration_s, original_s or result.declared_s)
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
    version = read_version(sizes, lambda name: read_text(read(name), name))
    require_full_length(version.duration_s, original_s)
    return version


def require_full_length(result_s: Fraction, original_s: float | Fraction | None) -> None:
    """Raises BadResult for a result that covers less than the original."""
    missing_s = float(original_s or 0) - float(result_s)
    if missing_s > MAX_MISSING_S:
        lengths = f"lasts {float(result_s):.1f} s and the original {float(original_s or 0):.1f} s"
        raise BadResult(f"The result {lengths}: {missing_s:.1f} s are missing.")
