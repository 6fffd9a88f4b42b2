"""Signed addresses of many objects at once."""

import hmac
from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from media_pipeline.storage.s3 import S3Store, s3_faults


def signed_urls(store: S3Store, keys: Sequence[str], lifetime_s: int) -> list[str]:
    """What `S3Store.signed_url` gives for each of several objects of one bucket. Raises StorageUnavailable.

    boto3 takes most of a millisecond for each, and a long film has ten thousand: so it signs the first, and what
    differs in the others, the path and with it the signature (Signature Version 4), is made here in the same way.
    """
    if not keys:
        return []
    # Temporary credentials may be renewed at any moment, and a signature fits none but the token that it was made with.
    credentials, signed, after = credentials_of(store), store.signed_url(keys[0], lifetime_s), credentials_of(store)
    while credentials != after:
        credentials, signed, after = after, store.signed_url(keys[0], lifetime_s), credentials_of(store)
    first = urlsplit(signed)
    before = first.path.removesuffix(quote(keys[0]))
    said = dict(parse_qsl(first.query))
    del said["X-Amz-Signature"]
    query = "&".join(f"{name}={quote(said[name], safe='')}" for name in sorted(said))
    key = f"AWS4{credentials.secret_key}".encode()
    _, *scope = said["X-Amz-Credential"].split("/")
    for word in scope:  # date, region, service, and a fixed word
        key = hmac.digest(key, word.encode(), "sha256")
    about = f"AWS4-HMAC-SHA256\n{said['X-Amz-Date']}\n{'/'.join(scope)}\n"
    urls = []
    for path in (before + quote(one) for one in keys):
        request = f"GET\n{path}\n{query}\nhost:{first.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
        text = about + sha256(request.encode()).hexdigest()
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        urls.append(f"{first.scheme}://{first.netloc}{path}?{query}&X-Amz-Signature={signature}")
    return urls


def credentials_of(store: S3Store) -> Any:
    """As they are now. Raises StorageUnavailable where they can be had no more; None where there never were any."""
    with s3_faults(store.buckets.processed):
        credentials = store.session.get_credentials()
        return credentials and credentials.get_frozen_credentials()
