"""Which bucket an object belongs to, its Cache-Control, and how the S3 server is reached; pure."""

from dataclasses import dataclass, field

A_YEAR_S = 31_536_000
PICTURES = ".jpg"


@dataclass(frozen=True)
class Buckets:
    """The names of the buckets: three, or one name three times."""

    originals: str
    processed: str
    pictures: str

    @property
    def names(self) -> tuple[str, ...]:
        """Every bucket once."""
        return tuple(dict.fromkeys((self.originals, self.processed, self.pictures)))

    def bucket_of(self, key: str) -> str:
        if key.startswith("originals/"):
            return self.originals
        return self.pictures if key.endswith(PICTURES) else self.processed

    def below(self, prefix: str) -> tuple[str, ...]:
        """The buckets in which objects of this folder, or the object with this key, may lie."""
        if f"{prefix}/".startswith("originals/"):
            # External transcoders put the results for an original below its key, in the bucket of processed videos.
            return tuple(dict.fromkeys((self.originals, self.processed)))
        return tuple(dict.fromkeys((self.processed, self.pictures)))


@dataclass(frozen=True)
class S3Connection:
    """How to reach an S3 server. Without keys, requests are signed by the role of the machine."""

    buckets: Buckets
    region: str
    endpoint_url: str = ""  # empty: Amazon S3
    public_endpoint_url: str = ""  # of the same server for browsers, where they need another address
    access_key_id: str = ""
    secret_access_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)
    timeout_s: float = 20
    attempts: int = 6

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins (scheme, host, port) of the signed addresses of published objects."""
        if self.endpoint_url:
            return (self.public_endpoint_url or self.endpoint_url,)
        names = dict.fromkeys((self.buckets.processed, self.buckets.pictures))
        return tuple(dict.fromkeys(amazon_origin(name, self.region) for name in names))


def amazon_origin(bucket: str, region: str) -> str:
    """The origin of a bucket at Amazon: its own host, or the shared one for a name with a dot.

    The certificate `*.s3.amazonaws.com` covers no name with a dot.
    """
    host = "s3" if region == "us-east-1" else f"s3.{region}"
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://{host}.{domain}" if "." in bucket else f"https://{bucket}.{host}.{domain}"


def cache_control(key: str) -> str:
    """The Cache-Control of an object: published ones never change; originals and work files may not be cached."""
    return f"private, max-age={A_YEAR_S}, immutable" if key.startswith("videos/") else "private, no-store"
