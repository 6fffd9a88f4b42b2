"""Films that another service has made: what of its result is believed, and that it is then what plays."""

from typing import Any

import pytest

from content_app.models import DirectUpload, Video
from content_app.services import delivery, discards, external, processing, reaping, uploads
from content_app.services.external import ResultRefused
from content_app.states import State
from content_app.tests.factories import make_video
from media_pipeline.buckets import Buckets, S3Connection
from media_pipeline.playlists import uris
from tests.ceph import Ceph
from users_app.models import User

SEGMENTS = "#EXTM3U\n#EXTINF:4,\nseg_1.ts\n#EXTINF:1.5,\nseg_2.ts\n#EXT-X-ENDLIST\n"
RESULT = {
    "master.m3u8": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=640x360\n360p/index.m3u8\n",
    "360p/index.m3u8": SEGMENTS,
    "360p/seg_1.ts": "one",
    "360p/seg_2.ts": "two",
    "360p.mp4": "the whole film",
    "poster.jpg": "a picture",
    "log.txt": "not for anybody",
}


@pytest.fixture(scope="module")
def buckets(s3_server: Ceph) -> Buckets:
    return Buckets(s3_server.make_bucket("raw"), s3_server.make_bucket("done"), s3_server.make_bucket("pictures"))


@pytest.fixture(autouse=True)
def _external(s3_server: Ceph, buckets: Buckets, settings: Any) -> None:
    settings.TRANSCODER = "external"
    settings.S3_CONNECTION = S3Connection(
        buckets, s3_server.region, s3_server.url, timeout_s=5, attempts=2,
        access_key_id=s3_server.access_key_id, secret_access_key=s3_server.secret_access_key,
    )  # fmt: skip


@pytest.fixture
def video(owner: User, enqueued: list[int]) -> Video:
    """Its original was accepted, and nobody of ours processes it."""
    video = make_video(owner)
    video.video_file.name = f"originals/{video.public_id}/0123.mp4"
    video.save()
    assert Video.objects.get().state == State.PENDING
    return Video.objects.get()


def put_result(server: Ceph, buckets: Buckets, video: Video, **changes: str | None) -> None:
    files = {**RESULT, **{name.replace("__", "/").replace("_dot_", "."): text for name, text in changes.items()}}
    for name, text in files.items():
        if text is not None:
            key = f"{video.accepted_original}/{name}"
            server.client().put_object(Bucket=buckets.processed, Key=key, Body=text.encode())


def keys_of(server: Ceph, bucket: str, prefix: str) -> set[str]:
    found = server.client().list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return {one["Key"].removeprefix(prefix) for one in found}


def test_a_sound_result_is_what_plays(video: Video, s3_server: Ceph, buckets: Buckets) -> None:
    put_result(s3_server, buckets, video)
    external.complete(video=video)
    video.refresh_from_db()
    assert (video.state, video.duration_s, video.width, video.height) == (State.READY, 5.5, 640, 360)
    assert video.poster == f"{video.version}/poster.jpg"
    assert (video.has_small_poster, video.has_storyboard) == (False, False)
    assert [one.name for one in video.renditions.all()] == ["360p"]
    copied = keys_of(s3_server, buckets.processed, f"{video.key_prefix}/")
    assert copied == {"master.m3u8", "360p/index.m3u8", "360p/seg_1.ts", "360p/seg_2.ts", "360p.mp4"}
    head = s3_server.client().head_object(Bucket=buckets.processed, Key=f"{video.key_prefix}/360p/seg_1.ts")
    assert (head["ContentType"], "immutable" in head["CacheControl"]) == ("video/mp2t", True)
    (variant,) = uris(delivery.master_playlist(video))
    playlist = delivery.bucket_playlist(variant.split("/", 3)[3], 60)
    assert f"{video.key_prefix}/360p/seg_2.ts?X-Amz-" in playlist


def test_what_changes_afterwards_changes_nothing_that_plays(video: Video, s3_server: Ceph, buckets: Buckets) -> None:
    put_result(s3_server, buckets, video)
    external.complete(video=video)
    video.refresh_from_db()
    put_result(s3_server, buckets, video, **{"360p__seg_1_dot_ts": "exchanged"})
    stored = s3_server.client().get_object(Bucket=buckets.processed, Key=f"{video.key_prefix}/360p/seg_1.ts")
    assert stored["Body"].read() == b"one"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"master_dot_m3u8": None}, "master.m3u8 is not there"),
        ({"360p__seg_2_dot_ts": None}, "360p/seg_2.ts, which is not there"),
        ({"360p__index_dot_m3u8": "nonsense"}, "is no playlist"),
        ({"360p__index_dot_m3u8": SEGMENTS.replace("seg_1.ts", "../../../x/y.ts")}, "only files beside it"),
    ],
)
def test_what_is_not_sound_changes_nothing(
    video: Video, s3_server: Ceph, buckets: Buckets, changes: dict[str, str | None], sentence: str
) -> None:
    put_result(s3_server, buckets, video, **changes)
    with pytest.raises(ResultRefused) as refused:
        external.complete(video=video)
    assert (refused.value.code, sentence in refused.value.sentence) == ("bad_result", True)
    video.refresh_from_db()
    assert (video.state, video.version, video.attempts) == (State.PENDING, "", 0)
    put_result(s3_server, buckets, video)  # mended
    external.complete(video=video)
    video.refresh_from_db()
    assert video.state == State.READY


def test_said_twice_it_is_done_once(video: Video, s3_server: Ceph, buckets: Buckets) -> None:
    put_result(s3_server, buckets, video)
    external.complete(video=video)
    version = Video.objects.get().version
    external.complete(video=Video.objects.get())
    assert Video.objects.get().version == version
    discards.remove_due()
    assert keys_of(s3_server, buckets.processed, f"videos/{video.public_id}/{version}/")


def test_a_service_that_failed_leaves_an_error_that_can_be_tried_again(video: Video, enqueued: list[int]) -> None:
    external.fail(video=video)
    video.refresh_from_db()
    assert (video.state, video.error_code) == (State.ERROR, "transcoder_failed")
    assert processing.retry(video_id=video.pk)
    assert enqueued == []


def test_nobody_of_ours_processes_a_film(video: Video, enqueued: list[int]) -> None:
    assert reaping.enqueue_waiting() == 0
    assert enqueued == []


def test_a_video_that_waits_for_nothing_is_not_completed(video: Video, s3_server: Ceph, buckets: Buckets) -> None:
    put_result(s3_server, buckets, video)
    Video.objects.update(state=State.UPLOADING)
    for tell in (external.complete, external.fail):
        with pytest.raises(ResultRefused) as refused:
            tell(video=Video.objects.get())
        assert refused.value.code == "not_waiting"


def test_where_we_make_the_films_nobody_else_does(video: Video, settings: Any) -> None:
    settings.TRANSCODER = "internal"
    with pytest.raises(ResultRefused) as refused:
        external.complete(video=video)
    assert refused.value.code == "internal_transcoder"


def test_a_video_is_found_by_its_key(video: Video, owner: User) -> None:
    assert external.video_of_key(video.accepted_original) == video.pk
    upload = uploads.announce(owner=owner, name="a.mp4", video=video)
    assert external.video_of_key(upload.key) == video.pk
    DirectUpload.objects.update(video=None)
    assert external.video_of_key(upload.key) is None
    assert external.video_of_key("nowhere") is None
    assert external.video_of_key("no\0where") is None


def test_a_video_that_goes_away_while_its_result_is_copied_is_told(
    video: Video, s3_server: Ceph, buckets: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_result(s3_server, buckets, video)
    adopt = external.adopt

    def adopt_and_lose(claim: Any, version: str) -> Any:
        published = adopt(claim, version)
        Video.objects.update(claim_token=None)
        return published

    monkeypatch.setattr(external, "adopt", adopt_and_lose)
    with pytest.raises(ResultRefused) as refused:
        external.complete(video=video)
    assert refused.value.code == "not_waiting"


def test_the_result_goes_with_its_original(video: Video, s3_server: Ceph, buckets: Buckets) -> None:
    put_result(s3_server, buckets, video)
    discards.discard_video(video=video)
    discards.remove_due()
    assert keys_of(s3_server, buckets.processed, f"originals/{video.public_id}/") == set()
