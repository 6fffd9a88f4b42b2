"""Sets buckets up, with keys that may: nothing public, pages may read and upload, what is left over is swept."""

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from media_pipeline.storage import s3_documents as documents
from media_pipeline.storage.s3 import S3Store, s3_faults

# What servers answer that do not know a request, which most of those beside Amazon's do for some.
UNKNOWN = frozenset({"NotImplemented", "MethodNotAllowed", "XNotImplemented"})
NONE_YET = frozenset({"NoSuchCORSConfiguration", "NoSuchLifecycleConfiguration", "NoSuchBucketPolicy"})
Say = Callable[[str], None]


def set_up(store: S3Store, bucket: str, *, origins: Sequence[str], principal: str, say: Say) -> None:
    """Safe to repeat; rules of others stay. Raises StorageUnavailable with what to do in its detail."""
    with s3_faults(bucket):
        block_public_access(store.client, bucket, say)
        if known(lambda: write_cors(store.client, bucket, origins)):
            say(f"{bucket}: pages of {', '.join(origins)} may read and upload (CORS).")
        else:
            say(f"{bucket}: this server has one setting for all pages (CORS): see that it allows {', '.join(origins)}.")
        days = documents.WORK_DAYS
        if known(lambda: write_lifecycle(store.client, bucket)):
            say(f"{bucket}: uploads that nobody finishes and old work files are removed after {days} days.")
        else:
            say(f"{bucket}: this server removes nothing by itself; what is left over stays until the reaper finds it.")
        if principal:
            write_policy(store, bucket, principal)
            say(f"{bucket}: {principal} may do what the platform needs.")


def known(write: Callable[[], None]) -> bool:
    """False for a request that this server does not know."""
    try:
        write()
    except ClientError as error:
        if code_of(error) in UNKNOWN:
            return False
        raise
    return True


def create_bucket(store: S3Store, bucket: str) -> bool:
    """False when it is there already and ours."""
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
            # Ceph 16 takes BlockPublicAcls for a refusal of every object; such ACLs are ignored all the same.
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
    present = present_document(lambda: client.get_bucket_cors(Bucket=bucket).get("CORSRules", []))
    rules = documents.with_own_rules(present or [], [documents.cors_rule(origins)])
    client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})


def write_lifecycle(client: Any, bucket: str) -> None:
    present = present_document(lambda: client.get_bucket_lifecycle_configuration(Bucket=bucket).get("Rules", []))
    rules = documents.with_own_rules(present or [], documents.lifecycle_rules())
    client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})


def write_policy(store: S3Store, bucket: str, principal: str) -> None:
    present = present_document(lambda: json.loads(store.client.get_bucket_policy(Bucket=bucket)["Policy"]))
    partition = documents.partition_of(store.connection.region)
    own = documents.least_policy([bucket], partition=partition, principal=principal)
    merged = json.dumps(documents.with_own_statements(present, own))
    try:
        store.client.put_bucket_policy(Bucket=bucket, Policy=merged)
    except ClientError as error:
        if code_of(error) != "AccessDenied":
            raise
        # Ceph 16 takes whatever names somebody for public, and refuses it while BlockPublicPolicy is on.
        with policies_allowed(store.client, bucket):
            store.client.put_bucket_policy(Bucket=bucket, Policy=merged)


@contextmanager
def policies_allowed(client: Any, bucket: str) -> Iterator[None]:
    """For a moment in which ours, which makes nothing public, is written."""
    block = client.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={**block, "BlockPublicPolicy": False})
    try:
        yield
    finally:
        client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)


def present_document(read: Callable[[], Any]) -> Any:
    """None where there is none yet."""
    try:
        return read()
    except ClientError as error:
        if code_of(error) in NONE_YET:
            return None
        raise


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
