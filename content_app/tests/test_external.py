"""External transcoders: which results are accepted, and that an accepted result is what plays."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import requests
from django.utils import timezone

from content_app.models import DirectUpload, Run, Version, Video
from content_app.services.playback import delivery
from content_app.services.processing import backlog, external_results, lifecycle, preflight
from content_app.services.processing.encode_settings import plan_settings
from content_app.services.processing.external_results import ResultRefused
from content_app.services.processing.lifecycle import Original, Published
from content_app.services.storage import discards
from content_app.services.uploads import direct_uploads
from content_app.states import State
from content_app.tests.factories import make_video
from media_pipeline.packaging.playlists import uris
from media_pipeline.storage.buckets import Buckets, S3Connection
from media_pipeline.tests.reports import probed, ticks
from tests.ceph import Ceph
from tests.clips import Clip, make_clip
from tests.transcoder import WINDOW, make_dash, put_folder
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
    """A video whose original was accepted, and which no worker of this site processes."""
    video = make_video(owner)
    original = Original(f"originals/{video.public_id}/0123.mp4", name="film.mp4", size_bytes=1)
    assert lifecycle.accept_original(video_id=video.pk, original=original)
    assert Video.objects.get().state == State.PENDING
    return Video.objects.get()


def original_of(video: Video) -> str:
    """The key of the film's original, below which its result is put."""
    key = video.video_file.name
    assert key
    return key


def version_of(video: Video) -> Version:
    """What plays, as it is in the database now."""
    return Version.objects.get(video=video)


def put_result(server: Ceph, buckets: Buckets, video: Video, **changes: str | None) -> None:
    files = {**RESULT, **{name.replace("__", "/").replace("_dot_", "."): text for name, text in changes.items()}}
    for name, text in files.items():
        if text is not None:
            key = f"{original_of(video)}/{name}"
            server.client().put_object(Bucket=buckets.processed, Key=key, Body=text.encode())


def keys_of(server: Ceph, bucket: str, prefix: str) -> set[str]:
    found = server.client().list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return {one["Key"].removeprefix(prefix) for one in found}


def test_a_sound_result_is_published(video: Video, s3_server: Ceph, buckets: Buckets) -> None:
    put_result(s3_server, buckets, video)
    external_results.complete(video=video)
    video.refresh_from_db()
    version = version_of(video)
    assert (video.state, video.version) == (State.READY, version)
    assert (version.duration_s, version.width, version.height) == (5.5, 640, 360)
    assert video.poster == f"{version.folder}/poster.jpg"
    assert (video.has_small_poster, version.has_storyboard) == (False, False)
    assert [one.name for one in version.renditions.all()] == ["360p"]
    copied = keys_of(s3_server, buckets.processed, f"{video.key_prefix}/")
    assert copied == {"master.m3u8", "360p/index.m3u8", "360p/seg_1.ts", "360p/seg_2.ts", "360p.mp4"}
    head = s3_server.client().head_object(Bucket=buckets.processed, Key=f"{video.key_prefix}/360p/seg_1.ts")
    assert (head["ContentType"], "immutable" in head["CacheControl"]) == ("video/mp2t", True)
    (variant,) = uris(delivery.master_playlist(video))
    playlist = delivery.bucket_playlist(variant.split("/", 3)[3], 60)
    assert f"{video.key_prefix}/360p/seg_2.ts?X-Amz-" in playlist


def test_later_changes_of_the_result_do_not_affect_the_version(video: Video, s3_server: Ceph, buckets: Buckets) -> None:
    put_result(s3_server, buckets, video)
    external_results.complete(video=video)
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
def test_a_result_that_is_not_sound_changes_nothing(
    video: Video, s3_server: Ceph, buckets: Buckets, changes: dict[str, str | None], sentence: str
) -> None:
    put_result(s3_server, buckets, video, **changes)
    with pytest.raises(ResultRefused) as refused:
        external_results.complete(video=video)
    assert (refused.value.code, sentence in refused.value.sentence) == ("bad_result", True)
    video.refresh_from_db()
    assert (video.state, video.version, Run.objects.get().attempts) == (State.PENDING, None, 0)
    put_result(s3_server, buckets, video)  # repaired
    external_results.complete(video=video)
    video.refresh_from_db()
    assert video.state == State.READY


def test_reported_twice_it_is_published_once(video: Video, s3_server: Ceph, buckets: Buckets) -> None:
    put_result(s3_server, buckets, video)
    external_results.complete(video=video)
    version = version_of(video)
    external_results.complete(video=Video.objects.get())
    assert version_of(video) == version
    discards.remove_due()
    assert keys_of(s3_server, buckets.processed, f"videos/{video.public_id}/{version.folder}/")


def test_a_transcoder_that_failed_leaves_an_error_that_can_be_retried(video: Video, enqueued: list[int]) -> None:
    external_results.fail(video=video)
    video.refresh_from_db()
    assert (video.state, Run.objects.get().error_code) == (State.ERROR, "transcoder_failed")
    assert lifecycle.retry(video_id=video.pk)
    assert enqueued == []


def test_no_worker_of_this_site_claims_a_film(video: Video, enqueued: list[int]) -> None:
    assert backlog.enqueue_waiting() == 0
    assert enqueued == []


def test_a_video_that_waits_for_nothing_is_not_completed(video: Video, s3_server: Ceph, buckets: Buckets) -> None:
    put_result(s3_server, buckets, video)
    Video.objects.update(state=State.UPLOADING, run=None)
    Run.objects.all().delete()
    for tell in (external_results.complete, external_results.fail):
        with pytest.raises(ResultRefused) as refused:
            tell(video=Video.objects.get())
        assert refused.value.code == "not_waiting"


def test_with_internal_transcoding_reports_are_refused(video: Video, settings: Any) -> None:
    settings.TRANSCODER = "internal"
    with pytest.raises(ResultRefused) as refused:
        external_results.complete(video=video)
    assert refused.value.code == "internal_transcoder"


def test_a_video_is_found_by_its_key(video: Video, owner: User) -> None:
    assert external_results.video_of_key(original_of(video)) == video.pk
    upload = direct_uploads.announce(owner=owner, name="a.mp4", video=video)
    assert external_results.video_of_key(upload.key) == video.pk
    DirectUpload.objects.update(video=None)
    assert external_results.video_of_key(upload.key) is None
    assert external_results.video_of_key("nowhere") is None
    assert external_results.video_of_key("no\0where") is None


def test_a_video_that_is_deleted_while_its_result_is_copied_is_refused(
    video: Video, s3_server: Ceph, buckets: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_result(s3_server, buckets, video)
    adopt = external_results.adopt

    def adopt_and_lose(run: Run, folder: str) -> Published:
        published = adopt(run, folder)
        Video.objects.update(deleted_at=timezone.now())
        return published

    monkeypatch.setattr(external_results, "adopt", adopt_and_lose)
    with pytest.raises(ResultRefused) as refused:
        external_results.complete(video=video)
    assert refused.value.code == "not_waiting"
    assert not Version.objects.exists()


def test_the_result_is_removed_with_its_original(video: Video, s3_server: Ceph, buckets: Buckets) -> None:
    put_result(s3_server, buckets, video)
    discards.discard_video(video=video)
    discards.remove_due()
    assert keys_of(s3_server, buckets.processed, f"originals/{video.public_id}/") == set()


# --- DASH ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DASH result of nine seconds; its manifest lists the last three."""
    folder = tmp_path_factory.mktemp("dash")
    clip = make_clip(folder, Clip(size="320x180", rate="25", duration_s=9))
    return make_dash(folder / "made", clip, *WINDOW, sizes=("320x180", "160x90"))


def looked_at(video: Video, duration_s: float) -> None:
    Run.objects.update(verdict={"verdict": "fine", "found": {"duration_s": duration_s}})


def test_dash_alone_plays_as_hls_and_as_dash(video: Video, s3_server: Ceph, buckets: Buckets, made: Path) -> None:
    looked_at(video, 9.02)
    put_folder(s3_server, buckets.processed, made, original_of(video))
    external_results.complete(video=video)
    video.refresh_from_db()
    version = version_of(video)
    assert (video.state, version.has_manifest, version.duration_s) == (State.READY, True, 9)
    assert (version.width, version.height, video.poster, version.has_storyboard) == (320, 180, "", False)
    assert list(version.renditions.all()) == []
    copied = keys_of(s3_server, buckets.processed, f"{video.key_prefix}/")
    written = {"master.m3u8", "180p.m3u8", "90p.m3u8", "audio.m3u8", "manifest.mpd"}
    assert copied == written | {path.name for path in made.iterdir()}
    for name, content_type in (("manifest.mpd", "application/dash+xml"), ("init-stream0.m4s", "video/iso.segment")):
        head = s3_server.client().head_object(Bucket=buckets.processed, Key=f"{video.key_prefix}/{name}")
        assert (head["ContentType"], "immutable" in head["CacheControl"]) == (content_type, True)
    size_bytes = sum(size for key, size in store_sizes(s3_server, buckets.processed, video.key_prefix))
    assert version.size_bytes == size_bytes


def store_sizes(server: Ceph, bucket: str, prefix: str) -> list[tuple[str, int]]:
    found = server.client().list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/")["Contents"]
    return [(one["Key"], one["Size"]) for one in found]


def test_every_address_of_a_manifest_is_signed_for_the_bucket(
    video: Video, s3_server: Ceph, buckets: Buckets, made: Path
) -> None:
    put_folder(s3_server, buckets.processed, made, original_of(video))
    external_results.complete(video=video)
    video.refresh_from_db()
    manifest = delivery.dash_manifest(video)
    addresses = [unescape(one) for one in re.findall(r'(?:media|sourceURL)="([^"]*)"', manifest)]
    assert len(addresses) == len(set(addresses)) == 3 * (1 + 5)
    for address in addresses:
        answer = requests.get(address, timeout=10)
        assert (answer.status_code, answer.content) == (200, (made / Path(address.partition("?")[0]).name).read_bytes())
    changed = addresses[0].replace("init-stream0", "chunk-stream0-00001")
    assert requests.get(changed, timeout=10).status_code == 403


@pytest.mark.parametrize(
    ("leave_out", "sentence"),
    [
        ("chunk-stream0-00005.m4s", "names chunk-stream0-00005.m4s, which is not there"),
        ("chunk-stream1-00002.m4s", "chunk-stream1-00003.m4s begins 4.0 s late"),
        ("init-stream2.m4s", "init-stream2.m4s, which is not there"),
        ("chunk-stream", "chunk-stream0-00004.m4s, which is not there"),
    ],
)
def test_dash_that_is_not_sound_changes_nothing(
    video: Video, s3_server: Ceph, buckets: Buckets, made: Path, leave_out: str, sentence: str
) -> None:
    put_folder(s3_server, buckets.processed, made, original_of(video))
    left_out = [key for key, _ in store_sizes(s3_server, buckets.processed, original_of(video)) if leave_out in key]
    for key in left_out:
        s3_server.client().delete_object(Bucket=buckets.processed, Key=key)
    with pytest.raises(ResultRefused) as refused:
        external_results.complete(video=video)
    assert (refused.value.code, sentence in refused.value.sentence) == ("bad_result", True), refused.value.sentence
    video.refresh_from_db()
    assert (video.state, video.version, Run.objects.get().attempts) == (State.PENDING, None, 0)
    assert keys_of(s3_server, buckets.processed, f"videos/{video.public_id}/") == set()


def test_a_result_shorter_than_the_original_is_refused(
    video: Video, s3_server: Ceph, buckets: Buckets, made: Path
) -> None:
    looked_at(video, 30)
    put_folder(s3_server, buckets.processed, made, original_of(video))
    with pytest.raises(ResultRefused, match=r"lasts 9.0 s and the original 30.0 s: 21.0 s are missing"):
        external_results.complete(video=video)
    put_result(s3_server, buckets, video)
    with pytest.raises(ResultRefused, match=r"lasts 5.5 s and the original 30.0 s: 24.5 s are missing"):
        external_results.complete(video=video)


def test_a_later_version_without_a_manifest_has_no_dash_address(
    video: Video, s3_server: Ceph, buckets: Buckets, made: Path
) -> None:
    put_folder(s3_server, buckets.processed, made, original_of(video))
    external_results.complete(video=video)
    assert version_of(video).has_manifest
    assert lifecycle.retry(video_id=video.pk)
    s3_server.client().delete_object(Bucket=buckets.processed, Key=f"{original_of(video)}/manifest.mpd")
    put_result(s3_server, buckets, video)
    external_results.complete(video=Video.objects.get())
    assert not version_of(video).has_manifest


def test_a_result_shorter_than_the_original_is_refused_after_a_retry_too(
    video: Video, s3_server: Ceph, buckets: Buckets, made: Path
) -> None:
    report = probed(packets=ticks(range(0, 12800 * 30, 512), 512))
    s3_server.client().put_object(Bucket=buckets.originals, Key=original_of(video), Body=b"a film of 30 seconds")
    Run.objects.update(report=report, settings=plan_settings().to_json())
    external_results.fail(video=video)
    assert lifecycle.retry(video_id=video.pk)
    preflight.inspect(video_id=video.pk)
    put_folder(s3_server, buckets.processed, made, original_of(video))
    with pytest.raises(ResultRefused, match=r"lasts 9.0 s and the original 30.0 s: 21.0 s are missing"):
        external_results.complete(video=Video.objects.get())
