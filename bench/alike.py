"""`make bench-alike`: whether the time of an answer reveals that an address has an account.

Registering, asking for a new password and signing in with a wrong one, in turns for addresses with and without an
account, on the web server of `make up`. No worker runs, so that nothing else uses the processors. Keep the machine
idle.
"""

import json
import os
import random
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from statistics import median, quantiles

from tests.client import Client
from tests.services import Platform, web_alone

TURNS = int(os.environ.get("TURNS", "150"))
WARM = 10
PASSWORD = "a-long-password-of-nobody"  # noqa: S105 - of accounts that last for this run
NO_LIMITS = {f"RATE_LIMIT_{name}": "0" for name in ("DEFAULT", "AUTH", "STREAM")}
ADD_PEOPLE = f"""
from django.contrib.auth.hashers import make_password
from users_app.models import User
password = make_password("{PASSWORD}")
User.objects.bulk_create(
    User(email=f"known{{number}}@example.com", password=password, email_verified=True)
    for number in range({TURNS + WARM})
)
"""
ROUTES = {
    "users/register/": {"password": PASSWORD, "confirm_password": PASSWORD},
    "users/forgot-password/": {},
    "users/login/": {"password": "wrong"},
}
# Each request has an address of its own: several wrong passwords from one address would have to wait.
ADDRESSES: Iterator[int] = count()


def milliseconds(platform: Platform, route: str, email: str) -> float:
    number = next(ADDRESSES)
    headers = {
        "Content-Type": "application/json",
        "X-Forwarded-For": f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::1",
    }
    body = json.dumps({**ROUTES[route], "email": email}).encode()
    began = time.perf_counter()
    answer = Client(platform.origin).request("POST", f"/{route}", body, headers)
    took = time.perf_counter() - began
    assert answer.status in (200, 201, 400), answer.json()
    return took * 1000


def compare(platform: Platform, route: str) -> None:
    seen: dict[str, list[float]] = {"known": [], "unknown": []}
    mark = route.split("/")[1]
    for turn in range(TURNS + WARM):
        emails = {"known": f"known{turn}@example.com", "unknown": f"{mark}{turn}@example.com"}
        for kind in random.sample(list(emails), 2):
            took = milliseconds(platform, route, emails[kind])
            if turn >= WARM:
                seen[kind].append(took)
    for kind, times in seen.items():
        low, middle, high = quantiles(times, n=4)
        print(f"  {route:<23} {kind:<8} median {middle:6.2f} ms, half of them within {low:.2f} and {high:.2f}")
    differences = [known - unknown for known, unknown in zip(seen["known"], seen["unknown"], strict=True)]
    ratio = median(seen["known"]) / median(seen["unknown"])
    print(f"  {'':<23} known − unknown: median {median(differences):+.2f} ms, ratio {ratio:.3f}", flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, web_alone(Path(folder), None, **NO_LIMITS) as platform:
        added = platform.manage("shell", "-v0", "-c", ADD_PEOPLE)
        assert added.returncode == 0, added.stderr
        for route in ROUTES:
            compare(platform, route)


if __name__ == "__main__":
    main()
