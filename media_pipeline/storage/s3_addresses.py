"""Signs the addresses of many objects at once."""

import hmac
from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from media_pipeline.storage.s3 import S3Store, s3_faults


def signed_urls(store: S3Store, keys: Sequence[str], lifetime_s: int) -> list[str]:
    """The addresses that `S3Store.signed_url` gives for objects of one bucket. Raises StorageUnavailable.

    boto3 takes most of a millisecond for each, and a long film has ten thousand. So boto3 signs the first address, and
    this function repeats Signature Version 4 for the others, which differ in the path and thus in the signature.
    """
    if not keys:
        return []
    # Temporary credentials may be renewed at any moment, and a signature is valid only with the token it was made for.
    credentials, signed, after = credentials_of(store), store.signed_url(keys[0], lifetime_s), credentials_of(store)
    while credentials != after:
        credentials, signed, after = after, store.signed_url(keys[0], lifetime_s), credentials_of(store)
    first = urlsplit(signed)
    path_prefix = first.path.removesuffix(quote(keys[0]))
    query_params = dict(parse_qsl(first.query))
    del query_params["X-Amz-Signature"]
    query = "&".join(f"{name}={quote(query_params[name], safe='')}" for name in sorted(query_params))
    signing_key = f"AWS4{credentials.secret_key}".encode()
    _, *scope = query_params["X-Amz-Credential"].split("/")
    for word in scope:  # the date, the region, the service and "aws4_request"
        signing_key = hmac.digest(signing_key, word.encode(), "sha256")
    header = f"AWS4-HMAC-SHA256\n{query_params['X-Amz-Date']}\n{'/'.join(scope)}\n"
    urls = []
    for path in (path_prefix + quote(key) for key in keys):
        request = f"GET\n{path}\n{query}\nhost:{first.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
        text = header + sha256(request.encode()).hexdigest()
        signature = hmac.digest(signing_key, text.encode(), "sha256").hex()
        urls.append(f"{first.scheme}://{first.netloc}{path}?{query}&X-Amz-Signature={signature}")
    return urls


def credentials_of(store: S3Store) -> Any:
    """The current credentials; None where there are none. Raises StorageUnavailable when they cannot be renewed."""
    with s3_faults(store.buckets.processed):
        credentials = store.session.get_credentials()
        return credentials and credentials.get_frozen_credentials()
