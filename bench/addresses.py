"""`make bench-addresses`: the cost of a playlist for the web server where media lie in buckets.

Signing needs no storage. Medians of many turns in one process; the baseline is signing a grant.
"""

import gzip
import os
import time
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from statistics import median

from django.conf import settings

from content_app.services.playback import grants
from media_pipeline.packaging import playlists
from media_pipeline.packaging.playlists import Segment
from media_pipeline.storage.buckets import Buckets, S3Connection
from media_pipeline.storage.s3 import S3Store

TURNS = int(os.environ.get("TURNS", "50"))
PREFIX = "videos/5f6c3f1e-0000-4000-8000-000000000001/0123456789abcdef"
TWO_HOURS = [Segment(number * 2_000_000, 2_000_000, Fraction(4)) for number in range(1800)]
STORE = S3Store(S3Connection(Buckets("films", "films", "films"), "eu-central-1", "", "", "a-key", "no-secret"))


def milliseconds(work: Callable[[], object]) -> float:
    def once() -> float:
        began = time.perf_counter()
        work()
        return 1000 * (time.perf_counter() - began)

    return median(once() for _ in range(TURNS))


def address(uri: str) -> str:
    return STORE.signed_url(f"{PREFIX}/{uri}", 3600)


def main() -> None:
    settings.configure(SECRET_KEY=PREFIX, MEDIA_GRANT_MINUTES=360)
    stored = playlists.media_playlist("1080p.mp4", "1080p.init.mp4", TWO_HOURS)
    sent = playlists.with_uris(stored, cache(address)).encode()
    costs: dict[str, Callable[[], object]] = {
        "one grant": lambda: grants.sign(PREFIX),
        "one address in the bucket": lambda: address("1080p.mp4"),
        "a playlist of two hours, one file": lambda: playlists.with_uris(stored, cache(address)),
        "the same, a file for each segment": lambda: playlists.with_uris(stored, address),
        "compressing the first": lambda: gzip.compress(sent, compresslevel=4),
    }
    for name, work in costs.items():
        print(f"{name:36}{milliseconds(work):9.3f} ms")
    packed = gzip.compress(sent, compresslevel=4)
    print(f"stored {len(stored):,} bytes, with addresses {len(sent):,}, compressed {len(packed):,}")


if __name__ == "__main__":
    main()
