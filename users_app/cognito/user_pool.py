"""A user pool of Amazon Cognito, as the settings name it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class UserPool:
    """`jwks_url` and `endpoint_url` are Amazon's own where they are empty."""

    id: str
    client_id: str
    client_secret: str = field(repr=False)
    jwks_url: str = ""
    endpoint_url: str = ""
    timeout_s: float = 5

    @property
    def region(self) -> str:
        """The first part of the id. The region of the buckets may be another one."""
        return self.id.partition("_")[0]

    @property
    def issuer(self) -> str:
        """The `iss` of its tokens, also where `endpoint_url` leads to another server."""
        domain = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        return f"https://cognito-idp.{self.region}.{domain}/{self.id}"

    @property
    def keys_url(self) -> str:
        return self.jwks_url or f"{self.issuer}/.well-known/jwks.json"
