"""Which bucket an object lies in, what it is stored with, and how the storage is reached; pure."""

from dataclasses import dataclass, field

A_YEAR_S = 31_536_000
PICTURES = ".jpg"


@dataclass(frozen=True)
class Buckets:
    """Three names, or three times the same."""

    originals: str
    processed: str
    pictures: str

    @property
    def names(self) -> tuple[str, ...]:
        """Each once."""
        return tuple(dict.fromkeys((self.originals, self.processed, self.pictures)))

    def bucket_of(self, key: str) -> str:
        if key.startswith("originals/"):
            return self.originals
        return self.pictures if key.endswith(PICTURES) else self.processed

    def below(self, prefix: str) -> tuple[str, ...]:
        """Where objects of this folder, or the one object of this key, may lie."""
        if f"{prefix}/".startswith("originals/"):
            # What another service made of an original lies below the same key among what is processed.
            return tuple(dict.fromkeys((self.originals, self.processed)))
        return tuple(dict.fromkeys((self.processed, self.pictures)))


@dataclass(frozen=True)
class S3Connection:
    """How an S3 server is reached. Without keys the role of the machine signs."""

    buckets: Buckets
    region: str
    endpoint_url: str = ""  # empty: Amazon's own
    public_endpoint_url: str = ""  # by which browsers reach the same server, when it is not the same
    access_key_id: str = ""
    secret_access_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)
    timeout_s: float = 20
    attempts: int = 6

    @property
    def origins(self) -> tuple[str, ...]:
        """Scheme, host and port that signed addresses of published objects lead to."""
        if self.endpoint_url:
            return (self.public_endpoint_url or self.endpoint_url,)
        names = dict.fromkeys((self.buckets.processed, self.buckets.pictures))
        return tuple(dict.fromkeys(amazon_origin(name, self.region) for name in names))


def amazon_origin(bucket: str, region: str) -> str:
    """A bucket has a host of its own there, unless its name has a dot, which no certificate covers."""
    host = "s3" if region == "us-east-1" else f"s3.{region}"
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://{host}.{domain}" if "." in bucket else f"https://{bucket}.{host}.{domain}"


def cache_control(key: str) -> str:
    """Published objects are never overwritten; originals and work files are nobody's to keep."""
    return f"private, max-age={A_YEAR_S}, immutable" if key.startswith("videos/") else "private, no-store"
