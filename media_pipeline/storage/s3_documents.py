"""The documents that buckets are set up with: the CORS rule, the lifecycle rules and the access policy; pure."""

from collections.abc import Iterable, Sequence
from typing import Any

Document = dict[str, Any]
SID = "Videoflix"
OWN = "videoflix"  # begins the id of every rule that the platform writes; other rules of the bucket stay
PREFIXES = ("originals/", "videos/", "work/")
# Longer than people pause an upload.
UNFINISHED_DAYS = 7
WORK_DAYS = 7
A_DAY_S = 86_400
OBJECT_ACTIONS = (
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
)
BUCKET_ACTIONS = ("s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:GetBucketLocation")
NOTHING_PUBLIC = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


def cors_rule(origins: Sequence[str]) -> Document:
    """Lets pages of these origins read by ranges and upload in parts."""
    return {
        "ID": f"{OWN}-pages",
        "AllowedOrigins": list(origins),
        "AllowedMethods": ["GET", "HEAD", "PUT", "POST", "DELETE"],  # DELETE aborts an upload
        "AllowedHeaders": ["*"],
        # An upload in parts is completed with the ETag of every part.
        "ExposeHeaders": ["ETag", "Content-Range", "Content-Length", "Accept-Ranges"],
        "MaxAgeSeconds": A_DAY_S,
    }


def lifecycle_rules() -> list[Document]:
    """Removes unfinished uploads in parts, and work files that a killed process left."""
    unfinished = [
        {
            "ID": f"{OWN}-unfinished-{prefix.rstrip('/')}",
            "Status": "Enabled",
            "Filter": {"Prefix": prefix},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": UNFINISHED_DAYS},
        }
        for prefix in PREFIXES
    ]
    work = {
        "ID": f"{OWN}-work",
        "Status": "Enabled",
        "Filter": {"Prefix": "work/"},
        "Expiration": {"Days": WORK_DAYS},
    }
    return [*unfinished, work]


def with_own_rules(present: Iterable[Document], own: Sequence[Document]) -> list[Document]:
    """The rules of the bucket, with `own` in place of the rules that the platform wrote before."""
    return [*(rule for rule in present if not str(rule.get("ID", "")).startswith(f"{OWN}-")), *own]


def least_policy(names: Iterable[str], *, partition: str = "aws", principal: str = "") -> Document:
    """The rights that the platform needs, as a policy of its user or role or, with a principal, of the buckets."""
    who: Document = {"Principal": {"AWS": [principal]}} if principal else {}
    arns = [f"arn:{partition}:s3:::{name}" for name in names]
    objects = [f"{arn}/{prefix}*" for arn in arns for prefix in PREFIXES]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": f"{SID}Objects", "Effect": "Allow", **who, "Action": [*OBJECT_ACTIONS], "Resource": objects},
            {"Sid": f"{SID}Buckets", "Effect": "Allow", **who, "Action": [*BUCKET_ACTIONS], "Resource": arns},
        ],
    }


def partition_of(region: str) -> str:
    return "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"


def with_own_statements(present: Document | None, own: Document) -> Document:
    """The policy of the bucket, with `own` in place of the statements that the platform wrote before."""
    others = [one for one in (present or {}).get("Statement", []) if not str(one.get("Sid", "")).startswith(SID)]
    return {**own, "Statement": [*others, *own["Statement"]]}
