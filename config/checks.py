"""What must hold before anything starts; each problem is one sentence that says what to set."""

from collections.abc import Mapping, Sequence

DEVELOPMENT_SECRET = "development-only-never-in-production"  # noqa: S105 - refused unless DEBUG
EXAMPLE_SECRETS = frozenset({DEVELOPMENT_SECRET, "change-me", "changeme", "secret"})
LEAST_SECRET_LENGTH = 32
LEAST_DISTINCT = 8  # characters; "xxxx…" is long and no secret


def unsafe_start(
    *,
    debug: bool,
    secret_key: str,
    allowed_hosts: Sequence[str],
    is_https: bool,
    cookies_secure: Mapping[str, bool],
) -> list[str]:
    """The reasons not to start; none with DEBUG on."""
    if debug:
        return []
    problems = []
    if secret_key in EXAMPLE_SECRETS or len(secret_key) < LEAST_SECRET_LENGTH or len(set(secret_key)) < LEAST_DISTINCT:
        problems.append(
            f"SECRET_KEY is missing, an example, repetitive or shorter than {LEAST_SECRET_LENGTH} characters: "
            "set it to a long random value (python -c 'import secrets; print(secrets.token_urlsafe(50))')."
        )
    if "*" in allowed_hosts:
        problems.append("ALLOWED_HOSTS is '*': list the host names that this site is reached by.")
    for name, is_secure in cookies_secure.items():
        if is_secure != is_https:
            scheme = "https" if is_https else "http"
            problems.append(f"{name} is {int(is_secure)} but BACKEND_ORIGIN is {scheme}: set {name}={int(is_https)}.")
    return problems
