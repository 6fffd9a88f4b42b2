"""Videos that an external transcoder makes (TRANSCODER=external): its result is checked, copied and published.

The transcoder puts its result into the bucket of finished videos, below the key of the original:
`<key>/master.m3u8` or `<key>/manifest.mpd`, and the files that it names. The published version is a copy, so that
later changes by the transcoder do not affect what plays.
"""

import logging
import uuid
from contextlib import suppress
from functools import partial
from pathlib import PurePosixPath

from django.conf import settings

from background.leases import LeaseLost
from background.refusals import Kind, Refusal
from content_app.models import DirectUpload, Rendition, Run, Version, Video
from content_app.services.processing import lifecycle
from content_app.services.processing.lifecycle import Published
from content_app.services.storage.brief_folders import brief_folder
from content_app.services.storage.stores import bucket_store
from content_app.states import State
from media_pipeline import layout
from media_pipeline.errors import PipelineError
from media_pipeline.external.hls import BadResult, ForeignVersion
from media_pipeline.external.results import read_result
from media_pipeline.external.segment_files import read_segments
from media_pipeline.packaging.publish import publish

log = logging.getLogger(__name__)

FOLDER_DIGITS = 16
NOT_WAITING = "This video is not waiting for a result now."


class ResultRefused(Refusal):
    kind = Kind.CONFLICT


class TranscoderFailed(PipelineError):
    code = "transcoder_failed"
    sentence = "The external transcoder could not process this film."

    @property
    def may_pass(self) -> bool:
        """True: the transcoder may succeed with the same file when it is asked again."""
        return True


def video_of_key(key: str) -> int | None:
    """Returns the id of the video whose original, or direct upload, has this key."""
    if "\0" in key:  # PostgreSQL raises an error for a NUL in a query
        return None
    video_id = Video.objects.filter(run__original=key, deleted_at=None).values_list("pk", flat=True).first()
    return video_id or DirectUpload.objects.filter(key=key).values_list("video", flat=True).first()


def complete(*, video: Video) -> None:
    """Publishes the result that the transcoder reports.

    Raises ResultRefused or StorageUnavailable, and then changes nothing.
    """
    require_external()
    if video.state == State.READY:
        return  # the transcoder reported it twice
    run = take_run(video)
    folder = uuid.uuid4().hex[:FOLDER_DIGITS]
    try:
        published = adopt(run, folder)
        lifecycle.mark_ready(run=run, published=published)
    except BadResult as problem:
        hand_back(run)
        raise ResultRefused(str(problem), code="bad_result") from problem
    except LeaseLost as lost:  # the video was deleted or replaced while the result was copied
        raise ResultRefused(NOT_WAITING, code="not_waiting") from lost
    except BaseException:
        hand_back(run)
        raise
    log.info("video %s: ready, made elsewhere", video.pk)


def hand_back(run: Run) -> None:
    with suppress(LeaseLost):
        lifecycle.hand_back(run=run)


def fail(*, video: Video) -> None:
    """Fails the video, because the transcoder reports that it cannot make the film. Raises ResultRefused."""
    require_external()
    # A video with a version is `ready` again after a failure, and only the refusal says that it was reported before.
    is_reported = (
        video.state == State.READY and video.refusal is not None and video.refusal.error_code == TranscoderFailed.code
    )
    if video.state != State.ERROR and not is_reported:
        lifecycle.mark_failed(run=take_run(video), error=TranscoderFailed())


def require_external() -> None:
    if settings.TRANSCODER != "external":
        raise ResultRefused("This site processes its films itself (TRANSCODER=internal).", code="internal_transcoder")


def take_run(video: Video) -> Run:
    run = lifecycle.claim(video_id=video.pk)
    if run is None:
        raise ResultRefused(NOT_WAITING, code="not_waiting")
    return run


def adopt(run: Run, folder: str) -> Published:
    """Checks the result, copies it to the new version's prefix and publishes its playlists.

    Raises BadResult, LeaseLost or StorageUnavailable.
    """
    store = bucket_store()
    assert store  # TRANSCODER=external without buckets is refused at the start
    # boto3 is for installations with a bucket only; see services.storage.stores.
    from media_pipeline.storage import s3_copy

    bucket, given = store.buckets.processed, run.original
    renew = partial(lifecycle.record_progress, run=run, percent=99)
    sizes = {key.removeprefix(f"{given}/"): size for key, size in store.sizes_in(bucket, given) if key != given}

    def read_playlist(name: str) -> bytes:
        renew()  # there may be a hundred of them
        return store.read_from(bucket, f"{given}/{name}")

    def read_range(name: str, offset: int, length: int) -> bytes:
        return store.read_part(bucket, f"{given}/{name}", offset, length)

    run.refresh_from_db(fields=["verdict"])  # an inspection may have noted it just now
    facts = (run.verdict or {}).get("found") or {}
    result = read_result(
        sizes,
        read_playlist,
        lambda segments: read_segments(segments, sizes, read_range, renew),
        original_s=facts.get("duration_s"),
    )
    names = [*result.files, *extra_files(sizes, result)]
    prefix = layout.version_prefix(run.video.public_id, folder)
    lifecycle.expect_version(run=run, folder=folder)
    s3_copy.copy_all(store, bucket, [(f"{given}/{name}", f"{prefix}/{name}") for name in names], renew)
    with brief_folder() as work:
        for name, text in result.texts.items():
            (work / name).write_text(text, encoding="utf-8")
        written_bytes = publish(work, store, prefix, renew)
    version = Version(
        folder=folder,
        duration_s=float(result.duration_s),
        width=result.best.width,
        height=result.best.height,
        size_bytes=sum(sizes[name] for name in names) + written_bytes,
        poster_choices=int(layout.POSTER in names),
        has_small_choices=layout.small_poster_file(layout.POSTER) in names,
        has_manifest=layout.MANIFEST in result.texts,
        has_storyboard={layout.STORYBOARD, layout.STORYBOARD_CUES} <= set(names),
    )
    return Published(version, renditions_in(result, names, sizes), captions=[])


def extra_files(sizes: dict[str, int], result: ForeignVersion) -> list[str]:
    """Returns usable files that no playlist names: pictures, and renditions as one file, such as 720p.mp4."""
    pictures = (layout.POSTER, layout.small_poster_file(layout.POSTER), layout.STORYBOARD, layout.STORYBOARD_CUES)
    renditions = []
    for name in sizes:
        path = PurePosixPath(name)
        if path.suffix == ".mp4" and path.stem.endswith("p") and path.stem.removesuffix("p").isdecimal():
            renditions.append(name)
    return [name for name in (*pictures, *renditions) if sizes.get(name) and name not in result.files]


def renditions_in(result: ForeignVersion, names: list[str], sizes: dict[str, int]) -> list[Rendition]:
    """Returns a row for each variant that is also there as one MP4."""
    by_rung = {f"{min(one.width, one.height)}p": one for one in result.variants if one.height}
    rows = []
    for rung, variant in by_rung.items():
        file = layout.rendition_file(rung)
        if file not in names:
            continue
        row = Rendition(
            name=rung, width=variant.width, height=variant.height,
            frame_rate="", codecs="", peak_bps=0, average_bps=0, size_bytes=sizes[file], frames=0,
        )  # fmt: skip
        rows.append(row)
    return rows
