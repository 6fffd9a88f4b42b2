"""Sets buckets up, with keys that own them: no public access, CORS for pages, lifecycle rules for leftovers."""

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from media_pipeline.storage import s3_documents as documents
from media_pipeline.storage.s3 import S3Store, s3_faults

# The error codes for a request that a server does not implement. Most servers other than Amazon's lack some.
UNKNOWN = frozenset({"NotImplemented", "MethodNotAllowed", "XNotImplemented"})
NONE_YET = frozenset({"NoSuchCORSConfiguration", "NoSuchLifecycleConfiguration", "NoSuchBucketPolicy"})
Say = Callable[[str], None]


def set_up(store: S3Store, bucket: str, *, origins: Sequence[str], principal: str, say: Say) -> None:
    """Safe to repeat; other rules of the bucket stay. Raises StorageUnavailable, whose detail says what to do."""
    with s3_faults(bucket):
        block_public_access(store.client, bucket, say)
        if is_implemented(lambda: write_cors(store.client, bucket, origins)):
            say(f"{bucket}: pages of {', '.join(origins)} may read and upload (CORS).")
        else:
            say(f"{bucket}: this server has one setting for all pages (CORS): see that it allows {', '.join(origins)}.")
        days = documents.WORK_DAYS
        if is_implemented(lambda: write_lifecycle(store.client, bucket)):
            say(f"{bucket}: uploads that nobody finishes and old work files are removed after {days} days.")
        else:
            say(f"{bucket}: this server removes nothing by itself; what is left over stays until the reaper finds it.")
        if principal:
            write_policy(store, bucket, principal)
            say(f"{bucket}: {principal} may do what the platform needs.")


def is_implemented(write: Callable[[], None]) -> bool:
    """False when the server does not implement the request."""
    try:
        write()
    except ClientError as error:
        if code_of(error) in UNKNOWN:
            return False
        raise
    return True


def create_bucket(store: S3Store, bucket: str) -> bool:
    """False when the bucket exists and belongs to these keys."""
    region = store.connection.region
    place: dict[str, Any] = {}
    if region != "us-east-1" and not store.connection.endpoint_url:
        place = {"CreateBucketConfiguration": {"LocationConstraint": region}}
    with s3_faults(bucket):
        try:
            store.client.head_bucket(Bucket=bucket)
        except ClientError as error:
            if code_of(error) not in ("404", "NoSuchBucket"):
                raise
            store.client.create_bucket(Bucket=bucket, **place)
            return True
    return False


def block_public_access(client: Any, bucket: str, say: Say) -> None:
    try:
        client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=documents.NOTHING_PUBLIC)
        if not can_put(client, bucket):
            # With BlockPublicAcls, Ceph 16 refuses every object. IgnorePublicAcls alone has the same effect on ACLs.
            softer = {**documents.NOTHING_PUBLIC, "BlockPublicAcls": False}
            client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=softer)
    except ClientError as error:
        if code_of(error) not in UNKNOWN:
            raise
        say(f"{bucket}: this server cannot forbid public access altogether; nothing is made public either.")
    else:
        say(f"{bucket}: nothing in it can be made public.")


def can_put(client: Any, bucket: str) -> bool:
    key = f"work/setup-{uuid.uuid4().hex[:12]}"
    try:
        client.put_object(Bucket=bucket, Key=key, Body=b"")
        client.delete_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if code_of(error) == "AccessDenied":
            return False
        raise
    return True


def write_cors(client: Any, bucket: str, origins: Sequence[str]) -> None:
    present = read_document(lambda: client.get_bucket_cors(Bucket=bucket).get("CORSRules", []))
    rules = documents.with_own_rules(present or [], [documents.cors_rule(origins)])
    client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})


def write_lifecycle(client: Any, bucket: str) -> None:
    present = read_document(lambda: client.get_bucket_lifecycle_configuration(Bucket=bucket).get("Rules", []))
    rules = documents.with_own_rules(present or [], documents.lifecycle_rules())
    client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})


def write_policy(store: S3Store, bucket: str, principal: str) -> None:
    present = read_document(lambda: json.loads(store.client.get_bucket_policy(Bucket=bucket)["Policy"]))
    partition = documents.partition_of(store.connection.region)
    own = documents.least_policy([bucket], partition=partition, principal=principal)
    merged = json.dumps(documents.with_own_statements(present, own))
    try:
        store.client.put_bucket_policy(Bucket=bucket, Policy=merged)
    except ClientError as error:
        if code_of(error) != "AccessDenied":
            raise
        # Ceph 16 takes every policy with a principal for a public one, and refuses it while BlockPublicPolicy is on.
        with policies_allowed(store.client, bucket):
            store.client.put_bucket_policy(Bucket=bucket, Policy=merged)


@contextmanager
def policies_allowed(client: Any, bucket: str) -> Iterator[None]:
    """Turns BlockPublicPolicy off within the block, to write a policy that makes nothing public."""
    block = client.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={**block, "BlockPublicPolicy": False})
    try:
        yield
    finally:
        client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)


def read_document(read: Callable[[], Any]) -> Any:
    """The document that `read` gives; None where the bucket has none yet."""
    try:
        return read()
    except ClientError as error:
        if code_of(error) in NONE_YET:
            return None
        raise


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
