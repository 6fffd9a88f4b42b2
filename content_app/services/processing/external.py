"""Films that another service makes (TRANSCODER=external): its result is looked at, copied to a version, and plays.

It puts its result into the bucket of finished videos, below the key of the original: `<key>/master.m3u8`, or
`<key>/manifest.mpd`, and what that names. The copy is ours: what the service changes afterwards changes nothing that
plays.
"""

import logging
import uuid
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from django.conf import settings

from background.refusals import Kind, Refusal
from content_app.models import DirectUpload, Rendition, Video
from content_app.services.processing import lifecycle
from content_app.services.processing.lifecycle import Claim, ClaimLost, Published
from content_app.services.storage.brief_folders import brief_folder
from content_app.services.storage.stores import bucket_store
from content_app.states import State
from media_pipeline import layout
from media_pipeline.errors import PipelineError
from media_pipeline.external.hls import BadResult, ForeignVersion, Variant
from media_pipeline.external.results import read_result
from media_pipeline.external.segment_files import read_segments
from media_pipeline.packaging.publish import publish
from media_pipeline.storage.store import Tick

if TYPE_CHECKING:
    from media_pipeline.storage.s3 import S3Store

log = logging.getLogger(__name__)

VERSION_DIGITS = 16
NOT_WAITING = "This video waits for no film now."


class ResultRefused(Refusal):
    kind = Kind.CONFLICT


class TranscoderFailed(PipelineError):
    code = "transcoder_failed"
    sentence = "The service that makes the films could not make this one."

    @property
    def may_pass(self) -> bool:
        """The service may make it when it is asked again."""
        return True


def video_of_key(key: str) -> int | None:
    """The id of the video whose original, or upload, has this key."""
    if "\0" in key:  # which PostgreSQL cannot even look for
        return None
    found = Video.objects.filter(accepted_original=key, deleted_at=None).values_list("pk", flat=True).first()
    return found or DirectUpload.objects.filter(key=key).values_list("video", flat=True).first()


def complete(*, video: Video) -> None:
    """The service says that the film is made. Raises ResultRefused or StorageUnavailable, and then changes nothing."""
    require_external()
    if video.state == State.READY:
        return  # said twice
    claim = claim_video(video)
    version = uuid.uuid4().hex[:VERSION_DIGITS]
    try:
        published = adopt(claim, version)
        lifecycle.mark_ready(claim=claim, published=published)
    except BadResult as problem:
        return_claim(claim)
        raise ResultRefused(str(problem), code="bad_result") from problem
    except ClaimLost as lost:  # deleted or replaced meanwhile
        raise ResultRefused(NOT_WAITING, code="not_waiting") from lost
    except BaseException:
        return_claim(claim)
        raise
    log.info("video %s: ready, made elsewhere", video.pk)


def return_claim(claim: Claim) -> None:
    with suppress(ClaimLost):
        lifecycle.hand_back(claim=claim)


def fail(*, video: Video) -> None:
    """The service says that it cannot make the film. Raises ResultRefused."""
    require_external()
    was_told = video.state == State.READY and video.refused_code == TranscoderFailed.code
    if video.state != State.ERROR and not was_told:
        lifecycle.mark_failed(claim=claim_video(video), error=TranscoderFailed())


def require_external() -> None:
    if settings.TRANSCODER != "external":
        raise ResultRefused("This site makes its films itself (TRANSCODER=internal).", code="internal_transcoder")


def claim_video(video: Video) -> Claim:
    claim = lifecycle.claim(video_id=video.pk)
    if claim is None:
        raise ResultRefused(NOT_WAITING, code="not_waiting")
    return claim


def adopt(claim: Claim, version: str) -> Published:
    """Copy what is sound. Raises BadResult or StorageUnavailable."""
    store = bucket_store()
    assert store  # the settings see to it
    # boto3 is for installations with a bucket only; see services.storage.stores.
    from media_pipeline.storage import s3_copy

    bucket, folder = store.buckets.processed, claim.original
    renew = partial(lifecycle.record_progress, claim=claim, percent=99)
    sizes = {key.removeprefix(f"{folder}/"): size for key, size in store.sizes_in(bucket, folder) if key != folder}
    found = read_result(
        sizes,
        lambda name: read_while(renew, store, bucket, f"{folder}/{name}"),
        lambda wanted: read_segments(wanted, sizes, partial(read_part, store, bucket, folder), renew),
        original_s=length_of_original(claim),
    )
    names = [*found.files, *extras(sizes, found)]
    prefix = layout.version_prefix(claim.public_id, version)
    lifecycle.expect_version(claim=claim, version=version)
    s3_copy.copy_all(store, bucket, [(f"{folder}/{name}", f"{prefix}/{name}") for name in names], renew)
    with brief_folder() as work:
        for name, text in found.texts.items():
            (work / name).write_text(text, encoding="utf-8")
        written_bytes = publish(work, store, prefix, renew)
    return published_result(claim, version, found, sizes, names, written_bytes)


def read_while(renew: Tick, store: "S3Store", bucket: str, key: str) -> bytes:
    """There may be a hundred of them."""
    renew()
    return store.read_from(bucket, key)


def read_part(store: "S3Store", bucket: str, folder: str, name: str, offset: int, length: int) -> bytes:
    return store.read_part(bucket, f"{folder}/{name}", offset, length)


def length_of_original(claim: Claim) -> float | None:
    """In seconds, once it was looked at."""
    verdict = Video.objects.filter(pk=claim.video_id).values_list("verdict", flat=True).first()
    found = (verdict or {}).get("found") or {}
    return found.get("duration_s")


def extras(sizes: dict[str, int], found: ForeignVersion) -> list[str]:
    """What we can use besides: pictures, and whole films under the names that ours have."""
    pictures = (layout.POSTER, layout.small_poster_file(layout.POSTER), layout.STORYBOARD, layout.STORYBOARD_CUES)
    names = [name for name in (*pictures, *whole_films(sizes)) if sizes.get(name)]
    return [name for name in names if name not in found.files]


def whole_films(sizes: dict[str, int]) -> Iterator[str]:
    for name in sizes:
        path = PurePosixPath(name)
        if path.suffix == ".mp4" and path.stem.removesuffix("p").isdecimal() and path.stem.endswith("p"):
            yield name


def published_result(
    claim: Claim, version: str, found: ForeignVersion, sizes: dict[str, int], names: list[str], written_bytes: int
) -> Published:
    return Published(
        version=version,
        duration_s=float(found.duration_s),
        width=found.best.width,
        height=found.best.height,
        size_bytes=sum(sizes[name] for name in names) + written_bytes,
        renditions=[rendition(claim, version, variant, sizes) for variant in films_of(found, names)],
        captions=[],
        poster_choices=int(layout.POSTER in names),
        has_small_posters=layout.small_poster_file(layout.POSTER) in names,
        has_manifest=layout.MANIFEST in found.texts,
        has_storyboard={layout.STORYBOARD, layout.STORYBOARD_CUES} <= set(names),
        work_pixels=0,
        work_s=0,
    )


def films_of(found: ForeignVersion, names: list[str]) -> list[Variant]:
    """The qualities that are there as one file as well."""
    by_name = {rung_name(variant): variant for variant in found.variants if variant.height}
    return [variant for name, variant in by_name.items() if layout.rendition_file(name) in names]


def rung_name(variant: Variant) -> str:
    return f"{min(variant.width, variant.height)}p"


def rendition(claim: Claim, version: str, variant: Variant, sizes: dict[str, int]) -> Rendition:
    name = rung_name(variant)
    return Rendition(
        video_id=claim.video_id, version=version, name=name, width=variant.width, height=variant.height,
        frame_rate="", codecs="", peak_bps=0, average_bps=0, size_bytes=sizes[layout.rendition_file(name)], frames=0,
    )  # fmt: skip
